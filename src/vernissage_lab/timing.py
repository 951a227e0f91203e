"""Single calls timed side by side: methods take turns, so that a drifting machine hits all alike."""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from vernissage_lab.recipe import machine, versions
from vernissage_lab.tables import Row

CLOCKS = ("cpu", "wall")
"""Of which times are told: the processor's and the one on the wall, as columns begin."""

_TOKENIZERS = "TOKENIZERS_PARALLELISM"
"""The variable that Hugging Face's tokenizers look at whenever they are called."""


@dataclass(frozen=True)
class Timed:
    """One call: milliseconds by the clock, milliseconds of the processor, and what came back."""

    wall_ms: float
    cpu_ms: float
    answer: Any


def timed(
    call: Callable[[], Any], *, cpu: Callable[[], float] = time.thread_time, settled: Callable[[], None] = lambda: None
) -> Timed:
    """Time one call, without collecting garbage meanwhile.

    Args:
        cpu: the processor's clock in seconds. By default that of the calling thread, so that whoever draws progress
            beside it does not count; work on other threads would be missed: call it within `on_one_thread`, or give
            ``time.process_time``.
        settled: returns when nothing that a call has begun is under way on a device, such as
            ``torch.cuda.synchronize``; called before each reading of the clocks.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        settled()
        wall, used = time.perf_counter(), cpu()
        answer = call()
        settled()
        taken = cpu() - used, time.perf_counter() - wall
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
def on_threads(count: int) -> Iterator[None]:
    """So many threads for every library that is loaded by now: linear algebra, torch, OpenCV, tokenizers."""
    torch, opencv = sys.modules.get("torch"), sys.modules.get("cv2")
    before = torch.get_num_threads() if torch else 0, opencv.getNumThreads() if opencv else 0
    parallel = os.environ.get(_TOKENIZERS)
    os.environ[_TOKENIZERS] = str(count > 1).lower()
    try:
        with threadpool_limits(count):
            _set_threads(torch, opencv, (count, count))
            yield
    finally:
        _set_threads(torch, opencv, before)
        if parallel is None:
            del os.environ[_TOKENIZERS]
        else:
            os.environ[_TOKENIZERS] = parallel


def column(rows: Sequence[Row], name: str) -> np.ndarray:
    """A column of numbers, float64 (n,)."""
    return np.array([float(row[name]) for row in rows])


def spread(name: str, values: np.ndarray) -> dict[str, float]:
    """Median and 95th percentile of milliseconds, as columns that begin with ``name``."""
    return {f"{name}_median_ms": float(np.median(values)), f"{name}_p95_ms": float(np.quantile(values, 0.95))}


def medians(row: Row) -> tuple[tuple[float, float], tuple[float, float]]:
    """Median and 95th percentile of each of `CLOCKS`, of a row with the columns of `spread`."""
    cpu, wall = ((row[f"{clock}_median_ms"], row[f"{clock}_p95_ms"]) for clock in CLOCKS)
    return cpu, wall


def where_timed() -> dict[str, Any]:
    """What a cell of times depends on besides its options: on another machine, or by other libraries, they differ."""
    return {"versions": versions(), "machine": machine()}


def _set_threads(torch: Any, opencv: Any, counts: tuple[int, int]) -> None:
    if torch:
        torch.set_num_threads(counts[0])
    if opencv:
        opencv.setNumThreads(counts[1])
