"""Files that are either wholly old or wholly new: written to a temporary name, flushed, renamed."""

import csv
import errno
import hashlib
import io
import json
import math
import os
import shutil
import stat
import struct
import sys
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import numpy.typing as npt

from vernissage.errors import ProvenanceError, RequestError, VernissageError, WorkspaceError, first_line
from vernissage.shapes import json_values, misfit

_T = TypeVar("_T")
TEMPORARY_SUFFIX = ".tmp"
NO_ROOM = "no space left on its disk"

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

SMALL = 16 * 2**20
"""Files up to this many bytes are hashed whenever they are opened, which takes some hundredths of a second at most."""


def as_path(given: object, what: str) -> Path:
    """A path that was given as text or as a `Path`. Raises RequestError: it is neither."""
    if not isinstance(given, str | os.PathLike) or not str(given):
        raise RequestError(f"{what} takes a path, as a text or a pathlib.Path, but {given!r} was given")
    return Path(given)


LARGEST = 2**31
"""Bytes of the largest file of a stranger's that is read whole."""


def open_regular(path: Path, largest: int = LARGEST) -> BufferedReader:
    """Open a regular file for reading, never waiting: a pipe or a device is refused before anything is read of it.

    Raises:
        OSError: it cannot be opened, is no regular file, or has more than ``largest`` bytes; ``strerror`` says which.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        told = os.fstat(handle)
        if stat.S_ISDIR(told.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(told.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file but a pipe or a device", str(path))
        if told.st_size > largest:
            raise OSError(errno.EFBIG, f"it has {told.st_size:,} bytes, more than {largest:,}", str(path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: Path, largest: int = LARGEST) -> bytes:
    """The bytes of a file of a stranger's; raises as `open_regular`."""
    with open_regular(path, largest) as file:
        return file.read(largest + 1)


def is_below(root: Path, path: Path) -> bool:
    """Whether a path leads to a place below ``root``, once all links are followed."""
    real = os.path.realpath(root)
    return os.path.realpath(path).startswith(real.rstrip(os.sep) + os.sep)


@dataclass(frozen=True)
class Seal:
    """Size and SHA-256 of a file as it was written."""

    size: int
    sha256: str

    def require(self, path: Path, *, whole: bool = False) -> None:
        """Check the size of the file, and its bytes where it is small or ``whole`` is set.

        Raises:
            ProvenanceError: it is missing or is not what was written.
        """
        found = read_checked(path, lambda: path.stat().st_size)
        if found != self.size:
            raise ProvenanceError(f"{path} is damaged: it has {found:,} bytes, not the {self.size:,} written; {_ANEW}")
        if (whole or found <= SMALL) and seal_of(path) != self:
            raise ProvenanceError(f"{path} is damaged: its bytes are not those that were written; {_ANEW}")


def seal_of(path: Path) -> Seal:
    """Size and SHA-256 of a file."""

    def read() -> Seal:
        with open_regular(path, sys.maxsize) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            return Seal(file.tell(), found)

    return read_checked(path, read)


def is_full(place: Path, error: BaseException | None = None) -> bool:
    """Whether an error is for want of room on the disk of ``place``: libraries seldom say so where they meet it."""
    code = getattr(error, "errno", None)
    if code is not None:
        return code in (errno.ENOSPC, errno.EDQUOT)
    with suppress(OSError):
        return (
            shutil.disk_usage(next(each for each in (place, *place.absolute().parents) if each.is_dir())).free < 2**16
        )
    return False


