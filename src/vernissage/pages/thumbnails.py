"""Reduced pictures, made once for all who ask at the same moment, and kept in memory up to a bound."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Literal

from vernissage.catalog.pictures import picture_size, reduced_pictures

KEPT_BYTES = 128 * 1024**2
WIDTHS = (160, 320, 640, 960, 1280, 1920, 2880, 3840)
"""Pixels, of which pages name those that a picture has."""

_MUCH = 1.15
"""A picture is not kept in two sizes that differ by less."""

ThumbnailKind = Literal["jpg", "webp"]
Sizes = tuple[tuple[int, int], ...]
"""Width and height in pixels, the smallest first."""

_LOCKS = 64
_SIZES_KEPT = 200_000
"""Some 40 MB."""


class BytesCache:
    """What was made lately, by its key, up to so many bytes in all; thread-safe."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._kept_bytes = kept_bytes
        self._size = 0
        self._lock = threading.Lock()
        self._making = tuple(threading.Lock() for _ in range(_LOCKS))

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """What is kept under a key, or what ``make`` gives, which is kept."""
        # Twenty people who come to one page at once are to wait for one making, not to cause twenty.
        with self._making[hash(key) % _LOCKS]:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
            made = make()
            with self._lock:
                self._kept[key] = made
                self._size += len(made)
                while self._size > self._kept_bytes:
                    self._size -= len(self._kept.popitem(last=False)[1])
            return made


class Thumbnails:
    """Pictures by the width in pixels that a page asks for, as JPEG or WebP; nothing is enlarged.

    A picture is known by its SHA-256, so that another one in its place is not taken for it.
    """

    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        self._widths = tuple(sorted(widths))
        self._cache = BytesCache()
        self._sizes = dict[str, Sizes]()

    def sizes(self, digest: str, path: Callable[[], Path | None]) -> Sizes:
        """The sizes in which a picture is to be had: the widths below its own, and its own if no larger one is.

        ``path`` is asked where they are not known yet; there are none where it gives none or the file is no picture.
        """
        if (known := self._sizes.get(digest)) is not None:
            return known
        place = path()
        own = None if place is None else picture_size(place)
        if own is None:
            return ()
        widths = [width for width in self._widths if width * _MUCH < own[0]]
        widths += [own[0]] if own[0] <= self._widths[-1] else []
        if len(self._sizes) >= _SIZES_KEPT:
            self._sizes.clear()
        found = self._sizes[digest] = tuple((width, max(1, round(width * own[1] / own[0]))) for width in widths)
        return found

    def get(self, path: Path, digest: str, width: int, kind: ThumbnailKind) -> bytes | None:
        """The picture in one of its `sizes`; None for another width. Raises CollectionError: it cannot be opened."""
        found = dict(self.sizes(digest, lambda: path))
        if width not in found:
            return None
        side = max(width, found[width])
        return self._cache.get((digest, width, kind), lambda: reduced_pictures(path, [side], kind)[side])

    def all(self, path: Path, digest: str, kind: ThumbnailKind) -> dict[int, bytes]:
        """The picture in all of its `sizes` by their widths, decoded once; they are not kept.

        Raises:
            CollectionError: it cannot be opened.
        """
        sides = {width: max(width, height) for width, height in self.sizes(digest, lambda: path)}
        made = reduced_pictures(path, sides.values(), kind)
        return {width: made[side] for width, side in sides.items()}
