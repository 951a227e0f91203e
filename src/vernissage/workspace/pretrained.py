"""Encoders with weights: where their loaders are, and how they are loaded and loaded again."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import EncoderError
from vernissage.progress import Progress, silent
from vernissage.values import Modality


@dataclass(frozen=True)
class Pretrained:
    """A family of encoders with weights.

    Attributes:
        modalities: what of the works it reads.
        module, loader, encoder: where the function that loads it and its class are; imported only when used.
        card: the model that is meant when no weights are named; empty for encoders that bring their own.
        options: what the loader takes beside place and runtime.
        exports: whether another backend than torch can run it.
        pairs: whether it also reads pictures and texts together, pair by pair.
    """

    modalities: tuple[Modality, ...]
    module: str
    loader: str
    encoder: str
    card: str = ""
    options: tuple[str, ...] = ()
    exports: bool = False
    pairs: bool = False

    def load(self, *place: Path, runtime: Runtime, **options: Any) -> Any:
        """Load the encoder, from a folder or file unless it brings its own weights."""
        return getattr(self._imported(), self.loader)(*place, runtime=runtime, **options)

    def restore(self, state: EncoderState) -> Any:
        """Load the encoder that a workspace was built with, from where its weights, and its export, were then.

        Raises:
            ProvenanceError: other weights or another export lie there now.
            EncoderError: they are gone.
        """
        from vernissage.encoders.runtime.onnx_state import from_state, runs_export

        in_torch = getattr(self._imported(), self.encoder).from_state
        return from_state(state, in_torch) if runs_export(state) else in_torch(state)

    def _imported(self) -> Any:
        return importlib.import_module(f"vernissage.encoders.{self.module}")


PRETRAINED: Mapping[str, Pretrained] = MappingProxyType(
    {
        "clip": Pretrained(
            ("image", "text"), "clip", "load_clip", "CLIP", "clip-vit-base-patch32", ("prompt",), exports=True
        ),
        "blip": Pretrained(
            ("image", "text"), "blip", "load_blip", "BLIP", "blip-itm-base-coco", ("first_token",), pairs=True
        ),
        "blip2": Pretrained(
            ("image", "text"), "blip2", "load_blip2", "BLIP2", "blip2-itm-vit-g", ("queries",), pairs=True
        ),
        "albef": Pretrained(("image", "text"), "albef", "load_albef", "ALBEF", "albef", ("vocabulary",)),
        "dual": Pretrained(
            ("image", "text"), "dual", "load_dual", "DualEncoder", "siglip2-base-patch16-224", exports=True
        ),
        "resnet50": Pretrained(("image",), "resnet", "load_resnet", "ResNet50", "resnet50", exports=True),
        "sentence": Pretrained(
            ("text",), "sentence", "load_sentence", "SentenceEncoder", "bert-base-uncased", exports=True
        ),
        "minilm": Pretrained(("text",), "sentence", "load_minilm", "SentenceEncoder", exports=True),
    }
)
"""The words for encoders with weights."""


def load_pretrained(
    name: str,
    weights: Path | None = None,
    *,
    runtime: Runtime | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    progress: Progress = silent,
) -> Any:
    """Load an encoder by its word: from ``weights``, else from the hub's cache or the hub itself.

    Raises:
        EncoderError: there is no such encoder, it takes no such option, or its weights cannot be had; the message says
            how to get them.
    """
    if name not in PRETRAINED:
        raise EncoderError(f"there is no encoder {name!r} with weights; choose from {', '.join(PRETRAINED)}")
    from vernissage.encoders.cards import CARDS
    from vernissage.encoders.runtime.hub import locate_weights

    family, how = PRETRAINED[name], runtime or Runtime()
    for option in options:
        if option not in family.options:
            taken = ", ".join(family.options) or "no options"
            raise EncoderError(f"{name} takes no {option.replace('_', ' ')}; it takes {taken.replace('_', ' ')}")
    if name == "minilm":
        if weights is not None:
            raise EncoderError(
                f"minilm brings its own weights, but {weights} was named; use the encoder sentence for it"
            )
        return family.load(runtime=how)
    return family.load(locate_weights(CARDS[family.card], weights, progress=progress), runtime=how, **options)
