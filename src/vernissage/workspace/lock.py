"""At most one writer at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from vernissage.errors import WorkspaceError

LOCK_NAME = ".writer.lock"


@contextmanager
def sole_writer(workspace: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Hold the workspace for writing; the operating system lets go of it when the process dies, however it dies.

    ``patience`` is how many seconds another writer is waited for.

    Raises:
        WorkspaceError: another process is writing, or the folder cannot be written to.
    """
    lock = FileLock(workspace / LOCK_NAME)
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=patience)
    except Timeout:
        raise WorkspaceError(
            f"another process is writing to {workspace}; wait until it has ended and run the same command again"
        ) from None
    except OSError as error:
        raise WorkspaceError(
            f"cannot write to {workspace}: {error.strerror or error}; choose a folder that you may write to"
        ) from error
    try:
        yield
    finally:
        lock.release()
