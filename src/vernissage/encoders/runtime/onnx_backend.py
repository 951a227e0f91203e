"""The same encoders, their networks run by ONNX Runtime or OpenVINO instead of torch: fewer CPU seconds per work."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from vernissage.encoders.contract import Encoder, EncoderState, unit_rows
from vernissage.encoders.runtime.devices import import_extra
from vernissage.encoders.runtime.onnx_card import (
    EXPORT_KEY,
    ExportedTower,
    OnnxCard,
    digest_of_file,
    exported_precision,
    read_card,
)
from vernissage.encoders.runtime.onnx_towers import Exportable, Inputs, PictureInputs, TextInputs, Tower, towers_of
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.runtime.token_batches import TokenIds
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import digest
from vernissage.values import Modality, Vectors

Backend = Literal["onnx", "openvino"]
OnnxPrecision = Literal["float32", "int8", "bfloat16"]

PRECISIONS: dict[str, tuple[str, ...]] = {"onnx": ("float32", "int8"), "openvino": ("float32", "bfloat16")}
"""What each backend computes in."""


@dataclass(frozen=True)
class _Network:
    """A loaded network and how items pass through it.

    Attributes:
        run: from inputs to vectors; may be called by several threads at once.
        inputs: prepares a batch.
        batch_size: items that pass through together.
        workers: batches that pass through side by side.
    """

    run: Callable[[Inputs], Vectors]
    inputs: PictureInputs | TextInputs
    batch_size: int
    workers: int

    def features(self, items: Sequence[Any], width: int) -> Vectors:
        """The vectors of items: float32 (n, width)."""
        size = self.batch_size
        batches = [items[start : start + size] for start in range(0, len(items), size)]
        with ThreadPoolExecutor(self.workers) as pool:
            rows = list(pool.map(lambda batch: self.run(self.inputs(batch)), batches))
        return np.concatenate(rows) if rows else np.zeros((0, width), dtype=np.float32)


class _OnnxEncoder:
    """What pictures and texts have in common."""

    def __init__(
        self, encoder: Encoder, networks: dict[Modality, _Network], state: EncoderState, fingerprint: str
    ) -> None:
        """Gather what `load_onnx` has loaded and checked.

        Args:
            encoder: the encoder in torch, which also reads texts into tokens.
            networks: by modality.
            state: that of the encoder in torch, with the export's place, backend, precision and digests.
            fingerprint: ends in the backend and the precision.
        """
        self._encoder, self._networks = encoder, networks
        self.state, self.fingerprint = state, fingerprint

    @property
    def name(self) -> str:
        return self._encoder.name

    @property
    def dim(self) -> int:
        return self._encoder.dim

    @property
    def modalities(self) -> frozenset[Modality]:
        return self._encoder.modalities


class OnnxImageEncoder(_OnnxEncoder):
    """Pictures by an exported network.

    In float32 a row agrees with torch's to 1e-5; in int8 the scale of every product is taken from the numbers at hand,
    so works pass one at a time, each depending on itself alone.
    """

    @property
    def preprocessing(self) -> Preprocessing:
        """How pictures become the network's input."""
        inputs = self._networks["image"].inputs
        if not isinstance(inputs, PictureInputs):
            raise EncoderError(f"{self.name} prepares no pictures; choose an encoder that reads them")
        return inputs.preprocessing

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Unit vectors of pictures that stand upright: float32 (n, dim)."""
        return unit_rows(self.image_features(images))

    def image_features(self, images: Sequence[Image.Image]) -> Vectors:
        """The network's vectors of pictures before scaling to unit length: float32 (n, dim)."""
        return self._networks["image"].features(images, self.dim)


