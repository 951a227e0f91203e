"""A visitor's own uploads in areas of interest: taking them in, changing areas, works for each of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse

from vernissage import storage
from vernissage.catalog.item import Item
from vernissage.catalog.keys import id_of, key_of
from vernissage.errors import Kind, RequestError, StorageError, UnknownItemError, VernissageError
from vernissage.gallery.areas import AreaChanges, PersonAreas, area_key
from vernissage.gallery.person import Person
from vernissage.pages.visitor.areas import Doing, Thing, area_views, areas_page
from vernissage.pages.visitor.frame import Frame
from vernissage.pages.works import alt_text
from vernissage.sentences import Sentence, told
from vernissage.storage.people import KEEPING
from vernissage.web import security
from vernissage.web.api.received import MultipartRoute, texts_of
from vernissage.web.visitor.identity import Visitor, Visitors
from vernissage.web.visitor.notices import packed, unpacked
from vernissage.web.visitor.site import Site
from vernissage.web.visitor.taking import take

_WORKS, _BEFORE = 24, 30
_SHOWN_WIDTH = 320
_LONGEST_NAME, _LARGEST_FACTOR = 200, 8.0

_UNKNOWN = Sentence("This browser is not known here any more, so nothing was changed.")
_LAPSED = Sentence(
    "This browser's key to earlier uploads does not hold any more, so they are not shown. They are kept: ask whoever "
    "runs these pages, or begin anew."
)
_ENDED = Sentence("Your sign-in has ended. What you uploaded is kept: come back by the link that brought you here.")
_GONE = Sentence("this area is not there any more, perhaps because of another window")
_OTHERWISE = Sentence("something else was changed in the meantime, perhaps in another window")
_CONSENT = Sentence("Nothing was kept: tick the box first, since nothing is kept without your consent.")
_ANEW = Sentence("This browser is not known here, or not any more.")
_NOTHING = Sentence("Nothing was chosen; choose pictures or texts, or write something.")
_FAILED = Sentence("Nothing was changed. Look at the areas as they are now, and try again.")
_NO_CHANGE = Sentence("this is no change that can be made")


def routes(site: Site) -> APIRouter:
    """The page, what changes it, and the pictures of uploads for their owners."""
    areas = _Areas(site)
    router, forms = APIRouter(), APIRouter(route_class=MultipartRoute)
    router.add_api_route("/areas", areas.show, response_model=None)
    router.add_api_route("/areas", areas.change, methods=["POST"], response_model=None)
    forms.add_api_route("/areas/uploads", areas.upload, methods=["POST"], response_model=None)
    router.add_api_route("/areas/uploads", areas.back, response_model=None)
    router.add_api_route("/areas/waiting", areas.waiting, response_model=None)
    router.add_api_route("/areas/pictures/{key:path}/{width}.webp", areas.picture, response_model=None)
    router.include_router(forms)
    return router


class _Areas:
    def __init__(self, site: Site) -> None:
        self._site, self._service, self._visitors = site, site.service, Visitors(site.access)
        self._signer = site.access.signer("said")

    # What is asked for

    def show(self, request: Request, said: str = "") -> Response:
        """The page as it is now."""
        who = self._visitors.of(request)
        lapsed = [_LAPSED if who.anonymous else _ENDED] if who.lapsed else []
        answer = self._page(request, who, [*lapsed, *unpacked(self._signer, said)])
        self._visitors.keep(request, answer, who)
        return answer

    def change(self, request: Request, form: security.Form) -> Response:
        """Make one change, and say so on the page."""
        self._site.access.require_own_page(request)
        who = self._visitors.of(request)
        try:
            if not who.name:
                return self._after(request, _UNKNOWN)
            answer = self._after(request, self._changed(who, form))
        except VernissageError as error:
            said = error.args[0]
            why = Sentence("Nothing was changed: {why}.", why=said) if isinstance(said, Sentence) else _FAILED
            return self._after(request, why)
        if form.get("do") == "delete":
            self._visitors.forget(request, answer)
        return answer

    def upload(
        self,
        request: Request,
        files: Annotated[list[UploadFile | str], File(default_factory=list)],
        text: Annotated[str, Form()] = "",
        agree: Annotated[str, Form()] = "",
    ) -> Response:
        """Keep pictures and texts; scripts, which send one at a time, are answered in JSON."""
        self._site.access.require_own_page(request)
        who, scripted = self._visitors.of(request), "application/json" in request.headers.get("accept", "")
        [words] = texts_of(request, [text])
        if self._must_agree(who) and not agree:
            why = [_CONSENT] if who.name else [_ANEW, _CONSENT]
            if scripted:
                return self._taken(request, 0, why, HTTPStatus.FORBIDDEN)
            return self._page(request, who, why, words, HTTPStatus.UNPROCESSABLE_ENTITY)
        who = who if who.name else self._visitors.begin()
        if agree:
            self._service.gallery.repository.consent(who.name, KEEPING)
        given = [each for each in files if not isinstance(each, str)]
        kept, refused = take(self._service, request, who.name, given, words)
        done = [Sentence("{n} uploads were taken in.", n=kept)] if kept else []
        said = [*done, *refused] or [_NOTHING]
        answer = self._taken(request, kept, refused) if scripted else self._after(request, *said)
        self._visitors.keep(request, answer, who)
        return answer

    def back(self, request: Request) -> Response:
        """Show the page to who asks for the address that its form is sent to."""
        return self._after(request)

    def waiting(self, request: Request) -> Response:
        """How many uploads have yet to be looked at."""
        return JSONResponse({"waiting": len(self._waiting(self._visitors.of(request).name))})

    def picture(self, request: Request, key: str, width: int) -> Response:
        """The picture of an upload, for its owner, and for others where it is shared.

        Raises:
            UnknownItemError: there is none that this person may see, or not in that width.
        """
        name, item_id, snapshot = self._visitors.of(request).name, id_of(key) or "", self._service.gallery.snapshot
        item = None if item_id in snapshot.collection else snapshot.items([item_id]).get(item_id)
        path = snapshot.picture_path(item) if item else None
        if item and path and ((name and item.owner == name) or item_id not in snapshot.withheld()):
            content = self._service.thumbnails.get(path, item.picture_digest, width, "webp")
            if content is not None:
                return Response(content, media_type="image/webp", headers={"Cache-Control": "private, no-store"})
        raise UnknownItemError("there is no such picture of yours")

    def _after(self, request: Request, *said: Sentence) -> Response:
        """Show the page anew, with what has been done."""
        kept = {"lang": request.query_params["lang"]} if "lang" in request.query_params else {}
        query = urlencode(kept | ({"said": packed(self._signer, said)} if said else {}))
        return RedirectResponse(f"{self._site.root(request)}/areas?{query}", HTTPStatus.SEE_OTHER)

    # What the page is made of

    def _page(
        self, request: Request, who: Visitor, said: Sequence[str], text: str = "", status: int = HTTPStatus.OK
    ) -> Response:
        """The page as it is now for a visitor."""
        gallery, root = self._service.gallery, self._site.root(request)
        # Counted before what was looked at is taken in: what ends in between is asked for again.
        waiting = len(self._waiting(who.name))
        gallery.repository.follow()
        doing = Doing(f"{root}/areas", bool(who.name), self._must_agree(who), text=text, waiting=waiting)
        person = gallery.person(who.name) if who.name else None
        record = person.record if person else None
        if person is None or record is None or not (record.items or record.ratings):
            return self._site.private(request, lambda frame: self._empty(request, frame, doing, said), status)
        doing = replace(doing, edit=record.edits[-1].number if record.edits else None)
        found, content, notes = self._found(request, person)
        beside, seen = self._site.addressed(request), gallery.snapshot.seen(found.items if found else [])

        def thing(item: Item, title: str) -> Thing:
            own = item.id not in gallery.collection
            shown = self._thumbnail(root, item) if own else beside.record(item)["thumbnail"]
            if shown:
                shown["alt"] = alt_text(item, seen.get(item.id, ()), title).text
            return Thing(item.id, title, item.description or item.text, shown, own)

        areas = area_views(found, thing, content.get("lists", ())) if found else []
        known = {each.id for area in areas for each in area.things}
        left = [item for item_id, item in record.items.items() if item_id not in known]
        called = found.called if found else lambda item_id: record.items[item_id].title or Sentence("Untitled")
        unread = [thing(item, called(item.id)) for item in left]
        how: dict[str, Any] = {"doing": doing, "unread": unread, "said": said, "notes": notes}
        works = content.get("works", ())
        return self._site.private(request, lambda frame: areas_page(frame, areas, works, **how), status)

    def _empty(self, request: Request, frame: Frame, doing: Doing, said: Sequence[str]) -> str:
        """What somebody sees who has uploaded nothing: some of the collection, and what will happen."""
        listed, beside = self._site.listing.page("", (), "mixed", _BEFORE, ""), self._site.addressed(request)
        items = self._service.gallery.snapshot.items(listed.ids).values()
        return areas_page(frame, [], [beside.record(item) for item in items], doing=doing, said=said)

    def _found(self, request: Request, person: Person) -> tuple[PersonAreas | None, dict[str, Any], list[str]]:
        """A person's areas, the answer for them as records, and notes; without areas where nothing is read yet."""
        gallery = self._service.gallery
        try:
            answer = person.recommend(_WORKS, per_area=True)
        except RequestError:
            try:
                return person.areas(), {}, []
            except RequestError:
                return None, {}, []
        content = self._site.addressed(request).answer(answer)
        records = [*content["works"], *(work for each in content["lists"] for work in each["works"])]
        shared = [work for work in records if work["id"] not in gallery.collection]
        items = gallery.snapshot.items({work["id"] for work in shared})
        for work in shared:  # other people's uploads have no page of their own
            work["url"] = None
            if work["id"] in items:
                work["thumbnail"] = self._thumbnail(self._site.root(request), items[work["id"]])
        return answer.areas, content, list(answer.notes)

    def _must_agree(self, who: Visitor) -> bool:
        """Whether somebody has to agree to what is kept before anything is."""
        repository = self._service.gallery.repository
        if not who.name:
            return True
        needed = repository.rules is not None and repository.rules.consent
        return needed and KEEPING not in repository.consents(who.name)

    def _waiting(self, name: str) -> frozenset[str]:
        """The uploads of a person that have yet to be looked at."""
        database = self._service.gallery.repository.existing_database
        if database is None or not name:
            return frozenset()
        with database.reading() as connection:
            return storage.jobs.waiting_uploads(connection, name)

    def _taken(self, request: Request, kept: int, refused: Sequence[Sentence], status: int = HTTPStatus.OK) -> Response:
        """What became of an upload, for the page's script."""
        language = self._site.language(request)
        return JSONResponse({"kept": kept, "refused": [told(each, language) for each in refused]}, status)

    def _thumbnail(self, root: str, item: Item) -> dict[str, Any] | None:
        """The picture of an upload, as in records of works; None without one."""
        service = self._service
        path = service.gallery.snapshot.picture_path(item)
        sizes = service.thumbnails.sizes(item.picture_digest, lambda: path) if path is not None else ()
        if not sizes:
            return None
        place = f"{root}/areas/pictures/{quote(key_of(item.id))}"
        width, height = next((size for size in sizes if size[0] >= _SHOWN_WIDTH), sizes[-1])
        srcset = ", ".join(f"{place}/{each}.webp {each}w" for each, _ in sizes)
        return {"src": f"{place}/{width}.webp", "srcset": srcset, "width": width, "height": height, "alt": ""}

    def _changed(self, who: Visitor, form: Mapping[str, str]) -> Sentence:
        """Make a change; what to say of it. Raises VernissageError: it cannot be made; nothing is changed."""
        self._service.gallery.repository.follow()
        person, do = self._service.gallery.person(who.name), form.get("do", "")
        if do == "delete":
            try:
                person.delete(wait=False)
            except StorageError as error:
                if error.kind is not Kind.NOT_FOUND:  # another window may have done it
                    raise
            return Sentence("Everything of yours was deleted, and this browser is not known here any more.")
        if do == "undo":
            edits = person.record.edits
            if not edits or str(edits[-1].number) != form.get("edit"):
                raise RequestError(_OTHERWISE)
            person.undo()
            return Sentence("The last change was taken back.")
        if do == "remove":
            person.remove(form.get("upload", ""))
            return Sentence("The upload was deleted.")
        if do not in _CHANGES:
            raise RequestError(_NO_CHANGE)
        found = person.areas()
        changes, said = _CHANGES[do](found, *_area(found, form.get("area", "")), form)
        person.edit(changes)
        return said


