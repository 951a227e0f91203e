"""What is true of every answer, and the parts that keep strangers out."""

import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.web.conftest import PASSWORD, Serve, World
from tests.web.walking import Walker
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from vernissage.errors import RequestError, WorkspaceError
from vernissage.web.credentials import (
    hash_password,
    is_password,
    load_or_make_secret,
    set_password,
    stored_password,
)
from vernissage.web.security import REMEMBERED, RateLimit, truncated_address
from vernissage.web.works import Pictures, shown_work

ADDRESSES = [
    "/",
    "/study",
    "/study/welcome",
    "/nowhere",
    "/healthz",
    "/study/experimenter/login",
    "/pictures/x/large.jpg",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_is_guarded(world: World, address: str) -> None:
    headers = world.client.get(address, follow_redirects=False).headers
    assert headers["content-security-policy"].startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_over_tls_browsers_are_told_to_stay_there(world: World, scheme: str) -> None:
    headers = world.client.get(f"{scheme}://localhost/healthz").headers
    assert headers.get("strict-transport-security") == {"http": None, "https": "max-age=31536000"}[scheme]


@pytest.mark.parametrize(
    ("method", "former", "present"),
    [
        ("GET", "/?PROLIFIC_PID=ann&invitation=a%2Fb", "/study?PROLIFIC_PID=ann&invitation=a%2Fb"),
        ("POST", "/experimenter/login", "/study/experimenter/login"),
        ("GET", "/experimenter", "/study/experimenter"),
        ("GET", "/pictures/x/large.jpg", "/study/pictures/x/large.jpg"),
    ],
)
def test_links_of_running_studies_lead_to_the_present_address(
    world: World, method: str, former: str, present: str
) -> None:
    answer = world.client.request(method, former, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, present)


def test_pages_hold_no_script_style_or_foreign_address(world: World) -> None:
    walker = Walker(world.client)
    page = walker.open()
    while True:
        assert not re.search(r"<style|\sstyle=|<script(?! src)|\son\w+=|javascript:", page.text)
        assert not re.search(r'(?:src|href|action)="(?!/|#)', page.text)
        if page.url.path == "/study/thanks":
            break
        page = walker.send(page)


def test_the_cookie(world: World) -> None:
    cookie = world.client.get("/study", follow_redirects=False).headers["set-cookie"]
    assert re.fullmatch(r"vernissage-study=[\w.-]+; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax", cookie)


def test_errors_are_pages_with_a_way_on(world: World) -> None:
    for answer in (world.client.get("/nowhere"), world.client.put("/study"), world.anybody().get("/study/page")):
        assert answer.status_code in {403, 404, 405}
        assert '<html lang="en">' in answer.text
        assert re.search(r'class="button first" href="/', answer.text)


def test_too_many_requests_are_told_to_wait_and_others_are_not(serve: Serve) -> None:
    world = serve(clock=lambda: 0.0)
    walker = Walker(world.client)
    walker.begin("?PROLIFIC_PID=ann")
    answers = [world.client.get("/study/elicitation") for _ in range(70)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert int(refused[-1].headers["retry-after"]) == 1
    assert Walker(world.anybody()).open("?PROLIFIC_PID=bob").status_code == 200


def test_requests_without_a_cookie_are_limited_by_network(serve: Serve) -> None:
    """Only the last entry of X-Forwarded-For is the proxy's; a client that writes others gains nothing."""
    world = serve(clock=lambda: 0.0)
    behind = ProxyHeadersMiddleware(world.client.app, ["testclient"])  # type: ignore[arg-type]

    def status(address: str, query: str = "") -> int:
        headers = {"X-Forwarded-For": address}
        return TestClient(behind).get(f"/study{query}", headers=headers, follow_redirects=False).status_code

    answers = [status(f"198.51.100.{number}, 192.0.2.{number}") for number in range(210)]
    assert answers.count(429) == 10
    assert status("192.0.2.7") == 429
    assert status("192.0.3.7") == status("2001:db8::1") == 303
    code = world.served.sessions.invitation_code("bob")
    assert status("192.0.2.7", f"?PROLIFIC_PID=bob&invitation={code}") == 303
    assert status("192.0.2.7", f"?PROLIFIC_PID=ann&invitation={code}") == 429


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"), ("::ffff:192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("unix", ""), ("", ""),
    ],
)  # fmt: skip
def test_addresses_are_truncated(address: str, network: str) -> None:
    assert truncated_address(address) == network


