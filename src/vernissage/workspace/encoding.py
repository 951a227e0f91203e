"""Works become vectors, block by block, so that an interrupted encoding goes on where it stopped."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.encoders.contract import Encoder, ImageEncoder, TextEncoder
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import digest, read_array, write_array
from vernissage.progress import Progress
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.values import Modality, Vectors
from vernissage.workspace.recipes import content_of, decoded_side, picture_opener

_BLOCK = 64
_AT_ONCE = 4
TEXT_BLOCK = 1024
"""Texts that an encoder is given at once, so that those of like length go through a network together."""


def encode_collection(
    encoder: Encoder,
    modality: Modality,
    collection: Collection,
    *,
    before: VectorTable | None,
    staging: Path,
    whole_batches: bool = False,
    draft: bool = True,
    progress: Progress,
) -> VectorTable:
    """The vectors of all works that have the modality.

    Contents that ``before`` already holds from the same encoder are not encoded again, nor are equal contents twice.
    Each finished block is kept below ``staging``, under a name that stands for its encoder and contents, until the
    caller removes it. Works in which the encoder finds nothing (a row of zeros) are left out of the table.
    Without ``draft``, large JPEGs are decoded whole.
    """
    contents = {item.id: content for item in collection if (content := content_of(item, modality, draft=draft))}
    works = [item for item in collection if item.id in contents]
    known = _known_rows(encoder, before)
    missing: dict[str, Item] = {}
    for item in works:
        if contents[item.id] not in known:
            missing.setdefault(contents[item.id], item)
    side = decoded_side(encoder) if draft else None
    new = _encode_missing(encoder, modality, collection, missing, staging, whole_batches, side, progress)
    known |= dict(zip(missing, new, strict=True))
    rows = [known[contents[item.id]] for item in works]
    kept = [place for place, row in enumerate(rows) if row.any()]
    vectors = np.array([rows[place] for place in kept], dtype=np.float32).reshape(len(kept), encoder.dim)
    return make_vector_table(
        vectors,
        [works[place].id for place in kept],
        [contents[works[place].id] for place in kept],
        encoder=encoder.name,
        fingerprint=encoder.fingerprint,
        modality=modality,
        collection=collection.fingerprint,
    )


def _known_rows(encoder: Encoder, before: VectorTable | None) -> dict[str, Vectors]:
    if before is None or before.card.fingerprint != encoder.fingerprint:
        return {}
    return dict(zip(before.card.contents, before.vectors, strict=True))


def _encode_missing(
    encoder: Encoder,
    modality: Modality,
    collection: Collection,
    missing: Mapping[str, Item],
    staging: Path,
    whole_batches: bool,
    side: int | None,
    progress: Progress,
) -> Vectors:
    size, items = _BLOCK if modality == "image" else TEXT_BLOCK, list(missing.values())
    contents = [content.encode() for content in missing]
    folder = staging / f"{encoder.name}.{modality}-{digest(encoder.fingerprint.encode(), *contents)[:16]}"
    step = f"Encoding {'pictures' if modality == 'image' else 'texts'} with {encoder.name}"
    blocks = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for start in range(0, len(missing), size):
            progress(step, start, len(missing))
            works = items[start : start + size]
            encode = _encode(encoder, modality, collection, works, pool, whole_batches, side)
            blocks.append(_block(folder / f"{start:09d}.npy", len(works), encode))
    progress(step, len(missing), len(missing))
    return np.concatenate(blocks) if blocks else np.zeros((0, encoder.dim), dtype=np.float32)


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


def _encode(
    encoder: Encoder,
    modality: Modality,
    collection: Collection,
    works: Sequence[Item],
    pool: ThreadPoolExecutor,
    whole_batches: bool,
    side: int | None,
) -> Callable[[], Vectors]:
    if modality == "text":
        if not isinstance(encoder, TextEncoder):
            raise EncoderError(f"{encoder.name} does not read texts; choose an encoder that does")
        return lambda: encoder.encode_texts([item.text for item in works])
    if not isinstance(encoder, ImageEncoder):
        raise EncoderError(f"{encoder.name} does not read pictures; choose an encoder that does")

    openers = [picture_opener(collection, item, side) for item in works]
    if whole_batches:
        return lambda: encoder.encode_images(list(pool.map(lambda opener: opener(), openers)))

    def some(start: int) -> Vectors:
        return encoder.encode_images([opener() for opener in openers[start : start + _AT_ONCE]])

    return lambda: np.concatenate(list(pool.map(some, range(0, len(works), _AT_ONCE))))
