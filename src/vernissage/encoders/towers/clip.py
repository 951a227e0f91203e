"""CLIP: pictures and texts in one space, from weights that others trained.

From a folder in transformers' layout, or from OpenAI's own state dict with the list of byte-pair merges beside it.
"""

import gzip
import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.encoders.runtime.devices import USUAL, Runtime, import_extra, import_torch
from vernissage.encoders.runtime.loaded import ImageTower, TextTower, TokenIds, described, tokenized
from vernissage.encoders.runtime.pixels import Preprocessing, preprocessing_in
from vernissage.encoders.runtime.weights import (
    digest_of,
    file_in,
    filled,
    load_model,
    load_tokenizer,
    numbers_behind,
    read_config,
    read_tensors,
    renamed,
)
from vernissage.errors import EncoderError
from vernissage.files import digest
from vernissage.values import ENCODED, Modality

if TYPE_CHECKING:
    import torch

START, END = "<|startoftext|>", "<|endoftext|>"

_WEIGHTS_FILES = ("*.safetensors", "*.pt", "*.pth")
_MERGES_FILES = ("bpe_simple_vocab_16e6.txt.gz", "bpe*.txt.gz", "bpe*.txt", "merges.txt")
_HEAD_WIDTH = 64

_TRANSPOSED = ("visual_projection.weight", "text_projection.weight")
_NEEDED = ("token_embedding.weight", "positional_embedding", "text_projection")
_NEEDED_VIT = ("visual.conv1.weight", "visual.positional_embedding", "visual.proj")
"""What the sizes follow from."""

_SIZES = {768: "B", 1024: "L"}
"""What vision transformers of these widths are called (Dosovitskiy et al. 2021, arXiv 2010.11929, Table 1)."""

_EARLY_END = 2
"""What early configurations write for the end mark; transformers then looks for the highest id, which is the mark."""


class CLIP(ImageTower, TextTower):
    """A loaded CLIP; the inner product of two vectors is a cosine, within and across pictures and texts.

    Radford et al., ICML 2021, arXiv 2103.00020; faithful to the original code, also in how inputs are prepared, but
    for transparency, which is laid on white first: the original drops it, and resizes palettes before it converts them.
    """

    modalities: frozenset[Modality] = frozenset(ENCODED)
    exports = True
    reads_mask = False  # attention looks back only, so that zeros after the end mark change nothing
    padding = 0

    @property
    def dim(self) -> int:
        return int(self.network.config.projection_dim)

    @property
    def variant(self) -> str:
        """Which CLIP this is, by the size of its picture half and with its prompt, such as ``ViT-B/32`` or ``RN50``."""
        tower, prompt = self.network.config.vision_config, self.state.settings["prompt"]
        size = f"ViT-{_SIZES.get(tower.hidden_size, tower.hidden_size)}/{tower.patch_size}"
        size = getattr(self.network.vision_model, "variant", size)
        return size if prompt is None else f"{size}, prompt {prompt!r}"

    def token_ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each text between the marks of start and end, cut to the model's length (77 with the marks)."""
        prompt, longest = self.state.settings["prompt"] or "{}", self.network.config.text_config.max_position_embeddings
        cleaned = [clean_text(prompt.replace("{}", text)) for text in texts]
        return tokenized(self.tokenizer, cleaned, truncation=True, max_length=longest)

    def vectors_of_pixels(self, pixels: "torch.Tensor") -> "torch.Tensor":
        features: torch.Tensor = self.network.get_image_features(pixel_values=pixels).pooler_output
        return features

    def vectors_of_tokens(self, ids: "torch.Tensor", mask: "torch.Tensor | None" = None) -> "torch.Tensor":
        features: torch.Tensor = self.network.get_text_features(input_ids=ids).pooler_output
        return features


