"""Objects in pictures, detected by RT-DETRv2, as tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.runtime.devices import Runtime, import_torch, in_batches
from vernissage.encoders.runtime.loaded import LoadedEncoder, described
from vernissage.encoders.runtime.pixels import Preprocessing, on_white
from vernissage.encoders.runtime.transformers_folder import load_model, read_object
from vernissage.encoders.runtime.weights import digest_of
from vernissage.errors import EncoderError
from vernissage.taggers.contract import Tags, once
from vernissage.taggers.folders import check_folder, weights_of

if TYPE_CHECKING:
    import torch

ABOVE = 0.5
"""A detection counts when its score is above this; usual for RT-DETR."""

_USUAL_SIZE = 640
_FILTERS = {2: "bilinear", 3: "bicubic"}


@dataclass(frozen=True)
class Detection:
    """One object that was found: what it is, and how sure the model is, from 0 to 1."""

    label: str
    score: float


class ObjectTagger(LoadedEncoder):
    """A loaded RT-DETRv2; its tags are the kinds of objects that it finds, the surest first.

    Lv et al. 2024, arXiv 2407.17140: as many candidates as the network has queries, each with a probability for every
    kind of object; the best pairs of candidate and kind, as many as queries, are the detections.
    """

    def __init__(
        self, model: Any, preprocessing: Preprocessing, state: EncoderState, runtime: Runtime, above: float
    ) -> None:
        """Wrap a transformers RTDetrV2ForObjectDetection; `load_objects` makes it."""
        super().__init__(model, state, runtime, preprocessing)
        self.preprocessing, self.above = preprocessing, above
        self._labels: Mapping[int, str] = {int(number): str(label) for number, label in model.config.id2label.items()}

    @property
    def size(self) -> int:
        return self.preprocessing.size

    @property
    def method(self) -> str:
        return f"objects with a score above {self.above:g}, by RT-DETRv2 ({weights_of(self.state)})"

    def tag_images(self, images: Sequence[Image.Image]) -> list[Tags]:
        return [once(found.label.lower() for found in detections) for detections in self.detect(images)]

    def detect(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        """The objects in each RGB picture with a score above ``above``, the surest first."""
        queries = int(self._model.config.num_queries)
        rows = in_batches(images, self._detections, batch_size=self.runtime.batch_size, width=2 * queries)
        return [
            [
                Detection(self._labels[int(label)], float(score))
                for score, label in zip(row[:queries], row[queries:], strict=True)
                if score > self.above
            ]
            for row in rows
        ]

    def _detections(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        """Scores, falling, and then their labels: (n, 2 × queries)."""
        torch = import_torch()
        pixels = self.runtime.on_device(np.stack([self.preprocessing(on_white(image)) for image in images]))
        with self.runtime.autocast():
            logits = self._model(pixel_values=pixels).logits.float()
        _, queries, kinds = logits.shape
        scores, places = torch.sort(logits.sigmoid().flatten(1), descending=True, stable=True)
        best = [scores[:, :queries], (places[:, :queries] % kinds).float()]
        return torch.cat(best, dim=1)  # type: ignore[no-any-return]


def load_objects(place: Path, *, runtime: Runtime | None = None, above: float = ABOVE) -> ObjectTagger:
    """Load an RT-DETRv2 from a transformers folder, such as PekingU/rtdetr_v2_r18vd.

    Raises:
        EncoderError: ``above`` is no score; something is missing, damaged, no safetensors, or another model's.
    """
    if not 0 <= above < 1:
        raise EncoderError(f"scores lie from 0 to 1, but {above:g} was given; {ABOVE} is usual")
    how = runtime or Runtime()
    check_folder(place, "rt_detr_v2", ("RTDetrV2ForObjectDetection",), "PekingU/rtdetr_v2_r18vd")
    model = load_model(place, "RTDetrV2ForObjectDetection", how)
    state = described("objects", place, digest_of(place), how, above=above)
    return ObjectTagger(model, _preprocessing(place), state, how, above)


def _preprocessing(place: Path) -> Preprocessing:
    """Squashed to a square and scaled to [0, 1], as the folder says; usually 640 pixels and not normalised."""
    file = place / "preprocessor_config.json"
    settings = read_object(file) if file.is_file() else {}
    size = settings.get("size", {"height": _USUAL_SIZE, "width": _USUAL_SIZE})
    kind = _FILTERS.get(settings.get("resample", 2))
    side = size.get("height") if isinstance(size, dict) else None
    if not isinstance(side, int) or side != size.get("width") or kind is None or settings.get("do_pad"):
        raise EncoderError(
            f"{file} asks for inputs of the size {size}; choose a detector whose inputs are squares of one size"
        )
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if settings.get("do_normalize", False):
        mean, std = (_channels(file, settings, key) for key in ("image_mean", "image_std"))
    return Preprocessing("squash", side, None, kind, mean, std)  # type: ignore[arg-type]  # one of the two names


def _channels(file: Path, settings: Mapping[str, Any], key: str) -> tuple[float, float, float]:
    try:
        red, green, blue = map(float, settings[key])
    except (KeyError, TypeError, ValueError) as error:
        raise EncoderError(
            f"{file} does not say {key} for three channels; get the file anew from the model's authors"
        ) from error
    return red, green, blue
