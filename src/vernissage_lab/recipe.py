"""What an experiment is, how it is run into a folder with a record, and how the folder is read back."""

import hashlib
import os
import platform
import re
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

import vernissage
from vernissage.errors import ProvenanceError, RequestError
from vernissage.files import read_json, write_json
from vernissage.progress import Progress, silent
from vernissage_lab.tables import Row, Table, read_table, write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vernissage_lab.cells import Cells
    from vernissage_lab.published.folder import PublishedFolder
    from vernissage_lab.report import PublishedBlock


@dataclass(frozen=True)
class About:
    """An experiment in words, of ``recipes/experiments.toml``.

    Attributes:
        name: the command's word, or for what the product's study recomputes, its command.
        paper: which tables and figures, of which paper.
        what: what it does, in a line.
        needs: what it works on.
        protocol: how it is done, sentence by sentence, to be filled in by `told`; nothing for commands of the study.
    """

    name: str
    paper: str
    what: str
    needs: str
    protocol: tuple[str | Mapping[str, Any], ...] = ()

    def told(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """How a run with these options of its record was done, sentence by sentence."""
        facts = _Facts({name: worded(value) for name, value in options.items()})
        sentences = [{"say": each} if isinstance(each, str) else each for each in self.protocol]
        return tuple(
            str(each["say"]).format_map(facts)
            for each in sentences
            if all(_holds(condition, options) for condition in each.get("when", ()))
        )


class _Facts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return f"(a number of {name.replace('_', ' ')} that the record does not tell)"


def _holds(condition: str, options: Mapping[str, Any]) -> bool:
    """Whether an option is given, or holds a value, as in ``clusterings:ward:5``; after ``not``: does not."""
    name, colon, value = condition.removeprefix("not ").partition(":")
    found = options.get(name)
    return (value in (found or ()) if colon else bool(found)) != condition.startswith("not ")


def worded(value: Any) -> str:
    """A JSON value as people write it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {worded(each)}" for name, each in value.items()) or "none"
    if isinstance(value, str) and re.fullmatch(r"\d+(,\d+)+", value):
        return value.replace(",", ", ")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return (", ".join(map(worded, value)) or "all") if isinstance(value, list) else str(value)


_WORDS, _OPTIONS, MEASURED = (
    tomllib.loads(files("vernissage_lab.recipes").joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    for name in ("experiments", "options", "measures")
)

EXPERIMENTS: Mapping[str, About] = MappingProxyType(
    {name: About(name, **{**words, "protocol": tuple(words.get("protocol", ()))}) for name, words in _WORDS.items()}
)
"""All experiments, those of the study among them."""

RECIPES: Mapping[str, str] = MappingProxyType(
    {name: about.what for name, about in EXPERIMENTS.items() if about.protocol}
)
"""What `experiment run` can run, each with a line on what it does: the ``RECIPE`` of the module of its name."""

RECORD = "record.json"
PACKAGES = ("numpy", "scipy", "scikit-learn", "faiss-cpu", "torch", "transformers", "onnxruntime")
"""Libraries that numbers can depend on, whose versions a record names."""

Tables = Mapping[str, Sequence[Row]]
"""Tidy tables by name."""

MARKS = "published"
"""A table that only figures of the report get: rows of means as others published them, with the column ``by``."""

Record = Mapping[str, Any]
"""What a run wrote of itself: experiment, options, inputs, notes, versions and so on."""


Words = list[str] | None
"""The words of an option that can be repeated; None where it is not given."""

PictureFolder = Annotated[
    Path | None, typer.Option("--pictures", help="The folder below which the pictures lie; else beside the file.")
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out captions without pictures, pictures without captions; count them.")
]
CaptionFields = Annotated[
    Words,
    typer.Option("--caption", help="Galleries: fields of one caption, as title+keywords; repeat for several captions."),
]


@dataclass(frozen=True)
class Options:
    """Options of an experiment: fields are options of its command, with type and default; help as ``options.toml`` has.

    What cannot be is refused in ``__post_init__``, before anything is opened.
    """

    def __init_subclass__(cls) -> None:
        for name, told in _OPTIONS.get(cls.__name__, {}).items():
            settings = {"help": told} if isinstance(told, str) else dict(told)
            kind = typer.Argument if settings.pop("argument", False) else typer.Option
            option = kind(*settings.pop("names", ()), **settings)
            cls.__annotations__[name] = Annotated[cls.__annotations__[name], option]

    def record(self) -> dict[str, Any]:
        """What a record tells of them: what was given or has a default; places on this machine are left out."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None and not isinstance(value, Path)}

    def require(self, **least: int) -> None:
        """Refuse numbers that are too small. Raises RequestError: the option of that name is below its least value."""
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                option = f"--{name.replace('_', '-')}"
                raise RequestError(f"{option} {getattr(self, name)} cannot be; give {lowest} or more")


@dataclass(frozen=True)
class RunOptions:
    """Where a run goes and how far."""

    cells: Annotated[int | None, typer.Option(help="Compute so many cells and stop; run again to go on.")] = None
    seed: Annotated[int, typer.Option(help="Equal seeds give equal results.")] = 0
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="The folder of the run; default experiments/NAME. Resumable."),
    ] = None

    def folder(self, recipe: str) -> Path:
        """Where that recipe is run."""
        return self.out or Path("experiments") / recipe


