"""What lies in a folder of exported networks: of which encoder, in which precision, how close to the original."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vernissage.errors import ProvenanceError
from vernissage.files import write_json
from vernissage.values import Modality

CARD_FILE = "onnx.json"
EXPORT_KEY = "export"
"""Under this word a saved encoder keeps its export's place, backend, precision and digests."""

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
        raise ProvenanceError(f"there is no folder {folder}; make an export there with `vernissage export-onnx`")
    if not file.is_file():
        raise ProvenanceError(f"{folder} holds no {CARD_FILE}; make an export with `vernissage export-onnx`")
    try:
        content = json.loads(file.read_bytes())
        if content.pop("format") != _FORMAT:
            raise ProvenanceError(f"{file} was written by another version; export again with `vernissage export-onnx`")
        towers = tuple(_tower(entry) for entry in content.pop("towers"))
        return OnnxCard(**content, towers=towers)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProvenanceError(
            f"{file} is no card of an export ({error}); export again with `vernissage export-onnx`"
        ) from error


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
