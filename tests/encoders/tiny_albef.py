"""A small random ALBEF in the published layout, made from transformers' own ViT and BERT."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [*"abcdefghijklmnopqrstuvwxyz0123456789<>"]
VOCABULARY = [*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS), "ship", "storm", "person", "harbour", "sea"]
FUSION, DIM = 2, 8


@dataclass(frozen=True)
class References:
    """Random networks made by transformers, from which the checkpoint is made."""

    vision: Any
    text: Any
    heads: Mapping[str, Any]


def random_references(seed: int = 7) -> References:
    """Random networks in the sizes of the checkpoint, the same at every call."""
    import torch
    import transformers

    torch.manual_seed(seed)
    shared = {"num_attention_heads": 2, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    vision = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=3, intermediate_size=64, image_size=32, layer_norm_eps=1e-6, **shared
    )
    text = transformers.BertConfig(
        vocab_size=len(VOCABULARY),
        # Cross-attention looks at tokens of the encoder's width; BertModel takes its own.
        hidden_size=32,
        num_hidden_layers=4,
        intermediate_size=48,
        max_position_embeddings=40,
        layer_norm_eps=1e-12,
        is_decoder=True,
        add_cross_attention=True,
        **shared,
    )
    models = [
        transformers.ViTModel(vision, add_pooling_layer=False),
        transformers.BertModel(text, add_pooling_layer=False),
    ]
    for model in models:
        for name, values in model.named_parameters():
            norm = "norm" in name.lower() and name.endswith("weight")
            torch.nn.init.normal_(values, mean=1.0 if norm else 0.0, std=0.15)
        model.eval()
    heads = {
        name: torch.nn.Linear(32, out) for name, out in (("vision_proj", DIM), ("text_proj", DIM), ("itm_head", 2))
    }
    return References(*models, heads)


def published(references: References) -> dict[str, Any]:
    """The tensors that are needed, under their published names, written down here independently."""
    import torch

    vision, text = references.vision.state_dict(), references.text.state_dict()
    tensors = {
        "visual_encoder.cls_token": vision["embeddings.cls_token"],
        "visual_encoder.pos_embed": vision["embeddings.position_embeddings"],
    }
    renamed = {
        "visual_encoder.patch_embed.proj": "embeddings.patch_embeddings.projection",
        "visual_encoder.norm": "layernorm",
    }
    for number in range(3):
        new, old = f"visual_encoder.blocks.{number}.", f"layers.{number}."
        parts = {"norm1": "layernorm_before", "norm2": "layernorm_after", "mlp.fc1": "mlp.fc1", "mlp.fc2": "mlp.fc2"}
        renamed |= {new + ours: old + theirs for ours, theirs in parts.items()} | {
            new + "attn.proj": old + "attention.o_proj"
        }
        for kind in ("weight", "bias"):
            thirds = [vision[f"{old}attention.{part}_proj.{kind}"] for part in "qkv"]
            tensors[f"{new}attn.qkv.{kind}"] = torch.cat(thirds)
    for ours, theirs in renamed.items():
        tensors |= {f"{ours}.{kind}": vision[f"{theirs}.{kind}"] for kind in ("weight", "bias")}
    below = tuple(f"encoder.layer.{number}.crossattention." for number in range(FUSION))
    tensors |= {f"text_encoder.bert.{key}": value for key, value in text.items() if not key.startswith(below)}
    for name, head in references.heads.items():
        tensors |= {f"{name}.weight": head.weight.detach(), f"{name}.bias": head.bias.detach()}
    return tensors


def unneeded(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Momentum copies of other values, queues, the language model's head, counters."""
    import torch

    parts = ("visual_encoder", "text_encoder", "vision_proj", "text_proj")
    copies = {
        key.replace(part, f"{part}_m", 1): values * -0.5 + 0.1
        for key, values in tensors.items()
        for part in parts
        if key.startswith(f"{part}.")
    }
    return copies | {
        "temp": torch.tensor(0.07),
        "image_queue": torch.randn(DIM, 6),
        "text_queue": torch.randn(DIM, 6),
        "queue_ptr": torch.zeros(1, dtype=torch.long),
        "text_encoder.bert.embeddings.position_ids": torch.arange(40)[None],
        "text_encoder.cls.predictions.bias": torch.randn(len(VOCABULARY)),
    }


def settle(folder: Path) -> Path:
    """The vocabulary and the settings that lie beside a checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"vit": {"depth": 3, "num_heads": 2}}))
    bert = {"num_hidden_layers": 4, "num_attention_heads": 2, "fusion_layer": FUSION}
    (folder / "config_bert.json").write_text(json.dumps(bert))
    return folder


def settle_published(folder: Path, seed: int = 7) -> Path:
    """A checkpoint of random weights, with what training leaves in it; the file."""
    import torch

    tensors = published(random_references(seed))
    content = {"model": tensors | unneeded(tensors), "config": {"image_res": 32}, "epoch": 29}
    torch.save(content, settle(folder) / "ALBEF.pth")
    return folder / "ALBEF.pth"
