"""What encoders read of works, and how works become vectors block by block, so that an interruption costs one block."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import accumulate, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.catalog.collection import Collection
from vernissage.catalog.ids import Ids
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import open_picture
from vernissage.encoders.contract import Encoder, FittedEncoder, Material
from vernissage.encoders.register import EncoderCard, cards
from vernissage.errors import ProvenanceError
from vernissage.files import digest, read_array, write_array
from vernissage.progress import Progress, silent
from vernissage.search.moments import moments_of, save_moments
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import VectorCard, VectorTable, make_vector_table, merged, pooled, write_table
from vernissage.values import MODALITY_CARDS, Modality, Vectors, encoded_as, modality_of_file, readable
from vernissage.workspace.blocks import BlockReading, Contents, Picture
from vernissage.workspace.collection_files import named_languages
from vernissage.workspace.index_choice import SCANNED_FROM
from vernissage.workspace.settings import Settings
from vernissage.workspace.workers import ALONE, Workers

_DECODED_SIDE = 768
"""Large JPEGs are decoded no smaller than this many pixels a side, for encoders that do not say what they look at."""

_BLOCK = 64  # works that a kill can cost
_ROWS_WRITTEN_AT_ONCE = 4096
_BLOCKS_KEPT = 8
TEXT_BLOCK = 1024
"""Texts that an encoder is given at once, so that those of like length go through a network together."""
_BLOCKS: Mapping[Modality, int] = {"text": TEXT_BLOCK, "video": 8}


def contents_of(item: Item, modality: Modality, *, draft: bool = True) -> tuple[str, ...]:
    """The digests of what is read of a work: its text, or its pictures or videos, equal ones once.

    A picture that is always decoded whole counts as another content, since an encoder sees other pixels.
    """
    if modality == "text":
        return (item.text_digest,) if item.text else ()
    digests = _distinct(item, modality)
    return tuple(digests if draft else (digest(b"decoded whole", found.encode()) for found in digests))


def _distinct(item: Item, modality: Modality) -> dict[str, str]:
    """The digests of the work's pictures, or videos, in their order, and the path of the first of each."""
    paths: dict[str, str] = {}
    for path, found in item.pictures:
        if found and modality_of_file(path) == modality:
            paths.setdefault(found, path)
    return paths


def _content(contents: Sequence[str]) -> str:
    """What stands for all contents of a work: the only one, or a digest over several."""
    return contents[0] if len(contents) == 1 else digest(*(content.encode() for content in contents))


def decoded_side(encoder: Encoder, *, draft: bool = True) -> int | None:
    """How many pixels a side a large JPEG keeps at least when decoded: twice the encoder's input, or all of them."""
    if not draft:
        return None
    preprocessing = getattr(encoder, "preprocessing", None)
    side = getattr(preprocessing, "shorter_side", None) or getattr(preprocessing, "size", None)
    return 2 * int(side) if side else _DECODED_SIDE


def _openers(collection: Collection, items: Iterable[Item], side: int | None) -> list[Callable[[], Any]]:
    """Functions that open the leading pictures of those works that have one, see `open_picture`."""
    paths = (collection.picture_path(item) for item in items)
    return [partial(open_picture, path, at_least=side) for path in paths if path is not None]


def _leading_content(item: Item, draft: bool) -> str:
    """What stands for the picture that `_openers` opens; no video's content, whose vector is not that of its poster."""
    if modality_of_file(item.picture) == "image":
        return contents_of(item, "image", draft=draft)[0]
    return digest(b"poster", item.picture_digest.encode())


def material_of(
    card: EncoderCard,
    collection: Collection,
    encoders: Mapping[str, Encoder],
    tables: Mapping[tuple[str, Modality], VectorTable],
    settings: Settings,
    progress: Progress = silent,
) -> Material:
    """What a collection offers for fitting one encoder; ``encoders`` and ``tables`` are those made before.

    A network's weights lie where it was said of the encoders that are made of it; languages that nobody asks for are
    those that works name.
    """
    places = (place for name, place in settings.weights.items() if card.name in cards()[name].needs)

    def paired_vectors() -> tuple[Vectors, ...]:
        sides = [joined_rows(_fitted_on(card, modality, tables)) for modality in card.derived_from]
        if len(sides) == 1:
            return sides[0].vectors
        ids = [item_id for item_id in sides[0].item_ids if all(item_id in side.item_ids for side in sides)]
        return tuple(rows[side.item_ids.rows(ids)] for side in sides for rows in side.vectors)

    return Material(
        texts=lambda: [item.text for item in collection],
        artists=lambda: collection.texts("artist"),
        pictures=lambda: _openers(collection, collection, _DECODED_SIDE if settings.draft else None),
        picture_contents=lambda: [_leading_content(item, settings.draft) for item in collection if item.picture],
        paired_vectors=paired_vectors,
        bases=tuple(encoders[name] for name in card.needs if name in encoders),
        seed=settings.seed,
        topics=settings.topics,
        languages=settings.languages or named_languages(collection),
        weights=next(map(Path, places), None),
        progress=progress,
    )


