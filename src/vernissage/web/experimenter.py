"""The experimenter's pages, behind a password: how far the study is, pausing, deletion, preview and downloads."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from vernissage.errors import StorageError, StudyError
from vernissage.storage.study_participants import Participant, participants_of
from vernissage.study.records import page_in_words
from vernissage.web.credentials import is_password
from vernissage.web.downloads import DOWNLOADS, download
from vernissage.web.forms import Form, FormError
from vernissage.web.study_site import Site, require, see_other
from vernissage.web.templating import message_page, page

HOME, LOGIN = "/experimenter", "/experimenter/login"
_EVERYBODY = "everybody"


def experimenter_router(site: Site) -> APIRouter:
    """The addresses of the experimenter's pages."""
    pages, router = ExperimenterPages(site), APIRouter(prefix=HOME)
    _add(router, "GET", {"": pages.home, "/login": pages.login, "/export/{name}": pages.export})
    changes = {"/pause": pages.pause, "/resume": pages.resume, "/delete": pages.delete}
    _add(router, "POST", {"/login": pages.let_in, "/logout": pages.let_out, **changes})
    return router


def _add(router: APIRouter, method: str, endpoints: Mapping[str, Callable[..., Response]]) -> None:
    for address, endpoint in endpoints.items():
        router.add_api_route(address, endpoint, methods=[method])


class ExperimenterPages:
    """Shows the study to who knows the password; everybody else sees the form that asks for it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._records = site.study.records

    def login(self, request: Request) -> Response:
        """The form that asks for the password."""
        return see_other(HOME) if self._site.sessions.experimenter(request) else self._asking()

    def let_in(self, request: Request, form: Form) -> Response:
        """Begin a session for the right password; guesses are counted, whoever makes them."""
        require(self._site.limits.logins.wait(_EVERYBODY))
        if self._site.password is None or not is_password(form.get("password", "")[:1000], self._site.password):
            return self._asking(wrong=True)
        answer = see_other(HOME)
        self._site.sessions.let_in(request, answer)
        return answer

    def let_out(self, request: Request, form: Form) -> Response:
        """End the session."""
        answer = see_other(LOGIN)
        if self._session(request, form) is not None:
            self._site.sessions.let_out(request, answer)
        return answer

    def home(self, request: Request) -> Response:
        """How far the study is."""
        session = self._site.sessions.experimenter(request)
        return see_other(LOGIN) if session is None else self._overview(request, session)

    def pause(self, request: Request, form: Form) -> Response:
        """Pause the study."""
        if self._session(request, form) is None:
            return see_other(LOGIN)
        self._records.pause()
        return see_other(HOME)

    def resume(self, request: Request, form: Form) -> Response:
        """Let the study go on."""
        if self._session(request, form) is None:
            return see_other(LOGIN)
        self._records.resume()
        return see_other(HOME)

    def delete(self, request: Request, form: Form) -> Response:
        """Delete a participant, once that is confirmed; ids are sent in forms, so that they get into no address."""
        session = self._session(request, form)
        if session is None:
            return see_other(LOGIN)
        external_id = form.get("id", "").strip()
        if form.get("confirmed") != "yes":
            token = self._site.sessions.experimenter_token(session)
            return page("delete.html", title=self._site.study.definition.title, id=external_id, token=token)
        try:
            self._records.delete(external_id)
        except (StudyError, StorageError) as error:
            return _told("Deleting a participant", str(error))
        return _told("Deleted", "The participant and everything that they answered are deleted.", HTTPStatus.OK)

    def export(self, request: Request, name: str) -> Response:
        """One file of the export."""
        if self._site.sessions.experimenter(request) is None:
            return see_other(LOGIN)
        try:
            found = download(self._records, name)
        except StudyError as error:
            return _told("Export", str(error))
        if found is None:
            return _told("Export", "There is no such file.", HTTPStatus.NOT_FOUND)
        content, media_type = found
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=media_type, headers=headers)

    def _session(self, request: Request, form: Form) -> str | None:
        """The session that a form belongs to, or None without a session.

        Raises:
            FormError: the form belongs to another one.
        """
        session = self._site.sessions.experimenter(request)
        if session is not None and not self._site.sessions.is_experimenter_token(session, form.get("token", "")):
            raise FormError(HTTPStatus.FORBIDDEN, "This form belongs to a session that has ended; nothing was changed.")
        return session

    def _asking(self, *, wrong: bool = False) -> HTMLResponse:
        status = HTTPStatus.FORBIDDEN if wrong else HTTPStatus.OK
        study = self._site.study.definition
        return page("login.html", status, title=study.title, wrong=wrong, has_password=self._site.password is not None)

    def _overview(self, request: Request, session: str) -> HTMLResponse:
        study = self._site.study
        with study.database.reading() as connection:
            people = participants_of(connection, study.definition.id, "participant")
        preview = request.url_for("enter").include_query_params(preview=self._site.sessions.preview_code())
        return page(
            "overview.html",
            title=study.definition.title,
            overview=self._records.overview(),
            people=[self._person(person) for person in people],
            preview=str(preview),
            downloads=DOWNLOADS,
            token=self._site.sessions.experimenter_token(session),
        )

    def _person(self, person: Participant) -> dict[str, Any]:
        definition = self._site.study.definition
        state = "finished" if person.finished else "dropped" if person.dropped else "under way"
        return {
            "id": person.external_id,
            "page": page_in_words(definition, person.page),
            "since": f"{person.page_since:%Y-%m-%d %H:%M}",
            "state": state,
        }


def _told(title: str, line: str, status: HTTPStatus = HTTPStatus.CONFLICT) -> HTMLResponse:
    return message_page(title, [line], status, way_on=("Back to the study", HOME))
