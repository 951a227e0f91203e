"""What D'Asaro et al. published of recommending, beside `ablation` and `tags`."""

from collections.abc import Iterator, Mapping, Sequence

from vernissage_lab.facets import arrow
from vernissage_lab.pages.experiment_report import PublishedBlock, ReadTable
from vernissage_lab.published import protocols
from vernissage_lab.published.folder import PublishedFolder
from vernissage_lab.published.names import (
    AREAS,
    EMBEDDING,
    MODELS,
    OVERLAP,
    Record,
    plain_clustering,
    plain_method,
    plain_projection,
)
from vernissage_lab.published.sameness import data_said, encoder_said, same_classified
from vernissage_lab.published.side_by_side import Ours, SideBySide, overview, side_by_side, table_of
from vernissage_lab.published.values import TAG_FILES, ZCCR_FILE, ablation_values, tag_values
from vernissage_lab.readable import estimate
from vernissage_lab.running import Run
from vernissage_lab.tidy import Row, where

_PER_SEED = "recall per seed: ten works from every area, as there, ± standard error, in so many works"
_ONE_LIST = "recall in one list of ten, as there, ± standard error"
_FILES = {AREAS: ZCCR_FILE, **TAG_FILES}
_CALLED = {AREAS: "ZCCR", OVERLAP: "BT", EMBEDDING: "BTBA"}


def beside_ablation(run: Run, folder: PublishedFolder) -> tuple[list[PublishedBlock], list[Row]]:
    """Blocks of the report, and the published values for figures: rows of means with the column ``by``.

    Raises:
        RequestError, DatasetError: see `PublishedFolder.rows`.
    """
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
            *protocols.lengths_said(run.record, found.models),
            *protocols.projections_said(run.record, found.rows),
            *protocols.clusterings_said(found.rows),
            *(protocols.contradiction_said(published) if _has_both(found) else ()),
        ]
        blocks += _block(ZCCR_FILE, given, found, same, run.record, said, tables)
        marks += _marks(found, same)
    return blocks, marks


def beside_tags(run: Run, folder: PublishedFolder) -> tuple[list[PublishedBlock], list[Row]]:
    """The same of areas, overlap of tags and embedded tags, a block each.

    Raises:
        RequestError, DatasetError: see `PublishedFolder.rows`.
    """
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
        return [*protocols.lengths_said(record, found.models), protocols.areas_said()]
    if method == OVERLAP:
        return [protocols.tags_said(given, same), *protocols.overlap_said(found.rows)]
    return [protocols.tags_said(given, same), *protocols.embedding_said(), protocols.areas_said()]


def _block(
    file: str,
    given: Record,
    found: SideBySide,
    same: Mapping[str, str],
    record: Record,
    said: Sequence[str],
    tables: Sequence[ReadTable],
) -> Iterator[PublishedBlock]:
    """A block, or none where nothing corresponds."""
    if not found.ours:
        return
    differences = [data_said(given, dict(same), found.datas)]
    if found.models:
        differences.append(encoder_said(given, found.models))
    differences += protocols.users_said(record, found.rows, capped=file.endswith(ZCCR_FILE))
    differences += [*said, *protocols.options_said(record)]
    if found.repeated:
        differences.append(
            f"Configurations that stand in {file} more than once: {found.repeated}; their mean is shown."
        )
    yield PublishedBlock(f"{given['encoder']} beside {file}", tuple(differences), tuple(tables))


def _by_task(found: SideBySide, heads: tuple[str, ...], note: str) -> Iterator[ReadTable]:
    for task in dict.fromkeys(each.row["task"] for each in found.ours):
        mine = [each for each in found.ours if each.row["task"] == task]
        yield table_of(arrow(task), heads, found, mine, note=note, digits=2)


def _ablation_ours(rows: Sequence[Row]) -> Iterator[Ours]:
    for row in where(rows, measure="recall_per_seed"):
        projection, clustering, seed = (str(row[column]) for column in ("projection", "clustering", "seed"))
        place = (row["task"], row["classes"], row["points"], plain_projection(projection), plain_clustering(clustering))
        heads = (str(row["classes"]), str(row["points"]), projection, clustering, seed)
        yield Ours(row, (*place, seed), heads, _per_seed(rows, row))


def _tag_ours(rows: Sequence[Row], method: str) -> Iterator[Ours]:
    measure = "recall" if method == OVERLAP else "recall_per_seed"
    for row in where(rows, measure=measure):
        if plain_method(str(row["method"])) == method:
            heads = (str(row["classes"]), str(row["points"]), str(row["method"]))
            shown = estimate(row) if method == OVERLAP else _per_seed(rows, row)
            yield Ours(row, (row["task"], row["classes"], row["points"], method), heads, shown)


def _per_seed(rows: Sequence[Row], row: Row) -> str:
    """Recall, and in how many works."""
    named = {column: value for column, value in row.items() if column not in ("measure", "mean", "se", "n")}
    (shown,) = where(rows, measure="shown", **named)
    return f"{estimate(row)} in {float(shown['mean']):.0f}"


def _has_both(found: SideBySide) -> bool:
    """Whether a reader sees Ward's tree both without projection and with components."""
    seen = {(plain_projection(str(row["projection"])), str(row["clustering"]).partition(":")[0]) for row in found.rows}
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
