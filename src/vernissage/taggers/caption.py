"""Captions of pictures by BLIP, and their nouns and verbs as tags."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.runtime.devices import Runtime, import_torch, in_batches
from vernissage.encoders.runtime.loaded import LoadedEncoder, described
from vernissage.encoders.runtime.pixels import Preprocessing, on_white
from vernissage.encoders.runtime.transformers_folder import check_vocabulary, load_model, load_tokenizer
from vernissage.encoders.runtime.weights import digest_of
from vernissage.errors import EncoderError
from vernissage.files import digest
from vernissage.taggers.contract import Tags
from vernissage.taggers.folders import check_folder, weights_of
from vernissage.taggers.words import WordTagger

if TYPE_CHECKING:
    import torch

MOST_TOKENS = 30
"""Word pieces of a caption, at most; BLIP's own limit on COCO is 20, of which captions rarely need 15."""

_EPS = 1e-6
"""What BLIP's vision layers were trained with; the hub's configuration says 1e-5."""


class BLIPCaptioner(LoadedEncoder):
    """A loaded BLIP that says in a sentence what a picture shows.

    Li et al., ICML 2022, arXiv 2201.12086. Greedy decoding without a prompt: the likeliest next word piece, always, so
    that a picture has one caption.
    """

    def __init__(
        self, model: Any, tokenizer: Any, preprocessing: Preprocessing, state: EncoderState, runtime: Runtime
    ) -> None:
        """Wrap a transformers BlipForConditionalGeneration; `load_captioner` makes it."""
        super().__init__(model, state, runtime, preprocessing)
        self.preprocessing = preprocessing
        self._tokenizer = tokenizer

    def captions(self, images: Sequence[Image.Image]) -> list[str]:
        """A caption for each RGB picture, in lower case as BLIP was trained; of that picture alone."""
        rows = in_batches(images, self._generate, batch_size=self.runtime.batch_size, width=MOST_TOKENS)
        return [
            str(self._tokenizer.decode(row.tolist(), skip_special_tokens=True)).strip() for row in rows.astype("int64")
        ]

    def _generate(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        """The ids of each caption, (n, MOST_TOKENS), filled up with padding."""
        import numpy as np

        torch = import_torch()
        pixels = self.runtime.on_device(np.stack([self.preprocessing(on_white(image)) for image in images]))
        with self.runtime.autocast():
            generated = self._model.generate(
                pixel_values=pixels, max_new_tokens=MOST_TOKENS, num_beams=1, do_sample=False
            )
        ids = generated[:, 1:]  # the first one only says that a caption begins
        rows = torch.full((len(images), MOST_TOKENS), self._model.config.text_config.pad_token_id)
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


def load_captioner(place: Path, *, runtime: Runtime | None = None) -> BLIPCaptioner:
    """Load a BLIP captioning model from a transformers folder, such as Salesforce/blip-image-captioning-base.

    Raises:
        EncoderError: something is missing, damaged, no safetensors, or another model's.
    """
    how = runtime or Runtime()
    check_folder(place, "blip", ("BlipForConditionalGeneration",), "Salesforce/blip-image-captioning-base")
    model = load_model(place, "BlipForConditionalGeneration", how, unneeded=_UNNEEDED)
    for layer in model.vision_model.modules():
        if isinstance(layer, import_torch().nn.LayerNorm):
            layer.eps = _EPS
    tokenizer = load_tokenizer(place)
    check_vocabulary(tokenizer, model.config.text_config.vocab_size, place)
    _check_marks(model, tokenizer, place)
    preprocessing = Preprocessing("squash", int(model.config.vision_config.image_size))
    state = described("blip-captioning", place, digest_of(place), how, most_tokens=MOST_TOKENS)
    return BLIPCaptioner(model, tokenizer, preprocessing, state, how)


def _check_marks(model: Any, tokenizer: Any, place: Path) -> None:
    """Refuse settings whose ends of captions are not the tokenizer's: such captions would never end."""
    text = model.config.text_config
    if text.sep_token_id != tokenizer.sep_token_id or text.pad_token_id != tokenizer.pad_token_id:
        raise EncoderError(
            f"config.json in {place} ends captions with token {text.sep_token_id}, its tokenizer with "
            f"{tokenizer.sep_token_id}; get both anew from one and the same model"
        )


_UNNEEDED = ("text_decoder.bert.embeddings.position_ids",)
"""Numbered positions, which old files hold and new ones leave out."""
