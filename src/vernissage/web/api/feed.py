"""Works from a platform's own feed: checked and kept before the answer, made the collection's next state by a job."""

import base64
import binascii
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from vernissage import storage
from vernissage.catalog.keys import id_of
from vernissage.catalog.pictures import check_picture
from vernissage.catalog.sources.feed import FOLDER
from vernissage.errors import Kind, RequestError, UnknownItemError
from vernissage.files import digest, json_text, write_bytes
from vernissage.web.api.access import Access
from vernissage.web.api.bodies import Body, WorkId, checked_body
from vernissage.web.api.doing import sweep_waiting, waiting_picture
from vernissage.web.api.jobs import Jobs
from vernissage.web.api.problems import ProblemError
from vernissage.web.api.received import LARGEST_FILE, MultipartRoute
from vernissage.web.api.service import ROOT, Service
from vernissage.web.api.works import described, described_body, known_parameters

MOST_CHANGES = 1_000
_MOST_PICTURES = 20
_DATA = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)
_Line = Annotated[str, StringConstraints(max_length=2_000)]
_Prose = Annotated[str, StringConstraints(max_length=100_000)]
_Year = Annotated[int, Field(ge=-99_999, le=99_999)]


class WorkContent(Body):
    """What is told of a work; it takes the place of all that was told before."""

    title: _Line = ""
    artist: _Line = ""
    year: _Line = Field("", description="As you write it: c. 1710, 1882-83.")
    year_from: _Year | None = None
    year_to: _Year | None = None
    medium: _Line = ""
    description: _Prose = ""
    keywords: list[_Line] = Field([], max_length=500)
    group: _Line = ""
    owner: _Line = ""
    rights: _Line = ""
    credit: _Line = ""
    link: _Line = Field("", description="Your own page about it.")
    language: Annotated[str, StringConstraints(max_length=40)] = ""
    attributes: dict[_Line, _Prose] = Field({}, max_length=200, description="Anything else.")
    pictures: list[str] = Field(
        [],
        max_length=_MOST_PICTURES,
        description="The leading one first: data:image/…;base64,…, or names of files of the same form.",
    )


class NewWork(WorkContent):
    """A work of a batch."""

    id: WorkId


class WorkBatch(Body):
    """Works that are new or changed, and those that go; together they make one state."""

    works: list[NewWork] = Field([], max_length=MOST_CHANGES)
    remove: list[WorkId] = Field([], max_length=MOST_CHANGES)


_Key = Annotated[str, Header(alias="Idempotency-Key", max_length=200, description="Send the same again: the same job.")]


def feed_router(service: Service, access: Access, jobs: Jobs) -> APIRouter:
    """The addresses by which works come and go, with the scope ``write``."""
    needed = [Depends(access.require("write")), Depends(known_parameters)]
    router = APIRouter(tags=["works"], dependencies=needed, route_class=MultipartRoute)
    feed = _Feed(service, jobs)
    for path, method, call, name, summary, body in (
        ("/works/batch", "POST", feed.batch, "changeWorks", "Add, change and remove works", "WorkBatch"),
        ("/works/{key:path}", "PUT", feed.put, "putWork", "Add or change a work", "WorkContent"),
        ("/works/{key:path}", "DELETE", feed.delete, "deleteWork", "Remove a work", None),
    ):
        how: dict[str, Any] = {"name": name, "summary": summary, "status_code": HTTPStatus.ACCEPTED}
        how |= {"responses": described("Job", 202), "openapi_extra": described_body(body, "WorkForm") if body else None}
        router.add_api_route(ROOT + path, call, methods=[method], response_class=Response, **how)
    return router


