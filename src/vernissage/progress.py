"""How long work reports on itself: library code calls, the command line draws."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int, int], None]
"""Called as ``progress(step, done, total)``: the step's name in plain words, and how many of its units are done.

A ``total`` of 0 is one that nobody knows yet.
"""


def silent(step: str, done: int, total: int) -> None:
    """Report nothing."""


@contextmanager
def meanwhile(do: Callable[[], None], seconds: float) -> Iterator[None]:
    """Call ``do`` every so many seconds, on a thread of its own, for as long as the block runs; it must not raise."""
    ended = threading.Event()

    def again() -> None:
        while not ended.wait(seconds):
            do()

    thread = threading.Thread(target=again, name="meanwhile", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
