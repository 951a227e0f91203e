"""ALBEF's checkpoints as published: what is needed of them, whole and of the right shapes, or refused."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.encoders.runtime.devices import import_torch
from vernissage.encoders.runtime.transformers_folder import read_object
from vernissage.encoders.runtime.weights import read_tensors
from vernissage.encoders.towers.albef_architecture import AlbefArchitecture
from vernissage.errors import EncoderError

if TYPE_CHECKING:
    import torch

_PUBLISHED = AlbefArchitecture()
_HEAD_WIDTH = _PUBLISHED.vision_width // _PUBLISHED.vision_heads
_NEEDED_PARTS = ("visual_encoder.", "text_encoder.", "vision_proj.", "text_proj.", "itm_head.")
_UNUSED_PARTS = ("text_encoder.cls.", "text_encoder.pooler.", "text_encoder.embeddings.position_ids")
_MOST_LAYERS = 200
_POSITIONS = "visual_encoder.pos_embed"


@dataclass(frozen=True)
class AlbefFiles:
    """The files that make one ALBEF: the weights, BERT's vocabulary, and settings beside them if there are any."""

    weights: Path
    vocabulary: Path
    settings: tuple[Path, ...] = ()


def albef_files(place: Path, vocabulary: Path | None = None) -> AlbefFiles:
    """The files for a checkpoint, or for a folder that holds one; the vocabulary lies beside it if not named.

    Raises:
        EncoderError: there is no checkpoint, or more than one, or no vocabulary.
    """
    weights = _checkpoint(place)
    words = vocabulary or weights.parent / "vocab.txt"
    words = words / "vocab.txt" if words.is_dir() else words
    if not words.is_file():
        raise EncoderError(
            f"{words} is missing, which lists ALBEF's word pieces; put vocab.txt of bert-base-uncased "
            f"(https://huggingface.co/google-bert/bert-base-uncased) there, beside {weights.name}"
        )
    beside = (weights.parent / name for name in ("config.json", "config_bert.json"))
    return AlbefFiles(weights, words, tuple(file for file in beside if file.is_file()))


