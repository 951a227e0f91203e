"""What the pictures of an encoder have in common, and what its texts do: taken off, both can share one index."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.encoders.centring import Mean, mean_of_units
from vernissage.encoders.contract import EncoderState
from vernissage.errors import ProvenanceError, RequestError
from vernissage.files import digest
from vernissage.search.vectors import VectorTable
from vernissage.values import Modality

VERSION = 1
_NAME = "modality-means"
_REBUILD = "run `vernissage build` again"


@dataclass(frozen=True, eq=False)
class ModalityMeans:
    """The mean unit vector of each modality of one encoder.

    Attributes:
        encoder: the encoder's name.
        encoder_fingerprint: of the weights and preprocessing whose vectors these are means of.
        image: float64 (dim,).
        text: float64 (dim,).
        image_rows, text_rows: how many vectors each is the mean of.
        seed: which half of the works they were (see `fitting_half`).
    """

    encoder: str
    encoder_fingerprint: str
    image: Mean
    text: Mean
    image_rows: int
    text_rows: int
    seed: int

    def __getitem__(self, modality: Modality) -> Mean:
        return self.text if modality == "text" else self.image

    @property
    def dim(self) -> int:
        return len(self.image)

    @cached_property
    def state(self) -> EncoderState:
        """Everything as arrays and JSON values."""
        told = ("encoder", "encoder_fingerprint", "image_rows", "text_rows", "seed")
        settings = {"version": VERSION, **{name: getattr(self, name) for name in told}}
        return EncoderState(_NAME, settings, {"image": self.image, "text": self.text})

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over both means and where they come from."""
        return self.state.fingerprint

    def require(self, encoder_fingerprint: str) -> "ModalityMeans":
        """Return these means if they belong to that encoder.

        Raises:
            ProvenanceError: they were fitted to another one's vectors.
        """
        if encoder_fingerprint != self.encoder_fingerprint:
            raise ProvenanceError(
                f"the means of {self.encoder} were fitted to vectors of {self.encoder_fingerprint}, but these are of "
                f"{encoder_fingerprint}; {_REBUILD} to fit them anew"
            )
        return self

    def save(self, folder: Path) -> None:
        """Write arrays and their card into ``folder``, as fitted encoders are kept; equal means give equal bytes."""
        self.state.save(folder)

    @classmethod
    def load(cls, folder: Path) -> "ModalityMeans":
        """Read what `save` wrote.

        Raises:
            ProvenanceError: a file is missing or damaged, of another version, or does not match its card.
        """
        state = EncoderState.load(folder)
        parts: dict[str, Any] = {**state.settings, **state.arrays}
        if state.name != _NAME or parts.pop("version", None) != VERSION:
            raise ProvenanceError(f"{folder} holds no modality means of version {VERSION}; {_REBUILD}")
        try:
            means = cls(**parts)
        except TypeError as error:
            raise ProvenanceError(f"the modality means in {folder} are not whole ({error}); {_REBUILD}") from error
        if means.image.ndim != 1 or means.image.shape != means.text.shape or not _are_means(means):
            raise ProvenanceError(f"the modality means in {folder} are no means of unit vectors; {_REBUILD}")
        return means


def fitting_half(item_ids: Sequence[str], seed: int = 0) -> npt.NDArray[np.bool_]:
    """The half of the works that means are fitted on, so that the other can measure them: bool (n,).

    Works are ordered by the SHA-256 of seed and id, and the first ⌈n/2⌉ taken: the choice does not depend on the
    order of the works, a work's picture and text fall on one side, and few change sides when works are added.
    """
    keys = [digest(str(seed).encode(), item_id.encode()) for item_id in item_ids]
    chosen = sorted(range(len(keys)), key=keys.__getitem__)[: (len(keys) + 1) // 2]
    half = np.zeros(len(keys), dtype=bool)
    half[chosen] = True
    return half


def fit_modality_means(pictures: VectorTable, texts: VectorTable, *, seed: int = 0) -> ModalityMeans:
    """The means of both modalities over one half of the works, so that what they do can be measured on the other.

    Works that have a picture or a text count, not only those that have both.

    Raises:
        ProvenanceError: the tables are not the pictures and the texts of one encoder in one space.
        RequestError: a modality has no work in that half.
    """
    _check(pictures, texts)
    ids = list(dict.fromkeys((*pictures.item_ids, *texts.item_ids)))
    half = {item_id for item_id, chosen in zip(ids, fitting_half(ids, seed), strict=True) if chosen}
    rows = [[row for row, item_id in enumerate(table.item_ids) if item_id in half] for table in (pictures, texts)]
    if not rows[0] or not rows[1]:
        raise RequestError(
            f"means need pictures and texts, but half of the {len(ids)} works have {len(rows[0])} pictures and "
            f"{len(rows[1])} texts that {pictures.card.encoder} reads; add works of both"
        )
    return ModalityMeans(
        pictures.card.encoder,
        pictures.card.fingerprint,
        mean_of_units(pictures.vectors, rows[0]),
        mean_of_units(texts.vectors, rows[1]),
        len(rows[0]),
        len(rows[1]),
        seed,
    )


def _check(pictures: VectorTable, texts: VectorTable) -> None:
    one, other = pictures.card, texts.card
    if (one.modality, other.modality) != ("image", "text"):
        raise ProvenanceError(f"means need pictures and texts, but were given {one.modality} and {other.modality}")
    if (one.encoder, one.fingerprint, pictures.dim) != (other.encoder, other.fingerprint, texts.dim):
        raise ProvenanceError(
            f"pictures of {one.encoder} {one.fingerprint} ({pictures.dim} dimensions) and texts of {other.encoder} "
            f"{other.fingerprint} ({texts.dim}) share no space; build both with one encoder"
        )


def _are_means(means: ModalityMeans) -> bool:
    both = np.stack([means.image, means.text])
    return both.dtype == np.float64 and bool(np.isfinite(both).all() and (np.linalg.norm(both, axis=1) <= 1.001).all())
