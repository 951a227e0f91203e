"""BLIP's original checkpoints (`model_*_retrieval.pth`) in transformers' names and settings."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.encoders.runtime.transformers_folder import read_object
from vernissage.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

_BLOCK_NAMES = {
    "norm1": "layer_norm1",
    "norm2": "layer_norm2",
    "attn.qkv": "self_attn.qkv",
    "attn.proj": "self_attn.projection",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_VISION_NAMES = {
    "visual_encoder.cls_token": "vision_model.embeddings.class_embedding",
    "visual_encoder.pos_embed": "vision_model.embeddings.position_embedding",
    "visual_encoder.patch_embed.proj": "vision_model.embeddings.patch_embedding",
    "visual_encoder.norm": "vision_model.post_layernorm",
}
_SAME_NAME = ("text_encoder.", "vision_proj.", "text_proj.", "itm_head.")
_USUAL_HEAD = 64
"""Channels of one attention head, in every BLIP that was published."""


def is_original(tensors: "Mapping[str, torch.Tensor]") -> bool:
    """Whether the tensors have the original names."""
    return any(name.startswith("visual_encoder.") for name in tensors)


def renamed(tensors: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """The tensors that retrieval needs, by transformers' names.

    Momentum copies, queues and the temperature are left out: they are for training.
    """
    named = {_new_name(name): tensor for name, tensor in tensors.items()}
    return {name: tensor for name, tensor in named.items() if name}


def settings_of(tensors: "Mapping[str, torch.Tensor]", folder: Path) -> dict[str, Any]:
    """The model's settings for transformers' BlipConfig, read off the shapes of its tensors.

    Shapes do not tell the number of attention heads: it is one for 64 channels, as in every published BLIP, unless
    ``config.json`` (``vit_heads``) or ``med_config.json`` (``num_attention_heads``) beside the file say otherwise.

    Raises:
        EncoderError: tensors are missing, or the number of heads cannot be told.
    """
    try:
        patches = tensors["visual_encoder.patch_embed.proj.weight"].shape
        positions = tensors["visual_encoder.pos_embed"].shape
        vision_mlp = tensors["visual_encoder.blocks.0.mlp.fc1.weight"].shape
        words = tensors["text_encoder.embeddings.word_embeddings.weight"].shape
        places = tensors["text_encoder.embeddings.position_embeddings.weight"].shape
        text_mlp = tensors["text_encoder.encoder.layer.0.intermediate.dense.weight"].shape
        projection = tensors["vision_proj.weight"].shape
    except KeyError as error:
        raise EncoderError(
            f"the weights in {folder} lack {error.args[0]}, so they are not those of BLIP's retrieval model; get "
            f"model_base_retrieval_coco.pth or another model_*_retrieval.pth"
        ) from None
    vision = {
        "hidden_size": patches[0],
        "num_hidden_layers": _depth(tensors, "visual_encoder.blocks."),
        "num_attention_heads": _heads(patches[0], folder / "config.json", "vit_heads"),
        "intermediate_size": vision_mlp[0],
        "patch_size": patches[2],
        "image_size": math.isqrt(positions[1] - 1) * patches[2],
    }
    text = {
        "vocab_size": words[0],
        "hidden_size": words[1],
        "encoder_hidden_size": patches[0],
        "num_hidden_layers": _depth(tensors, "text_encoder.encoder.layer."),
        "num_attention_heads": _heads(words[1], folder / "med_config.json", "num_attention_heads"),
        "intermediate_size": text_mlp[0],
        "max_position_embeddings": places[0],
        "bos_token_id": words[0] - 2,
    }
    return {"vision_config": vision, "text_config": text, "image_text_hidden_size": projection[0]}


def _new_name(name: str) -> str:
    """The name in transformers' layout; empty for what retrieval does not need."""
    if name.startswith(_SAME_NAME):
        return name
    stem, _, kind = name.rpartition(".")
    for old, new in _VISION_NAMES.items():
        if old in (name, stem):
            return new + name[len(old) :]
    if name.startswith("visual_encoder.blocks."):
        number, _, part = stem.removeprefix("visual_encoder.blocks.").partition(".")
        if part in _BLOCK_NAMES:
            return f"vision_model.encoder.layers.{number}.{_BLOCK_NAMES[part]}.{kind}"
    return ""


def _depth(tensors: "Mapping[str, torch.Tensor]", prefix: str) -> int:
    return len({name.removeprefix(prefix).partition(".")[0] for name in tensors if name.startswith(prefix)})


def _heads(width: int, file: Path, key: str) -> int:
    said = read_object(file).get(key) if file.is_file() else None
    if isinstance(said, int):
        return said
    if width % _USUAL_HEAD:
        raise EncoderError(
            f"a model of width {width} does not have heads of {_USUAL_HEAD} channels as published ones do; put "
            f"{file.name} with {key} beside the weights"
        )
    return width // _USUAL_HEAD
