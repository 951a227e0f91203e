"""Tags of pictures by models: objects that RT-DETRv2 detects, words of BLIP's captions, and both together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.runtime.devices import USUAL, Runtime, import_torch
from vernissage.encoders.runtime.loaded import LoadedEncoder, described
from vernissage.encoders.runtime.pixels import Preprocessing, on_white, preprocessing_of
from vernissage.encoders.runtime.weights import (
    check_vocabulary,
    digest_of,
    load_model,
    load_tokenizer,
    read_config,
    read_object,
)
from vernissage.errors import EncoderError
from vernissage.files import digest
from vernissage.taggers.contract import Tags, once
from vernissage.taggers.words import WordTagger

if TYPE_CHECKING:
    import torch

ABOVE = 0.5
"""A detection counts when its score is above this; usual for RT-DETR."""

MOST_TOKENS = 30
"""Word pieces of a caption, at most; BLIP's own limit on COCO is 20, of which captions rarely need 15."""

_EPS = 1e-6
"""What BLIP's vision layers were trained with; the hub's configuration says 1e-5."""

_UNNEEDED = ("text_decoder.bert.embeddings.position_ids",)
"""Numbered positions, which old files hold and new ones leave out."""


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

    @property
    def above(self) -> float:
        """The score above which a detection counts."""
        return float(self.state.settings["above"])

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
        queries, labels = int(self.network.config.num_queries), self.network.config.id2label
        rows = self.runtime.in_batches(images, self._detections, 2 * queries)
        return [
            [
                Detection(str(labels[int(label)]), float(score))
                for score, label in zip(row[:queries], row[queries:], strict=True)
                if score > self.above
            ]
            for row in rows
        ]

    def _detections(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        """Scores, falling, and then their labels: (n, 2 × queries)."""
        torch = import_torch()
        logits = self.network(pixel_values=_pixels(self, images)).logits.float()
        _, queries, kinds = logits.shape
        scores, places = torch.sort(logits.sigmoid().flatten(1), descending=True, stable=True)
        best = [scores[:, :queries], (places[:, :queries] % kinds).float()]
        return torch.cat(best, dim=1)  # type: ignore[no-any-return]


def load_objects(place: Path, *, runtime: Runtime = USUAL, above: float = ABOVE) -> ObjectTagger:
    """Load an RT-DETRv2 from a transformers folder, such as PekingU/rtdetr_v2_r18vd.

    Raises:
        EncoderError: ``above`` is no score; something is missing, damaged, no safetensors, or another model's.
    """
    if not 0 <= above < 1:
        raise EncoderError(f"scores lie from 0 to 1, but {above:g} was given; {ABOVE} is usual")
    model = model_in(place, "rt_detr_v2", "RTDetrV2ForObjectDetection", "PekingU/rtdetr_v2_r18vd", runtime)
    state = described("objects", place, digest_of(place), runtime, above=above)
    return ObjectTagger(model, None, _preprocessing(place), state, runtime)


def _preprocessing(place: Path) -> Preprocessing:
    """Squashed to a square and scaled to [0, 1], as the folder says; usually 640 pixels and not normalised."""
    file = place / "preprocessor_config.json"
    settings = {"size": {"height": 640, "width": 640}, "resample": 2} | (read_object(file) if file.is_file() else {})
    if not isinstance(settings["size"], dict):  # a bare number is not a square's side here
        settings["size"] = {"shortest_edge": settings["size"]}
    if not settings.get("do_normalize"):
        settings |= {"do_normalize": True, "image_mean": (0, 0, 0), "image_std": (1, 1, 1)}
    return preprocessing_of(file, settings)


class BLIPCaptioner(LoadedEncoder):
    """A loaded BLIP that says in a sentence what a picture shows.

    Li et al., ICML 2022, arXiv 2201.12086. Greedy decoding without a prompt: the likeliest next word piece, always, so
    that a picture has one caption.
    """

    def captions(self, images: Sequence[Image.Image]) -> list[str]:
        """A caption for each RGB picture, in lower case as BLIP was trained; of that picture alone."""
        rows = self.runtime.in_batches(images, self._generate, MOST_TOKENS).astype("int64")
        return [str(self.tokenizer.decode(row.tolist(), skip_special_tokens=True)).strip() for row in rows]

    def _generate(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        """The ids of each caption, (n, MOST_TOKENS), filled up with padding."""
        torch = import_torch()
        generated = self.network.generate(
            pixel_values=_pixels(self, images), max_new_tokens=MOST_TOKENS, num_beams=1, do_sample=False
        )
        ids = generated[:, 1:]  # the first one only says that a caption begins
        rows = torch.full((len(images), MOST_TOKENS), self.network.config.text_config.pad_token_id)
        rows[:, : ids.shape[1]] = ids
        return rows  # type: ignore[no-any-return]


class CaptionTagger:
    """Tags of pictures: the nouns and verbs of their captions."""

    name = "caption"

    def __init__(self, captioner: BLIPCaptioner, words: WordTagger) -> None:
        self.captioner, self.words = captioner, words
        self.fingerprint = digest(captioner.fingerprint.encode(), words.fingerprint.encode())[:16]

    @property
    def size(self) -> int:
        return self.captioner.preprocessing.size

    @property
    def method(self) -> str:
        return f"captions by BLIP ({weights_of(self.captioner.state)}); of these, {self.words.method}"

    def tag_images(self, images: Sequence[Image.Image]) -> list[Tags]:
        return self.words.tag_texts(self.captioner.captions(images))


def load_captioner(place: Path, *, runtime: Runtime = USUAL) -> BLIPCaptioner:
    """Load a BLIP captioning model from a transformers folder, such as Salesforce/blip-image-captioning-base.

    Raises:
        EncoderError: something is missing, damaged, no safetensors, or another model's.
    """
    example = "Salesforce/blip-image-captioning-base"
    model = model_in(place, "blip", "BlipForConditionalGeneration", example, runtime, unneeded=_UNNEEDED)
    for layer in model.vision_model.modules():
        if isinstance(layer, import_torch().nn.LayerNorm):
            layer.eps = _EPS
    tokenizer = load_tokenizer(place)
    check_vocabulary(tokenizer, model.config.text_config.vocab_size, place)
    text = model.config.text_config
    if text.sep_token_id != tokenizer.sep_token_id or text.pad_token_id != tokenizer.pad_token_id:
        raise EncoderError(  # such captions would never end
            f"config.json in {place} ends captions with token {text.sep_token_id}, its tokenizer with "
            f"{tokenizer.sep_token_id}; get both anew from one and the same model"
        )
    preprocessing = Preprocessing("squash", int(model.config.vision_config.image_size))
    state = described("blip-captioning", place, digest_of(place), runtime, most_tokens=MOST_TOKENS)
    return BLIPCaptioner(model, tokenizer, preprocessing, state, runtime)


class SceneTagger:
    """Detected objects, then the verbs of the caption.

    The tagger of pictures of D'Asaro et al. (doi 10.1016/j.eswa.2024.125108, section 4.4), by other models.
    """

    name = "scene"

    def __init__(self, objects: ObjectTagger, captioner: BLIPCaptioner, verbs: WordTagger) -> None:
        """Join a detector with a captioner. Raises EncoderError: the tagger of words keeps others than verbs."""
        if verbs.kinds != ("verb",):
            raise EncoderError(f"a scene takes verbs from captions, but {', '.join(verbs.kinds)} were to be tagged")
        self.objects, self.captioner, self.verbs = objects, captioner, verbs
        parts = (objects.fingerprint, captioner.fingerprint, verbs.fingerprint)
        self.fingerprint = digest(*(part.encode() for part in parts))[:16]

    @property
    def size(self) -> int:
        return max(self.objects.size, self.captioner.preprocessing.size)

    @property
    def method(self) -> str:
        captions = f"captions by BLIP ({weights_of(self.captioner.state)})"
        return f"{self.objects.method}; and of {captions}, {self.verbs.method}"

    def tag_images(self, images: Sequence[Image.Image]) -> list[Tags]:
        verbs = self.verbs.tag_texts(self.captioner.captions(images))
        return [once(objects + done) for objects, done in zip(self.objects.tag_images(images), verbs, strict=True)]


def _pixels(tagger: LoadedEncoder, images: Sequence[Image.Image]) -> "torch.Tensor":
    """Pictures as the network takes them: (n, 3, size, size), on the device."""
    return tagger.runtime.on_device(np.stack([tagger.preprocessing(on_white(image)) for image in images]))


def model_in(place: Path, kind: str, architecture: str, example: str, runtime: Runtime, **options: Any) -> Any:
    """The model in a folder, as `load_model`, that is of the kind and architecture and no pickle; else get ``example``.

    Raises:
        EncoderError: it is another model's or holds no safetensors; or as `load_model`.
    """
    config = read_config(place)
    named = config.get("architectures") or [architecture]
    if config.get("model_type") != kind or architecture not in named:
        raise EncoderError(
            f"{place} holds a model of the type {config.get('model_type')!r} ({', '.join(map(str, named))}), not "
            f"{architecture}; get {example}"
        )
    if not any(place.glob("*.safetensors")):
        raise EncoderError(
            f"{place} holds no model.safetensors, and pickles are not opened; get the weights of {example} as "
            f"safetensors"
        )
    return load_model(place, architecture, runtime, **options)


def weights_of(state: EncoderState) -> str:
    """Which weights they are, for people: the beginning of their digest."""
    return f"weights {state.settings['weights'][:12]}"
