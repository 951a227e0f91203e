"""Encoders of texts whose weights a package brings: vectors of texts without what all texts of a collection share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from vernissage.encoders.centring import mean_of_units, without_mean
from vernissage.encoders.contract import Encoder, EncoderState, FittedEncoder, Material
from vernissage.encoders.runtime.packages import PackagedFile
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.progress import Progress, silent
from vernissage.values import Modality, Vectors

_MOST_TEXTS = 20_000
_ENOUGH_TEXTS = 1_000
"""So many of a slow reader's texts tell the mean to a thirtieth of their spread."""


class TextReader(Protocol):
    """What a package's weights make of texts."""

    def vectors_of(self, texts: Sequence[str]) -> npt.NDArray[Any]:
        """Vectors (n, dim) of any length, zeros where nothing is known; a row depends on its own text alone."""
        ...


class CentredTexts(FittedEncoder, ABC):
    """x' = unit(unit(x) − m), m the mean of unit(x) over a collection's texts; the inner product is a cosine.

    Array: ``mean`` float64 (dim,). The package's files are read when the first text is.
    """

    modalities: ClassVar[frozenset[Modality]] = frozenset({"text"})
    weights: ClassVar[PackagedFile]
    reading: ClassVar[int] = 1
    """Raised whenever the same weights would give texts other vectors."""

    is_slow: ClassVar[bool] = False

    def __init__(self, state: EncoderState, *bases: Encoder) -> None:
        super().__init__(state)
        self._mean = state.arrays["mean"]
        if dict(state.settings) != self._settings() or self._mean.ndim != 1:
            raise ProvenanceError(
                f"the saved {self.name} model was made with other weights than this version reads, or by another way "
                f"of reading texts; run `vernissage build` again"
            )

    @classmethod
    def _settings(cls) -> dict[str, Any]:
        return {"weights": cls.weights.sha256} | ({"reading": cls.reading} if cls.reading > 1 else {})

    @classmethod
    @abstractmethod
    def open_reader(cls) -> TextReader:
        """Read the package's files. Raises EncoderError: the package is not installed, or brings other files."""

    @classmethod
    def fit(cls, texts: Sequence[str], *, progress: Progress = silent) -> Self:
        """Take the mean of the vectors of a collection's texts; of many, of every second, third … one.

        Raises:
            EncoderError: fewer than two texts have a vector, or as in `open_reader`.
        """
        some = texts[:: 1 + len(texts) // (_ENOUGH_TEXTS if cls.is_slow else _MOST_TEXTS)]
        progress("averaging texts", 0, 1)
        reader = cls.open_reader()
        rows = reader.vectors_of(some)
        known = int(rows.any(axis=1).sum())
        if known < 2:
            raise EncoderError(
                f"{known} of {len(texts)} texts have words that {cls.name} knows, and centring needs at least 2; add "
                f"texts, or use colour-texture for the pictures alone"
            )
        progress("averaging texts", 1, 1)
        fitted = cls(EncoderState(cls.name, cls._settings(), {"mean": mean_of_units(rows)}))
        fitted.__dict__["_reader"] = reader  # read once, not again for the first text
        return fitted

    @classmethod
    def of_material(cls, material: Material) -> Self:
        """Fit on the texts of a collection."""
        return cls.fit(material.texts(), progress=material.progress)

    @property
    def dim(self) -> int:
        return len(self._mean)

    @cached_property
    def _reader(self) -> TextReader:
        return self.open_reader()

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of ``texts``: float32 (n, dim), zeros where nothing is known."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        return without_mean(self._reader.vectors_of(texts), self._mean)
