"""The works of a collection, read from what museums export; immutable."""

from vernissage.catalog.collection import Collection, read_collection, save_collection
from vernissage.catalog.item import Item
from vernissage.catalog.loading import inspect_collection, load_collection
from vernissage.catalog.pictures import (
    PICTURE_SUFFIXES,
    THUMBNAIL_MEDIA_TYPE,
    UnreadablePictureError,
    open_picture,
    thumbnail,
)
from vernissage.catalog.report import BadRowsError, CollectionReport, Problem

__all__ = [
    "PICTURE_SUFFIXES",
    "THUMBNAIL_MEDIA_TYPE",
    "BadRowsError",
    "Collection",
    "CollectionReport",
    "Item",
    "Problem",
    "UnreadablePictureError",
    "inspect_collection",
    "load_collection",
    "open_picture",
    "read_collection",
    "save_collection",
    "thumbnail",
]
