"""Weights of taggers: a whole folder of safetensors of the right model, or a line that says what is wrong."""

from collections.abc import Sequence
from pathlib import Path

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.runtime.transformers_folder import read_config
from vernissage.errors import EncoderError


def check_folder(place: Path, model_type: str, architectures: Sequence[str], example: str) -> None:
    """Refuse a folder that holds another model, or weights that are no safetensors.

    Args:
        place: what the user or the hub named.
        model_type: what config.json must say.
        architectures: classes that config.json may name, where it names any.
        example: a model that would do.

    Raises:
        EncoderError: see above; also when there is no folder, or config.json is missing or damaged.
    """
    config = read_config(place)
    named = config.get("architectures") or [architectures[0]]
    if config.get("model_type") != model_type or not set(named) & set(architectures):
        raise EncoderError(
            f"{place} holds a model of the type {config.get('model_type')!r} ({', '.join(map(str, named))}), not "
            f"{architectures[0]}; get {example}"
        )
    if not any(place.glob("*.safetensors")):
        raise EncoderError(
            f"{place} holds no model.safetensors, and pickles are not opened; get the weights of {example} as "
            f"safetensors"
        )


def weights_of(state: EncoderState) -> str:
    """Which weights they are, for people: the beginning of their digest."""
    return f"weights {state.settings['weights'][:12]}"
