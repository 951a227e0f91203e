"""People: what they rate, upload and care for, works for them, their export and deletion; nothing without their key."""

import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Header, Query, Request, Response, UploadFile
from pydantic import Field
from sqlalchemy import Connection

from vernissage.errors import Kind, RequestError, StorageError
from vernissage.files import digest, json_text
from vernissage.gallery.areas import AreaChanges, PersonAreas
from vernissage.gallery.person import Person
from vernissage.storage.jobs import add_job
from vernissage.storage.uploads import Upload
from vernissage.web.api.access import COOKIE, LONGEST_TOKEN_SECONDS, TOKEN_SECONDS, Access, given_key
from vernissage.web.api.bodies import MOST_WORKS, Body, Stars, Word
from vernissage.web.api.jobs import Jobs
from vernissage.web.api.problems import ProblemError
from vernissage.web.api.received import MOST_FILES, MultipartRoute, files_of, texts_of
from vernissage.web.api.service import ROOT, Service
from vernissage.web.api.works import (
    Excluded,
    Limit,
    Per,
    Where,
    answered,
    base_address,
    described,
    known_parameters,
    read_caps,
)
from vernissage.web.languages import Spoken
from vernissage.workspace.uploading import Submission

_OTHER_CONTENT = "this Idempotency-Key came with other pictures or texts before; send these with another one"
_LONGEST_NAME = 200

_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


_COOKIE_FLAGS: dict[str, Any] = {"httponly": True, "samesite": "strict"}

Purpose = Literal["keeping"]
"""What people may consent to: that uploads, ratings and edits of areas are kept."""


class Rating(Body):
    """How somebody likes a work."""

    rating: Stars


class Minting(Body):
    """For how long a token holds."""

    seconds: Annotated[int, Field(ge=10, le=LONGEST_TOKEN_SECONDS)] = TOKEN_SECONDS


class AreaChange(Body):
    """What becomes of one area; what is not named stays."""

    name: Word | None = None
    weight: Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)] | None = None
    muted: bool | None = None


class Sharing(Body):
    """Whether others may be shown an upload."""

    shared: bool


class Merging(Body):
    """Areas that become one."""

    areas: Annotated[list[Word], Field(min_length=2, max_length=20)]


def people_router(service: Service, access: Access, jobs: Jobs) -> APIRouter:
    """The addresses of people; all need the scope ``people``, or the person's own token."""
    people = _People(service, jobs)
    needed = [Depends(access.require("people")), Depends(known_parameters)]
    prefix = f"{ROOT}/people/{{person}}"
    router = APIRouter(prefix=prefix, tags=["people"], dependencies=needed, route_class=MultipartRoute)
    for path, method, call, name, summary, schema in (
        ("/ratings/{work:path}", "PUT", people.rate, "rateWork", "Rate a work", None),
        ("/ratings/{work:path}", "DELETE", people.unrate, "unrateWork", "Take a rating back", None),
        ("/ratings", "GET", people.ratings, "listRatings", "What somebody rated", "Ratings"),
        ("/uploads", "POST", people.upload, "upload", "Upload pictures and texts", "Job"),
        ("/uploads", "GET", people.uploads, "listUploads", "What somebody uploaded", "Uploads"),
        ("/uploads/{upload:path}", "PATCH", people.share, "shareUpload", "Show an upload to others, or not", None),
        ("/uploads/{upload:path}", "DELETE", people.remove, "removeUpload", "Remove an upload", None),
        ("/areas", "GET", people.areas, "listAreas", "Areas of interest", "Areas"),
        ("/areas/merge", "POST", people.merge, "mergeAreas", "Make areas one", "Areas"),
        ("/areas/undo", "POST", people.undo, "undoAreaChange", "Take the latest change back", "Undone"),
        ("/areas/{area}/split", "POST", people.split, "splitArea", "Split an area", "Areas"),
        ("/areas/{area}", "PATCH", people.change, "changeArea", "Rename, weigh or mute an area", "Areas"),
        ("/recommendations", "GET", people.recommend, "recommendToPerson", "Works of others for somebody", "Answer"),
        ("/consents", "GET", people.consents, "listConsents", "What somebody has agreed to", "Consents"),
        ("/consents/{purpose}", "PUT", people.consent, "giveConsent", "Record a consent", None),
        ("/consents/{purpose}", "DELETE", people.withdraw, "withdrawConsent", "Withdraw it: all kept goes", None),
        ("/export", "GET", people.export, "exportPerson", "Everything that is kept", "zip"),
        ("", "DELETE", people.delete, "deletePerson", "Forget somebody", None),
    ):
        status = 204 if schema is None else 202 if name == "upload" else 200
        how: dict[str, Any] = {"name": name, "summary": summary, "status_code": status}
        if schema is not None:
            how["responses"] = _ZIP if schema == "zip" else described(schema, status)
        router.add_api_route(path, call, methods=[method], response_class=Response, **how)
    return router


