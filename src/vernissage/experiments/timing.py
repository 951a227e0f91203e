"""Single calls timed side by side: contenders take turns, so that a drifting machine hits all alike."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from vernissage.search.scan import one_thread


@dataclass(frozen=True)
class Timed:
    """One call: milliseconds by the clock, milliseconds of the processor, and what came back."""

    wall_ms: float
    cpu_ms: float
    answer: Any


def timed(call: Callable[[], Any]) -> Timed:
    """Time one call on the thread that makes it, without collecting garbage meanwhile.

    The processor's time is that of this thread, so that whoever draws progress beside it does not count. Work on other
    threads would be missed: call it within `alone`.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        wall, cpu = time.perf_counter(), time.thread_time()
        answer = call()
        taken = time.thread_time() - cpu, time.perf_counter() - wall
    finally:
        if collecting:
            gc.enable()
    return Timed(1e3 * taken[1], 1e3 * taken[0], answer)


def in_turns(calls: Sequence[Callable[[], Any]], turn: int) -> list[Timed]:
    """Time each call once, beginning with another one each ``turn``; the results stand in the calls' order."""
    order = [(turn + place) % len(calls) for place in range(len(calls))]
    found = {place: timed(calls[place]) for place in order}
    return [found[place] for place in range(len(calls))]


@contextmanager
def alone() -> Iterator[None]:
    """One thread for FAISS and for every library of linear algebra."""
    with one_thread(), threadpool_limits(1):
        yield
