"""BLIP-2: a frozen picture model, looked at through 32 learned queries that texts are compared with.

From a folder in transformers' layout, or from the authors' own ``blip2_*.pth`` (LAVIS).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.contract import unit_rows
from vernissage.encoders.runtime.devices import USUAL, Runtime, import_torch
from vernissage.encoders.runtime.loaded import described
from vernissage.encoders.runtime.pairs import ImageStates, PairTower, WordPieces, bert_pieces, clean_caption_blip
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.runtime.weights import (
    digest_of,
    filled,
    load_model,
    numbers_behind,
    read_config,
    read_tensors,
    renamed,
    said_in,
)
from vernissage.encoders.towers import blip
from vernissage.errors import EncoderError
from vernissage.values import Vectors

if TYPE_CHECKING:
    import torch

_MARKS = ("[DEC]",)
_MOST_IDS = 32
"""With [CLS] and [SEP]: how captions are cut in BLIP-2's matching."""

_EPS_OF_LAST_NORM = 1e-5
"""What the original model has behind its picture half; transformers takes that of the inner layers, 1e-6."""

_PICTURE_HALF = "eva_vit_g.pth"
"""Where the picture half lies of checkpoints that were trained with it frozen, and so leave it out."""

_BLOCKS, _HEAD_OF_PICTURES = 39, 88
"""Of the picture half: how many of EVA's 40 blocks the model uses, and the channels of a head."""

_UNUSED_IDS = 64
"""What copies of the model may have behind its own ids: one for a picture's place in a text, and filling to 64."""


class BLIP2(PairTower):
    """A loaded BLIP-2 retrieval model; the inner product of two vectors is a cosine, across pictures and texts too.

    Li et al., ICML 2023, arXiv 2301.12597. A picture has a vector for each query. The first stands for it in
    `encode_images`, as in the notebook of Yilma & Leiva, UMAP 2023 (doi 10.1145/3565472.3592964); as trained, a text is
    as near to a picture as to the nearest of its queries (`image_features`). Matching (`itm_block`) reads picture and
    text together.
    """

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Unit vectors of pictures that stand upright, those of the first query: float32 (n, dim)."""
        return unit_rows(self.image_features(images)[:, 0])

    def image_features(self, images: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        """What the model projects each query of a picture to, not of unit length: float32 (n, queries, dim)."""
        rows = super().image_features(images)
        return rows.reshape(len(rows), int(self.network.config.num_query_tokens), self.dim)

    def image_vectors(self, states: ImageStates) -> Vectors:
        """The rows of `encode_images` from `image_states`, without looking at the pictures again."""
        return unit_rows(self._projected(states)[:, : self.dim])

    def vectors_of_tokens(self, ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        words = self.network.embeddings(input_ids=ids)
        read = self.network.qformer(query_embeds=words, query_length=0, attention_mask=mask)
        features: torch.Tensor = self.network.text_projection(read.last_hidden_state[:, 0])
        return features

    def _match(self, seen: "torch.Tensor", ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        """The head's logits for each query, averaged."""
        queries = self.network.query_tokens.expand(len(ids), -1, -1)
        read = self.network.qformer(
            query_embeds=self.network.embeddings(input_ids=ids, query_embeds=queries),
            query_length=queries.shape[1],
            attention_mask=import_torch().cat([mask.new_ones(queries.shape[:2]), mask], dim=1),
            encoder_hidden_states=seen.expand(len(ids), -1, -1),
        ).last_hidden_state[:, : queries.shape[1]]
        logits: torch.Tensor = self.network.itm_head(read).float().mean(dim=1)
        return logits

    def _project(self, seen: "torch.Tensor") -> "torch.Tensor":
        """The projected queries of pictures that were seen, (n, queries × dim)."""
        queries = self.network.query_tokens.expand(len(seen), -1, -1)
        looked = self.network.qformer(query_embeds=queries, encoder_hidden_states=seen).last_hidden_state
        features: torch.Tensor = self.network.vision_projection(looked).flatten(1)
        return features


