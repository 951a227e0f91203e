"""Time from a page to its answer, by the server's clocks alone."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from vernissage.storage.studies import Clock

LONGEST = 86_400.0
"""Seconds; more is no time at a page but an interruption, or a clock that was set."""

_REMEMBERED = 20_000  # pages; older ones fall back to the time of day


@dataclass(frozen=True)
class Clocks:
    """The two clocks: the time of day, which can be set, and one that only goes forward and ends with the process."""

    utc: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic


class Stopwatch:
    """When participants' pages became theirs, by the clock that nobody can set; safe to share among threads."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._since: OrderedDict[tuple[str, int], float] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, key: str, page: int) -> None:
        """A page has become a participant's current one."""
        with self._lock:
            self._since[key, page] = self._clocks.monotonic()
            if len(self._since) > _REMEMBERED:
                self._since.popitem(last=False)

    def read(self, key: str, page: int, since: datetime) -> tuple[float, Clock]:
        """Seconds since the page became current, 0 to 86,400 with three decimals, and by which clock.

        The time of day serves where another process, or this one before a restart, made the page current: then the
        difference from ``since`` counts. ``clamped`` means that the difference was outside of the range.
        """
        with self._lock:
            started = self._since.get((key, page))
        now = self._clocks.monotonic() if started is not None else self._clocks.utc().timestamp()
        seconds = now - (started if started is not None else since.timestamp())
        if not 0 <= seconds <= LONGEST:
            return min(max(seconds, 0.0), LONGEST), "clamped"
        return round(seconds, 3), "utc" if started is None else "monotonic"

    def forget(self, key: str, page: int) -> None:
        """The page was answered."""
        with self._lock:
            self._since.pop((key, page), None)
