"""The parts of a run, computed one by one or in processes side by side, and kept, so that a killed run goes on."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

import vernissage
from vernissage.errors import ProvenanceError, RequestError
from vernissage.files import digest, read_checked, read_regular, write_bytes
from vernissage.progress import Progress, silent
from vernissage.search.scan import one_thread
from vernissage_lab.tables import Row


class Cells:
    """The cells of one run: what was computed before is read, the rest computed and written, each to its own file.

    A cell is found again by everything that it depends on: the version of this package, what the run is (recipe and
    seed) and its own options. Cells of other runs in the same folder are left alone.

    Attributes:
        folder: of the run, or None to keep nothing; cells lie below ``folder``/cells.
        seed: of all that is drawn.
        progress: told how far the run is.
        made: how many cells were computed now.
        read: how many were there already.
        skipped: how many were left for another run, because ``most`` were computed.
        seconds: how long the cells took when they were computed, all together.
    """

    def __init__(
        self,
        folder: Path | None = None,
        recipe: str = "",
        *,
        seed: int = 0,
        most: int | None = None,
        progress: Progress = silent,
    ) -> None:
        self.folder = folder
        self.seed = seed
        self.progress = progress
        self._run = {"version": vernissage.__version__, "recipe": recipe, "seed": seed}
        self._most = most
        self.made = self.read = self.skipped = 0
        self.seconds = 0.0

    @property
    def place(self) -> Path:
        """The folder of the run. Raises RequestError: the run keeps nothing."""
        if self.folder is None:
            raise RequestError("this experiment keeps vectors or models; give its run a folder")
        return self.folder

    @property
    def how(self) -> dict[str, Any]:
        """Seed and progress, as functions that fit or encode take them."""
        return {"seed": self.seed, "progress": self.progress}

    def may_compute(self, more: int = 0) -> bool:
        """Whether another cell may be computed now, after those that were and ``more``."""
        return self._most is None or self.made + more < self._most

    def kept(self, options: Mapping[str, Any]) -> list[Row] | None:
        """The rows of the cell with these ``options`` (JSON values) as they were computed before, or None.

        Raises:
            ProvenanceError: the cell's file is damaged.
        """
        path = self._path(options)
        if path is None or not path.is_file():
            return None
        content = read_checked(path, lambda: json.loads(read_regular(path)))  # figures may be NaN
        if not isinstance(content, dict) or not {"rows", "seconds"} <= content.keys():
            raise ProvenanceError(f"{path} is no cell of an experiment; delete it and run the experiment again")
        self.read += 1
        self.seconds += float(content["seconds"])
        rows: list[Row] = content["rows"]
        return rows

    def keep(self, options: Mapping[str, Any], rows: list[Row], seconds: float) -> list[Row]:
        """Keep the rows of a cell, which took so long to compute; returns them."""
        path = self._path(options)
        if path is not None:
            content = {"options": dict(options), "seconds": seconds, "rows": rows}
            write_bytes(path, json.dumps(content, ensure_ascii=False).encode())
        self.made += 1
        self.seconds += seconds
        return rows

    def _path(self, options: Mapping[str, Any]) -> Path | None:
        if self.folder is None:
            return None
        key = json.dumps([self._run, dict(options)], sort_keys=True, ensure_ascii=False)
        return self.folder / "cells" / f"{digest(key.encode())[:24]}.json"


@dataclass(frozen=True, eq=False)
class Part:
    """A cell that is to be there: what it depends on, as JSON values, and what computes its rows."""

    options: Mapping[str, Any]
    compute: Callable[[], Sequence[Row] | Iterator[Row]]


def rows_of(
    parts: Sequence[Part], cells: Cells, step: str, *, workers: int = 1, threads: bool = False
) -> list[list[Row]]:
    """The rows of every part, in their order; none for those that are left for another run.

    Every part is computed on one thread, unless ``threads`` leaves that to itself: equal input gives equal bits,
    however many ``workers`` there are, and single small searches are faster so. With two workers or more, parts are
    sent to processes, so that ``compute`` must be something that can be sent; large arrays are shared among them as
    files. Finished cells are kept at once.

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
    cells.progress(step, done, len(parts))
    for place, rows, seconds in _computed(parts, missing, min(workers, len(missing)), threads):
        found[place] = cells.keep(parts[place].options, rows, seconds)
        done += 1
        cells.progress(step, done, len(parts))
    return found


@contextmanager
def on_one_thread() -> Iterator[None]:
    """One thread for FAISS and for every library of linear algebra."""
    with one_thread(), threadpool_limits(1):
        yield


def _computed(
    parts: Sequence[Part], missing: Sequence[int], workers: int, threads: bool
) -> Iterator[tuple[int, list[Row], float]]:
    """The places of parts, their rows and how long these took, as they are finished."""
    if workers < 2:
        yield from (_timed(place, parts[place].compute, threads) for place in missing)
        return
    from joblib import Parallel, delayed

    side_by_side = Parallel(n_jobs=workers, return_as="generator_unordered")
    yield from side_by_side(delayed(_timed)(place, parts[place].compute, threads) for place in missing)


def _timed(
    place: int, compute: Callable[[], Sequence[Row] | Iterator[Row]], threads: bool
) -> tuple[int, list[Row], float]:
    start = time.perf_counter()
    if threads:
        rows = list(compute())
    else:
        with on_one_thread():
            rows = list(compute())
    return place, rows, time.perf_counter() - start