@contextmanager
def writing(path: Path, *, secret: bool = False, replace: bool = True, flush: bool = True) -> Iterator[IO[bytes]]:
    """Open a file that appears under ``path`` only when the block has ended well.

    The bytes go to a temporary file beside it, are flushed to the disk, and then take the place of what was there.
    If the block raises, the old file stays as it was and the temporary one is removed.

    Args:
        path: where the file appears.
        secret: only its owner may read it, and the folder if that is new.
        replace: False leaves a file that is there, or that somebody else writes first.
        flush: False leaves it to the system when bytes reach the disk, for many files that can be made again.

    Raises:
        WorkspaceError: the file cannot be written (disk full, folder read-only, path is a folder).
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(0o700 if secret else 0o777, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY_SUFFIX, dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if flush:
                os.fsync(file.fileno())
        if not secret:
            temporary.chmod(0o666 & ~_umask())
        if replace:
            temporary.replace(path)
        else:
            with suppress(FileExistsError):
                path.hardlink_to(temporary)
        if flush:
            _flush_folder(path.parent)
    except OSError as error:
        reason = NO_ROOM if is_full(path, error) else error.strerror or error
        raise WorkspaceError(
            f"cannot write {path}: {reason}; free space or choose a writable place and run the "
            f"same command again; what was there before is unchanged"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes, *, secret: bool = False) -> None:
    """Write ``content`` to ``path``, wholly or not at all (see `writing`)."""
    with writing(path, secret=secret) as file:
        file.write(content)


def write_together(files: Mapping[Path, bytes], *, secret: bool = False) -> None:
    """Write several files, all or none: the bytes of all are on the disk before the first takes its place.

    Raises:
        WorkspaceError: as in `writing`.
    """
    with ExitStack() as stack:
        for path, content in files.items():
            file = stack.enter_context(writing(path, secret=secret))
            file.write(content)
            file.flush()  # a full disk shows here, while all files are as they were
            os.fsync(file.fileno())


def csv_bytes(columns: Iterable[str], rows: Iterable[Iterable[Any]], *, reversible: bool = False) -> bytes:
    """A table as CSV in UTF-8: numbers with all their digits, missing ones as NaN, and None as an empty cell.

    Text that a spreadsheet would run as a formula begins with an apostrophe. With ``reversible`` no two texts become
    one: so does text that begins with an apostrophe, and lines end as in RFC 4180.
    """
    marked = (*_FORMULA, "'") if reversible else _FORMULA

    def cell(value: Any) -> Any:
        if isinstance(value, str):
            return f"'{value}" if value.startswith(marked) else value
        return "NaN" if isinstance(value, float) and math.isnan(value) else value

    text = io.StringIO(newline="")
    # With the longer end of line, cells that hold either half of it are set in quotation marks.
    writer = csv.writer(text, lineterminator="\r\n" if reversible else "\n")
    writer.writerow(columns)
    writer.writerows(map(cell, row) for row in rows)
    return text.getvalue().encode()


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as JSON with sorted keys, so that equal contents give equal bytes."""
    write_bytes(path, (json_text(content, sort_keys=True) + "\n").encode())


def json_text(content: Any, *, sort_keys: bool = False) -> str:
    """JSON as its standard has it: NaN and infinities, which are no numbers there, are null, and there is no -0.0."""
    return json.dumps(_standard(content), indent=2, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False)


def _standard(value: Any) -> Any:
    if isinstance(value, float):
        return value + 0.0 if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _standard(each) for key, each in value.items()}
    return [_standard(each) for each in value] if isinstance(value, list | tuple) else value


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write one array in NumPy's format, without pickle."""
    with writing(path) as file:
        np.save(file, array, allow_pickle=False)


def write_rows(path: Path, blocks: Iterable[npt.NDArray[np.float32]], shape: tuple[int, int]) -> str:
    """Write blocks of rows as one float32 array of that shape, with one block in memory; returns `array_digest`.

    Raises:
        ValueError: the blocks do not come to that shape; nothing was written.
    """
    total = hashlib.sha256(_array_start(np.dtype("<f4"), shape))
    with writing(path) as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        left = shape[0] * shape[1] * 4
        for block in blocks:
            rows = np.ascontiguousarray(block, dtype="<f4").data.cast("B") if block.size else b""
            left -= len(rows)
            total.update(rows)
            file.write(rows)
        if left:
            raise ValueError(f"the blocks differ by {left} bytes from an array of shape {shape}")
    return total.hexdigest()


