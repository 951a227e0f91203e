"""A visitor's own uploads in areas of interest: taking them in, changing areas, works for each; nothing without consent."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse
from itsdangerous import BadData

from vernissage import storage
from vernissage.catalog.item import Item
from vernissage.catalog.keys import id_of, key_of
from vernissage.catalog.pictures import PICTURE_SUFFIXES
from vernissage.errors import CollectionError, Kind, RequestError, StorageError, UnknownItemError, VernissageError
from vernissage.gallery.areas import AreaChanges, PersonAreas, area_key
from vernissage.gallery.person import Person
from vernissage.gallery.upload_files import TEXT_SUFFIXES
from vernissage.pages.visitor.areas import Doing, Thing, area_views, areas_page
from vernissage.pages.visitor.frame import Frame
from vernissage.sentences import Sentence, told
from vernissage.storage.people import KEEPING
from vernissage.web import security
from vernissage.web.api.people import keep_uploads
from vernissage.web.api.received import LARGEST_FILE, LONGEST_TEXT, MultipartRoute, files_of, texts_of
from vernissage.web.visitor.identity import Visitor, Visitors
from vernissage.web.visitor.site import Site
from vernissage.workspace.uploading import Submission

_WORKS, _BEFORE = 24, 30
_MOST = 100
"""Files of one form; scripts send each file by itself."""

_SAID_SECONDS = 120
_MOST_SAID = 20

_UNKNOWN = Sentence("This browser is not known here any more, so nothing was changed.")
_LAPSED = Sentence(
    "This browser's key to earlier uploads does not hold any more, so they are not shown. They are kept: ask whoever "
    "runs these pages, or begin anew."
)
_ENDED = Sentence("Your sign-in has ended. What you uploaded is kept: come back by the link that brought you here.")
_GONE = Sentence("this area is not there any more, perhaps because of another window")
_OTHERWISE = Sentence("something else was changed in the meantime, perhaps in another window")
_CONSENT = Sentence("Nothing was kept: tick the box first, since nothing is kept without your consent.")
_NOTHING = Sentence("Nothing was chosen; choose pictures or texts, or write something.")
_FAILED = Sentence("Nothing was changed. Look at the areas as they are now, and try again.")
_NO_CHANGE = Sentence("this is no change that can be made")
_TOO_MANY = Sentence("more than {n} files came at once; send this one again", n=_MOST)


def routes(site: Site) -> APIRouter:
    """The page, what changes it, and the pictures of uploads for their owners."""
    pages, visitors = _Areas(site), Visitors(site.access)
    router, forms = APIRouter(), APIRouter(route_class=MultipartRoute)

    @router.get("/areas")
    def areas(request: Request, said: str = "") -> Response:
        who = visitors.of(request)
        lapsed = [_LAPSED if who.anonymous else _ENDED] if who.lapsed else []
        answer = pages.page(request, who, [*lapsed, *pages.read(said)])
        visitors.keep(request, answer, who)
        return answer

    @router.post("/areas")
    def change(request: Request, form: security.Form) -> Response:
        site.access.require_own_page(request)
        who = visitors.of(request)
        if not who.name:
            return pages.after(request, _UNKNOWN)
        try:
            if form.get("do") == "delete":
                answer = pages.after(request, pages.delete(who))
                visitors.forget(request, answer)
                return answer
            return pages.after(request, pages.changed(who, form))
        except VernissageError as error:
            said = error.args[0]
            why = Sentence("Nothing was changed: {why}.", why=said) if isinstance(said, Sentence) else _FAILED
            return pages.after(request, why)

    @forms.post("/areas/uploads")
    def upload(
        request: Request,
        files: Annotated[list[UploadFile | str], File(default_factory=list)],
        text: Annotated[str, Form()] = "",
        agree: Annotated[str, Form()] = "",
    ) -> Response:
        site.access.require_own_page(request)
        who, scripted = visitors.of(request), "application/json" in request.headers.get("accept", "")
        [words] = texts_of(request, [text])
        if pages.must_agree(who) and not agree:
            if scripted:
                return pages.taken(request, 0, [_CONSENT], HTTPStatus.FORBIDDEN)
            return pages.page(request, who, [_CONSENT], words, HTTPStatus.UNPROCESSABLE_ENTITY)
        who = who if who.name else visitors.begin()
        if agree:
            site.service.gallery.repository.consent(who.name, KEEPING)
        kept, refused = pages.take(request, who.name, [each for each in files if not isinstance(each, str)], words)
        if scripted:
            answer = pages.taken(request, kept, refused)
        else:
            done = [Sentence("{n} uploads were taken in.", n=kept)] if kept else []
            answer = pages.after(request, *done, *(refused if kept or refused else [_NOTHING]))
        visitors.keep(request, answer, who)
        return answer

    @router.get("/areas/uploads")
    def back(request: Request) -> Response:
        """Who asks for the address that the form is sent to is shown the page."""
        return pages.after(request)

    @router.get("/areas/waiting")
    def waiting(request: Request) -> Response:
        """How many uploads have yet to be looked at."""
        return JSONResponse({"waiting": len(pages.waiting(visitors.of(request).name))})

    @router.get("/areas/pictures/{key:path}/{width}.webp")
    def picture(request: Request, key: str, width: int) -> Response:
        """The picture of an upload, for its owner, and for others where it is shared."""
        content = pages.picture(visitors.of(request).name, key, width)
        return Response(content, media_type="image/webp", headers={"Cache-Control": "private, no-store"})

    router.include_router(forms)
    return router


@dataclass(frozen=True)
class _Areas:
    site: Site

    def page(
        self, request: Request, who: Visitor, said: Sequence[str], text: str = "", status: int = HTTPStatus.OK
    ) -> Response:
        """The page as it is now for a visitor."""
        gallery, root = self.site.service.gallery, self.site.root(request)
        gallery.repository.follow()  # what was looked at or removed since is taken in
        doing = Doing(f"{root}/areas", bool(who.name), self.must_agree(who), text=text)
        person = gallery.person(who.name) if who.name else None
        record = person.record if person else None
        if person is None or record is None or not (record.items or record.ratings):
            return self.site.private(request, lambda frame: self._empty(request, frame, doing, said), status)
        last = record.edits[-1].number if record.edits else None
        doing = replace(doing, edit=last, waiting=len(self.waiting(who.name)))
        found, content, notes = self._found(request, person)
        beside = self.site.addressed(request)

        def thing(item: Item, title: str) -> Thing:
            own = item.id not in gallery.collection
            shown = self.thumbnail(root, item) if own else beside.record(item)["thumbnail"]
            return Thing(item.id, title, item.description or item.text, shown, own)

        areas = area_views(found, thing, content.get("lists", ())) if found else []
        known = {each.id for area in areas for each in area.things}
        left = [item for item_id, item in record.items.items() if item_id not in known]
        called = found.called if found else lambda item_id: record.items[item_id].title or Sentence("Untitled")
        unread = [thing(item, called(item.id)) for item in left]
        how: dict[str, Any] = {"doing": doing, "unread": unread, "said": said, "notes": notes}
        works = content.get("works", ())
        return self.site.private(request, lambda frame: areas_page(frame, areas, works, **how), status)

    def _empty(self, request: Request, frame: Frame, doing: Doing, said: Sequence[str]) -> str:
        """What somebody sees who has uploaded nothing: some of the collection, and what will happen."""
        listed, beside = self.site.listing.page("", (), "mixed", _BEFORE, ""), self.site.addressed(request)
        items = self.site.service.gallery.snapshot.items(listed.ids).values()
        return areas_page(frame, [], [beside.record(item) for item in items], doing=doing, said=said)

    def _found(self, request: Request, person: Person) -> tuple[PersonAreas | None, dict[str, Any], list[str]]:
        """A person's areas, the answer for them as records, and notes; without areas where nothing is read yet."""
        gallery = self.site.service.gallery
        try:
            answer = person.recommend(_WORKS, per_area=True)
        except RequestError:
            try:
                return person.areas(), {}, []
            except RequestError:
                return None, {}, []
        content = self.site.addressed(request).answer(answer)
        records = [*content["works"], *(work for each in content["lists"] for work in each["works"])]
        shared = [work for work in records if work["id"] not in gallery.collection]
        items = gallery.snapshot.items({work["id"] for work in shared})
        for work in shared:  # other people's uploads have no page of their own
            work["url"] = None
            if work["id"] in items:
                work["thumbnail"] = self.thumbnail(self.site.root(request), items[work["id"]])
        # Notes that name an encoder or a rule are for whoever runs the service.
        plain = [
            each for each in answer.notes if isinstance(each, Sentence) and not {"encoder", "rule"} & {*each.values}
        ]
        return answer.areas, content, list(plain)

    def must_agree(self, who: Visitor) -> bool:
        """Whether somebody has to agree to what is kept before anything is."""
        repository = self.site.service.gallery.repository
        if not who.name:
            return True
        needed = repository.rules is not None and repository.rules.consent
        return needed and KEEPING not in repository.consents(who.name)

    def waiting(self, name: str) -> frozenset[str]:
        """The uploads of a person that have yet to be looked at."""
        database = self.site.service.gallery.repository.existing_database
        if database is None or not name:
            return frozenset()
        with database.reading() as connection:
            return storage.jobs.waiting_uploads(connection, name)

    def take(self, request: Request, name: str, files: Sequence[UploadFile], words: str) -> tuple[int, list[Sentence]]:
        """Keep what can be kept; how much that is, and what to say of each of the others."""
        kept, refused = 0, []
        # A form in which nothing was chosen sends a file without a name.
        given: list[tuple[str, UploadFile | str]] = [(_name_of(file), file) for file in files if file.filename]
        given += [(Sentence("Your text"), words)] if words.strip() else []
        for number, (called, what) in enumerate(given):
            try:
                if number >= _MOST:
                    raise RequestError(_TOO_MANY)
                self._keep(request, name, called, what)
                kept += 1
            except VernissageError as error:
                refused.append(Sentence("{file}: {why}.", file=called, why=_why(error)))
        return kept, refused

    def _keep(self, request: Request, name: str, called: str, what: UploadFile | str) -> None:
        service, job, suffix = self.site.service, secrets.token_hex(12), Path(called).suffix.lower()
        if not isinstance(what, str) and suffix not in TEXT_SUFFIXES:
            if suffix and suffix not in PICTURE_SUFFIXES:
                raise RequestError(
                    Sentence("this kind of file is not taken; choose JPEG, PNG, WebP, GIF, TIFF or .txt")
                )
            with files_of([what]) as [path]:
                keep_uploads(service, name, [Submission(path, visibility="private")], job)
            return
        [text] = [what] if isinstance(what, str) else texts_of(request, [what])
        if not text.strip():
            raise RequestError(Sentence("this text is empty"))
        keep_uploads(service, name, [Submission(text=text.strip(), visibility="private")], job)

    def taken(self, request: Request, kept: int, refused: Sequence[Sentence], status: int = HTTPStatus.OK) -> Response:
        """What became of an upload, for the page's script."""
        language = self.site.language(request)
        return JSONResponse({"kept": kept, "refused": [told(each, language) for each in refused]}, status)

    def changed(self, who: Visitor, form: Mapping[str, str]) -> Sentence:
        """Make a change of areas; what to say of it.

        Raises:
            VernissageError: it cannot be made; nothing is changed.
        """
        self.site.service.gallery.repository.follow()
        person, do = self.site.service.gallery.person(who.name), form.get("do", "")
        if do == "undo":
            edits = person.record.edits
            if not edits or str(edits[-1].number) != form.get("edit"):
                raise RequestError(_OTHERWISE)
            person.undo()
            return Sentence("The last change was taken back.")
        if do == "remove":
            person.remove(form.get("upload", ""))
            return Sentence("The upload was deleted.")
        found = person.areas()
        key, name = _area(found, form.get("area", ""))
        changes, said = _change(do, found, (key, name), form)
        person.edit(changes)
        return said

    def delete(self, who: Visitor) -> Sentence:
        """Forget somebody."""
        try:
            self.site.service.gallery.person(who.name).delete(wait=False)
        except StorageError as error:
            if error.kind is not Kind.NOT_FOUND:  # another window may have done it
                raise
        return Sentence("Everything of yours was deleted, and this browser is not known here any more.")

    def thumbnail(self, root: str, item: Item) -> dict[str, Any] | None:
        """The picture of an upload, as in records of works; None without one."""
        service = self.site.service
        path = service.gallery.snapshot.picture_path(item)
        sizes = service.thumbnails.sizes(path, item.picture_digest) if path is not None else ()
        if not sizes:
            return None
        place = f"{root}/areas/pictures/{quote(key_of(item.id))}"
        width, height = next((size for size in sizes if size[0] >= 320), sizes[-1])
        srcset = ", ".join(f"{place}/{each}.webp {each}w" for each, _ in sizes)
        return {"src": f"{place}/{width}.webp", "srcset": srcset, "width": width, "height": height, "alt": ""}

    def picture(self, name: str, key: str, width: int) -> bytes:
        """The picture of an upload that this person may see.

        Raises:
            UnknownItemError: there is none, or not in that width.
        """
        service, item_id = self.site.service, id_of(key) or ""
        snapshot = service.gallery.snapshot
        item = None if item_id in snapshot.collection else snapshot.items([item_id]).get(item_id)
        if item is not None and ((name and item.owner == name) or item_id not in snapshot.withheld()):
            path = snapshot.picture_path(item)
            content = service.thumbnails.get(path, item.picture_digest, width, "webp") if path else None
            if content is not None:
                return content
        raise UnknownItemError("there is no such picture of yours")

    # What is said after a form was sent stands in the next page's address, signed, so that nobody else puts words there

    def after(self, request: Request, *said: Sentence) -> Response:
        """Show the page anew, with what has been done."""
        shown = [
            *said[:_MOST_SAID],
            *([Sentence("… and {n} more", n=len(said) - _MOST_SAID)] if said[_MOST_SAID:] else []),
        ]
        packed = [[each.message, {name: _packed(value) for name, value in each.values.items()}] for each in shown]
        kept = {"lang": request.query_params["lang"]} if "lang" in request.query_params else {}
        query = urlencode({**kept, "said": self.site.access.signer("said").dumps(packed)})
        return RedirectResponse(f"{self.site.root(request)}/areas?{query}", HTTPStatus.SEE_OTHER)

    def read(self, said: str) -> list[Sentence]:
        """What `after` put into an address, for a short while."""
        try:
            packed = self.site.access.signer("said").loads(said, max_age=_SAID_SECONDS)
        except BadData:
            return []
        return [_unpacked(each) for each in packed]


