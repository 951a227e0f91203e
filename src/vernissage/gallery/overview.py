"""A collection as a whole: the topics of its texts, and all works on a plane."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import numpy.typing as npt

from vernissage.analysis.projection import FITTED, project
from vernissage.catalog.conditions import values_of
from vernissage.catalog.item import Item
from vernissage.encoders.fitted.lda import LDA, draw_coherence
from vernissage.errors import RequestError
from vernissage.files import digest
from vernissage.folding import folded
from vernissage.gallery.engines import PRESET_PICTURES, PRESET_TEXTS, engine_words
from vernissage.progress import Progress, silent
from vernissage.search.vectors import side_by_side
from vernissage.workspace.repository import Snapshot


@dataclass(frozen=True)
class TopicSummary:
    """One topic: its number from 1, its name, its share of all texts, its words and works, the most telling first."""

    number: int
    name: str
    share: float
    words: tuple[str, ...]
    works: tuple[str, ...]


@dataclass(frozen=True)
class Topics:
    """The topics that LDA found, the coherence (NPMI) of each number tried, what draws it as PNG, if any, and notes."""

    topics: tuple[TopicSummary, ...]
    coherence: dict[int, float]
    curve: Callable[[], bytes] | None
    notes: tuple[str, ...] = ()


def topics_of(snapshot: Snapshot, words: int = 8, works: int = 3) -> Topics:
    """The topics of the texts with so many words and example works each.

    Raises:
        RequestError: fewer than 1 word or 0 works are asked for, or the workspace has no topics.
    """
    if words < 1 or works < 0:
        raise RequestError(f"{words} words and {works} works were asked for; ask for at least 1 word and 0 works")
    workspace = snapshot.workspace
    model = workspace.encoder("lda")
    if not isinstance(model, LDA):
        raise RequestError(f"the workspace's lda is a {type(model).__name__}; build it again")
    table, banned = workspace.table("lda", "text"), snapshot.editorial.banned

    def examples(column: int) -> Iterator[str]:
        ranked = (table.item_ids[row] for row in np.argsort(-table.vectors[:, column], kind="stable").tolist())
        return islice((item_id for item_id in ranked if item_id not in banned), works)

    found = tuple(
        TopicSummary(
            topic.number,
            topic.name,
            topic.share,
            tuple(topic.words[:words]),
            tuple(examples(column)),
        )
        for column, topic in enumerate(model.topics)
    )
    coherence, notes = dict(sorted(model.coherence.items())), (model.chance,) if model.chance else ()
    return Topics(found, coherence, partial(draw_coherence, model) if len(coherence) > 1 else None, notes)


@dataclass(frozen=True, eq=False)
class Map:
    """Works on a plane in which neighbours are alike.

    Attributes:
        points: float64 (n, 2).
        items: the works, in the same order.
        labels: what colours each work; an empty string where the table does not say.
        words: what places works, for visitors.
        left_out: how many works have nothing that the encoder reads, or are more than were asked for.
        beside: how many works were not placed by t-SNE but beside the most similar one that was (see `project`).
    """

    points: npt.NDArray[np.float64]
    items: tuple[Item, ...]
    labels: tuple[str, ...]
    words: str
    left_out: int
    beside: int = 0


def map_of(
    snapshot: Snapshot,
    encoder: str | None = None,
    by: str = "group",
    seed: int = 0,
    *,
    most: int | None = None,
    progress: Progress = silent,
) -> Map:
    """All works that an encoder, or several joined by ``+``, can read, placed by t-SNE and labelled by a column.

    Where none is named, all that stand for pictures, which tell more together than each alone; topics without any.
    Works that nobody may be shown are left out. Of more than ``most`` so many are drawn by digests of their ids.

    Raises:
        RequestError: no work has such a column, or the workspace lacks the vectors.
    """
    workspace = snapshot.workspace
    there = [each for each in PRESET_PICTURES if each in workspace.encoder_names]
    there = there or [each for each in workspace.encoder_names if workspace.is_imported(each)][:1]
    name = encoder or "+".join(there) or PRESET_TEXTS
    item_ids, vectors = side_by_side([workspace.joint_table(part.strip()) for part in name.split("+")])
    if most is not None and len(item_ids) > most:
        rows = sorted(sorted(range(len(item_ids)), key=lambda row: digest(item_ids[row].encode()))[:most])
        item_ids, vectors = tuple(item_ids[row] for row in rows), vectors[rows]
    items = tuple(snapshot.items(item_ids).values())
    labels = tuple("; ".join(values_of(item, folded(by))) for item in items)
    if folded(by) != "group" and not any(labels):
        raise RequestError(f"no work has a field {by!r}; colour by group, artist, or a column of the table")
    points = project(vectors, item_ids, seed=seed, progress=progress)
    # Banned works go last: a ban moves no other work, and cannot make a field unknown.
    shown = [row for row, item in enumerate(items) if item.id not in snapshot.editorial.banned]
    some, colours = tuple(items[row] for row in shown), tuple(labels[row] for row in shown)
    left, beside = len(snapshot.collection) - len(items), max(0, len(items) - FITTED)
    return Map(points[shown], some, colours, engine_words(name), left, beside)
