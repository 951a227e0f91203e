"""How an encoder whose weights lie elsewhere is kept: where they lie and what they were, never the weights."""

import json
from collections.abc import Mapping
from typing import Any

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.pixels import Preprocessing
from vernissage.errors import ProvenanceError
from vernissage.files import digest

NEEDED = ("place", "weights", "precision")


def saved_settings(state: EncoderState, encoder: str, needed: tuple[str, ...] = NEEDED) -> Mapping[str, Any]:
    """The settings of a saved encoder.

    Raises:
        ProvenanceError: it is another encoder's state, or not whole.
    """
    if state.name != encoder:
        raise ProvenanceError(
            f"expected a model of {encoder}, but this one is of {state.name!r}; name the right folder"
        )
    lacking = [key for key in needed if key not in state.settings]
    if lacking:
        raise ProvenanceError(
            f"the saved {encoder} model is not whole (no {', '.join(lacking)}); run `vernissage build` again"
        )
    return state.settings


def require_same_weights(saved: EncoderState, loaded: EncoderState) -> None:
    """Refuse weights other than those of before.

    Raises:
        ProvenanceError: their digests differ.
    """
    if saved.settings["weights"] != loaded.settings["weights"]:
        raise ProvenanceError(
            f"the weights of {saved.name} in {saved.settings['place']} are not those that the vectors were made with; "
            f"put the earlier ones back, or run `vernissage build` again"
        )


def fingerprint_of(state: EncoderState, preprocessing: Preprocessing | None = None) -> str:
    """16 hexadecimal digits over the name, the preprocessing and all settings but the place, which may change."""
    settings = {key: value for key, value in state.settings.items() if key != "place"}
    parts = (state.name, json.dumps(settings, sort_keys=True), repr(preprocessing))
    return digest(*(part.encode() for part in parts))[:16]
