"""All that one process serves: the API of a collection, or of several below a prefix each, and a study beside it."""

import hmac
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from vernissage.errors import RequestError
from vernissage.gallery.engines import make_engine
from vernissage.gallery.gallery import open_gallery
from vernissage.pages.look import Look
from vernissage.storage.people import PeopleRules
from vernissage.web.api.access import Access
from vernissage.web.api.app import create_service
from vernissage.web.api.problems import tell_problems
from vernissage.web.api.service import Service
from vernissage.web.connections import BoundedConnection, connection_limits
from vernissage.web.credentials import load_or_make_secret
from vernissage.web.operations import Metrics, health_router, set_up_logging
from vernissage.web.security import KnownHosts
from vernissage.web.settings import Settings
from vernissage.web.visitor.app import create_pages
from vernissage.web.visitors import Visitors, read_shares
from vernissage.workspace.seeing import seen_in
from vernissage.workspace.workspace import open_workspace

if TYPE_CHECKING:
    from vernissage.web.study.served import ServedStudy

_OF_THE_API = ("/api/", "/healthz", "/readyz", "/metrics", "/vernissage.js", "/mcp")
_INVITED = b"PROLIFIC_PID="  # `web.study.served.ID`, which servers without a study do not import
_OF_STUDIES = ("/study", "/experimenter", "/pictures/")
_DATABASE_SECONDS = 2.0
"""Seconds that a request of the API waits for the database before it is told to come again."""

_STUDY_SECONDS = 3.0
"""Seconds that a page waits for another process that writes; browsers and people do not wait for half a minute."""

_NO_PASSWORD = "no password is set, so /study/experimenter stays closed; set one with `vernissage study password`"  # noqa: S105


