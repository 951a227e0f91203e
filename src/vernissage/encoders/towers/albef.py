"""ALBEF: pictures and texts in one space, and whether a picture and a text belong together.

Li et al., *Align before Fuse*, NeurIPS 2021 (doi 10.48550/arXiv.2107.07651), from the authors' checkpoints. A vision
transformer and the lower half of a BERT give 256-d vectors; BERT's upper half looks at the picture and gives the
probability that both belong together (image-text matching, ITM). The network is written as functions of the published
tensors, for transformers has no such model.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from vernissage.encoders.runtime.devices import USUAL, Runtime, import_torch
from vernissage.encoders.runtime.loaded import described
from vernissage.encoders.runtime.pairs import (
    ImageStates,
    PairTower,
    WordPieces,
    bert_pieces,
    clean_caption_albef,
    read_vocabulary,
)
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.runtime.weights import digest_of, numbers_behind, read_tensors, require_tensors, said_in
from vernissage.errors import EncoderError
from vernissage.files import digest

if TYPE_CHECKING:
    import torch

Cleaning = Literal["albef", "zccr"]

MOST_IDS = 30


@dataclass(frozen=True)
class AlbefArchitecture:
    """Sizes of a vision transformer and a BERT whose upper layers look at the picture; defaults as published.

    Attributes:
        image_size: pixels a side that the position embeddings are for: 256 pre-training, 384 fine-tuned.
        patch: pixels a side of one picture token.
        fusion_layer: the first BERT layer with cross-attention; text alone goes through those below it.
        vision_inner, text_inner: width of the hidden layer in the feed-forward parts.
        vocabulary, positions: number of word pieces, and how many of them one text can have.
        dim: of the common space.
        vision_eps, text_eps: added to the variance in layer normalisation.
    """

    image_size: int = 256
    patch: int = 16
    vision_width: int = 768
    vision_layers: int = 12
    vision_heads: int = 12
    vision_inner: int = 3072
    text_width: int = 768
    text_layers: int = 12
    fusion_layer: int = 6
    text_heads: int = 12
    text_inner: int = 3072
    vocabulary: int = 30522
    positions: int = 512
    dim: int = 256
    vision_eps: float = 1e-6
    text_eps: float = 1e-12

    @property
    def image_tokens(self) -> int:
        """Number of picture tokens with the class token."""
        return (self.image_size // self.patch) ** 2 + 1

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Every tensor that pictures, texts and matching need, with its shape; BERT's names without ``bert.``."""
        vision, text, top = self.vision_width, self.text_width, "text_encoder.embeddings."
        bare: dict[str, tuple[int, ...]] = {
            "visual_encoder.cls_token": (1, 1, vision),
            "visual_encoder.pos_embed": (1, self.image_tokens, vision),
            f"{top}word_embeddings.weight": (self.vocabulary, text),
            f"{top}position_embeddings.weight": (self.positions, text),
            f"{top}token_type_embeddings.weight": (2, text),
        }
        # Weights and biases: of products (out, into), and of norms (width,).
        parts: dict[str, tuple[int, ...]] = {"visual_encoder.patch_embed.proj": (vision, 3, self.patch, self.patch)}
        parts |= {"visual_encoder.norm": (vision,), f"{top}LayerNorm": (text,)}
        parts |= {"vision_proj": (self.dim, vision), "text_proj": (self.dim, text), "itm_head": (2, text)}
        for number in range(self.vision_layers):
            block, inner = f"visual_encoder.blocks.{number}.", self.vision_inner
            parts |= {f"{block}norm1": (vision,), f"{block}norm2": (vision,)}
            parts |= {f"{block}attn.qkv": (3 * vision, vision), f"{block}attn.proj": (vision, vision)}
            parts |= {f"{block}mlp.fc1": (inner, vision), f"{block}mlp.fc2": (vision, inner)}
        for number in range(self.text_layers):
            layer, inner = f"text_encoder.encoder.layer.{number}.", self.text_inner
            parts |= {f"{layer}intermediate.dense": (inner, text), f"{layer}output.dense": (text, inner)}
            parts[f"{layer}output.LayerNorm"] = (text,)
            looks = {"attention": text} | ({"crossattention": vision} if number >= self.fusion_layer else {})
            for kind, seen in looks.items():
                attention = f"{layer}{kind}."
                parts |= {f"{attention}self.{each}": (text, seen) for each in ("key", "value")}
                parts |= {f"{attention}self.query": (text, text), f"{attention}output.dense": (text, text)}
                parts[f"{attention}output.LayerNorm"] = (text,)
        weights = {f"{name}.weight": shape for name, shape in parts.items()}
        return {**bare, **weights, **{f"{name}.bias": shape[:1] for name, shape in parts.items()}}


