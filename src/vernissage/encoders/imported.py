"""Encoders of which there are vectors alone: what their files say of the model, and its network if it is installed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.encoders.contract import EncoderState, reading
from vernissage.encoders.loading import load_pretrained
from vernissage.encoders.register import ModelCard, models
from vernissage.encoders.runtime.hub import cached_weights, why_not_ready
from vernissage.errors import EncoderError
from vernissage.values import Modality, Vectors

if TYPE_CHECKING:
    from PIL import Image

_RESERVED = re.compile(r"(?:late-.*|zccr|)")


def names_of(found: Iterable[str]) -> dict[str, str]:
    """A word for commands for each model: its name in small letters, with hyphens for all but letters and digits."""
    names: dict[str, str] = {}
    for model in found:
        word = re.sub(r"[^a-z0-9.]+", "-", model.casefold()).strip("-.")[:80]
        word = f"model-{word}".strip("-") if _RESERVED.fullmatch(word) else word
        same = 1
        while (name := word if same == 1 else f"{word}-{same}") in names.values():
            same += 1
        names[model] = name
    return names


class ImportedEncoder:
    """An encoder of vectors that were made elsewhere; it reads nothing itself."""

    def __init__(self, state: EncoderState) -> None:
        self.state = state
        self.name, self.fingerprint, self.dim = state.name, state.fingerprint, int(state.settings["dim"])
        self.modalities: frozenset[Modality] = frozenset(state.settings["modalities"])


class InstalledEncoder(ImportedEncoder):
    """The same with its network, which is loaded when it first reads something."""

    def __init__(self, state: EncoderState, model: ModelCard, weights: Path | None) -> None:
        super().__init__(state)
        self._model, self._weights = model, weights
        self.modalities |= frozenset(model.modalities)

    @cached_property
    def _network(self) -> Any:
        return load_pretrained(self._model.encoder, self._weights)

    @property
    def preprocessing(self) -> Any:
        """How its pictures are prepared, which says how large they are opened."""
        return getattr(self._network, "preprocessing", None)

    def encode_images(self, images: "Sequence[Image.Image]") -> Vectors:
        """See `ImageEncoder`."""
        return self._read("image", images)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """See `TextEncoder`."""
        return self._read("text", texts)

    def _read(self, modality: Modality, given: Sequence[Any]) -> Vectors:
        rows = reading(self._network, modality)(given)
        if rows.shape[1] != self.dim:
            raise EncoderError(
                f"{self._model.name} makes vectors of {rows.shape[1]} numbers, and those of {self.name} have "
                f"{self.dim}: it is another model; name the right one's weights with --tower"
            )
        return rows


def restore_imported(state: EncoderState) -> ImportedEncoder:
    """The encoder that ``state`` describes; with its network where that is on this machine."""
    model, place = model_of(str(state.settings["model"])), state.settings.get("tower")
    if model is None:
        return ImportedEncoder(state)
    weights = Path(place) if place else cached_weights(model)
    there = weights is not None and weights.exists() if model.needs_weights else not why_not_ready(model)
    return InstalledEncoder(state, model, weights) if there else ImportedEncoder(state)


def model_of(name: str) -> ModelCard | None:
    """The model of that name, or of that name on the hub, that this version knows to run; None where there is none."""
    wanted = name.casefold()
    return next((each for each in models().values() if wanted in (each.name.casefold(), each.hub.casefold())), None)


def why_not_read(name: str, settings: Mapping[str, Any]) -> str:
    """Why an imported encoder reads nothing here, and what to do."""
    model = model_of(str(settings["model"]))
    if model is None:
        return f"the vectors of {name} were made elsewhere, by a model that this version does not know to run"
    way = why_not_ready(model) or "no weights named"
    return (
        f"the vectors of {name} were made elsewhere, and its model {model.name} is not installed here ({way}); build "
        f"with --tower {model.encoder}=PATH, the folder of its weights"
    )
