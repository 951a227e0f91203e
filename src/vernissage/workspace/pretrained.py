"""Encoders with weights: where their loaders are, and how a workspace takes them in."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vernissage.encoders.contract import EncoderState, Modality
from vernissage.encoders.runtime import Runtime
from vernissage.errors import EncoderError
from vernissage.progress import Progress, silent
from vernissage.workspace.recipes import Fitting, Recipe


@dataclass(frozen=True)
class Pretrained:
    """A family of encoders with weights.

    Attributes:
        modalities: what of the works it reads.
        module, loader, encoder: where the function that loads it and its class are; imported only when used.
        card: the model that is meant when no weights are named; empty for encoders that bring their own.
        options: what the loader takes beside place and runtime.
    """

    modalities: tuple[Modality, ...]
    module: str
    loader: str
    encoder: str
    card: str = ""
    options: tuple[str, ...] = ()

    def load(self, *place: Path, runtime: Runtime, **options: Any) -> Any:
        """Load the encoder, from a folder or file unless it brings its own weights."""
        return getattr(self._imported(), self.loader)(*place, runtime=runtime, **options)

    def restore(self, state: EncoderState) -> Any:
        """Load the encoder that a workspace was built with, from where its weights were then.

        Raises:
            ProvenanceError: other weights lie there now.
            EncoderError: they are gone.
        """
        return getattr(self._imported(), self.encoder).from_state(state)

    def _imported(self) -> Any:
        return importlib.import_module(f"vernissage.encoders.{self.module}")


PRETRAINED: Mapping[str, Pretrained] = MappingProxyType(
    {
        "clip": Pretrained(("image", "text"), "clip", "load_clip", "CLIP", "clip-vit-base-patch32", ("prompt",)),
        "blip": Pretrained(("image", "text"), "blip", "load_blip", "BLIP", "blip-itm-base-coco", ("first_token",)),
        "blip2": Pretrained(("image", "text"), "blip2", "load_blip2", "BLIP2", "blip2-itm-vit-g", ("queries",)),
        "albef": Pretrained(("image", "text"), "albef", "load_albef", "ALBEF", "albef", ("vocabulary",)),
        "dual": Pretrained(("image", "text"), "dual", "load_dual", "DualEncoder", "siglip2-base-patch16-224"),
        "resnet50": Pretrained(("image",), "resnet", "load_resnet", "ResNet50", "resnet50"),
        "sentence": Pretrained(("text",), "sentence", "load_sentence", "SentenceEncoder", "bert-base-uncased"),
        "minilm": Pretrained(("text",), "sentence", "load_minilm", "SentenceEncoder"),
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
    from vernissage.encoders.cards import CARDS  # noqa: PLC0415  (most workspaces have no encoder with weights)
    from vernissage.encoders.hub import locate_weights  # noqa: PLC0415

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


def pretrained_recipe(name: str, place: str, runtime: Runtime) -> Recipe:
    """How a workspace makes an encoder with weights: it is loaded, not fitted."""
    family = PRETRAINED[name]

    def load(fitting: Fitting) -> Any:
        return load_pretrained(name, Path(place) if place else None, runtime=runtime, progress=fitting.progress)

    return Recipe(name, family.modalities, load, lambda state, _: family.restore(state), pretrained=True)
