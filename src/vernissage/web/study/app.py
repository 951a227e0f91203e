"""The application of a study: which pages there are, and what becomes of errors."""

import logging
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from vernissage.errors import VernissageError
from vernissage.sentences import Sentence
from vernissage.web.operations import Measured, Metrics
from vernissage.web.security import (
    STUDY_HEADERS,
    FormError,
    InsteadError,
    KnownHosts,
    SecurityHeaders,
    TooManyRequestsError,
)
from vernissage.web.study.experimenter import experimenter_router
from vernissage.web.study.pages import study_router
from vernissage.web.study.served import ServedStudy
from vernissage.web.templating import Templates
from vernissage.web.works import media_router

_TELL_NOBODY: Any = {"tracing": False, "metrics": False, "logs": False}
"""The address of a participant's first visit contains their id, which no collector of traces may get."""

_FORMER = (
    "/",
    "/experimenter",
    *(f"/{part}/{{rest:path}}" for part in ("experimenter", "pictures", "static", "works")),
)
"""Where a study was before it moved below /study: links that were sent out, and tabs that are open."""

_log = logging.getLogger("vernissage.web")


def create_app(served: ServedStudy, hosts: Sequence[str] | None = None, metrics: Metrics | None = None) -> FastAPI:
    """The pages of one study as an ASGI application.

    Args:
        served: the study, opened once and shared by all requests.
        hosts: the names that the server answers to; None for any.
        metrics: where requests are counted; by default nowhere that is read.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, telemetry=_TELL_NOBODY)
    pages = served.templates
    media = media_router(served.pictures, pages, served.visitor, served.count_picture)
    for router in (media, experimenter_router(served), study_router(served)):
        app.include_router(router)
    for former in _FORMER:
        app.add_api_route(former, _moved, methods=["GET", "HEAD", "POST"])
    handlers: dict[type[Exception], Any] = {
        FormError: lambda _, error: pages.message(Sentence("That did not work"), [error.args[0]], error.status),
        InsteadError: lambda _, error: error.answer,
        TooManyRequestsError: partial(_too_many, pages),
        VernissageError: partial(_failed, pages),
        # Nobody is there any more to read an answer.
        ClientDisconnect: lambda _, __: Response(status_code=HTTPStatus.BAD_REQUEST),
        HTTPException: partial(_other, pages),
        Exception: partial(_unforeseen, pages),
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    if hosts is not None:
        app.add_middleware(KnownHosts, hosts=hosts)
    app.add_middleware(SecurityHeaders, headers=STUDY_HEADERS)
    app.add_middleware(Measured, metrics=metrics or Metrics())
    return app


def _moved(request: Request) -> Response:
    """The same request at the present address; not for ever, since pages of the collection may take the former one."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/study{request.url.path.rstrip('/')}{query}", HTTPStatus.TEMPORARY_REDIRECT)


def _too_many(pages: Templates, _: Request, error: Any) -> Response:
    lines = [
        Sentence(
            "More requests came than a person can make. Wait {wait} s, then go on; what was stored stays stored.",
            wait=error.wait,
        )
    ]
    answer = pages.message(Sentence("One moment"), lines, HTTPStatus.TOO_MANY_REQUESTS)
    answer.headers["Retry-After"] = str(error.wait)
    return answer


def _failed(pages: Templates, _: Request, error: Any) -> Response:
    # The message is for whoever runs the server; it may name engines, which participants are not to know.
    _log.error("%s: %s", type(error).__name__, error)
    return _sorry(pages, HTTPStatus.SERVICE_UNAVAILABLE)


def _unforeseen(pages: Templates, _: Request, __: Any) -> Response:
    answer = _sorry(pages, HTTPStatus.INTERNAL_SERVER_ERROR)
    # Starlette answers these outside of every middleware.
    answer.headers.update({**STUDY_HEADERS, "Cache-Control": "no-store"})
    return answer


def _other(pages: Templates, _: Request, error: Any) -> Response:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer = pages.message(
            Sentence("That did not work"), [Sentence("This page takes no such request.")], error.status_code
        )
        answer.headers.update(error.headers or {})
        return answer
    return pages.no_such_page()


def _sorry(pages: Templates, status: HTTPStatus) -> Response:
    lines = [
        Sentence("What you sent last was not stored; everything before it was."),
        Sentence("Go on in a moment. If this page comes again, tell whoever invited you."),
    ]
    return pages.message(
        Sentence("Something went wrong on our side"), lines, status, link=(Sentence("Try again"), "/study")
    )
