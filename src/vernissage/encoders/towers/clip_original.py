"""OpenAI's own checkpoints of CLIP: a state dict, and the list of byte-pair merges beside it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.encoders.runtime.devices import Runtime, import_extra, import_torch
from vernissage.encoders.runtime.transformers_folder import refuse_missing
from vernissage.encoders.runtime.weights import read_tensors
from vernissage.encoders.towers.clip_text import MERGES_FILES, tokenizer_from_merges
from vernissage.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

WEIGHTS_FILES = ("*.safetensors", "*.pt", "*.pth")
_HEAD_WIDTH = 64

_RENAMED = (
    (r"^visual\.class_embedding$", "vision_model.embeddings.class_embedding"),
    (r"^visual\.conv1\.", "vision_model.embeddings.patch_embedding."),
    (r"^visual\.positional_embedding$", "vision_model.embeddings.position_embedding.weight"),
    (r"^visual\.ln_pre\.", "vision_model.pre_layrnorm."),
    (r"^visual\.ln_post\.", "vision_model.post_layernorm."),
    (r"^visual\.proj$", "visual_projection.weight"),
    (r"^visual\.transformer\.resblocks\.", "vision_model.encoder.layers."),
    (r"^transformer\.resblocks\.", "text_model.encoder.layers."),
    (r"^token_embedding\.", "text_model.embeddings.token_embedding."),
    (r"^positional_embedding$", "text_model.embeddings.position_embedding.weight"),
    (r"^ln_final\.", "text_model.final_layer_norm."),
    (r"^text_projection$", "text_projection.weight"),
    (r"\.attn\.out_proj\.", ".self_attn.out_proj."),
    (r"\.ln_([12])\.", r".layer_norm\1."),
    (r"\.mlp\.c_fc\.", ".mlp.fc1."),
    (r"\.mlp\.c_proj\.", ".mlp.fc2."),
)
_TRANSPOSED = ("visual.proj", "text_projection")
_NEEDED = (
    "visual.conv1.weight",
    "visual.positional_embedding",
    "visual.proj",
    "token_embedding.weight",
    "positional_embedding",
    "text_projection",
)
"""What the sizes follow from."""

_FACTS = ("input_resolution", "context_length", "vocab_size")
"""Numbers that the published archives keep among the weights."""


def load_original(file: Path, runtime: Runtime) -> tuple[Any, Any]:
    """The model and the tokenizer of a checkpoint in OpenAI's layout, as transformers' CLIPModel and CLIPTokenizer.

    The sizes follow from the weights, the heads are 64 wide, the activation is QuickGELU, as in the original code.

    Raises:
        EncoderError: the file is damaged, a TorchScript archive, another model's, or has a ResNet for pictures; or
            the merges are not beside it.
    """
    tensors = read_tensors(file)
    _require_vision_transformer(tensors, file)
    transformers = import_extra("transformers")
    model = transformers.CLIPModel(transformers.CLIPConfig(**_sizes(tensors)))
    try:
        left = model.load_state_dict(_converted(tensors), strict=False)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise EncoderError(f"the weights in {file} do not fit together ({reason}); get the file anew") from error
    refuse_missing(sorted(left.missing_keys), file)
    tokenizer = tokenizer_from_merges(merges_beside(file), len(tensors["token_embedding.weight"]))
    return model.eval().to(runtime.resolved_device()), tokenizer


def merges_beside(file: Path) -> Path:
    """The list of byte-pair merges in the folder of the weights.

    Raises:
        EncoderError: there is none.
    """
    for name in MERGES_FILES:
        for found in sorted(file.parent.glob(name)):
            return found
    raise EncoderError(f"there are no merges beside {file}; put bpe_simple_vocab_16e6.txt.gz of OpenAI's CLIP there")


def _require_vision_transformer(tensors: "Mapping[str, torch.Tensor]", file: Path) -> None:
    if "visual.layer1.0.conv1.weight" in tensors:
        raise EncoderError(f"{file} is a CLIP with a ResNet for pictures; take one with a vision transformer (ViT-…)")
    lacking = [key for key in _NEEDED if key not in tensors]
    if lacking:
        raise EncoderError(
            f"{file} is no CLIP in OpenAI's layout (it lacks {', '.join(lacking[:3])}); for a transformers model name "
            f"the folder, with its config.json"
        )


def _sizes(tensors: "Mapping[str, torch.Tensor]") -> dict[str, Any]:
    """The configuration that the shapes imply."""
    width, _, patch, _ = tensors["visual.conv1.weight"].shape
    grid = round((len(tensors["visual.positional_embedding"]) - 1) ** 0.5)
    vocabulary, text_width = tensors["token_embedding.weight"].shape
    vision = {**_tower(tensors, "visual.transformer", width), "image_size": grid * patch, "patch_size": patch}
    text = {
        **_tower(tensors, "transformer", text_width),
        "vocab_size": vocabulary,
        "max_position_embeddings": len(tensors["positional_embedding"]),
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
    }
    return {"vision_config": vision, "text_config": text, "projection_dim": tensors["visual.proj"].shape[1]}


def _tower(tensors: "Mapping[str, torch.Tensor]", prefix: str, width: int) -> dict[str, Any]:
    layers = {key.split(".resblocks.")[1].split(".")[0] for key in tensors if key.startswith(f"{prefix}.resblocks.")}
    return {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": len(layers),
        "num_attention_heads": max(1, width // _HEAD_WIDTH),
        "hidden_act": "quick_gelu",
        "layer_norm_eps": 1e-5,
    }


def _converted(tensors: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """The weights under transformers' names; queries, keys and values apart, projections turned round."""
    torch = import_torch()
    converted = {}
    for key, value in tensors.items():
        if key in _FACTS:
            continue
        name, weights = _renamed(key), value.float()
        if ".attn.in_proj_" in key:
            stem, kind = name.split(".attn.in_proj_")
            for part, rows in zip("qkv", torch.chunk(weights, 3), strict=True):
                converted[f"{stem}.self_attn.{part}_proj.{kind}"] = rows
        else:
            converted[name] = weights.T.contiguous() if key in _TRANSPOSED else weights
    return converted


def _renamed(key: str) -> str:
    for pattern, replacement in _RENAMED:
        key = re.sub(pattern, replacement, key)
    return key
