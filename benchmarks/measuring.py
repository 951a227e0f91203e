"""Side-by-side timing: contenders take turns in one process, and only their ratio is quoted."""

import gc
import time
import tracemalloc
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any


def cpu_seconds(contenders: Mapping[str, Callable[[], Any]], *, rounds: int = 7) -> dict[str, float]:
    """Median CPU seconds of each contender, called in turns so that a drifting machine hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for contender in contenders.values():
        contender()
    for _ in range(rounds):
        for name, contender in contenders.items():
            gc.disable()
            started = time.process_time()
            contender()
            taken[name].append(time.process_time() - started)
            gc.enable()
    return {name: median(values) for name, values in taken.items()}


def peak_bytes(make: Callable[[], Any]) -> int:
    """The most memory that Python and NumPy hold at once while ``make`` runs."""
    tracemalloc.start()
    kept = make()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del kept
    return peak


def megabytes(size: float) -> str:
    """Bytes as megabytes for a table."""
    return f"{size / 1e6:,.1f} MB"
