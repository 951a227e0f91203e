"""Vectors of an encoder as its network gives them, which the second paper's released code clusters."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from PIL import Image

from vernissage.errors import EncoderError
from vernissage.files import digest
from vernissage.values import Modality, Vectors
from vernissage_lab.set_encoders import SetEncoder


@runtime_checkable
class _ImageFeatures(Protocol):
    def image_features(self, images: Sequence[Image.Image]) -> Vectors: ...


@runtime_checkable
class _TextFeatures(Protocol):
    def text_features(self, texts: Sequence[str]) -> Vectors: ...


class RawLengths:
    """An encoder whose vectors were not scaled to length 1; for clustering alone, since searches need unit vectors."""

    def __init__(self, encoder: Any) -> None:
        """Take the vectors of ``encoder`` before they are scaled.

        Raises:
            EncoderError: it has none: its vectors are made with length 1.
        """
        methods = {"image": _ImageFeatures, "text": _TextFeatures}
        if not all(isinstance(encoder, methods[modality]) for modality in encoder.modalities):
            raise EncoderError(
                f"{encoder.name} has no vectors but those of length 1; take an encoder with a network, such as minilm "
                f"or clip, for an experiment as published"
            )
        self._encoder = encoder
        self.preprocessing = getattr(encoder, "preprocessing", None)

    @property
    def name(self) -> str:
        return str(self._encoder.name)

    @property
    def dim(self) -> int:
        return int(self._encoder.dim)

    @property
    def variant(self) -> str:
        """Which of the models that share its name; empty where the encoder does not say."""
        return str(getattr(self._encoder, "variant", ""))

    @property
    def modalities(self) -> frozenset[Modality]:
        found: frozenset[Modality] = self._encoder.modalities
        return found

    @property
    def fingerprint(self) -> str:
        """Another one than the encoder's: these vectors must not be taken for its."""
        return digest(b"raw lengths", self._encoder.fingerprint.encode())[:16]

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Float32 (n, dim), of any length."""
        found: Vectors = self._encoder.image_features(images)
        return found if found.ndim == 2 else found[:, 0]  # of several queries that look at a picture, the first

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Float32 (n, dim), of any length."""
        found: Vectors = self._encoder.text_features(texts)
        return found


SCALED_IN_PRINT = frozenset({"albef"})
"""Encoders whose vectors the released code scales to length 1 itself, before it clusters them."""


def in_raw_lengths(by: SetEncoder) -> SetEncoder:
    """The same encoder, its vectors not scaled, unless the released code scales them as well.

    Raises:
        EncoderError: its vectors are made with length 1.
    """
    if by.encoder.name in SCALED_IN_PRINT:
        return by
    return SetEncoder(RawLengths(by.encoder), by.fitted_on, by.card, by.bases)
