"""BLIP: pictures and texts in one space, and whether a text belongs to a picture, read together.

From a folder in transformers' layout, or from the authors' own ``model_*_retrieval.pth``.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vernissage.encoders.runtime.devices import USUAL, Runtime, import_extra, import_torch
from vernissage.encoders.runtime.loaded import described
from vernissage.encoders.runtime.pairs import PairTower, WordPieces, bert_pieces, clean_caption_blip
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.runtime.weights import (
    digest_of,
    file_in,
    filled,
    numbers_behind,
    quiet,
    read_config,
    read_tensors,
    renamed,
    said_in,
)
from vernissage.errors import EncoderError
from vernissage.files import digest

if TYPE_CHECKING:
    import torch

FirstToken = Literal["enc", "cls"]

BLIP_MARKS = ("[DEC]", "[ENC]")
"""What the model knows behind BERT's vocabulary, in this order, whether its files list it or not."""

MOST_IDS = 35
"""With [CLS] and [SEP]: how captions were cut when BLIP was fine-tuned for retrieval."""

_WEIGHTS_FILES = ("model.safetensors", "model_*_retrieval*.safetensors", "model_*_retrieval*.pth", "pytorch_model.bin")
_EPS = 1e-6
"""What the vision layers were trained with; the hub's configuration says 1e-5."""

_USUAL_HEAD = 64
"""Channels of one attention head, in every BLIP that was published."""