class OnnxTextEncoder(_OnnxEncoder):
    """Texts by an exported network; see `OnnxImageEncoder` for how close it is."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of texts: float32 (n, dim); zeros for a text of nothing but white space."""
        rows = unit_rows(self.text_features(texts))
        rows[[not text.strip() for text in texts]] = 0
        return rows

    def text_features(self, texts: Sequence[str]) -> Vectors:
        """The network's vectors of texts before scaling to unit length: float32 (n, dim)."""
        ids = self.token_ids(texts)
        order = sorted(range(len(ids)), key=lambda row: len(ids[row]))  # texts of like length need little padding
        rows = self._networks["text"].features([ids[row] for row in order], self.dim)
        placed = np.empty_like(rows)
        placed[order] = rows
        return placed

    def token_ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each text with its marks, cut to the model's length, without padding."""
        ids: list[TokenIds] = self._encoder.token_ids(texts)  # type: ignore[attr-defined]  # all that have text towers
        return ids


class OnnxDualEncoder(OnnxImageEncoder, OnnxTextEncoder):
    """Pictures and texts by two exported networks."""


OnnxEncoder = OnnxImageEncoder | OnnxTextEncoder | OnnxDualEncoder


def load_onnx(
    encoder: Exportable,
    folder: Path,
    precision: OnnxPrecision = "float32",
    *,
    backend: Backend = "onnx",
    batch_size: int = 32,
    threads: int | None = None,
) -> OnnxEncoder:
    """The encoder with its networks taken from an export.

    Args:
        encoder: the encoder in torch, on the CPU in float32, whose weights were exported; it keeps preparing
            pictures and texts.
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
    exported = _towers_in(card, folder, exported_precision(precision), encoder.modalities)
    at_once, workers, inner = batch_size, 1, threads or _cores()
    if precision == "int8":  # the scale is taken from the whole batch: one by one, and side by side instead
        at_once, workers, inner = 1, inner, 1
    networks: dict[Modality, _Network] = {}
    for modality, tower in towers.items():
        file = folder / exported[modality].file
        run = _onnx_runtime(file, inner) if backend == "onnx" else _openvino(file, inner, precision)
        networks[modality] = _Network(run, tower.inputs, at_once, workers)
    digests = {modality: exported[modality].sha256 for modality in sorted(networks)}
    export = {"place": str(folder.resolve()), "backend": backend, "precision": precision, "towers": digests}
    state = EncoderState(encoder.name, {**encoder.state.settings, EXPORT_KEY: export}, encoder.state.arrays)
    parts = [encoder.fingerprint, *digests.values(), backend, precision]
    fingerprint = f"{digest(*(part.encode() for part in parts))[:16]}-{backend}-{precision}"
    family = OnnxDualEncoder if len(networks) > 1 else OnnxImageEncoder if "image" in networks else OnnxTextEncoder
    return family(encoder, networks, state, fingerprint)


def _require_same_network(encoder: Exportable, card: OnnxCard, towers: Mapping[Modality, Tower], folder: Path) -> None:
    """A prompt may differ, since it goes into the text; weights and the preparation of inputs may not."""
    inputs = {modality: tower.inputs.described() for modality, tower in towers.items()}
    if (card.encoder, card.weights, card.inputs) != (encoder.name, encoder.state.settings["weights"], inputs):
        raise ProvenanceError(
            f"the export in {folder} is of {card.encoder} {card.fingerprint}, but {encoder.name} "
            f"{encoder.fingerprint} with other weights or inputs is loaded; load those it was made from, or export "
            f"these with `vernissage export-onnx`"
        )


def _towers_in(
    card: OnnxCard, folder: Path, precision: str, modalities: frozenset[Modality]
) -> dict[Modality, ExportedTower]:
    """The files of one precision, each checked against its digest."""
    found = {tower.modality: tower for tower in card.towers if tower.precision == precision}
    if not found:
        raise EncoderError(f"{folder} holds no {precision} export; make one with `vernissage export-onnx … --int8`")
    if lacking := ", ".join(sorted(modalities - found.keys())):
        raise ProvenanceError(
            f"{folder} has no {lacking} network in {precision}; export again with `vernissage export-onnx`"
        )
    for tower in found.values():
        file = folder / tower.file
        if not file.is_file() or digest_of_file(file) != tower.sha256:
            raise ProvenanceError(
                f"{file} is missing or not the file that its card describes; export again with `vernissage export-onnx`"
            )
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


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
