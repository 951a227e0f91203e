"""What every encoder promises, and how a fitted one is kept."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import array_bytes, digest, read_arrays, read_card, write_arrays, write_json
from vernissage.progress import Progress, silent
from vernissage.values import MODALITY_CARDS, Modality, Vectors

PictureOpener = Callable[[], Image.Image]


@runtime_checkable
class Encoder(Protocol):
    """What all encoders have: a name, a dimension, the modalities they read, and a fingerprint.

    The fingerprint stands for weights and preprocessing together: two encoders with one fingerprint give the same
    vector for the same work.
    """

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    @property
    def modalities(self) -> frozenset[Modality]: ...

    @property
    def fingerprint(self) -> str: ...


@runtime_checkable
class ImageEncoder(Encoder, Protocol):
    """An encoder that reads pictures."""

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Encode RGB pictures: float32 (n, dim); each row of unit length, or all zero where nothing was found.

        A row depends on its own picture alone, not on the others in the call.
        """
        ...


@runtime_checkable
class TextEncoder(Encoder, Protocol):
    """An encoder that reads texts."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Encode texts: float32 (n, dim); each row of unit length, or all zero where no known word was found.

        A row depends on its own text alone, not on the others in the call.
        """
        ...


def reading(encoder: Encoder, modality: Modality) -> Callable[[Sequence[Any]], Vectors]:
    """How an encoder reads a modality: its `ImageEncoder.encode_images` or `TextEncoder.encode_texts`.

    Raises:
        EncoderError: it does not.
    """
    kind = MODALITY_CARDS[modality]
    method = getattr(encoder, f"encode_{kind.read_as}s", None)
    if method is None:
        raise EncoderError(f"{encoder.name} does not read {kind.many}; choose an encoder that does")
    found: Callable[[Sequence[Any]], Vectors] = method
    return found


_CARD = {"name": str, "settings": Mapping[str, Any], "fingerprint": str}


@dataclass(frozen=True)
class EncoderState:
    """Everything a fitted encoder is, as arrays and JSON values: safe to open wherever it comes from."""

    name: str
    settings: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over the name, the settings and every array."""
        parts = [self.name.encode(), json.dumps(self.settings, sort_keys=True).encode()]
        for key in sorted(self.arrays):
            parts += [key.encode(), array_bytes(self.arrays[key])]
        return digest(*parts)[:16]

    def require_name(self, name: str) -> None:
        """Refuse the state of another encoder. Raises ProvenanceError: it is not of the encoder ``name``."""
        if self.name != name:
            raise ProvenanceError(
                f"expected a model of {name}, but this one is of {self.name!r}; name the right folder"
            )

    def save(self, folder: Path) -> None:
        """Write ``arrays.npz`` and then ``model.json`` into ``folder``; equal states give equal bytes."""
        write_arrays(folder / "arrays.npz", self.arrays)
        write_json(
            folder / "model.json", {"name": self.name, "settings": dict(self.settings), "fingerprint": self.fingerprint}
        )

    @classmethod
    def load(cls, folder: Path) -> "EncoderState":
        """Read what `save` wrote.

        Raises:
            ProvenanceError: a file is missing or damaged, or the arrays are not those that the card describes.
        """
        card = read_card(folder / "model.json", _CARD, "a model")
        state = cls(card["name"], card["settings"], read_arrays(folder / "arrays.npz"))
        if state.fingerprint != card["fingerprint"]:
            raise ProvenanceError(f"the model in {folder} does not match its card model.json; {_REBUILD}")
        return state


@dataclass(frozen=True)
class Material:
    """What a collection offers for fitting; texts, pictures and vectors are gathered when they are asked for.

    Attributes:
        texts: the text of every work, empty where it has none.
        artists: the artist of every work, empty where none is known.
        pictures: functions that open the pictures of the works that have one.
        picture_contents: the digests of those pictures' contents.
        paired_vectors: for an encoder made on others: their vectors of the works that all of them read, row by row.
        bases: those other encoders.
        seed: of the fit.
        topics: how many, for a topic model; None has them chosen.
        languages: of the texts, by their codes of two letters; none has them found.
        weights: where a person said that the weights lie, for an encoder of a network that others trained.
        progress: told how far the fit is.
    """

    texts: Callable[[], Sequence[str]] = tuple
    artists: Callable[[], Sequence[str]] = tuple
    pictures: Callable[[], Sequence[PictureOpener]] = tuple
    picture_contents: Callable[[], Sequence[str]] = tuple
    paired_vectors: Callable[[], tuple[Vectors, ...]] = tuple
    bases: tuple[Encoder, ...] = ()
    seed: int = 0
    topics: int | None = None
    languages: tuple[str, ...] = ()
    weights: Path | None = None
    progress: Progress = silent


class FittedEncoder:
    """An encoder that was fitted on a collection and is nothing but its state.

    Its ``__init__`` takes the state and the encoders whose vectors it is made on, if it is.

    Attributes:
        encoded: vectors that the fit came by, none all zero, by their contents: a build need not read those again.
    """

    name: ClassVar[str]
    modalities: ClassVar[frozenset[Modality]]

    def __init__(self, state: EncoderState, *bases: Encoder) -> None:
        self.state = state
        self.encoded: Mapping[str, Vectors] = {}

    @property
    def fingerprint(self) -> str:
        return self.state.fingerprint

    @classmethod
    def from_state(cls, state: EncoderState, *bases: Encoder) -> Self:
        """The encoder that was saved as ``state``; its vectors have the same bits as before.

        Raises:
            ProvenanceError: the state is another encoder's, or not whole, or was fitted on other bases.
        """
        state.require_name(cls.name)
        try:
            return cls(state, *bases)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise ProvenanceError(
                f"the saved {cls.name} model is not whole ({error}); run `vernissage build` again"
            ) from error


def require_keys(name: str, found: Any, needed: Sequence[str]) -> Mapping[str, Any]:
    """What was saved of the encoder ``name``, if it has the needed keys.

    Raises:
        ProvenanceError: some are missing; the message names them.
    """
    lacking = [key for key in needed if not isinstance(found, Mapping) or key not in found]
    if lacking or not isinstance(found, Mapping):
        raise ProvenanceError(
            f"the saved {name} model is not whole (no {', '.join(lacking)}); run `vernissage build` again"
        )
    return found


_REBUILD = "delete that folder and run `vernissage build` again"


def unit_rows(rows: npt.NDArray[Any]) -> Vectors:
    """Scale every row to length 1 in double precision; a row of zeros stays zero. Returns float32 (n, dim)."""
    wide = np.asarray(rows, dtype=np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    unit: Vectors = np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0).astype(np.float32)
    return unit
