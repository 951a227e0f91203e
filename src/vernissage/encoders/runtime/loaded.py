"""Encoders with weights: the halves that read pictures and texts, and where weights lie and what they were.

A family says how one batch of tensors passes through its own network; all the rest is here. A row depends on its own
picture or text alone, but for sums in another order. What is saved of such an encoder is where its weights lie and
their digest, never the weights.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image

from vernissage.encoders.contract import EncoderState, require_keys, unit_rows
from vernissage.encoders.register import EncoderCard
from vernissage.encoders.runtime.devices import Runtime, import_torch
from vernissage.encoders.runtime.pixels import Pixels, Preprocessing, on_white
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import digest
from vernissage.values import Modality, Vectors

if TYPE_CHECKING:
    import torch

TokenIds = list[int]

_PATHS = frozenset({"place", "vocabulary"})
"""Settings that say where files lie, which may change; what is in the files is in the digest ``weights``."""


class LoadedEncoder:
    """What all encoders with weights have: a network, how it is run, and where it came from.

    Attributes:
        exports: whether its network can be written as ONNX and run by other backends than torch.
        exported: by modality, what another backend runs instead of the network: from pictures, or texts as token ids,
            and the dimension to vectors before scaling to unit length.
    """

    exports: ClassVar[bool] = False
    exported: Mapping[Modality, Callable[[Sequence[Any], int], Vectors]] = MappingProxyType({})
    preprocessing: Preprocessing

    def __init__(
        self, network: Any, tokenizer: Any, preprocessing: Preprocessing | None, state: EncoderState, runtime: Runtime
    ) -> None:
        """Gather what was loaded and checked.

        Args:
            network: in eval mode, on its device.
            tokenizer: of texts; None for those that read pictures alone.
            preprocessing: of pictures; None for those that read texts alone.
            state: where the weights lie and what they were.
            runtime: how the network is run.
        """
        self.network, self.tokenizer, self.state, self.runtime = network, tokenizer, state, runtime
        if preprocessing is not None:
            self.preprocessing = preprocessing
        self.fingerprint = fingerprint_of(state, preprocessing)

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def parameters(self) -> int:
        """How many numbers the network has that were trained."""
        return sum(int(values.numel()) for values in self.network.parameters())


class ImageTower(LoadedEncoder, ABC):
    """Pictures to vectors; ``on_white`` says whether transparency is laid on white, or dropped as in training."""

    on_white: ClassVar[bool] = True

    @property
    @abstractmethod
    def dim(self) -> int:
        """The length of a vector."""

    @abstractmethod
    def vectors_of_pixels(self, pixels: "torch.Tensor") -> "torch.Tensor":
        """The network's vectors (n, dim) of ``pixels`` (n, 3, size, size); called within the runtime's precision."""

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Unit vectors of pictures that stand upright: float32 (n, dim)."""
        return unit_rows(self.image_features(images))

    def image_features(self, images: Sequence[Image.Image]) -> Vectors:
        """The network's vectors of pictures before scaling to unit length: float32 (n, dim)."""
        if "image" in self.exported:
            return self.exported["image"](images, self.dim)
        return self.runtime.in_batches(images, lambda some: self.vectors_of_pixels(self._pixels(some)), self.dim)

    def _pixels(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        """A batch as the network takes it: (n, 3, size, size), on the device.

        Pictures are resized side by side, on as many threads as torch has: a GPU waits for nothing longer.
        """
        threads = min(import_torch().get_num_threads(), len(images))
        if threads < 2:
            return self.runtime.on_device(np.stack([self.pixels(image) for image in images]))
        with ThreadPoolExecutor(threads, thread_name_prefix="preprocessing") as pool:
            return self.runtime.on_device(np.stack(list(pool.map(self.pixels, images))))

    def pixels(self, image: Image.Image) -> Pixels:
        """The network's input for one picture: float32 (3, size, size)."""
        return self.preprocessing(on_white(image) if self.on_white else image)


class TextTower(LoadedEncoder, ABC):
    """Texts to vectors.

    Attributes:
        length: to which all texts are filled up; None fills up to the longest of the batch.
        reads_mask: whether the network looks at the mask, 1 for a token and 0 for padding.
        blank_is_zero: whether a text of nothing but white space gets zeros instead of what the network makes of the
            marks alone.
    """

    length: int | None = None
    reads_mask: bool = True
    blank_is_zero: ClassVar[bool] = True

    @property
    @abstractmethod
    def dim(self) -> int:
        """The length of a vector."""

    @property
    def padding(self) -> int:
        """The id that fills up the shorter texts of a batch."""
        return self.tokenizer.pad_token_id or 0

    @abstractmethod
    def token_ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each text with its marks, cut to the model's length, without padding."""

    @abstractmethod
    def vectors_of_tokens(self, ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        """The network's vectors (n, dim) of ``ids`` (n, length); called within the runtime's precision."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of texts: float32 (n, dim); of blank ones zeros, where `blank_is_zero`."""
        rows = unit_rows(self.text_features(texts))
        if self.blank_is_zero:
            rows[[not text.strip() for text in texts]] = 0
        return rows

    def text_features(self, texts: Sequence[str]) -> Vectors:
        """The network's vectors of texts before scaling to unit length: float32 (n, dim)."""
        ids = self.token_ids(texts)
        if "text" in self.exported:
            return _by_length(ids, lambda some: self.exported["text"](some, self.dim))
        return self._rows_of_tokens(ids, self.vectors_of_tokens, self.dim)

    def _rows_of_tokens(
        self, ids: Sequence[TokenIds], run: "Callable[[torch.Tensor, torch.Tensor], torch.Tensor]", width: int
    ) -> Vectors:
        """Rows (n, width) that ``run`` makes of token ids and mask, in the order given."""

        def padded(batch: Sequence[TokenIds]) -> "torch.Tensor":
            return run(*self._padded(batch))

        return _by_length(ids, lambda some: self.runtime.in_batches(some, padded, width))

    def _padded(self, ids: Sequence[TokenIds]) -> "tuple[torch.Tensor, torch.Tensor]":
        """Token ids and mask on the device: both int64 (n, length); padding stands at the end."""
        filled, mask = padded_ids(ids, self.padding, self.length)
        return self.runtime.on_device(filled), self.runtime.on_device(mask)


def _by_length(ids: Sequence[TokenIds], run: Callable[[list[TokenIds]], Vectors]) -> Vectors:
    """What ``run`` makes of texts by their length, in the order given: texts of like length need little padding."""
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    rows = run([ids[row] for row in order])
    placed = np.empty_like(rows)
    placed[order] = rows
    return placed


def tokenized(tokenizer: Any, texts: Sequence[str], **options: Any) -> list[TokenIds]:
    """The ids of each text by a tokenizer of transformers, without padding; those refuse to read no texts at all."""
    try:
        ids: list[TokenIds] = tokenizer(list(texts), padding=False, **options)["input_ids"] if texts else []
    except Exception as error:  # the tokenizers' own errors are bare Exceptions
        raise EncoderError(
            f"the tokenizer cannot read texts ({error}); get its files anew, of the same model"
        ) from error
    return ids


def padded_ids(rows: Sequence[TokenIds], padding: int, length: int | None = None) -> tuple[Any, Any]:
    """Ids filled up with ``padding``, and 1 for a token, 0 for padding: both int64 (n, length)."""
    longest = length or max(len(row) for row in rows)
    ids = np.full((len(rows), longest), padding, dtype=np.int64)
    mask = np.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)], mask[place, : len(row)] = row, 1
    return ids, mask


