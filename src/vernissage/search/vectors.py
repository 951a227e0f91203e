"""The vectors of one encoder and one modality, with the record of where they come from."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vernissage.errors import ProvenanceError, UnknownItemError
from vernissage.files import array_bytes, digest, read_array, read_json, write_array, write_json
from vernissage.values import Modality, Vectors


@dataclass(frozen=True)
class VectorCard:
    """Where vectors come from: which encoder, which collection, which content of every work.

    Attributes:
        encoder: the encoder's name.
        fingerprint: the encoder's fingerprint over weights and preprocessing.
        modality: what of the works was read, ``image`` or ``text``.
        collection: the fingerprint of the collection that was encoded.
        item_ids: the work of each row.
        contents: the SHA-256 of the picture or text that each row was made of.
        values: the SHA-256 of the array.
    """

    encoder: str
    fingerprint: str
    modality: Modality
    collection: str
    item_ids: tuple[str, ...]
    contents: tuple[str, ...]
    values: str


class VectorTable:
    """Unit vectors float32 (n, dim) by work id, immutable, with their card."""

    def __init__(self, vectors: Vectors, card: VectorCard) -> None:
        if vectors.ndim != 2 or vectors.dtype != np.float32 or len(vectors) != len(card.item_ids):
            raise ProvenanceError(
                f"vectors of {card.encoder} have type {vectors.dtype} and shape {vectors.shape}, but float32 with "
                f"{len(card.item_ids)} rows is needed; run `vernissage build` again"
            )
        self.vectors = vectors
        self.card = card

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def item_ids(self) -> tuple[str, ...]:
        return self.card.item_ids

    @property
    def dim(self) -> int:
        return int(self.vectors.shape[1])

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each work id."""
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    def rows(self, item_ids: Sequence[str]) -> list[int]:
        """The rows of works.

        Raises:
            UnknownItemError: a work has no vector here.
        """
        missing = [item_id for item_id in item_ids if item_id not in self.row_of]
        if missing:
            raise UnknownItemError(
                f"{', '.join(missing[:5])}: no {self.card.modality} vector of {self.card.encoder} for that; "
                f"choose works that have a {'picture' if self.card.modality == 'image' else 'text'}, or another engine"
            )
        return [self.row_of[item_id] for item_id in item_ids]

    def __getitem__(self, item_id: str) -> Vectors:
        """The unit vector of one work, float32 (dim,)."""
        row: Vectors = self.vectors[self.rows([item_id])[0]]
        return row

    def require(self, *, fingerprint: str, collection: str) -> "VectorTable":
        """Return these vectors if they were made by that encoder from that collection.

        Raises:
            ProvenanceError: they were not; the message says which differs.
        """
        wanted = {"fingerprint": fingerprint, "collection": collection}
        for what, value in wanted.items():
            found = getattr(self.card, what)
            if found != value:
                raise ProvenanceError(
                    f"the {self.card.modality} vectors of {self.card.encoder} were made with {what} {found}, but the "
                    f"workspace has {value}; run `vernissage build` again to encode anew"
                )
        return self

    def save(self, stem: Path) -> None:
        """Write ``stem``.npy and then ``stem``.json."""
        write_array(_array_file(stem), self.vectors)
        write_json(card_file(stem), asdict(self.card))

    @classmethod
    def load(cls, stem: Path) -> "VectorTable":
        """Read what `save` wrote, and check every byte against the card.

        Raises:
            ProvenanceError: a file is missing, damaged, or not what the card describes.
        """
        content = read_json(card_file(stem))
        try:
            card = VectorCard(**{**content, **{key: tuple(content[key]) for key in ("item_ids", "contents")}})
        except (TypeError, KeyError) as error:
            raise ProvenanceError(
                f"{card_file(stem)} is no vector card ({error}); run `vernissage build` again"
            ) from error
        vectors = read_array(_array_file(stem))
        if digest(array_bytes(vectors)) != card.values:
            raise ProvenanceError(
                f"{_array_file(stem)} is damaged: its bytes are not those that its card describes; delete it "
                f"and run `vernissage build` again"
            )
        return cls(vectors, card)


def make_vector_table(
    vectors: Vectors,
    item_ids: Sequence[str],
    contents: Sequence[str],
    *,
    encoder: str,
    fingerprint: str,
    modality: Modality,
    collection: str,
) -> VectorTable:
    """Join vectors float32 (n, dim) with their provenance."""
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    card = VectorCard(
        encoder, fingerprint, modality, collection, tuple(item_ids), tuple(contents), digest(array_bytes(rows))
    )
    return VectorTable(rows, card)


def side_by_side(tables: Sequence[VectorTable]) -> tuple[tuple[str, ...], Vectors]:
    """The works that stand in every table, and their vectors joined: float32 (n, sum of dims)."""
    ids = tuple(item_id for item_id in tables[0].item_ids if all(item_id in table.row_of for table in tables[1:]))
    return ids, np.concatenate([table.vectors[table.rows(ids)] for table in tables], axis=1)


def card_file(stem: Path) -> Path:
    """Where the card of a table lies; it is written last, so its presence says that the table is whole."""
    return stem.with_name(f"{stem.name}.json")


def _array_file(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.npy")