class _Feed:
    def __init__(self, service: Service, jobs: Jobs) -> None:
        self._service, self._jobs = service, jobs

    async def put(self, request: Request, key: str, idempotency_key: _Key = "") -> Response:
        """Everything that is told of a work, as JSON, or as the field ``json`` of a form with its pictures as files."""
        async with _received(request) as (content, files):
            work = checked_body(WorkContent, content)
            works = {self._named(key): work}
            return await run_in_threadpool(self._accept, works, files, idempotency_key)

    async def batch(self, request: Request, idempotency_key: _Key = "") -> Response:
        """All of them, or none; a body as that of one work."""
        async with _received(request) as (content, files):
            asked = checked_body(WorkBatch, content)
            ids = [*(work.id for work in asked.works), *asked.remove]
            twice = [each for each, number in Counter(ids).items() if number > 1]
            if twice or not ids:
                told = f"{twice[0]!r} stands in it twice" if ids else "it names no work"
                raise RequestError(f"the batch cannot be taken in: {told}; name each work once")
            works = {work.id: work for work in asked.works} | dict.fromkeys(map(self._there, asked.remove))
            return await run_in_threadpool(self._accept, works, files, idempotency_key)

    def delete(self, key: str, idempotency_key: _Key = "") -> Response:
        """The work is in no later state, whether a feed or the collection's own source brought it."""
        return self._accept({self._there(self._named(key)): None}, {}, idempotency_key)

    def _named(self, key: str) -> str:
        """The id that an address names, by itself or by its key."""
        try:
            return self._service.item(key).id
        except UnknownItemError:
            return id_of(key) or key

    def _there(self, item_id: str) -> str:
        """The id of a work that is there, or that waits to be. Raises UnknownItemError: it is neither."""
        collection = self._service.gallery.collection
        if item_id not in collection and not any(item_id in each["works"] for each in self._waiting()):
            raise UnknownItemError(f"the collection has no work {item_id!r}; nothing was changed")
        return item_id

    def _waiting(self) -> Sequence[Mapping[str, Any]]:
        database = self._service.gallery.repository.existing_database
        if database is None:
            return ()
        with database.reading() as connection:
            return storage.jobs.waiting_payloads(connection, "works")

    def _accept(
        self, works: Mapping[str, WorkContent | None], files: Mapping[str, UploadFile], idempotency_key: str
    ) -> Response:
        """Check and keep what was sent, with the job that makes the next state of it."""
        for item_id in works:
            if not item_id.isprintable() or item_id != " ".join(item_id.split()):
                raise RequestError(f"{item_id[:60]!r} cannot be the id of a work: give visible characters on one line")
        pictures = dict[str, bytes]()
        told = {name: None if work is None else _kept(name, work, files, pictures) for name, work in works.items()}
        content = digest(json_text(told).encode())
        name = f"job-{digest(b'works', idempotency_key.encode())[:24]}" if idempotency_key else secrets.token_hex(12)
        folder = self._service.gallery.path / FOLDER
        with self._service.gallery.repository.database.writing() as connection:
            if taken := storage.uploads.get_uploads(connection, works):
                told_of = f"{taken[0].id!r} is the id of an upload; give the work another id"
                raise RequestError(told_of, kind=Kind.CONFLICT)
            if storage.jobs.get_job(connection, name) is None:
                sweep_waiting(connection, folder)
                for number, picture in enumerate(pictures.values()):
                    write_bytes(waiting_picture(folder, name, number), picture)
            payload = {"works": told, "pictures": list(pictures)}
            job = storage.jobs.add_job(connection, name, "works", payload, datetime.now(UTC), content=content)
        if job.content != content:
            told_of = "this Idempotency-Key came with other works before; send these with another one"
            raise ProblemError(HTTPStatus.CONFLICT, told_of)
        return self._jobs.accepted(name)


@asynccontextmanager
async def _received(request: Request) -> AsyncIterator[tuple[bytes, Mapping[str, UploadFile]]]:
    """The JSON of a body, and the files beside it by their names; see `MultipartRoute`.

    Raises:
        RequestError: a form has no JSON.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        yield await request.body(), {}
        return
    async with request.form(max_part_size=LARGEST_FILE) as form:
        told = form.get("json")
        if not isinstance(told, str):
            raise RequestError("the form has no field json; send the JSON in it, and pictures as files beside it")
        files = [each for each in form.getlist("pictures") if isinstance(each, UploadFile)]
        names = [(each.filename or "").encode("latin-1", "replace").decode("utf-8", "replace") for each in files]
        yield told.encode("latin-1"), dict(zip(names, files, strict=True))


def _kept(item_id: str, work: WorkContent, files: Mapping[str, UploadFile], pictures: dict[str, bytes]) -> Any:
    """A work as a job keeps it; its pictures, checked, go into ``pictures`` by their SHA-256.

    Raises:
        RequestError: a picture is named that was not sent, or is none.
        ProblemError: one is larger than is read.
    """
    content = work.model_dump(exclude={"id", "credit", "link"})
    shown = {"credit": work.credit, "link": work.link}
    content["attributes"] |= {name: value for name, value in shown.items() if value}
    content["pictures"] = names = []
    with TemporaryDirectory(prefix="vernissage-") as folder:
        for number, given in enumerate(work.pictures, start=1):
            raw, at = _bytes(given, files), f"picture {number} of {item_id!r}"
            if raw is None:
                told = (
                    "send it as data:image/png;base64,…, or as a file of that name in the same form; nothing is fetched"
                )
                raise RequestError(f"{at} is {given[:60]!r}, which was not sent; {told}")
            if len(raw) > LARGEST_FILE:
                raise ProblemError(413, f"{at} is larger than {LARGEST_FILE >> 20} MB; send a smaller one")
            name = digest(raw)
            if name not in pictures:
                path = Path(folder) / "picture"
                path.write_bytes(raw)
                if fault := check_picture(path).fault:
                    raise RequestError(f"{at} {fault}; send another one")
            pictures[name] = raw
            names.append(name)
    if not (work.pictures or any(content[name] for name in ("title", "artist", "description", "keywords"))):
        raise RequestError(f"nothing is told of {item_id!r}; give a title, a description or a picture")
    content["pictures"] = list(dict.fromkeys(names))
    return content


def _bytes(given: str, files: Mapping[str, UploadFile]) -> bytes | None:
    """A picture that was sent; None where it was not."""
    if found := _DATA.match(given):
        try:
            return base64.b64decode(given[found.end() :], validate=True)
        except binascii.Error:
            return b""
    file = files.get(given)
    if file is None:
        return None
    file.file.seek(0)
    return file.file.read(LARGEST_FILE + 1)