class BLIP(PairTower):
    """A loaded BLIP retrieval model; the inner product of two vectors is a cosine, across pictures and texts too.

    Li et al., ICML 2022, arXiv 2201.12086; faithful to the original code, also in how inputs are prepared. Two
    judgements: contrastive (ITC), the cosine of `encode_images` and `encode_texts`; and matching (ITM), where the text
    half reads the picture through cross-attention (`itm_block`).
    """

    def _project(self, seen: "torch.Tensor") -> "torch.Tensor":
        features: torch.Tensor = self.network.vision_proj(seen[:, 0])
        return features

    def vectors_of_tokens(self, ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        features: torch.Tensor = self.network.text_proj(self._read(ids, mask))
        return features

    def _match(self, seen: "torch.Tensor", ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        logits: torch.Tensor = self.network.itm_head(self._read(ids, mask, seen))
        return logits

    def _read(self, ids: "torch.Tensor", mask: "torch.Tensor", seen: "torch.Tensor | None" = None) -> "torch.Tensor":
        """The state of each text's first token, (n, width), after reading ``seen`` (pictures, positions, width).

        Of several pictures, each is read by an equal share of the texts, in order. A picture's texts pass through the
        cross-attention as one long sequence, since each position looks at the picture by itself: so the picture's keys
        and values, two thirds of the work when computed for every pair, are computed once.
        """
        text = self.network.text_encoder
        if seen is not None and self.state.settings["first_token"] == "enc":  # noqa: S105  (no password)
            ids[:, 0] = self.tokenizer.last
        states: torch.Tensor = text.embeddings(input_ids=ids)
        hidden = (mask == 0)[:, None, None, :] * import_torch().finfo(states.dtype).min
        for number, layer in enumerate(text.encoder.layer, start=1):
            states = layer.attention(states, attention_mask=hidden)[0]
            if number == len(text.encoder.layer):
                states = states[:, :1]
            if seen is not None:
                together = states.reshape(len(seen), -1, states.shape[-1])
                states = layer.crossattention(together, encoder_hidden_states=seen)[0].view(states.shape)
            states = layer.feed_forward_chunk(states)
        first: torch.Tensor = states[:, 0]
        return first


def load_blip(place: Path, *, runtime: Runtime = USUAL, first_token: FirstToken = "enc") -> BLIP:  # noqa: S107
    """Load BLIP's retrieval model, such as Salesforce/blip-itm-base-coco.

    Args:
        place: a folder with config.json, model.safetensors and vocab.txt; or an original ``model_*_retrieval.pth`` (or
            a folder with one), with vocab.txt beside it.
        first_token: what a text begins with where it is read with a picture: ``enc``, as trained, or ``cls``, as some
            ports have it, which gives other probabilities.

    Raises:
        EncoderError: something is missing, damaged, or another model's.
    """
    if first_token not in ("enc", "cls"):
        raise EncoderError(f"there is no first token {first_token!r}; choose enc, as BLIP was trained, or cls")
    file = file_in(place, _WEIGHTS_FILES)
    model = _model_in(file).to(runtime.resolved_device())
    tokenizer, vocabulary = bert_pieces(file.parent, size := model.config.text_config.vocab_size, BLIP_MARKS)
    words = WordPieces(tokenizer, clean_caption_blip, MOST_IDS, last=vocabulary.get(BLIP_MARKS[-1], size - 1))
    preprocessing = Preprocessing("squash", int(model.config.vision_config.image_size))
    state = described("blip", place, digest_beside(file), runtime, first_token=first_token)
    return BLIP(model, words, preprocessing, state, runtime)


def digest_beside(file: Path, *more: str) -> str:
    """Over the weights and all that lies beside them and changes what they mean, files named ``more`` among it."""
    names = ("config.json", "med_config.json", "vocab.txt", "tokenizer.json", *more)
    beside = [f"{name} {digest_of(file.parent / name)}" for name in names if (file.parent / name).is_file()]
    return digest(*(part.encode() for part in (digest_of(file), *beside)))


def _model_in(file: Path) -> Any:
    """The model of a weights file, in transformers' or the original layout, as BlipForImageTextRetrieval."""
    tensors = read_tensors(file)
    if any(name.startswith("visual_encoder.") for name in tensors):
        settings, tensors = _settings_of(tensors, file.parent), renamed(tensors, "blip")
    else:
        settings = read_config(file.parent, "blip", "get Salesforce/blip-itm-base-coco")
    model = filled(empty_model("Blip", settings, file), tensors, file)
    positions = import_torch().arange(model.config.text_config.max_position_embeddings)[None]
    model.text_encoder.embeddings.position_ids = positions  # the one tensor that checkpoints do not hold
    return model


def empty_model(family: str, settings: Mapping[str, Any], file: Path) -> Any:
    """The retrieval model of transformers' ``Blip`` or ``Blip2`` without any weights.

    Raises:
        EncoderError: the settings, of the weights in ``file``, describe none.
    """
    torch, transformers = import_torch(), import_extra("transformers")
    strict = import_extra("huggingface_hub.errors").StrictDataclassError
    try:
        with quiet(transformers), torch.device("meta"):
            config = getattr(transformers, f"{family}Config").from_dict(dict(settings))
            config.vision_config.layer_norm_eps = _EPS
            return getattr(transformers, f"{family}ForImageTextRetrieval")(config)
    except (strict, TypeError, ValueError, KeyError, AttributeError, RuntimeError, ZeroDivisionError) as error:
        raise EncoderError(
            f"the settings beside {file} describe no {family.upper()} ({' '.join(str(error).split())[:200]}); get "
            f"config.json anew from where the weights came from"
        ) from error


def _settings_of(tensors: "Mapping[str, torch.Tensor]", folder: Path) -> dict[str, Any]:
    """The model's settings for transformers' BlipConfig, read off the shapes of its tensors.

    Shapes do not tell the number of attention heads: it is one for 64 channels, as in every published BLIP, unless
    ``config.json`` (``vit_heads``) or ``med_config.json`` (``num_attention_heads``) beside the file say otherwise.

    Raises:
        EncoderError: tensors are missing, or the number of heads cannot be told.
    """
    try:
        vision = vision_settings(tensors, folder)
        vocabulary, text_width = tensors["text_encoder.embeddings.word_embeddings.weight"].shape
        text = {
            "vocab_size": vocabulary,
            "hidden_size": text_width,
            "encoder_hidden_size": vision["hidden_size"],
            "num_hidden_layers": len(numbers_behind(tensors, r"text_encoder\.encoder\.layer\.(\d+)\.")),
            "num_attention_heads": heads(text_width, folder / "med_config.json", "num_attention_heads"),
            "intermediate_size": len(tensors["text_encoder.encoder.layer.0.intermediate.dense.weight"]),
            "max_position_embeddings": len(tensors["text_encoder.embeddings.position_embeddings.weight"]),
            "bos_token_id": vocabulary - 2,
        }
        dim = len(tensors["vision_proj.weight"])
    except KeyError as error:
        raise EncoderError(
            f"the weights in {folder} lack {error.args[0]}, so they are not those of BLIP's retrieval model; get "
            f"model_base_retrieval_coco.pth or another model_*_retrieval.pth"
        ) from None
    return {"vision_config": vision, "text_config": text, "image_text_hidden_size": dim}


def vision_settings(
    tensors: "Mapping[str, torch.Tensor]", folder: Path, *, head_width: int = _USUAL_HEAD
) -> dict[str, Any]:
    """The settings of the picture half, read off the shapes of its tensors.

    Raises:
        KeyError: a tensor is missing.
        EncoderError: the number of heads cannot be told.
    """
    width, _, patch, _ = tensors["visual_encoder.patch_embed.proj.weight"].shape
    return {
        "hidden_size": width,
        "num_hidden_layers": len(numbers_behind(tensors, r"visual_encoder\.blocks\.(\d+)\.")),
        "num_attention_heads": heads(width, folder / "config.json", "vit_heads", head_width),
        "intermediate_size": len(tensors["visual_encoder.blocks.0.mlp.fc1.weight"]),
        "patch_size": patch,
        "image_size": math.isqrt(tensors["visual_encoder.pos_embed"].shape[1] - 1) * patch,
    }


def heads(width: int, file: Path, key: str, head_width: int = _USUAL_HEAD) -> int:
    """The number of attention heads: as ``key`` of the settings in ``file`` says, else one for ``head_width`` channels.

    Raises:
        EncoderError: the width is no multiple of that.
    """
    if isinstance(said := said_in(file, key), int):
        return said
    if width % head_width:
        raise EncoderError(
            f"a model of width {width} does not have heads of {head_width} channels as published ones do; put "
            f"{file.name} with {key} beside the weights"
        )
    return width // head_width
