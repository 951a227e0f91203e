"""*My areas* over the toy gallery: who a browser is, consent, taking in, changes, and nobody else's things."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient
from tests.web.test_api import SECRET

from vernissage.gallery.gallery import Gallery, open_gallery
from vernissage.pages.look import Look
from vernissage.storage.people import KEEPING
from vernissage.web.api.access import COOKIE, Access
from vernissage.web.api.jobs import Jobs
from vernissage.web.api.service import USUAL_RULES, Service
from vernissage.web.visitor.app import create_pages
from vernissage.web.visitor.identity import VISITOR_COOKIE

BASE = "http://museum.example"
OWN = {"Origin": BASE}
SENT = OWN | {"Accept": "application/json"}


def png(*colour: int) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(target, "PNG")
    return target.getvalue()


@dataclass
class World:
    """Pages that are served, and one visitor's browser."""

    service: Service
    access: Access
    jobs: Jobs
    browser: TestClient

    @property
    def gallery(self) -> Gallery:
        return self.service.gallery

    @property
    def name(self) -> str:
        """Who the browser is."""
        [name] = self.gallery.snapshot.uploaders()
        return name

    def looked(self) -> None:
        """What was taken in has been looked at."""
        while self.jobs.do_next():
            pass

    def other(self) -> TestClient:
        """Another browser."""
        return TestClient(self.browser.app, base_url=BASE)

    def send(self, files: Mapping[str, bytes], text: str = "", browser: TestClient | None = None) -> str:
        """The page after a form without scripts."""
        sent = [("files", (name, content)) for name, content in files.items()] or [("files", ("", b""))]
        form = {"text": text, "agree": "yes"}
        return said((browser or self.browser).post("/areas/uploads", data=form, files=sent, headers=OWN).text)

    def change(self, **form: str) -> str:
        """What the page says after a change."""
        answer = self.browser.post("/areas", data=form, headers=OWN)
        assert [each.status_code for each in answer.history] == [303]
        return said(answer.text)

    def page(self) -> str:
        return self.browser.get("/areas").text


def said(page: str) -> str:
    found = re.search(r'id="said"[^>]*>(.*?)</div>', page, re.DOTALL)
    assert found is not None, page
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", found[1]).split()))


def areas_of(page: str) -> dict[str, str]:
    """The anchors of areas by their names."""
    sections = re.findall(r'<section class="area" id="area-.*?</section>', page, re.DOTALL)
    return {
        unescape(re.search(r"<h2[^>]*>(.*?)</h2>", each)[1]): unescape(
            re.search(r'name="area" value="([^"]+)"', each)[1]
        )  # type: ignore[index]
        for each in sections
    }


@pytest.fixture
def world(peopled: Path) -> Iterator[World]:
    service = Service(open_gallery(peopled), SECRET)
    access = Access(service, SECRET, open_here=False, each_second=1_000)
    app = create_pages(service, access, Look())
    with TestClient(app, base_url=BASE) as browser:
        yield World(service, access, Jobs(service), browser)
    service.stop()


@pytest.fixture
def settled(world: World) -> World:
    """A visitor with four texts about ships and roses that were looked at."""
    for text in ("A ship near the harbour", "A wave and a ship", "A rose near a hedge", "A garden with a rose"):
        world.send({}, text)
    world.looked()
    return world


def test_who_comes_first_sees_works_and_is_nobody(world: World) -> None:
    answer = world.browser.get("/areas")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert answer.text.count('<li class="work') == 30
    assert 'name="agree"' in answer.text
    assert world.browser.get("/areas/waiting").json() == {"waiting": 0}


def test_nothing_is_kept_without_consent_and_what_was_written_is_not_lost(world: World) -> None:
    text = "A ship <b>near</b> the harbour"
    answer = world.browser.post("/areas/uploads", data={"text": text}, headers=OWN)
    assert answer.status_code == 422
    assert "tick the box first" in said(answer.text)
    assert "A ship &lt;b&gt;near" in answer.text
    scripted = world.browser.post("/areas/uploads", data={"text": text}, headers=SENT)
    assert (scripted.status_code, scripted.json()["kept"]) == (403, 0)
    assert "set-cookie" not in answer.headers | scripted.headers
    assert not world.gallery.repository.has_database


