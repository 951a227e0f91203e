"""The finished parts of an experiment, kept one by one, so that a killed run goes on where it stopped."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import vernissage
from vernissage.errors import ProvenanceError
from vernissage.files import digest, read_json, write_bytes
from vernissage_lab.tidy import Row


class Cells:
    """The cells of one run: what was computed before is read, the rest computed and written, each to its own file.

    A cell is found again by everything that it depends on: the version of this package, what the run is (recipe,
    data, encoders, seed) and its own options. Cells of other runs in the same folder are left alone.

    Attributes:
        made: how many cells were computed now.
        read: how many were there already.
        skipped: how many were left for another run, because ``most`` were computed.
        seconds: how long the cells took when they were computed, all together.
    """

    def __init__(self, folder: Path | None, run: Mapping[str, Any], *, most: int | None = None) -> None:
        """Keep cells in ``folder``, nowhere if that is None; compute at most ``most`` of them."""
        self._folder = folder
        self._run = {"version": vernissage.__version__, **run}
        self._most = most
        self.made = self.read = self.skipped = 0
        self.seconds = 0.0

    def rows(self, options: Mapping[str, Any], compute: Callable[[], Sequence[Row]]) -> list[Row] | None:
        """The rows of the cell with these ``options`` (JSON values); None where it is left for another run.

        Raises:
            ProvenanceError: the cell's file is damaged.
        """
        if (known := self.kept(options)) is not None:
            return known
        if not self.may_compute():
            self.skipped += 1
            return None
        start = time.perf_counter()
        rows = list(compute())
        return self.keep(options, rows, time.perf_counter() - start)

    def may_compute(self, more: int = 0) -> bool:
        """Whether another cell may be computed now, after those that were and ``more``."""
        return self._most is None or self.made + more < self._most

    def will_compute(self, options: Mapping[str, Any]) -> bool:
        """Whether `rows` would compute the cell with these ``options`` now, rather than read it or leave it."""
        path = self._path(options)
        return self.may_compute() and (path is None or not path.is_file())

    def kept(self, options: Mapping[str, Any]) -> list[Row] | None:
        """The rows of the cell with these ``options`` as they were computed before; None where they were not.

        Raises:
            ProvenanceError: the cell's file is damaged.
        """
        path = self._path(options)
        return self._known(path) if path is not None and path.is_file() else None

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
        if self._folder is None:
            return None
        key = json.dumps([self._run, dict(options)], sort_keys=True, ensure_ascii=False)
        return self._folder / f"{digest(key.encode())[:24]}.json"

    def _known(self, path: Path) -> list[Row]:
        content = read_json(path)
        if not isinstance(content, dict) or not {"rows", "seconds"} <= content.keys():
            raise ProvenanceError(f"{path} is no cell of an experiment; delete it and run the experiment again")
        self.read += 1
        self.seconds += float(content["seconds"])
        rows: list[Row] = content["rows"]
        return rows
