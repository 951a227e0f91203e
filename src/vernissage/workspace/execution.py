"""How an encoder with weights is computed: by torch, or from an export by another backend."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.workspace.pretrained import PRETRAINED, load_pretrained
from vernissage.workspace.recipes import Fitting, Recipe

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


def checked_execution(name: str, execution: Execution) -> Execution:
    """The execution with the place of its export made absolute, if that encoder can be computed so.

    Raises:
        EncoderError: backend and precision do not go together, an export is missing or not called for, or the encoder
            runs in torch alone.
        ProvenanceError: the export is of another encoder, or damaged.
    """
    _require_offered(execution)
    if execution.backend == "torch":
        if execution.export:
            raise EncoderError(
                f"the export {execution.export} was named for {name}, but torch runs the weights; add --backend onnx"
            )
        return execution
    if not PRETRAINED[name].exports:
        able = ", ".join(word for word, family in PRETRAINED.items() if family.exports)
        pairs = "; its pairs too are read by torch" if PRETRAINED[name].pairs else ""
        raise EncoderError(
            f"{name} runs in torch alone{pairs}; build it in a call without --backend (other backends take {able})"
        )
    if not execution.export:
        raise EncoderError(
            f"{execution.backend} runs an export, and none is named for {name}; name its folder with "
            f"--onnx {name}=FOLDER, which export-onnx writes, or build {name} in a call of its own"
        )
    return replace(execution, export=_checked_export(name, Path(execution.export)))


def pretrained_recipe(name: str, place: str, runtime: Runtime, execution: Execution) -> Recipe:
    """How a workspace makes an encoder with weights: it is loaded, not fitted."""
    family = PRETRAINED[name]

    def load(fitting: Fitting) -> Any:
        weights, told = Path(place) if place else None, fitting.progress
        if execution.backend == "torch":
            how = replace(runtime, precision=execution.precision)  # type: ignore[arg-type]  # checked, as below
            return load_pretrained(name, weights, runtime=how, progress=told)
        from vernissage.encoders.runtime.onnx_backend import load_onnx

        size = runtime.batch_size
        encoder = load_pretrained(name, weights, runtime=Runtime("cpu", batch_size=size), progress=told)
        return load_onnx(
            encoder,
            Path(execution.export),
            execution.precision,  # type: ignore[arg-type]  # checked by `checked_execution`
            backend=execution.backend,  # type: ignore[arg-type]
            batch_size=size,
        )

    return Recipe(name, family.modalities, load, lambda state, _: family.restore(state), pretrained=True)


def _require_offered(execution: Execution) -> None:
    from vernissage.encoders.runtime.onnx_backend import PRECISIONS

    offered = {"torch": TORCH_PRECISIONS, **PRECISIONS}
    if execution.backend not in offered:
        raise EncoderError(f"there is no backend {execution.backend!r}; choose from {', '.join(offered)}")
    if execution.precision not in offered[execution.backend]:
        choices = "; ".join(f"{backend}: {' or '.join(precisions)}" for backend, precisions in offered.items())
        raise EncoderError(f"{execution.backend} does not compute in {execution.precision}; choose from {choices}")


def _checked_export(name: str, folder: Path) -> str:
    from vernissage.encoders.runtime.onnx_card import read_card

    found = read_card(folder).encoder
    if found != name:
        raise ProvenanceError(f"the export in {folder} is of {found}, not of {name}; name {name}'s with --onnx")
    return folder.resolve().as_posix()
