"""Errors as `application/problem+json` (RFC 9457): what was given, what was expected, what to do next."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from vernissage.errors import Kind, UnknownPersonError, VernissageError
from vernissage.web.security import TooManyRequestsError

MEDIA_TYPE = "application/problem+json"

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_HIDDEN = frozenset({Kind.UNAVAILABLE})
"""Kinds whose messages are for whoever runs the server: they name files and databases."""

_log = logging.getLogger("vernissage.web")


class ProblemError(VernissageError):
    """An error with a status of its own, and headers that belong to it."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.headers = status, dict(headers or {})


def problem(
    request: Request,
    status: int,
    detail: str,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error as an answer; ``errors`` name what is wrong by JSON pointers."""
    content = titled(status, detail) | {"instance": request.url.path} | ({"errors": list(errors)} if errors else {})
    return Response(orjson.dumps(content), status, dict(headers or {}), MEDIA_TYPE)


def problem_of(error: VernissageError, folder: Path) -> dict[str, Any]:
    """An error as JSON values; what only whoever runs the server may read goes to the log instead."""
    status = error.status if isinstance(error, ProblemError) else error.kind.http_status
    if error.kind in _HIDDEN and not isinstance(error, ProblemError):
        _log.error("%s: %s", type(error).__name__, error)
        return titled(status, "this cannot be answered just now; nothing was stored; try again in some seconds")
    if isinstance(error, UnknownPersonError):
        return titled(status, "nobody of that name owns or uploaded anything here; check the name, letter by letter")
    return titled(status, str(error).replace(str(folder), "the collection"))


def tell_problems(app: FastAPI, folder: Path) -> None:
    """Answer every error of ``app`` as a problem; messages name ``folder``, the workspace, as "the collection"."""

    def known(request: Request, error: Any) -> Response:
        told = problem_of(error, folder)
        headers = error.headers if isinstance(error, ProblemError) else {}
        headers = {"Retry-After": "5"} | headers if told["status"] == HTTPStatus.SERVICE_UNAVAILABLE else headers
        return problem(request, told["status"], told["detail"], headers=headers)

    handlers: dict[type[Exception], Any] = {
        VernissageError: known,
        TooManyRequestsError: _too_many,
        RequestValidationError: _invalid,
        HTTPException: _other,
        # Nobody is there any more to read an answer.
        ClientDisconnect: lambda _, __: Response(status_code=HTTPStatus.BAD_REQUEST),
        Exception: _unforeseen,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def titled(status: int, detail: str) -> dict[str, Any]:
    """The fields that every problem has."""
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}


def _too_many(request: Request, error: Any) -> Response:
    told = f"more requests came than this key or address may make; try again in {error.wait} seconds"
    return problem(request, HTTPStatus.TOO_MANY_REQUESTS, told, headers={"Retry-After": str(error.wait)})


def _invalid(request: Request, error: Any) -> Response:
    faults = [{"pointer": _pointer(each["loc"]), "detail": str(each["msg"])} for each in error.errors()]
    first = f"{faults[0]['pointer']}: {faults[0]['detail']}"
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    told = f"the request is not understood ({first}{more}); /api/v1/docs tells what is"
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, told, faults)


def _other(request: Request, error: Any) -> Response:
    status, told, headers = error.status_code, str(error.detail), error.headers
    if status == HTTPStatus.NOT_FOUND:
        told = f"there is nothing at {request.url.path}; /api/v1/docs tells what there is"
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        # Starlette names the methods of the first route of an address alone.
        allowed = ", ".join(each for each in _METHODS if _answers(request, each))
        told, headers = (
            f"{request.method} is not understood here, but {allowed}; /api/v1/docs tells more",
            {"Allow": allowed},
        )
    return problem(request, status, told, headers=headers)


def _answers(request: Request, method: str) -> bool:
    asked = {**request.scope, "method": "GET" if method == "HEAD" else method}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)


def _unforeseen(request: Request, error: Any) -> Response:
    # The address itself may hold the name of a person.
    at = getattr(request.scope.get("route"), "path", "no address")
    _log.error("%s at %s", type(error).__name__, at, exc_info=error)
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong here; it is in the server's log")


def _pointer(place: Sequence[str | int]) -> str:
    """``("body", "ratings", "v041")`` as ``/ratings/v041``; what stands in the address begins with its kind."""
    parts = place[1:] if place and place[0] == "body" else place
    return "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in parts)
