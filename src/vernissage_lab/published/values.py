"""Values of recommending and retrieving as D'Asaro et al. released them, under our names."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vernissage_lab.published.folder import PublishedFolder, PublishedRow
from vernissage_lab.published.names import (
    AREAS,
    CLUSTERINGS,
    DATA,
    EMBEDDING,
    MODELS,
    OVERLAP,
    PROJECTIONS,
    TASKS,
)
from vernissage_lab.tidy import Value

ZCCR_FILE = "results/zccr_metrics.csv"
TAG_FILES: Mapping[str, str] = {OVERLAP: "results/bt_metrics.csv", EMBEDDING: "results/btba_metrics.csv"}
RETRIEVAL_FILE = "retrieval/results/metrics.csv"

SHOWN = 10
"""The depth that our runs measure."""

Place = tuple[Value, ...]
"""Where a value stands among ours: task, classes, uploads and so on."""


@dataclass(frozen=True)
class PublishedValue:
    """A recall.

    Attributes:
        data: whose; a key of `DATA`.
        model: by which encoder, a key of `MODELS`; empty where the method has none of these.
        place: among ours.
        value: from 0 to 1.
    """

    data: str
    model: str
    place: Place
    value: float


def ablation_values(folder: PublishedFolder) -> list[PublishedValue]:
    """ZCCR's recall per seed by task, classes, uploads, projection, clustering and seed.

    Raises:
        RequestError, DatasetError: see `PublishedFolder.rows`.
    """
    return list(_ablation(folder))


def tag_values(folder: PublishedFolder) -> dict[str, list[PublishedValue]]:
    """By method: recall by task, classes, uploads and method.

    ZCCR's are those that the paper compares with tags: principal components, Ward's tree cut at 5, centroids.

    Raises:
        RequestError, DatasetError: see `PublishedFolder.rows`.
    """
    wanted = ("pca", "ward:5", "centroid")
    areas = [
        PublishedValue(each.data, each.model, (*each.place[:3], AREAS), each.value)
        for each in _ablation(folder)
        if each.place[3:] == wanted
    ]
    return {AREAS: areas, **{method: list(_tags(folder, method)) for method in TAG_FILES}}


def retrieval_values(folder: PublishedFolder) -> list[PublishedValue]:
    """Recall by FAISS, by task, depth and number of pairs.

    Raises:
        RequestError, DatasetError: see `PublishedFolder.rows`.
    """
    words = {"task": TASKS, "model": MODELS, "dataset": DATA, "indexer": ("faiss", "vanilla")}
    rows = folder.rows(RETRIEVAL_FILE, words=words, counts=("k", "pool size"), shares=("recall",))
    return [
        _value(row, (TASKS[row.words["task"]], row.whole("k"), row.whole("pool size")))
        for row in rows
        if row.words["indexer"] == "faiss"
    ]


def means_of(values: Iterable[PublishedValue]) -> tuple[dict[tuple[Place, str, str], float], int]:
    """The value of each place, model and data, the mean where it stands more than once; and how many do."""
    found: dict[tuple[Place, str, str], list[float]] = {}
    for each in values:
        found.setdefault((each.place, each.model, each.data), []).append(each.value)
    return {key: sum(several) / len(several) for key, several in found.items()}, sum(
        len(several) > 1 for several in found.values()
    )


def _ablation(folder: PublishedFolder) -> Iterator[PublishedValue]:
    words = {
        "task": TASKS,
        "model": MODELS,
        "dataset": DATA,
        "proj": (*PROJECTIONS, "tsne"),
        "clustering": CLUSTERINGS,
        "representative": ("centroid", "medoid"),
    }
    counts = ("n_seeds", "n_points_per_cluster", "k", "pool size")
    for row in folder.rows(ZCCR_FILE, words=words, counts=counts, shares=("recall",), others=("cluster distance",)):
        if row.words["proj"] in PROJECTIONS and row.whole("k") == SHOWN:
            yield _value(
                row,
                (
                    *(TASKS[row.words["task"]], row.whole("n_seeds"), row.whole("n_points_per_cluster")),
                    PROJECTIONS[row.words["proj"]],
                    CLUSTERINGS[row.words["clustering"]](row.numbers["cluster distance"]),
                    row.words["representative"],
                ),
            )


def _tags(folder: PublishedFolder, method: str) -> Iterator[PublishedValue]:
    words = {"task": TASKS, "dataset": DATA, "tokenization": ("_lemma",)}
    counts = ("n_seeds", "n_points_per_class", "pool size")
    for row in folder.rows(TAG_FILES[method], words=words, counts=counts, shares=("recall",)):
        place = (TASKS[row.words["task"]], row.whole("n_seeds"), row.whole("n_points_per_class"), method)
        yield _value(row, place)


def _value(row: PublishedRow, place: Place) -> PublishedValue:
    return PublishedValue(row.words["dataset"], row.words.get("model", ""), place, row.numbers["recall"])
