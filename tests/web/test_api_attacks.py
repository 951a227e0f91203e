"""What strangers send to the API: nothing gets in, and nothing leaks in errors. docs/safety.md has the same table."""

import io
import re
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image
from starlette.testclient import TestClient
from tests.web.conftest import World
from tests.web.test_api import ROOT, problem
from tests.web.test_api_people import key, served, small_picture  # noqa: F401  (a fixture)
from tests.web.test_several import two  # noqa: F401  (a fixture)

from vernissage.errors import RequestError
from vernissage.gallery.gallery import Gallery
from vernissage.web.serving import Server
from vernissage.web.settings import read_settings

Served = tuple[Gallery, TestClient]
STRANGE = (
    "../../../etc/passwd", "%2e%2e%2fworkspace.json", "file:///etc/passwd\x00.jpg", "w000\r\nSet-Cookie: x=1",
    "'; DROP TABLE people; --", "{{7*7}}${7*7}%n%s", "\u202e<script>alert(1)</script>",
)  # fmt: skip
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'


def harmless(answer: Any, given: str = "") -> None:
    """An answer without a defect, a trace, a path of the server, a header that was sent in, or a page."""
    assert answer.status_code < 500, answer.text
    assert not re.search(r"Traceback|site-packages|sqlalchemy|sqlite|psycopg|/tmp/|root:x:", answer.text, re.IGNORECASE)
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-type"].partition(";")[0] in {"application/json", "application/problem+json"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    if "7*7" in given:
        assert "49" not in answer.json().get("detail", "")


@pytest.mark.parametrize("given", STRANGE)
def test_strange_words_are_only_words_wherever_they_stand(served: Served, given: str) -> None:  # noqa: F811
    gallery, client = served
    people, part = key(gallery, "admin"), quote(given, safe="")
    for address in (
        f"works/{part}", f"works/{part}/similar", f"works/{part}/vectors", f"iiif/3/manifest/{part}", f"jobs/{part}",
        f"iiif/3/collection/{part}", f"thumbnails/{part}/320.jpg", f"recommendations/{part}/next", f"docs/{part}",
        f"people/ann/uploads/{part}", f"admin/uploads/{part}/picture", f"people/ann/areas/{part}",
    ):  # fmt: skip
        answer = client.get(f"{ROOT}/{address}", headers=people)
        harmless(answer, given)
        assert answer.status_code in {400, 404, 405, 422}, (address, answer.text)
    for name in ("q", "where[]", "sort", "cursor", "fields"):
        harmless(client.get(f"{ROOT}/works", params={name: given}, headers=people), given)
    for name in ("by", "per", "engine", "where[]", "exclude[]", "lang"):
        harmless(client.get(f"{ROOT}/works/w000/similar", params={name: given}, headers=people), given)
    for name in ("q", "in", "where[]"):
        harmless(client.get(f"{ROOT}/search", params={"q": "ship", name: given}, headers=people), given)
    body = {"ratings": {"w000": 5, given: 5}, "exclude": [given], "weights": {given: 1}, "where": [given]}
    harmless(client.post(f"{ROOT}/recommendations", json=body, headers=people), given)
    for method, address in (("DELETE", f"people/ann/uploads/{part}"), ("DELETE", f"people/ann/ratings/{part}"),
                            ("DELETE", f"admin/uploads/{part}"), ("PUT", f"people/ann/ratings/{part}"),
                            ("PUT", f"admin/works/{part}"), ("DELETE", f"admin/keys/{part}")):  # fmt: skip
        answer = client.request(method, f"{ROOT}/{address}", headers=people, json={"rating": 5})
        harmless(answer, given)
        assert answer.status_code in {400, 404, 405, 422}, (address, answer.text)
    assert len(gallery) == client.get(f"{ROOT}/version").json()["works"]


