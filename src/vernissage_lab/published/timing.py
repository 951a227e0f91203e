"""What D'Asaro et al. published of the time of a search, beside `search-time`."""

from collections.abc import Iterator

from vernissage_lab.pages.experiment_report import PublishedBlock, ReadTable
from vernissage_lab.published.folder import PublishedFolder
from vernissage_lab.published.names import Record
from vernissage_lab.recipes.search_time_tables import SPLIT
from vernissage_lab.running import Run
from vernissage_lab.tidy import Row, where

FILE = "search-time/search_results.csv"
_FLAT = "FAISS flat"
_SIZES = {"vectors": "search space size", "dim": "emb size", "k": "k"}


def beside_search_time(run: Run, folder: PublishedFolder) -> tuple[list[PublishedBlock], list[Row]]:
    """A block of FAISS over one index and over two; nothing for figures, which show our times alone.

    Raises:
        RequestError, DatasetError: see `PublishedFolder.rows`.
    """
    published = folder.rows(
        FILE,
        words={"device": ("CPU", "GPU")},
        counts=("n indexes", *_SIZES.values()),
        others=("mean time", "std"),
    )
    ours = where(run.tables.get("summary", ()), comparison=SPLIT, contender=_FLAT)
    welch = where(run.tables.get("welch", ()), contender=_FLAT, measure="wall_ms")
    if not ours or not welch:
        return [], []
    means = {1: float(welch[0]["one_mean"]), 2: float(welch[0]["two_mean"])}
    sizes = {column: int(ours[0][column]) for column in _SIZES}
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
    table = ReadTable(
        "FAISS, one index or two of half",
        ("indexes", "here", "published", "published for"),
        tuple(body),
        f"mean milliseconds of a query by the clock; here {_size(sizes)}, one thread of a CPU",
    )
    same = all({column: row.whole(name) for column, name in _SIZES.items()} == sizes for row in published)
    return [PublishedBlock(f"FAISS beside {FILE}", tuple(_parted(run.record, sizes, same)), (table,))], []


def _size(sizes: dict[str, int]) -> str:
    return f"{sizes['vectors']:,} × {sizes['dim']}, the best {sizes['k']:,}"


def _parted(record: Record, sizes: dict[str, int], same: bool) -> Iterator[str]:
    if not same:
        yield f"Not the same sizes: {_size(sizes)} here. Compare the ratio of two indexes to one, if anything."
    yield "Not the same machine: here one thread of a CPU, and other contenders take turns with FAISS."
    yield "What two indexes answer is merged here and that is timed, too; there each is asked, and nothing merged."
    yield (
        "Vectors there hold uniform numbers from 0 to 1, so that all lie near one direction; here they lie in all "
        "directions. FAISS's time does not hang on that."
    )
    if (queries := record["options"]["queries"]) != 1_000:
        yield f"{queries:,} queries here, 1,000 there."