def described(name: str, place: Path, weights: str, runtime: Runtime, **settings: Any) -> EncoderState:
    """The state of an encoder from ``place``, whose weights have the digest ``weights``.

    ``settings`` are JSON values: what else was said when it was loaded.
    """
    common = {"place": str(place.resolve()), "weights": weights, "precision": runtime.precision}
    return EncoderState(name, common | settings, {})


def load_again(state: EncoderState, card: EncoderCard, runtime: Runtime) -> Any:
    """The encoder of ``card`` that ``state`` describes: from the same place, with the same precision and options.

    Raises:
        ProvenanceError: the state is another encoder's or not whole, or other weights lie in the place now, or they
            are read otherwise than they were.
        EncoderError: the weights are gone or damaged, or the card does not say how they are loaded.
    """
    if card.load is None:
        raise EncoderError(
            f"the card of {card.name} says neither how it is restored nor how it is loaded; add one of them"
        )
    state.require_name(card.name)
    settings = require_keys(card.name, state.settings, ("place", "weights", "precision", *card.options))
    place = () if card.bundled else (Path(settings["place"]),)
    options = {option: settings[option] for option in card.options}
    again = card.load(*place, runtime=replace(runtime, precision=settings["precision"]), **options)
    if again.state.settings["weights"] != settings["weights"]:
        raise ProvenanceError(
            f"the weights of {card.name} in {settings['place']} are not those that the vectors were made with; put the "
            f"earlier ones back, or run `vernissage build` again"
        )
    if again.fingerprint != fingerprint_of(state, getattr(again, "preprocessing", None)):
        raise ProvenanceError(
            f"the weights at {settings['place']} are read with other layers or settings than the vectors were made "
            f"with; put the settings files back beside them, or build again with --refit"
        )
    return again


def fingerprint_of(state: EncoderState, preprocessing: Preprocessing | None = None) -> str:
    """16 hexadecimal digits over the name, the preprocessing and all settings but where the files lie."""
    settings = {key: value for key, value in state.settings.items() if key not in _PATHS}
    parts = (state.name, json.dumps(settings, sort_keys=True), repr(preprocessing))
    return digest(*(part.encode() for part in parts))[:16]
