"""Encoders whose networks ONNX Runtime or OpenVINO runs instead of torch, from files that `export_onnx` wrote.

The encoder in torch keeps preparing pictures and texts. What is saved of such an encoder is where weights and export
lie and what both were, never the networks.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.contract import EncoderState, unit_rows
from vernissage.encoders.runtime.devices import import_extra, import_torch
from vernissage.encoders.runtime.loaded import TokenIds, padded_ids
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import digest, write_json
from vernissage.values import MODALITIES, Modality, Vectors

if TYPE_CHECKING:
    import torch

Backend = Literal["onnx", "openvino"]
OnnxPrecision = Literal["float32", "int8", "bfloat16"]

PRECISIONS: dict[str, tuple[str, ...]] = {"onnx": ("float32", "int8"), "openvino": ("float32", "bfloat16")}
"""What each backend computes in."""

CARD_FILE = "onnx.json"

Inputs = Mapping[str, npt.NDArray[Any]]
"""A network's inputs by name; the first axis of each is the batch."""

_EXPORT = "export"
"""Under this word a saved encoder keeps its export's place, backend, precision and digests."""

_AGAIN = "export it again with `vernissage encoders export`"
_NEEDED = ("place", "backend", "precision", "towers")
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
    """The card of an export.

    Raises:
        ProvenanceError: there is none, it is damaged, or of a later version.
    """
    file = folder / CARD_FILE
    if not folder.is_dir():
        raise ProvenanceError(f"there is no folder {folder}; make an export there with `vernissage encoders export`")
    if not file.is_file():
        raise ProvenanceError(f"{folder} holds no {CARD_FILE}; {_AGAIN}")
    try:
        content = json.loads(file.read_bytes())
        if content.pop("format") != _FORMAT:
            raise ProvenanceError(f"{file} was written by another version; {_AGAIN}")
        towers = tuple(_tower(entry) for entry in content.pop("towers"))
        return OnnxCard(**content, towers=towers)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProvenanceError(f"{file} is no card of an export ({error}); {_AGAIN}") from error


def exported_precision(precision: str) -> str:
    """The precision of the files that a backend reads to compute in ``precision``: bfloat16 is made of float32."""
    return "int8" if precision == "int8" else "float32"


def digest_of_file(file: Path) -> str:
    """SHA-256 of a file: 64 hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _tower(entry: dict[str, Any]) -> ExportedTower:
    fidelity = entry.pop("fidelity")
    return ExportedTower(**entry, fidelity=Fidelity(**fidelity) if fidelity else None)


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
        tower = import_torch().nn.Module()
        tower.network = self.encoder.network
        forward = self.encoder.vectors_of_pixels if self.modality == "image" else self.encoder.vectors_of_tokens
        tower.forward = forward
        module: torch.nn.Module = tower.eval()
        return module


def towers_of(encoder: Any) -> dict[Modality, Tower]:
    """The towers of a loaded encoder, pictures first.

    Raises:
        EncoderError: its network runs in torch alone, or it has none.
    """
    if not getattr(encoder, "exports", False):
        raise EncoderError(f"{encoder.name} runs in torch alone; choose an encoder that other backends run, as clip")
    return {modality: Tower(encoder, modality) for modality in MODALITIES if modality in encoder.modalities}


@dataclass(frozen=True)
class _Network:
    """A loaded network and how items pass through it.

    Attributes:
        run: from inputs to vectors; may be called by several threads at once.
        tower: prepares a batch.
        batch_size: items that pass through together.
        workers: batches that pass through side by side.
    """

    run: Callable[[Inputs], Vectors]
    tower: Tower
    batch_size: int
    workers: int

    def features(self, items: Sequence[Any], width: int) -> Vectors:
        """The vectors of items: float32 (n, width)."""
        size = self.batch_size
        batches = [items[start : start + size] for start in range(0, len(items), size)]
        with ThreadPoolExecutor(self.workers) as pool:
            rows = list(pool.map(lambda batch: self.run(self.tower.prepared(batch)), batches))
        return np.concatenate(rows) if rows else np.zeros((0, width), dtype=np.float32)


class _OnnxEncoder:
    """What pictures and texts have in common."""

    def __init__(self, encoder: Any, networks: dict[Modality, _Network], state: EncoderState, fingerprint: str) -> None:
        """Gather what `load_onnx` has loaded and checked.

        Args:
            encoder: the encoder in torch, which also reads texts into tokens.
            networks: by modality.
            state: that of the encoder in torch, with the export's place, backend, precision and digests.
            fingerprint: ends in the backend and the precision.
        """
        self._encoder, self._networks = encoder, networks
        self.state, self.fingerprint = state, fingerprint
        self.name: str = encoder.name
        self.dim: int = encoder.dim
        self.modalities: frozenset[Modality] = encoder.modalities


class OnnxImageEncoder(_OnnxEncoder):
    """Pictures by an exported network.

    In float32 a row agrees with torch's to 1e-5; in int8 the scale of every product is taken from the numbers at hand,
    so works pass one at a time, each depending on itself alone.
    """

    @property
    def preprocessing(self) -> Preprocessing:
        """How pictures become the network's input."""
        preprocessing: Preprocessing = self._encoder.preprocessing
        return preprocessing

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
        ids: list[TokenIds] = self._encoder.token_ids(texts)
        return ids


