"""The experimenter's pages: closed without the password, and what they do with it."""

import csv
import dataclasses
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from tests.web.conftest import PASSWORD, SECRET, Serve, World
from tests.web.walking import Walker, form_in, forms_in

from vernissage.web.credentials import hash_password
from vernissage.web.study.app import create_app
from vernissage.web.study.served import Sessions

HOME = "/study/experimenter"


@pytest.fixture
def inside(world: World) -> httpx.Client:
    """The experimenter's browser, logged in."""
    client = world.anybody()
    assert log_in(client).url.path == HOME
    return client


def log_in(client: httpx.Client, password: str = PASSWORD, **options: Any) -> httpx.Response:
    """What the form answers, which is asked for first."""
    form = form_in(client.get(f"{HOME}/login")).carried
    return client.post(f"{HOME}/login", data={**form, "password": password}, **options)


def form_to(page: httpx.Response, action: str) -> dict[str, str]:
    (form,) = [form for form in forms_in(page) if form.action == f"{HOME}/{action}"]
    return form.carried


def counts(page: httpx.Response) -> dict[str, int]:
    return {words: int(number) for words, number in re.findall(r"<dt>([^<]*)</dt><dd>(\d+)</dd>", page.text)}


@pytest.mark.parametrize("address", ["", "/export/long.csv", "/export/study.zip"])
def test_closed_without_the_password(world: World, address: str) -> None:
    assert world.client.get(f"{HOME}{address}").url.path == f"{HOME}/login"


@pytest.mark.parametrize("action", ["pause", "resume", "delete", "logout"])
def test_nothing_happens_without_the_password(world: World, action: str) -> None:
    walker = Walker(world.anybody())
    walker.begin("?PROLIFIC_PID=ann")
    sent = world.client.post(f"{HOME}/{action}", data={"token": "x", "id": "ann", "confirmed": "yes"})
    assert sent.url.path == f"{HOME}/login"
    overview = world.served.study.records.overview()
    assert (overview.paused, overview.started) == (False, 1)


@pytest.mark.parametrize("guess", ["", "wrong", PASSWORD.upper(), PASSWORD + " ", "é" * 5000])
def test_a_wrong_password(world: World, guess: str) -> None:
    answer = log_in(world.client, guess)
    assert answer.status_code == 403
    assert "not the password" in answer.text
    assert set(world.client.cookies) == {"vernissage-login"}
    assert world.client.get(HOME).url.path == f"{HOME}/login"


