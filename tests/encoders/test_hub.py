"""Finding weights: named, cached, fetched from a hub (a real server on this machine), or told how to get them."""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from vernissage.encoders.register import ModelCard, models
from vernissage.encoders.runtime.hub import how_to_pin, locate_weights, missing_packages, why_not_ready
from vernissage.errors import EncoderError

pytest.importorskip("huggingface_hub")

CARD, UNPINNED = models()["clip-vit-base-patch32"], models()["clip-vit-base-patch16"]
FILES = {
    "config.json": b'{"model_type": "clip"}',
    "model.safetensors": b"weights " * 40_000,
    "vocab.txt": b"a\nb\n",
    "pytorch_model.bin": b"a pickle",
    "modeling.py": b"raise SystemExit",
    "tf_model.h5": b"something else",
}
NO_SERVER = "http://127.0.0.1:9"


@dataclass
class Hub:
    """A hub with one model, and what was asked of it."""

    address: str
    card: ModelCard = CARD
    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    asked: list[str] = field(default_factory=list)

    @property
    def commit(self) -> str:
        """The commit that every revision leads to."""
        return self.card.revision or 40 * "7"


@pytest.fixture
def hub() -> Iterator[Hub]:
    handler = type("Handler", (_Handler,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        found = Hub(f"http://127.0.0.1:{server.server_port}")
        handler.hub = found  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = urllib.parse.unquote(self.path).partition("?")[0]
        self.hub.asked.append(f"{self.command} {path}")
        name, commit = self.hub.card.hub, self.hub.commit
        api, files = f"/api/models/{name}", f"/{name}/resolve/{commit}/"
        if path in {f"{api}/revision/{commit}", f"{api}/revision/{self.hub.card.revision or self.hub.card.branch}"}:
            siblings = [{"rfilename": name, "size": len(content)} for name, content in self.hub.files.items()]
            self._send(json.dumps({"id": name, "sha": commit, "siblings": siblings}).encode())
        elif path == f"{api}/tree/{commit}":
            tree = [
                {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}  # noqa: S324
                for name, content in self.hub.files.items()
            ]
            self._send(json.dumps(tree).encode())
        elif path.startswith(files) and path.removeprefix(files) in self.hub.files:
            self._send(self.hub.files[path.removeprefix(files)])
        else:
            self._send(b"", 404, {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "no such revision"})

    def _send(self, content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        for name, value in {"ETag": etag, "X-Repo-Commit": self.hub.commit, **(headers or {})}.items():
            self.send_header(name, str(value))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Stay silent."""


SCRIPT = """
import json, sys
from vernissage.encoders.register import ModelCard
from vernissage.encoders.register import models
from vernissage.encoders.runtime.hub import cached_weights, locate_weights, why_not_ready
from vernissage.errors import EncoderError
reports = []
card = models()[sys.argv[1]]
try:
    found = str(locate_weights(card, None, revision=sys.argv[2] or None, progress=lambda *r: reports.append(r)))
    print(json.dumps({"found": found, "reports": reports, "ready": why_not_ready(card)}))
except EncoderError as error:
    print(json.dumps({"error": str(error), "ready": why_not_ready(card), "cached": cached_weights(card)}))
"""


def locate(home: Path, address: str, *, name: str = CARD.name, revision: str = "", **more: str) -> dict[str, Any]:
    """Look for weights in a process of its own: the hub's library reads its environment when it is imported."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_") and "proxy" not in key.lower()}
    environment = {**kept, "HF_HOME": str(home), "HF_ENDPOINT": address, "HF_HUB_DISABLE_XET": "1", **more}
    command = [sys.executable, "-c", SCRIPT, name, revision]
    # A client that tried again and again would take minutes.
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=60)
    assert done.stderr == ""
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_named_weights_are_taken_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    file.touch()
    assert locate_weights(CARD, tmp_path) == tmp_path
    assert locate_weights(models()["albef"], file) == file
    with pytest.raises(EncoderError, match="there are no weights at .*nowhere"):
        locate_weights(CARD, tmp_path / "nowhere")


def test_weights_come_from_the_hub_and_then_from_the_cache(hub: Hub, tmp_path: Path) -> None:
    fetched = locate(tmp_path, hub.address)
    folder = Path(fetched["found"])
    assert folder.name == CARD.revision
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        name: FILES[name] for name in ("config.json", "model.safetensors", "vocab.txt")
    }
    asked = " ".join(hub.asked)
    assert "model.safetensors" in asked
    assert not any(name in asked for name in ("pytorch_model.bin", "modeling.py", "tf_model.h5"))
    hub.asked.clear()
    assert Path(locate(tmp_path, hub.address)["found"]) == folder
    assert Path(locate(tmp_path, NO_SERVER)["found"]) == folder
    assert Path(locate(tmp_path, hub.address, HF_HUB_OFFLINE="1")["found"]) == folder
    assert hub.asked == []


def test_what_an_interrupted_fetch_left_is_completed(hub: Hub, tmp_path: Path) -> None:
    folder = Path(locate(tmp_path, hub.address)["found"])
    (folder / "vocab.txt").unlink()
    assert "are not in" in locate(tmp_path, NO_SERVER)["error"]
    assert Path(locate(tmp_path, hub.address)["found"]) == folder
    assert (folder / "vocab.txt").read_bytes() == FILES["vocab.txt"]


def test_progress_counts_bytes_up_to_all_of_them(hub: Hub, tmp_path: Path) -> None:
    reports = locate(tmp_path, hub.address)["reports"]
    total = sum(len(FILES[name]) for name in ("config.json", "model.safetensors", "vocab.txt"))
    assert {(step, whole) for step, _, whole in reports} == {(f"fetching {CARD.hub}, bytes", total)}
    counts = [done for _, done, _ in reports]
    assert counts == sorted(set(counts))
    assert counts[-1] == total


def test_an_unpinned_model_is_fetched_and_said_to_be_unpinned(hub: Hub, tmp_path: Path) -> None:
    hub.card = UNPINNED
    answer = locate(tmp_path, hub.address, name=UNPINNED.name)
    assert Path(answer["found"]).name == hub.commit
    steps = {step for step, _, _ in answer["reports"]}
    assert steps == {f"fetching {UNPINNED.hub} at {UNPINNED.branch}, which is not pinned, bytes"}
    by_commit = locate(tmp_path / "again", hub.address, name=UNPINNED.name, revision=hub.commit)
    assert {step for step, _, _ in by_commit["reports"]} == {f"fetching {UNPINNED.hub}, bytes"}


def test_an_unpinned_model_says_how_to_pin_it(tmp_path: Path) -> None:
    assert how_to_pin(CARD) == how_to_pin(models()["albef"]) == how_to_pin(models()["lda"]) == ""
    told = how_to_pin(UNPINNED)
    assert told.startswith(f"{UNPINNED.name} is not pinned: what {UNPINNED.branch} of {UNPINNED.hub} holds")
    assert f"`hf download {UNPINNED.hub} --revision COMMIT --include '*.json'" in told
    error = locate(tmp_path, NO_SERVER, name=UNPINNED.name)["error"]
    assert f"--revision {UNPINNED.branch} " in error
    assert f"(not pinned; a commit instead of {UNPINNED.branch} is)" in error


def test_a_model_of_pickles_alone_is_not_fetched(hub: Hub, tmp_path: Path) -> None:
    del hub.files["model.safetensors"]
    error = locate(tmp_path, hub.address)["error"]
    assert "holds no safetensors" in error
    assert "pickles are not fetched" in error
    assert not any("/resolve/" in request for request in hub.asked)


def test_an_unknown_revision_is_told(hub: Hub, tmp_path: Path) -> None:
    assert "the hub has no such revision" in locate(tmp_path, hub.address, revision="v9")["error"]


def test_without_a_network_one_line_says_what_to_do(tmp_path: Path) -> None:
    answer = locate(tmp_path, NO_SERVER)
    error = answer["error"]
    assert "\n" not in error
    assert len(error) < 700
    for part in (
        f"the weights of {CARD.name} (605 MB) are not in {tmp_path / 'hub'}",
        f"fetching them from {NO_SERVER} failed (",
        f"`hf download {CARD.hub} --revision {CARD.revision} --include '*.json' --include '*.safetensors'",
        f"--local-dir {CARD.name}`",
        "name that folder with --weights",
        "`vernissage encoders` lists the encoders that need no download",
    ):
        assert part in error
    assert answer["cached"] is None
    assert answer["ready"] in {"not fetched (605 MB)", "needs pip install 'vernissage[models]'"}


def test_offline_mode_is_respected(hub: Hub, tmp_path: Path) -> None:
    assert "HF_HUB_OFFLINE is set" in locate(tmp_path, hub.address, HF_HUB_OFFLINE="1")["error"]
    assert hub.asked == []


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(hub: Hub, tmp_path: Path) -> None:
    hub.files["model.safetensors"] = Large()
    assert "the disk has only" in locate(tmp_path, hub.address)["error"]
    assert not any("/resolve/" in request for request in hub.asked)


class Large(bytes):
    """A file that claims a size no disk has."""

    def __len__(self) -> int:
        return 10**18


@pytest.mark.parametrize("name", ["albef", "albef-mscoco", "albef-flickr30k"])
def test_what_is_not_on_the_hub_names_the_authors_file(name: str) -> None:
    card = models()[name]
    with pytest.raises(EncoderError) as caught:
        locate_weights(card, None)
    assert f"`curl -LO {card.url}`" in str(caught.value)
    assert "name the file with --weights" in str(caught.value)
    assert ("3.5 GB" if name == "albef" else "size not known") in str(caught.value)


@pytest.mark.parametrize("name", ["lda", "lsa", "tfidf", "colour-texture", "aligned"])
def test_what_needs_no_weights_is_always_ready(name: str) -> None:
    assert missing_packages(models()[name]) == ()
    assert why_not_ready(models()[name]) == ""
    with pytest.raises(EncoderError, match="fitted on the collection itself"):
        locate_weights(models()[name], None)
