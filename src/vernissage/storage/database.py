"""One database, SQLite or PostgreSQL, opened at its newest schema: many readers, one writer at a time.

Connections are set so that what was confirmed survives and what was deleted is gone. What the databases report becomes
one line that says what to do, without a password.
"""

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, QueuePool, RootTransaction, create_engine, event, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from vernissage.errors import Kind, RequestError, StorageError
from vernissage.files import is_full
from vernissage.storage.changes import current_version
from vernissage.storage.schema import METADATA, REVISION, REVISION_TABLE, STATE

PATIENCE = 30.0
"""Seconds that a writer waits for another before it gives up; less in a server, where somebody waits for a page."""

TransactionKind = Literal["reading", "writing", "none"]

_KIND = "vernissage_transaction"
_ISOLATION = {"reading": "REPEATABLE READ", "writing": "READ COMMITTED", "none": "AUTOCOMMIT"}
_EXAMPLES = "give a path such as workspace/vernissage.db, or a URL such as postgresql://user:password@host/database"
_CONNECTIONS: dict[str, Any] = {
    "poolclass": QueuePool, "pool_size": 8, "max_overflow": 24,
    # What people uploaded belongs neither in logs nor in messages.
    "hide_parameters": True,
}  # fmt: skip

_REFERENCES = text("PRAGMA foreign_key_check")

_SQLITE_SAYS = {
    "SQLITE_NOTADB": "is not a database of Vernissage; choose another path, or move that file away",
    "SQLITE_CORRUPT": "is damaged; restore it from a backup",
    "SQLITE_FULL": "has no space left on its disk; free space and try again; nothing of this change was written",
    "SQLITE_BUSY": "is locked by another process for too long; wait until that one has ended and try again",
    "SQLITE_LOCKED": "is locked by another process for too long; wait until that one has ended and try again",
    "SQLITE_READONLY": "cannot be written to; make the file and its folder writable, or choose another place",
    "SQLITE_CANTOPEN": "cannot be opened; its folder must exist and be writable",
    "SQLITE_IOERR": "cannot be read or written by its disk; check the disk and try again; nothing was half-written",
}
_PERHAPS_FULL = ("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")
_POSTGRESQL_SAYS = {
    "42501": "does not let this user do that; grant the user the right to create tables in it",
    "53100": "has no space left on its disk; free space and try again; nothing of this change was written",
    "55P03": "is locked by another process for too long; wait until that one has ended and try again",
    "25006": "can only be read; use the URL of the server that may be written to",
}
_SHUT_DOWN = ("57P01", "57P02", "57P03")
_UNREACHABLE = (
    "cannot be reached, or the connection was lost; check that the server runs, and the host and port of the URL; "
    "what was not confirmed was not written"
)