@dataclass(frozen=True)
class JoinedRows:
    """The vectors of several encoders, row by row, of all works that one of them has: zeros where it has not."""

    item_ids: Ids
    contents: Sequence[str]
    vectors: tuple[Vectors, ...]


def base_tables(
    card: EncoderCard, modality: Modality, tables: Mapping[tuple[str, Modality], VectorTable]
) -> list[VectorTable]:
    """The tables that an encoder is made of, those that are there, in the order of its card."""
    [side] = encoded_as([modality])
    return [tables[name, modality] for name in card.derived_from[side] if (name, modality) in tables]


def _fitted_on(
    card: EncoderCard, modality: Modality, tables: Mapping[tuple[str, Modality], VectorTable]
) -> list[VectorTable]:
    """`base_tables` with all that is read as that modality: of pictures, those of videos as well."""
    kinds = readable([modality])
    there = ([tables[name, kind] for kind in kinds if (name, kind) in tables] for name in card.derived_from[modality])
    return [merged(some) for some in there if some]


def joined_rows(tables: Sequence[VectorTable]) -> JoinedRows:
    """The rows of tables of one modality side by side."""
    if len(tables) == 1:
        return JoinedRows(tables[0].item_ids, tables[0].card.contents, (tables[0].vectors,))
    content_of = {
        item_id: content
        for table in tables
        for item_id, content in zip(table.item_ids, table.card.contents, strict=True)
    }
    ids = sorted(content_of)
    vectors = tuple(table.vectors_of(ids) for table in tables)
    return JoinedRows(Ids.of(ids), [content_of[item_id] for item_id in ids], vectors)


def derived_table(
    card: EncoderCard, encoder: Encoder, modality: Modality, tables: Mapping[tuple[str, Modality], VectorTable]
) -> VectorTable | None:
    """The vectors of an encoder that is made on those of others, from their ``tables``; None for any other encoder."""
    if card.derive is None:
        return None
    bases = base_tables(card, modality, tables)
    below = joined_rows(bases)
    return make_vector_table(
        card.derive(encoder, *encoded_as([modality]), *below.vectors),
        below.item_ids,
        below.contents,
        encoder=encoder.name,
        fingerprint=encoder.fingerprint,
        modality=modality,
        collection=bases[0].card.collection,
    )


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
    workers: Workers = ALONE,
    progress: Progress,
) -> VectorTable:
    """Write the vectors of all works that have the modality to ``stem``, and open them; memory holds a few blocks.

    A work's vector is that of its text, or what `pooled` makes of those of all its pictures. Contents that ``before``
    already holds from the same encoder are not encoded again, nor are those that its fit has encoded, nor equal
    contents twice.
    Each finished block is kept below ``staging``, under a name that stands for its encoder and contents, until the
    caller removes it, and so is the table without ``stem``. Works in which the encoder finds nothing (a row of zeros)
    are left out of the table. Without ``draft``, large JPEGs are decoded whole.
    """
    found = ((row, contents_of(item, modality, draft=draft)) for row, item in enumerate(collection))
    read = {row: contents for row, contents in found if contents}
    same = before is not None and before.card.fingerprint == encoder.fingerprint
    known = {content: row for row, content in enumerate(before.card.contents)} if before is not None and same else {}
    fitted = encoder.encoded if isinstance(encoder, FittedEncoder) else {}
    missing: dict[str, tuple[int, int]] = {}
    for row, contents in read.items():
        if _content(contents) in known:
            read[row] = (_content(contents),)  # the work's vector is there
        for place, content in enumerate(read[row]):
            if content not in known and content not in fitted:
                missing.setdefault(content, (row, place))
    how = BlockReading(modality, whole_batches, decoded_side(encoder, draft=draft))
    name = digest(encoder.fingerprint.encode(), *(content.encode() for content in missing))[:16]
    folder = staging / f"{encoder.name}.{modality}-{name}"
    told, size = _staged(encoder, how, list(missing.values()), collection, folder, workers, progress)
    place_of = {content: place for place, content in enumerate(missing)}
    there = known.keys() | fitted.keys()
    kept = [row for row, some in read.items() if any(each in there or told[place_of[each]] for each in some)]
    block = lru_cache(_BLOCKS_KEPT)(lambda number: read_array(_block_file(folder, number * size)))

    def vector(content: str) -> Vectors:
        if before is not None and content in known:
            old: Vectors = before.vectors[known[content]]
            return old
        if content in fitted:
            return fitted[content]
        number, place = divmod(place_of[content], size)
        new: Vectors = block(number)[place]
        return new

    labels = [_content(read[row]) for row in kept]
    blocks = (
        pooled(
            np.array([vector(content) for row in rows for content in read[row]], dtype=np.float32),
            np.repeat(np.arange(len(rows)), [len(read[row]) for row in rows]),
        )
        for rows in _in_parts(kept, [len(read[row]) for row in kept])
    )
    ids = collection.ids if len(kept) == len(collection) else [collection.ids[row] for row in kept]
    card = VectorCard(encoder.name, encoder.fingerprint, modality, collection.fingerprint, ids, labels, values="")
    stem = stem or folder / "table"
    write_table(stem, blocks, encoder.dim, card)
    return VectorTable.load(stem, collection.ids)