def test_only_known_names_are_answered_to(serve: Serve) -> None:
    world = serve(hosts=["study.example", "[::1]"])
    for host, status in {
        "study.example": 200, "STUDY.example:8080": 200, "[::1]:80": 200, "study.example.evil": 400, "": 400,
    }.items():  # fmt: skip
        assert world.client.get("/healthz", headers={"Host": host}).status_code == status, host


def test_a_secret_is_made_once_however_many_need_it(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(load_or_make_secret(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {load_or_make_secret(tmp_path)}
    assert len(found[0]) == 32
    assert [path.name for path in tmp_path.iterdir()] == ["study.secret"]


@pytest.mark.parametrize("content", ["", "abcd", "not hexadecimal at all", "\xff"])
def test_a_damaged_secret_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "study.secret").write_text(content, "latin-1")
    with pytest.raises(WorkspaceError, match="damaged"):
        load_or_make_secret(tmp_path)


def test_a_password_is_kept_as_a_hash_for_its_owner_alone(tmp_path: Path) -> None:
    assert stored_password(tmp_path) is None
    set_password(tmp_path, PASSWORD)
    path = tmp_path / "study.password"
    assert path.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in path.read_text()
    hashed = stored_password(tmp_path)
    assert hashed is not None
    assert is_password(PASSWORD, hashed)
    assert not is_password(PASSWORD[:-1], hashed)
    assert hash_password(PASSWORD) != hashed


def test_a_short_password_is_refused() -> None:
    with pytest.raises(RequestError, match="7 characters"):
        hash_password("seven77")


def test_the_hash_is_scrypt() -> None:
    """A value of RFC 7914, section 12."""
    expected = (
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
        "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
    )[:64]
    assert is_password("pleaseletmein", f"scrypt$16384$8$1${b'SodiumChloride'.hex()}${expected}")
    assert not is_password("pleaseletmeout", f"scrypt$16384$8$1${b'SodiumChloride'.hex()}${expected}")


@given(waits=st.lists(st.floats(0, 10), min_size=1, max_size=60), at_once=st.integers(1, 5))
def test_nobody_gets_more_than_their_allowance(waits: list[float], at_once: int) -> None:
    now = 0.0
    limit = RateLimit(at_once, 0.5, lambda: now)
    allowed = 0
    for wait in waits:
        now += wait
        told = limit.wait("ann")
        allowed += told == 0
        assert 0 <= told <= 2
    assert allowed <= at_once + 0.5 * now + 1e-6
    now += 2.0001
    assert limit.wait("ann") == 0


def test_a_limit_remembers_no_more_than_it_may() -> None:
    limit = RateLimit(1, 0.001, lambda: 0.0)
    assert [limit.wait("first"), limit.wait("first")] == [0, 1000]
    for number in range(REMEMBERED):
        limit.wait(str(number))
    assert limit.wait("first") == 0


def test_participants_who_see_no_picture_hear_what_it_seems_to_show(world: World) -> None:
    item = replace(world.served.collection["w000"], description="")
    pictures = Pictures(world.served.collection, b"x", seen=lambda ids: dict.fromkeys(ids, ("castle",)))
    shown = shown_work(item, pictures)
    assert shown.alt.text == f"{shown.label}; seems to show: castle (described by software)"
    assert shown_work(replace(item, description="A castle."), pictures).alt.text == shown.label


def test_pictures_keep_within_their_bound_and_stay_right(world: World) -> None:
    collection = world.served.collection
    free, tight = Pictures(collection, b"x"), Pictures(collection, b"x", kept_bytes=3000)
    names = [free.name(item.id) for item in collection][:12]
    expected = [free.jpeg(name, "thumbnail") for name in names]
    for _ in range(2):
        assert [tight.jpeg(name, "thumbnail") for name in names] == expected
    assert Pictures(collection, b"y").name("w000") != free.name("w000")
    assert free.jpeg(names[0], "huge") is None
    assert free.jpeg("w000", "large") is None
