"""Who reads a workspace: shared locks on its folder, which the operating system lets go of when a process dies."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from weakref import finalize

if sys.platform != "win32":
    import fcntl

_PATIENCE = 1.0
"""Seconds that a reader waits for a writer who deletes; whoever may read the folder could hold its lock for ever."""


def mark_reader(workspace: Path, reader: object) -> Callable[[], object]:
    """Mark a folder as being read for as long as ``reader`` lives, or until what is returned is called.

    Nothing is written, so that a folder may be read that cannot be written to. Where there are no such locks, as on
    Windows and on some network file systems, there is no mark, and `alone` is never sure.
    """
    try:
        handle = os.open(workspace, os.O_RDONLY)
    except OSError:
        return lambda: None
    until = time.monotonic() + _PATIENCE
    while not _lock(handle, shared=True) and time.monotonic() < until:
        time.sleep(0.01)
    return finalize(reader, partial(os.close, handle))


@contextmanager
def alone(workspace: Path) -> Iterator[bool]:
    """Whether surely nobody reads the folder; who comes meanwhile waits until the block ends, up to a second."""
    try:
        handle = os.open(workspace, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        yield _lock(handle, shared=False)
    finally:
        os.close(handle)


def _lock(handle: int, *, shared: bool) -> bool:
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