def test_what_a_database_cannot_keep_is_no_failure_of_the_database(peopled: Path, database_place: str) -> None:
    settings = read_settings({"database": database_place, "requests_per_second": 1_000})
    with TestClient(Server(settings, {"": peopled}), base_url="http://localhost") as client:
        for method, address in (
            ("PUT", "people/a%00b/ratings/w000"), ("GET", "people/a%00b/uploads"), ("DELETE", "people/ann/uploads/a%00"),
            ("GET", "jobs/a%00"), ("DELETE", "admin/uploads/a%00"), ("DELETE", "people/a%00b"), ("PUT", "works/a%00b"),
        ):  # fmt: skip
            problem(client.request(method, f"{ROOT}/{address}", json={"rating": 5}), 404)
        harmless(client.post(f"{ROOT}/people/ann/uploads", files=[("texts", (None, "a ship\0 at sea"))]))
        body = {"ratings": {"w000": 5}, "exclude": ["a\0"]}
        harmless(client.post(f"{ROOT}/recommendations", json=body))


def test_numbers_that_no_key_has(served: Served) -> None:  # noqa: F811
    gallery, client = served
    for number in ("0", "-1", 2**31, 2**63, 10**30, "1e3"):
        problem(client.delete(f"{ROOT}/admin/keys/{number}", headers=key(gallery, "admin")), 422)


def animated() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 40, 30)).save(target, "GIF")
    return target.getvalue()


NO_PICTURES = (
    ("a.svg", SVG), ("a.png", SVG), ("a.html", b"<script>alert(1)</script>"), ("a.jpg", b"<html><script>1</script>"),
    ("a.png.php", small_picture()), ("a.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n"), ("a.png", b"%PDF-1.4\n"), ("a.gif", b"GIF89a"),
)  # fmt: skip


def test_what_is_no_picture_by_name_or_content_is_refused(served: Served) -> None:  # noqa: F811
    gallery, client = served
    people = key(gallery, "people", "read")
    for each in NO_PICTURES:
        problem(client.post(f"{ROOT}/people/ann/uploads", files=[("pictures", each)], headers=people), 400)
        problem(client.post(f"{ROOT}/search/picture", files=[("picture", each)], headers=people), 400)
    assert client.get(f"{ROOT}/people/ann/uploads", headers=people).json() == {"uploads": []}


NAMES = ("../../../../tmp/evil.png", "/etc/evil.png", "a\x00.png", "C:\\evil.png", '"><img src=x onerror=1>.png')


def test_a_files_name_is_nobodys_word_and_what_follows_a_picture_is_never_served(served: Served) -> None:  # noqa: F811
    gallery, client = served
    before = {each.name for each in gallery.path.parent.iterdir()}
    people, script = key(gallery, "people", "admin"), b"/*<script>alert(1)</script>*/PK\x03\x04"
    kinds = ((small_picture(), ".png"), (animated(), ".gif"))
    for name, (picture, ending) in product(NAMES, kinds):
        files = [("pictures", (name.replace(".png", ending), picture + script))]
        answer = client.post(f"{ROOT}/people/ann/uploads", files=files, headers=people)
        assert answer.status_code == 202, answer.text
    assert {each.name for each in gallery.path.parent.iterdir()} == before
    for upload in client.get(f"{ROOT}/people/ann/uploads", headers=people).json()["uploads"]:
        assert re.fullmatch("[0-9a-f]{16}", upload["id"])
        shown = client.get(f"{ROOT}/admin/uploads/{upload['id']}/picture", headers=people)
        assert shown.headers["content-type"].startswith("image/")
        assert b"<script>" not in shown.content


@pytest.mark.parametrize("host", ["evil.example", "works.museum.example.evil.example", "works.museum.example@evil", ""])
def test_a_server_answers_to_its_own_names_alone(workspace: Path, host: str) -> None:
    server = Server(read_settings({"allowed_host": ["works.museum.example"]}), {"": workspace})
    with TestClient(server, base_url="http://works.museum.example") as client:
        told = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Forwarded-Prefix": "/evil"}
        url = client.get(f"{ROOT}/iiif/3/manifest/w000", headers=told).json()["id"]
        assert url.startswith(f"http://works.museum.example{ROOT}/")
        assert client.get(f"{ROOT}/version", headers={"Host": host}).status_code == 400