def load_clip(place: Path, *, prompt: str | None = None, runtime: Runtime = USUAL) -> CLIP:
    """Load CLIP from a folder in transformers' layout, or from a state dict in OpenAI's.

    Args:
        place: a folder with config.json, model.safetensors and the tokenizer's files; or a .pt or .safetensors file
            (or a folder with one) in OpenAI's layout, with bpe_simple_vocab_16e6.txt.gz beside it.
        prompt: a sentence with ``{}`` for the text, such as "This is {}", as ZCCR used
            (doi 10.1016/j.eswa.2024.125108).

    Raises:
        EncoderError: something is missing, damaged, of another model, or code instead of weights.
    """
    if prompt is not None and prompt.count("{}") != 1:
        raise EncoderError(f"the prompt {prompt!r} must hold {{}} once, where the text goes, as in 'This is {{}}'")
    in_folder = (place / "config.json").is_file()
    if in_folder:
        model, tokenizer = _load_folder(place, runtime)
        weights = digest_of(place)
    else:
        file = file_in(place, _WEIGHTS_FILES)
        model, tokenizer = load_original(file, runtime)
        weights = digest(digest_of(file).encode(), digest_of(merges_beside(file)).encode())
    side = int(model.config.vision_config.image_size)
    preprocessing = (preprocessing_in(place) if in_folder else None) or Preprocessing("shorter", side)
    return CLIP(model, tokenizer, preprocessing, described("clip", place, weights, runtime, prompt=prompt), runtime)


def _load_folder(place: Path, runtime: Runtime) -> tuple[Any, Any]:
    read_config(place, "clip", "use the encoder dual for other models of pictures and texts")
    model, tokenizer = load_model(place, "CLIPModel", runtime), load_tokenizer(place)
    text = model.config.text_config
    if len(tokenizer) != text.vocab_size or text.eos_token_id not in {_EARLY_END, tokenizer.eos_token_id}:
        raise EncoderError(
            f"the tokenizer in {place} knows {len(tokenizer)} tokens and ends texts with {tokenizer.eos_token_id}, but "
            f"the model knows {text.vocab_size} and looks for {text.eos_token_id}; get both from one and the same model"
        )
    return model, tokenizer


def clean_text(text: str) -> str:
    """A text as CLIP was trained on it: broken encodings mended, entities resolved, white space joined, lower case."""
    mended = import_extra("ftfy").fix_text(text)
    return re.sub(r"\s+", " ", html.unescape(html.unescape(mended))).strip().lower()


