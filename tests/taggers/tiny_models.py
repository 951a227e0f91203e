"""Captioner and detector of random weights in the published layouts, small enough to make anew for every test."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image

torch.set_num_threads(1)

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "the", "man", "woman", "dog", "horse", "boat", "sea", "tree", "house", "is", "rides", "riding", "sits", "sitting", "holding", "sails", "on", "in", "with", "of", "and", "red", "blue", "old", "##s", "##ing", "paint", "stand"]  # fmt: skip
LABELS = ("person", "dining table", "Horse", "boat", "dog")
CAPTION_SIDE, OBJECT_SIDE = 32, 64


def pictures(count: int = 4) -> list[Image.Image]:
    """RGB pictures of several shapes."""
    rng = np.random.default_rng(11)
    shapes = [(40, 40), (70, 30), (25, 60), (90, 64)]
    coarse = [rng.integers(0, 256, (4, 5, 3), dtype=np.uint8) for _ in range(count)]
    return [Image.fromarray(each).resize(shapes[row % 4], Image.Resampling.NEAREST) for row, each in enumerate(coarse)]


def save_captioner(folder: Path, *, seed: int = 0, **text: Any) -> Path:
    """A BLIP captioning model in transformers' layout."""
    marks = {"bos_token_id": len(WORDS), "pad_token_id": 0, "sep_token_id": 3, "eos_token_id": 2}
    config = transformers.BlipConfig(
        vision_config={
            "hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "image_size": CAPTION_SIDE, "patch_size": 8,
        },
        text_config={
            "hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "encoder_hidden_size": 24, "vocab_size": len(WORDS) + 2, "max_position_embeddings": 40, **marks, **text,
        },
        projection_dim=8,
        image_text_hidden_size=8,
    )  # fmt: skip
    torch.manual_seed(seed)
    model = transformers.BlipForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if tensor.dim() > 1:
                tensor.normal_(0, 0.35)
            elif "bias" in name:
                tensor.normal_(0, 0.1)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    return folder


def save_detector(folder: Path, *, seed: int = 0) -> Path:
    """An RT-DETRv2 in transformers' layout, with what its folder says of pictures."""
    backbone = transformers.RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = transformers.RTDetrV2Config(
        backbone_config=backbone, encoder_in_channels=[12, 16, 20], encoder_hidden_dim=16, encoder_ffn_dim=24,
        encoder_attention_heads=2, feat_strides=[8, 16, 32], d_model=16, decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=24, decoder_layers=2, decoder_attention_heads=2, num_queries=12, num_denoising=0,
        hidden_expansion=0.5, id2label=dict(enumerate(LABELS)), label2id={name: k for k, name in enumerate(LABELS)},
    )  # fmt: skip
    torch.manual_seed(seed)
    model = transformers.RTDetrV2ForObjectDetection(config).eval()
    with torch.no_grad():
        for head in (*model.model.decoder.class_embed, model.model.enc_score_head):
            head.weight.normal_(0, 0.6)
            head.bias.normal_(-0.5, 0.5)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    settings = {"size": {"height": OBJECT_SIDE, "width": OBJECT_SIDE}, "do_normalize": False, "resample": 2}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return folder
