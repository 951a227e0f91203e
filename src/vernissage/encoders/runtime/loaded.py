"""Encoders whose weights lie elsewhere: kept as where those lie and what they were, never as the weights."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.errors import ProvenanceError
from vernissage.files import digest

_NEEDED = ("place", "weights", "precision")
_PATHS = frozenset({"place", "vocabulary"})
"""Settings that say where files lie, which may change; what is in the files is in the digest ``weights``."""


class LoadedEncoder:
    """What all encoders with weights have: a network, how it is run, and where it came from."""

    def __init__(
        self, model: Any, state: EncoderState, runtime: Runtime, preprocessing: Preprocessing | None = None
    ) -> None:
        """Gather what was loaded and checked.

        Args:
            model: the network in eval mode, on its device.
            state: where the weights lie and what they were.
            runtime: how the network is run.
            preprocessing: of pictures, for those that read pictures.
        """
        self._model, self.state, self.runtime = model, state, runtime
        self.fingerprint = fingerprint_of(state, preprocessing)

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def parameters(self) -> int:
        """How many numbers the network has that were trained."""
        return sum(int(values.numel()) for values in self._model.parameters())


_Loaded = TypeVar("_Loaded", bound=LoadedEncoder)


def described(name: str, place: Path, weights: str, runtime: Runtime, **settings: Any) -> EncoderState:
    """The state of an encoder from ``place``, whose weights have the digest ``weights``.

    ``settings`` are JSON values: what else was said when it was loaded.
    """
    common = {"place": str(place.resolve()), "weights": weights, "precision": runtime.precision}
    return EncoderState(name, common | settings, {})


def load_again(
    state: EncoderState, encoder: str, load: Callable[..., _Loaded], options: tuple[str, ...] = ()
) -> _Loaded:
    """The encoder that ``state`` describes, loaded from the same place with the same precision and options.

    Args:
        state: what was saved.
        encoder: the name that the state must have.
        load: takes the place, ``runtime`` and the options.
        options: settings that are given to ``load`` by their names.

    Raises:
        ProvenanceError: the state is another encoder's or not whole, or other weights lie in the place now.
        EncoderError: the weights are gone or damaged.
    """
    settings = _whole(state, encoder, (*_NEEDED, *options))
    runtime = Runtime(precision=settings["precision"])
    loaded = load(Path(settings["place"]), runtime=runtime, **{option: settings[option] for option in options})
    if loaded.state.settings["weights"] != settings["weights"]:
        raise ProvenanceError(
            f"the weights of {encoder} in {settings['place']} are not those that the vectors were made with; put the "
            f"earlier ones back, or run `vernissage build` again"
        )
    return loaded


def fingerprint_of(state: EncoderState, preprocessing: Preprocessing | None = None) -> str:
    """16 hexadecimal digits over the name, the preprocessing and all settings but where the files lie."""
    settings = {key: value for key, value in state.settings.items() if key not in _PATHS}
    parts = (state.name, json.dumps(settings, sort_keys=True), repr(preprocessing))
    return digest(*(part.encode() for part in parts))[:16]


def _whole(state: EncoderState, encoder: str, needed: tuple[str, ...]) -> Mapping[str, Any]:
    if state.name != encoder:
        raise ProvenanceError(
            f"expected a model of {encoder}, but this one is of {state.name!r}; name the right folder"
        )
    if lacking := [key for key in needed if key not in state.settings]:
        raise ProvenanceError(
            f"the saved {encoder} model is not whole (no {', '.join(lacking)}); run `vernissage build` again"
        )
    return state.settings