def read_albef(files: AlbefFiles, image_size: int | None) -> "tuple[AlbefArchitecture, dict[str, torch.Tensor]]":
    """The sizes and the needed tensors in float32, position embeddings interpolated to ``image_size``.

    Widths are read off the tensors. Numbers of layers and heads are those in ``config.json`` (``vit``) and
    ``config_bert.json`` beside the weights, else those of the published networks.

    Raises:
        EncoderError: tensors are missing, left over, or do not fit each other.
    """
    tensors = _needed_tensors(read_tensors(files.weights))
    sizes = _architecture(tensors, _settings(files.settings), files.weights)
    _refuse_unfit(tensors, sizes, files.weights)
    weights = {name: tensors[name].float() for name in sizes.shapes()}
    if image_size is None or image_size == sizes.image_size:
        return sizes, weights
    if image_size < sizes.patch or image_size % sizes.patch:
        raise EncoderError(
            f"pictures of {image_size} pixels a side cannot be cut into patches of {sizes.patch}; choose a multiple, "
            f"such as {sizes.image_size}"
        )
    weights[_POSITIONS] = _interpolated(weights[_POSITIONS], image_size // sizes.patch)
    return replace(sizes, image_size=image_size), weights


def _checkpoint(place: Path) -> Path:
    if place.is_file():
        return place
    found = sorted(file for suffix in ("safetensors", "pth") for file in place.glob(f"*.{suffix}"))
    if not found:
        raise EncoderError(
            f"there is no {place}, or it holds no ALBEF.pth, mscoco.pth, flickr30k.pth or *.safetensors; get one from "
            f"https://github.com/salesforce/ALBEF and name the file or its folder with --weights"
        )
    if len({file.stem for file in found}) > 1:
        raise EncoderError(f"{place} holds several checkpoints: {', '.join(f.name for f in found)}; name one of them")
    return max(found, key=lambda file: file.suffix == ".safetensors")


def _needed_tensors(tensors: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """Without momentum copies, queues, the language model's head and the temperature; BERT without ``bert.``."""
    plain = {name.replace("text_encoder.bert.", "text_encoder.", 1): tensor for name, tensor in tensors.items()}
    return {
        name: tensor
        for name, tensor in plain.items()
        if name.startswith(_NEEDED_PARTS) and not name.startswith(_UNUSED_PARTS)
    }


def _settings(files: Iterable[Path]) -> dict[str, int]:
    """Whole numbers that the settings files give, by the names of `AlbefArchitecture`."""
    contents = {file.name: read_object(file) for file in files}
    vision, text = contents.get("config.json", {}).get("vit"), contents.get("config_bert.json", {})
    vision = vision if isinstance(vision, dict) else {}
    wanted: dict[str, Any] = {
        "vision_layers": vision.get("depth"),
        "vision_heads": vision.get("num_heads"),
        "text_layers": text.get("num_hidden_layers"),
        "text_heads": text.get("num_attention_heads"),
        "fusion_layer": text.get("fusion_layer"),
    }
    return {name: value for name, value in wanted.items() if isinstance(value, int)}


def _architecture(tensors: "Mapping[str, torch.Tensor]", settings: Mapping[str, int], file: Path) -> AlbefArchitecture:
    """Widths by the tensors' shapes, a missing one as published: what is missing is refused afterwards, by name."""

    def side(name: str, axis: int, published: int) -> int:
        shape = tuple(tensors[name].shape) if name in tensors else ()
        return shape[axis] if len(shape) > axis else published

    patch = side("visual_encoder.patch_embed.proj.weight", 2, _PUBLISHED.patch)
    grid = math.isqrt(max(0, side(_POSITIONS, 1, _PUBLISHED.image_tokens) - 1))
    vision_width = side("visual_encoder.norm.weight", 0, _PUBLISHED.vision_width)
    text_width = side("text_encoder.embeddings.LayerNorm.weight", 0, _PUBLISHED.text_width)
    sizes = AlbefArchitecture(
        image_size=grid * patch,
        patch=patch,
        vision_width=vision_width,
        vision_inner=side("visual_encoder.blocks.0.mlp.fc1.weight", 0, _PUBLISHED.vision_inner),
        text_width=text_width,
        text_inner=side("text_encoder.encoder.layer.0.intermediate.dense.weight", 0, _PUBLISHED.text_inner),
        vocabulary=side("text_encoder.embeddings.word_embeddings.weight", 0, _PUBLISHED.vocabulary),
        positions=side("text_encoder.embeddings.position_embeddings.weight", 0, _PUBLISHED.positions),
        dim=side("vision_proj.weight", 0, _PUBLISHED.dim),
    )
    whole = replace(sizes, **{**_counted(tensors, sizes), **settings})
    _refuse_counts(whole, file)
    return whole


def _counted(tensors: "Mapping[str, torch.Tensor]", sizes: AlbefArchitecture) -> dict[str, int]:
    """Numbers of layers by the tensors' names, and of heads as usual, for networks without settings beside them.

    Networks of the published widths have the published layers, so that a file that was cut is seen to be.
    """
    blocks = _numbers(tensors, r"visual_encoder\.blocks\.(\d+)\.")
    layers = _numbers(tensors, r"text_encoder\.encoder\.layer\.(\d+)\.")
    fused = _numbers(tensors, r"text_encoder\.encoder\.layer\.(\d+)\.crossattention\.")
    usual_vision = sizes.vision_width == _PUBLISHED.vision_width
    usual_text = sizes.text_width == _PUBLISHED.text_width
    return {
        "vision_heads": sizes.vision_width // _HEAD_WIDTH,
        "text_heads": sizes.text_width // _HEAD_WIDTH,
        "vision_layers": _PUBLISHED.vision_layers if usual_vision else len(blocks),
        "text_layers": _PUBLISHED.text_layers if usual_text else len(layers),
        "fusion_layer": _PUBLISHED.fusion_layer if usual_text or not fused else min(fused),
    }


def _numbers(names: Iterable[str], pattern: str) -> set[int]:
    return {int(match[1]) for name in names if (match := re.match(pattern, name))}


def _refuse_counts(sizes: AlbefArchitecture, file: Path) -> None:
    layers_fit = 1 <= sizes.vision_layers <= _MOST_LAYERS and 1 < sizes.text_layers <= _MOST_LAYERS
    if not layers_fit or not 0 < sizes.fusion_layer < sizes.text_layers:
        raise EncoderError(
            f"{file} is no ALBEF: {sizes.vision_layers} layers for pictures, {sizes.text_layers} for texts, fused from "
            f"layer {sizes.fusion_layer}; name its checkpoint, with the config_bert.json of its training beside it"
        )
    for width, heads in ((sizes.vision_width, sizes.vision_heads), (sizes.text_width, sizes.text_heads)):
        if heads < 1 or width % heads:
            raise EncoderError(
                f"{file} has the width {width}, which {heads} attention heads cannot share; put config.json "
                f"(vit.num_heads) and config_bert.json (num_attention_heads) of its training beside it"
            )


def _refuse_unfit(tensors: "Mapping[str, torch.Tensor]", sizes: AlbefArchitecture, file: Path) -> None:
    shapes = sizes.shapes()
    missing = [name for name in shapes if name not in tensors]
    if missing:
        raise EncoderError(
            f"{file} lacks {len(missing)} of the {len(shapes)} tensors that ALBEF needs: {_first_five(missing)}; get "
            f"the whole checkpoint ALBEF.pth, mscoco.pth or flickr30k.pth from https://github.com/salesforce/ALBEF"
        )
    unknown = [name for name in tensors if name not in shapes]
    if unknown:
        raise EncoderError(
            f"{file} has tensors that ALBEF does not: {_first_five(unknown)}; name a checkpoint of ALBEF, with "
            f"config_bert.json of its training beside it if it is another size"
        )
    unfit = [
        f"{name} is {tuple(tensors[name].shape)} and not {shape}"
        for name, shape in shapes.items()
        if tuple(tensors[name].shape) != shape
    ]
    if unfit:
        raise EncoderError(f"{file} has tensors that do not fit each other: {_first_five(unfit)}; get it anew")


def _first_five(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _interpolated(positions: "torch.Tensor", grid: int) -> "torch.Tensor":
    """Position embeddings (1, 1 + tokens, width) for another grid of patches; the class token's stays."""
    first, rest = positions[:, :1], positions[:, 1:]
    old = math.isqrt(rest.shape[1])
    square = rest.reshape(1, old, old, -1).permute(0, 3, 1, 2)
    functional = import_torch().nn.functional
    wider = functional.interpolate(square, size=(grid, grid), mode="bicubic", align_corners=False)
    joined: torch.Tensor = import_torch().cat([first, wider.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)
    return joined
