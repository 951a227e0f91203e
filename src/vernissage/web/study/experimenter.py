"""The experimenter's pages, behind a password: how far the study is, pausing, deletion, preview and downloads."""

import asyncio
import io
import math
import secrets
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse

from vernissage.errors import StorageError, StudyError
from vernissage.sentences import Sentence
from vernissage.storage.studies import participants_of
from vernissage.study.export import TABLES, export_files, status_of
from vernissage.study.records import page_in_words
from vernissage.web.credentials import is_password
from vernissage.web.security import Form, FormError, InsteadError
from vernissage.web.study.served import ServedStudy, see_other

HOME, LOGIN = "/study/experimenter", "/study/experimenter/login"
ARCHIVE, PROVENANCE = "study.zip", "study.json"
DOWNLOADS: Mapping[str, str] = MappingProxyType(
    {
        ARCHIVE: "everything in one archive",
        **{f"{name}.{kind}": f"the table {name}" for name in TABLES for kind in ("csv", "parquet")},
        PROVENANCE: "what the answers depend on",
    }
)
"""The names of the files, and what each is."""

_LONGEST_OF_KNOWN, _LONGEST_OF_OTHERS = 5.0, 30.0
"""Seconds that an attempt to log in waits, from a browser where the experimenter has been before, and from others."""
_MEDIA_TYPES = {
    "zip": "application/zip",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def experimenter_router(served: ServedStudy) -> APIRouter:
    """The addresses of the experimenter's pages."""
    pages, router = ExperimenterPages(served), APIRouter(prefix=HOME)
    shown: dict[str, Callable[..., Response]] = {"": pages.home, "/login": pages.login, "/export/{name}": pages.export}
    changes: dict[str, Callable[..., Any]] = {
        "/login": pages.let_in, "/logout": pages.let_out, "/pause": pages.pause, "/resume": pages.resume,
        "/delete": pages.delete,
    }  # fmt: skip
    for method, endpoints in (("GET", shown), ("POST", changes)):
        for address, endpoint in endpoints.items():
            router.add_api_route(address, endpoint, methods=[method])
    return router


class ExperimenterPages:
    """Shows the study to who knows the password; everybody else sees the form that asks for it."""

    def __init__(self, served: ServedStudy) -> None:
        self._served, self._templates = served, served.templates.english
        self._records = served.study.records
        # A guess takes 32 MB for a tenth of a second.
        self._guesses = asyncio.Semaphore(2)

    def login(self, request: Request) -> Response:
        """The form that asks for the password."""
        return see_other(HOME) if self._served.sessions.experimenter(request) else self._asking(request)

    async def let_in(self, request: Request, form: Form) -> Response:
        """Begin a session for the right password; attempts wait for their turn.

        Those from a browser in which the experimenter has been before wait behind nobody else's, and are never refused.
        """
        sessions, limits, hashed = self._served.sessions, self._served.limits, self._served.password
        if not sessions.is_login(request, form.get("token", "")):
            return self._asking(request, "This form was too old, or not from this page. Try again.")
        if (browser := sessions.known_browser(request)) is not None:
            await asyncio.sleep(min(limits.logins.delay(browser, math.inf), _LONGEST_OF_KNOWN))
        else:
            await asyncio.sleep(limits.logins.delay(self._served.network(request), _LONGEST_OF_OTHERS))
        async with self._guesses:
            right = hashed is not None and await run_in_threadpool(is_password, form.get("password", "")[:1000], hashed)
        if not right:
            return self._asking(request, "This is not the password.")
        answer = see_other(HOME)
        await run_in_threadpool(sessions.let_in, request, answer)
        return answer

    def let_out(self, request: Request, form: Form) -> Response:
        """End the session."""
        session, answer = self._session(request, form), see_other(LOGIN)
        self._served.sessions.let_out(session, request, answer)
        return answer

    def home(self, request: Request) -> Response:
        """How far the study is."""
        return self._overview(request, self._session(request))

    def pause(self, request: Request, form: Form) -> Response:
        """Pause the study."""
        return self._change(request, form, self._records.pause)

    def resume(self, request: Request, form: Form) -> Response:
        """Let the study go on."""
        return self._change(request, form, self._records.resume)

    def delete(self, request: Request, form: Form) -> Response:
        """Delete a participant, once that is confirmed; ids are sent in forms, so that they get into no address."""
        session, external_id = self._session(request, form), form.get("id", "").strip()
        if form.get("confirmed") != "yes":
            token = self._served.sessions.token(session)
            return self._templates.page(
                "study/delete.html", title=self._served.study.definition.title, id=external_id, token=token
            )
        try:
            self._records.delete(external_id)
        except (StudyError, StorageError) as error:
            return self._told("Deleting a participant", str(error))
        return self._told("Deleted", "The participant and everything that they answered are deleted.", HTTPStatus.OK)

    def export(self, request: Request, name: str) -> Response:
        """One file of the export."""
        self._session(request)
        if name not in DOWNLOADS:
            return self._told("Export", "There is no such file.", HTTPStatus.NOT_FOUND)
        try:
            files = export_files(self._records)
        except StudyError as error:
            return self._told("Export", str(error))
        content = _archive(files) if name == ARCHIVE else files[name]
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=_MEDIA_TYPES[name.rpartition(".")[2]], headers=headers)

    def _change(self, request: Request, form: Form, change: Callable[[], None]) -> Response:
        self._session(request, form)
        change()
        return see_other(HOME)

    def _session(self, request: Request, form: Form | None = None) -> str:
        """The experimenter's session; with ``form``, the one that it belongs to.

        Raises:
            InsteadError: nobody has logged in.
            FormError: the form belongs to another session.
        """
        session = self._served.sessions.experimenter(request)
        if session is None:
            raise InsteadError(see_other(LOGIN))
        if form is not None and not self._served.sessions.is_token(session, form.get("token", "")):
            raise FormError(
                HTTPStatus.FORBIDDEN, Sentence("This form belongs to a session that has ended; nothing was changed.")
            )
        return session

    def _asking(self, request: Request, wrong: str = "") -> HTMLResponse:
        visit, sessions = secrets.token_urlsafe(16), self._served.sessions
        answer = self._templates.page(
            "study/login.html",
            HTTPStatus.FORBIDDEN if wrong else HTTPStatus.OK,
            title=self._served.study.definition.title,
            wrong=wrong,
            has_password=self._served.password is not None,
            token=sessions.token(f"login {visit}"),
        )
        sessions.begin_login(request, answer, visit)
        return answer

    def _overview(self, request: Request, session: str) -> HTMLResponse:
        study = self._served.study
        with study.database.reading() as connection:
            people = participants_of(connection, study.definition.id, "participant")
        preview = request.url_for("enter").include_query_params(preview=self._served.sessions.preview_code())
        return self._templates.page(
            "study/overview.html",
            title=study.definition.title,
            overview=self._records.overview(),
            people=people,
            state_of=status_of,
            page_of=partial(page_in_words, study.definition),
            preview=str(preview),
            downloads=DOWNLOADS,
            token=self._served.sessions.token(session),
        )

    def _told(self, title: str, line: str, status: HTTPStatus = HTTPStatus.CONFLICT) -> HTMLResponse:
        return self._templates.message(title, [line], status, link=("Back to the study", HOME))


def _archive(files: Mapping[str, bytes]) -> bytes:
    """A ZIP file in which nothing but the contents counts, so that equal exports are equal."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EARLIEST), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()