Change = Callable[[PersonAreas, str, str, Mapping[str, str]], tuple[AreaChanges, Sentence]]
"""Makes of areas, the key and the name of one of them, and a form the change, and what to say once it is made."""


def _rename(_: PersonAreas, key: str, name: str, form: Mapping[str, str]) -> tuple[AreaChanges, Sentence]:
    new = " ".join(form.get("name", "").split())[:_LONGEST_NAME]
    return AreaChanges(names={key: new}), Sentence("“{name}” is called “{new}” now.", name=name, new=new)


def _weigh(_: PersonAreas, key: str, name: str, form: Mapping[str, str]) -> tuple[AreaChanges, Sentence]:
    try:
        times = float(form.get("times", ""))
    except ValueError:
        times = math.nan
    if not math.isfinite(times):
        raise RequestError(_NO_CHANGE)
    times = min(_LARGEST_FACTOR, max(1 / _LARGEST_FACTOR, times))
    return AreaChanges(weights={key: times}), Sentence("“{name}” counts {times:g}-fold now.", name=name, times=times)


def _merge(found: PersonAreas, key: str, name: str, form: Mapping[str, str]) -> tuple[AreaChanges, Sentence]:
    other, called = _area(found, form.get("with", ""))
    return AreaChanges(merges=((key, other),)), Sentence(
        "“{name}” and “{other}” are one area now.", name=name, other=called
    )


