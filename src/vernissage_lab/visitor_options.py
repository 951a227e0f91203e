"""What experiments on simulated visitors share: their options, the works with their labels, and lists as tidy rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vernissage.catalog.collection import Collection
from vernissage.cli.options import WorkspacePath
from vernissage.errors import RequestError
from vernissage.files import digest
from vernissage.gallery.engines import Fusion, available_engines, indexes_of, make_engine
from vernissage.profiles.ratings import WeightingRule, default_rule
from vernissage.recommenders.contract import Recommender
from vernissage.workspace.workspace import Workspace, open_workspace
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.evaluation import STEP, evaluate
from vernissage_lab.material import material_of_workspace
from vernissage_lab.recipe import Options, Words
from vernissage_lab.tables import Row
from vernissage_lab.tastes import Labels, labels_from_collection, labels_from_factors

MEASURES = ("ndcg", "recall", "precision", "diversity", "novelty")
"""What one visitor's list is judged by; coverage belongs to all lists together."""

VISITORS = 200


@dataclass(frozen=True)
class VisitorOptions(Options):
    """Which engines are compared, on which visitors."""

    workspace: WorkspacePath
    engine: Words = None
    factors: Path | None = None
    by: Words = None
    visitors: int = VISITORS
    n: int = 9

    def __post_init__(self) -> None:
        if self.factors is not None and self.by:
            raise RequestError("tastes come either from --factors or from --by; give one of them")

    @cached_property
    def opened(self) -> Workspace:
        """The workspace."""
        return open_workspace(self.workspace)

    @cached_property
    def factors_file(self) -> Path | None:
        """The table of hidden factors, where tastes come from one."""
        beside = self.opened.collection.folder / "factors.csv"
        return self.factors or (beside if beside.is_file() and not self.by else None)

    def labels(self) -> Labels:
        """What tastes are made of; of works that are the same the first alone has labels, so no other is a hit."""
        works, copies = self.opened.collection, self.opened.copies
        if self.factors_file is not None:
            found = labels_from_factors(self.factors_file, works)
        else:
            found = labels_from_collection(works, self.by)
        first = [item_id for item_id, name in zip(works.ids, copies.names(works.ids), strict=True) if item_id == name]
        return found.of(first)

    def engines(self, names: Sequence[str] | None = None, fusion: Fusion | None = None) -> dict[str, Recommender]:
        """The engines of these names, or those that are asked for, or all that the workspace has.

        ``fusion`` says how those joined by ``+`` are fused.
        """
        found = names or self.engine or available_engines(self.opened)
        return {
            name: make_engine(self.opened, name, self.n, fusion if "+" in name else None)
            for name in dict.fromkeys(found)
        }

    def works(self) -> "LabelledWorks":
        """The works with their labels."""
        opened = self.opened
        fingerprints = {each: str(opened.manifest.fingerprints[each]) for each in sorted(opened.encoder_names)}
        return LabelledWorks(opened.collection, self.labels(), fingerprints)

    def inputs(self, engines: Mapping[str, Recommender]) -> tuple[dict[str, Any], ...]:
        """What a record says of the encoders behind engines, those behind a fusion too."""
        behind = dict.fromkeys(index.card.encoder for engine in engines.values() for index in indexes_of(engine))
        there = [name for name in behind if name in self.opened.encoder_names]
        return tuple(material_of_workspace(self.opened, name).describe() for name in there)

    def notes(self) -> tuple[str, ...]:
        """Where this differs from the usual numbers."""
        few = f"{self.visitors} visitors, fewer than {VISITORS}; read it as a trial"
        return (few,) if self.visitors < VISITORS else ()


@dataclass(frozen=True, eq=False)
class LabelledWorks:
    """What simulated visitors are shown.

    Attributes:
        collection: the works.
        labels: what tastes are made of.
        encoders: fingerprints by name of what the engines were made from.
    """

    collection: Collection
    labels: Labels
    encoders: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> dict[str, object]:
        """All that lists and their worth depend on, besides the options, as JSON values."""
        names = "\n".join(f"{facet}: {', '.join(each)}" for facet, each in self.labels.categories.items())
        codes = self.labels.codes.astype("<i8").tobytes() + "\n".join((*self.labels.item_ids, names)).encode()
        return {
            "collection": self.collection.fingerprint,
            "labels": digest(codes),
            "facets": list(self.labels.facets),
            "encoders": dict(self.encoders),
        }


def visitor_part(
    works: LabelledWorks,
    engines: Mapping[str, Recommender],
    options: VisitorOptions,
    cells: Cells,
    *,
    rule: WeightingRule | None = None,
    columns: Row = MappingProxyType({}),
) -> Part:
    """The cell with one row for each engine and visitor that it could answer.

    Its columns are ``columns``, engine, visitor, `MEASURES`, and ``shown``: the ids of the works, best first, as a JSON
    list. ``rule`` is that of `evaluate`.
    """
    numbers = {"visitors": options.visitors, "n": options.n}
    key = {**works.describe(), **numbers, "engines": {name: rule or default_rule(name) for name in engines}}
    how = {**numbers, "seed": cells.seed, "rule": rule, "progress": cells.progress}
    return Part(key, partial(_rows, works, engines, how, columns))


def visitor_rows(parts: Sequence[Part], cells: Cells) -> list[Row]:
    """The rows of such cells."""
    return [row for rows in rows_of(parts, cells, f"{STEP}: runs", threads=True) for row in rows]


def lists_of(rows: Sequence[Row]) -> dict[str, dict[int, list[str]]]:
    """The lists in rows of `visitor_rows`: by engine, then by visitor."""
    found: dict[str, dict[int, list[str]]] = {}
    for row in rows:
        found.setdefault(row["engine"], {})[row["visitor"]] = json.loads(row["shown"])
    return found


def _rows(works: LabelledWorks, engines: Mapping[str, Recommender], how: Mapping[str, Any], columns: Row) -> list[Row]:
    found = evaluate(engines, works.labels, works.collection, **how)
    ids = found.candidates
    return [
        dict(columns)
        | {"engine": engine, "visitor": number}
        | {measure: metrics[measure] for measure in MEASURES}
        | {"shown": json.dumps([ids[row] for row in rows.tolist()], ensure_ascii=False)}
        for engine, shown in found.engines.items()
        for number, (metrics, rows) in enumerate(zip(shown.metrics, shown.lists, strict=True))
        if metrics is not None and rows is not None
    ]