@pytest.mark.long
def test_guessing_is_slow_and_keeps_nobody_out(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("asyncio.sleep", sleep)
    world = serve(clock=lambda: 0.0)
    known = world.anybody()
    assert log_in(known).url.path == HOME
    known.post(f"{HOME}/logout", data=form_to(known.get(HOME), "logout"))
    waits.clear()
    answers = [log_in(world.client, str(guess)) for guess in range(14)]
    assert [answer.status_code for answer in answers] == [403] * 13 + [429]
    assert waits == [0.0] * 7 + [5.0, 10.0, 15.0, 20.0, 25.0, 30.0]
    assert answers[-1].headers["retry-after"] == "5"
    for guess in range(20):
        assert log_in(known, str(guess)).status_code == 403
    assert log_in(known).url.path == HOME
    assert max(waits[13:]) == 5.0


def test_the_form_that_asks_for_the_password_has_a_token(world: World) -> None:
    """Otherwise another site could log somebody in, or guess from a visitor's browser."""
    client = world.anybody()
    client.get(f"{HOME}/login")
    for token in ("", "0" * 64, form_in(world.anybody().get(f"{HOME}/login")).carried["token"]):
        answer = client.post(f"{HOME}/login", data={"password": PASSWORD, "token": token})
        assert (answer.status_code, "not from this page" in answer.text) == (403, True)
    assert client.get(HOME).url.path == f"{HOME}/login"
    assert log_in(client).url.path == HOME


def test_the_session_ends_on_the_server(world: World, inside: httpx.Client, tmp_path: Path) -> None:
    copied = dict(inside.cookies)
    thief = world.anybody()
    thief.cookies.update(copied)
    assert thief.get(HOME).url.path == HOME
    (kept,) = (tmp_path / "study.sessions").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert copied["vernissage-experimenter"] not in kept.name + kept.read_text()
    inside.post(f"{HOME}/logout", data=form_to(inside.get(HOME), "logout"))
    assert not kept.exists()
    assert thief.get(HOME).url.path == f"{HOME}/login"
    for made_up in ("", "x", "../../study.secret", copied["vernissage-experimenter"] + "x"):
        thief.cookies.clear()
        thief.cookies.set("vernissage-experimenter", made_up)
        assert thief.get(HOME).url.path == f"{HOME}/login"


@pytest.mark.parametrize(("seconds", "lasts"), [(-5, True), (-3600, True), (8 * 3600 - 1, True), (8 * 3600 + 1, False)])
def test_a_session_and_a_clock_that_is_set(serve: Serve, seconds: float, lasts: bool) -> None:
    now = 1_800_000_000.0
    world = serve(time_of_day=lambda: now)
    log_in(world.client)
    now += seconds
    assert (world.client.get(HOME).url.path == HOME) == lasts


def test_a_session_survives_a_restart(serve: Serve) -> None:
    cookies = dict(log_in(serve().client).history[0].cookies)
    again = serve().client
    again.cookies.update(cookies)
    assert again.get(HOME).url.path == HOME


def test_a_link_to_a_preview_expires(serve: Serve) -> None:
    now = 1_800_000_000.0
    world = serve(time_of_day=lambda: now)
    code = world.served.sessions.preview_code()
    for days, status in ((-0.1, 303), (6.9, 303), (7.1, 400)):
        now = 1_800_000_000.0 + days * 86_400
        assert world.anybody().get(f"/study?preview={code}", follow_redirects=False).status_code == status


def test_a_participants_cookie_opens_nothing(world: World) -> None:
    Walker(world.client).begin("?PROLIFIC_PID=ann")
    value = world.client.cookies["vernissage-study"]
    other = world.anybody()
    other.cookies.set("vernissage-experimenter", value)
    assert other.get(HOME).url.path == f"{HOME}/login"


def test_the_experimenters_cookie(world: World, inside: httpx.Client) -> None:
    cookie = log_in(world.anybody(), follow_redirects=False)
    for word in ("HttpOnly", "SameSite=strict", "Max-Age=28800"):
        assert word in cookie.headers["set-cookie"]
    page = inside.get(HOME)
    assert inside.post(f"{HOME}/logout", data=form_to(page, "logout")).url.path == f"{HOME}/login"
    assert inside.get(HOME).url.path == f"{HOME}/login"


def test_another_password_ends_every_session(world: World, inside: httpx.Client, tmp_path: Path) -> None:
    hashed = hash_password("another password")
    served = dataclasses.replace(world.served, sessions=Sessions(SECRET, "toy", hashed, tmp_path), password=hashed)
    client = TestClient(create_app(served), cookies=dict(inside.cookies))
    assert client.get(HOME).url.path == f"{HOME}/login"


def test_how_far_everybody_is(world: World, inside: httpx.Client) -> None:
    for number, until in enumerate(["/study/elicitation", "/study/assessment/2", "/study/thanks"]):
        walker = Walker(world.anybody(), lambda name, values: values[-1])
        walker.walk(walker.begin(f"?PROLIFIC_PID=p{number}"), until)
    failing = Walker(world.anybody(), lambda name, values: values[0])
    page = failing.walk(failing.begin("?PROLIFIC_PID=fails"), "/study/assessment/3")
    failing.choose = lambda name, values: values[4]
    failing.walk(page)
    page = inside.get(HOME)
    assert counts(page) == {
        "started": 4,
        "under way": 2,
        "finished": 2,
        "dropped out": 0,
        "failed the check": 1,
        "rated every work 1": 1,
        "previews": 0,
        "robots": 0,
    }
    rows = dict(re.findall(r'<tr><td class="id">([^<]*)</td><td>[^<]*</td><td>([^<]*)</td>', page.text))
    assert rows == {"p0": "elicitation", "p1": "assessment 2 of 4", "p2": "thanks", "fails": "thanks"}


def test_pausing_and_going_on(world: World, inside: httpx.Client) -> None:
    page = inside.get(HOME)
    page = inside.post(f"{HOME}/pause", data=form_to(page, "pause"))
    assert world.served.study.records.overview().paused
    assert ">Paused" in page.text
    inside.post(f"{HOME}/resume", data=form_to(page, "resume"))
    assert not world.served.study.records.overview().paused


@pytest.mark.parametrize("action", ["pause", "delete"])
def test_a_form_without_the_sessions_token(world: World, inside: httpx.Client, action: str) -> None:
    Walker(world.client).begin("?PROLIFIC_PID=ann")
    for token in ("", "0" * 64):
        sent = inside.post(f"{HOME}/{action}", data={"token": token, "id": "ann", "confirmed": "yes"})
        assert sent.status_code == 403
    overview = world.served.study.records.overview()
    assert (overview.paused, overview.started) == (False, 1)


def test_deleting_asks_first_and_leaves_nothing(world: World, inside: httpx.Client) -> None:
    for name in ("ann", "bob"):
        walker = Walker(world.anybody())
        walker.walk(walker.begin(f"?PROLIFIC_PID={name}"))
    page = inside.post(f"{HOME}/delete", data={**form_to(inside.get(HOME), "delete"), "id": "ann"})
    assert "<strong>ann</strong>" in page.text
    assert len(world.answered()) == 8
    done = inside.post(f"{HOME}/delete", data=form_in(page).carried)
    assert "deleted" in done.text
    exported = inside.get(f"{HOME}/export/study.zip").content
    with zipfile.ZipFile(io.BytesIO(exported)) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist() if name.endswith("csv"))
    assert b"ann" not in everything
    assert b"bob" in everything
    again = inside.post(f"{HOME}/delete", data=form_in(page).carried)
    assert again.status_code == 409