def test_a_form_keeps_what_can_be_kept_and_says_why_not_of_the_rest(world: World) -> None:
    files = {"sea.png": png(0, 0, 200), "Bär.png": b"no picture", "run.exe": b"MZ", "note.txt": "Ein Schloß".encode()}
    told = world.send(files | {"empty.txt": b" \n"}, "A rose")
    assert told.startswith("3 uploads were taken in. Bär.png: it cannot be read")
    assert "run.exe: this kind of file is not taken" in told
    assert "empty.txt: this text is empty." in told
    assert world.send({}) == "Nothing was chosen; choose pictures or texts, or write something."
    assert [item.text for item in world.gallery.person(world.name).record.items.values()] == [
        "",
        "Ein Schloß",
        "A rose",
    ]
    assert set(world.gallery.person(world.name).record.visibility.values()) == {"private"}
    assert KEEPING in world.gallery.repository.consents(world.name)
    assert world.browser.get("/areas/waiting").json() == {"waiting": 3}
    assert "3 uploads are being looked at" in world.page()
    assert world.send(files).startswith("2 uploads were taken in.")  # the same again is not kept twice
    world.looked()
    assert len(world.gallery.person(world.name).uploads) == 3
    assert world.browser.get("/areas/waiting").json() == {"waiting": 0}


def test_a_script_is_told_of_each_file_in_the_language_of_the_page(world: World) -> None:
    file = [("files", ("a.exe", b"MZ"))]
    answer = world.browser.post("/areas/uploads?lang=de", data={"agree": "yes"}, files=file, headers=SENT)
    assert answer.json() == {
        "kept": 0,
        "refused": [
            "a.exe: diese Art von Datei wird nicht angenommen; wählen Sie JPEG, PNG, WebP, GIF, TIFF oder .txt."
        ],
    }
    cookie = answer.headers["set-cookie"]
    assert all(each in cookie for each in ("HttpOnly", "SameSite=lax", "Max-Age=34560000", "Path=/"))
    assert "Secure" not in cookie
    again = world.browser.post("/areas/uploads", data={"text": "A ship"}, headers=SENT)
    assert again.json() == {"kept": 1, "refused": []}


def test_other_sites_change_nothing(settled: World) -> None:
    for origin in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "://"}):
        for address, form in (("/areas", {"do": "delete"}), ("/areas/uploads", {"text": "x", "agree": "yes"})):
            answer = settled.browser.post(address, data=form, headers=origin)
            assert answer.status_code == 403
            assert "another site" in answer.text
    assert len(settled.gallery.person(settled.name).uploads) == 4


def test_areas_are_renamed_muted_weighed_merged_split_moved_and_each_is_taken_back(settled: World) -> None:
    page = settled.page()
    before = areas_of(page)
    (ship, first), (rose, second) = before.items()
    assert page.count('class="because"') >= 8
    assert page.count('<li class="work') >= 12
    assert settled.change(do="rename", area=first, name="  My\nsea ") == f"“{ship}” is called “My sea” now."
    assert settled.change(do="mute", area=first) == "“My sea” is not listened to any more."
    assert "muted" in settled.page()
    assert settled.change(do="unmute", area=first) == "“My sea” is listened to again."
    assert settled.change(do="weigh", area=first, times="2") == "“My sea” counts 2-fold now."
    assert "counts 2-fold" in settled.page()
    assert settled.change(do="merge", area=first, **{"with": second}) == f"“My sea” and “{rose}” are one area now."
    assert list(areas_of(settled.page())) == ["My sea"]
    assert settled.change(do="split", area=first) == "“My sea” was split in two."
    upload = first.partition(":")[2]
    found = areas_of(settled.page())
    other = next(anchor for anchor in found.values() if anchor != first)
    moved = settled.change(do="move", area=first, upload=upload, to=other)
    assert moved.startswith("It is in “")
    assert settled.change(do="move", area=first, upload=upload, to="") == "It has an area of its own now."
    for _ in range(8):
        edit = re.search(r'name="edit" value="(\d+)"', settled.page())
        assert edit is not None
        assert settled.change(do="undo", edit=edit[1]) == "The last change was taken back."
    assert areas_of(settled.page()) == before
    assert 'name="edit"' not in settled.page()


def test_what_another_window_has_changed_is_not_changed_again_by_mistake(settled: World) -> None:
    anchors = list(areas_of(settled.page()).values())
    settled.change(do="rename", area=anchors[0], name="Sea")
    old = re.search(r'name="edit" value="(\d+)"', settled.page())
    assert old is not None
    settled.change(do="rename", area=anchors[1], name="Land")
    assert "something else was changed" in settled.change(do="undo", edit=old[1])
    assert "is called “sea” already" in settled.change(do="rename", area=anchors[1], name="sea")
    settled.change(do="merge", area=anchors[0], **{"with": anchors[1]})  # both anchors now stand for one area
    assert "one area alone" not in settled.change(do="merge", area=anchors[0], **{"with": anchors[1]})
    assert settled.change(do="mute", area=anchors[1]) == "“Sea” is not listened to any more."
    settled.change(do="remove", upload=anchors[1].partition(":")[2])
    for form in ({"do": "mute", "area": anchors[1]}, {"do": "mute", "area": "image:nonsense"}):
        assert "this area is not there any more" in settled.change(**form)
    for form in (
        {"do": "dance", "area": anchors[0]},
        {"do": "weigh", "area": anchors[0], "times": "nan"},
        {"do": "weigh", "area": anchors[0], "times": "x"},
    ):
        assert "no change that can be made" in settled.change(**form)
    assert "Nothing was changed." in settled.change(do="remove", upload="w001")


