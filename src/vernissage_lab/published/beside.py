"""What D'Asaro et al. released beside runs of ours: blocks of the report, points of its figures, and where both part.

Every sentence on where they part is made from the record of a run; where the run does as they do, there is none.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt
from pathlib import PurePosixPath
from typing import Any

from vernissage.encoders.raw_lengths import SCALED_IN_PRINT
from vernissage_lab.analysis.gap import DEPTHS
from vernissage_lab.published.folder import (
    AREAS,
    DATA,
    EMBEDDING,
    EPSILON,
    MODELS,
    OVERLAP,
    PROMPT,
    RETRIEVAL_FILE,
    TAG_FILES,
    ZCCR_FILE,
    Place,
    PublishedFolder,
    PublishedModel,
    PublishedValue,
    Record,
    ablation_values,
    is_model,
    is_whole,
    means_of,
    plain_clustering,
    plain_method,
    plain_projection,
    retrieval_values,
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


def same_whole(given: Record) -> dict[str, str]:
    """The same of the whole sets."""
    return {data: "by its name" for data, known in DATA.items() if is_whole(given, known)}


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


def users_said(record: Record, rows: Sequence[Row], *, capped: bool) -> Iterator[str]:
    """How many users stand behind a published value; ``capped`` where hits are divided by 25 whatever was sought."""
    numbers = sorted(distinct(rows, "classes"))
    behind = ", ".join(f"{QUERY_CLASSES // each} with {counted(each)}" for each in numbers)
    here = f"here {record['options']['users']}, each with classes of their own draw"
    yield (
        f"Users: their code parts the {QUERY_CLASSES} largest classes among users, each class once, so that few stand "
        f"behind a published value: {behind}; {'here as there' if _as_published(record) else here}."
    )
    most = [
        f"{short(sought / QUERY_CLASSES, 2)} is the most that can be reached with {counted(each)}"
        for each in numbers
        if (sought := QUERY_CLASSES // each * each) < QUERY_CLASSES
    ]
    if capped and most:
        yield f"Their hits are divided by {QUERY_CLASSES} classes even where fewer were sought: {', '.join(most)}."
    yield (
        f"Published recall has two decimals and no standard error; as a share of {QUERY_CLASSES} works sought, that "
        f"error would be up to {short(sqrt(0.25 / QUERY_CLASSES), 2)}."
    )


def options_said(record: Record) -> Iterator[str]:
    """Where the numbers of the protocol are others."""
    options = record["options"]
    if options["query_classes"] != QUERY_CLASSES:
        yield f"Classes that are asked for: {options['query_classes']} here, {QUERY_CLASSES} there."
    yield from (f"{note}; there it holds {POOL:,}." for note in record["notes"] if " pool " in note)


def lengths_said(record: Record, models: Collection[str]) -> Iterator[str]:
    """How long vectors are when they are clustered."""
    raw = [MODELS[model].name for model in models if not MODELS[model].unit]
    unit = [MODELS[model].name for model in models if MODELS[model].unit]
    if _as_published(record) and any(each["encoder"] not in SCALED_IN_PRINT for each in record["inputs"]):
        if unit:
            yield (
                f"Vectors are clustered as long as the network gives them, as there; but those of {' and '.join(unit)} "
                f"have length 1 there. Both search by cosines."
            )
    elif raw:
        also = f" (those of {' and '.join(unit)} have length 1 there, too)" if unit else ""
        yield (
            f"Vectors have length 1 here when they are clustered; there those of {' and '.join(raw)} have the length "
            f"that the encoder gives them{also}. Both search by cosines."
        )


def _as_published(record: Record) -> bool:
    """Whether the run was made with ``--as-published``."""
    return bool(record["options"].get("as_published"))


def projections_said(record: Record, rows: Sequence[Row]) -> Iterator[str]:
    """What becomes of vectors before they are clustered."""
    for word in distinct(rows, "projection"):
        made = str(record["options"]["projections"].get(word, ""))
        kept = re.search(r"keep=([\d.]+)", made)
        if kept and float(kept[1]) != COMPONENTS:
            keep = float(kept[1])
            here = f"{keep:.0%} of the variance" if keep < 1 else f"{keep:g}"
            yield (
                f"{word} keeps {COMPONENTS} components there, all of them where a user has {COMPONENTS + 1} uploads or "
                f"fewer; here {here}."
            )
        if made.startswith("StandardisedTSNE"):
            yield "t-SNE starts at random on both sides, theirs without a seed."
        elif word.startswith("tsne"):
            yield (
                f"t-SNE there is of standardised vectors, reduced to {COMPONENTS} components where there are more, "
                f"from a random start without a seed ('tsne (pca)' in the file, tsne in the paper's figures); here of "
                f"vectors of length 1, from their principal components."
            )


def contradiction_said(published: Collection[PublishedValue]) -> Iterator[str]:
    """What their file says of no projection and of one that changes no distance."""
    plain, reduced = ({_but_projection(each): each.value for each in _isometric(published, word)} for word in _EQUAL)
    both = [name for name in plain if name in reduced]
    if both:
        means = (short(sum(side[name] for name in both) / len(both)) for side in (plain, reduced))
        yield (
            f"Their file contradicts their code: of up to {COMPONENTS + 1} uploads all components are kept, which "
            f"changes no distance, so that Ward's areas are the same without projection and with PCA; but over "
            f"{len(both)} such values with centroids mean recall is {' and '.join(means)}. One and the same "
            f"code cannot have made both."
        )


_EQUAL = ("none", "pca")


def _isometric(published: Collection[PublishedValue], word: str) -> Iterator[PublishedValue]:
    for each in published:
        _, classes, points, projection, clustering, seed = each.place
        if (projection, clustering, seed) == (word, "ward:5", "centroid") and int(classes) * int(points) <= COMPONENTS:
            yield each


def _but_projection(each: PublishedValue) -> tuple[Any, ...]:
    return (each.data, each.model, *each.place[:3])


def clusterings_said(rows: Sequence[Row]) -> Iterator[str]:
    """What becomes of noise."""
    if any(each.startswith("hdbscan") for each in distinct(rows, "clustering")):
        yield (
            f"HDBSCAN there drops noise, so that a user all of whose uploads are noise finds nothing, and does not "
            f"part what lies nearer than {EPSILON} (cluster_selection_epsilon); here noise joins the nearest area, and "
            f"nothing else is joined."
        )


def areas_said() -> str:
    """Areas of `tags` here are those of our own rule."""
    return (
        "Areas there: principal components, then Ward's tree cut at 5; here by coherence, our own rule, without "
        "projection."
    )


def overlap_said(rows: Sequence[Row]) -> Iterator[str]:
    """Which tags of a person count, unless they are chosen as there."""
    for method in distinct(rows, "method"):
        if "twice-unique" not in method:
            yield (
                f"{method} keeps the commonest tags that make up a third of all that the uploads have; their code "
                f"keeps the commonest third of the different tags of each class, and of those a third again."
            )


def embedding_said() -> Iterator[str]:
    """How tags become vectors there, and what their pools hold."""
    yield (
        "Tags there are read by bert-base-uncased, the mean over its last layer, and searched by inner products "
        "without bringing them to length 1; here by the encoder that the run's notes name, and by cosines."
    )
    yield (
        "Their code adds each user's works to one pool and takes none out, so that it grows by ten works a user, those "
        "that others sought among them; here every user has a pool of their own."
    )


def tags_said(given: Record, same: bool) -> str:
    """Whose tags they are: the record tells where they were found by taggers."""
    found = "; ".join(f"of {modality}s {by}" for modality, by in given.get("tags", {}).items())
    if found:
        return f"Tags there were found by models in pictures and captions; here: {found}."
    if same:
        return "Tags are those of their table, as there."
    return "Tags there were found by models in pictures and captions; here they are the works' keywords."


_PER_SEED = "recall per seed: ten works from every area, as there, ± standard error, in so many works"
_ONE_LIST = "recall in one list of ten, as there, ± standard error"
_FILES = {AREAS: ZCCR_FILE, **TAG_FILES}
_CALLED = {AREAS: "ZCCR", OVERLAP: "BT", EMBEDDING: "BTBA"}
POOLS = (1_000, 5_000)
"""How many pairs their pools hold; a run stands beside the larger one where it has so many."""
TIME_FILE = "search-time/search_results.csv"
_FLAT = "FAISS flat"
_SIZES = {"vectors": "search space size", "dim": "emb size", "k": "k"}
_SPLIT = "one index or two"


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


def table_of(
    caption: str, heads: tuple[str, ...], found: SideBySide, ours: Sequence[Ours], *, note: str, digits: int
) -> Table:
    """One row for each of ``ours``: heads, our value, and the published ones."""
    body = []
    for each in ours:
        beside = (found.of(each, column) for column in found.columns)
        body.append((*each.heads, each.shown, *("" if value is None else short(value, digits) for value in beside)))
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
            *clusterings_said(found.rows),
            *(contradiction_said(published) if _has_both(found) else ()),
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
        return [*lengths_said(record, found.models), areas_said()]
    if method == OVERLAP:
        return [tags_said(given, same), *overlap_said(found.rows)]
    return [tags_said(given, same), *embedding_said(), areas_said()]


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
    told += users_said(record, found.rows, capped=file.endswith(ZCCR_FILE))
    told += [*said, *options_said(record)]
    if found.repeated:
        told.append(f"Configurations that stand in {file} more than once: {found.repeated}; their mean is shown.")
    yield PublishedBlock(f"{given['encoder']} beside {file}", tuple(told), tuple(tables))


def _by_task(found: SideBySide, heads: tuple[str, ...], note: str) -> Iterator[Table]:
    for task in dict.fromkeys(each.row["task"] for each in found.ours):
        mine = [each for each in found.ours if each.row["task"] == task]
        yield table_of(arrow(task), heads, found, mine, note=note, digits=2)


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


def _has_both(found: SideBySide) -> bool:
    """Whether a reader sees Ward's tree both without projection and with components."""
    seen = {(plain_projection(row["projection"]), row["clustering"].partition(":")[0]) for row in found.rows}
    return {("none", "ward"), ("pca", "ward")} <= seen


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


