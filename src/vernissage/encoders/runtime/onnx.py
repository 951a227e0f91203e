"""Encoders whose networks ONNX Runtime or OpenVINO runs instead of torch, from files that `export_onnx` wrote.

The encoder in torch keeps preparing pictures and texts. What is saved of such an encoder is where weights and export
lie and what both were, never the networks.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import EncoderState, require_keys
from vernissage.encoders.runtime.devices import import_extra, import_torch
from vernissage.encoders.runtime.loaded import padded_ids
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import digest, read_regular, seal_of, write_json
from vernissage.shapes import json_values, misfit
from vernissage.values import ENCODED, Modality, Vectors

if TYPE_CHECKING:
    import torch

Backend = Literal["onnx", "openvino"]
OnnxPrecision = Literal["float32", "int8", "bfloat16"]

PRECISIONS: dict[str, tuple[str, ...]] = {"onnx": ("float32", "int8"), "openvino": ("float32", "bfloat16")}
"""What each backend computes in."""

_EXPORTED = {"float32": "float32", "bfloat16": "float32", "int8": "int8"}
"""The precision of the files that a backend reads to compute in another."""

CARD_FILE = "onnx.json"

Inputs = Mapping[str, npt.NDArray[Any]]
"""A network's inputs by name; the first axis of each is the batch."""

_EXPORT = "export"
"""Under this word a saved encoder keeps its export's place, backend, precision and digests."""

_AGAIN = "export it again with `vernissage encoders export`"
_FORMAT = 1


@dataclass(frozen=True)
class Fidelity:
    """Cosines of a network's vectors to those of torch in float32, over ``count`` pictures or texts."""

    mean: float
    minimum: float
    count: int


@dataclass(frozen=True)
class ExportedTower:
    """One ONNX file.

    Attributes:
        file: its name in the folder.
        modality: what it reads.
        precision: float32 or int8, of the products' weights.
        sha256: of its bytes.
        fidelity: measured on the machine that exported it; None until then.
    """

    file: str
    modality: Modality
    precision: str
    sha256: str
    fidelity: Fidelity | None = None


@dataclass(frozen=True)
class OnnxCard:
    """What an export is.

    Attributes:
        encoder, fingerprint, dim: of the encoder in torch that it was made from.
        weights: digest of the weights; the fingerprint also stands for what does not enter the networks (a prompt).
        opset: version of ONNX's operators.
        inputs: by modality, how pictures become pixels and texts rows of ids.
        versions: of the packages that made it.
        towers: its files.
    """

    encoder: str
    fingerprint: str
    weights: str
    dim: int
    opset: int
    inputs: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, str]
    towers: tuple[ExportedTower, ...]

    def save(self, folder: Path) -> None:
        """Write the card into ``folder``."""
        write_json(folder / CARD_FILE, {"format": _FORMAT, **asdict(self)})


def read_card(folder: Path) -> OnnxCard:
    """The card of an export. Raises ProvenanceError: there is none, it is damaged, or of a later version."""
    file = folder / CARD_FILE
    if not folder.is_dir():
        raise ProvenanceError(f"there is no folder {folder}; make an export there with `vernissage encoders export`")
    if not file.is_file():
        raise ProvenanceError(f"{folder} holds no {CARD_FILE}; {_AGAIN}")
    try:
        content = json_values(read_regular(file))
        if content.pop("format") != _FORMAT:
            raise ProvenanceError(f"{file} was written by another version; {_AGAIN}")
        if wrong := misfit(content, OnnxCard):
            raise ValueError(wrong)
        towers = content.pop("towers")
        for entry in towers:
            entry["fidelity"] = entry["fidelity"] and Fidelity(**entry["fidelity"])
        return OnnxCard(**content, towers=tuple(ExportedTower(**entry) for entry in towers))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProvenanceError(f"{file} is no card of an export ({error}); {_AGAIN}") from error


