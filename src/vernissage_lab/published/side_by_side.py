"""Our values with published ones beside them: rows that correspond, as tables, and as points of figures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.published.names import DATA, MODELS
from vernissage_lab.published.values import Place, PublishedValue, means_of
from vernissage_lab.readable import short
from vernissage_lab.tidy import Row


@dataclass(frozen=True)
class Ours:
    """One of our values.

    Attributes:
        row: of the table of means.
        place: where it stands, in the words of `PublishedValue`.
        heads: what its row of the table begins with.
        shown: the value as it is read.
    """

    row: Row
    place: Place
    heads: tuple[str, ...]
    shown: str

    @property
    def mean(self) -> float:
        """The value."""
        return float(self.row["mean"])


@dataclass(frozen=True)
class SideBySide:
    """Our values and those published ones that correspond to one of them.

    Attributes:
        ours: those that have one, in the order of the run.
        columns: (model, data) of the published ones, those of the run's own data first.
        values: by place, model and data.
        repeated: how many configurations stand more than once in the file.
    """

    ours: tuple[Ours, ...]
    columns: tuple[tuple[str, str], ...]
    values: Mapping[tuple[Place, str, str], float]
    repeated: int

    @property
    def rows(self) -> list[Row]:
        """Our rows of means."""
        return [each.row for each in self.ours]

    @property
    def models(self) -> list[str]:
        """The encoders of the published values; none for methods without."""
        return [model for model in dict.fromkeys(model for model, _ in self.columns) if model]

    @property
    def datas(self) -> list[str]:
        """The data of the published values."""
        return list(dict.fromkeys(data for _, data in self.columns))

    def of(self, ours: Ours, column: tuple[str, str]) -> float | None:
        """The published value beside one of ours; None where there is none."""
        return self.values.get((ours.place, *column))


def side_by_side(ours: Sequence[Ours], published: Sequence[PublishedValue], same: Mapping[str, str]) -> SideBySide:
    """Find what corresponds; ``same`` are the data that the run has, too."""
    values, repeated = means_of(each for each in published if each.place in {mine.place for mine in ours})
    places = {place for place, _, _ in values}
    columns = dict.fromkeys((model, data) for _, model, data in values)
    order = {column: place for place, column in enumerate(product((*MODELS, ""), DATA))}
    ordered = sorted(columns, key=lambda column: (column[1] not in same, order[column]))
    return SideBySide(tuple(each for each in ours if each.place in places), tuple(ordered), values, repeated)


def column_name(column: tuple[str, str]) -> str:
    """``CLIP ViT-B/32, MSCOCO``."""
    model, data = column
    return ", ".join([*([MODELS[model].name] if model else []), DATA[data].name])


def table_of(
    caption: str, heads: tuple[str, ...], found: SideBySide, ours: Sequence[Ours], *, note: str, digits: int
) -> ReadTable:
    """One row for each of ``ours``: heads, our value, and the published ones."""
    body = []
    for each in ours:
        beside = (found.of(each, column) for column in found.columns)
        body.append((*each.heads, each.shown, *("" if value is None else short(value, digits) for value in beside)))
    names = map(column_name, found.columns)
    return ReadTable(caption, (*heads, "here", *names), tuple(body), note, words=len(heads))


def overview(
    caption: str,
    heads: tuple[str, ...],
    found: SideBySide,
    same: Mapping[str, str],
    group: Callable[[Ours], tuple[str, ...]],
) -> Iterator[ReadTable]:
    """Means over the values that both have, where the data is the same; nothing where it is not."""
    columns = [column for column in found.columns if column[1] in same]
    if not columns:
        return
    groups: dict[tuple[str, ...], list[Ours]] = {}
    for each in found.ours:
        if all(found.of(each, column) is not None for column in columns):
            groups.setdefault(group(each), []).append(each)
    body = [(*name, str(len(some)), *_means(found, some, columns)) for name, some in groups.items()]
    if body:
        names = map(column_name, columns)
        note = "means over all classes and uploads that both have, of the same data"
        yield ReadTable(caption, (*heads, "values", "here", *names), tuple(body), note, words=len(heads))


def _means(found: SideBySide, some: Sequence[Ours], columns: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield short(sum(each.mean for each in some) / len(some))
    for column in columns:
        yield short(sum(found.of(each, column) or 0.0 for each in some) / len(some))
