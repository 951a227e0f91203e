"""The application of the pages for visitors: their routes, static files, errors as pages, protection."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from vernissage.errors import VernissageError
from vernissage.pages.look import Look
from vernissage.sentences import Sentence
from vernissage.web.api.access import Access
from vernissage.web.api.app import Bounded
from vernissage.web.api.service import Service
from vernissage.web.compression import FOR_EVER, static_answer
from vernissage.web.operations import Measured
from vernissage.web.security import STUDY_HEADERS, KnownHosts, SecurityHeaders, TooManyRequestsError
from vernissage.web.visitor import about, areas, collection, for_you, work
from vernissage.web.visitor import map as map_pages
from vernissage.web.visitor.site import POLICY, Site

_HEADERS = {name: value for name, value in STUDY_HEADERS.items() if name != "X-Robots-Tag"} | {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
_FAILED = (Sentence("That did not work"), Sentence("The address has something in it that is not understood."))
_WORDS: Mapping[int, tuple[str, str]] = {
    403: (_FAILED[0], Sentence("This came from another site than this one, so nothing was changed.")),
    404: (
        Sentence("There is no such page"),
        Sentence("Nothing is at this address. The work may have been taken out, or the link is incomplete."),
    ),
    405: (_FAILED[0], Sentence("This page takes no such request.")),
    413: (_FAILED[0], Sentence("That is too much at once. Go back and send less.")),
    429: (Sentence("One moment"), ""),
    500: (_FAILED[0], Sentence("Something went wrong on our side; it is noted. Try again in a moment.")),
    503: (
        Sentence("One moment"),
        Sentence("This cannot be shown just now. Try again in some seconds; nothing was lost."),
    ),
}
_log = logging.getLogger("vernissage.web")


def create_pages(service: Service, access: Access, look: Look, hosts: Sequence[str] | None = None) -> FastAPI:
    """The pages of one collection as an ASGI application; it serves no API, and starts and stops nothing.

    Args:
        service: the gallery that is served.
        access: counts requests, so that nobody asks too often.
        look: the museum's own.
        hosts: the names that the server answers to; None for any.
    """
    site = Site(service, access, look)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for page in (collection, work, for_you, areas, map_pages, about):
        app.include_router(page.routes(site), dependencies=[Depends(access.visit)])
    app.include_router(map_pages.files(site))  # a map is of hundreds of tiles, which are not counted as visits
    _add_static(app, site)
    for kind in (VernissageError, RequestValidationError, HTTPException, ClientDisconnect, Exception):
        app.add_exception_handler(kind, partial(_told, site))
    app.add_middleware(Bounded)
    app.add_middleware(SecurityHeaders, headers=_HEADERS)
    app.add_middleware(Measured, metrics=service.metrics)
    if hosts is not None:
        app.add_middleware(KnownHosts, hosts=hosts)
    return app


def _add_static(app: FastAPI, site: Site) -> None:
    """Style sheet, scripts, logo and fonts, under addresses that change with them."""

    @app.get("/static/{version}/{name}")
    def static(request: Request, version: str, name: str) -> Response:
        found = static_answer(request, site.look, version, name, site.service.answers)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return found

    @app.get("/favicon.ico")
    def icon() -> Response:
        """Browsers ask for one; there is none."""
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=FOR_EVER)


def _told(site: Site, request: Request, error: Any) -> Response:
    """Any error as a page that says what to do next; what only whoever runs the server may read goes to the log."""
    if isinstance(error, ClientDisconnect):  # nobody is there any more to read an answer
        return Response(status_code=HTTPStatus.BAD_REQUEST)
    status, headers = _status_of(error), dict(getattr(error, "headers", None) or {})
    title, text = _WORDS.get(status, _FAILED)
    if isinstance(error, TooManyRequestsError):
        told = Sentence("More requests came than a person can make. Wait {n} s, then go on.", n=error.wait)
        text, headers["Retry-After"] = told, str(error.wait)
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        at = getattr(request.scope.get("route"), "path", "no address")
        foreseen = isinstance(error, VernissageError)
        _log.error("%s at %s: %s", type(error).__name__, at, error, exc_info=None if foreseen else error)
        headers |= _HEADERS  # Starlette answers unforeseen ones outside of every middleware
    elif error.args and isinstance(error.args[0], Sentence):  # what a page says of a form, for visitors
        text = error.args[0]
    answer = site.page(request, "visitor/message.html", status, title=title, text=text)
    answer.headers.update(headers)
    return answer


def _status_of(error: Any) -> int:
    if isinstance(error, TooManyRequestsError):
        return HTTPStatus.TOO_MANY_REQUESTS
    if isinstance(error, VernissageError):
        return int(getattr(error, "status", error.kind.http_status))
    if isinstance(error, RequestValidationError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