@dataclass(frozen=True)
class Tower:
    """One modality of an encoder in torch, as another backend runs it."""

    encoder: Any
    modality: Modality

    @property
    def names(self) -> tuple[str, ...]:
        """Of the inputs: ``pixels`` float32 (n, 3, size, size), or ``ids`` and, if it is read, ``mask``, int64."""
        if self.modality == "image":
            return ("pixels",)
        return ("ids", "mask") if self.encoder.reads_mask else ("ids",)

    @property
    def has_fixed_length(self) -> bool:
        """Whether all inputs have one shape but for their number."""
        return self.modality == "image" or self.encoder.length is not None

    def described(self) -> dict[str, Any]:
        """How inputs are prepared, as JSON values."""
        if self.modality == "image":
            settings = asdict(self.encoder.preprocessing)
            return {key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()}
        return {"pad": self.encoder.padding, "length": self.encoder.length, "masked": self.encoder.reads_mask}

    def prepared(self, batch: Sequence[Any]) -> Inputs:
        """The network's inputs for pictures, or for texts as token ids."""
        if self.modality == "image":
            return {"pixels": np.stack([self.encoder.pixels(image) for image in batch])}
        return dict(zip(self.names, padded_ids(batch, self.encoder.padding, self.encoder.length), strict=False))

    def module(self) -> "torch.nn.Module":
        """From inputs in the order of `names` to vectors before scaling, as a module in eval mode.

        The exporter puts a module back into the mode it came in, with all within: one left in training mode would
        switch the encoder's own dropout and normalisation to training.
        """
        tower: torch.nn.Module = import_torch().nn.Module()
        tower.network = self.encoder.network
        tower.forward = self.encoder.vectors_of_pixels if self.modality == "image" else self.encoder.vectors_of_tokens
        return tower.eval()


def towers_of(encoder: Any) -> dict[Modality, Tower]:
    """The towers of a loaded encoder, pictures first.

    Raises:
        EncoderError: its network runs in torch alone, or it has none.
    """
    if not getattr(encoder, "exports", False):
        raise EncoderError(f"{encoder.name} runs in torch alone; choose an encoder that other backends run, as clip")
    return {modality: Tower(encoder, modality) for modality in ENCODED if modality in encoder.modalities}


def _features(
    run: Callable[[Inputs], Vectors], tower: Tower, size: int, workers: int, items: Sequence[Any], width: int
) -> Vectors:
    """The vectors of items, float32 (n, width), of which ``size`` pass at once and ``workers`` batches side by side."""
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    with ThreadPoolExecutor(workers) as pool:
        rows = list(pool.map(lambda batch: run(tower.prepared(batch)), batches))
    return np.concatenate(rows) if rows else np.zeros((0, width), dtype=np.float32)


def load_onnx(
    encoder: Any,
    folder: Path,
    precision: OnnxPrecision = "float32",
    *,
    backend: Backend = "onnx",
    batch_size: int = 32,
    threads: int | None = None,
) -> Any:
    """The encoder with its networks taken from an export.

    In float32 a row agrees with torch's to 1e-5; in int8 the scale of every product is taken from the numbers at hand,
    so works pass one at a time, each depending on itself alone.

    Args:
        encoder: a `LoadedEncoder` in torch, on the CPU in float32, whose weights were exported; a copy of it keeps
            preparing pictures and texts.
        folder: where `export_onnx` wrote.
        precision: float32 or int8 for onnx, float32 or bfloat16 for openvino.
        backend: ONNX Runtime or OpenVINO (extra ``openvino``).
        batch_size: pictures or texts at once, at most; int8 takes them one by one.
        threads: cores to use; None means all.

    Raises:
        ProvenanceError: the export is of other weights or another preprocessing, or damaged.
        EncoderError: the precision is not offered, not exported, or not known to this processor.
    """
    if precision not in PRECISIONS.get(backend, ()):
        offered = "; ".join(f"{name}: {' or '.join(of)}" for name, of in PRECISIONS.items())
        raise EncoderError(f"{backend} does not compute in {precision}; choose from {offered}")
    card = read_card(folder)
    towers = towers_of(encoder)
    _require_same_network(encoder, card, towers, folder)
    exported = _towers_in(card, folder, _EXPORTED[precision], encoder.modalities)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    at_once, workers, inner = batch_size, 1, threads or cores
    if precision == "int8":  # the scale is taken from the whole batch: one by one, and side by side instead
        at_once, workers, inner = 1, inner, 1
    loaded = copy(encoder)
    loaded.exported = {}
    for modality, tower in towers.items():
        file = folder / exported[modality].file
        run = _onnx_runtime(file, inner) if backend == "onnx" else _openvino(file, inner, precision)
        loaded.exported[modality] = partial(_features, run, tower, at_once, workers)
    digests = {modality: exported[modality].sha256 for modality in sorted(towers)}
    export = {"place": str(folder.resolve()), "backend": backend, "precision": precision, "towers": digests}
    loaded.state = replace(encoder.state, settings={**encoder.state.settings, _EXPORT: export})
    parts = [encoder.fingerprint, *digests.values(), backend, precision]
    loaded.fingerprint = f"{digest(*(part.encode() for part in parts))[:16]}-{backend}-{precision}"
    return loaded