class OnnxDualEncoder(OnnxImageEncoder, OnnxTextEncoder):
    """Pictures and texts by two exported networks."""


OnnxEncoder = OnnxImageEncoder | OnnxTextEncoder | OnnxDualEncoder


def load_onnx(
    encoder: Any,
    folder: Path,
    precision: OnnxPrecision = "float32",
    *,
    backend: Backend = "onnx",
    batch_size: int = 32,
    threads: int | None = None,
) -> OnnxEncoder:
    """The encoder with its networks taken from an export.

    Args:
        encoder: a `LoadedEncoder` in torch, on the CPU in float32, whose weights were exported; it keeps preparing
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
        networks[modality] = _Network(run, tower, at_once, workers)
    digests = {modality: exported[modality].sha256 for modality in sorted(networks)}
    export = {"place": str(folder.resolve()), "backend": backend, "precision": precision, "towers": digests}
    state = EncoderState(encoder.name, {**encoder.state.settings, _EXPORT: export}, encoder.state.arrays)
    parts = [encoder.fingerprint, *digests.values(), backend, precision]
    fingerprint = f"{digest(*(part.encode() for part in parts))[:16]}-{backend}-{precision}"
    family = OnnxDualEncoder if len(networks) > 1 else OnnxImageEncoder if "image" in networks else OnnxTextEncoder
    return family(encoder, networks, state, fingerprint)


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
        if not file.is_file() or digest_of_file(file) != tower.sha256:
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


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def runs_export(state: EncoderState) -> bool:
    """Whether the state is of an encoder whose networks another backend than torch runs."""
    return _EXPORT in state.settings


def from_state(state: EncoderState, load: Callable[[EncoderState], Any]) -> OnnxEncoder:
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
    settings = {key: value for key, value in state.settings.items() if key != _EXPORT}
    encoder = load(EncoderState(state.name, settings, state.arrays))
    return load_onnx(encoder, folder, precision, backend=export["backend"])


def _export_in(state: EncoderState) -> Mapping[str, Any]:
    export = state.settings.get(_EXPORT)
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
            f"one with `vernissage encoders export` and run `vernissage build` with it"
        )
    found = {tower.modality: tower.sha256 for tower in read_card(folder).towers if tower.precision == precision}
    if found != towers:
        raise ProvenanceError(
            f"the export of {name} in {folder} is not the one that the vectors were made with; put the earlier one "
            f"back, or run `vernissage build` again"
        )
