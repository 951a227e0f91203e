"""The application of the service: its routes, what every answer carries, health, metrics, and its own description."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.resources import files
from itertools import chain
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import vernissage
from vernissage.web.api.access import Access, CrossOrigin
from vernissage.web.api.admin import admin_router
from vernissage.web.api.document import document
from vernissage.web.api.events import events_router
from vernissage.web.api.feed import feed_router
from vernissage.web.api.jobs import Jobs, jobs_router
from vernissage.web.api.people import minting_router, people_router
from vernissage.web.api.problems import problem, tell_problems
from vernissage.web.api.received import LARGEST_FILE
from vernissage.web.api.service import ROOT, Service
from vernissage.web.api.works import described, public_router, reading_router
from vernissage.web.operations import Measured, health_router
from vernissage.web.security import KnownHosts, SecurityHeaders

LARGEST_BODY = 2 * 1024**2
"""Bytes of a request's body, but for uploads, which have a limit of their own."""

_LARGEST_UPLOAD = 4 * LARGEST_FILE
_LARGEST_HEAD = 16 * 1024
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_ANYWHERE = {"Access-Control-Allow-Origin": "*"}
"""For the widget's script, which is no secret: browsers load modules of other origins with this alone."""

_DOCS_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def create_service(
    service: Service, access: Access, hosts: Sequence[str] | None = None, checks: Sequence[Callable[[], None]] = ()
) -> FastAPI:
    """The REST API of one collection as an ASGI application.

    Args:
        service: the gallery that is served, opened once and shared by all requests.
        access: who may ask for what.
        hosts: the names that the server answers to; None for any.
        checks: of databases beside the service's own; they raise where one does not answer.
    """

    jobs = Jobs(service)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        jobs.start()
        yield
        jobs.stop()
        service.stop()

    app = FastAPI(
        title="Vernissage",
        version=vernissage.__version__,
        summary="Works of a collection for a person, with reasons that add up.",
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{ROOT}/openapi.json",
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
    )
    for router in (reading_router(service, access), public_router(service), minting_router(access)):
        app.include_router(router)
    app.include_router(admin_router(service, access))
    for router in (people_router(service, access, jobs), feed_router(service, access, jobs), jobs_router(jobs, access)):
        app.include_router(router)
    app.include_router(events_router(service, access))
    app.include_router(health_router(service.gallery.repository.check, *checks))
    _add_operations(app, service, access)
    _add_pages(app)
    tell_problems(app, service.gallery.path)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    app.add_middleware(Bounded)
    app.add_middleware(SecurityHeaders, headers=_HEADERS)
    app.add_middleware(CrossOrigin, access=access)
    app.add_middleware(Measured, metrics=service.metrics)
    if hosts is not None:
        app.add_middleware(KnownHosts, hosts=hosts)
    return app


class Bounded:
    """Refuses heads and, while they arrive, bodies that are too large, addresses with NUL; answers HEAD as GET."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        # No id or name has one, and PostgreSQL, which takes none, would be said not to answer.
        if "\0" in path:
            told = "there is nothing at this address, which has a NUL character"
            await problem(Request(scope), HTTPStatus.NOT_FOUND, told)(scope, receive, send)
            return
        # h11 bounds a head that arrives in pieces; one that arrives at once has any length.
        head = sum(map(len, chain(*scope["headers"]))) + len(path) + len(scope["query_string"])
        if head > _LARGEST_HEAD:
            told = f"address and headers have {head:,} bytes, but at most {_LARGEST_HEAD:,} are read; send less in them"
            await problem(Request(scope), HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, told)(scope, receive, send)
            return
        sends_works = scope["method"] == "PUT" and path.startswith(f"{ROOT}/works/")
        large = sends_works or path.endswith(("/uploads", "/search/picture", "/works/batch"))
        most = _LARGEST_UPLOAD if large else LARGEST_BODY
        arrived = 0

        async def bounded() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > most:
                told = f"the request is larger than {most // 1024**2} MB; send less at once"
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told, {"Connection": "close"})
            return message

        # The server sends no body for HEAD, whatever it is given.
        asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        await self.app(asked, bounded, send)


def _add_operations(app: FastAPI, service: Service, access: Access) -> None:
    """Version, encoders and metrics."""

    @app.get(
        "/metrics",
        name="metrics",
        tags=["operations"],
        summary="For Prometheus",
        response_class=PlainTextResponse,
        dependencies=[Depends(access.require("admin"))],
    )
    def exposed() -> Response:
        return Response(service.metrics.text(service.gallery), media_type=CONTENT_TYPE_LATEST)

    @app.get(
        f"{ROOT}/version",
        tags=["operations"],
        summary="Of the software and of the collection",
        response_model=None,
        responses=described("Version"),
    )
    def version() -> dict[str, Any]:
        gallery = service.gallery
        told = {"software": vernissage.__version__, "collection": gallery.name, "fingerprint": gallery.fingerprint}
        return told | {"works": len(gallery)}

    @app.get(
        f"{ROOT}/encoders",
        tags=["operations"],
        summary="Encoders and engines that are here",
        response_model=None,
        responses=described("Encoders"),
    )
    def encoders() -> dict[str, Any]:
        workspace = service.gallery.snapshot.workspace
        there = [
            {"name": name, "modalities": list(workspace.modalities(name))}
            | {"fingerprint": workspace.manifest.fingerprints[name]}
            for name in workspace.encoder_names
        ]
        return {"encoders": there, "engines": list(service.gallery.engines)}


def _add_pages(app: FastAPI) -> None:
    """The widget's script, and the reference page with what it loads."""

    @app.get("/vernissage.js", include_in_schema=False)
    def widget() -> Response:
        script = files("vernissage.pages").joinpath("static", "vernissage.js").read_bytes()
        return Response(script, media_type="text/javascript", headers={"Cache-Control": "no-cache"} | _ANYWHERE)

    @app.get(f"{ROOT}/docs", include_in_schema=False)
    def docs() -> Response:
        return HTMLResponse(_static("reference.html"), headers={"Content-Security-Policy": _DOCS_POLICY})

    @app.get(f"{ROOT}/docs/{{name}}", include_in_schema=False)
    def docs_file(request: Request, name: str) -> Response:
        kinds = {"reference.js": "text/javascript", "reference.css": "text/css"}
        if name not in kinds:
            return problem(request, 404, f"there is nothing at {request.url.path}")
        return Response(_static(name), media_type=kinds[name], headers={"Cache-Control": "no-cache"})


def _static(name: str) -> str:
    return files("vernissage.web").joinpath("static", name).read_text("utf-8")
