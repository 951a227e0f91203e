"""Encoders as ONNX files: exported, made smaller on request, and measured against what they were made from."""

import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from vernissage.encoders.runtime.devices import import_extra, import_torch
from vernissage.encoders.runtime.onnx import ExportedTower, Fidelity, OnnxCard, Tower, load_onnx, towers_of
from vernissage.errors import EncoderError, Kind, WorkspaceError, first_line
from vernissage.files import seal_of
from vernissage.progress import Progress, silent
from vernissage.values import Modality, Vectors

OPSET = 17
"""The highest that the exporter of torch writes without further packages, but for operators that none here needs."""

CLOSE_ENOUGH = 0.9999
"""The least cosine of an export in float32; one below has traced something that depends on its example."""

SAMPLE_TEXTS = tuple(Path(__file__).with_name("sample_texts.txt").read_text("utf-8").splitlines())
"""Short texts and long ones, to measure an export on where none are given."""


Works = Mapping[Modality, Sequence[Any]]
"""Pictures and texts to measure on."""


def export_onnx(
    encoder: Any,
    out: Path,
    *,
    images: Sequence[Image.Image] = (),
    texts: Sequence[str] = (),
    int8: bool = False,
    progress: Progress = silent,
) -> OnnxCard:
    """Write ``image.onnx`` and ``text.onnx``, as far as the encoder has them, and ``onnx.json`` into a new folder.

    The numbers of pictures and texts and the texts' lengths stay free. Every file is measured against torch before the
    folder appears under its name, wholly or not at all.

    Args:
        encoder: a `LoadedEncoder` that ``exports``, loaded on the CPU in float32.
        out: a new or empty folder.
        images: to measure on; needed where the encoder reads pictures.
        texts: to measure on; needed where the encoder reads texts.
        int8: also write ``image.int8.onnx`` and so on, whose products have weights of 8 bits and take the scale of
            the other factor from the numbers at hand ("dynamic").
        progress: told after every file.

    Raises:
        EncoderError: the encoder cannot be exported so, or what was exported computes something else.
        WorkspaceError: the folder holds something, or cannot be written.
    """
    towers = towers_of(encoder)
    works: Works = {"image": images, "text": texts}
    _require_exportable(encoder, towers, works)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WorkspaceError(
            f"{out} already holds something; name a new or empty folder for the export", kind=Kind.CONFLICT
        )
    with _staging(out) as folder:
        exported = [_exported(folder, encoder, modality, tower, progress) for modality, tower in towers.items()]
        if int8:
            exported += [_quantised(folder, tower, progress) for tower in exported]
        card = OnnxCard(
            encoder=encoder.name,
            fingerprint=encoder.fingerprint,
            weights=encoder.state.settings["weights"],
            dim=encoder.dim,
            opset=OPSET,
            inputs={modality: tower.described() for modality, tower in towers.items()},
            versions={package: version(package) for package in ("torch", "transformers", "onnx", "onnxruntime")},
            towers=tuple(exported),
        )
        card.save(folder)
        card = replace(card, towers=_measured(encoder, folder, card, works))
        card.save(folder)
    return card


def sample_pictures(count: int = 24) -> list[Image.Image]:
    """Simple drawings to measure an export on where no pictures are given: RGB, 256 × 256, the same at every call.

    Gradients of two colours with ellipses and rectangles on them, softened, every third of them with noise.
    """
    pictures = []
    for number in range(count):
        random = np.random.default_rng(number)
        colours = random.integers(0, 256, (12, 3))
        along = np.linspace(0, 1, 256)[:, None, None] * np.ones((1, 256, 1))
        ground = colours[0] + (colours[1] - colours[0]) * (along if number % 2 else along.transpose(1, 0, 2))
        picture = Image.fromarray(ground.astype(np.uint8))
        draw = ImageDraw.Draw(picture)
        for shape in range(2 + number % 9):
            corners = np.sort(random.integers(0, 256, (2, 2)), axis=0).ravel().tolist()
            (draw.ellipse if shape % 2 else draw.rectangle)(corners, fill=tuple(colours[2 + shape].tolist()))
        picture = picture.filter(ImageFilter.GaussianBlur(number % 4))
        if number % 3 == 0:
            noisy = np.asarray(picture) + random.normal(0, 12, (256, 256, 3))
            picture = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
        pictures.append(picture)
    return pictures


def cosines(vectors: Vectors, expected: Vectors) -> Fidelity:
    """Cosines row by row, over the rows that are not zero. Raises EncoderError: there is no such row."""
    wide, true = vectors.astype(np.float64), expected.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1) * np.linalg.norm(true, axis=1)
    if not norms.any():
        raise EncoderError("there is nothing to measure on; give texts that are not blank")
    values = np.sum(wide * true, axis=1)[norms > 0] / norms[norms > 0]
    return Fidelity(float(values.mean()), float(values.min()), len(values))