class Database:
    """Transactions on one database; safe to share among threads, and with processes forked from this one.

    Attributes:
        place: where the database is, without a password, for messages.
    """

    def __init__(self, engine: Engine, place: str, patience: float = PATIENCE) -> None:
        self.place = place
        self._patience = patience
        self._engine = engine
        self._inherited: list[object] = []
        self._turn = threading.Lock()
        self._file: tuple[int, int] | None = None
        if hasattr(os, "register_at_fork"):
            # The system never forgets what is registered with it, so that is not to keep the database alive.
            leave = weakref.WeakMethod(self._leave_connections_to_parent)
            os.register_at_fork(after_in_child=lambda: (still_there := leave()) and still_there())

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of everything, whatever is written meanwhile, and cannot write.

        Raises:
            StorageError: the database cannot be reached or read.
        """
        with storage_errors(self.place), self._engine.connect() as connection, begin(connection, "reading"):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one writing transaction at this time; others wait. It is on the disk when the block has ended well.

        If the block raises, or the process dies, nothing of it was written.

        Raises:
            StorageError: the database cannot be reached or written, or another writer keeps it for too long.
        """
        if not self._turn.acquire(timeout=self._patience):
            raise StorageError(
                f"the database {self.place} is locked by another thread for too long; wait until that one has ended "
                f"and try again"
            )
        try:
            self._require_file()
            with storage_errors(self.place), self._engine.connect() as connection, begin(connection, "writing"):
                # On SQLite the transaction began with the lock; on PostgreSQL the row of the state stands for it.
                if connection.dialect.name == "postgresql":
                    connection.execute(select(STATE.c.version).with_for_update())
                yield connection
        finally:
            self._turn.release()

    def _require_file(self) -> None:
        """Refuse to write where SQLite's file is not the one that was opened: it would be confirmed, and be lost."""
        if self._engine.dialect.name != "sqlite" or not self._engine.url.database:
            return
        try:
            found = Path(self._engine.url.database).stat()
        except FileNotFoundError:
            here = None
        else:
            here = (found.st_dev, found.st_ino)
            self._file = self._file or here
        if self._file is not None and here != self._file:
            raise StorageError(
                f"the database {self.place} was moved away or replaced while it was in use, so nothing was written; "
                f"put it back, or start this program again"
            )

    def version(self) -> int:
        """The number of the latest change of uploads or ratings."""
        with self.reading() as connection:
            return current_version(connection)

    def check(self) -> None:
        """Check that the database answers, by a connection of its own: however many wait for one, this does not.

        Raises:
            StorageError: it cannot be reached or read.
        """
        pool = self._engine.pool.recreate()
        try:
            with closing(pool.connect()) as connection:
                connection.cursor().execute(str(select(STATE.c.version)))
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise StorageError(f"the database {self.place} does not answer: {_first_line(str(error))}") from error
        finally:
            pool.dispose()

    def faults(self) -> tuple[str, ...]:
        """What is wrong with the database's own files, read whole: nothing where all is well, and on PostgreSQL.

        Raises:
            StorageError: it cannot be read at all.
        """
        with self.reading() as connection:
            if connection.dialect.name == "postgresql":  # which checks its pages by itself
                return ()
            told = [*connection.scalars(text("PRAGMA integrity_check(10)"))]
            told += [f"a row of {row[0]} refers to one that is missing" for row in connection.execute(_REFERENCES)]
            return tuple(dict.fromkeys(each for each in told if each != "ok"))

    def purge(self) -> None:
        """Take what was deleted out of the files as far as the database can; see docs/storage.md.

        On SQLite the file is written anew, because moving rows between pages leaves bytes of deleted ones behind that
        its secure deletion does not overwrite, and the log beside it is emptied. Others wait to write meanwhile.

        Raises:
            StorageError: the database cannot be reached or written, or another process still reads the log.
        """
        with self.maintaining(", whose deleted rows are yet to leave its files,") as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"VACUUM {', '.join(METADATA.tables)}"))
                return
            connection.execute(text("VACUUM"))
            busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).scalar_one()
        if busy:
            raise StorageError(
                f"deleted rows are still in the log of {self.place} because another process reads it; they go when "
                f"the last process has closed it"
            )

    @contextmanager
    def maintaining(self, about: str = "") -> Iterator[Connection]:
        """A connection outside of transactions, each statement of which may take as long as it takes.

        Raises:
            StorageError: the database cannot be reached, or refuses; ``about`` stands behind its name there.
        """
        with storage_errors(self.place + about), self._engine.connect() as connection, begin(connection, "none"):
            driver: Any = connection.connection.driver_connection
            if connection.dialect.name != "postgresql":
                yield connection
                return
            driver.bounded = False
            try:
                yield connection
            finally:
                driver.bounded = True

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _leave_connections_to_parent(self) -> None:
        # A connection that a child used or closed would end its parent's; kept here, they are not collected either.
        self._inherited.append(self._engine.pool)
        self._engine.dispose(close=False)
        self._turn = threading.Lock()