def _change(
    do: str, found: PersonAreas, area: tuple[str, str], form: Mapping[str, str]
) -> tuple[AreaChanges, Sentence]:
    """The change that a form asks for, and what to say once it is made."""
    key, name = area
    match do:
        case "rename":
            new = form.get("name", "")[:200]
            return AreaChanges(names={key: new}), Sentence("“{name}” is called “{new}” now.", name=name, new=new)
        case "mute":
            return AreaChanges(mute=(key,)), Sentence("“{name}” is not listened to any more.", name=name)
        case "unmute":
            return AreaChanges(unmute=(key,)), Sentence("“{name}” is listened to again.", name=name)
        case "weigh":
            times = _number(form.get("times", ""))
            return AreaChanges(weights={key: times}), Sentence(
                "“{name}” counts {times:g}-fold now.", name=name, times=times
            )
        case "merge":
            other, called = _area(found, form.get("with", ""))
            said = Sentence("“{name}” and “{other}” are one area now.", name=name, other=called)
            return AreaChanges(merges=((key, other),)), said
        case "split":
            return AreaChanges(splits={key: ()}), Sentence("“{name}” was split in two.", name=name)
        case "move":
            upload, target = form.get("upload", ""), form.get("to", "")
            if not target:
                return AreaChanges(splits={key: ([upload],)}), Sentence("It has an area of its own now.")
            other, called = _area(found, target)
            return AreaChanges(moves={upload: other}), Sentence("It is in “{name}” now.", name=called)
    raise RequestError(_NO_CHANGE)


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


