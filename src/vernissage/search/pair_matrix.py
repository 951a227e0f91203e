"""How well each work's picture fits each work's text, as numbers by pair, with the record of where they come from."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import file_digest
from pathlib import Path

import numpy as np

from vernissage.errors import ProvenanceError, RequestError, UnknownItemError
from vernissage.files import read_array, read_json, write_json, writing
from vernissage.values import Vectors

_ROWS_AT_ONCE = 256
_LISTS = ("row_ids", "item_ids", "contents")


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
    row_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    contents: tuple[str, ...]


class PairMatrix:
    """Values float32 (rows, columns): entry (j, i) says how well the picture of work j fits the text of work i.

    Immutable; read from a file it stays there, and only the rows that are asked for are brought into memory.
    """

    def __init__(self, values: Vectors, card: PairCard) -> None:
        shape = (len(card.row_ids), len(card.item_ids))
        if values.dtype != np.float32 or values.shape != shape:
            raise ProvenanceError(
                f"the pairs of {card.scorer} have type {values.dtype} and shape {values.shape}, but their card says "
                f"float32 and {shape}; delete them and compute them again"
            )
        self.values = values
        self.card = card

    @property
    def item_ids(self) -> tuple[str, ...]:
        return self.card.item_ids

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each work whose picture was compared."""
        return {item_id: row for row, item_id in enumerate(self.card.row_ids)}

    @cached_property
    def column_of(self) -> dict[str, int]:
        """The column of each work."""
        return {item_id: column for column, item_id in enumerate(self.item_ids)}

    def rows(self, item_ids: Sequence[str]) -> Vectors:
        """The rows of works: float32 (n, columns).

        Raises:
            UnknownItemError: a work has no picture or no text.
            RequestError: a work has both, but its row was not computed.
        """
        self.columns(item_ids)
        absent = [item_id for item_id in item_ids if item_id not in self.row_of]
        if absent:
            raise RequestError(
                f"the pictures of {', '.join(absent[:5])} were not compared with the texts; compute their rows too, or "
                f"those of all works"
            )
        return np.array(self.values[[self.row_of[item_id] for item_id in item_ids]])

    def columns(self, item_ids: Sequence[str]) -> list[int]:
        """The columns of works.

        Raises:
            UnknownItemError: a work has no picture or no text.
        """
        unknown = [item_id for item_id in item_ids if item_id not in self.column_of]
        if unknown:
            raise UnknownItemError(
                f"{', '.join(unknown[:5])}: no pairs of {self.card.scorer} for that; choose works that have a picture "
                f"and a text, or another engine"
            )
        return [self.column_of[item_id] for item_id in item_ids]

    def require(self, *, fingerprint: str, collection: str) -> "PairMatrix":
        """Return these pairs if that model computed them from that collection.

        Raises:
            ProvenanceError: it did not; the message says which differs.
        """
        for what, wanted in {"fingerprint": fingerprint, "collection": collection}.items():
            found = getattr(self.card, what)
            if found != wanted:
                raise ProvenanceError(
                    f"the pairs of {self.card.scorer} were computed with {what} {found}, but {wanted} is needed; "
                    f"compute them again"
                )
        return self

    def save(self, stem: Path) -> None:
        """Write ``stem``.npy and then ``stem``.json."""
        starts = range(0, len(self.values), _ROWS_AT_ONCE)
        write_pairs(stem, (self.values[start : start + _ROWS_AT_ONCE] for start in starts), self.card)

    @classmethod
    def load(cls, stem: Path) -> "PairMatrix":
        """Open what `save` wrote, after checking every byte against the card.

        Raises:
            ProvenanceError: a file is missing, damaged, or not what the card describes.
        """
        file = array_file(stem)
        content = read_json(card_file(stem))
        try:
            saved = content.pop("values")
            card = PairCard(**{**content, **{key: tuple(content[key]) for key in _LISTS}})
        except (TypeError, KeyError, AttributeError) as error:
            raise ProvenanceError(
                f"{card_file(stem)} is no card of pairs ({error}); delete it and compute the pairs again"
            ) from error
        values = read_array(file, memory_map=True)
        if _sha256(file) != saved:
            raise ProvenanceError(
                f"{file} is damaged: its bytes are not those that its card describes; delete it and compute the pairs "
                f"again"
            )
        return cls(values, card)


def write_pairs(stem: Path, blocks: Iterable[Vectors], card: PairCard) -> None:
    """Write blocks of rows as one array, with one block in memory at a time, and then the card."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (len(card.row_ids), len(card.item_ids))}
    with writing(array_file(stem)) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype="<f4").tobytes())
    write_json(card_file(stem), {**asdict(card), "values": _sha256(array_file(stem))})


def card_file(stem: Path) -> Path:
    """Where the card lies; it is written last, so its presence says that the pairs are whole."""
    return stem.with_name(f"{stem.name}.json")


def array_file(stem: Path) -> Path:
    """Where the numbers lie."""
    return stem.with_name(f"{stem.name}.npy")


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()
