"""The parts of an encoder that can run elsewhere: for each modality a network, and how its inputs are prepared.

The only place that looks inside the encoders for the sake of other backends.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.contract import Encoder
from vernissage.encoders.runtime.devices import import_torch
from vernissage.encoders.runtime.pixels import Preprocessing, on_white
from vernissage.encoders.runtime.token_batches import TokenIds
from vernissage.encoders.towers.clip import CLIP
from vernissage.encoders.towers.dual import DualEncoder
from vernissage.encoders.towers.resnet import PREPROCESSING, ResNet50
from vernissage.encoders.towers.sentence import SentenceEncoder
from vernissage.errors import EncoderError
from vernissage.values import Modality

if TYPE_CHECKING:
    import torch

Exportable = CLIP | DualEncoder | ResNet50 | SentenceEncoder
"""The encoders that other backends can run."""

Inputs = Mapping[str, npt.NDArray[Any]]
"""A network's inputs by name; the first axis of each is the batch."""


@dataclass(frozen=True)
class PictureInputs:
    """Pictures as ``pixels``: float32 (n, 3, size, size)."""

    preprocessing: Preprocessing

    @property
    def names(self) -> tuple[str, ...]:
        return ("pixels",)

    def described(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self.preprocessing).items()
        }

    def __call__(self, images: Sequence[Image.Image]) -> Inputs:
        """Prepare a batch."""
        return {"pixels": np.stack([self.preprocessing(on_white(image)) for image in images])}


@dataclass(frozen=True)
class TextInputs:
    """Token ids as ``ids``: int64 (n, length), and, where the network looks at it, ``mask`` of the same shape.

    Attributes:
        pad: the id that fills up the shorter texts.
        length: to which all are filled up; None fills up to the longest of the batch.
        masked: whether the network takes the mask: 1 for a token, 0 for padding.
    """

    pad: int
    length: int | None
    masked: bool

    @property
    def names(self) -> tuple[str, ...]:
        return ("ids", "mask") if self.masked else ("ids",)

    def described(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)

    def __call__(self, rows: Sequence[TokenIds]) -> Inputs:
        """Prepare a batch."""
        longest = self.length or max(len(row) for row in rows)
        ids = np.full((len(rows), longest), self.pad, dtype=np.int64)
        mask = np.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(row)], mask[place, : len(row)] = row, 1
        return {"ids": ids, "mask": mask} if self.masked else {"ids": ids}


@dataclass(frozen=True)
class Tower:
    """One modality of an encoder.

    Attributes:
        features: from tensors in the order of ``inputs.names`` to the vectors before scaling: float32 (n, dim).
        model: the module whose weights ``features`` uses.
        inputs: prepares a batch.
    """

    features: "Callable[..., torch.Tensor]"
    model: Any
    inputs: PictureInputs | TextInputs

    def module(self) -> "torch.nn.Module":
        """The tower as a module in eval mode.

        The exporter puts a module back into the mode it came in, with all within: one left in training mode would
        switch the encoder's own dropout and normalisation to training.
        """
        nn = import_torch().nn
        tower = nn.Module()
        tower.model, tower.forward = self.model, self.features
        module: torch.nn.Module = tower.eval()
        return module


def towers_of(encoder: Encoder) -> dict[Modality, Tower]:
    """The towers of a loaded encoder.

    Raises:
        EncoderError: it is of a family that runs in torch alone.
    """
    for family, towers in _FAMILIES.items():
        if isinstance(encoder, family):
            return towers(encoder)
    raise EncoderError(
        f"{encoder.name} runs in torch alone; other backends take clip, dual, resnet50, sentence and minilm"
    )


def _of_clip(encoder: CLIP) -> dict[Modality, Tower]:
    model = encoder._model
    return {
        "image": Tower(
            lambda pixels: model.get_image_features(pixel_values=pixels).pooler_output,
            model,
            PictureInputs(encoder.preprocessing),
        ),
        "text": Tower(
            lambda ids: model.get_text_features(input_ids=ids).pooler_output, model, TextInputs(0, None, masked=False)
        ),
    }


def _of_dual(encoder: DualEncoder) -> dict[Modality, Tower]:
    model, siglip = encoder._model, encoder._siglip

    def text(ids: Any, mask: Any = None) -> Any:
        seen = {} if siglip else {"attention_mask": mask}
        return _pooled(model.get_text_features(input_ids=ids, **seen))

    pad, length = encoder._tokenizer.pad_token_id or 0, encoder._longest if siglip else None
    return {
        "image": Tower(
            lambda pixels: _pooled(model.get_image_features(pixel_values=pixels)),
            model,
            PictureInputs(encoder.preprocessing),
        ),
        "text": Tower(text, model, TextInputs(pad, length, masked=not siglip)),
    }


def _of_resnet(encoder: ResNet50) -> dict[Modality, Tower]:
    model = encoder._model
    return {
        "image": Tower(
            lambda pixels: model.resnet(pixels).pooler_output.flatten(1), model, PictureInputs(PREPROCESSING)
        )
    }


def _of_sentence(encoder: SentenceEncoder) -> dict[Modality, Tower]:
    model = encoder._model

    def mean(ids: Any, mask: Any) -> Any:
        states, weights = model(input_ids=ids, attention_mask=mask).last_hidden_state, mask.unsqueeze(-1).float()
        return (states * weights).sum(1) / weights.sum(1)

    return {"text": Tower(mean, model, TextInputs(encoder._tokenizer.pad_token_id or 0, None, masked=True))}


def _pooled(output: Any) -> Any:
    """transformers 5 wraps the vectors in an object; earlier families do not."""
    return getattr(output, "pooler_output", output)


_FAMILIES: Mapping[type, Callable[[Any], dict[Modality, Tower]]] = {
    CLIP: _of_clip,
    DualEncoder: _of_dual,
    ResNet50: _of_resnet,
    SentenceEncoder: _of_sentence,
}
