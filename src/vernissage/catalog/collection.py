"""The works of a collection in their order, found by id."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from vernissage.catalog.item import Item
from vernissage.catalog.report import CollectionReport
from vernissage.errors import CollectionError, UnknownItemError
from vernissage.files import digest


class Collection:
    """An immutable sequence of works with unique ids; pictures stay on the disk below ``folder``.

    ``report`` says what was found when the collection was read from a folder or table, and is None otherwise.
    """

    def __init__(self, items: Sequence[Item], folder: Path, report: CollectionReport | None = None) -> None:
        self._items = tuple(items)
        self.folder = folder
        self.report = report
        self._position = {item.id: row for row, item in enumerate(self._items)}
        if len(self._position) != len(self._items):
            twice = [name for name, count in Counter(item.id for item in self._items).items() if count > 1]
            raise CollectionError(f"ids must be unique, but these stand more than once: {', '.join(twice[:5])}")

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._position

    def __getitem__(self, item_id: str) -> Item:
        """The work of that id.

        Raises:
            UnknownItemError: the collection has no such work; the message names ids that look alike.
        """
        try:
            return self._items[self._position[item_id]]
        except KeyError:
            raise UnknownItemError(self._unknown(item_id)) from None

    @property
    def items(self) -> tuple[Item, ...]:
        return self._items

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._position)

    @cached_property
    def groups(self) -> dict[str, int]:
        """Group names and their sizes, largest first; works without a group are not counted."""
        return dict(Counter(item.group for item in self._items if item.group).most_common())

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over every work and picture, in order."""
        return digest(*(item.record_digest.encode() for item in self._items))[:16]

    def picture_path(self, item: Item) -> Path | None:
        """Where the work's picture lies on the disk, or None without one."""
        return self.folder / item.picture if item.picture else None

    def _unknown(self, item_id: str) -> str:
        import difflib

        alike = difflib.get_close_matches(item_id, self._position, n=3, cutoff=0.5)
        alike = alike or list(self._position)[:3]
        return f"the collection has no work {item_id!r}; ids look like {', '.join(alike)}"