def load_blip2(place: Path, *, runtime: Runtime = USUAL) -> BLIP2:
    """Load BLIP-2's retrieval model, such as Salesforce/blip2-itm-vit-g.

    Args:
        place: a folder with config.json, the weights as safetensors, and vocab.txt or tokenizer.json; or the authors'
            ``blip2_*.pth`` (or a folder with one), with vocab.txt beside it, and eva_vit_g.pth where it was frozen.

    Raises:
        EncoderError: something is missing, damaged, or another model's.
    """
    file = place if place.is_file() else next(iter(sorted(place.glob("blip2_*.pth"))), None)
    if file is None or said_in(place / "config.json", "model_type"):
        read_config(place, "blip-2", "get Salesforce/blip2-itm-vit-g, or use the encoder blip for BLIP")
        model, folder = load_model(place, "Blip2ForImageTextRetrieval", runtime), place
        weights = digest_of(place)
    else:
        model, folder = _original(file).to(runtime.resolved_device()), file.parent
        weights = blip.digest_beside(file, _PICTURE_HALF)
    model.vision_model.post_layernorm.eps = _EPS_OF_LAST_NORM
    tokenizer, _ = bert_pieces(folder, model.config.qformer_config.vocab_size, _MARKS, unused=_UNUSED_IDS)
    words = WordPieces(tokenizer, clean_caption_blip, _MOST_IDS)
    preprocessing = Preprocessing("squash", int(model.config.vision_config.image_size))
    state = described("blip2", place, weights, runtime, queries="first")
    return BLIP2(model, words, preprocessing, state, runtime)


def _original(file: Path) -> Any:
    """The model of a checkpoint in the authors' layout, as Blip2ForImageTextRetrieval.

    Raises:
        EncoderError: tensors are missing, or of another model.
    """
    tensors, half = read_tensors(file), file.parent / _PICTURE_HALF
    if "visual_encoder.cls_token" not in tensors:
        if not half.is_file():
            raise EncoderError(
                f"{file} holds no picture half, as checkpoints that were trained with it frozen; put {_PICTURE_HALF} "
                f"of the same authors beside it"
            )
        tensors |= {f"visual_encoder.{name}": tensor for name, tensor in read_tensors(half).items()}
    settings, found = _settings_of(tensors, file), renamed(tensors, "blip", "blip2")
    torch = import_torch()
    for name in [name for name in found if name.endswith(".attn.q_bias")]:  # keys have none
        stem, queries, values = name.removesuffix(".attn.q_bias"), found[name], found[name.replace("q_bias", "v_bias")]
        found[f"{stem}.self_attn.qkv.bias"] = torch.cat([queries, torch.zeros_like(queries), values])
    model = filled(blip.empty_model("Blip2", settings, file), found, file)
    positions = torch.arange(model.config.qformer_config.max_position_embeddings)[None]
    model.embeddings.position_ids = positions  # the one tensor that checkpoints do not hold
    return model


def _settings_of(tensors: "Mapping[str, torch.Tensor]", file: Path) -> dict[str, Any]:
    """The model's settings for transformers' Blip2Config, read off the shapes of its tensors."""
    text, layer = "Qformer.bert.embeddings", "Qformer.bert.encoder.layer"
    try:
        vision = blip.vision_settings(tensors, file.parent, head_width=_HEAD_OF_PICTURES)
        vision["num_hidden_layers"] = min(vision["num_hidden_layers"], _BLOCKS)
        vocabulary, width = tensors[f"{text}.word_embeddings.weight"].shape
        qformer = {
            "vocab_size": vocabulary,
            "hidden_size": width,
            "encoder_hidden_size": vision["hidden_size"],
            "num_hidden_layers": len(numbers_behind(tensors, rf"{layer}\.(\d+)\.")),
            "num_attention_heads": blip.heads(width, file.parent / "med_config.json", "num_attention_heads"),
            "intermediate_size": len(tensors[f"{layer}.0.intermediate_query.dense.weight"]),
            "max_position_embeddings": len(tensors[f"{text}.position_embeddings.weight"]),
            "use_qformer_text_input": True,
        }
        queries, dim = tensors["query_tokens"].shape[1], len(tensors["vision_proj.weight"])
    except KeyError as error:
        raise EncoderError(
            f"{file} lacks {error.args[0]}, so it is not BLIP-2's retrieval model; get blip2_finetune_coco.pth or "
            f"blip2_pretrained.pth"
        ) from None
    return {
        "vision_config": vision, "qformer_config": qformer, "num_query_tokens": queries, "image_text_hidden_size": dim,
    }  # fmt: skip
