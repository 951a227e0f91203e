"""The sizes of an ALBEF network, and the names and shapes of the tensors that it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Shape = tuple[int, ...]


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

    def shapes(self) -> Mapping[str, Shape]:
        """Every tensor that pictures, texts and matching need, with its shape; BERT's names without ``bert.``."""
        return {
            **_vision_shapes(self),
            **_text_shapes(self),
            **_affine("vision_proj", self.dim, self.vision_width),
            **_affine("text_proj", self.dim, self.text_width),
            **_affine("itm_head", 2, self.text_width),
        }


def _affine(name: str, out: int, into: int) -> dict[str, Shape]:
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def _norms(prefix: str, names: Sequence[str], width: int) -> dict[str, Shape]:
    return {f"{prefix}{name}.{part}": (width,) for name in names for part in ("weight", "bias")}


def _vision_shapes(sizes: AlbefArchitecture) -> dict[str, Shape]:
    width, inner, top = sizes.vision_width, sizes.vision_inner, "visual_encoder."
    shapes: dict[str, Shape] = {
        f"{top}cls_token": (1, 1, width),
        f"{top}pos_embed": (1, sizes.image_tokens, width),
        f"{top}patch_embed.proj.weight": (width, 3, sizes.patch, sizes.patch),
        f"{top}patch_embed.proj.bias": (width,),
        **_norms(top, ["norm"], width),
    }
    for number in range(sizes.vision_layers):
        block = f"{top}blocks.{number}."
        shapes |= _norms(block, ["norm1", "norm2"], width)
        shapes |= _affine(f"{block}attn.qkv", 3 * width, width) | _affine(f"{block}attn.proj", width, width)
        shapes |= _affine(f"{block}mlp.fc1", inner, width) | _affine(f"{block}mlp.fc2", width, inner)
    return shapes


def _text_shapes(sizes: AlbefArchitecture) -> dict[str, Shape]:
    width, inner, top = sizes.text_width, sizes.text_inner, "text_encoder.embeddings."
    shapes: dict[str, Shape] = {
        f"{top}word_embeddings.weight": (sizes.vocabulary, width),
        f"{top}position_embeddings.weight": (sizes.positions, width),
        f"{top}token_type_embeddings.weight": (2, width),
        **_norms(top, ["LayerNorm"], width),
    }
    for number in range(sizes.text_layers):
        layer = f"text_encoder.encoder.layer.{number}."
        shapes |= _attention_shapes(f"{layer}attention.", width, width)
        if number >= sizes.fusion_layer:
            shapes |= _attention_shapes(f"{layer}crossattention.", width, sizes.vision_width)
        shapes |= _affine(f"{layer}intermediate.dense", inner, width) | _affine(f"{layer}output.dense", width, inner)
        shapes |= _norms(layer, ["output.LayerNorm"], width)
    return shapes


def _attention_shapes(prefix: str, width: int, seen: int) -> dict[str, Shape]:
    """Attention of ``width`` that looks at tokens of the width ``seen``."""
    return {
        **_affine(f"{prefix}self.query", width, width),
        **_affine(f"{prefix}self.key", width, seen),
        **_affine(f"{prefix}self.value", width, seen),
        **_affine(f"{prefix}output.dense", width, width),
        **_norms(prefix, ["output.LayerNorm"], width),
    }