def keep_index(indexes: Path, stem: Path, table: VectorTable) -> None:
    """Write what an index over a large table would else have to compute, unless it is there."""
    scan, moments = (indexes / f"{stem.name}{end}" for end in (".npz", ".moments.npz"))
    if table.vectors.size >= SCANNED_FROM:
        if not scan.exists():
            build_byte_scan(table.vectors, table.card.values).save(scan)
        if not moments.exists():
            save_moments(moments, moments_of(table.vectors), table.card.values)


def _in_parts(rows: Sequence[int], sizes: Sequence[int]) -> Iterator[list[int]]:
    """The rows in parts that read at most `_ROWS_WRITTEN_AT_ONCE` pictures or texts, or are one work."""
    ends = (end // _ROWS_WRITTEN_AT_ONCE for end in accumulate(sizes, initial=0))
    for _, part in groupby(zip(ends, rows, strict=False), key=itemgetter(0)):
        yield [row for _, row in part]


def _block_file(folder: Path, start: int) -> Path:
    return folder / f"{start:09d}.npy"


def _staged(
    encoder: Encoder,
    how: BlockReading,
    contents: Sequence[tuple[int, int]],
    collection: Collection,
    folder: Path,
    workers: Workers,
    progress: Progress,
) -> tuple[npt.NDArray[np.bool_], int]:
    """Encode texts, or pictures, of works into files of blocks, but for blocks that are there.

    Args:
        encoder: that reads them.
        how: it does.
        contents: the row of each work, and the place of the picture among its `contents_of`.
        collection: of the works.
        folder: of the blocks.
        workers: who encode.
        progress: told of each block.

    Returns:
        In which of them anything was found, bool (n,), and a block's size.
    """
    size = _BLOCKS.get(how.modality, _BLOCK)
    step = f"Encoding {MODALITY_CARDS[how.modality].many} with {encoder.name}"
    told, done = np.zeros(len(contents), dtype=bool), 0
    missing: dict[int, Sequence[tuple[int, int]]] = {}
    for start in range(0, len(contents), size):
        block = contents[start : start + size]
        if (rows := _stored(_block_file(folder, start), len(block))) is None:
            missing[start] = block
        else:
            told[start : start + size] = rows.any(axis=1)
            done += len(rows)
    progress(step, done, len(contents))
    blocks = ((start, _contents(collection, how.modality, block)) for start, block in missing.items())
    for start, rows in workers.encoded(encoder, how, blocks):
        write_array(_block_file(folder, start), rows)
        told[start : start + size] = rows.any(axis=1)
        done += len(rows)
        progress(step, done, len(contents))
    return told, size


def _contents(collection: Collection, modality: Modality, block: Sequence[tuple[int, int]]) -> Contents:
    """The texts, or the pictures with that place, of the works in those rows."""
    works = collection.take([row for row, _ in block])
    if modality == "text":
        return [item.text for item in works]
    found = list[Picture]()
    for item, (_, place) in zip(works, block, strict=True):
        sha256, picture = [*_distinct(item, modality).items()][place]
        if (path := collection.picture_path(replace(item, picture=picture))) is not None:
            found.append(Picture(path, sha256))
    return found


def _stored(path: Path, count: int) -> Vectors | None:
    """The block at ``path``, if it is there and whole."""
    if not path.exists():
        return None
    try:
        stored: Vectors = read_array(path)
    except ProvenanceError:
        path.unlink()
        return None
    return stored if stored.dtype == np.float32 and len(stored) == count else None
