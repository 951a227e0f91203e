"""What D'Asaro et al. released beside their paper (doi 10.1016/j.eswa.2024.125108), and what its words are called here.

Files are read strictly; what is wrong is told with file, line and column.
"""

import math
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from vernissage.errors import RequestError
from vernissage_lab.datasets.classified import read_classified
from vernissage_lab.datasets.reading import cell_of, read_rows, require_file

SOURCE = "https://github.com/fedasaro62/ZCCR-Exp"

VALUES: Mapping[str, Any] = tomllib.loads(files(__package__).joinpath("values.toml").read_text(encoding="utf-8"))
"""What the paper and its repository say, by experiment, as ``values.toml`` tells it."""

Record = Mapping[str, Any]
"""The record of a run, or one of its inputs."""


@dataclass(frozen=True)
class PublishedData:
    """One of their two data sets.

    Attributes:
        name: in words.
        whole: what a run calls the whole set, from which retrieval draws.
        classified: their table of the classified pictures, which the recommendation protocol runs on; a run calls it
            by its name without the ending.
    """

    name: str
    whole: Sequence[str]
    classified: str


@dataclass(frozen=True)
class PublishedModel:
    """One of their two encoders.

    Attributes:
        name: in words.
        encoder: our word for it.
        variant: which of the models of that name; empty where one is meant.
        unit: whether their code brings its vectors to length 1 before it clusters them.
    """

    name: str
    encoder: str
    variant: str
    unit: bool


DATA: Mapping[str, PublishedData] = {word: PublishedData(**each) for word, each in VALUES["data"].items()}
MODELS: Mapping[str, PublishedModel] = {word: PublishedModel(**each) for word, each in VALUES["models"].items()}
PROMPT = "prompt 'This is {}'"
"""How a record tells of the words that their code puts before every text for CLIP."""

TASKS: Mapping[str, str] = VALUES["tasks"]
PROJECTIONS: Mapping[str, str] = {"None": "none", "pca": "pca", "tsne (pca)": "tsne"}
"""``tsne`` alone, without components first, stands in the file too, but in no figure of the paper."""

CLUSTERINGS: Mapping[str, Callable[[float], str]] = {
    "agglomerative": lambda distance: f"ward:{distance:g}",
    "hdbscan": lambda distance: "hdbscan" if distance == EPSILON else f"hdbscan:{distance:g}",
}
"""Words for a clustering at a distance."""

EPSILON = 5
"""The distance at which the paper's figures show HDBSCAN; it has no place in ours."""

AREAS, OVERLAP, EMBEDDING = "areas", "tag-overlap", "tag-embedding"
"""Methods of `tags`: ZCCR, BT and BTBA."""


def plain_projection(word: str) -> str:
    """``pca`` for ``pca:50`` and so on: how much of it is kept is told as a difference."""
    return word.partition(":")[0]


def plain_clustering(word: str) -> str:
    """``ward:5`` for ``ward:5.0``."""
    kind, mark, distance = word.partition(":")
    return f"{kind}:{float(distance):g}" if kind == "ward" and mark else word


def plain_method(word: str) -> str:
    """``tag-overlap`` for ``tag-overlap`` by any rule: which rule it was is told as a difference."""
    return next((each for each in (OVERLAP, EMBEDDING, AREAS) if word.startswith(each)), word)


def is_whole(given: Record, data: PublishedData) -> bool:
    """Whether a run's input has the name of the whole set."""
    return given["data"] in data.whole


def is_model(given: Record, model: PublishedModel) -> bool:
    """Whether a run's input was read by that encoder, and the record says that it was that variant."""
    return bool(
        given["encoder"] == model.encoder and str(given.get("encoder_variant", "")).split(",")[0] == model.variant
    )


ZCCR_FILE = "results/zccr_metrics.csv"
TAG_FILES: Mapping[str, str] = {OVERLAP: "results/bt_metrics.csv", EMBEDDING: "results/btba_metrics.csv"}

SHOWN = 10
"""The depth that our runs measure."""