@dataclass(frozen=True)
class AlbefNetwork:
    """A vision transformer, a BERT in two halves, and the heads, on the device where the tensors are.

    The tensors are named as published, BERT's without ``bert.``; `AlbefArchitecture.shapes` lists them.
    """

    architecture: AlbefArchitecture
    weights: "Mapping[str, torch.Tensor]"

    def image_tokens(self, pixels: "torch.Tensor") -> "torch.Tensor":
        """Pictures (n, 3, size, size) as tokens (n, 1 + patches, width), the class token first, normalised."""
        torch, sizes, top = import_torch(), self.architecture, "visual_encoder."
        kernels, biases = (self.weights[f"{top}patch_embed.proj.{part}"] for part in ("weight", "bias"))
        patches = torch.nn.functional.conv2d(pixels, kernels, biases, stride=sizes.patch)
        first = self.weights[f"{top}cls_token"].expand(len(pixels), -1, -1)
        tokens = torch.cat([first, patches.flatten(2).transpose(1, 2)], dim=1) + self.weights[f"{top}pos_embed"]
        for number in range(sizes.vision_layers):
            tokens = self._vision_block(f"{top}blocks.{number}.", tokens)
        return self._norm(f"{top}norm", tokens, sizes.vision_eps)

    def text_states(self, ids: "torch.Tensor", real: "torch.Tensor") -> "torch.Tensor":
        """Word pieces (n, length) after the layers below fusion: (n, length, width); ``real`` is False at padding."""
        sizes, top = self.architecture, "text_encoder.embeddings."
        states = (
            self.weights[f"{top}word_embeddings.weight"][ids]
            + self.weights[f"{top}token_type_embeddings.weight"][0]
            + self.weights[f"{top}position_embeddings.weight"][: ids.shape[1]]
        )
        states = self._norm(f"{top}LayerNorm", states, sizes.text_eps)
        for number in range(sizes.fusion_layer):
            states = self._text_layer(number, states, real, None)
        return states

    def text_features(self, ids: "torch.Tensor", real: "torch.Tensor") -> "torch.Tensor":
        """Texts in the common space, before normalising: (n, dim)."""
        return self.linear("text_proj", self.text_states(ids, real)[:, 0])

    def match_logits(self, states: "torch.Tensor", real: "torch.Tensor", tokens: "torch.Tensor") -> "torch.Tensor":
        """Whether text and picture belong together: (n, 2), first no, then yes.

        The fusion layers look at picture tokens: of one picture for each text, or of one for all.
        """
        for number in range(self.architecture.fusion_layer, self.architecture.text_layers):
            states = self._text_layer(number, states, real, tokens)
        return self.linear("itm_head", states[:, 0])

    def _vision_block(self, name: str, tokens: "torch.Tensor") -> "torch.Tensor":
        sizes, functional = self.architecture, import_torch().nn.functional
        joint = self.linear(f"{name}attn.qkv", self._norm(f"{name}norm1", tokens, sizes.vision_eps))
        seen = _attention(*joint.chunk(3, dim=-1), heads=sizes.vision_heads)
        tokens = tokens + self.linear(f"{name}attn.proj", seen)
        inner = self.linear(f"{name}mlp.fc1", self._norm(f"{name}norm2", tokens, sizes.vision_eps))
        return tokens + self.linear(f"{name}mlp.fc2", functional.gelu(inner))

    def _text_layer(
        self, number: int, states: "torch.Tensor", real: "torch.Tensor", tokens: "torch.Tensor | None"
    ) -> "torch.Tensor":
        name = f"text_encoder.encoder.layer.{number}."
        states = self._text_attention(f"{name}attention.", states, states, real)
        if tokens is not None:
            states = self._text_attention(f"{name}crossattention.", states, tokens, None)
        inner = import_torch().nn.functional.gelu(self.linear(f"{name}intermediate.dense", states))
        changed = self.linear(f"{name}output.dense", inner)
        return self._norm(f"{name}output.LayerNorm", states + changed, self.architecture.text_eps)

    def _text_attention(
        self, name: str, states: "torch.Tensor", seen: "torch.Tensor", real: "torch.Tensor | None"
    ) -> "torch.Tensor":
        given = {"query": states, "key": seen, "value": seen}
        parts = [self.linear(f"{name}self.{part}", each) for part, each in given.items()]
        answer = _attention(*parts, heads=self.architecture.text_heads, real=real)
        changed = self.linear(f"{name}output.dense", answer)
        return self._norm(f"{name}output.LayerNorm", states + changed, self.architecture.text_eps)

    def linear(self, name: str, values: "torch.Tensor") -> "torch.Tensor":
        """The product with the weights of that name, and their bias."""
        changed: torch.Tensor = import_torch().nn.functional.linear(
            values, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        )
        return changed

    def _norm(self, name: str, values: "torch.Tensor", eps: float) -> "torch.Tensor":
        changed: torch.Tensor = import_torch().nn.functional.layer_norm(
            values, values.shape[-1:], self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], eps
        )
        return changed


