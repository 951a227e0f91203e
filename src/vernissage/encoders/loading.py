"""Encoders loaded with weights that others trained, computed by torch or from an export; and any encoder, restored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vernissage.encoders.contract import Encoder, EncoderState
from vernissage.encoders.register import card, names
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import EncoderError, ProvenanceError, first_line
from vernissage.progress import Progress, silent
from vernissage.values import Vectors

if TYPE_CHECKING:
    from PIL import Image

TORCH_PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Execution:
    """How an encoder with weights is computed, as far as its vectors depend on it.

    Attributes:
        backend: torch, onnx or openvino.
        precision: float32; bfloat16 by torch and openvino, float16 by torch, int8 by onnx.
        export: for onnx and openvino, the folder that `export_onnx` wrote; empty for torch.
    """

    backend: str = "torch"
    precision: str = "float32"
    export: str = ""


class LateEncoder:
    """An encoder that is restored when it first reads something: who searches by words loads nothing of pictures."""

    def __init__(self, name: str, fingerprint: str, restored: Callable[[], Any]) -> None:
        self.name, self.fingerprint, self.modalities = name, fingerprint, frozenset(card(name).modalities)
        self._restored = restored

    @cached_property
    def _encoder(self) -> Any:
        return self._restored()

    @property
    def dim(self) -> int:
        return int(self._encoder.dim)

    def encode_images(self, images: "Sequence[Image.Image]") -> Vectors:
        """See `ImageEncoder`."""
        found: Vectors = self._encoder.encode_images(images)
        return found

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """See `TextEncoder`."""
        found: Vectors = self._encoder.encode_texts(texts)
        return found


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
    found, how = card(name), runtime or Runtime()
    if found.load is None:
        raise EncoderError(
            f"{name} is fitted on a collection and has no weights to load; choose from {', '.join(names('pretrained'))}"
        )
    if strange := [option for option in options if option not in found.options]:
        taken = ", ".join(found.options) or "no options"
        raise EncoderError(f"{name} takes no {strange[0].replace('_', ' ')}; it takes {taken.replace('_', ' ')}")
    if found.bundled:
        if weights is not None:
            raise EncoderError(
                f"{name} brings its own weights, but {weights} was named; use the encoder sentence for it"
            )
        return found.load(runtime=how)
    from vernissage.encoders.runtime.hub import locate_weights

    place = locate_weights(found.models[0], weights, progress=progress)
    try:
        return found.load(place, runtime=how, **options)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # What libraries make of settings of another type or size than the model's; there is no end to the ways.
        raise EncoderError(
            f"{name} cannot be loaded from {place} ({first_line(error)}); get its settings, tokenizer and weights "
            f"anew, from one and the same model"
        ) from error


def load_executed(
    name: str,
    weights: Path | None,
    runtime: Runtime,
    execution: Execution,
    *,
    progress: Progress = silent,
    **options: Any,
) -> Any:
    """Load an encoder to be computed as ``execution`` says, which `checked_execution` has looked at.

    Raises:
        EncoderError, ProvenanceError: as `load_pretrained` and `load_onnx`.
    """
    if execution.backend == "torch":
        how = replace(runtime, precision=execution.precision)  # type: ignore[arg-type]  # checked before
        return load_pretrained(name, weights, runtime=how, options=options, progress=progress)
    from vernissage.encoders.runtime.onnx import load_onnx

    size, place = runtime.batch_size, Path(execution.export)
    in_torch = load_pretrained(
        name, weights, runtime=Runtime("cpu", batch_size=size), options=options, progress=progress
    )
    checked: Any = {"precision": execution.precision, "backend": execution.backend}
    return load_onnx(in_torch, place, **checked, batch_size=size)


def restore(name: str, state: EncoderState, bases: Sequence[Encoder] = (), *, runtime: Runtime | None = None) -> Any:
    """The encoder of that name that ``state`` describes: as it was fitted, or from where its weights and export were.

    Args:
        name: the encoder's word.
        state: what was saved of it.
        bases: the encoders that it is made on, in the order of its card.
        runtime: how its network is run, but for the precision, which is that of the state.

    Raises:
        ProvenanceError: the state is another encoder's or not whole, or other weights or another export lie there now.
        EncoderError: weights are gone or damaged.
    """
    found = card(name)
    if found.restore is not None:
        return found.restore(state, *bases)
    from vernissage.encoders.runtime.loaded import load_again
    from vernissage.encoders.runtime.onnx import from_state

    how = runtime or Runtime()
    return from_state(state, partial(load_again, card=found, runtime=how), batch_size=how.batch_size)


def checked_execution(name: str, execution: Execution) -> Execution:
    """The execution with the place of its export made absolute, if that encoder can be computed so.

    Raises:
        EncoderError: backend and precision do not go together, an export is missing or not called for, or the encoder
            runs in torch alone.
        ProvenanceError: the export is of another encoder, or damaged.
    """
    from vernissage.encoders.runtime.onnx import PRECISIONS, read_card

    offered = {"torch": TORCH_PRECISIONS, **PRECISIONS}
    if execution.backend not in offered:
        raise EncoderError(f"there is no backend {execution.backend!r}; choose from {', '.join(offered)}")
    if execution.precision not in offered[execution.backend]:
        choices = "; ".join(f"{backend}: {' or '.join(precisions)}" for backend, precisions in offered.items())
        raise EncoderError(f"{execution.backend} does not compute in {execution.precision}; choose from {choices}")
    if execution.backend == "torch":
        if execution.export:
            raise EncoderError(
                f"the export {execution.export} was named for {name}, but torch runs the weights; add --backend onnx"
            )
        return execution
    if not card(name).exports:
        pairs = "; its pairs too are read by torch" if card(name).reads_pairs else ""
        raise EncoderError(
            f"{name} runs in torch alone{pairs}; build it in a call without --backend (other backends take "
            f"{', '.join(names('exports'))})"
        )
    if not execution.export:
        raise EncoderError(
            f"{execution.backend} runs an export, and none is named for {name}; name its folder with "
            f"--onnx {name}=FOLDER, which `encoders export` writes, or build {name} in a call of its own"
        )
    folder = Path(execution.export)
    found = read_card(folder).encoder
    if found != name:
        raise ProvenanceError(f"the export in {folder} is of {found}, not of {name}; name {name}'s with --onnx")
    return replace(execution, export=folder.resolve().as_posix())
