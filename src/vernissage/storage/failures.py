"""What databases report, in words that say what to do; never with a password."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from vernissage.errors import StorageError

_SQLITE = {
    "SQLITE_NOTADB": "is not a database of Vernissage; choose another path, or move that file away",
    "SQLITE_CORRUPT": "is damaged; restore it from a backup",
    "SQLITE_FULL": "has no room left on its disk; free space and try again; nothing of this change was written",
    "SQLITE_BUSY": "is locked by another process for too long; wait until that one has ended and try again",
    "SQLITE_LOCKED": "is locked by another process for too long; wait until that one has ended and try again",
    "SQLITE_READONLY": "cannot be written to; make the file and its folder writable, or choose another place",
    "SQLITE_CANTOPEN": "cannot be opened; its folder must exist and be writable",
    "SQLITE_IOERR": "cannot be read or written by its disk; check the disk and try again; nothing was half-written",
}
_POSTGRESQL = {
    "42501": "does not let this user do that; grant the user the right to create tables in it",
    "53100": "has no room left on its disk; free space and try again; nothing of this change was written",
    "55P03": "is locked by another process for too long; wait until that one has ended and try again",
    "25006": "can only be read; use the URL of the server that may be written to",
}
_SHUT_DOWN = ("57P01", "57P02", "57P03")
_UNREACHABLE = (
    "cannot be reached, or the connection was lost; check that the server runs, and the host and port of the URL; "
    "what was not confirmed was not written"
)


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn errors of the database at ``place`` into a line that says what to do.

    Raises:
        StorageError: the block raised an error of the database or of the pool of its connections.
    """
    try:
        yield
    except DBAPIError as error:
        raise StorageError(f"the database {place} {_meaning(error)}") from error
    except PoolTimeoutError as error:
        raise StorageError(f"the database {place} is used by too many at once; wait a moment and try again") from error


def _meaning(error: DBAPIError) -> str:
    cause = error.orig
    name = getattr(cause, "sqlite_errorname", None)
    if name is not None:
        return next((meaning for prefix, meaning in _SQLITE.items() if name.startswith(prefix)), _reported(cause))
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return _connection_failed(str(cause))
    if state.startswith("08") or state in _SHUT_DOWN:
        return _UNREACHABLE
    return _POSTGRESQL.get(state, _reported(cause))


def _connection_failed(message: str) -> str:
    """Without a code there was no connection; a server that answered says why after the word FATAL."""
    _, answered, words = message.partition("FATAL:")
    if not answered:
        return _UNREACHABLE
    return f"refuses the connection ({_first_line(words)}); check user, password and database name in the URL"


def _reported(cause: BaseException | None) -> str:
    return f"reports: {_first_line(str(cause))}"


def _first_line(words: str) -> str:
    return next(iter(words.strip().splitlines()), "nothing")
