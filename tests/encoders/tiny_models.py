"""Tiny random checkpoints in the published layouts, and what the original CLIP computes from them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from vernissage.encoders.towers.clip import END, START, byte_letters

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
functional = torch.nn.functional

WORDS = ("storm", "sea", "ship", "the", "rose", "in", "garden", "this", "is")
MERGES = sorted(
    {
        (word[:cut], word[cut] + ("</w>" if cut + 1 == len(word) else ""))
        for word in WORDS
        for cut in range(1, len(word))
    }
)
CLIP_WIDTH, CLIP_DIM, CLIP_SIZE, CLIP_PATCH, CLIP_LAYERS, CLIP_TOKENS = 128, 24, 32, 16, 2, 77
RESNET_WIDTH, RESNET_DEPTHS, RESNET_SIZE = 4, (1, 2, 1, 1), 64
VOCABULARY = 512 + len(MERGES) + 2

SIGLIP_WORDS = ["a", "storm", "at", "sea", "ship", "rose", "in", "the", "garden"]
SIGLIP_LENGTH = 20
SIGLIP_TOWER = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
SIGLIP_PICTURES = {"size": {"height": 32, "width": 32}, "resample": 2, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}

Tensors = dict[str, "torch.Tensor"]


def pictures() -> list[Image.Image]:
    """Five pictures: landscape, portrait, grey, smaller than the input, hard edges."""
    rng = np.random.default_rng(7)
    noise = [
        Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8))
        for size in ((40, 57, 3), (96, 41, 3), (45, 70), (9, 13, 3))
    ]
    edges = np.zeros((120, 180, 3), dtype=np.uint8)
    edges[::7], edges[:, 60:90] = 255, (200, 30, 30)
    return [*noise, Image.fromarray(edges)]


def random_tensors(shapes: Mapping[str, Sequence[int]], seed: int) -> Tensors:
    """Normal values, large enough that wrong settings show; scales of layer norms near 1."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {key: 0.15 * torch.randn(tuple(shape), generator=generator) for key, shape in sorted(shapes.items())}
    return {key: value + 1 if ".ln_" in key and key.endswith("weight") else value for key, value in tensors.items()}


def openai_clip(seed: int = 1) -> Tensors:
    """The weights of a tiny CLIP under the names of OpenAI's code."""
    patches = (CLIP_SIZE // CLIP_PATCH) ** 2
    shapes: dict[str, Sequence[int]] = {
        "visual.class_embedding": [CLIP_WIDTH],
        "visual.conv1.weight": [CLIP_WIDTH, 3, CLIP_PATCH, CLIP_PATCH],
        "visual.positional_embedding": [patches + 1, CLIP_WIDTH],
        "visual.proj": [CLIP_WIDTH, CLIP_DIM],
        "token_embedding.weight": [VOCABULARY, CLIP_WIDTH],
        "positional_embedding": [CLIP_TOKENS, CLIP_WIDTH],
        "text_projection": [CLIP_WIDTH, CLIP_DIM],
        "logit_scale": [],
    }
    for name in ("visual.ln_pre", "visual.ln_post", "ln_final"):
        shapes |= {f"{name}.weight": [CLIP_WIDTH], f"{name}.bias": [CLIP_WIDTH]}
    for tower in ("visual.transformer", "transformer"):
        for layer in range(CLIP_LAYERS):
            shapes |= {f"{tower}.resblocks.{layer}.{name}": shape for name, shape in _block_shapes().items()}
    tensors = random_tensors(shapes, seed)
    return {**tensors, "ln_final.weight": tensors["ln_final.weight"] + 1, "input_resolution": torch.tensor(CLIP_SIZE)}


def _block_shapes() -> dict[str, Sequence[int]]:
    width = CLIP_WIDTH
    shapes: dict[str, Sequence[int]] = {
        "attn.in_proj_weight": [3 * width, width],
        "attn.in_proj_bias": [3 * width],
        "attn.out_proj.weight": [width, width],
        "attn.out_proj.bias": [width],
        "mlp.c_fc.weight": [4 * width, width],
        "mlp.c_fc.bias": [4 * width],
        "mlp.c_proj.weight": [width, 4 * width],
        "mlp.c_proj.bias": [width],
    }
    return shapes | {f"ln_{n}.{kind}": [width] for n in (1, 2) for kind in ("weight", "bias")}


def write_merges(file: Path) -> None:
    """The merges as the original code reads them, with more than the model knows."""
    lines = ["#version: tiny", *(" ".join(pair) for pair in MERGES), "x x", "y y"]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_clip_folder(folder: Path, model: torch.nn.Module) -> None:
    """A CLIP in transformers' layout, with its tokenizer as vocab.json and merges.txt."""
    model.save_pretrained(folder)
    letters = byte_letters()
    words = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in MERGES), START, END]
    write(folder / "vocab.json", {word: row for row, word in enumerate(words)})
    (folder / "merges.txt").write_text(
        "\n".join(["#version: 0.2", *(" ".join(pair) for pair in MERGES)]) + "\n", encoding="utf-8"
    )
    marks = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    write(folder / "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, **marks})


def write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content), encoding="utf-8")