def minting_router(access: Access) -> APIRouter:
    """Where a platform's server gets tokens for its own visitors."""
    router = APIRouter(tags=["people"], dependencies=[Depends(access.require("people"))])

    address, summary = f"{ROOT}/people/{{person}}/tokens", "A token for one person's own things"

    @router.post(address, name="mintToken", summary=summary, response_model=None, responses=described("Token"))
    def mint(request: Request, person: str, body: Minting | None = None) -> dict[str, Any]:
        if access.require("people")(request).person:
            raise ProblemError(HTTPStatus.FORBIDDEN, "a token cannot mint another one; use a key")
        seconds = body.seconds if body else TOKEN_SECONDS
        ends = datetime.now(UTC) + timedelta(seconds=seconds)
        return {"token": access.minted(checked(person), seconds), "expires": ends.isoformat(timespec="seconds")}

    address, summary = f"{ROOT}/people/{{person}}/session", "Keep a token in a cookie of this browser"
    how: dict[str, Any] = {"response_class": Response, "status_code": HTTPStatus.NO_CONTENT}

    @router.put(address, name="beginSession", summary=summary, **how)
    def begin(request: Request, person: str) -> Response:
        """Asked with the token, which holds no longer than before; pages of this server need it no more."""
        answer, token = Response(status_code=HTTPStatus.NO_CONTENT), given_key(request)
        if not request.state.asker.person or not token:
            raise ProblemError(
                HTTPStatus.FORBIDDEN, f"send the token of {checked(person)} as Authorization: Bearer TOKEN"
            )
        place, secure = access.cookie_path(request), request.url.scheme == "https"
        answer.set_cookie(COOKIE, token, path=place, secure=secure, **_COOKIE_FLAGS)
        return answer

    @router.delete(address, name="endSession", summary="Let this browser forget the token", **how)
    def end(request: Request, person: str) -> Response:
        checked(person)
        answer = Response(status_code=HTTPStatus.NO_CONTENT)
        answer.delete_cookie(COOKIE, path=access.cookie_path(request), **_COOKIE_FLAGS)
        return answer

    return router


def checked(person: str) -> str:
    """A person's name from an address. Raises RequestError: it is blank or too long."""
    if not person.strip():
        raise RequestError("the name of the person is blank; give one of at least one letter or digit")
    if len(person) > _LONGEST_NAME:
        raise RequestError(f"the name of the person has {len(person)} characters; use at most {_LONGEST_NAME}")
    return person


def keep_uploads(service: Service, person: str, given: Sequence[Submission], name: str, content: str = "") -> None:
    """Keep uploads, all or none, and in the same transaction the job of that name, which makes their vectors.

    Raises:
        ProblemError: a job of this name is of other ``content`` (409).
        VernissageError: as `Repository.upload`.
    """

    def noted(connection: Connection, uploads: Sequence[Upload], new: frozenset[str]) -> None:
        told = {"uploads": [{"id": each.id, "new": each.id in new} for each in uploads]}
        ids, now = {"ids": sorted(new)}, datetime.now(UTC)
        job = add_job(connection, name, "uploads", ids, now, content=content, owner=person, result=told)
        if job.content != content:  # another request with this key came at the same moment
            raise ProblemError(HTTPStatus.CONFLICT, _OTHER_CONTENT)

    try:
        service.gallery.repository.upload(person, given, later=noted)
    except StorageError as error:
        if error.kind is not Kind.CONFLICT:
            raise
        raise ProblemError(HTTPStatus.CONFLICT, _OTHER_CONTENT) from error


