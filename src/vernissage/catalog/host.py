"""What reading changes in the process that it runs in, for as long as anything is read, in any number of threads."""

import csv
import ctypes
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ContextDecorator, contextmanager, suppress
from functools import cache
from typing import Any

_LONGEST_FIELD = 2**31 - 1


class Shared(ContextDecorator):
    """A context that the first of several threads enters and the last one leaves, so that none ends another's."""

    def __init__(self, change: Callable[[], AbstractContextManager[object]]) -> None:
        self._change = change
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._current = self._change()
                self._current.__enter__()
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._current.__exit__(None, None, None)


def quiet(package: str) -> Shared:
    """Pass over the warnings of a package.

    `warnings.catch_warnings` would restore, in one thread, the filters that another has set meanwhile.
    """
    # The comment in the expression tells this filter from an equal one of the host, which stays.
    pattern = rf"{package}\.(?#vernissage)"
    entry = ("ignore", None, Warning, re.compile(pattern), 0)

    @contextmanager
    def filtered() -> Iterator[None]:
        warnings.filterwarnings("ignore", module=pattern)
        yield
        if entry in warnings.filters:
            warnings.filters.remove(entry)  # type: ignore[attr-defined]  # a list, typed as a sequence

    return Shared(filtered)


@cache
def _libtiff_error_handler() -> Any:
    """Pillow's own libtiff's setter, found through the module that is linked with it; None where it is not reached."""
    from PIL import _imaging

    try:
        handler = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
    except (OSError, AttributeError):
        return None
    handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
    return handler


@contextmanager
def _quiet_libtiff() -> Iterator[None]:
    handler = _libtiff_error_handler()
    before = handler(None) if handler else None
    yield
    if handler:
        handler(before)


quiet_libtiff = Shared(_quiet_libtiff)
"""Let libtiff raise its errors without writing each to standard error as well: a damaged file wrote 180 lines."""


def return_memory() -> None:
    """Give what was freed back to the system; else the C library keeps the size of the largest picture per thread."""
    with suppress(AttributeError, OSError, TypeError):  # libraries other than glibc do so by themselves
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(_LONGEST_FIELD)
    yield
    if csv.field_size_limit() == _LONGEST_FIELD:  # else the host has set another one meanwhile
        csv.field_size_limit(before)


long_fields = Shared(_long_fields)
"""Let `csv` read cells of any length, whose limit is one for the whole process."""