Place = tuple[Any, ...]
"""Where a value stands among ours: task, classes, uploads and so on."""


@dataclass(frozen=True)
class PublishedRow:
    """One line of a file of theirs: words and numbers by column."""

    words: Mapping[str, str]
    numbers: Mapping[str, float]

    def whole(self, column: str) -> int:
        """A number that counts something."""
        return int(self.numbers[column])


@dataclass(frozen=True)
class PublishedFolder:
    """A clone of their repository. Files are read when a run needs them, and no others must be there.

    All that reads them raises what `rows` raises.
    """

    path: Path

    def rows(
        self,
        file: str,
        *,
        words: Mapping[str, Collection[str]],
        counts: Sequence[str] = (),
        shares: Sequence[str] = (),
        others: Sequence[str] = (),
    ) -> list[PublishedRow]:
        """The lines of a table.

        Args:
            words: columns of words, each with those that may stand in it.
            counts: columns of whole numbers from 1.
            shares: columns of numbers from 0 to 1.
            others: columns of other numbers from 0.

        Raises:
            RequestError: the folder is none, or the file holds no lines, or a cell is none of these.
            DatasetError: the file is missing, cannot be read, or lacks a column.
        """
        if not self.path.is_dir():
            raise RequestError(f"{self.path} is no folder; give a clone of {SOURCE} with --published")
        path = require_file(self.path / file, f"{file} of the authors' repository", SOURCE)
        table = read_rows(path)
        kinds = {**dict.fromkeys(counts, "count"), **dict.fromkeys(shares, "share"), **dict.fromkeys(others, "other")}
        places = {column: table.required("as the authors released it", column) for column in (*words, *kinds)}
        found = [
            PublishedRow(
                {column: _word(cells, places, column, words[column], f"{path}, line {line}") for column in words},
                {column: _number(cells, places, column, kinds[column], f"{path}, line {line}") for column in kinds},
            )
            for line, cells in table
        ]
        if not found:
            raise RequestError(f"{path} has a header and no values; get it anew from {SOURCE}")
        return found

    @cached_property
    def fingerprints(self) -> Mapping[str, str]:
        """The fingerprints of their classified tables that are there, by data, read without pictures elsewhere.

        Raises:
            DatasetError: a table is damaged.
        """
        return {
            data: read_classified(table).fingerprint
            for data, known in DATA.items()
            if (table := self.path / known.classified).is_file()
        }


def _word(cells: Sequence[str], places: Mapping[str, int], column: str, known: Collection[str], where: str) -> str:
    word = cell_of(cells, places[column])
    if word not in known:
        raise RequestError(f"{where} has {word!r} in the column {column}; expected is one of {', '.join(known)}")
    return word


_KINDS = {"count": "a whole number from 1", "share": "a number from 0 to 1", "other": "a number from 0"}


def _number(cells: Sequence[str], places: Mapping[str, int], column: str, kind: str, where: str) -> float:
    text = cell_of(cells, places[column])
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    fits = {"count": number >= 1 and number.is_integer(), "share": 0 <= number <= 1, "other": 0 <= number < math.inf}
    if not fits[kind]:
        raise RequestError(f"{where} has {text!r} in the column {column}; expected is {_KINDS[kind]}")
    return number


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
    """ZCCR's recall per seed by task, classes, uploads, projection, clustering and seed."""
    return list(_ablation(folder))


def tag_values(folder: PublishedFolder) -> dict[str, list[PublishedValue]]:
    """By method: recall by task, classes, uploads and method.

    ZCCR's are those that the paper compares with tags: principal components, Ward's tree cut at 5, centroids.
    """
    wanted = ("pca", "ward:5", "centroid")
    areas = [
        PublishedValue(each.data, each.model, (*each.place[:3], AREAS), each.value)
        for each in _ablation(folder)
        if each.place[3:] == wanted
    ]
    return {AREAS: areas, **{method: list(_tags(folder, method)) for method in TAG_FILES}}


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
