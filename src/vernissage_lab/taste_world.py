"""Works and the tastes that simulated visitors have of them, and what each visitor's lists were worth, as tidy rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vernissage.catalog.collection import Collection
from vernissage.files import digest
from vernissage_lab.evaluation import Evaluation
from vernissage_lab.labels import Labels
from vernissage_lab.tidy import Row

MEASURES = ("ndcg", "recall", "precision", "diversity", "novelty")
"""What one visitor's list is judged by; coverage belongs to all lists together."""

VISITORS, LIST_LENGTH = 200, 9


@dataclass(frozen=True, eq=False)
class TasteWorld:
    """What simulated visitors look at.

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


@dataclass(frozen=True)
class VisitorOptions:
    """How many visitors, and how many works each is shown."""

    visitors: int = VISITORS
    n: int = LIST_LENGTH

    def notes(self) -> list[str]:
        """Where this differs from the usual numbers."""
        few = f"{self.visitors} visitors, fewer than {VISITORS}; read it as a trial"
        return [few] if self.visitors < VISITORS else []


def visitor_rows(found: Evaluation, columns: Row) -> list[Row]:
    """One row for each engine and visitor that it could answer.

    ``columns``, engine, visitor, `MEASURES`, and ``shown``: the ids of the works, best first, as a JSON list.
    """
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


def lists_of(rows: Sequence[Row]) -> dict[str, dict[int, list[str]]]:
    """The lists in rows of `visitor_rows`: by engine, then by visitor."""
    found: dict[str, dict[int, list[str]]] = {}
    for row in rows:
        found.setdefault(str(row["engine"]), {})[int(row["visitor"])] = json.loads(str(row["shown"]))
    return found