class Server:
    """The application that uvicorn runs.

    Attributes:
        title: what is served, in words; ``remarks`` are for whoever started it.
    """

    def __init__(self, settings: Settings, collections: Mapping[str, Path]) -> None:
        """Open ``collections``, workspaces by their prefixes: one alone has none, which is the empty text.

        Raises:
            VernissageError: one of them, or the study, cannot be served.
        """
        self._settings, self._metrics = settings, Metrics()
        self._pages: dict[str, FastAPI] = {}
        self._opened, self._lifespan = ExitStack(), Router(lifespan=self._running)
        self.remarks: list[str] = []
        with ExitStack() as failed:
            failed.callback(self.close)
            served = None if settings.study is None else self._opened.enter_context(self._study(collections))
            checks = [] if served is None else [served.study.database.check]
            self._apis = {prefix: self._api(prefix, path, checks) for prefix, path in collections.items()}
            self.title = ", ".join(api.state.name for api in self._apis.values())
            self._beside: ASGIApp = self._front(checks, next(iter(collections.values())))
            if served is not None:
                from vernissage.web.study.app import create_app

                self.title = served.study.definition.title
                self._beside = create_app(served, settings.names, self._metrics)
                self.remarks += [_NO_PASSWORD] if served.password is None else []
            failed.pop_all()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request by the application that it is for."""
        app, prefix = self._chosen(scope)
        await app({**scope, "root_path": scope.get("root_path", "") + prefix} if prefix else scope, receive, send)

    def close(self) -> None:
        """Close all databases."""
        self._opened.close()

    def _chosen(self, scope: Scope) -> tuple[ASGIApp, str]:
        """The application of a request, and the prefix of its addresses."""
        if scope["type"] == "lifespan":
            return self._lifespan, ""
        path: str = scope["path"]
        prefix = "" if "" in self._apis else path.removeprefix("/").partition("/")[0]
        if prefix not in self._apis:
            return self._beside, ""
        below = f"/{prefix}" if prefix else ""
        if path.removeprefix(below).startswith(_OF_THE_API):
            return self._apis[prefix], below
        invited = path == "/" and _INVITED in scope["query_string"]  # by a link of before studies had /study
        of_study = invited or path.startswith(_OF_STUDIES) or not self._settings.pages
        if self._settings.study is not None and of_study:
            return self._beside, ""
        return (self._pages if self._settings.pages else self._apis)[prefix], below

    @asynccontextmanager
    async def _running(self, _: object) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for api in self._apis.values():
                await stack.enter_async_context(api.router.lifespan_context(api))
            yield
        self.close()

    def _api(self, prefix: str, path: Path, checks: list[Callable[[], None]]) -> FastAPI:
        settings, below = self._settings, f"/{prefix}" if prefix else ""
        database = settings.database and settings.database.replace("{name}", prefix)
        gallery = open_gallery(path, database=database, patience=_DATABASE_SECONDS)
        self._opened.callback(gallery.close)
        secret = load_or_make_secret(path)
        # Copies of one workspace have one secret, and a token of the one is to open nothing of the other.
        secret = hmac.digest(secret, prefix.encode(), "sha256") if prefix else secret
        shares = read_shares(settings.split)
        for engine in shares:
            make_engine(gallery.snapshot.workspace, engine, 1)
        visitors = Visitors(secret, shares, settings.split_by, settings.visitor_days)
        rules = PeopleRules(
            settings.most_uploads, settings.most_picture_mb << 20, settings.most_ratings, settings.require_consent
        )
        address = settings.public_url and settings.public_url.rstrip("/") + below
        service = Service(
            gallery,
            secret,
            address,
            self._metrics,
            visitors,
            review=settings.review_uploads,
            rules=rules,
            pages=settings.pages,
        )
        access = Access(
            service,
            secret,
            open_here=settings.is_local,
            origins=settings.allow_origin,
            each_second=settings.requests_per_second,
        )
        api = create_service(service, access, settings.names, checks)
        if settings.mcp:
            assistant_tools().mount_tools(api, service, access)
        api.state.name = gallery.name
        if settings.pages:
            self._pages[prefix] = create_pages(service, access, settings.look or Look(), settings.names)
        checks.append(gallery.repository.check)
        return api

    def _front(self, checks: list[Callable[[], None]], path: Path) -> FastAPI:
        """What is at no prefix where several collections are served."""
        front = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        front.include_router(health_router(*checks))
        front.add_api_route("/favicon.ico", lambda: Response(status_code=204))  # browsers ask for one
        tell_problems(front, path)
        if self._settings.names is not None:
            front.add_middleware(KnownHosts, hosts=self._settings.names)
        return front

    @contextmanager
    def _study(self, collections: Mapping[str, Path]) -> Iterator["ServedStudy"]:
        from vernissage.study.opening import open_study  # imported here, since most servers have no study
        from vernissage.web.study.served import read_invited, serve_study
        from vernissage.web.templating import Templates

        settings = self._settings
        if "" not in collections or settings.study is None:
            raise RequestError("a study is of one collection; serve that one alone, without a NAME= before it")
        path = collections[""]
        ids = None if settings.invited is None else read_invited(settings.invited)
        opened, how = open_workspace(path), {"patience": _STUDY_SECONDS, "most_starts": settings.most_starts}
        with open_study(settings.study, opened, make_engine, settings.database, **how) as running:  # type: ignore[arg-type]
            seen = partial(seen_in, opened)
            yield serve_study(
                running,
                opened.collection,
                path,
                settings.password_file,
                seen,
                invited=ids,
                signed=settings.signed_links,
                templates=Templates(settings.look, running.definition.title, running.definition.language),
            )


def worker(settings: Settings, collections: Mapping[str, Path]) -> Server:
    """The application of one process, with its log and the bounds of its connections set."""
    set_up_logging(settings.log_format)
    BoundedConnection.most, _ = connection_limits()
    return Server(settings, collections)


def assistant_tools() -> Any:
    """The module `web.mcp`, imported when it is asked for: importing its SDK takes a second.

    Raises:
        RequestError: the extra is not installed.
    """
    try:
        return import_module("vernissage.web.mcp")
    except ImportError as error:
        raise RequestError(
            f"assistants need the package mcp, which is not installed ({error}); install it with "
            f"`pip install 'vernissage[mcp]'`"
        ) from error
