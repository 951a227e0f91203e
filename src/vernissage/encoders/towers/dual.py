"""Other models of pictures and texts in one space: SigLIP, SigLIP 2 and what else transformers knows."""

import string
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.runtime.devices import USUAL, Runtime, import_torch
from vernissage.encoders.runtime.loaded import ImageTower, TextTower, TokenIds, described, tokenized
from vernissage.encoders.runtime.pixels import Preprocessing, preprocessing_in
from vernissage.encoders.runtime.weights import (
    check_vocabulary,
    digest_of,
    load_model,
    load_tokenizer,
    longest_text,
    read_config,
)
from vernissage.errors import EncoderError
from vernissage.values import ENCODED, Modality

if TYPE_CHECKING:
    import torch

_SIGLIP = frozenset({"siglip", "siglip2"})
ELSEWHERE = {"clip": "clip", "blip": "blip", "blip-2": "blip2"}
"""Types of models with an encoder of their own here, which knows more of them."""

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


class DualEncoder(ImageTower, TextTower):
    """A loaded model of pictures and texts; the inner product of two vectors is a cosine, within and across.

    SigLIP (Zhai et al., ICCV 2023, arXiv 2303.15343) and SigLIP 2 (arXiv 2502.14786) read texts in lower case, without
    a mark of the start, with one at the end, padded to the model's length (64) and without a mask, as they were
    trained; SigLIP without punctuation. Others are padded to the batch's longest text, with a mask.
    """

    modalities: frozenset[Modality] = frozenset(ENCODED)
    exports = True

    def __init__(
        self, model: Any, tokenizer: Any, preprocessing: Preprocessing, state: EncoderState, runtime: Runtime
    ) -> None:
        """Gather what `load_dual` has loaded and checked: a transformers model of two halves, and its tokenizer.

        Raises:
            EncoderError: the vectors of pictures and texts have not the same dimension.
        """
        super().__init__(model, tokenizer, preprocessing, state, runtime)
        self._longest = longest_text(model.config.text_config, tokenizer)
        if model.config.model_type in _SIGLIP:
            self.length, self.reads_mask = self._longest, False
        self._dim = self._measured_dim()

    @property
    def dim(self) -> int:
        return self._dim

    def token_ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each text with its marks, cut to the model's length, without padding."""
        if self.length is None:
            return tokenized(self.tokenizer, texts, truncation=True, max_length=self._longest)
        # The mark of the end stays when a text is cut, and is set here whatever the folder's version of the tokenizer.
        cleaned, most = [self._clean(text) for text in texts], self._longest - 1
        words = tokenized(self.tokenizer, cleaned, add_special_tokens=False, truncation=True, max_length=most)
        return [[*row, self.tokenizer.eos_token_id] for row in words]

    def _clean(self, text: str) -> str:
        """Lower case; for the first SigLIP, known by padding with its end mark, also without punctuation."""
        if self.tokenizer.pad_token_id != self.tokenizer.eos_token_id:
            return text.lower()
        return " ".join(text.lower().translate(_NO_PUNCTUATION).split())

    def vectors_of_pixels(self, pixels: "torch.Tensor") -> "torch.Tensor":
        return _pooled(self.network.get_image_features(pixel_values=pixels))

    def vectors_of_tokens(self, ids: "torch.Tensor", mask: "torch.Tensor | None" = None) -> "torch.Tensor":
        seen = {"attention_mask": mask} if self.reads_mask else {}
        return _pooled(self.network.get_text_features(input_ids=ids, **seen))

    def _measured_dim(self) -> int:
        """The dimension, found by encoding one grey picture and one word, for each family writes it elsewhere."""
        with import_torch().inference_mode():
            image = self.vectors_of_pixels(self._pixels([Image.new("RGB", (8, 8), "grey")])).shape[1]
            text = self.vectors_of_tokens(*self._padded(self.token_ids(["art"]))).shape[1]
        if image != text:
            raise EncoderError(
                f"the model in {self.state.settings['place']} gives pictures {image} numbers and texts {text}; choose "
                f"one that brings both into one space, such as SigLIP 2"
            )
        return int(image)


def load_dual(place: Path, *, runtime: Runtime = USUAL) -> DualEncoder:
    """Load SigLIP, SigLIP 2 or another dual encoder from a folder in transformers' layout.

    Args:
        place: a folder with config.json, model.safetensors, preprocessor_config.json and the tokenizer's files.

    Raises:
        EncoderError: something is missing, damaged, or the model is no dual encoder, or one that takes pictures in
            their own shape (NaFlex).
    """
    kind = read_config(place).get("model_type")
    if kind in ELSEWHERE:
        raise EncoderError(f"{place} holds a model of the type {kind}; use the encoder {ELSEWHERE[kind]} for it")
    if kind == "siglip2":
        raise EncoderError(
            f"{place} holds a SigLIP 2 that takes pictures in their own shape (NaFlex), which is not offered; choose "
            f"one for squares, such as google/siglip2-base-patch16-224"
        )
    preprocessing = preprocessing_in(place)
    if preprocessing is None:
        raise EncoderError(
            f"{place} does not say how to prepare pictures; put the model's preprocessor_config.json there"
        )
    tokenizer = load_tokenizer(place)
    model = load_model(place, "AutoModel", runtime)
    has_both = all(hasattr(model, method) for method in ("get_image_features", "get_text_features"))
    if not has_both or not hasattr(model.config, "text_config"):
        raise EncoderError(
            f"{place} holds a {type(model).__name__}, which does not bring pictures and texts into one space; choose a "
            f"model that does, such as SigLIP 2"
        )
    check_vocabulary(tokenizer, model.config.text_config.vocab_size, place)
    return DualEncoder(model, tokenizer, preprocessing, described("dual", place, digest_of(place), runtime), runtime)


def _pooled(output: Any) -> "torch.Tensor":
    """The vectors themselves; transformers 5 wraps them in an object, under a name of earlier layers."""
    vectors: torch.Tensor = output if isinstance(output, import_torch().Tensor) else output.pooler_output
    return vectors