def _require_same_network(encoder: Any, card: OnnxCard, towers: Mapping[Modality, Tower], folder: Path) -> None:
    """A prompt may differ, since it goes into the text; weights and the preparation of inputs may not."""
    inputs = {modality: tower.described() for modality, tower in towers.items()}
    if (card.encoder, card.weights, card.inputs) != (encoder.name, encoder.state.settings["weights"], inputs):
        raise ProvenanceError(
            f"the export in {folder} is of {card.encoder} {card.fingerprint}, but {encoder.name} "
            f"{encoder.fingerprint} with other weights or inputs is loaded; load those it was made from, or export "
            f"these with `vernissage encoders export`"
        )


def _towers_in(
    card: OnnxCard, folder: Path, precision: str, modalities: frozenset[Modality]
) -> dict[Modality, ExportedTower]:
    """The files of one precision, each checked against its digest."""
    found = {tower.modality: tower for tower in card.towers if tower.precision == precision}
    if not found:
        raise EncoderError(f"{folder} holds no {precision} export; make one with `vernissage encoders export … --int8`")
    if lacking := ", ".join(sorted(modalities - found.keys())):
        raise ProvenanceError(f"{folder} has no {lacking} network in {precision}; {_AGAIN}")
    for tower in found.values():
        file = folder / tower.file
        if not file.is_file() or seal_of(file).sha256 != tower.sha256:
            raise ProvenanceError(f"{file} is missing or not the file that its card describes; {_AGAIN}")
    return found


def _onnx_runtime(file: Path, threads: int) -> Callable[[Inputs], Vectors]:
    onnxruntime = import_extra("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    # Threads that wait by spinning take CPU time from the decoding of the next pictures.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def run(inputs: Inputs) -> Vectors:
        vectors: Vectors = session.run(None, dict(inputs))[0]
        return vectors

    return run


def _openvino(file: Path, threads: int, precision: str) -> Callable[[Inputs], Vectors]:
    openvino = import_extra("openvino", "openvino")
    core, hint = openvino.Core(), {"float32": "f32", "bfloat16": "bf16"}[precision]
    if precision == "bfloat16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise EncoderError("this processor has no bfloat16; choose the precision float32, or onnx with int8")
    settings = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
    network = core.compile_model(core.read_model(file), "CPU", settings)

    def run(inputs: Inputs) -> Vectors:
        return np.array(network(dict(inputs))[0], dtype=np.float32)

    return run


def from_state(state: EncoderState, load: Callable[[EncoderState], Any], *, batch_size: int = 32) -> Any:
    """The encoder that ``state`` describes, loaded again from the same places; an export is looked at first.

    Args:
        state: of an encoder in torch, or of what `load_onnx` gave.
        load: from the state in torch to the encoder in torch; refuses other weights.
        batch_size: of an export, see `load_onnx`.

    Raises:
        ProvenanceError: the state is not whole, or other weights or another export lie in those places now.
        EncoderError: the weights are gone or damaged, or the backend is not installed.
    """
    if _EXPORT not in state.settings:
        return load(state)
    export = require_keys(state.name, state.settings[_EXPORT], ("place", "backend", "precision", "towers"))
    folder, precision = Path(export["place"]), export["precision"]
    _require_same_export(state.name, folder, _EXPORTED.get(precision, precision), export["towers"])
    settings = {key: value for key, value in state.settings.items() if key != _EXPORT}
    in_torch = load(replace(state, settings=settings))
    return load_onnx(in_torch, folder, precision, backend=export["backend"], batch_size=batch_size)


def _require_same_export(name: str, folder: Path, precision: str, towers: Mapping[str, str]) -> None:
    """Compare digests by the card; that the files are those of the card is checked when they are loaded."""
    if not folder.is_dir():
        raise ProvenanceError(
            f"the export of {name} that the vectors were made with is not at {folder} any more; put it back, or make "
            f"one with `vernissage encoders export` and run `vernissage build` with it"
        )
    found = {tower.modality: tower.sha256 for tower in read_card(folder).towers if tower.precision == precision}
    if found != towers:
        raise ProvenanceError(
            f"the export of {name} in {folder} is not the one that the vectors were made with; put the earlier one "
            f"back, or run `vernissage build` again"
        )