@contextmanager
def writing_rows(path: Path, shape: tuple[int, int]) -> Iterator[npt.NDArray[np.float32]]:
    """A float32 array of that shape, mapped to a file that appears when the block has ended well, see `writing`.

    Rows may come in any order. All of its room is taken first: a mapped file on a full disk would kill the process.
    """
    with writing(path) as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        start, size = file.tell(), shape[0] * shape[1] * 4
        file.flush()
        if hasattr(os, "posix_fallocate") and size:
            os.posix_fallocate(file.fileno(), start, size)
        file.truncate(start + size)
        rows = np.memmap(file, "<f4", "r+", start, shape) if size else np.empty(shape, np.float32)
        yield rows
        if isinstance(rows, np.memmap):
            rows.flush()


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write several arrays in NumPy's zip format, without pickle; equal arrays give equal bytes."""
    with writing(path) as file:
        np.savez(file, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises ProvenanceError: the file is missing or is not JSON."""
    return read_checked(path, lambda: json_values(read_regular(path)))


def read_text(path: Path, what: str, advice: str, error: type[VernissageError] = RequestError) -> str:
    """A text in UTF-8 that a person wrote, without the mark that some editors put first.

    Raises:
        error: it cannot be read; the message calls it ``what`` and ends with ``advice``.
    """
    try:
        return read_regular(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8"
        raise error(f"{what} {path} cannot be read: {reason}; {advice}") from fault


def read_word_lists(path: Path) -> dict[str, tuple[str, ...]]:
    """The words of each section of a file beside the code: ``[section]`` and lines of words; ``#`` begins a remark."""
    sections: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            words = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            words += line.split()
    return {name: tuple(words) for name, words in sections.items()}


def parse_json(text: str, path: Path, error: type[VernissageError] = RequestError) -> Any:
    """The values of a JSON text that a person wrote into ``path``; ``error`` where it is none."""
    try:
        return json_values(text)
    except ValueError as fault:
        line = f"line {fault.lineno}: {fault.msg}" if isinstance(fault, json.JSONDecodeError) else str(fault)
        raise error(f"{path} is no JSON ({line}); correct that") from fault


def read_card(path: Path, keys: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Read a JSON object with exactly those keys, each of the type that it is given here (see `misfit`).

    Raises:
        ProvenanceError: the file is missing, damaged, or no card of ``what``.
    """
    content = read_json(path)
    if not isinstance(content, dict) or content.keys() != keys.keys():
        raise ProvenanceError(f"{path} is no card of {what} of this version; {_ANEW}")
    if wrong := next(filter(None, (misfit(content[key], kind, key) for key, kind in keys.items())), ""):
        raise ProvenanceError(f"{path} is damaged ({wrong}); {_ANEW}")
    return content


def read_array(path: Path, *, memory_map: bool = False) -> npt.NDArray[Any]:
    """Read one array in NumPy's format; never unpickles.

    Raises:
        ProvenanceError: the file is missing, cut short, or holds Python objects.
    """
    return read_checked(path, lambda: np.load(path, mmap_mode="r" if memory_map else None, allow_pickle=False))


def read_arrays(path: Path, *, memory_map: Collection[str] = ()) -> dict[str, npt.NDArray[Any]]:
    """Read what `write_arrays` wrote; never unpickles. Arrays named in ``memory_map`` stay in the file.

    Raises:
        ProvenanceError: the file is missing, damaged, or holds Python objects.
    """

    def load() -> dict[str, npt.NDArray[Any]]:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            _require_unpacked(archive.zip.infolist(), path.stat().st_size)
            if memory_map and path.stat().st_size <= SMALL and (changed := archive.zip.testzip()):
                raise ValueError(f"the bytes of {changed} have changed")  # mapped ones are compared nowhere else
            return {name: _mapped(path, name) if name in memory_map else archive[name] for name in archive.files}

    return read_checked(path, load)


def _require_unpacked(members: Iterable[zipfile.ZipInfo], size: int) -> None:
    """Refuse arrays that are packed, as ours never are, or come to more than the file: both could fill the memory."""
    members = list(members)
    if any(each.compress_type != zipfile.ZIP_STORED for each in members) or sum(m.file_size for m in members) > size:
        raise ValueError("its arrays are packed, or larger than the file")


def write_parquet(path: Path, schema: Any, batches: Iterable[Any], *, unlike: Collection[str] = ()) -> None:
    """Write Arrow record batches as Parquet, each as one row group with checksums; equal batches give equal bytes.

    Columns ``unlike`` are said to hold no value twice, and have no dictionary.
    """
    import pyarrow.parquet as pq

    # All options are written out, so that a change of pyarrow's defaults changes no bytes.
    options = {"version": "2.6", "data_page_version": "1.0", "compression": "zstd", "compression_level": 3}
    listed: Any = [name for name in schema.names if name not in unlike] if unlike else True
    options |= {"use_dictionary": listed, "write_statistics": False, "store_schema": True, "write_page_checksum": True}
    with writing(path) as file, pq.ParquetWriter(file, schema, **options) as writer:
        for batch in batches:
            writer.write_batch(batch)


def open_parquet(path: Path) -> Any:
    """A `pyarrow.parquet.ParquetFile` that checks every page when it is read, and stays open.

    It is not mapped: its pages would count as this process's memory for as long as it is open.

    Raises:
        ProvenanceError: the file is missing, or its beginning or end is damaged.
    """
    import pyarrow.parquet as pq

    return read_checked(path, lambda: pq.ParquetFile(path, memory_map=False, page_checksum_verification=True))


def read_column(file: Any, name: str) -> Any:
    """One whole column of an open Parquet file as one Arrow array."""
    column = file.read(columns=[name], use_threads=False).column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()  # which would copy one as well


def _mapped(path: Path, name: str) -> npt.NDArray[Any]:
    """One array of a zip file, mapped from where it lies; np.load maps files of one array only."""
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo(f"{name}.npy")
    with path.open("rb") as file:
        file.seek(member.header_offset + 26)  # where the local header says how long the name and extra field are
        file.seek(sum(struct.unpack("<HH", file.read(4))), os.SEEK_CUR)
        if member.compress_type != zipfile.ZIP_STORED or np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{name} is not stored as a plain array")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        return np.memmap(path, dtype, "r", file.tell(), shape)


def text_array(texts: Iterable[str]) -> Any:
    """An Arrow array of texts; ``pyarrow.array`` would import pandas, to ask whether they are one of its columns."""
    from pyarrow import lib

    builder = lib.StringBuilder()
    builder.append_values(texts)
    return builder.finish()


def int32_array(numbers: Iterable[int | None]) -> Any:
    """An Arrow array of int32, null where there is None; without pandas too."""
    import pyarrow as pa

    listed = list(numbers)
    there = np.packbits(np.array([number is not None for number in listed], dtype=bool), bitorder="little")
    values = np.array([number or 0 for number in listed], dtype=np.int32)
    return pa.Array.from_buffers(pa.int32(), len(listed), [pa.py_buffer(there), pa.py_buffer(values)])


def int32_values(array: Any) -> npt.NDArray[np.int32]:
    """The values of an Arrow array of int32 without nulls, not copied; Arrow's own way would import pandas."""
    return np.frombuffer(array.buffers()[1], np.int32, len(array), 4 * array.offset) if len(array) else _NO_VALUES


_NO_VALUES = np.empty(0, dtype=np.int32)


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
    return _array_header(little.dtype, array.shape) + np.ascontiguousarray(little).tobytes()


def array_digest(array: npt.NDArray[Any]) -> str:
    """``digest(array_bytes(array))`` without a copy of a large array, which may be mapped from its file."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    total = hashlib.sha256(_array_start(little.dtype, array.shape))
    for start in range(0, len(little), _ROWS_AT_ONCE):
        total.update(np.ascontiguousarray(little[start : start + _ROWS_AT_ONCE]).tobytes())
    return total.hexdigest()


_ROWS_AT_ONCE = 4096


def _array_header(kind: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    return json.dumps([kind.str, list(shape)]).encode()


def _array_start(kind: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """What `digest` hashes of an array before its values: the length of all, and the header."""
    header = _array_header(kind, shape)
    return (len(header) + math.prod(shape) * kind.itemsize).to_bytes(8, "little") + header


def read_checked(path: Path, load: Callable[[], _T]) -> _T:
    """What ``load`` reads of the file at ``path``.

    Raises:
        ProvenanceError: the file is missing, or the library that reads it finds it damaged.
    """
    try:
        open_regular(path, sys.maxsize).close()  # libraries would wait for a pipe without end
        return load()
    except FileNotFoundError:
        raise ProvenanceError(f"{path} is missing; run `vernissage build` again to make it") from None
    except OSError as error:
        # Of a library that found it damaged, or looked before its beginning; errors of opening it name the file.
        if error.errno is None or (error.errno == errno.EINVAL and error.filename is None):
            raise _damaged(path, error) from error
        reason = NO_ROOM if is_full(path, error) else error.strerror
        raise WorkspaceError(f"{path} cannot be read: {reason}; mend that and try again") from error
    except (
        ValueError, EOFError, AttributeError, KeyError, TypeError, RuntimeError, struct.error,
        zipfile.BadZipFile, zlib.error, tokenize.TokenError,
    ) as error:  # fmt: skip
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ProvenanceError:
    return ProvenanceError(f"{path} is damaged ({first_line(error)}); {_ANEW}")


_ANEW = "delete it and run `vernissage build` again to make it anew"


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
