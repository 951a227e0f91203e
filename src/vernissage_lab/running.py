"""Running a recipe into a folder, and reading the folder back."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vernissage.errors import ProvenanceError, RequestError
from vernissage.files import read_json, write_json
from vernissage.pages.figures import save_figure
from vernissage_lab.cells import Cells
from vernissage_lab.recipes.contract import Input, Outcome, Recipe, Tables
from vernissage_lab.records import machine, options_of, versions
from vernissage_lab.tidy import read_table, write_table

RECORD = "record.json"


@dataclass(frozen=True, eq=False)
class Run:
    """What a folder holds: the record, the tables, and the figures' names."""

    recipe: str
    record: Mapping[str, Any]
    tables: Tables


def run_recipe(
    recipe: Recipe,
    folder: Path,
    compute: Callable[[Cells], Outcome],
    *,
    materials: Sequence[Input] = (),
    options: object,
    seed: int,
    most_cells: int | None = None,
) -> Run:
    """Compute what ``compute`` says, cell by cell, and write tables, figures and the record into ``folder``.

    Cells lie below ``folder``/cells; run again with the same inputs, finished ones are read. Tables and figures are
    equal for equal inputs; times stand in the record alone.

    Raises:
        RequestError: the folder holds another experiment, or as ``compute``.
        WorkspaceError: the folder cannot be written.
    """
    _require_own(folder, recipe.name)
    cells = Cells(folder / "cells", {"recipe": recipe.name, "seed": seed}, most=most_cells)
    start = time.perf_counter()
    outcome = compute(cells)
    tables = {name: list(rows) for name, rows in outcome.tables.items() if rows}
    for name, rows in tables.items():
        write_table(folder, name, rows)
    pictures = recipe.pictures(tables)
    for name, picture in pictures.items():
        save_figure(picture.figure, folder / f"{name}.png")
    record = {
        "experiment": recipe.name,
        "paper": recipe.paper,
        "seed": seed,
        "options": options_of(options),
        "inputs": [material.describe() for material in materials],
        "notes": list(outcome.notes),
        "versions": versions(),
        "machine": machine(),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": {"this_run": round(time.perf_counter() - start, 2), "all_cells": round(cells.seconds, 2)},
        "cells": {"computed": cells.made, "read": cells.read, "left": cells.skipped},
        "tables": {name: _digest(folder / f"{name}.csv") for name in tables},
        "figures": {name: picture.alt for name, picture in pictures.items()},
    }
    write_json(folder / RECORD, record)
    return Run(recipe.name, record, tables)


def read_run(folder: Path) -> Run:
    """Read what `run_recipe` wrote.

    Raises:
        RequestError: the folder holds no finished experiment, or its tables are damaged.
    """
    if not (folder / RECORD).is_file():
        raise RequestError(f"{folder} holds no experiment; give a folder that `vernissage lab experiment run` wrote")
    record = read_json(folder / RECORD)
    if not isinstance(record, dict) or not {"experiment", "tables", "options"} <= record.keys():
        raise ProvenanceError(f"{folder / RECORD} is no record of an experiment; run the experiment again")
    return Run(str(record["experiment"]), record, {name: read_table(folder, name) for name in record["tables"]})


def _require_own(folder: Path, name: str) -> None:
    if (folder / RECORD).is_file():
        other = str(read_json(folder / RECORD).get("experiment"))
        if other != name:
            raise RequestError(f"{folder} holds the experiment {other}; choose another folder for {name} with --out")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