def _move(found: PersonAreas, key: str, _: str, form: Mapping[str, str]) -> tuple[AreaChanges, Sentence]:
    upload = form.get("upload", "")
    if not form.get("to"):
        return AreaChanges(splits={key: ([upload],)}), Sentence("It has an area of its own now.")
    other, called = _area(found, form["to"])
    return AreaChanges(moves={upload: other}), Sentence("It is in “{name}” now.", name=called)


_CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        "rename": _rename,
        "weigh": _weigh,
        "merge": _merge,
        "move": _move,
        "mute": lambda _, key, name, __: (
            AreaChanges(mute=(key,)),
            Sentence("“{name}” is not listened to any more.", name=name),
        ),
        "unmute": lambda _, key, name, __: (
            AreaChanges(unmute=(key,)),
            Sentence("“{name}” is listened to again.", name=name),
        ),
        "split": lambda _, key, name, __: (
            AreaChanges(splits={key: ()}),
            Sentence("“{name}” was split in two.", name=name),
        ),
    }
)


def _area(found: PersonAreas, anchor: str) -> tuple[str, str]:
    """The key and name of the area in which an upload is, by `AreaView.anchor`.

    Raises:
        RequestError: it is in none any more.
    """
    modality, _, item_id = anchor.partition(":")
    for each, interests in found.by_modality.items():
        if each == modality and item_id in interests.uploads.item_ids:
            number = int(interests.uploads.area_of[interests.uploads.item_ids.index(item_id)])
            return area_key(each, number), interests.uploads.names[number]
    raise RequestError(_GONE)