def test_somebody_deleted_begins_anew(world: World, inside: httpx.Client) -> None:
    walker = Walker(world.client)
    page = walker.begin("?PROLIFIC_PID=ann")
    world.served.study.records.delete("ann")
    page = walker.send(page)
    assert page.url.path == "/study/welcome"


def test_the_export(world: World, inside: httpx.Client) -> None:
    empty = inside.get(f"{HOME}/export/long.csv")
    assert empty.status_code == 409
    assert "nobody has taken part" in empty.text
    walker = Walker(world.anybody())
    walker.walk(walker.begin("?PROLIFIC_PID==cmd"))
    answer = inside.get(f"{HOME}/export/long.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="long.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["participant"] for row in rows] == ["'=cmd"] * 4
    assert inside.get(f"{HOME}/export/long.parquet").content.startswith(b"PAR1")
    assert inside.get(f"{HOME}/export/study.json").json()["study"] == "toy"
    assert inside.get(f"{HOME}/export/../../../etc/passwd").status_code == 404
    assert inside.get(f"{HOME}/export/secrets.csv").status_code == 404


def test_the_preview_link(world: World, inside: httpx.Client) -> None:
    (link,) = re.findall(r'href="([^"]*preview=[^"]*)"', inside.get(HOME).text)
    page = world.client.get(link)
    assert page.url.path == "/study/welcome"
    assert "Preview" in page.text


def test_without_a_password_the_pages_stay_closed(world: World) -> None:
    client = TestClient(create_app(dataclasses.replace(world.served, password=None)))
    assert "study password" in client.get(f"{HOME}/login").text
    for password in ("", "None"):
        form = {"token": world.served.sessions.token("login x"), "password": password}
        client.cookies.set("vernissage-login", "x")
        assert client.post(f"{HOME}/login", data=form).status_code == 403