def tokenizer_from_merges(file: Path, vocabulary_size: int) -> Any:
    """CLIP's tokenizer from the list of byte-pair merges of the original code, plain or gzipped.

    The vocabulary is the 256 byte letters, the same as ends of words, one entry for each merge, and the two marks of
    start and end. The published list is longer than what the models know, so that only its beginning is used.

    Raises:
        EncoderError: the list is missing, damaged or too short for the model.
    """
    try:
        raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        lines = raw.decode().split("\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise EncoderError(f"cannot read the merges in {file} ({error}); get the file anew") from error
    pairs = (line.split() for line in lines if "#version" not in line)
    count = vocabulary_size - 2 * 256 - 2
    merges = [(pair[0], pair[1]) for pair in pairs if len(pair) == 2][: max(count, 0)]
    if len(merges) != count:
        raise EncoderError(
            f"{file} holds {len(merges)} merges, and a model of {vocabulary_size} tokens needs {count}; take the list "
            f"that belongs to the weights"
        )
    return tokenizer_of_merges(merges)


def tokenizer_of_merges(merges: Sequence[tuple[str, str]], *, unused: int = 0) -> Any:
    """CLIP's tokenizer of these merges; ``unused`` entries that no text is made of stand before the two marks."""
    letters = byte_letters()
    words = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    words += [*(f"unused{number}</w>" for number in range(unused)), START, END]
    vocabulary = {word: row for row, word in enumerate(words)}
    return import_extra("transformers").CLIPTokenizer(vocab=vocabulary, merges=list(merges))


def byte_letters() -> list[str]:
    """The visible letters that stand for the 256 bytes, in the order of the vocabulary: printable ones first."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = len(set(range(0x100)) - set(printable))
    return [chr(code) for code in (*printable, *range(0x100, 0x100 + hidden))]


def load_original(file: Path, runtime: Runtime) -> tuple[Any, Any]:
    """The model and the tokenizer of a checkpoint in OpenAI's layout, as transformers' CLIPModel and CLIPTokenizer.

    The sizes follow from the weights, the heads are 64 wide, the activation is QuickGELU, as in the original code.

    Raises:
        EncoderError: the file is damaged, a TorchScript archive or another model's; or the merges are not beside it.
    """
    tensors = read_tensors(file)
    resnet = "visual.layer1.0.conv1.weight" in tensors
    if lacking := [key for key in (*_NEEDED, *(() if resnet else _NEEDED_VIT)) if key not in tensors]:
        raise EncoderError(
            f"{file} is no CLIP in OpenAI's layout (it lacks {', '.join(lacking[:3])}); for a transformers model name "
            f"the folder, with its config.json"
        )
    transformers = import_extra("transformers")
    if resnet:
        model, picture = _with_resnet(tensors), "clip-resnet"
    else:
        model = transformers.CLIPModel(transformers.CLIPConfig(**_sizes(tensors, _vit(tensors))))
        picture = "clip-vit"
    model = filled(model, _converted(tensors, picture), file, optional=("num_batches_tracked",))
    tokenizer = tokenizer_from_merges(merges_beside(file), len(tensors["token_embedding.weight"]))
    return model.to(runtime.resolved_device()), tokenizer


def merges_beside(file: Path) -> Path:
    """The list of byte-pair merges in the folder of the weights. Raises EncoderError: there is none."""
    for name in _MERGES_FILES:
        for found in sorted(file.parent.glob(name)):
            return found
    raise EncoderError(f"there are no merges beside {file}; put bpe_simple_vocab_16e6.txt.gz of OpenAI's CLIP there")


def _with_resnet(tensors: "Mapping[str, torch.Tensor]") -> Any:
    """The model with a ResNet in the place of transformers' vision model, not filled yet."""
    from vernissage.encoders.towers.clip_resnet import ClipResNet  # imports torch

    transformers, resnet = import_extra("transformers"), ClipResNet.of_tensors(tensors, "visual.")
    vision = {"image_size": resnet.side, "patch_size": resnet.side, "hidden_size": _HEAD_WIDTH, "num_hidden_layers": 0}
    vision |= {"num_attention_heads": 1}
    model = transformers.CLIPModel(transformers.CLIPConfig(**_sizes(tensors, vision)))
    model.vision_model, model.visual_projection = resnet, import_torch().nn.Identity()
    return model


def _vit(tensors: "Mapping[str, torch.Tensor]") -> dict[str, Any]:
    """The configuration of the vision transformer."""
    width, _, patch, _ = tensors["visual.conv1.weight"].shape
    grid = round((len(tensors["visual.positional_embedding"]) - 1) ** 0.5)
    return {**_tower(tensors, "visual.transformer", width), "image_size": grid * patch, "patch_size": patch}


def _sizes(tensors: "Mapping[str, torch.Tensor]", vision: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration that the shapes imply, with that of the picture half."""
    vocabulary, text_width = tensors["token_embedding.weight"].shape
    text = {
        **_tower(tensors, "transformer", text_width),
        "vocab_size": vocabulary,
        "max_position_embeddings": len(tensors["positional_embedding"]),
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
    }
    return {"vision_config": vision, "text_config": text, "projection_dim": tensors["text_projection"].shape[1]}


def _tower(tensors: "Mapping[str, torch.Tensor]", prefix: str, width: int) -> dict[str, Any]:
    return {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": len(numbers_behind(tensors, rf"{re.escape(prefix)}\.resblocks\.(\d+)\.")),
        "num_attention_heads": max(1, width // _HEAD_WIDTH),
        "hidden_act": "quick_gelu",
        "layer_norm_eps": 1e-5,
    }


def _converted(tensors: "Mapping[str, torch.Tensor]", picture: str) -> "dict[str, torch.Tensor]":
    """The weights under transformers' names; queries, keys and values apart, projections turned round."""
    torch = import_torch()
    converted = {}
    for name, weights in renamed(tensors, picture, "clip").items():
        stem, fused, kind = name.partition(".attn.in_proj_")
        if fused:
            for part, rows in zip("qkv", torch.chunk(weights, 3), strict=True):
                converted[f"{stem}.self_attn.{part}_proj.{kind}"] = rows
        else:
            converted[name] = weights.T.contiguous() if name in _TRANSPOSED else weights
    return converted
