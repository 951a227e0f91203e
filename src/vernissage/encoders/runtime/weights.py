"""Finding and reading weights: from a folder, a file or a hub at a pinned revision; never by running code from them."""

import hashlib
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.encoders.runtime.devices import import_extra, import_torch
from vernissage.errors import EncoderError

if TYPE_CHECKING:
    import torch

NEEDED = ("*.json", "*.safetensors", "*.txt", "*.model")
"""What is fetched from a hub: never pickles, never code."""


def read_tensors(file: Path) -> "dict[str, torch.Tensor]":
    """The tensors of a weights file: safetensors, or torch's own format with ``weights_only=True``.

    A checkpoint that keeps them under ``model`` or ``state_dict`` is unwrapped.

    Raises:
        EncoderError: the file is missing, a TorchScript archive, a pickle that would run code, or damaged.
    """
    if not file.is_file():
        raise EncoderError(f"there are no weights at {file}; name a file or folder that holds them with --weights")
    _refuse_pointer(file)
    if file.suffix == ".safetensors":
        return _read_safetensors(file)
    if _is_torchscript(file):
        raise EncoderError(
            f"{file} is a TorchScript archive, which holds code beside weights and is not opened; save the model's "
            f"state_dict as safetensors, or name a transformers folder"
        )
    torch = import_torch()
    try:
        with warnings.catch_warnings(action="ignore"):
            content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # over damaged bytes torch stumbles in every way: IndexError, struct.error, KeyError …
        raise EncoderError(_why_not_loaded(file, error)) from error
    return _unwrapped(content, file)


def file_in(place: Path, names: Sequence[str]) -> Path:
    """The first of ``names`` (patterns) in a folder, or the file itself.

    Raises:
        EncoderError: there is none.
    """
    if place.is_file():
        return place
    for name in names:
        for found in sorted(place.glob(name)):
            return found
    raise EncoderError(
        f"{place} holds none of {', '.join(names)}; name the file or folder of the weights with --weights"
    )


def digest_of(place: Path) -> str:
    """SHA-256 over the content of a file, or of a folder's weights and settings files: 64 hexadecimal digits.

    In a folder names count, since they say what each file is; the name of a single file does not.
    """
    if place.is_file():
        return _sha256(place).hex()
    files = sorted(file for pattern in (*NEEDED, "*.pt", "*.pth", "*.bin") for file in place.glob(pattern))
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + _sha256(file))
    return total.hexdigest()


def _sha256(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


def _read_safetensors(file: Path) -> "dict[str, torch.Tensor]":
    safetensors = import_extra("safetensors.torch")
    errors = import_extra("safetensors")
    try:
        tensors: dict[str, torch.Tensor] = safetensors.load_file(file)
    except errors.SafetensorError as error:
        raise EncoderError(f"{file} is no whole safetensors file ({error}); get it anew") from error
    return tensors


def _is_torchscript(file: Path) -> bool:
    try:
        if not zipfile.is_zipfile(file):
            return False
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError, struct.error):  # damaged, which torch.load tells
        return False
    return any("/code/" in name or name.endswith("constants.pkl") for name in names)


def _unwrapped(content: Any, file: Path) -> "dict[str, torch.Tensor]":
    for key in ("model", "state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    torch = import_torch()
    tensors = (
        {key: value for key, value in content.items() if isinstance(value, torch.Tensor)}
        if isinstance(content, Mapping)
        else {}
    )
    if not tensors:
        raise EncoderError(f"{file} holds no tensors by name; name a checkpoint of the model's weights")
    return tensors


def _refuse_pointer(file: Path) -> None:
    with file.open("rb") as opened:
        if opened.read(len(_LFS)) == _LFS:
            raise EncoderError(
                f"{file} is a Git LFS pointer, not the weights themselves; run `git lfs pull` in its folder, or get it "
                f"anew from the hub"
            )


def _why_not_loaded(file: Path, error: Exception) -> str:
    """One line of our own: torch's advises to load the file with its code running."""
    if code := _CODE.search(str(error)):
        return (
            f"{file} is a pickle that asks to run {code[1]} and is not opened; get the weights as safetensors, or as a "
            f"state_dict of tensors alone"
        )
    with file.open("rb") as opened:
        if opened.read(1) == _PICKLE:
            return (
                f"{file} is a pickle that holds more than tensors, or is cut short, and is not opened, since it could "
                f"run code; get the weights as safetensors, or as a state_dict of tensors alone"
            )
    return f"{file} is damaged or no weights file ({type(error).__name__}); get it anew from its authors"


_PICKLE = b"\x80"
"""How a pickle begins, of whatever protocol since the second; so do old checkpoints of torch that have no archive."""
_LFS = b"version https://git-lfs"
_CODE = re.compile(r"GLOBAL ([\w.]{1,100})")
