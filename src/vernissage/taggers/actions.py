"""What is done in videos and pictures, as classes of Kinetics-400: by VideoMAE, or by an encoder of pictures and texts.

The tagger of actions of D'Asaro et al. (doi 10.1016/j.eswa.2024.125108) is SlowFast R50 on the same 400 classes. These
are of Kay et al. 2017, arXiv 1705.06950, in the order of the alphabet, in which checkpoints number them.
"""

import math
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vernissage.encoders.contract import Encoder, reading, unit_rows
from vernissage.encoders.loading import load_pretrained
from vernissage.encoders.runtime.devices import USUAL, Runtime
from vernissage.encoders.runtime.loaded import LoadedEncoder, described
from vernissage.encoders.runtime.pixels import preprocessing_of
from vernissage.encoders.runtime.weights import digest_of, read_config, read_object
from vernissage.encoders.towers.dual import ELSEWHERE
from vernissage.errors import EncoderError
from vernissage.files import digest
from vernissage.taggers.contract import Clip, Tags
from vernissage.taggers.pictures import model_in, weights_of
from vernissage.values import Vectors

if TYPE_CHECKING:
    import torch

ABOVE = 0.3
"""An action counts when its probability is above this."""

_PROMPT = "a video of a person {}."
"""One of those that CLIP's authors publish for Kinetics."""
_SCALE = 100.0
"""By which cosines become logits where a network does not say: CLIP's own."""
_USUAL = {
    "size": {"shortest_edge": 224}, "crop_size": 224, "do_center_crop": True, "resample": 2,
    "image_mean": (0.485, 0.456, 0.406), "image_std": (0.229, 0.224, 0.225),
}  # fmt: skip


@cache
def action_names() -> tuple[str, ...]:
    """The 400 classes of Kinetics-400, in the order of the alphabet."""
    return tuple(Path(__file__).with_name("kinetics_classes.txt").read_text("utf-8").splitlines())


def _tags(probabilities: Vectors, names: Sequence[str], above: float) -> list[Tags]:
    orders = np.argsort(-probabilities, axis=1, kind="stable")
    return [
        tuple(names[place].lower() for place in order if row[place] > above)
        for row, order in zip(probabilities, orders.tolist(), strict=True)
    ]


class ActionTagger(LoadedEncoder):
    """A loaded VideoMAE with a classifier; its tags are the actions that it is sure of, the surest first.

    Tong et al. 2022, arXiv 2203.12602: patches of pairs of frames go through one transformer.
    """

    @property
    def frames(self) -> int:
        """How many frames of a video the network reads: 16 as published."""
        return int(self.network.config.num_frames)

    @property
    def size(self) -> int:
        return self.preprocessing.size

    @property
    def method(self) -> str:
        return (
            f"actions with a probability above {self.state.settings['above']:g} in {self.frames} frames, by VideoMAE "
            f"({weights_of(self.state)})"
        )

    def tag_clips(self, clips: Sequence[Clip]) -> list[Tags]:
        names = [str(self.network.config.id2label[place]) for place in range(self.network.config.num_labels)]
        return _tags(self.probabilities(clips), names, float(self.state.settings["above"]))

    def probabilities(self, clips: Sequence[Clip]) -> Vectors:
        """The probability of each class in each clip, float32 (n, classes)."""
        return self.runtime.in_batches(clips, self._probabilities, int(self.network.config.num_labels))

    def _probabilities(self, clips: Sequence[Clip]) -> "torch.Tensor":
        pixels = np.stack([np.stack([self.preprocessing(frame) for frame in clip]) for clip in clips])
        logits: torch.Tensor = self.network(pixel_values=self.runtime.on_device(pixels)).logits
        return logits.float().softmax(dim=1)


class ZeroShotActions:
    """Actions by an encoder of pictures and texts: the class whose name lies nearest to a clip's mean frame.

    It sees still frames, and was never trained on these classes: another model than that of the paper.
    """

    name = "action"
    frames = 8
    """More cost time, and the mean of frames hardly changes with them."""

    def __init__(self, encoder: Encoder, above: float = ABOVE, names: Sequence[str] = ()) -> None:
        """Choose among ``names``, the 400 of Kinetics if none are given."""
        self.encoder, self.above, self.names = encoder, above, tuple(names) or action_names()
        parts = encoder.fingerprint, f"{above:g}", _PROMPT, *self.names
        self.fingerprint = digest(*(part.encode() for part in parts))[:16]

    @property
    def size(self) -> int:
        found: Any = self.encoder
        return int(found.preprocessing.size)

    @property
    def method(self) -> str:
        return (
            f"actions with a probability above {self.above:g}, zero-shot by {self.encoder.name} from the names of "
            f"{len(self.names)} classes of Kinetics-400 (not trained on them; stills, not movement)"
        )

    @cached_property
    def _classes(self) -> Vectors:
        return reading(self.encoder, "text")([_PROMPT.format(name) for name in self.names])

    def tag_clips(self, clips: Sequence[Clip]) -> list[Tags]:
        read = reading(self.encoder, "image")
        distinct = [list({id(frame): frame for frame in clip}.values()) for clip in clips]  # a picture is read once
        cosines = unit_rows(np.stack([read(frames).mean(axis=0) for frames in distinct])) @ self._classes.T
        scale = getattr(getattr(self.encoder, "network", None), "logit_scale", None)
        logits = cosines * (_SCALE if scale is None else math.exp(scale.item()))
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return _tags(shares / shares.sum(axis=1, keepdims=True), self.names, self.above)


def load_actions(place: Path, *, runtime: Runtime = USUAL, above: float = ABOVE) -> ActionTagger | ZeroShotActions:
    """Load a VideoMAE from a transformers folder, such as MCG-NJU/videomae-base-finetuned-kinetics.

    A folder of CLIP, SigLIP or another encoder of pictures and texts gives `ZeroShotActions`.

    Raises:
        EncoderError: ``above`` is no probability; something is missing, damaged, no safetensors, or another model's.
    """
    if not 0 <= above < 1:
        raise EncoderError(f"probabilities lie from 0 to 1, but {above:g} was given; {ABOVE} is usual")
    kind = str(read_config(place).get("model_type"))
    if kind in ELSEWHERE or kind.startswith("siglip"):
        return ZeroShotActions(load_pretrained(ELSEWHERE.get(kind, "dual"), place, runtime=runtime), above)
    example = "MCG-NJU/videomae-base-finetuned-kinetics"
    model = model_in(place, "videomae", "VideoMAEForVideoClassification", example, runtime)
    file = place / "preprocessor_config.json"
    preprocessing = preprocessing_of(file, _USUAL | (read_object(file) if file.is_file() else {}))
    if preprocessing.size != model.config.image_size:
        raise EncoderError(
            f"{file} makes pictures of {preprocessing.size} pixels a side, but the network in {place} takes "
            f"{model.config.image_size}; get both anew from one model"
        )
    state = described("action", place, digest_of(place), runtime, above=above)
    return ActionTagger(model, None, preprocessing, state, runtime)