def open_database(place: str | Path, patience: float | None = None) -> Database:
    """Open the database at a path (SQLite) or URL (``postgresql://…``), made or brought up to date where needed.

    One statement reads how far its schema has come. Only where that is not `REVISION` are migrations run, whoever opens
    it, for reading too: all in one transaction, so that after an upgrade every command goes on.

    ``patience`` is how many seconds a writer waits for another; None for half a minute.

    Raises:
        StorageError: it cannot be reached, opened, written or brought up to date, is of a newer version, or is not
            one of Vernissage; the message says which, and what to do.
    """
    patience = PATIENCE if patience is None else patience
    engine, name = new_engine(place, patience)
    try:
        with storage_errors(name), engine.connect() as connection, begin(connection, "reading"):
            found = stored_revision(connection)
        if found != REVISION:
            from vernissage.storage.migrating import migrate

            slow, _ = new_engine(place)  # large tables take longer than a request may
            with storage_errors(name if found is None else f"{name}, whose schema {found} is not {REVISION},"):
                try:
                    migrate(slow, name)
                finally:
                    slow.dispose()
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, name, patience)


def require_writing(connection: Connection) -> None:
    """Check that a transaction holds the writer's lock. Raises StorageError: it is one for reading."""
    if _transaction_kind(connection) != "writing":
        raise StorageError("this changes files that belong to uploads; call it within Database.writing()")


def new_engine(place: str | Path, patience: float = PATIENCE) -> tuple[Engine, str]:
    """An engine for a path or URL, and the place's name without a password; nothing is opened yet.

    Raises:
        StorageError: the URL cannot be read, is of another kind of database, or needs a driver that is missing.
    """
    if "://" not in str(place):
        return _sqlite(Path(place), patience), str(place)
    url = _url(str(place))
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise StorageError(f"the URL {place} names no file; {_EXAMPLES}", kind=Kind.BAD_REQUEST)
        return _sqlite(Path(url.database), patience), url.database
    return _postgresql(url, patience), url.render_as_string(hide_password=True)


def begin(connection: Connection, kind: TransactionKind) -> RootTransaction:
    """Begin a transaction: for ``reading`` one state, for ``writing``, or ``none`` for statements outside of any."""
    options: dict[str, Any] = {_KIND: kind}
    if connection.dialect.name == "postgresql":
        options["isolation_level"] = _ISOLATION[kind]
        options["postgresql_readonly"] = kind == "reading"
    return connection.execution_options(**options).begin()


def _transaction_kind(connection: Connection) -> TransactionKind:
    """What `begin` began."""
    kind: TransactionKind = connection.get_execution_options().get(_KIND, "reading")
    return kind


def stored_revision(connection: Connection) -> str | None:
    """The migration that the database has arrived at, by one statement; None before the first."""
    try:
        found: str | None = connection.scalar(text(f"SELECT version_num FROM {REVISION_TABLE}"))  # noqa: S608
    except DBAPIError as error:
        if "no such table" in str(error.orig) or getattr(error.orig, "sqlstate", None) == "42P01":
            return None
        raise
    return found


def _url(place: str) -> URL:
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):
        raise StorageError(f"the database URL cannot be read; {_EXAMPLES}", kind=Kind.BAD_REQUEST) from None
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in {"sqlite", "sqlite+pysqlite"}:
        return url
    raise StorageError(
        f"databases of the kind {url.drivername!r} are not supported; {_EXAMPLES}", kind=Kind.BAD_REQUEST
    )


