"""A client that openapi-python-client makes of the service's document, and what somebody does with it."""

import subprocess
from pathlib import Path

from tests.document import install
from tests.web.serving import served

_GENERATOR = "openapi-python-client==0.29.1"
_FILES = "content_type_overrides:\n" + "".join(
    f"  {each}: application/octet-stream\n" for each in ("image/jpeg", "image/webp", "application/zip")
)
_USE = """
import sys, time
from io import BytesIO
from pathlib import Path
from client import Client
from client.api.people import delete_person, list_uploads, rate_work, recommend_to_person, upload
from client.api.works import list_works, recommend, similar_works
from client.models import Answer, Language, Problem, Rating, RecommendationRequest, RecommendationRequestRatings, UploadForm
from client.types import File

service, picture = Client(base_url=sys.argv[1]), Path(sys.argv[2])
ids = [work.id for work in list_works.sync(client=service, limit=3).works]
alike = similar_works.sync(ids[0], client=service, limit=3, lang=Language.DE)
assert alike.works[0].reasons[0].words.startswith("ähnelt")
ratings = RecommendationRequestRatings.from_dict({ids[0]: 5, ids[1]: 2})
assert len(recommend.sync(client=service, body=RecommendationRequest(ratings=ratings, limit=4)).works) == 4
form = UploadForm(pictures=[File(picture.open("rb"), picture.name, "image/png")], texts=["a ship at sea"])
assert upload.sync_detailed("ann", client=service, body=form).status_code == 202
until = time.monotonic() + 60
while len(list_uploads.sync("ann", client=service).uploads) < 2 and time.monotonic() < until:
    time.sleep(0.2)
assert rate_work.sync_detailed("ann", ids[1], client=service, body=Rating(rating=5.0)).status_code == 204
answer = recommend_to_person.sync("ann", client=service, limit=6)
assert isinstance(answer, Answer) and len(answer.works) == 6
assert isinstance(similar_works.sync("nobody", client=service), Problem)
assert delete_person.sync_detailed("ann", client=service).status_code == 204
"""


def use_generated_client(workspace: Path, picture: Path, folder: Path) -> None:
    """Generate a client without a warning, and upload, rate and get recommendations with it; needs a package index."""
    programs = install(_GENERATOR, folder / "venv")
    (folder / "config.yaml").write_text(f"{_FILES}post_hooks: []\n", "utf-8")
    with served(workspace, None) as (address, _):
        command = [programs / "openapi-python-client", "generate", "--url", f"{address}/api/v1/openapi.json"]
        command += ["--config", folder / "config.yaml", "--meta", "none", "--output-path", folder / "client"]
        subprocess.run([*command, "--fail-on-warning"], check=True)
        subprocess.run([programs / "python", "-c", _USE, address, picture], check=True, cwd=folder)
