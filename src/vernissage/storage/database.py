"""One database, SQLite or PostgreSQL, opened at its newest schema: many readers, one writer at a time."""

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, select, text

from vernissage.errors import StorageError
from vernissage.storage.changes import current_version
from vernissage.storage.connections import (
    PATIENCE,
    begin,
    new_engine,
    storage_errors,
    stored_revision,
    transaction_kind,
)
from vernissage.storage.schema import METADATA, REVISION, STATE


class Database:
    """Transactions on one database; safe to share among threads, and with processes forked from this one.

    Attributes:
        place: where the database is, without a password, for messages.
    """

    def __init__(self, engine: Engine, place: str) -> None:
        self.place = place
        self._engine = engine
        self._inherited: list[object] = []
        self._turn = threading.Lock()
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
        if not self._turn.acquire(timeout=PATIENCE):
            raise StorageError(
                f"the database {self.place} is locked by another thread for too long; wait until that one has ended "
                f"and try again"
            )
        try:
            with storage_errors(self.place), self._engine.connect() as connection, begin(connection, "writing"):
                # On SQLite the transaction began with the lock; on PostgreSQL the row of the state stands for it.
                if connection.dialect.name == "postgresql":
                    connection.execute(select(STATE.c.version).with_for_update())
                yield connection
        finally:
            self._turn.release()

    def version(self) -> int:
        """The number of the latest change of uploads or ratings."""
        with self.reading() as connection:
            return current_version(connection)

    def purge(self) -> None:
        """Take what was deleted out of the files as far as the database can; see docs/storage.md.

        On SQLite the file is written anew, because moving rows between pages leaves bytes of deleted ones behind that
        its secure deletion does not overwrite, and the log beside it is emptied. Others wait to write meanwhile.

        Raises:
            StorageError: the database cannot be reached or written, or another process still reads the log.
        """
        with storage_errors(self.place), self._engine.connect() as connection, begin(connection, "none"):
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

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _leave_connections_to_parent(self) -> None:
        # A connection that a child used or closed would end its parent's; kept here, they are not collected either.
        self._inherited.append(self._engine.pool)
        self._engine.dispose(close=False)
        self._turn = threading.Lock()


def open_database(place: str | Path) -> Database:
    """Open the database at a path (SQLite) or URL (``postgresql://…``), made or brought up to date where needed.

    One statement reads how far its schema has come. Only where that is not `REVISION` are migrations run, whoever opens
    it, for reading too: all in one transaction, so that after an upgrade every command goes on.

    Raises:
        StorageError: it cannot be reached, opened, written or brought up to date, is of a newer version, or is not
            one of Vernissage; the message says which, and what to do.
    """
    engine, name = new_engine(place)
    try:
        with storage_errors(name), engine.connect() as connection, begin(connection, "reading"):
            found = stored_revision(connection)
        if found != REVISION:
            from vernissage.storage.migrating import migrate

            with storage_errors(name if found is None else f"{name}, whose schema {found} is not {REVISION},"):
                migrate(engine, name)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, name)


def require_writing(connection: Connection) -> None:
    """Check that a transaction holds the writer's lock.

    Raises:
        StorageError: it is one for reading.
    """
    if transaction_kind(connection) != "writing":
        raise StorageError("this changes files that belong to uploads; call it within Database.writing()")
