"""The cells of a grid, computed one after the other or side by side in processes of their own."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from vernissage.errors import RequestError
from vernissage.progress import Progress
from vernissage.search.scan import one_thread
from vernissage_lab.cells import Cells
from vernissage_lab.tidy import Row


@dataclass(frozen=True, eq=False)
class Part:
    """A cell that is to be there: what it depends on, as JSON values, and what computes its rows."""

    options: Mapping[str, Any]
    compute: Callable[[], Sequence[Row]]


def rows_of(parts: Sequence[Part], cells: Cells, *, step: str, workers: int, progress: Progress) -> list[list[Row]]:
    """The rows of every part, in their order; none for those that are left for another run.

    Every part is computed on one thread: equal input gives equal bits, however many ``workers`` there are, and single
    small searches are faster so. With two workers or more, parts are sent to processes, so that ``compute`` must be
    something that can be sent; large arrays are shared among them as files. Finished cells are kept at once.

    Raises:
        RequestError: less than one worker.
        ProvenanceError: a kept cell is damaged.
    """
    if workers < 1:
        raise RequestError(f"{workers} workers cannot compute anything; give 1 or more with --workers")
    found: list[list[Row]] = [[] for _ in parts]
    missing: list[int] = []
    for place, part in enumerate(parts):
        if (kept := cells.kept(part.options)) is not None:
            found[place] = kept
        elif cells.may_compute(len(missing)):
            missing.append(place)
        else:
            cells.skipped += 1
    done = len(parts) - len(missing)
    progress(step, done, len(parts))
    for place, rows, seconds in _computed(parts, missing, min(workers, len(missing))):
        found[place] = cells.keep(parts[place].options, rows, seconds)
        done += 1
        progress(step, done, len(parts))
    return found


def _computed(parts: Sequence[Part], missing: Sequence[int], workers: int) -> Iterator[tuple[int, list[Row], float]]:
    """The places of parts, their rows and how long these took, as they are finished."""
    if workers < 2:
        yield from (_alone(place, parts[place].compute) for place in missing)
        return
    from joblib import Parallel, delayed

    side_by_side = Parallel(n_jobs=workers, return_as="generator_unordered")
    yield from side_by_side(delayed(_alone)(place, parts[place].compute) for place in missing)


def _alone(place: int, compute: Callable[[], Sequence[Row]]) -> tuple[int, list[Row], float]:
    start = time.perf_counter()
    with one_thread(), threadpool_limits(1):
        rows = list(compute())
    return place, rows, time.perf_counter() - start
