"""What is known of an encoder, and of each set of weights that it can be used with: facts only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vernissage.encoders.contract import Encoder, Material
from vernissage.values import Modality, Vectors

Commercial = Literal["yes", "discouraged", "unclear"]
"""``yes``: the licence allows it. ``discouraged``: so it does, but the authors advise against any deployment.
``unclear``: the licence is open, the terms of the training pictures are not."""

Extra = Literal["", "models", "minilm"]
"""The optional extra that must be installed; empty for what always works."""


@dataclass(frozen=True)
class ModelCard:
    """What is known of one model; None where there is no source.

    Attributes:
        name: unique among the cards.
        encoder: the word for it in commands.
        family: the kind of model.
        parameters: how many numbers were trained, of the parts that are used, counted from the published
            configuration; None where a collection decides.
        dim: length of its vectors; None where a collection decides.
        modalities: what it reads.
        licence: of the weights, as their publishers state it.
        commercial: whether they may be used commercially; `notes` says why not.
        source: the publication.
        notes: what one should know before using it.
        extra: what must be installed.
        hub: its name on the Hugging Face hub; empty where it is not there.
        revision: the commit that is fetched, which holds the weights as safetensors; None where it is not pinned. For
            some models that is a conversion which the hub made beside a main branch of pickles.
        branch: what is fetched without a pinned commit.
        download_bytes: how much is fetched, about; 0 for nothing, None where it is not known.
        url: where the authors keep the file, for models that are not on the hub.
        instead: what to use where its weights cannot be had.
    """

    name: str
    encoder: str
    family: str
    parameters: int | None
    dim: int | None
    modalities: tuple[Modality, ...]
    licence: str
    commercial: Commercial
    source: str
    notes: str = ""
    extra: Extra = "models"
    hub: str = ""
    revision: str | None = None
    branch: str = "main"
    download_bytes: int | None = 0
    url: str = ""
    instead: str = "`vernissage encoders` lists the encoders that need no download"

    @property
    def needs_weights(self) -> bool:
        """Whether weights must be fetched before it can be used."""
        return bool(self.hub or self.url)

    @property
    def is_pinned(self) -> bool:
        """Whether it is known which commit is fetched from the hub."""
        return self.revision is not None or not self.hub


@dataclass(frozen=True)
class EncoderCard:
    """What is known of one encoder: all that commands, recommenders and help texts have to know of it.

    An encoder is either fitted on a collection (``fit`` and ``restore``) or loaded with weights that others trained
    (``load``). These functions import its module when they are called.

    Attributes:
        name: the word for it in commands.
        summary: what its vectors are, in one line.
        words: what it compares works by, for visitors.
        modalities: what of a work it reads.
        preference: the higher, the sooner it is chosen among encoders of the same modalities, where none is named.
        models: the weights that it can be used with, the usual ones first.
        fit: from what a collection offers to the encoder.
        restore: from its saved state and the encoders that it is made on.
        load: from the place of weights, ``runtime`` and ``options``; without a place if it brings its own weights.
        derived_from: for an encoder made on the vectors of others, which one serves each modality, pictures first.
        derive: from the encoder, a modality and the other one's vectors to its own.
        illustrate: writes pictures about the fitted encoder into its folder.
        options: what ``load`` takes beside place and runtime.
        on_request: whether it is fitted only where it is named, not in a build that names no encoders.
        exports: whether another backend than torch can run it.
        reads_pairs: whether it also reads a picture and a text together, so that it gives two engines.
        bundled: whether it brings its own weights.
    """

    name: str
    summary: str
    words: str
    modalities: tuple[Modality, ...]
    preference: int
    models: tuple[ModelCard, ...] = ()
    fit: Callable[[Material], Any] | None = None
    restore: Callable[..., Encoder] | None = None
    load: Callable[..., Any] | None = None
    derived_from: Mapping[Modality, str] = field(default_factory=dict)
    derive: Callable[[Any, Modality, Vectors], Vectors] | None = None
    illustrate: Callable[[Any, Path], None] | None = None
    options: tuple[str, ...] = ()
    on_request: bool = False
    exports: bool = False
    reads_pairs: bool = False
    bundled: bool = False

    @property
    def pretrained(self) -> bool:
        """Whether it is loaded with weights that others trained, not fitted."""
        return self.load is not None

    @property
    def needs(self) -> tuple[str, ...]:
        """The encoders that it is made on."""
        return tuple(self.derived_from.values())

    @property
    def in_fusion(self) -> bool:
        """Whether it is a part of the default fusion: what is made on other encoders' vectors adds nothing to them."""
        return not self.derived_from
