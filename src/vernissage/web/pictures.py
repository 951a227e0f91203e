"""Works' pictures under names that say nothing of them, made smaller once and kept in memory up to a bound."""

import base64
import hashlib
import hmac
import threading
from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import thumbnail

SIDES: Mapping[str, int] = MappingProxyType({"thumbnail": 480, "large": 1600})
"""Pixels of the longer side: sharp on dense screens where nine hang on one page, and where one fills the screen."""

KEPT_BYTES = 128 * 1024**2

_LOCKS = 64


class Pictures:
    """Pictures of a collection by opaque names, which only whoever holds the secret can compute; thread-safe."""

    def __init__(self, collection: Collection, secret: bytes, kept_bytes: int = KEPT_BYTES) -> None:
        self._collection = collection
        self._names = {item.id: _opaque(secret, item.id) for item in collection}
        self._items = {name: collection[item_id] for item_id, name in self._names.items()}
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._kept_bytes = kept_bytes
        self._size = 0
        self._lock = threading.Lock()
        self._making = tuple(threading.Lock() for _ in range(_LOCKS))

    def name(self, item_id: str) -> str:
        """The opaque name of a work."""
        return self._names[item_id]

    def item(self, name: str) -> Item | None:
        """The work of an opaque name, or None for a name that stands for no work."""
        return self._items.get(name)

    def jpeg(self, name: str, size: str) -> bytes | None:
        """The picture as JPEG at one of `SIDES`, or None where there is no such work, size or picture.

        Raises:
            CollectionError: the picture cannot be opened.
        """
        item = self._items.get(name)
        path = self._collection.picture_path(item) if item is not None else None
        if path is None or size not in SIDES:
            return None
        key = (name, size)
        # Twenty people who come to one page at once are to wait for one reduction, not to make twenty.
        with self._making[hash(key) % _LOCKS]:
            kept = self._find(key)
            if kept is None:
                kept = thumbnail(path, SIDES[size])
                self._keep(key, kept)
            return kept

    def _find(self, key: tuple[str, str]) -> bytes | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: tuple[str, str], content: bytes) -> None:
        with self._lock:
            self._kept[key] = content
            self._size += len(content)
            while self._size > self._kept_bytes:
                self._size -= len(self._kept.popitem(last=False)[1])


def _opaque(secret: bytes, item_id: str) -> str:
    code = hmac.new(secret, b"work\0" + item_id.encode(), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(code).decode().rstrip("=")
