"""Runs as one page: what was done, what came out, what was published, and what ran."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vernissage.errors import RequestError
from vernissage.pages.figures import EmbeddedFigure, embedded
from vernissage.pages.templating import plain
from vernissage.pages.visitor.frame import report
from vernissage_lab.published.folder import PublishedFolder
from vernissage_lab.recipe import MARKS, Published, Recipe, Run, worded
from vernissage_lab.tables import Table


@dataclass(frozen=True)
class Comparison:
    """A published value beside ours.

    ``difference`` says where the protocols part, and is empty where they agree; where ``ours`` is empty, it says why
    there is none.
    """

    what: str
    published: str
    source: str
    ours: str
    difference: str


@dataclass(frozen=True)
class PublishedBlock:
    """Published values of one file beside ours: what differs, sentence by sentence, then the tables."""

    title: str
    differences: tuple[str, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class ExperimentSection:
    """One run of one experiment.

    Attributes:
        title, paper, what: its name, the tables or figures that it recomputes, and one line about it.
        protocol: how it is done, sentence by sentence.
        notes: where this run differs from that.
        comparisons: published values that this version knows; empty where it knows none.
        provenance: (what, value) of the record.
        files: what lies in the folder of the run.
        folder: its name, which tells runs of one experiment apart.
        published: further values, from files; None where no files were given.
    """

    title: str
    paper: str
    what: str
    protocol: tuple[str, ...]
    notes: tuple[str, ...]
    tables: tuple[Table, ...]
    figures: tuple[EmbeddedFigure, ...]
    comparisons: tuple[Comparison, ...]
    provenance: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    folder: str = ""
    published: tuple[PublishedBlock, ...] | None = None


def experiment_report(sections: Sequence[ExperimentSection], *, title: str = "Experiments") -> str:
    """One HTML document, complete in itself; equal input gives equal bytes.

    Titles that several runs share get the run's folder, and where that is shared too, a number.

    Raises:
        RequestError: no sections.
    """
    if not sections:
        raise RequestError("a report needs one experiment or more, but none was given; run one first")
    shared, met, told = Counter(section.title for section in sections), Counter[str](), []
    for section in sections:
        name = f"{section.title}, in {section.folder}" if shared[section.title] > 1 else section.title
        met[name] += 1
        told.append(replace(section, title=name if met[name] == 1 else f"{name} ({met[name]})"))
    return report(
        "experiment_report.html",
        plain(title),
        package="vernissage_lab",
        lead="",
        notes=(),
        contents=[(f"run-{number}", each.title) for number, each in enumerate(told, 1)],
        sections=told,
    )


def section_of(recipe: Recipe, run: Run, folder: str, published: PublishedFolder | None = None) -> ExperimentSection:
    """What the report tells of a run in ``folder``: figures and tables are made anew from its tables.

    Raises:
        RequestError, DatasetError: a file below ``published`` that belongs to this experiment is missing or damaged.
    """
    blocks, marks = recipe.beside(run, published) if published and recipe.beside else ([], [])
    pictures = recipe.pictures({**run.tables, MARKS: marks} if marks else run.tables) if run.tables else {}
    return ExperimentSection(
        title=f"{recipe.name}: {_inputs(run.record)}" if run.record["inputs"] else recipe.name,
        paper=recipe.about.paper,
        what=recipe.about.what,
        protocol=recipe.about.told(run.record["options"]),
        notes=tuple(run.record["notes"]),
        tables=tuple(recipe.views(run.tables) if run.tables else ()),
        figures=tuple(embedded(each.figure, each.alt) for each in pictures.values()),
        comparisons=tuple(_compared(each, run) for each in recipe.published),
        provenance=tuple(_provenance(run.record)),
        files=tuple(f"{folder}/{name}.csv" for name in run.tables),
        folder=folder,
        published=tuple(blocks) if published else None,
    )


def _compared(published: Published, run: Run) -> Comparison:
    ours = published.ours(run.tables, run.record)
    difference = published.difference(run.record) if ours else f"not measured: needs {published.needs}"
    return Comparison(published.what, published.value, published.source, ours, difference)


def _inputs(record: Mapping[str, Any]) -> str:
    by: dict[str, dict[str, None]] = {}
    for each in record["inputs"]:
        by.setdefault(each["data"], {})[each["encoder"]] = None
    return "; ".join(f"{data} with {', '.join(encoders)}" for data, encoders in by.items())


def _provenance(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    seconds = record["seconds"]
    yield "Ended", str(record["ended"])
    yield "Seconds", f"{seconds['all_cells']:g} in all cells, {seconds['this_run']:g} in the last run"
    yield "Cells", ", ".join(f"{count} {what}" for what, count in record["cells"].items())
    yield "Seed", str(record["seed"])
    for each in record["inputs"]:
        yield "Data", f"{each['data']}, {each['works']} works, fingerprint {each['data_fingerprint']}"
        yield "Encoder", f"{each['encoder']}, fingerprint {each['encoder_fingerprint']}"
        for modality, by in each.get("tags", {}).items():
            yield f"Tags of {modality}s", by
    yield "Options", "; ".join(f"{name} {worded(value)}" for name, value in record["options"].items())
    yield "Versions", ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    yield "Machine", ", ".join(f"{name} {value}" for name, value in record["machine"].items())
    for name, hashed in record["tables"].items():
        yield f"SHA-256 of {name}.csv", hashed