class _People:
    def __init__(self, service: Service, jobs: Jobs) -> None:
        self._service, self._jobs = service, jobs

    def _person(self, name: str) -> Person:
        self._service.gallery.repository.follow()  # what was hidden or removed elsewhere is not shown any more
        return self._service.gallery.person(checked(name))

    def rate(self, person: str, work: str, body: Rating) -> None:
        self._person(person).rate(self._service.item(work).id, body.rating)

    def unrate(self, person: str, work: str) -> None:
        self._person(person).unrate(self._service.item(work).id)

    def ratings(self, person: str) -> Response:
        return answered({"ratings": self._person(person).ratings})

    def upload(
        self,
        request: Request,
        person: str,
        pictures: Annotated[list[UploadFile], File(default_factory=list, max_length=MOST_FILES)],
        texts: Annotated[list[UploadFile | str], File(default_factory=list, max_length=MOST_FILES)],
        titles: Annotated[list[str], Form(default_factory=list, description="Of the pictures, in their order.")],
        shared: Annotated[bool, Form(description="Whether others may be shown these.")] = False,
        idempotency_key: Annotated[
            str, Header(max_length=200, description="Send the same again, and nothing is kept twice.")
        ] = "",
    ) -> Response:
        """All of them are kept, or none: once this is answered they are on the disk. The job makes their vectors."""
        if not pictures and not texts:
            raise RequestError("nothing was uploaded; send pictures or texts as multipart/form-data")
        words, heads = texts_of(request, texts), texts_of(request, titles)
        named, name = _named(checked(person), idempotency_key), secrets.token_hex(12)
        if idempotency_key:
            name = f"job-{digest(person.encode(), idempotency_key.encode())[:24]}"
        with files_of(pictures) as paths:
            digests = [digest(path.read_bytes()) for path in paths]
            content = digest(json_text([digests, heads, words]).encode())
            if (before := self._jobs.find(name)) is None:
                titled = [*heads, *[""] * len(paths)]
                given = [Submission(path, title=titled[place], id=named(place)) for place, path in enumerate(paths)]
                given += [Submission(text=text, id=named(len(paths) + place)) for place, text in enumerate(words)]
                visibility = self._service.sharing if shared else "private"
                keep_uploads(
                    self._service, person, [replace(each, visibility=visibility) for each in given], name, content
                )
            elif before.content != content:
                raise ProblemError(HTTPStatus.CONFLICT, _OTHER_CONTENT)
        return self._jobs.accepted(name)

    def uploads(self, person: str) -> Response:
        record = self._person(person).record
        rows = [
            {"id": item_id, "title": record.items[item_id].title, "text": record.items[item_id].text}
            | {"picture": bool(record.items[item_id].picture), "time": time.isoformat()}
            | {"visibility": record.visibility[item_id]}
            for item_id, time in record.times.items()
        ]
        return answered({"uploads": rows})

    def remove(self, person: str, upload: str) -> None:
        self._person(person).remove(upload)

    def share(self, person: str, upload: str, body: Sharing) -> None:
        visibility = self._service.sharing if body.shared else "private"
        self._service.gallery.repository.share(checked(person), upload, visibility)

    def areas(self, person: str, language: Spoken) -> Response:
        return _shown(self._person(person).areas(), language)

    def change(self, person: str, area: str, body: AreaChange, language: Spoken) -> Response:
        changes = AreaChanges(
            mute=(area,) if body.muted else (),
            unmute=(area,) if body.muted is False else (),
            weights={area: body.weight} if body.weight is not None else {},
            names={area: body.name} if body.name is not None else {},
        )
        if not changes:
            raise RequestError("nothing was changed; name at least one of name, weight, muted")
        return _shown(self._person(person).edit(changes), language)

    def merge(self, person: str, body: Merging, language: Spoken) -> Response:
        return _shown(self._person(person).edit(AreaChanges(merges=(tuple(body.areas),))), language)

    def split(self, person: str, area: str, language: Spoken) -> Response:
        return _shown(self._person(person).edit(AreaChanges(splits={area: ()})), language)

    def undo(self, person: str, language: Spoken) -> Response:
        who = self._person(person)
        undone = who.undo()
        return _shown(who.areas(), language, undone=undone)

    def recommend(
        self,
        request: Request,
        person: str,
        language: Spoken,
        where: Where,
        exclude: Excluded,
        limit: Limit = 9,
        task: Annotated[str | None, Query(max_length=40, description="image-to-text …; all by default.")] = None,
        per_area: Annotated[bool, Query(description="A list for each area and task.")] = False,
        per: Per = "",
        quota: Annotated[int | None, Query(ge=0, le=MOST_WORKS, description="Places of each area.")] = None,
        engine: Annotated[str | None, Query(max_length=40, description="zccr: as published.")] = None,
    ) -> Response:
        asked: dict[str, Any] = {"where": where, "exclude": exclude, "per": read_caps(per)}
        who = self._person(person)
        answer = who.recommend(limit, task=task, per_area=per_area, quota=quota, engine=engine, **asked)
        content = self._service.addressed(base_address(request, self._service)).answer(answer)
        return answered(content, language=language)

    def consents(self, person: str) -> Response:
        found = self._service.gallery.repository.consents(checked(person))
        return answered({"consents": {purpose: time.isoformat() for purpose, time in found.items()}})

    def consent(self, person: str, purpose: Purpose) -> None:
        self._service.gallery.repository.consent(checked(person), purpose)

    def withdraw(self, person: str, purpose: Purpose) -> None:
        """What was kept by this consent is deleted: uploads, ratings, edits, and the consent itself."""
        if purpose in self._service.gallery.repository.consents(checked(person)):
            self._person(person).delete(wait=False)

    def export(self, person: str) -> Response:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "person.zip"
            self._person(person).export(path)
            content = path.read_bytes()
        headers = {"Content-Disposition": 'attachment; filename="person.zip"', "Cache-Control": "no-store"}
        return Response(content, media_type="application/zip", headers=headers)

    def delete(self, person: str) -> None:
        """All is gone from the database; traces in files that are still being read go within the hour."""
        self._person(person).delete(wait=False)  # a 503 would say that nothing was deleted


def _named(person: str, key: str) -> Callable[[int], str]:
    """Ids of uploads that are the same whenever the same request comes again; drawn where there is no key."""
    return lambda place: f"up-{digest(person.encode(), key.encode(), str(place).encode())[:24]}" if key else ""


def _shown(found: PersonAreas, language: str, **beside: object) -> Response:
    return answered(beside | found.to_dict() | {"notes": list(found.notes)}, language=language)
