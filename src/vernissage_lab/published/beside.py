"""What D'Asaro et al. released beside runs of ours: blocks of the report, points of its figures, and where both part.

Every sentence on where they part is made from the record of a run; where the run does as they do, there is none.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from pathlib import PurePosixPath
from typing import Any

from vernissage.encoders.raw_lengths import SCALED_IN_PRINT
from vernissage_lab.published.folder import (
    AREAS,
    DATA,
    EMBEDDING,
    EPSILON,
    MODELS,
    OVERLAP,
    PROMPT,
    TAG_FILES,
    ZCCR_FILE,
    Place,
    PublishedFolder,
    PublishedModel,
    PublishedValue,
    Record,
    ablation_values,
    is_model,
    means_of,
    plain_clustering,
    plain_method,
    plain_projection,
    tag_values,
)
from vernissage_lab.recipe import Run
from vernissage_lab.report import PublishedBlock
from vernissage_lab.tables import Row, Table, arrow, counted, distinct, estimate, only, short, table, where
from vernissage_lab.users import POOL, QUERY_CLASSES

COMPONENTS = 50
"""Principal components that their code keeps."""


def same_classified(given: Record, folder: PublishedFolder) -> dict[str, str]:
    """Which of their classified tables a run's works are, and how that is known; empty where they are others."""
    found = {}
    for data, known in DATA.items():
        if folder.fingerprints.get(data) == given["data_fingerprint"]:
            found[data] = f"its fingerprint is that of {known.classified}"
        elif given["data"] == PurePosixPath(known.classified).stem:
            found[data] = "by its name; the fingerprint differs, as it does where pictures lie beside the table"
    return found


def data_said(given: Record, same: Mapping[str, str], datas: Collection[str]) -> str:
    """Which published values are about the same works."""
    here = f"{given['data']} ({given['works']:,} works) here"
    others = " and ".join(DATA[data].name for data in datas if data not in same)
    if not same:
        return f"Not the same data: {here}, {others} there."
    (data,) = same
    told = f"The same data in the columns {DATA[data].name}: {given['data']}, {same[data]}; {given['works']:,} works."
    return f"{told} Not the same data in the others: {others}." if others else told


def encoder_said(given: Record, models: Collection[str]) -> str:
    """Which published values are by the same encoder."""
    there = " and ".join(MODELS[model].name for model in models)
    same = [MODELS[model] for model in models if is_model(given, MODELS[model])]
    if same:
        return f"The same encoder in the columns {same[0].name}: {_encoder(given)}{_not_told(given, same[0])}."
    alike = [MODELS[model] for model in models if given["encoder"] == MODELS[model].encoder]
    if alike and not given.get("encoder_variant"):
        return (
            f"Not known to be the same encoder: the record does not say which {given['encoder']} it was; {there} there."
        )
    return f"Not the same encoder: {_encoder(given)} here, {there} there."


def _encoder(given: Record) -> str:
    variant = given.get("encoder_variant", "")
    return f"{given['encoder']} {variant}" if variant else str(given["encoder"])


def _not_told(given: Record, model: PublishedModel) -> str:
    """What may differ all the same."""
    if model.encoder == "albef":
        return "; theirs has the weights of 14 million pictures, and the record of a run does not tell its own"
    if PROMPT in str(given.get("encoder_variant", "")):
        return ""
    return "; their texts begin with 'This is'"


def users_said(record: Record, rows: Sequence[Row]) -> str:
    """How many users stand behind a published value."""
    numbers = sorted(distinct(rows, "classes"))
    behind = ", ".join(f"{QUERY_CLASSES // each} with {counted(each)}" for each in numbers)
    here = f"here {record['options']['users']}, each with classes of their own draw"
    return _said("users", asked=QUERY_CLASSES, behind=behind, here="here as there" if _as_published(record) else here)


def options_said(record: Record) -> Iterator[str]:
    """Where the numbers of the protocol are others."""
    if (asked := record["options"]["query_classes"]) != QUERY_CLASSES:
        yield _said("query_classes", here=asked, there=QUERY_CLASSES)
    yield from (f"{note}; there it holds {POOL:,}." for note in record["notes"] if " pool " in note)