@dataclass(frozen=True)
class Outcome:
    """What came out.

    Attributes:
        tables: by name; those that are empty are not written.
        notes: where this run differs from the paper's protocol, and what could not be computed.
        inputs: what a record says of each input: data, data_fingerprint, encoder, encoder_fingerprint, works, and more.
    """

    tables: Tables
    notes: tuple[str, ...] = ()
    inputs: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Published:
    """A value that was published.

    Attributes:
        what: what was measured.
        value: as it was published.
        source: where.
        needs: what a run must have for a value of its own, in words.
        ours: from tables and record to our value; empty where the run has not what it ``needs``.
        difference: where the protocol of a run that has it is another; empty where it agrees.
    """

    what: str
    value: str
    source: str
    needs: str
    ours: Callable[[Tables, Record], str]
    difference: Callable[[Record], str] = lambda _: ""


@dataclass(frozen=True)
class Picture:
    """A figure and what it shows, in words."""

    figure: "Figure"
    alt: str


@dataclass(frozen=True, eq=False)
class Run:
    """What a folder holds: the record and the tables."""

    recipe: str
    record: Record
    tables: Tables


@dataclass(frozen=True)
class Recipe:
    """An experiment that one command runs.

    Attributes:
        about: it, in words.
        options: the class of its options, an `Options`.
        compute: from options and `Cells` to what came out; its docstring is the command's help.
        pictures: from tables, of which there are some, to figures by file name, in the papers' layout.
        views: from the same to what is printed and put on the page.
        published: values to set beside ours.
        beside: from a run and the authors' files to blocks of the report and published values for the figures.
    """

    about: About
    options: type[Options]
    compute: "Callable[[Any, Cells], Outcome]"
    pictures: Callable[[Tables], Mapping[str, Picture]]
    views: Callable[[Tables], Sequence[Table]]
    published: tuple[Published, ...] = ()
    beside: "Callable[[Run, PublishedFolder], tuple[list[PublishedBlock], list[Row]]] | None" = None

    @property
    def name(self) -> str:
        """The command's word."""
        return self.about.name


def recipe_of(name: str) -> Recipe:
    """The experiment of that name. Raises RequestError: there is none."""
    if name not in RECIPES:
        raise RequestError(f"there is no experiment {name!r} in this version; choose from {', '.join(RECIPES)}")
    found: Recipe = import_module(f"vernissage_lab.recipes.{name.replace('-', '_')}").RECIPE
    return found


def run_recipe(recipe: Recipe, options: Options, run: RunOptions, progress: Progress = silent) -> Run:
    """Compute the recipe, cell by cell, and write tables, figures and the record into the run's folder.

    Cells lie below ``cells``; run again with the same inputs, finished ones are read. Tables and figures are equal for
    equal inputs; times stand in the record alone.

    Raises:
        RequestError: the folder is a file or holds another experiment, or as the recipe.
        WorkspaceError: the folder cannot be written.
    """
    from vernissage.pages.figures import save_figure
    from vernissage_lab.cells import Cells

    folder = run.folder(recipe.name)
    _require_own(folder, recipe.name)
    cells = Cells(folder, recipe.name, seed=run.seed, most=run.cells, progress=progress)
    start = time.perf_counter()
    outcome = recipe.compute(options, cells)
    tables = {name: list(rows) for name, rows in outcome.tables.items() if rows}
    for name, rows in tables.items():
        write_table(folder, name, rows)
    pictures = recipe.pictures(tables) if tables else {}
    for name, picture in pictures.items():
        save_figure(picture.figure, folder / f"{name}.png")
    left = f"{cells.skipped} cells are left for another run with the same folder and options"
    record = {
        "experiment": recipe.name,
        "paper": recipe.about.paper,
        "seed": run.seed,
        "options": {name: _plain(value) for name, value in options.record().items()},
        "inputs": list(outcome.inputs),
        "notes": list(dict.fromkeys([*outcome.notes, *([left] if cells.skipped else [])])),
        "versions": versions(),
        "machine": machine(),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": {"this_run": round(time.perf_counter() - start, 2), "all_cells": round(cells.seconds, 2)},
        "cells": {"computed": cells.made, "read": cells.read, "left": cells.skipped},
        "tables": {name: hashlib.sha256((folder / f"{name}.csv").read_bytes()).hexdigest() for name in tables},
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


def versions() -> dict[str, str]:
    """The versions of this package, of Python, and of the libraries that numbers can depend on, where installed."""
    found = {"vernissage": vernissage.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """What ran: cores, memory and kind of processor, and no name."""
    try:
        memory = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        memory = None
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": memory,
        "processor": platform.machine(),
        "system": platform.system(),
    }


def _require_own(folder: Path, name: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise RequestError(f"{folder} is a file, but a run fills a folder; name another place with --out")
    if (folder / RECORD).is_file():
        other = str(read_json(folder / RECORD).get("experiment"))
        if other != name:
            raise RequestError(f"{folder} holds the experiment {other}; choose another folder for {name} with --out")


def _plain(value: Any) -> Any:
    """A JSON value; what is no plain value stands by its own description."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)