def beside_retrieval(run: Run, folder: PublishedFolder) -> tuple[list[PublishedBlock], list[Row]]:
    """A block for each encoder; nothing for figures, which show no such values."""
    published = retrieval_values(folder)
    blocks = []
    for given in run.record["inputs"]:
        rows = where(run.tables.get("means", ()), encoder=given["encoder"], space="unimodal")
        if not rows:
            continue
        same, pairs = same_whole(given), int(rows[0]["n"])
        found = side_by_side(list(_retrieval_ours(rows, _pool(pairs))), published, same)
        note = f"recall in {pairs:,} pairs here, ± standard error, and in {_pool(pairs):,} there"
        shown = table_of("Finding the other half", ("task", "recall"), found, found.ours, note=note, digits=3)
        said = (data_said(given, same, found.datas), encoder_said(given, found.models), *_retrieval_parted(pairs))
        blocks.append(PublishedBlock(f"{given['encoder']} beside {RETRIEVAL_FILE}", said, (shown,)))
    return blocks, []


def _pool(pairs: int) -> int:
    return max((pool for pool in POOLS if pool <= pairs), default=POOLS[0])


def _retrieval_ours(rows: Sequence[Row], pool: int) -> Iterator[Ours]:
    for depth in DEPTHS:
        for row in where(rows, measure=f"recall@{depth}"):
            yield Ours(row, (row["task"], depth, pool), (arrow(row["task"]), f"@{depth}"), estimate(row))