def test_keys_tokens_and_cookies_of_one_collection_open_no_other(two: TestClient) -> None:  # noqa: F811
    made = two.post(f"/paintings{ROOT}/admin/keys", json={"name": "k", "scopes": ["admin"]}).json()
    assert two.get(f"/paintings{ROOT}/works", headers={"X-API-Key": made["key"]}).status_code == 200
    problem(two.get(f"/drawings{ROOT}/works", headers={"X-API-Key": made["key"]}), 401)
    token = {"Authorization": f"Bearer {two.post(f'/paintings{ROOT}/people/ann/tokens').json()['token']}"}
    assert two.get(f"/paintings{ROOT}/people/ann/ratings", headers=token).status_code == 200
    problem(two.get(f"/drawings{ROOT}/people/ann/ratings", headers=token), 401)
    problem(two.get(f"/paintings/../drawings{ROOT}/people/ann/ratings", headers=token), 401)
    for confused in (f"/paintings/drawings{ROOT}/works", f"/Paintings{ROOT}/works", f"/paintings//{ROOT}/works"):
        answer = two.get(confused)  # by a page of the collection, or by the front of all: neither is the API
        assert answer.status_code == 404
        assert "w003" not in answer.text
    # A browser keeps one cookie of each, and sends neither to the other.
    cookie = two.put(f"/paintings{ROOT}/people/ann/session", headers=token).headers["set-cookie"]
    assert "Path=/paintings;" in cookie
    ended = two.delete(f"/paintings{ROOT}/people/ann/session", headers=token).headers["set-cookie"]
    assert "Path=/paintings;" in ended


@pytest.mark.parametrize(
    "address", ["//evil.example", "/\\evil.example", "/?next=https://evil.example", "/experimenter?to=//evil.example",
                "/experimenter/%0d%0aLocation:%20https://evil.example", "/pictures//evil.example/x"],
)  # fmt: skip
def test_former_addresses_lead_to_this_server_alone(world: World, address: str) -> None:
    client = TestClient(world.client.app, base_url="http://testserver")
    answer = client.get(f"http://testserver{address}", follow_redirects=False)
    location = answer.headers.get("location", "/study")
    assert location.startswith("/study")
    assert not re.search(r"[\r\n]", location)


BODIES = (
    b"[" * 100_000, b'{"ratings":' * 50_000, b"\xff\xfe", b"null", b'"x"', b"{", b'{"limit": %d}' % 10**400, b'{"limit": true}',
    b'{"ratings": {"w000": NaN}}', b'{"ratings": {"w000": 1e999}}', b'{"ratings": {"\\ud800": 5}}',
)  # fmt: skip


def test_bodies_that_no_client_makes(served: Served) -> None:  # noqa: F811
    gallery, client = served
    headers = key(gallery, "read") | {"Content-Type": "application/json"}
    for body in BODIES:
        for address in ("recommendations", "recommendations/batch", "search/picture"):
            answer = client.post(f"{ROOT}/{address}", content=body, headers=headers)
            harmless(answer)
            assert answer.status_code in {400, 422}, (body[:40], answer.text)


@pytest.mark.parametrize(
    "words",
    [
        'behind_proxy = ["*"]', 'behind_proxy = ["proxy.example"]', 'port = "80; rm"', "workers = 100000",
        'allowed_host = {a = 1}', 'requests_per_second = -1', "requests_per_second = nan", 'secret = "x"', "[host]\na = 1",
        "port = 1\nport = 2", "a" * 100_000,
    ],
)  # fmt: skip
def test_hostile_settings_are_refused(tmp_path: Path, words: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(words, "utf-8")
    with pytest.raises(RequestError):
        read_settings({}, path)
