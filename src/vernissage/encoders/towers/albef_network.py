"""ALBEF's network as functions of its published tensors (doi 10.48550/arXiv.2107.07651): picture, text, both."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vernissage.encoders.runtime.devices import import_torch
from vernissage.encoders.towers.albef_architecture import AlbefArchitecture

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


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
        patches = torch.nn.functional.conv2d(
            pixels,
            self.weights[f"{top}patch_embed.proj.weight"],
            self.weights[f"{top}patch_embed.proj.bias"],
            stride=sizes.patch,
        )
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

    def fused_states(self, states: "torch.Tensor", real: "torch.Tensor", tokens: "torch.Tensor") -> "torch.Tensor":
        """Texts after the fusion layers, which look at picture tokens: one picture for each text, or one for all."""
        for number in range(self.architecture.fusion_layer, self.architecture.text_layers):
            states = self._text_layer(number, states, real, tokens)
        return states

    def image_features(self, pixels: "torch.Tensor") -> "torch.Tensor":
        """Pictures in the common space, before normalising: (n, dim)."""
        return self._linear("vision_proj", self.image_tokens(pixels)[:, 0])

    def text_features(self, ids: "torch.Tensor", real: "torch.Tensor") -> "torch.Tensor":
        """Texts in the common space, before normalising: (n, dim)."""
        return self._linear("text_proj", self.text_states(ids, real)[:, 0])

    def match_logits(self, states: "torch.Tensor", real: "torch.Tensor", tokens: "torch.Tensor") -> "torch.Tensor":
        """Whether text and picture belong together: (n, 2), first no, then yes."""
        return self._linear("itm_head", self.fused_states(states, real, tokens)[:, 0])

    def _vision_block(self, name: str, tokens: "torch.Tensor") -> "torch.Tensor":
        sizes, functional = self.architecture, import_torch().nn.functional
        joint = self._linear(f"{name}attn.qkv", self._norm(f"{name}norm1", tokens, sizes.vision_eps))
        seen = _attention(*joint.chunk(3, dim=-1), heads=sizes.vision_heads)
        tokens = tokens + self._linear(f"{name}attn.proj", seen)
        inner = self._linear(f"{name}mlp.fc1", self._norm(f"{name}norm2", tokens, sizes.vision_eps))
        return tokens + self._linear(f"{name}mlp.fc2", functional.gelu(inner))

    def _text_layer(
        self, number: int, states: "torch.Tensor", real: "torch.Tensor", tokens: "torch.Tensor | None"
    ) -> "torch.Tensor":
        name = f"text_encoder.encoder.layer.{number}."
        states = self._text_attention(f"{name}attention.", states, states, real)
        if tokens is not None:
            states = self._text_attention(f"{name}crossattention.", states, tokens, None)
        inner = import_torch().nn.functional.gelu(self._linear(f"{name}intermediate.dense", states))
        changed = self._linear(f"{name}output.dense", inner)
        return self._norm(f"{name}output.LayerNorm", states + changed, self.architecture.text_eps)

    def _text_attention(
        self, name: str, states: "torch.Tensor", seen: "torch.Tensor", real: "torch.Tensor | None"
    ) -> "torch.Tensor":
        answer = _attention(
            self._linear(f"{name}self.query", states),
            self._linear(f"{name}self.key", seen),
            self._linear(f"{name}self.value", seen),
            heads=self.architecture.text_heads,
            real=real,
        )
        changed = self._linear(f"{name}output.dense", answer)
        return self._norm(f"{name}output.LayerNorm", states + changed, self.architecture.text_eps)

    def _linear(self, name: str, values: "torch.Tensor") -> "torch.Tensor":
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
    query: "torch.Tensor",
    key: "torch.Tensor",
    value: "torch.Tensor",
    *,
    heads: int,
    real: "torch.Tensor | None" = None,
) -> "torch.Tensor":
    """Scaled dot-product attention over several heads; one row of keys serves all queries, or each has its own."""
    query, key, value = (each.view(*each.shape[:2], heads, -1).transpose(1, 2) for each in (query, key, value))
    key, value = (each.expand(len(query), -1, -1, -1) for each in (key, value))
    mask = None if real is None else real[:, None, None, :]
    answer: torch.Tensor = import_torch().nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    return answer.transpose(1, 2).flatten(2)
