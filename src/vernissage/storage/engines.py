"""Connections to SQLite and PostgreSQL, set so that what was confirmed survives and what was deleted is gone."""

import sqlite3
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, QueuePool, RootTransaction, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from vernissage.errors import StorageError

PATIENCE = 30.0
"""Seconds that a writer waits for another before it gives up."""

TransactionKind = Literal["reading", "writing", "none"]

_KIND = "vernissage_transaction"
_ISOLATION = {"reading": "REPEATABLE READ", "writing": "READ COMMITTED", "none": "AUTOCOMMIT"}
_EXAMPLES = "give a path such as workspace/vernissage.db, or a URL such as postgresql://user:password@host/database"
_CONNECTIONS: dict[str, Any] = {
    "poolclass": QueuePool, "pool_size": 8, "max_overflow": 24, "pool_timeout": PATIENCE,
    # What people uploaded belongs neither in logs nor in messages.
    "hide_parameters": True,
}  # fmt: skip


def new_engine(place: str | Path) -> tuple[Engine, str]:
    """An engine for a path or URL, and the place's name without a password; nothing is opened yet.

    Raises:
        StorageError: the URL cannot be read, is of another kind of database, or needs a driver that is missing.
    """
    if "://" not in str(place):
        return _sqlite(Path(place)), str(place)
    url = _url(str(place))
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise StorageError(f"the URL {place} names no file; {_EXAMPLES}")
        return _sqlite(Path(url.database)), url.database
    return _postgresql(url), url.render_as_string(hide_password=True)


def begin(connection: Connection, kind: TransactionKind) -> RootTransaction:
    """Begin a transaction: for ``reading`` one state, for ``writing``, or ``none`` for statements outside of any."""
    options: dict[str, Any] = {_KIND: kind}
    if connection.dialect.name == "postgresql":
        options["isolation_level"] = _ISOLATION[kind]
        options["postgresql_readonly"] = kind == "reading"
    return connection.execution_options(**options).begin()


def transaction_kind(connection: Connection) -> TransactionKind:
    """What `begin` began."""
    kind: TransactionKind = connection.get_execution_options().get(_KIND, "reading")
    return kind


def _url(place: str) -> URL:
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):
        raise StorageError(f"the database URL cannot be read; {_EXAMPLES}") from None
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in {"sqlite", "sqlite+pysqlite"}:
        return url
    raise StorageError(f"databases of the kind {url.drivername!r} are not supported; {_EXAMPLES}")


def _postgresql(url: URL) -> Engine:
    patience = f"-c lock_timeout={round(PATIENCE * 1000)}"
    defaults = {"connect_timeout": "10", "application_name": "vernissage", "options": patience}
    url = url.set(query=defaults | dict(url.query))
    try:
        # A connection that the server ended meanwhile is found and replaced before it is used.
        return create_engine(url, pool_pre_ping=True, **_CONNECTIONS)
    except ImportError as error:
        raise StorageError(
            f"PostgreSQL needs the driver psycopg, which is not installed ({error}); install it with "
            f"`pip install 'vernissage[postgres]'`"
        ) from error


def _sqlite(path: Path) -> Engine:
    url = URL.create("sqlite", database=str(path))
    # The driver's own way of beginning transactions is switched off; `_begin` begins them.
    arguments = {"timeout": PATIENCE, "isolation_level": None, "check_same_thread": False}
    engine = create_engine(url, connect_args=arguments, **_CONNECTIONS)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    for setting in (
        "foreign_keys = ON",
        "secure_delete = ON",
        # Flush the log at every commit: what was confirmed survives a power cut. The next two matter on macOS only.
        "synchronous = FULL",
        "fullfsync = ON",
        "checkpoint_fullfsync = ON",
        "journal_size_limit = 67108864",
    ):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: Connection) -> None:
    kind = transaction_kind(connection)
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if kind == 'reading' else 'OFF'}")
    # A transaction's temporary files may hold what it deletes, so they stay off the disk; a copy of everything may not.
    connection.exec_driver_sql(f"PRAGMA temp_store = {'FILE' if kind == 'none' else 'MEMORY'}")
    if kind != "none":
        connection.exec_driver_sql("BEGIN" if kind == "reading" else "BEGIN IMMEDIATE")
