"""The commands that serve a collection over HTTP, and a study beside it, and to assistants: serve, mcp."""

import logging
import socket
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.cli.options import Place, given, option
from vernissage.cli.output import note, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vernissage.web.study.served import ServedStudy

_CLOSING_SECONDS = 10
_DATABASE_SECONDS = 2.0
"""Seconds that a request of the API waits for the database before it is told to come again."""

_PATIENCE = 3.0
"""Seconds that a page waits for another process that writes; browsers and people do not wait for half a minute."""


@dataclass(frozen=True)
class Listening:
    """Where the server listens, and what it is called."""

    host: str = option("127.0.0.1", "The address to listen at; 0.0.0.0 for every one of this machine.")
    port: int = option(8000, "The port to listen at; 0 for any that is free.", min=0, max=65535)
    behind_proxy: bool = option(
        False, "Believe a proxy's X-Forwarded-Proto and -For: cookies over TLS alone.", "--behind-proxy"
    )
    allowed_host: list[str] | None = option(None, "Answer to this name alone, as in a URL; repeat.", metavar="NAME")
    allow_origin: list[str] | None = option(
        None, "Let pages of this site ask, such as https://museum.example: for the widget; repeat.", metavar="ORIGIN"
    )
    review_uploads: bool = option(
        False, "Show shared uploads to others once `admin review` has let them.", "--review-uploads"
    )
    public_url: str = option("", "How addresses in answers begin; default: as requests come in.", metavar="URL")

    @property
    def names(self) -> list[str] | None:
        """The host names that are answered to; None for any."""
        from vernissage.web.security import LOCAL_HOSTS

        # A server that listens on this machine alone answers to this machine's names alone.
        named = self.allowed_host or self.is_local
        return [*(self.allowed_host or [self.host]), *LOCAL_HOSTS] if named else None

    @property
    def is_local(self) -> bool:
        """Whether this machine alone can ask: then no key is needed."""
        return self.host in {"127.0.0.1", "localhost", "::1"} and not self.behind_proxy


@dataclass(frozen=True)
class StudyAccess:
    """Who may take part in a study, and who may look at it."""

    password_file: Path | None = option(
        None, "A file with the experimenter's password; default: what `study password` has set."
    )
    invited: Path | None = option(None, "Let those alone take part whose ids are in this file, one a line.")
    signed_links: bool = option(False, "Let those alone begin who follow a link of `study invite`.", "--signed-links")
    most_starts: int | None = option(None, "Let no more than so many begin.", min=1)


def serve(
    place: Place,
    listening: Listening,
    access: StudyAccess,
    study: Path | None = option(None, "A study's definition, study.toml: serve it too.", "--study"),
    mcp: bool = option(False, "Answer assistants at /mcp: the Model Context Protocol.", "--mcp"),
) -> None:
    """Serve a collection: the REST API at /api/v1, its reference at /api/v1/docs, health at /healthz, /metrics.

    With --study also its participants' pages at /study and the experimenter's at /study/experimenter. Neither addresses
    nor user agents are stored or logged. TLS is the proxy's part: docs/study.md has an example.

    \b
    Examples:
      vernissage serve workspace
      vernissage serve workspace --study study.toml --behind-proxy --allowed-host study.example.org
    """
    from vernissage.gallery.gallery import open_gallery
    from vernissage.web.api.access import Access
    from vernissage.web.api.app import create_service
    from vernissage.web.api.service import Service
    from vernissage.web.connections import FloodFilter
    from vernissage.web.credentials import load_or_make_secret
    from vernissage.web.serving import beside

    if study is None and given(access):
        raise RequestError("options of a study were given without one; name its definition with --study")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(FloodFilter())
        handler.setLevel(logging.WARNING)  # libraries set lower levels of their own
    with ExitStack() as opened:
        gallery = open_gallery(place.workspace, database=place.database, patience=_DATABASE_SECONDS)
        secret = load_or_make_secret(place.workspace)
        service = Service(gallery, secret, listening.public_url, review=listening.review_uploads)
        keys = Access(service, secret, open_here=listening.is_local, origins=listening.allow_origin or ())
        title, remarks, served = gallery.name, list[str](), None
        if study is not None:
            served = opened.enter_context(_study(place, study, access, behind_proxy=listening.behind_proxy))
        checks = () if served is None else (served.study.database.check,)
        app: Any = create_service(service, keys, listening.names, checks)
        if mcp:
            _tools().mount_tools(app, service, keys)
        if served is not None:
            app, title = beside(app, served, listening.names), served.study.definition.title
            if served.password is None:
                remarks.append(
                    "no password is set, so /study/experimenter stays closed; set one with `vernissage study password`"
                )
        _run(app, listening, title, remarks)


def mcp(
    place: Place,
    public_url: str = option("", "Where the collection is served, for links to works.", metavar="URL"),
) -> None:
    """Let an assistant read a collection by standard input and output: the Model Context Protocol.

    Its tools search, recommend, show and explain; none writes. Over HTTP the same are at /mcp of `serve --mcp`.

    \b
    Examples:
      vernissage mcp workspace
      vernissage mcp workspace --public-url https://works.museum.example
    """
    from vernissage.web.api.service import Service

    tools = _tools()
    service = Service(place.gallery(people=False), b"", public_url)  # without tokens there is nothing to sign
    service.start()
    try:
        tools.make_tools(service).run("stdio")
    finally:
        service.stop()


def _tools() -> Any:
    try:
        return import_module("vernissage.web.mcp")
    except ImportError as error:
        raise RequestError(
            f"assistants need the package mcp, which is not installed ({error}); install it with "
            f"`pip install 'vernissage[mcp]'`"
        ) from error


def _run(app: Any, listening: Listening, title: str, remarks: list[str]) -> None:
    import uvicorn

    from vernissage.web.connections import BoundedConnection, connection_limits

    with _socket(listening.host, listening.port) as listener:
        BoundedConnection.most, at_one_go = connection_limits()
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=listening.behind_proxy,
            forwarded_allow_ips="*",
            http=BoundedConnection,
            backlog=at_one_go,
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=_CLOSING_SECONDS,
        )
        at, number = listener.getsockname()[:2]
        say(f"Serving {title} at http://{f'[{at}]' if ':' in at else at}:{number}/; stop with Ctrl-C")
        note(*remarks, kind="note")
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            note("Stopped; whoever was in the middle of something goes on when it is started again.")


@contextmanager
def _study(place: Place, study: Path, access: StudyAccess, *, behind_proxy: bool) -> "Iterator[ServedStudy]":
    from vernissage.gallery.engines import make_engine
    from vernissage.study.opening import open_study
    from vernissage.web.study.served import read_invited, serve_study
    from vernissage.workspace.seeing import seen_in
    from vernissage.workspace.workspace import open_workspace

    ids = None if access.invited is None else read_invited(access.invited)
    how = {"behind_proxy": behind_proxy, "invited": ids, "signed": access.signed_links}
    opened, most = open_workspace(place.workspace), access.most_starts
    with open_study(study, opened, make_engine, place.database, patience=_PATIENCE, most_starts=most) as running:
        seen = partial(seen_in, opened)
        yield serve_study(running, opened.collection, place.workspace, access.password_file, seen, **how)


def _socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise RequestError(
            f"cannot listen at {host}, port {port}: {error.strerror or error}; choose another --port "
            f"or --host, or stop what listens there"
        ) from error