def _number(text: str) -> float:
    try:
        return min(8.0, max(0.125, float(text)))
    except ValueError:
        raise RequestError(_NO_CHANGE) from None


def _why(error: VernissageError) -> str:
    """Why a file was not taken, in words for visitors."""
    if isinstance(error.args[0], Sentence):
        return error.args[0]
    status = getattr(error, "status", error.kind.http_status)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Sentence("it is larger than {n} MB; choose a smaller one", n=LARGEST_FILE >> 20)
    if isinstance(error, CollectionError):
        return Sentence("it cannot be read; it may be damaged, or something else than its name says")
    if error.kind is Kind.FORBIDDEN:
        return Sentence("there is no room for more of yours; delete some first")
    if error.kind is Kind.UNAVAILABLE:
        return Sentence("it could not be kept just now; send it again in a moment")
    return Sentence("it cannot be taken; a text may have {n} characters", n=LONGEST_TEXT)


def _name_of(file: UploadFile) -> str:
    """A file's own name, which arrives as its bytes stand in the request (see `MultipartRoute`)."""
    name = (file.filename or "").encode("latin-1", "replace").decode("utf-8", "replace")
    return Path(name.replace("\\", "/")).name[-80:]


def _packed(value: object) -> object:
    return [value.message, dict(value.values)] if isinstance(value, Sentence) else value


def _unpacked(packed: Sequence[Any]) -> Sentence:
    message, values = packed
    return Sentence(
        message, **{name: _unpacked(each) if isinstance(each, list) else each for name, each in values.items()}
    )
