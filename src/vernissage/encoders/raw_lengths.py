"""Vectors as an encoder's network gives them, before they are scaled to length 1: what the second paper clusters."""

from collections.abc import Sequence
from typing import Any

from PIL import Image

from vernissage.errors import EncoderError
from vernissage.files import digest
from vernissage.values import Modality, Vectors

SCALED_IN_PRINT = frozenset({"albef"})
"""Encoders whose vectors the second paper's released code scales to length 1 itself, before it clusters them."""


def has_raw_lengths(encoder: Any) -> bool:
    """Whether its network gives vectors of other lengths than 1, which the second paper clusters as they are."""
    return encoder.name not in SCALED_IN_PRINT and all(
        hasattr(encoder, f"{modality}_features") for modality in encoder.modalities
    )


class RawLengths:
    """An encoder whose vectors were not scaled to length 1; for clustering alone, since searches need unit vectors."""

    def __init__(self, encoder: Any) -> None:
        """Take the vectors of ``encoder`` as its network gives them, before they are scaled.

        Raises:
            EncoderError: it has none: its vectors are made with length 1.
        """
        if not all(hasattr(encoder, f"{modality}_features") for modality in encoder.modalities):
            raise EncoderError(
                f"{encoder.name} has no vectors but those of length 1; take an encoder with a network, such as minilm "
                f"or clip, for an experiment as published"
            )
        self._encoder = encoder
        self.preprocessing = getattr(encoder, "preprocessing", None)
        self.name: str = encoder.name
        self.dim: int = encoder.dim
        self.modalities: frozenset[Modality] = encoder.modalities
        self.variant = str(getattr(encoder, "variant", ""))
        # Another one than the encoder's: these vectors must not be taken for its.
        self.fingerprint = digest(b"raw lengths", encoder.fingerprint.encode())[:16]

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Float32 (n, dim), of any length."""
        found: Vectors = self._encoder.image_features(images)
        return found if found.ndim == 2 else found[:, 0]  # of several queries that look at a picture, the first

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Float32 (n, dim), of any length."""
        found: Vectors = self._encoder.text_features(texts)
        return found
