"""What D'Asaro et al. published of finding the other half, beside `retrieval`."""

from collections.abc import Iterator, Sequence

from vernissage_lab.analysis.gap_retrieval import DEPTHS
from vernissage_lab.facets import arrow
from vernissage_lab.pages.experiment_report import PublishedBlock
from vernissage_lab.published.folder import PublishedFolder
from vernissage_lab.published.sameness import data_said, encoder_said, same_whole
from vernissage_lab.published.side_by_side import Ours, side_by_side, table_of
from vernissage_lab.published.values import RETRIEVAL_FILE, retrieval_values
from vernissage_lab.readable import estimate
from vernissage_lab.running import Run
from vernissage_lab.tidy import Row, where

POOLS = (1_000, 5_000)
"""How many pairs their pools hold; a run stands beside the larger one where it has so many."""


def beside_retrieval(run: Run, folder: PublishedFolder) -> tuple[list[PublishedBlock], list[Row]]:
    """A block for each encoder; nothing for figures, which show no such values.

    Raises:
        RequestError, DatasetError: see `PublishedFolder.rows`.
    """
    published = retrieval_values(folder)
    blocks = []
    for given in run.record["inputs"]:
        rows = where(run.tables.get("means", ()), encoder=given["encoder"], space="unimodal")
        if not rows:
            continue
        same, pairs = same_whole(given), int(rows[0]["n"])
        found = side_by_side(list(_ours(rows, _pool(pairs))), published, same)
        note = f"recall in {pairs:,} pairs here, ± standard error, and in {_pool(pairs):,} there"
        table = table_of("Finding the other half", ("task", "recall"), found, found.ours, note=note, digits=3)
        differences = [data_said(given, same, found.datas), encoder_said(given, found.models), *_parted(pairs)]
        blocks.append(PublishedBlock(f"{given['encoder']} beside {RETRIEVAL_FILE}", tuple(differences), (table,)))
    return blocks, []


def _pool(pairs: int) -> int:
    return max((pool for pool in POOLS if pool <= pairs), default=POOLS[0])


def _ours(rows: Sequence[Row], pool: int) -> Iterator[Ours]:
    for depth in DEPTHS:
        for row in where(rows, measure=f"recall@{depth}"):
            yield Ours(row, (row["task"], depth, pool), (arrow(row["task"]), f"@{depth}"), estimate(row))


def _parted(pairs: int) -> Iterator[str]:
    if (pool := _pool(pairs)) != pairs:
        yield f"A pool of {pairs:,} pairs here, {pool:,} there: the fewer there are, the higher is recall."
    yield (
        "Their pairs are drawn from all parts of a set, those of Flickr30k caption by caption, so that a picture can "
        "stand in a pool twice; where captions look for pictures, a caption is drawn anew there for each depth, and "
        "once for all here."
    )
    yield "Published values are those of FAISS, without a standard error, rounded to three decimals."
