"""The commands that serve collections over HTTP, and a study beside them, and to assistants: serve, mcp."""

import os
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import make_dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic_core import PydanticUndefined

from vernissage.cli.options import DatabasePlace, Place, option
from vernissage.cli.output import note, say
from vernissage.errors import RequestError
from vernissage.web.settings import Settings, read_settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from vernissage.web.serving import Server

    Options = Any

_CLOSING_SECONDS, _HUNG_SECONDS = 10, 30
"""How long requests in flight may take to end, and a worker to say that it lives, while it starts too."""


def _option(name: str, of: "FieldInfo") -> tuple[str, Any, Any]:
    """A setting as a field of options; those that are lists may be repeated."""
    if name == "database":
        return name, DatabasePlace, None
    default = of.default if of.default is not PydanticUndefined else None
    several = isinstance(default, tuple)
    kind = list[str] | None if several else of.annotation if default is None else type(default)
    # A flag that is set already is one that can be taken back: typer adds --no-NAME where no name is given.
    names = [f"--{name.replace('_', '-')}"] if default is False else []
    about = str(of.description).replace("; several.", "; repeat.")
    return name, kind, option(None if several else default, about, *names)


if not TYPE_CHECKING:
    Options = make_dataclass(
        "Options", [_option(*each) for each in Settings.model_fields.items() if each[0] != "look"], frozen=True
    )


def serve(
    context: typer.Context,
    workspaces: Annotated[
        list[str], typer.Argument(metavar="WORKSPACE…", help="A workspace, or several: NAME=WORKSPACE each.")
    ],
    given: Options,
    settings: Path | None = option(None, "A TOML file of settings; options and the environment have precedence."),
) -> None:
    """Serve a collection: the REST API at /api/v1, its reference at /api/v1/docs, health at /healthz, /metrics.

    Several are served below a prefix each: /NAME/api/v1. With --study also its participants' pages at /study and the
    experimenter's at /study/experimenter. Neither addresses nor user agents are stored or logged. TLS is the proxy's
    part: docs/study.md has an example. Each option may also be set by the environment (VERNISSAGE_PORT) or by a file.

    \b
    Examples:
      vernissage serve workspace
      vernissage serve workspace --study study.toml --behind-proxy 127.0.0.1 --allowed-host study.example.org
      vernissage serve paintings=workspace-1 drawings=workspace-2 --workers 2 --settings settings.toml
    """
    words = {name: value for name, value in vars(given).items() if _is_written(context, name)}
    told = read_settings(words, settings)
    _run(told, _collections(workspaces, told))


def mcp(
    place: Place, public_url: str = option("", "Where the collection is served, for links to works.", metavar="URL")
) -> None:
    """Let an assistant read a collection by standard input and output: the Model Context Protocol.

    Its tools search, recommend, show and explain; none writes. Over HTTP the same are at /mcp of `serve --mcp`.

    \b
    Examples:
      vernissage mcp workspace
      vernissage mcp workspace --public-url https://works.museum.example
    """
    from vernissage.web.api.service import Service
    from vernissage.web.serving import assistant_tools

    tools = assistant_tools()
    service = Service(place.gallery(people=False), b"", public_url)  # without tokens there is nothing to sign
    service.start()
    try:
        tools.make_tools(service).run("stdio")
    finally:
        service.stop()


def _is_written(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _collections(words: list[str], settings: Settings) -> Mapping[str, Path]:
    """Workspaces by prefix. Raises RequestError: a prefix is missing, repeated or no part of an address."""
    if len(words) == 1 and ("=" not in words[0] or Path(words[0]).exists()):
        return {"": Path(words[0])}
    found: dict[str, Path] = {}
    for word in words:
        name, _, path = word.partition("=")
        if not path or name in found or not name.isascii() or not name.replace("-", "").isalnum():
            raise RequestError(
                f"{word} is no collection; give each as NAME=WORKSPACE, with names of their own of letters, digits, -"
            )
        found[name] = Path(path)
    if settings.database is not None and "{name}" not in settings.database and len(found) > 1:
        raise RequestError("each collection has a database of its own; put {name} into the place of the database")
    return found


def _run(settings: Settings, collections: Mapping[str, Path]) -> None:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from vernissage.web.connections import connection_limits
    from vernissage.web.operations import SHARED

    class Workers(Multiprocess):
        def keep_subprocess_alive(self) -> None:
            # With this end open too, a worker that dies while it is asked whether it lives would be waited for in vain.
            for each in self.processes:
                each.child_conn.close()
            super().keep_subprocess_alive()

    with _socket(settings.host, settings.port) as listener, tempfile.TemporaryDirectory() as folder:
        server = _worker(settings, collections)
        several = settings.workers > 1
        config = uvicorn.Config(
            partial(_worker, settings, collections) if several else server,
            factory=several,
            workers=settings.workers,
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.behind_proxy),
            forwarded_allow_ips=list(settings.behind_proxy),
            http="vernissage.web.connections:BoundedConnection",
            backlog=connection_limits()[1],
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=_CLOSING_SECONDS,
            timeout_worker_healthcheck=_HUNG_SECONDS,
        )
        at, number = listener.getsockname()[:2]
        say(f"Serving {server.title} at http://{f'[{at}]' if ':' in at else at}:{number}/; stop with Ctrl-C")
        note(*server.remarks, kind="note")
        try:
            if several:
                # Whatever could not be opened was told by now; each process opens its own.
                server.close()
                os.environ[SHARED] = folder
                Workers(config, [listener]).run()
            else:
                uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            note("Stopped; whoever was in the middle of something goes on when it is started again.")


def _worker(settings: Settings, collections: Mapping[str, Path]) -> "Server":
    """As `web.serving.worker`; here, so that a process says that it lives before it imports all of it."""
    from vernissage.web.serving import worker

    return worker(settings, collections)


def _socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise RequestError(
            f"cannot listen at {host}, port {port}: {error.strerror or error}; choose another --port "
            f"or --host, or stop what listens there"
        ) from error