def _postgresql(url: URL, patience: float) -> Engine:
    options = f"-c lock_timeout={round(patience * 1000)}"
    defaults = {"application_name": "vernissage", "options": options}
    defaults["connect_timeout"] = (
        f"{min(10, max(2, round(patience)))}"  # the driver takes less than two seconds for two
    )
    # A server that has gone without a word is noticed by what it leaves unacknowledged, or by silence.
    defaults["tcp_user_timeout"] = f"{round(patience * 1000)}"
    defaults |= {"keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "2"}
    url = url.set(query=defaults | dict(url.query))
    try:
        # A connection that the server ended meanwhile is found and replaced before it is used.
        engine = create_engine(url, pool_pre_ping=True, pool_timeout=patience, **_CONNECTIONS)
        event.listen(engine, "do_connect", _connector(2 * patience + 1))
    except ImportError as error:
        raise StorageError(
            f"PostgreSQL needs the driver psycopg, which is not installed ({error}); install it with "
            f"`pip install 'vernissage[postgres]'`"
        ) from error
    return engine


def _connector(seconds: float) -> Callable[..., Any]:
    """What connects to PostgreSQL, with a bound on how long a statement may take.

    A server that hangs acknowledges what it is sent, so that neither TCP nor its own time limits tell of it.
    """
    import psycopg

    class Bounded(psycopg.Connection[Any]):
        bounded = True

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            limit = seconds if timeout is None and self.bounded else timeout
            try:
                return super().wait(gen, interval, limit)
            except psycopg.OperationalError:
                if limit is not None and self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                    self.pgconn.finish()  # else giving it back would wait for it once more
                raise

    return lambda _dialect, _record, given, named: Bounded.connect(*given, **named)


def _sqlite(path: Path, patience: float) -> Engine:
    url = URL.create("sqlite", database=str(path))
    with suppress(OSError):  # SQLite would make it readable by everybody; where it cannot be made, SQLite tells
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    # The driver's own way of beginning transactions is switched off; `_begin` begins them.
    arguments = {"timeout": patience, "isolation_level": None, "check_same_thread": False}
    engine = create_engine(url, connect_args=arguments, pool_timeout=patience, **_CONNECTIONS)
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
    kind = _transaction_kind(connection)
    if connection.info.get(_KIND) != kind:
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if kind == 'reading' else 'OFF'}")
        # A transaction's temporary files may hold what it deletes, so they stay off the disk; the copy of everything
        # that VACUUM makes may be too large for memory.
        connection.exec_driver_sql(f"PRAGMA temp_store = {'FILE' if kind == 'none' else 'MEMORY'}")
        connection.info[_KIND] = kind
    if kind != "none":
        connection.exec_driver_sql("BEGIN" if kind == "reading" else "BEGIN IMMEDIATE")


@contextmanager
def storage_errors(place: str) -> Iterator[None]:
    """Turn errors of the database at ``place`` into `StorageError`, a line that says what to do.

    Raises:
        StorageError: the block raised an error of the database or of the pool of its connections.
        RequestError: what was to be kept or looked for has a NUL character.
    """
    try:
        yield
    except DBAPIError as error:
        # PostgreSQL's driver refuses it before the server sees it, so it has no code.
        if "cannot contain NUL" in str(error.orig):
            raise RequestError("a text has a NUL character, which the database cannot keep; leave it out") from error
        raise StorageError(f"the database {place} {_meaning(error, place)}") from error
    except PoolTimeoutError as error:
        raise StorageError(f"the database {place} is used by too many at once; wait a moment and try again") from error


def _meaning(error: DBAPIError, place: str) -> str:
    cause = error.orig
    name, state = getattr(cause, "sqlite_errorname", None), getattr(cause, "sqlstate", None)
    reported = f"reports: {_first_line(str(cause))}"
    if name is not None:
        if name.startswith(_PERHAPS_FULL) and is_full(Path(place)):
            name = "SQLITE_FULL"
        return next((meaning for prefix, meaning in _SQLITE_SAYS.items() if name.startswith(prefix)), reported)
    if state is None:
        # Without a code there was no connection; a server that answered says why after the word FATAL.
        _, answered, words = str(cause).partition("FATAL:")
        if answered:
            return f"refuses the connection ({_first_line(words)}); check user, password and database name in the URL"
    if state is None or state.startswith("08") or state in _SHUT_DOWN:
        return _UNREACHABLE
    return _POSTGRESQL_SAYS.get(state, reported)


def _first_line(words: str) -> str:
    return next(iter(words.strip().splitlines()), "nothing")
