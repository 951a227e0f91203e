"""The command that serves a study's pages: serve."""

import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.options import DatabasePlace
from vernissage.cli.output import note, say
from vernissage.cli.recommending import WorkspacePath
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.study.participation import Study
    from vernissage.web.study_site import Site

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

    from vernissage.cli.study_opening import opened_study
    from vernissage.web.app import create_app

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    with opened_study(study, workspace, database) as opened, _listening(host, port) as listener:
        site = _site_of(opened, workspace, password_file)
        config = uvicorn.Config(
            create_app(site, _names(host, allowed_host, behind_proxy=behind_proxy)),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=behind_proxy,
            forwarded_allow_ips="*",
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=_CLOSING_SECONDS,
        )
        _announce(site, listener)
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            note("Stopped; participants go on where they were when it is started again.")


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("serve")(serve)


def _site_of(study: "Study", workspace: Path, password_file: Path | None) -> "Site":
    from vernissage.web.credentials import hash_password, load_or_make_secret, stored_password
    from vernissage.web.pictures import Pictures
    from vernissage.web.sessions import Sessions
    from vernissage.web.study_site import Site
    from vernissage.workspace.workspace import open_workspace

    collection, secret = open_workspace(workspace).collection, load_or_make_secret(workspace)
    password = stored_password(workspace) if password_file is None else hash_password(read_password(password_file))
    sessions = Sessions(secret, study.definition.id, password)
    return Site(study, collection, Pictures(collection, secret), sessions, password)


def read_password(path: Path) -> str:
    """The first line of a file.

    Raises:
        RequestError: it is empty, or no text.
    """
    try:
        password = path.read_text("utf-8").partition("\n")[0].strip()
    except UnicodeDecodeError:
        password = ""
    if not password:
        raise RequestError(f"{path} holds no password; write one into its first line, as UTF-8")
    return password


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
    from vernissage.web.headers import LOCAL_HOSTS

    if allowed:
        return [*allowed, *LOCAL_HOSTS]
    return [host, *LOCAL_HOSTS] if host in {"127.0.0.1", "localhost", "::1"} and not behind_proxy else None


def _announce(site: "Site", listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    say(f"Serving {site.study.definition.title} at {address}; stop with Ctrl-C")
    if site.password is None:
        note("note: no password is set, so /experimenter stays closed; set one with `vernissage study password`")
