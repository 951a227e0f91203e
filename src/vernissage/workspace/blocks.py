"""Blocks of texts or pictures become vectors, in this process or in another, with the same bits."""

import hashlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from vernissage.catalog.ahead import picture_batches
from vernissage.catalog.pictures import open_picture
from vernissage.catalog.videos import video_frames
from vernissage.encoders.contract import Encoder, EncoderState, reading
from vernissage.encoders.loading import restore
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import ProvenanceError
from vernissage.files import open_regular
from vernissage.search.vectors import pooled
from vernissage.values import Modality, Vectors


@dataclass(frozen=True)
class Picture:
    """The file of a picture or video, and the SHA-256 of its bytes."""

    path: Path
    sha256: str


Contents = Sequence[str] | Sequence[Picture]
"""What a block is made of: texts, or pictures."""


@dataclass(frozen=True)
class BlockReading:
    """How blocks are read.

    Attributes:
        modality: of their contents.
        whole_batches: whether the encoder is given many pictures at once, or each by itself, side by side.
        side: how large JPEGs are decoded, see `open_picture`.
    """

    modality: Modality
    whole_batches: bool = False
    side: int | None = None

    def vectors(self, encoder: Encoder, threads: int, contents: Contents) -> Vectors:
        """The encoder's vectors of a block, float32 (n, dim); ``threads`` decode, on which no bit depends.

        Raises:
            EncoderError: the encoder does not read the modality.
            CollectionError: a file cannot be read.
        """
        read = reading(encoder, self.modality)
        paths = [each.path for each in contents if isinstance(each, Picture)]
        if not paths:
            return read(list(contents))
        if self.modality == "video":
            return vectors_of_files(encoder, self.modality, paths, self.side)
        opened = partial(open_picture, at_least=self.side)
        with ThreadPoolExecutor(threads) as pool:
            if not self.whole_batches:
                return np.concatenate(list(pool.map(lambda path: read([opened(path)]), paths)))
            # Batches end early where their pixels come to too many, so that large pictures do not fill the memory.
            batches = picture_batches(paths, len(paths), at_least=self.side)
            return np.concatenate([read(list(pool.map(opened, batch))) for batch in batches])


def vectors_of_files(encoder: Encoder, modality: Modality, paths: Sequence[Path], side: int | None) -> Vectors:
    """The vector of each picture or video, float32 (n, dim); a video's is what `pooled` makes of those of its frames.

    Raises:
        EncoderError: the encoder does not read pictures.
        CollectionError: a file cannot be read.
    """
    read = reading(encoder, modality)
    if modality != "video":
        return read([open_picture(path, at_least=side) for path in paths])
    clips = (video_frames(path, at_least=side) for path in paths)
    return np.concatenate([pooled(read(frames), np.zeros(len(frames), np.intp)) for frames in clips])


@dataclass(frozen=True)
class Recipe:
    """All that another process needs to have an encoder with the same bits.

    Attributes:
        name, fingerprint: of the encoder.
        runtime: how its network is run; None for encoders without one.
        threads: of each kind of library, with which sums are in the order that they have here.
        state: what is saved of it; its weights are where they are here.
    """

    name: str
    fingerprint: str
    runtime: Runtime | None
    threads: tuple[tuple[str, int], ...]
    state: EncoderState = field(compare=False)

    @classmethod
    def of(cls, encoder: Any) -> "Recipe":
        """Of an encoder, as this process runs it."""
        return cls(encoder.name, encoder.fingerprint, getattr(encoder, "runtime", None), _threads(), encoder.state)

    @property
    def network_threads(self) -> int | None:
        """How many threads its network is run on; None where it has none, and one thread does its work."""
        return dict(self.threads).get(_TORCH) if self.runtime is not None else None

    def encoder(self) -> Encoder:
        """The encoder.

        Raises:
            ProvenanceError, EncoderError: other weights or another export lie in the place, or none.
        """
        found: Encoder = restore(self.name, self.state, runtime=self.runtime)
        if found.fingerprint != self.fingerprint:
            raise ProvenanceError(f"{self.name} is another encoder here; install the same packages on all machines")
        _limit_threads(dict(self.threads))
        return found


_TORCH = "torch"


def _threads() -> tuple[tuple[str, int], ...]:
    from threadpoolctl import threadpool_info

    found = {each["user_api"]: int(each["num_threads"]) for each in threadpool_info()}
    if "torch" in sys.modules:
        found[_TORCH] = sys.modules["torch"].get_num_threads()
    return tuple(sorted(found.items()))


def _limit_threads(threads: Mapping[str, int]) -> None:
    from threadpoolctl import threadpool_limits

    threadpool_limits({kind: number for kind, number in threads.items() if kind != _TORCH})
    if _TORCH in threads:
        import torch

        torch.set_num_threads(threads[_TORCH])


_kept = lru_cache(maxsize=1)(Recipe.encoder)  # an encoder of texts and pictures is loaded once for both


def encode_block(
    threads: int, recipe: Recipe, how: BlockReading, contents: Contents, files: Sequence[bytes] | None = None
) -> Vectors:
    """The vectors of a block, whose ``files`` may have been sent; the encoder stays loaded for the next one."""
    with tempfile.TemporaryDirectory(prefix="vernissage-") as folder:
        if files is not None:
            sent = [each for each in contents if isinstance(each, Picture)]
            contents = [
                replace(each, path=Path(folder, f"{number}-{each.path.name}")) for number, each in enumerate(sent)
            ]
            for each, content in zip(contents, files, strict=True):
                each.path.write_bytes(content)
        return how.vectors(_kept(recipe), threads, contents)


def sees(contents: Contents) -> bool:
    """Whether the files of a block are here, with the same bytes."""
    return all(_is_here(each) for each in contents if isinstance(each, Picture))


def _is_here(picture: Picture) -> bool:
    try:
        with open_regular(picture.path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == picture.sha256
    except OSError:
        return False
