"""A run as a section of the report."""

from collections.abc import Iterator, Mapping
from typing import Any

from vernissage.pages.figures import embedded
from vernissage_lab.pages.experiment_report import Comparison, ExperimentSection
from vernissage_lab.published.beside import beside
from vernissage_lab.published.folder import PublishedFolder
from vernissage_lab.recipes.contract import MARKS, Published, Recipe
from vernissage_lab.running import Run


def section_of(recipe: Recipe, run: Run, folder: str, published: PublishedFolder | None = None) -> ExperimentSection:
    """What the report tells of a run in ``folder``: figures and tables are made anew from its tables.

    Raises:
        RequestError, DatasetError: a file below ``published`` that belongs to this experiment is missing or damaged.
    """
    blocks, marks = beside(run, published) if published else ([], [])
    pictures = recipe.pictures({**run.tables, MARKS: marks} if marks else run.tables)
    return ExperimentSection(
        title=f"{recipe.name}: {_inputs(run.record)}" if run.record["inputs"] else recipe.name,
        paper=recipe.paper,
        what=recipe.what,
        protocol=recipe.protocol,
        notes=tuple(run.record["notes"]),
        tables=tuple(recipe.views(run.tables)),
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


def _worded(value: Any) -> str:
    """A JSON value as people write it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_worded(each)}" for name, each in value.items()) or "none"
    return (", ".join(map(_worded, value)) or "all") if isinstance(value, list) else str(value)


def _provenance(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Ended", str(record["ended"])
    yield (
        "Seconds",
        f"{record['seconds']['all_cells']:g} in all cells, {record['seconds']['this_run']:g} in the last run",
    )
    yield "Cells", ", ".join(f"{count} {what}" for what, count in record["cells"].items())
    yield "Seed", str(record["seed"])
    for each in record["inputs"]:
        yield "Data", f"{each['data']}, {each['works']} works, fingerprint {each['data_fingerprint']}"
        yield "Encoder", f"{each['encoder']}, fingerprint {each['encoder_fingerprint']}"
        for modality, by in each.get("tags", {}).items():
            yield f"Tags of {modality}s", by
    yield "Options", "; ".join(f"{name} {_worded(value)}" for name, value in record["options"].items())
    yield "Versions", ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    yield "Machine", ", ".join(f"{name} {value}" for name, value in record["machine"].items())
    for name, hashed in record["tables"].items():
        yield f"SHA-256 of {name}.csv", hashed
