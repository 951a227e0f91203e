"""The command that serves a study's pages: serve."""

import logging
import socket
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vernissage.cli.options import DatabasePlace, WorkspacePath, option
from vernissage.cli.output import note, say
from vernissage.errors import RequestError

_CLOSING_SECONDS = 10
_PATIENCE = 3.0
"""Seconds that a page waits for another process that writes; browsers and people do not wait for half a minute."""


def serve(
    workspace: WorkspacePath,
    study: Annotated[Path, typer.Option("--study", help="The study's definition, study.toml.")],
    host: str = option("127.0.0.1", "The address to listen at; 0.0.0.0 for every one of this machine."),
    port: int = option(8080, "The port to listen at; 0 for any that is free.", min=0, max=65535),
    database: DatabasePlace = None,
    password_file: Path | None = option(
        None, "A file with the experimenter's password; default: what `study password` has set."
    ),
    behind_proxy: bool = option(
        False, "Believe a proxy's X-Forwarded-Proto and -For: cookies over TLS alone.", "--behind-proxy"
    ),
    invited: Path | None = option(None, "Let those alone take part whose ids are in this file, one a line."),
    signed_links: bool = option(False, "Let those alone begin who follow a link of `study invite`.", "--signed-links"),
    most_starts: int | None = option(None, "Let no more than so many begin.", min=1),
    allowed_host: list[str] | None = option(None, "Answer to this name alone, as in a URL; repeat.", metavar="NAME"),
) -> None:
    """Serve a study: participants' pages at /, the experimenter's at /experimenter, health at /healthz.

    Neither addresses nor user agents are stored or logged. TLS is the proxy's part: docs/study.md has an example.

    \b
    Examples:
      vernissage serve workspace --study study.toml
      vernissage serve workspace --study study.toml --behind-proxy --allowed-host study.example.org
    """
    import uvicorn

    from vernissage.gallery.engines import make_engine
    from vernissage.study.opening import open_study
    from vernissage.web.connections import BoundedConnection, FloodFilter, connection_limits
    from vernissage.web.security import LOCAL_HOSTS
    from vernissage.web.study.app import create_app
    from vernissage.web.study.served import read_invited, serve_study
    from vernissage.workspace.seeing import seen_in
    from vernissage.workspace.workspace import open_workspace

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(FloodFilter())
    # A server that listens on this machine alone answers to this machine's names alone.
    local = host in {"127.0.0.1", "localhost", "::1"} and not behind_proxy
    names = [*(allowed_host or [host]), *LOCAL_HOSTS] if allowed_host or local else None
    ids = None if invited is None else read_invited(invited)
    access = {"behind_proxy": behind_proxy, "invited": ids, "signed": signed_links}
    opened = open_workspace(workspace)
    opening = open_study(study, opened, make_engine, database, patience=_PATIENCE, most_starts=most_starts)
    with opening as running, _listening(host, port) as listener:
        served = serve_study(running, opened.collection, workspace, password_file, partial(seen_in, opened), **access)
        BoundedConnection.most, at_one_go = connection_limits()
        config = uvicorn.Config(
            create_app(served, names),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=behind_proxy,
            forwarded_allow_ips="*",
            http=BoundedConnection,
            backlog=at_one_go,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=_CLOSING_SECONDS,
        )
        at, number = listener.getsockname()[:2]
        address = f"http://{f'[{at}]' if ':' in at else at}:{number}/"
        say(f"Serving {served.study.definition.title} at {address}; stop with Ctrl-C")
        if served.password is None:
            note("note: no password is set, so /experimenter stays closed; set one with `vernissage study password`")
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            note("Stopped; participants go on where they were when it is started again.")


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise RequestError(
            f"cannot listen at {host}, port {port}: {error.strerror or error}; choose another --port "
            f"or --host, or stop what listens there"
        ) from error
