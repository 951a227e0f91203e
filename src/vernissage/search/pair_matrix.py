"""How well each work's picture fits each work's text, as numbers by pair, with the record of where they come from."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vernissage.catalog.ids import Ids
from vernissage.errors import ProvenanceError, RequestError, UnknownItemError
from vernissage.files import Seal, int32_values, read_array, read_card, seal_of, write_json, write_rows
from vernissage.search.vectors import (
    Contents,
    array_file,
    card_file,
    read_ids,
    read_labels,
    require_source,
    rows_file,
    write_labels,
)
from vernissage.values import Vectors

_SAMPLED = 16
_MOST = 1000.0
"""Probabilities are at most 1; other scorers may measure otherwise, but not without end."""
_TOLD = ("scorer", "fingerprint", "collection", "pairs")
_CARD = dict.fromkeys(_TOLD, str) | {"pairs": int | None, "array": Seal, "rows": Seal}


@dataclass(frozen=True)
class PairCard:
    """Where the numbers come from.

    Attributes:
        scorer: the name of the model that read the pairs.
        fingerprint: its fingerprint over weights and preprocessing.
        collection: the fingerprint of the collection.
        pairs: how many texts were read with each picture; None for all.
        row_ids: the works whose pictures are the rows; all of ``item_ids``, or fewer where only those were computed.
        item_ids: the works whose texts are the columns: all that have a picture and a text.
        contents: the SHA-256 of picture and text together of each of ``item_ids``.
    """

    scorer: str
    fingerprint: str
    collection: str
    pairs: int | None
    row_ids: Sequence[str]
    item_ids: Sequence[str]
    contents: Sequence[str]


@dataclass(frozen=True, eq=False)
class PairMatrix:
    """Values float32 (rows, columns): entry (j, i) says how well the picture of work j fits the text of work i.

    Immutable; read from a file it stays there, and only the rows that are asked for are brought into memory.
    """

    values: Vectors
    card: PairCard

    def __post_init__(self) -> None:
        shape = (len(self.card.row_ids), len(self.card.item_ids))
        if self.values.dtype != np.float32 or self.values.shape != shape:
            raise ProvenanceError(
                f"the pairs of {self.card.scorer} have type {self.values.dtype} and shape {self.values.shape}, but "
                f"their card says float32 and {shape}; delete them and compute them again"
            )

    @cached_property
    def item_ids(self) -> Ids:
        """The works of the columns."""
        return Ids.of(self.card.item_ids)

    @cached_property
    def _row_ids(self) -> Ids:
        return Ids.of(self.card.row_ids)

    def rows(self, item_ids: Sequence[str]) -> Vectors:
        """The rows of works: float32 (n, columns).

        Raises:
            UnknownItemError: a work has no picture or no text.
            RequestError: a work has both, but its row was not computed.
        """
        if unknown := [item_id for item_id in item_ids if item_id not in self.item_ids]:
            raise UnknownItemError(
                f"{', '.join(unknown[:5])}: no pairs of {self.card.scorer} for that; choose works that have a picture "
                f"and a text, or another engine"
            )
        if absent := [item_id for item_id in item_ids if item_id not in self._row_ids]:
            raise RequestError(
                f"the pictures of {', '.join(absent[:5])} were not compared with the texts; compute their rows too, or "
                f"those of all works"
            )
        return np.array(self.values[self._row_ids.rows(item_ids)])

    def require(self, *, fingerprint: str, collection: str) -> "PairMatrix":
        """Return these pairs if that model computed them from that collection; else a `ProvenanceError`.

        A sample of rows must be finite and not negative: no probability is.
        """
        require_source(self.card, f"pairs of {self.card.scorer}", fingerprint=fingerprint, collection=collection)
        self.require_sound(self.values[:: max(1, len(self.values) // _SAMPLED)])
        return self

    def require_sound(self, rows: Vectors) -> None:
        """Check some of the rows; a `ProvenanceError` where they are no measures of how well two things fit."""
        if not ((rows >= 0) & (rows <= _MOST)).all():  # also where one is not a number
            raise ProvenanceError(
                f"the pairs of {self.card.scorer} are damaged: not all are probabilities; run `vernissage build` again"
            )

    def save(self, stem: Path) -> None:
        """Write numbers, works, and then the card."""
        write_pairs(stem, [self.values], self.card)

    @classmethod
    def load(cls, stem: Path, *, whole: bool = False) -> "PairMatrix":
        """Open what `save` wrote: the numbers stay in their file and are mapped into memory.

        Sizes are checked against the card, and the bytes of small files; with ``whole`` those of all.

        Raises:
            ProvenanceError: a file is missing, damaged, or not what the card describes.
        """
        labels = rows_file(stem)
        content = read_card(card_file(stem), _CARD, "pairs")
        for file, key in ((array_file(stem), "array"), (labels, "rows")):
            Seal(**content[key]).require(file, whole=whole)
        ids = read_ids(labels)
        row_of = int32_values(read_labels(labels, "row"))
        columns = np.flatnonzero(row_of >= 0)
        # All in their order, or the computed ones in that of their rows.
        rows = tuple(ids[column] for column in columns[np.argsort(row_of[columns])].tolist())
        told = {key: content[key] for key in _TOLD}
        card = PairCard(row_ids=rows, item_ids=ids, contents=Contents(labels, len(ids)), **told)
        return cls(read_array(array_file(stem), memory_map=True), card)


def write_pairs(stem: Path, blocks: Iterable[Vectors], card: PairCard) -> None:
    """Write blocks of rows as one array, with one block in memory at a time, and then the card."""
    write_rows(array_file(stem), blocks, (len(card.row_ids), len(card.item_ids)))
    ids = Ids.of(card.item_ids)
    rows = Ids.of(card.row_ids).rows(ids).astype(np.int32)
    told = {key: getattr(card, key) for key in _TOLD}
    seals = {"array": seal_of(array_file(stem)), "rows": write_labels(rows_file(stem), ids, card.contents, rows)}
    write_json(card_file(stem), told | {key: asdict(seal) for key, seal in seals.items()})