def _attention(
    query: "torch.Tensor", key: "torch.Tensor", value: "torch.Tensor", *, heads: int, real: "torch.Tensor | None" = None
) -> "torch.Tensor":
    """Scaled dot-product attention over several heads; one row of keys serves all queries, or each has its own."""
    query, key, value = (each.view(*each.shape[:2], heads, -1).transpose(1, 2) for each in (query, key, value))
    key, value = (each.expand(len(query), -1, -1, -1) for each in (key, value))
    mask = None if real is None else real[:, None, None, :]
    answer: torch.Tensor = import_torch().nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    return answer.transpose(1, 2).flatten(2)


_PUBLISHED = AlbefArchitecture()
_HEAD_WIDTH = _PUBLISHED.vision_width // _PUBLISHED.vision_heads
_NEEDED_PARTS = ("visual_encoder.", "text_encoder.", "vision_proj.", "text_proj.", "itm_head.")
_UNUSED_PARTS = ("text_encoder.cls.", "text_encoder.pooler.", "text_encoder.embeddings.position_ids")
_MOST_LAYERS = 200  # a stranger's settings must not make us list millions of tensors
_POSITIONS = "visual_encoder.pos_embed"


class ALBEF(PairTower):
    """Pictures and texts as unit vectors of one space; the inner product is a cosine. `load_albef` makes it."""

    network: AlbefNetwork

    @property
    def dim(self) -> int:
        return self.network.architecture.dim

    @property
    def parameters(self) -> int:
        return sum(int(values.numel()) for values in self.network.weights.values())

    def itm_logits(self, states: ImageStates, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The matching head's two logits for each picture and text, "no" and "yes": float32 (pictures, texts, 2).

        Every text goes once through its own layers, and every pair through the fusion layers; the states of all texts
        are kept meanwhile.
        """
        logits = np.zeros((len(states), len(texts), 2), dtype=np.float32)
        if not logits.size:
            return logits
        ids, mask = self._padded(self.token_ids(texts))
        real, size = mask.bool(), max(1, self.runtime.batch_size)
        with import_torch().inference_mode(), self.runtime.autocast():
            starts = range(0, len(ids), size)
            parts = [self.network.text_states(ids[row : row + size], real[row : row + size]) for row in starts]
            read = import_torch().cat(parts)

        def run(rows: Sequence[int], seen: "torch.Tensor") -> "torch.Tensor":
            some = slice(rows[0], rows[-1] + 1)
            return self.network.match_logits(read[some], real[some], seen)

        for row, state in enumerate(states):
            matched = partial(run, seen=self.runtime.on_device(state[None]))
            logits[row] = self.runtime.in_batches(range(len(texts)), matched, 2)
        return logits

    def _see(self, pixels: "torch.Tensor") -> "torch.Tensor":
        return self.network.image_tokens(pixels)

    def _project(self, seen: "torch.Tensor") -> "torch.Tensor":
        return self.network.linear("vision_proj", seen[:, 0])

    def vectors_of_tokens(self, ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        return self.network.text_features(ids, mask.bool())

    def _match(self, seen: "torch.Tensor", ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        return self.network.match_logits(self.network.text_states(ids, mask.bool()), mask.bool(), seen)


def load_albef(
    place: Path,
    *,
    image_size: int | None = None,
    vocabulary: Path | str | None = None,
    cleaning: Cleaning = "albef",
    runtime: Runtime = USUAL,
) -> ALBEF:
    """Load ALBEF from a checkpoint of its authors, or the same tensors as safetensors.

    Args:
        place: ALBEF.pth, mscoco.pth, flickr30k.pth, a .safetensors file, or a folder that holds one of them. Settings
            of its training (config.json, config_bert.json) may lie beside it, and must for sizes of one's own.
        image_size: pixels a side; None takes what the weights are for: 256 pre-training, 384 fine-tuned. For another
            the position embeddings are interpolated bicubically, as the authors do.
        vocabulary: vocab.txt of bert-base-uncased or its folder; None takes the one beside the weights;
            without one there pictures are read, and the first text is refused.
        cleaning: ``albef`` as in training, or ``zccr`` as the code of ZCCR: neither cut at 30 ids nor without the
            tag ``<person>``.

    Raises:
        EncoderError: files are missing or damaged, or tensors are missing or do not fit; nothing is made up.
    """
    if cleaning not in ("albef", "zccr"):
        raise EncoderError(f"there is no cleaning {cleaning!r}; choose albef or zccr")
    file = _checkpoint(place.resolve())
    beside = Path(vocabulary).resolve() if vocabulary else file.parent
    listed = beside / "vocab.txt" if beside.is_dir() else beside
    if there := listed.is_file():
        read_vocabulary(listed)  # told before the weights are read, which takes long
    sizes, weights = _read_albef(file, image_size)
    pieces = bert_pieces(listed, sizes.vocabulary)[0] if there else _NoWordPieces(listed)
    words = albef_words(pieces, cleaning, sizes.positions)
    device = runtime.resolved_device()
    network = AlbefNetwork(sizes, {name: tensor.to(device) for name, tensor in weights.items()})
    weighed = digest(digest_of(file).encode(), digest_of(listed).encode() if there else b"")
    settings = {"image_size": sizes.image_size, "cleaning": cleaning, "network": asdict(sizes)}
    state = described("albef", file, weighed, runtime, vocabulary=str(listed), **settings)
    return ALBEF(network, words, Preprocessing("squash", sizes.image_size), state, runtime)


class _NoWordPieces:
    """Stands for the tokenizer where the vocabulary is missing; whoever reads a text is told so."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __getattr__(self, name: str) -> Any:
        read_vocabulary(self._place)
        raise EncoderError(f"{self._place} was not there when ALBEF was loaded; load it again to read texts")


def albef_words(tokenizer: Any, cleaning: Cleaning, positions: int) -> WordPieces:
    """BERT's word pieces as ALBEF was trained with: [CLS] in front, and no [SEP].

    Args:
        tokenizer: transformers' BertTokenizer with the vocabulary.
        cleaning: ``albef`` cleans captions as in training and takes at most 30 ids; ``zccr`` as the code of ZCCR
            (doi 10.1016/j.eswa.2024.125108): the tag ``<person>`` stays, and all ids are taken that have a position.
        positions: how many ids a text can have in the network.
    """
    clean = partial(clean_caption_albef, person_tag=cleaning == "zccr")
    return WordPieces(tokenizer, clean, positions if cleaning == "zccr" else min(MOST_IDS, positions), ends=False)


def _read_albef(file: Path, image_size: int | None) -> "tuple[AlbefArchitecture, dict[str, torch.Tensor]]":
    """The sizes and the needed tensors in float32, position embeddings interpolated to ``image_size``.

    Widths are read off the tensors. Numbers of layers and heads are those in ``config.json`` (``vit``) and
    ``config_bert.json`` beside the weights, else those of the published networks.

    Raises:
        EncoderError: tensors are missing, left over, or do not fit each other.
    """
    tensors = _needed_tensors(read_tensors(file))
    sizes = _architecture(tensors, _settings_beside(file), file)
    require_tensors(tensors, sizes.shapes(), file)
    if unknown := sorted(tensors.keys() - sizes.shapes().keys()):
        raise EncoderError(
            f"{file} has tensors that ALBEF does not: {', '.join(unknown[:5])}; name a checkpoint of ALBEF, with "
            f"config_bert.json of its training beside it if it is another size"
        )
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
    needed = [name for name in plain if name.startswith(_NEEDED_PARTS) and not name.startswith(_UNUSED_PARTS)]
    return {name: plain[name] for name in needed}


def _settings_beside(file: Path) -> dict[str, int]:
    """Whole numbers that the settings of the training beside the weights give, by the names of `AlbefArchitecture`."""
    vision, text = said_in(file.parent / "config.json", "vit"), file.parent / "config_bert.json"
    vision = vision if isinstance(vision, dict) else {}
    wanted: dict[str, Any] = {"vision_layers": vision.get("depth"), "vision_heads": vision.get("num_heads")}
    named = {"text_layers": "num_hidden_layers", "text_heads": "num_attention_heads", "fusion_layer": "fusion_layer"}
    wanted |= {name: said_in(text, key) for name, key in named.items()}
    return {name: value for name, value in wanted.items() if isinstance(value, int)}


def _architecture(tensors: "Mapping[str, torch.Tensor]", settings: Mapping[str, int], file: Path) -> AlbefArchitecture:
    """Sizes by the tensors' shapes and names, a missing one as published: what is missing is refused afterwards.

    Networks of the published widths have the published layers, so that a file that was cut is seen to be; heads are
    as wide as usual. ``settings`` go before both.
    """

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
        vision_heads=vision_width // _HEAD_WIDTH,
        vision_inner=side("visual_encoder.blocks.0.mlp.fc1.weight", 0, _PUBLISHED.vision_inner),
        text_width=text_width,
        text_heads=text_width // _HEAD_WIDTH,
        text_inner=side("text_encoder.encoder.layer.0.intermediate.dense.weight", 0, _PUBLISHED.text_inner),
        vocabulary=side("text_encoder.embeddings.word_embeddings.weight", 0, _PUBLISHED.vocabulary),
        positions=side("text_encoder.embeddings.position_embeddings.weight", 0, _PUBLISHED.positions),
        dim=side("vision_proj.weight", 0, _PUBLISHED.dim),
    )
    if vision_width != _PUBLISHED.vision_width:
        blocks = numbers_behind(tensors, r"visual_encoder\.blocks\.(\d+)\.")
        sizes = replace(sizes, vision_layers=len(blocks))
    if text_width != _PUBLISHED.text_width:
        layers = numbers_behind(tensors, r"text_encoder\.encoder\.layer\.(\d+)\.")
        fused = numbers_behind(tensors, r"text_encoder\.encoder\.layer\.(\d+)\.crossattention\.")
        sizes = replace(sizes, text_layers=len(layers), fusion_layer=min(fused, default=sizes.fusion_layer))
    whole = replace(sizes, **settings)
    _refuse_counts(whole, file)
    return whole


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


def _interpolated(positions: "torch.Tensor", grid: int) -> "torch.Tensor":
    """Position embeddings (1, 1 + tokens, width) for another grid of patches; the class token's stays."""
    first, rest = positions[:, :1], positions[:, 1:]
    old = math.isqrt(rest.shape[1])
    square = rest.reshape(1, old, old, -1).permute(0, 3, 1, 2)
    functional = import_torch().nn.functional
    wider = functional.interpolate(square, size=(grid, grid), mode="bicubic", align_corners=False)
    joined: torch.Tensor = import_torch().cat([first, wider.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)
    return joined