def test_an_upload_and_everything_can_be_deleted(settled: World) -> None:
    name = settled.name
    upload = settled.gallery.person(name).uploads[0]
    assert settled.change(do="remove", upload=upload) == "The upload was deleted."
    assert settled.change(do="remove", upload=upload).startswith("Nothing was changed.")
    assert "Everything of yours was deleted" in settled.change(do="delete")
    assert VISITOR_COOKIE not in settled.browser.cookies
    assert not settled.gallery.snapshot.uploaders()
    assert settled.gallery.repository.consents(name) == {}
    assert "not known here any more" in settled.change(do="mute", area="text:x")
    assert 'name="agree"' in settled.page()


def test_pictures_are_their_owners_alone(world: World) -> None:
    world.send({"sea.png": png(0, 0, 200)})
    world.looked()
    owner = world.name
    [address] = set(re.findall(r'src="(/areas/pictures/[^"]+)"', world.page()))
    mine = world.browser.get(address)
    assert mine.headers["content-type"] == "image/webp"
    assert mine.headers["cache-control"] == "private, no-store"
    stranger = world.other()
    assert stranger.get(address).status_code == 404
    world.send({}, "A ship", stranger)
    assert stranger.get(address).status_code == 404
    assert "/areas/pictures/" not in stranger.get("/areas").text
    world.gallery.repository.share(owner, world.gallery.person(owner).uploads[0], "shared")
    assert stranger.get(address).status_code == 200
    for wrong in (address.replace("/64.", "/63."), "/areas/pictures/w001/64.webp", "/areas/pictures/..%2f/64.webp"):
        assert world.browser.get(wrong).status_code == 404


def test_a_cookie_of_somebody_else_or_of_before_opens_nothing(settled: World) -> None:
    name = settled.name
    for cookie, words in ((VISITOR_COOKIE, "key to earlier uploads does not hold"), (COOKIE, "Your sign-in has ended")):
        browser = settled.other()
        browser.cookies.set(cookie, settled.browser.cookies[VISITOR_COOKIE][:-3] + "abc")
        answer = browser.get("/areas")
        assert words in said(answer.text)
        assert name not in answer.text
    renewed = settled.browser.get("/areas")
    assert VISITOR_COOKIE in renewed.headers["set-cookie"]


def test_a_person_of_a_platform_comes_with_their_token_and_gets_no_cookie(world: World) -> None:
    browser = world.other()
    browser.cookies.set(COOKIE, world.access.minted("dora", 60))
    answer = browser.post("/areas/uploads", data={"text": "A ship near the harbour"}, headers=OWN)
    assert said(answer.text) == "1 upload was taken in."
    assert "set-cookie" not in answer.headers
    assert len(world.gallery.person("dora").uploads) == 1


def test_what_is_said_is_the_servers_own_words(world: World) -> None:
    forged = world.browser.get("/areas?said=WyJIYWhhIl0.aaaa.bbbb").text
    assert said(forged) == ""


def test_whoever_asks_for_consent_of_all_gets_it_of_platforms_too(peopled: Path) -> None:
    rules = type(USUAL_RULES)(consent=True, uploads=1)
    service = Service(open_gallery(peopled), SECRET, rules=rules)
    access = Access(service, SECRET, open_here=False, each_second=1_000)
    with TestClient(create_pages(service, access, Look()), base_url=BASE) as browser:
        browser.cookies.set(COOKIE, access.minted("ann", 60))
        refused = browser.post("/areas/uploads", data={"text": "A ship"}, headers=OWN)
        assert refused.status_code == 422
        form = {"text": "A ship", "agree": "yes"}
        assert "1 upload was taken in." in said(browser.post("/areas/uploads", data=form, headers=OWN).text)
        more = said(browser.post("/areas/uploads", data=form | {"text": "A rose"}, headers=OWN).text)
        assert more == "Your text: there is no room for more of yours; delete some first."
    service.stop()


def test_who_sends_too_often_is_told_when_to_go_on(peopled: Path) -> None:
    service = Service(open_gallery(peopled), SECRET)
    access = Access(service, SECRET, open_here=False, each_second=0.1)
    with TestClient(create_pages(service, access, Look()), base_url=BASE) as browser:
        answers = [browser.post("/areas/uploads", data={"text": "A ship"}, headers=SENT) for _ in range(2)]
        assert answers[1].status_code == 429
        assert int(answers[1].headers["retry-after"]) > 0
    service.stop()
