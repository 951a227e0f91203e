"""How often somebody may ask, kept in memory alone and for a bounded number of people."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

REMEMBERED = 10_000
"""How many askers one limit remembers; the one who asked longest ago is forgotten first."""


@dataclass(frozen=True)
class Allowance:
    """So many requests at once, and then so many a second (a token bucket)."""

    at_once: float
    each_second: float


class RateLimit:
    """Counts requests by name; safe to share among threads. Time is the monotonic clock, which nobody can set."""

    def __init__(self, allowance: Allowance, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowance = allowance
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, name: str) -> int:
        """Count one request of ``name``: 0 when it is allowed, else in how many seconds one will be."""
        with self._lock:
            now = self._clock()
            left, since = self._left.pop(name, (self._allowance.at_once, now))
            left = min(self._allowance.at_once, left + (now - since) * self._allowance.each_second)
            allowed = left >= 1
            self._left[name] = (left - allowed, now)
            if len(self._left) > REMEMBERED:
                self._left.popitem(last=False)
            return 0 if allowed else math.ceil((1 - left) / self._allowance.each_second)
