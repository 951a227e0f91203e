"""CLIP: pictures and texts in one space, from weights that others trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.runtime.image_settings import preprocessing_in
from vernissage.encoders.runtime.loaded import LoadedEncoder, described, load_again
from vernissage.encoders.runtime.pixels import Preprocessing, on_white
from vernissage.encoders.runtime.token_batches import TokenIds, padded
from vernissage.encoders.runtime.transformers_folder import load_model, load_tokenizer, read_config
from vernissage.encoders.runtime.weights import digest_of, file_in
from vernissage.encoders.towers.clip_original import WEIGHTS_FILES, load_original, merges_beside
from vernissage.encoders.towers.clip_text import check_prompt, clean_text, fill_prompt
from vernissage.encoders.towers.two_towers import ImageTower, TextTower
from vernissage.errors import EncoderError
from vernissage.files import digest
from vernissage.values import Modality

if TYPE_CHECKING:
    import torch

_SIZES = {768: "B", 1024: "L"}
"""What vision transformers of these widths are called (Dosovitskiy et al. 2021, arXiv 2010.11929, Table 1)."""

_EARLY_END = 2
"""What early configurations write for the end mark; transformers then looks for the highest id, which is the mark."""


class CLIP(LoadedEncoder, ImageTower, TextTower):
    """A loaded CLIP; the inner product of two vectors is a cosine, within and across pictures and texts.

    Radford et al., ICML 2021, arXiv 2103.00020; faithful to the original code, also in how inputs are prepared, but
    for transparency, which is laid on white first: the original drops it, and resizes palettes before it converts them.
    """

    modalities: frozenset[Modality] = frozenset({"image", "text"})

    def __init__(
        self, model: Any, tokenizer: Any, preprocessing: Preprocessing, state: EncoderState, runtime: Runtime
    ) -> None:
        """Gather what `load_clip` has loaded and checked.

        Args:
            model: transformers' CLIPModel in eval mode, on its device.
            tokenizer: its CLIPTokenizer.
            preprocessing: of pictures.
            state: where the weights lie and what they were.
            runtime: how the model is run.
        """
        super().__init__(model, state, runtime, preprocessing)
        self._tokenizer, self.preprocessing = tokenizer, preprocessing
        self._prompt: str | None = state.settings["prompt"]

    @property
    def dim(self) -> int:
        return int(self._model.config.projection_dim)

    @property
    def variant(self) -> str:
        """Which CLIP this is, by the size of its vision transformer and with its prompt, such as ``ViT-B/32``."""
        tower = self._model.config.vision_config
        size = f"ViT-{_SIZES.get(tower.hidden_size, tower.hidden_size)}/{tower.patch_size}"
        return size if self._prompt is None else f"{size}, prompt {self._prompt!r}"

    def token_ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each text between the marks of start and end, cut to the model's length (77 with the marks)."""
        cleaned = [clean_text(fill_prompt(self._prompt, text)) for text in texts]
        longest = self._model.config.text_config.max_position_embeddings
        if not cleaned:
            return []
        ids: list[TokenIds] = self._tokenizer(cleaned, truncation=True, max_length=longest)["input_ids"]
        return ids

    def _run_images(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        pixels = self._pixels([on_white(image) for image in images])
        features: torch.Tensor = self._model.get_image_features(pixel_values=pixels).pooler_output
        return features

    def _run_texts(self, ids: Sequence[TokenIds]) -> "torch.Tensor":
        """Attention looks back only, so that zeros after the end mark change nothing and need no mask."""
        inputs = padded(ids, pad=0)[0].to(self._model.device)
        features: torch.Tensor = self._model.get_text_features(input_ids=inputs).pooler_output
        return features

    @classmethod
    def from_state(cls, state: EncoderState) -> "CLIP":
        """The encoder that ``state`` describes; raises what `load_again` raises."""
        return load_again(state, "clip", load_clip, ("prompt",))


def load_clip(place: Path, *, prompt: str | None = None, runtime: Runtime | None = None) -> CLIP:
    """Load CLIP from a folder in transformers' layout, or from a state dict in OpenAI's.

    Args:
        place: a folder with config.json, model.safetensors and the tokenizer's files; or a .pt or .safetensors file
            (or a folder with one) in OpenAI's layout, with bpe_simple_vocab_16e6.txt.gz beside it.
        prompt: a sentence with ``{}`` for the text, such as "This is {}", as ZCCR used
            (doi 10.1016/j.eswa.2024.125108).
        runtime: device, precision and batch size.

    Raises:
        EncoderError: something is missing, damaged, of another model, or code instead of weights.
    """
    check_prompt(prompt)
    if not place.exists():
        raise EncoderError(f"there is nothing at {place}; name the folder or file of CLIP's weights with --weights")
    how = runtime or Runtime()
    in_folder = (place / "config.json").is_file()
    if in_folder:
        model, tokenizer = _load_folder(place, how)
        weights = digest_of(place)
    else:
        file = file_in(place, WEIGHTS_FILES)
        model, tokenizer = load_original(file, how)
        weights = digest(digest_of(file).encode(), digest_of(merges_beside(file)).encode())
    preprocessing = (preprocessing_in(place) if in_folder else None) or _original_preprocessing(model)
    return CLIP(model, tokenizer, preprocessing, described("clip", place, weights, how, prompt=prompt), how)


def _original_preprocessing(model: Any) -> Preprocessing:
    return Preprocessing("shorter", int(model.config.vision_config.image_size))


def _load_folder(place: Path, runtime: Runtime) -> tuple[Any, Any]:
    kind = read_config(place).get("model_type")
    if kind != "clip":
        raise EncoderError(
            f"{place} holds a model of the type {kind!r}, not clip; use the encoder dual for other models of pictures "
            f"and texts"
        )
    model, tokenizer = load_model(place, "CLIPModel", runtime), load_tokenizer(place)
    text = model.config.text_config
    if len(tokenizer) != text.vocab_size or text.eos_token_id not in {_EARLY_END, tokenizer.eos_token_id}:
        raise EncoderError(
            f"the tokenizer in {place} knows {len(tokenizer)} tokens and ends texts with {tokenizer.eos_token_id}, but "
            f"the model knows {text.vocab_size} and looks for {text.eos_token_id}; get both from one and the same model"
        )
    return model, tokenizer
