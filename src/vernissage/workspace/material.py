"""What encoders read of a collection: texts, pictures opened when needed, and digests that tell changed works."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import open_picture
from vernissage.encoders.cards import EncoderCard
from vernissage.encoders.contract import Encoder, Material
from vernissage.errors import EncoderError
from vernissage.files import digest
from vernissage.progress import Progress, silent
from vernissage.search.vectors import VectorTable
from vernissage.values import Modality, Vectors

DECODED_SIDE = 768
"""Large JPEGs are decoded no smaller than this many pixels a side, for encoders that do not say what they look at."""


def content_of(item: Item, modality: Modality, *, draft: bool = True) -> str:
    """The digest of what an encoder of that modality reads of a work; empty where there is nothing to read.

    A picture that is always decoded whole counts as another content, since an encoder sees other pixels.
    """
    if modality == "text":
        return item.text_digest
    if draft or not item.picture_digest:
        return item.picture_digest
    return digest(b"decoded whole", item.picture_digest.encode())


def decoded_side(encoder: Encoder) -> int:
    """How many pixels a side a large JPEG keeps at least when decoded: twice the encoder's input."""
    preprocessing = getattr(encoder, "preprocessing", None)
    side = getattr(preprocessing, "shorter_side", None) or getattr(preprocessing, "size", None)
    return 2 * int(side) if side else DECODED_SIDE


def picture_opener(collection: Collection, item: Item, at_least: int | None = DECODED_SIDE) -> Callable[[], Any]:
    """A function that opens the work's picture for encoders; None decodes it whole."""
    path = collection.picture_path(item)
    if path is None:
        raise EncoderError(f"work {item.id} has no picture to encode; encode its text instead")
    return partial(open_picture, path, at_least=at_least)


def material_of(
    card: EncoderCard,
    collection: Collection,
    encoders: Mapping[str, Encoder],
    tables: Mapping[tuple[str, Modality], VectorTable],
    *,
    seed: int = 0,
    topics: int | None = None,
    draft: bool = True,
    progress: Progress = silent,
) -> Material:
    """What a collection offers for fitting one encoder.

    Args:
        card: the encoder's.
        collection: the works.
        encoders, tables: those made before, among them the ones that it is made on.
        seed: of the fit.
        topics: how many, for a topic model; None has them chosen.
        draft: whether large JPEGs are decoded at a fraction of their size.
        progress: told how far the fit is.
    """
    side = DECODED_SIDE if draft else None

    def paired_vectors() -> tuple[Vectors, ...]:
        found = [tables[name, modality] for modality, name in card.derived_from.items()]
        both = [item_id for item_id in found[0].item_ids if all(item_id in table.row_of for table in found)]
        return tuple(table.vectors[table.rows(both)] for table in found)

    return Material(
        texts=lambda: [item.text for item in collection],
        pictures=lambda: [picture_opener(collection, item, side) for item in collection if item.picture],
        paired_vectors=paired_vectors,
        bases=tuple(encoders[name] for name in card.needs),
        seed=seed,
        topics=topics,
        progress=progress,
    )