def _retrieval_parted(pairs: int) -> Iterator[str]:
    if (pool := _pool(pairs)) != pairs:
        yield f"A pool of {pairs:,} pairs here, {pool:,} there: the fewer there are, the higher is recall."
    yield (
        "Their pairs are drawn from all parts of a set, those of Flickr30k caption by caption, so that a picture can "
        "stand in a pool twice; where captions look for pictures, a caption is drawn anew there for each depth, and "
        "once for all here."
    )
    yield "Published values are those of FAISS, without a standard error, rounded to three decimals."


def beside_search_time(run: Run, folder: PublishedFolder) -> tuple[list[PublishedBlock], list[Row]]:
    """A block of FAISS over one index and over two; nothing for figures, which show our times alone."""
    published = folder.rows(
        TIME_FILE,
        words={"device": ("CPU", "GPU")},
        counts=("n indexes", *_SIZES.values()),
        others=("mean time", "std"),
    )
    ours = where(run.tables.get("summary", ()), comparison=_SPLIT, contender=_FLAT)
    welch = where(run.tables.get("welch", ()), contender=_FLAT, measure="wall_ms")
    if not ours or not welch:
        return [], []
    means = {1: welch[0]["one_mean"], 2: welch[0]["two_mean"]}
    sizes = {column: ours[0][column] for column in _SIZES}
    body = [
        (
            str(row.whole("n indexes")),
            f"{means[row.whole('n indexes')]:.2f}",
            f"{row.numbers['mean time']:.2f} (sd {row.numbers['std']:.2f})",
            f"{_size({column: row.whole(name) for column, name in _SIZES.items()})}, {row.words['device']}",
        )
        for row in published
        if row.whole("n indexes") in means
    ]
    found = table(
        "FAISS, one index or two of half",
        ("indexes", "here", "published", "published for"),
        body,
        f"mean milliseconds of a query by the clock; here {_size(sizes)}, one thread of a CPU",
    )
    same = all({column: row.whole(name) for column, name in _SIZES.items()} == sizes for row in published)
    return [PublishedBlock(f"FAISS beside {TIME_FILE}", tuple(_time_parted(run.record, sizes, same)), (found,))], []


def _size(sizes: dict[str, int]) -> str:
    return f"{sizes['vectors']:,} × {sizes['dim']}, the best {sizes['k']:,}"


def _time_parted(record: Record, sizes: dict[str, int], same: bool) -> Iterator[str]:
    if not same:
        yield f"Not the same sizes: {_size(sizes)} here. Compare the ratio of two indexes to one, if anything."
    yield "Not the same machine: here one thread of a CPU, and other methods take turns with FAISS."
    yield "What two indexes answer is merged here and that is timed, too; there each is asked, and nothing merged."
    yield (
        "Vectors there hold uniform numbers from 0 to 1, so that all lie near one direction; here they lie in all "
        "directions. FAISS's time does not hang on that."
    )
    if (queries := record["options"]["queries"]) != 1_000:
        yield f"{queries:,} queries here, 1,000 there."