def change(file: Path, **values: object) -> None:
    """Set values in a JSON file; a None takes the key away."""
    content = json.loads(file.read_text(encoding="utf-8")) | values
    write(file, {key: value for key, value in content.items() if value is not None})


def original_image_features(tensors: Tensors, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What the paper's vision transformer computes: patches, a class token, pre-norm blocks, a projection."""
    patches = functional.conv2d(torch.from_numpy(pixels), tensors["visual.conv1.weight"], stride=CLIP_PATCH)
    rows = patches.flatten(2).transpose(1, 2)
    rows = torch.cat([tensors["visual.class_embedding"].expand(len(rows), 1, -1), rows], 1)
    rows = _norm(rows + tensors["visual.positional_embedding"], tensors, "visual.ln_pre")
    rows = _blocks(rows, tensors, "visual.transformer", causal=False)
    return (_norm(rows[:, 0], tensors, "visual.ln_post") @ tensors["visual.proj"]).numpy()


def original_text_features(tensors: Tensors, ids: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
    """What the paper's text transformer computes, always over 77 places, read at the first of the highest ids."""
    filled = torch.tensor([[*row, *[0] * (CLIP_TOKENS - len(row))] for row in ids])
    rows = tensors["token_embedding.weight"][filled] + tensors["positional_embedding"]
    rows = _norm(_blocks(rows, tensors, "transformer", causal=True), tensors, "ln_final")
    return (rows[torch.arange(len(ids)), filled.argmax(1)] @ tensors["text_projection"]).numpy()


def openai_clip_with_resnet(seed: int = 2) -> Tensors:
    """The weights of a tiny CLIP whose pictures are read by a ResNet, under the names of OpenAI's code."""
    shapes: dict[str, Sequence[int]] = {}

    def convolution(name: str, norm: str, out: int, into: int, kernel: int) -> None:
        shapes[f"visual.{name}.weight"] = [out, into, kernel, kernel]
        shapes.update({f"visual.{norm}.{kind}": [out] for kind in ("weight", "bias", "running_mean", "running_var")})

    half = RESNET_WIDTH // 2
    for number, (out, into) in enumerate(((half, 3), (half, half), (RESNET_WIDTH, half)), start=1):
        convolution(f"conv{number}", f"bn{number}", out, into, 3)
    into = RESNET_WIDTH
    for stage, depth in enumerate(RESNET_DEPTHS):
        width = RESNET_WIDTH * 2**stage
        for block in range(depth):
            place = f"layer{stage + 1}.{block}"
            convolution(f"{place}.conv1", f"{place}.bn1", width, into, 1)
            convolution(f"{place}.conv2", f"{place}.bn2", width, width, 3)
            convolution(f"{place}.conv3", f"{place}.bn3", 4 * width, width, 1)
            if block == 0:
                convolution(f"{place}.downsample.0", f"{place}.downsample.1", 4 * width, into, 1)
            into = 4 * width
    shapes["visual.attnpool.positional_embedding"] = [(RESNET_SIZE // 32) ** 2 + 1, into]
    for name, out in (("q_proj", into), ("k_proj", into), ("v_proj", into), ("c_proj", CLIP_DIM)):
        shapes |= {f"visual.attnpool.{name}.weight": [out, into], f"visual.attnpool.{name}.bias": [out]}
    drawn = random_tensors(shapes, seed)
    for key, value in drawn.items():  # so that pictures are still told apart behind all layers
        if key.endswith("running_var") or (value.ndim == 1 and key.endswith("weight")):
            value.add_(1)
        elif value.ndim == 4:
            value.mul_(8 / value[0].numel() ** 0.5)
    texts = {key: value for key, value in openai_clip(seed).items() if not key.startswith("visual.")}
    return {**texts, **drawn, "input_resolution": torch.tensor(RESNET_SIZE)}


def original_resnet_features(tensors: Tensors, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What the paper's ResNet computes: see OpenAI's model.py, ModifiedResNet and AttentionPool2d."""

    def convolved(given: torch.Tensor, name: str, norm: str, **how: int) -> torch.Tensor:
        mean, variance, scale, shift = (
            tensors[f"visual.{norm}.{kind}"][:, None, None]
            for kind in ("running_mean", "running_var", "weight", "bias")
        )
        found = functional.conv2d(given, tensors[f"visual.{name}.weight"], **how)
        return (found - mean) / (variance + 1e-5).sqrt() * scale + shift

    x = convolved(torch.from_numpy(pixels), "conv1", "bn1", stride=2, padding=1).relu()
    x = convolved(x, "conv2", "bn2", padding=1).relu()
    x = functional.avg_pool2d(convolved(x, "conv3", "bn3", padding=1).relu(), 2)
    for stage, depth in enumerate(RESNET_DEPTHS):
        for block in range(depth):
            place, halved = f"layer{stage + 1}.{block}", stage > 0 and block == 0
            y = convolved(x, f"{place}.conv1", f"{place}.bn1").relu()
            y = convolved(y, f"{place}.conv2", f"{place}.bn2", padding=1).relu()
            y = convolved(functional.avg_pool2d(y, 2) if halved else y, f"{place}.conv3", f"{place}.bn3")
            if block == 0:
                x = functional.avg_pool2d(x, 2) if halved else x
                x = convolved(x, f"{place}.downsample.0", f"{place}.downsample.1")
            x = (x + y).relu()
    rows = x.flatten(2).permute(2, 0, 1)  # places, pictures, channels
    rows = torch.cat([rows.mean(0, keepdim=True), rows])
    rows = rows + tensors["visual.attnpool.positional_embedding"][:, None]
    pool = {key.removeprefix("visual.attnpool."): value for key, value in tensors.items() if "attnpool" in key}
    found, _ = functional.multi_head_attention_forward(
        rows[:1], rows, rows, rows.shape[2], rows.shape[2] // 64,
        q_proj_weight=pool["q_proj.weight"], k_proj_weight=pool["k_proj.weight"], v_proj_weight=pool["v_proj.weight"],
        in_proj_weight=None, in_proj_bias=torch.cat([pool[f"{each}_proj.bias"] for each in "qkv"]), bias_k=None,
        bias_v=None, add_zero_attn=False, dropout_p=0, out_proj_weight=pool["c_proj.weight"],
        out_proj_bias=pool["c_proj.bias"], use_separate_proj_weight=True, training=False, need_weights=False,
    )  # fmt: skip
    return found[0].numpy()


def _blocks(rows: torch.Tensor, tensors: Tensors, tower: str, *, causal: bool) -> torch.Tensor:
    for layer in range(CLIP_LAYERS):
        part = {key.removeprefix(f"{tower}.resblocks.{layer}."): value for key, value in tensors.items()}
        rows = rows + _attention(_norm(rows, part, "ln_1"), part, causal=causal)
        inner = _norm(rows, part, "ln_2") @ part["mlp.c_fc.weight"].T + part["mlp.c_fc.bias"]
        rows = rows + inner * torch.sigmoid(1.702 * inner) @ part["mlp.c_proj.weight"].T + part["mlp.c_proj.bias"]
    return rows


def _attention(rows: torch.Tensor, part: Tensors, *, causal: bool) -> torch.Tensor:
    joint = rows @ part["attn.in_proj_weight"].T + part["attn.in_proj_bias"]
    queries, keys, values = (
        each.unflatten(-1, (CLIP_WIDTH // 64, 64)).transpose(1, 2) for each in joint.chunk(3, dim=-1)
    )
    scores = queries @ keys.transpose(-1, -2) / 8
    if causal:
        scores = scores + torch.full(scores.shape[-2:], -torch.inf).triu(1)
    seen = (scores.softmax(-1) @ values).transpose(1, 2).flatten(2)
    return seen @ part["attn.out_proj.weight"].T + part["attn.out_proj.bias"]


def _norm(rows: torch.Tensor, tensors: Tensors, name: str) -> torch.Tensor:
    return functional.layer_norm(rows, rows.shape[-1:], tensors[f"{name}.weight"], tensors[f"{name}.bias"])


def write_bert_folder(folder: Path, words: Sequence[str], *, positions: int = 32, seed: int = 3) -> torch.nn.Module:
    """A tiny BERT with a vocabulary of words of one's own, as vocab.txt."""
    transformers = pytest.importorskip("transformers")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=positions,
    )
    model = scattered(transformers.BertModel(config, add_pooling_layer=False), seed)
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    write(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": True})
    return model


def write_siglip(folder: Path, *, pad: str = "<pad>", seed: int = 5) -> None:
    """A tiny SigLIP 2 for squares; the first SigLIP with ``pad="<eos>"``."""
    transformers = pytest.importorskip("transformers")
    text = {
        **SIGLIP_TOWER,
        "vocab_size": 3 + len(SIGLIP_WORDS),
        "max_position_embeddings": SIGLIP_LENGTH,
        "pad_token_id": 0,
    }
    text |= {"bos_token_id": None, "eos_token_id": 1}
    config = transformers.SiglipConfig(
        text_config=text, vision_config={**SIGLIP_TOWER, "image_size": 32, "patch_size": 16}
    )
    scattered(transformers.SiglipModel(config), seed).save_pretrained(folder)
    write(folder / "preprocessor_config.json", SIGLIP_PICTURES)
    _write_whole_words(folder, pad=pad)


def _write_whole_words(folder: Path, *, pad: str = "<pad>") -> None:
    """Whole words in their own case, as a tokenizer.json without lower case: what the encoder has to see to."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    ids = {word: row for row, word in enumerate(["<pad>", "<eos>", "<unk>", *SIGLIP_WORDS])}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))  # noqa: S106  (no password)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    marks = {"pad_token": pad, "eos_token": "<eos>", "unk_token": "<unk>"}
    write(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **marks})


def write_resnet_folder(folder: Path, seed: int = 5) -> Path:
    """A tiny ResNet in transformers' layout."""
    transformers = pytest.importorskip("transformers")
    config = transformers.ResNetConfig(embedding_size=6, hidden_sizes=[8, 12], depths=[2, 1], num_labels=3)
    model = scattered(transformers.ResNetForImageClassification(config), seed)
    for name, value in model.named_buffers():
        if name.endswith("running_var"):
            value.fill_(0.5)
    model.save_pretrained(folder)
    return folder


def scattered(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """The model in eval mode with weights from a seed, far enough from zero that wrong settings show."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in sorted(model.named_parameters()):
            noise = 0.2 * torch.randn(value.shape, generator=generator)
            value.copy_(noise + 1 if "norm" in name.lower() and name.endswith("weight") else noise)
    return model.eval()
