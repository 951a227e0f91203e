"""BLIP checkpoints of random weights in both published layouts, small enough to make anew for every test."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file

torch.set_num_threads(1)

QUERIES = 3
_TO_ORIGINAL_BLIP2 = (
    (r"^vision_model\.post_layernorm", "ln_vision"),
    (r"^qformer\.layernorm", "Qformer.bert.embeddings.LayerNorm"),
    (r"^embeddings\.", "Qformer.bert.embeddings."),
    (r"^qformer\.", "Qformer.bert."),
    (r"attention\.attention\.", "attention.self."),
    (r"_projection\.", "_proj."),
)

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "a",
    "the",
    "red",
    "blue",
    "green",
    "boat",
    "house",
    "tree",
    "sea",
    "of",
    "with",
    "and",
    "on",
    "man",
    "woman",
    "dog",
    "'s",
    "'",
    ",",
    "?",
    "-",
    "/",
    "paint",
    "##ing",
    "##s",
    "in",
    "un",
    "##known",
]
CAPTIONS = [
    "A red boat on the sea.",
    "the woman's house, and a dog?",
    "paintings of trees",
    "",
    "a man (unknown) with the blue dog! #paint",
    " ".join(["red boat and blue sea with a green tree"] * 8),
]
_TO_ORIGINAL = (
    ("vision_model.embeddings.class_embedding", "visual_encoder.cls_token"),
    ("vision_model.embeddings.position_embedding", "visual_encoder.pos_embed"),
    ("vision_model.embeddings.patch_embedding", "visual_encoder.patch_embed.proj"),
    ("vision_model.post_layernorm", "visual_encoder.norm"),
    ("vision_model.encoder.layers", "visual_encoder.blocks"),
    ("layer_norm", "norm"),
    ("self_attn.projection", "attn.proj"),
    ("self_attn.qkv", "attn.qkv"),
)


def pictures(count: int = 4) -> list[Image.Image]:
    """RGB pictures of several shapes, with soft and hard edges."""
    rng = np.random.default_rng(7)
    shapes = [(40, 40), (70, 30), (25, 60), (50, 52), (33, 90), (64, 48)]
    coarse = [rng.integers(0, 256, (5, 6, 3), dtype=np.uint8) for _ in range(count)]
    return [Image.fromarray(each).resize(shapes[row % 6], row % 3) for row, each in enumerate(coarse)]


def blip_config(eps: float = 1e-5) -> transformers.BlipConfig:
    """As the hub's configuration, whose eps is not the one that BLIP was trained with."""
    text = {"hidden_size": 16, "encoder_hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    text |= {"intermediate_size": 32, "max_position_embeddings": 40, "vocab_size": len(WORDS) + 2}
    text |= {"bos_token_id": len(WORDS), "eos_token_id": 3, "sep_token_id": 3}
    vision = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
    vision |= {"image_size": 32, "patch_size": 8, "layer_norm_eps": eps}
    return transformers.BlipConfig(text_config=text, vision_config=vision, image_text_hidden_size=8)


def random_weights(model: Any, seed: int) -> dict[str, torch.Tensor]:
    """Weights small enough that eps counts, and large enough that no two inputs look alike."""
    dice = torch.Generator().manual_seed(seed)
    drawn = {
        name: torch.randn(tensor.shape, generator=dice) * (0.02 if "embedding" in name else 0.25)
        for name, tensor in model.state_dict().items()
    }
    scales = {name for name in drawn if "norm" in name.lower() and name.endswith("weight")}
    return {name: 1 + tensor if name in scales else tensor for name, tensor in drawn.items()}


def reference(seed: int = 1) -> Any:
    """The same model as transformers runs it by itself, with the right eps."""
    torch.manual_seed(0)
    model = transformers.BlipForImageTextRetrieval(blip_config(eps=1e-6))
    model.set_attn_implementation("eager")
    model.load_state_dict(random_weights(model, seed))
    return model.eval()


def save_folder(folder: Path, seed: int = 1) -> Path:
    """A folder in transformers' layout."""
    folder.mkdir(parents=True, exist_ok=True)
    model = transformers.BlipForImageTextRetrieval(blip_config())
    save_file(random_weights(model, seed), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(blip_config().to_dict()))
    write_words(folder)
    return folder


def blip2_config(unused: int = 0) -> transformers.Blip2Config:
    """A BLIP-2 of three queries, with ``unused`` ids behind those that texts are made of."""
    qformer = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    qformer |= {"max_position_embeddings": 40, "vocab_size": len(WORDS) + 1 + unused, "use_qformer_text_input": True}
    vision = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
    vision |= {"image_size": 28, "patch_size": 7}
    return transformers.Blip2Config(
        vision_config=vision, qformer_config=qformer, num_query_tokens=QUERIES, image_text_hidden_size=8
    )


def save_blip2_folder(folder: Path, seed: int = 1, unused: int = 0) -> Path:
    """A BLIP-2 in transformers' layout."""
    folder.mkdir(parents=True, exist_ok=True)
    model = transformers.Blip2ForImageTextRetrieval(blip2_config(unused))
    save_file(random_weights(model, seed), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(blip2_config(unused).to_dict()))
    write_words(folder)
    return folder


def save_blip2_original(folder: Path, *, frozen: bool = False) -> Path:
    """The weights of a BLIP-2 folder, whose keys get no bias, once more in the authors' layout beside it.

    With ``frozen`` the picture half lies in a file of its own.
    """
    from safetensors.torch import load_file

    weights = load_file(save_blip2_folder(folder / "transformers") / "model.safetensors")
    original = {}
    for name, tensor in weights.items():
        if name.endswith("qkv.bias"):
            queries, keys, values = tensor.chunk(3)
            keys.zero_()
            stem = original_name(name).removesuffix("qkv.bias")
            original |= {f"{stem}q_bias": queries.clone(), f"{stem}v_bias": values.clone()}
            continue
        original[original_blip2_name(name)] = tensor
    rewrite(folder / "transformers", weights)
    if frozen:
        half = {name: tensor for name, tensor in original.items() if name.startswith("visual_encoder.")}
        bare = {name.removeprefix("visual_encoder."): tensor for name, tensor in half.items()}
        torch.save(bare, folder / "eva_vit_g.pth")
        original = {name: tensor for name, tensor in original.items() if name not in half}
    file = folder / "blip2_tiny.pth"
    torch.save(
        {"model": {**original, "temp": torch.tensor(0.07), "Qformer.cls.predictions.bias": torch.zeros(3)}}, file
    )
    (folder / "config.json").write_text(json.dumps({"vit_heads": 2}))
    (folder / "med_config.json").write_text(json.dumps({"num_attention_heads": 2}))
    write_words(folder)
    return file


def save_original(folder: Path, seed: int = 1) -> Path:
    """A file in the original layout, with what training leaves in it, and what tells the number of heads beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {original_name(name): tensor for name, tensor in random_weights(reference(), seed).items()}
    momentum = {name.replace("encoder.", "encoder_m.", 1): tensor + 1 for name, tensor in weights.items()}
    left_over = {"temp": torch.tensor(0.07), "image_queue": torch.zeros(8, 4), "text_encoder.embeddings.position_ids": torch.arange(40)[None]}  # fmt: skip
    file = folder / "model_tiny_retrieval.pth"
    torch.save({"model": {**momentum, **left_over, **weights}, "epoch": 5}, file)
    (folder / "config.json").write_text(json.dumps({"vit_heads": 2}))
    (folder / "med_config.json").write_text(json.dumps({"num_attention_heads": 2}))
    write_words(folder)
    return file


def far(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference."""
    return float(np.abs(one - other).max())


def write_words(folder: Path, words: list[str] = WORDS) -> None:
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")


def original_name(name: str) -> str:
    for new, old in _TO_ORIGINAL:
        if name.startswith("vision_model."):
            name = name.replace(new, old) if new.startswith("vision_model.") else name
        elif name.startswith("visual_encoder."):
            name = name.replace(new, old)
    return name


def original_blip2_name(name: str) -> str:
    for new, old in _TO_ORIGINAL_BLIP2:
        name = re.sub(new, old, name)
    return original_name(name)


def rewrite(folder: Path, change: Mapping[str, torch.Tensor | None]) -> None:
    """Change tensors of a folder; None removes one."""
    from safetensors.torch import load_file

    tensors = {**load_file(folder / "model.safetensors"), **change}
    save_file({name: tensor for name, tensor in tensors.items() if tensor is not None}, folder / "model.safetensors")