def lengths_said(record: Record, models: Collection[str]) -> Iterator[str]:
    """How long vectors are when they are clustered."""
    raw, unit = (
        " and ".join(MODELS[each].name for each in models if MODELS[each].unit is side) for side in (False, True)
    )
    if _as_published(record) and any(each["encoder"] not in SCALED_IN_PRINT for each in record["inputs"]):
        if unit:
            yield _said("as_long", unit=unit)
    elif raw:
        yield _said("length_one", raw=raw, also=f" (those of {unit} have length 1 there, too)" if unit else "")


def _as_published(record: Record) -> bool:
    """Whether the run was made with ``--as-published``."""
    return bool(record["options"].get("as_published"))


def projections_said(record: Record, rows: Sequence[Row]) -> Iterator[str]:
    """What becomes of vectors before they are clustered."""
    for word in distinct(rows, "projection"):
        made = str(record["options"]["projections"].get(word, ""))
        kept = re.search(r"keep=([\d.]+)", made)
        if kept and (keep := float(kept[1])) != COMPONENTS:
            here = f"{keep:.0%} of the variance" if keep < 1 else f"{keep:g}"
            yield _said("components", word=word, there=COMPONENTS, enough=COMPONENTS + 1, here=here)
        if made.startswith("StandardisedTSNE"):
            yield _said("tsne_as_published")
        elif word.startswith("tsne"):
            yield _said("tsne", there=COMPONENTS)


def tags_said(given: Record, same: bool) -> str:
    """Whose tags they are: the record tells where they were found by taggers."""
    if found := "; ".join(f"of {modality}s {by}" for modality, by in given.get("tags", {}).items()):
        return _said("found_tags", found=found)
    return _said("same_tags" if same else "keywords")


def _said(key: str, **words: Any) -> str:
    """A sentence of ``differences.toml``."""
    return _SENTENCES[key].format(**words)


_SENTENCES: Mapping[str, str] = tomllib.loads(
    files(__package__).joinpath("differences.toml").read_text(encoding="utf-8")
)
_PER_SEED = "recall per seed: ten works from every area, as there, ± standard error, in so many works"
_ONE_LIST = "recall in one list of ten, as there, ± standard error"
_FILES = {AREAS: ZCCR_FILE, **TAG_FILES}
_CALLED = {AREAS: "ZCCR", OVERLAP: "BT", EMBEDDING: "BTBA"}


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
        found: float = self.row["mean"]
        return found


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


def table_of(caption: str, heads: tuple[str, ...], found: SideBySide, ours: Sequence[Ours], *, note: str) -> Table:
    """One row for each of ``ours``: heads, our value, and the published ones."""
    body = []
    for each in ours:
        beside = (found.of(each, column) for column in found.columns)
        body.append((*each.heads, each.shown, *("" if value is None else short(value, 2) for value in beside)))
    names = map(column_name, found.columns)
    return table(caption, (*heads, "here", *names), body, note, words=len(heads))


def overview(
    caption: str,
    heads: tuple[str, ...],
    found: SideBySide,
    same: Mapping[str, str],
    group: Callable[[Ours], tuple[str, ...]],
) -> Iterator[Table]:
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
        yield table(caption, (*heads, "values", "here", *names), body, note, words=len(heads))


