"""How long work reports on itself: library code calls, the command line draws."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as ``progress(step, done, total)``: the step's name in plain words, and how many of its units are done."""


def silent(step: str, done: int, total: int) -> None:
    """Report nothing."""
