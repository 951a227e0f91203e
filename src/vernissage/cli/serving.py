"""The command that serves a study's pages: serve."""

import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.options import DatabasePlace, WorkspacePath
from vernissage.cli.output import note, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.web.study.served import ServedStudy

_CLOSING_SECONDS = 10


def serve(
    workspace: WorkspacePath,
    study: Annotated[Path, typer.Option("--study", help="The study's definition, study.toml.")],
    host: Annotated[str, typer.Option(help="The address to listen at; 0.0.0.0 for every one of this machine.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen at; 0 for any that is free.")] = 8080,
    database: DatabasePlace = None,
    password_file: Annotated[
        Path | None,
        typer.Option(help="A file with the experimenter's password; default: what `study password` has set."),
    ] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="Believe a proxy's X-Forwarded-Proto: cookies over TLS alone.")
    ] = False,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option("--allowed-host", metavar="NAME", help="Answer to this name alone, as in a URL; repeat."),
    ] = None,
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
    from vernissage.web.study.app import create_app
    from vernissage.web.study.served import serve_study
    from vernissage.workspace.workspace import open_workspace

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    opened = open_workspace(workspace)
    with open_study(study, opened, make_engine, database) as running, _listening(host, port) as listener:
        served = serve_study(running, opened.collection, workspace, password_file)
        config = uvicorn.Config(
            create_app(served, _names(host, allowed_host, behind_proxy=behind_proxy)),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=behind_proxy,
            forwarded_allow_ips="*",
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=_CLOSING_SECONDS,
        )
        _announce(served, listener)
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


def _names(host: str, allowed: list[str] | None, *, behind_proxy: bool) -> list[str] | None:
    """Which names the server answers to; one that listens on this machine alone answers to this machine's."""
    from vernissage.web.security import LOCAL_HOSTS

    if allowed:
        return [*allowed, *LOCAL_HOSTS]
    return [host, *LOCAL_HOSTS] if host in {"127.0.0.1", "localhost", "::1"} and not behind_proxy else None


def _announce(served: "ServedStudy", listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    say(f"Serving {served.study.definition.title} at {address}; stop with Ctrl-C")
    if served.password is None:
        note("note: no password is set, so /experimenter stays closed; set one with `vernissage study password`")
