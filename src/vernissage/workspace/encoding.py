"""Works become vectors, block by block, so that an interrupted encoding goes on where it stopped."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.encoders.contract import Encoder, ImageEncoder, TextEncoder
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import digest, read_array, write_array
from vernissage.progress import Progress
from vernissage.search.vectors import VectorCard, VectorTable, write_table
from vernissage.values import Modality, Vectors
from vernissage.workspace.material import content_of, decoded_side, picture_opener

_BLOCK = 64
_AT_ONCE = 4
_ROWS_WRITTEN_AT_ONCE = 4096
_BLOCKS_KEPT = 8
TEXT_BLOCK = 1024
"""Texts that an encoder is given at once, so that those of like length go through a network together."""


def encode_collection(
    encoder: Encoder,
    modality: Modality,
    collection: Collection,
    *,
    stem: Path | None = None,
    before: VectorTable | None,
    staging: Path,
    whole_batches: bool = False,
    draft: bool = True,
    progress: Progress,
) -> VectorTable:
    """Write the vectors of all works that have the modality to ``stem``, and open them; memory holds a few blocks.

    Contents that ``before`` already holds from the same encoder are not encoded again, nor are equal contents twice.
    Each finished block is kept below ``staging``, under a name that stands for its encoder and contents, until the
    caller removes it, and so is the table without ``stem``. Works in which the encoder finds nothing (a row of zeros)
    are left out of the table. Without ``draft``, large JPEGs are decoded whole.
    """
    found = ((row, content_of(item, modality, draft=draft)) for row, item in enumerate(collection))
    content_by_row = {row: content for row, content in found if content}
    same = before is not None and before.card.fingerprint == encoder.fingerprint
    known = {content: row for row, content in enumerate(before.card.contents)} if before is not None and same else {}
    missing: dict[str, int] = {}
    for row, content in content_by_row.items():
        if content not in known:
            missing.setdefault(content, row)
    encoding = _Encoding(encoder, modality, collection, whole_batches, decoded_side(encoder) if draft else None)
    folder = _staged(staging, encoder, modality, missing)
    told, size = encoding.stage(list(missing.values()), folder, progress)
    place_of = {content: place for place, content in enumerate(missing)}
    kept = [row for row, content in content_by_row.items() if content in known or told[place_of[content]]]
    block = lru_cache(_BLOCKS_KEPT)(lambda number: read_array(_block_file(folder, number * size)))

    def vector(content: str) -> Vectors:
        if before is not None and content in known:
            old: Vectors = before.vectors[known[content]]
            return old
        number, place = divmod(place_of[content], size)
        new: Vectors = block(number)[place]
        return new

    contents = [content_by_row[row] for row in kept]
    starts = range(0, len(kept), _ROWS_WRITTEN_AT_ONCE)
    parts = (contents[start : start + _ROWS_WRITTEN_AT_ONCE] for start in starts)
    blocks = (np.array([vector(content) for content in part], dtype=np.float32) for part in parts)
    whole = len(kept) == len(collection)
    ids = collection.ids if whole else [collection.ids[row] for row in kept]
    card = VectorCard(encoder.name, encoder.fingerprint, modality, collection.fingerprint, ids, contents, values="")
    stem = stem or folder / "table"
    write_table(stem, blocks, encoder.dim, card)
    return VectorTable.load(stem, collection.ids)


def _staged(staging: Path, encoder: Encoder, modality: Modality, contents: Sequence[str] | dict[str, int]) -> Path:
    parts = (content.encode() for content in contents)
    return staging / f"{encoder.name}.{modality}-{digest(encoder.fingerprint.encode(), *parts)[:16]}"


def _block_file(folder: Path, start: int) -> Path:
    return folder / f"{start:09d}.npy"


class _Encoding:
    """One encoder and modality at work on a collection."""

    def __init__(
        self, encoder: Encoder, modality: Modality, collection: Collection, whole_batches: bool, side: int | None
    ) -> None:
        self._encoder = encoder
        self._modality = modality
        self._collection = collection
        self._whole_batches = whole_batches
        self._side = side

    def stage(self, rows: Sequence[int], folder: Path, progress: Progress) -> tuple[list[bool], int]:
        """Encode works by their rows into files of blocks; in which of them anything was found, and a block's size."""
        size = _BLOCK if self._modality == "image" else TEXT_BLOCK
        step = f"Encoding {'pictures' if self._modality == 'image' else 'texts'} with {self._encoder.name}"
        told: list[bool] = []
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            for start in range(0, len(rows), size):
                progress(step, start, len(rows))
                works = self._collection.take(rows[start : start + size])
                block = _block(_block_file(folder, start), len(works), self._encoded(works, pool))
                told += [bool(row.any()) for row in block]
        progress(step, len(rows), len(rows))
        return told, size

    def _encoded(self, works: Sequence[Item], pool: ThreadPoolExecutor) -> Callable[[], Vectors]:
        encoder = self._encoder
        if self._modality == "text":
            if not isinstance(encoder, TextEncoder):
                raise EncoderError(f"{encoder.name} does not read texts; choose an encoder that does")
            return lambda: encoder.encode_texts([item.text for item in works])
        if not isinstance(encoder, ImageEncoder):
            raise EncoderError(f"{encoder.name} does not read pictures; choose an encoder that does")

        openers = [picture_opener(self._collection, item, self._side) for item in works]
        if self._whole_batches:
            return lambda: encoder.encode_images(list(pool.map(lambda opener: opener(), openers)))

        def some(start: int) -> Vectors:
            return encoder.encode_images([opener() for opener in openers[start : start + _AT_ONCE]])

        return lambda: np.concatenate(list(pool.map(some, range(0, len(works), _AT_ONCE))))


def _block(path: Path, count: int, encode: Callable[[], Vectors]) -> Vectors:
    """The block at ``path``, encoded and written there if it is not there yet."""
    if path.exists():
        try:
            stored: Vectors = read_array(path)
        except ProvenanceError:
            path.unlink()
        else:
            if stored.dtype == np.float32 and len(stored) == count:
                return stored
    vectors = encode()
    write_array(path, vectors)
    return vectors