def _means(found: SideBySide, some: Sequence[Ours], columns: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield short(sum(each.mean for each in some) / len(some))
    for column in columns:
        yield short(sum(found.of(each, column) or 0.0 for each in some) / len(some))


def beside_ablation(run: Run, folder: PublishedFolder) -> tuple[list[PublishedBlock], list[Row]]:
    """Blocks of the report, and the published values for figures: rows of means with the column ``by``."""
    published = ablation_values(folder)
    blocks: list[PublishedBlock] = []
    marks: list[Row] = []
    for given in run.record["inputs"]:
        same = same_classified(given, folder)
        ours = list(_ablation_ours(where(run.tables.get("means", ()), encoder=given["encoder"])))
        found = side_by_side(ours, published, same)
        heads = ("projection", "clustering", "seed")
        tables = [
            *overview("Means of each configuration", ("task", *heads), found, same, _configuration),
            *_by_task(found, ("classes", "uploads", *heads), _PER_SEED),
        ]
        said = [
            *lengths_said(run.record, found.models),
            *projections_said(run.record, found.rows),
            *(
                [_said("hdbscan", epsilon=EPSILON)]
                if any(each.startswith("hdbscan") for each in distinct(found.rows, "clustering"))
                else ()
            ),
        ]
        blocks += _block(ZCCR_FILE, given, found, same, run.record, said, tables)
        marks += _marks(found, same)
    return blocks, marks


def beside_tags(run: Run, folder: PublishedFolder) -> tuple[list[PublishedBlock], list[Row]]:
    """The same of areas, overlap of tags and embedded tags, a block each."""
    blocks: list[PublishedBlock] = []
    marks: list[Row] = []
    for method, published in tag_values(folder).items():
        for given in run.record["inputs"]:
            same = same_classified(given, folder)
            rows = where(run.tables.get("means", ()), encoder=given["encoder"])
            found = side_by_side(list(_tag_ours(rows, method)), published, same)
            tables = [
                *overview("Means of each task", ("task", "method"), found, same, _configuration),
                *_by_task(found, ("classes", "uploads", "method"), _ONE_LIST if method == OVERLAP else _PER_SEED),
            ]
            said = _of_method(method, run.record, given, found, bool(same))
            blocks += _block(f"{_CALLED[method]}, {_FILES[method]}", given, found, same, run.record, said, tables)
            marks += _marks(found, same)
    return blocks, marks


def _of_method(method: str, record: Record, given: Record, found: SideBySide, same: bool) -> list[str]:
    if method == AREAS:
        return [*lengths_said(record, found.models), _said("areas")]
    if method == OVERLAP:
        others = [each for each in distinct(found.rows, "method") if "twice-unique" not in each]
        return [tags_said(given, same), *(_said("overlap", method=each) for each in others)]
    return [tags_said(given, same), _said("embedding"), _said("areas")]


def _block(
    file: str,
    given: Record,
    found: SideBySide,
    same: Mapping[str, str],
    record: Record,
    said: Sequence[str],
    tables: Sequence[Table],
) -> Iterator[PublishedBlock]:
    """A block, or none where nothing corresponds."""
    if not found.ours:
        return
    told = [data_said(given, same, found.datas)]
    if found.models:
        told.append(encoder_said(given, found.models))
    told += [users_said(record, found.rows), *said, *options_said(record)]
    if found.repeated:
        told.append(f"Configurations that stand in {file} more than once: {found.repeated}; their mean is shown.")
    yield PublishedBlock(f"{given['encoder']} beside {file}", tuple(told), tuple(tables))


def _by_task(found: SideBySide, heads: tuple[str, ...], note: str) -> Iterator[Table]:
    for task in dict.fromkeys(each.row["task"] for each in found.ours):
        mine = [each for each in found.ours if each.row["task"] == task]
        yield table_of(arrow(task), heads, found, mine, note=note)


def _ablation_ours(rows: Sequence[Row]) -> Iterator[Ours]:
    for row in where(rows, measure="recall_per_seed"):
        projection, clustering, seed = (row[column] for column in ("projection", "clustering", "seed"))
        place = (row["task"], row["classes"], row["points"], plain_projection(projection), plain_clustering(clustering))
        heads = (str(row["classes"]), str(row["points"]), projection, clustering, seed)
        yield Ours(row, (*place, seed), heads, _per_seed(rows, row))


def _tag_ours(rows: Sequence[Row], method: str) -> Iterator[Ours]:
    measure = "recall" if method == OVERLAP else "recall_per_seed"
    for row in where(rows, measure=measure):
        if plain_method(row["method"]) == method:
            heads = (str(row["classes"]), str(row["points"]), row["method"])
            shown = estimate(row) if method == OVERLAP else _per_seed(rows, row)
            yield Ours(row, (row["task"], row["classes"], row["points"], method), heads, shown)


def _per_seed(rows: Sequence[Row], row: Row) -> str:
    """Recall, and in how many works."""
    named = {column: value for column, value in row.items() if column not in ("measure", "mean", "se", "n")}
    shown = only(rows, measure="shown", **named)
    return f"{estimate(row)} in {shown['mean']:.0f}"


def _configuration(ours: Ours) -> tuple[str, ...]:
    """The task, and all but the numbers of classes and uploads."""
    return (arrow(ours.row["task"]), *ours.heads[2:])


def _marks(found: SideBySide, same: Mapping[str, str]) -> list[Row]:
    """Published values of the run's own data as points of figures; others are not drawn beside ours."""
    return [
        {**each.row, "measure": "recall_per_seed", "mean": value, "by": MODELS[column[0]].name if column[0] else ""}
        for each in found.ours
        for column in found.columns
        if column[1] in same and (value := found.of(each, column)) is not None
    ]