def _require_exportable(encoder: Any, towers: dict[Modality, Tower], works: Works) -> None:
    precision = encoder.state.settings["precision"]
    if precision != "float32":
        raise EncoderError(f"{encoder.name} is loaded in {precision}; load it in float32 to export it")
    for modality, given in works.items():
        if modality in towers and not given:
            raise EncoderError(f"{encoder.name} reads {modality}s; give some to measure the export on")
    if any(parameter.device.type != "cpu" for parameter in encoder.network.parameters()):
        raise EncoderError(f"{encoder.name} is loaded on another device; load it on the CPU to export it")


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """A folder that takes the place of ``out`` when the block has ended well, and is removed when not."""
    staging: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        yield staging
        staging.chmod(0o755)
        if out.is_dir():
            out.rmdir()
        staging.rename(out)
    except OSError as error:
        raise WorkspaceError(
            f"cannot write the export to {out}: {error.strerror or error}; free space or choose a writable place"
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def _exported(folder: Path, encoder: Any, modality: Modality, tower: Tower, progress: Progress) -> ExportedTower:
    """Trace the tower over two works; axes that vary are named, so that they stay free."""
    progress("Exporting", 0, 1)
    torch, file = import_torch(), folder / f"{modality}.onnx"
    import_extra("onnx")
    before = set(folder.iterdir())
    pictures = [Image.new("RGB", (64, 64), colour) for colour in ("grey", "navy")]
    inputs = tower.prepared(pictures if modality == "image" else encoder.token_ids(SAMPLE_TEXTS[:2]))
    example = tuple(torch.from_numpy(array) for array in inputs.values())
    free = {0: "works"} if tower.has_fixed_length else {0: "works", 1: "tokens"}
    axes = {**dict.fromkeys(inputs, free), "features": {0: "works"}}
    named = {"input_names": list(inputs), "output_names": ["features"], "dynamic_axes": axes}
    try:
        with warnings.catch_warnings(action="ignore"), torch.no_grad():
            torch.onnx.export(tower.module(), example, file, dynamo=False, opset_version=OPSET, **named)
    except (RuntimeError, ValueError, TypeError) as error:
        raise EncoderError(
            f"{encoder.name} cannot be exported to ONNX ({first_line(error)}); run it in torch"
        ) from error
    if set(folder.iterdir()) != before | {file}:
        raise EncoderError(f"{encoder.name} does not fit into ONNX files, which end at 2 GB; run it in torch")
    progress("Exporting", 1, 1)
    return ExportedTower(file.name, modality, "float32", seal_of(file).sha256)


def _quantised(folder: Path, tower: ExportedTower, progress: Progress) -> ExportedTower:
    """The same network with weights of 8 bits in its products of matrices, a scale for each column.

    Raises:
        EncoderError: it has no such products.
    """
    progress("Quantising", 0, 1)
    onnx, quantization = import_extra("onnx"), import_extra("onnxruntime.quantization")
    source, target = folder / tower.file, folder / f"{tower.modality}.int8.onnx"
    if all(node.op_type not in _PRODUCTS for node in onnx.load(source).graph.node):
        raise EncoderError(
            "this network multiplies no matrices (it convolves), where dynamic int8 gains nothing; leave --int8 out"
        )
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)  # it advises a preparation that these networks do not need
    try:
        kind = quantization.QuantType.QInt8
        quantization.quantize_dynamic(
            source, target, op_types_to_quantize=list(_PRODUCTS), per_channel=True, weight_type=kind
        )
    finally:
        logging.root.setLevel(level)
    progress("Quantising", 1, 1)
    return replace(tower, file=target.name, precision="int8", sha256=seal_of(target).sha256)


def _measured(encoder: Any, folder: Path, card: OnnxCard, works: Works) -> tuple[ExportedTower, ...]:
    def encoded(by: Any, modality: Modality) -> Vectors:
        vectors: Vectors = (by.encode_images if modality == "image" else by.encode_texts)(works[modality])
        return vectors

    expected = {modality: encoded(encoder, modality) for modality in encoder.modalities}
    precisions: set[Any] = {tower.precision for tower in card.towers}
    loaded = {precision: load_onnx(encoder, folder, precision) for precision in precisions}
    measured = []
    for tower in card.towers:
        fidelity = cosines(encoded(loaded[tower.precision], tower.modality), expected[tower.modality])
        if tower.precision == "float32" and not fidelity.minimum >= CLOSE_ENOUGH:
            raise EncoderError(
                f"the exported {tower.file} differs from {encoder.name} (cosine {fidelity.minimum:.4f}); nothing was "
                f"written: run this model in torch"
            )
        measured.append(replace(tower, fidelity=fidelity))
    return tuple(measured)


_PRODUCTS = ("MatMul", "Gemm")
