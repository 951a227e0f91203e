"""Files that are either wholly old or wholly new: written to a temporary name, flushed, renamed."""

import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import numpy.typing as npt

from vernissage.errors import ProvenanceError, WorkspaceError

_T = TypeVar("_T")
TEMPORARY_SUFFIX = ".tmp"


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears under ``path`` only when the block has ended well.

    The bytes go to a temporary file beside it, are flushed to the disk, and then take the place of what was there.
    If the block raises, the old file stays as it was and the temporary one is removed.

    Raises:
        WorkspaceError: the file cannot be written (disk full, folder read-only, path is a folder).
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY_SUFFIX, dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        raise WorkspaceError(
            f"cannot write {path}: {error.strerror or error}; free space or choose a writable place and run the "
            f"same command again; what was there before is unchanged"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, wholly or not at all (see `writing`)."""
    with writing(path) as file:
        file.write(content)


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as JSON with sorted keys, so that equal contents give equal bytes."""
    write_bytes(path, (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write one array in NumPy's format, without pickle."""
    with writing(path) as file:
        np.save(file, array, allow_pickle=False)


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write several arrays in NumPy's zip format, without pickle; equal arrays give equal bytes."""
    with writing(path) as file:
        np.savez(file, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ProvenanceError: the file is missing or is not JSON.
    """
    return _read(path, lambda: json.loads(path.read_bytes()))


def read_array(path: Path, *, memory_map: bool = False) -> npt.NDArray[Any]:
    """Read one array in NumPy's format; never unpickles.

    Raises:
        ProvenanceError: the file is missing, cut short, or holds Python objects.
    """
    return _read(path, lambda: np.load(path, mmap_mode="r" if memory_map else None, allow_pickle=False))


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read what `write_arrays` wrote; never unpickles.

    Raises:
        ProvenanceError: the file is missing, damaged, or holds Python objects.
    """

    def load() -> dict[str, npt.NDArray[Any]]:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    return _read(path, load)


def digest(*parts: bytes) -> str:
    """The SHA-256 of ``parts``, each preceded by its length, as 64 hexadecimal digits."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.hexdigest()


def array_bytes(array: npt.NDArray[Any]) -> bytes:
    """Shape, type and values of an array as bytes, the same on every machine, for `digest`."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    header = json.dumps([little.dtype.str, list(little.shape)]).encode()
    return header + np.ascontiguousarray(little).tobytes()


def _read(path: Path, load: Callable[[], _T]) -> _T:
    try:
        return load()
    except FileNotFoundError:
        raise ProvenanceError(f"{path} is missing; run `vernissage build` again to make it") from None
    except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise ProvenanceError(
            f"{path} is damaged ({error}); delete it and run `vernissage build` again to make it anew"
        ) from error


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
