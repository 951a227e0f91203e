"""How an encoder that runs an export is kept: where weights and export lie, and what both were; never the networks."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.runtime.onnx_backend import OnnxEncoder, load_onnx
from vernissage.encoders.runtime.onnx_card import EXPORT_KEY, exported_precision, read_card
from vernissage.encoders.runtime.onnx_towers import Exportable
from vernissage.errors import ProvenanceError

_NEEDED = ("place", "backend", "precision", "towers")


def runs_export(state: EncoderState) -> bool:
    """Whether the state is of an encoder whose networks another backend than torch runs."""
    return EXPORT_KEY in state.settings


def from_state(state: EncoderState, load: Callable[[EncoderState], Exportable]) -> OnnxEncoder:
    """The encoder that ``state`` describes, loaded again from the same places; the export is looked at first.

    Args:
        state: an `OnnxEncoder`'s.
        load: from the state in torch to the encoder in torch; refuses other weights.

    Raises:
        ProvenanceError: the state is not whole, or other weights or another export lie in those places now.
        EncoderError: the weights are gone or damaged, or the backend is not installed.
    """
    export = _export_in(state)
    folder, precision = Path(export["place"]), export["precision"]
    _require_same_export(state.name, folder, exported_precision(precision), export["towers"])
    settings = {key: value for key, value in state.settings.items() if key != EXPORT_KEY}
    encoder = load(EncoderState(state.name, settings, state.arrays))
    return load_onnx(encoder, folder, precision, backend=export["backend"])


def _export_in(state: EncoderState) -> Mapping[str, Any]:
    export = state.settings.get(EXPORT_KEY)
    lacking = [key for key in _NEEDED if not isinstance(export, Mapping) or key not in export]
    if not isinstance(export, Mapping) or lacking:
        raise ProvenanceError(
            f"the saved {state.name} model is not whole (no {', '.join(lacking)}); run `vernissage build` again"
        )
    return export


def _require_same_export(name: str, folder: Path, precision: str, towers: Mapping[str, str]) -> None:
    """Compare digests by the card; that the files are those of the card is checked when they are loaded."""
    if not folder.is_dir():
        raise ProvenanceError(
            f"the export of {name} that the vectors were made with is not at {folder} any more; put it back, or make "
            f"one with `vernissage export-onnx` and run `vernissage build` with it"
        )
    found = {tower.modality: tower.sha256 for tower in read_card(folder).towers if tower.precision == precision}
    if found != towers:
        raise ProvenanceError(
            f"the export of {name} in {folder} is not the one that the vectors were made with; put the earlier one "
            f"back, or run `vernissage build` again"
        )
