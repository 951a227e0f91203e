"""Works as pages print them: their pictures inside the page, titles and credits."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from PIL import Image

from vernissage.catalog.item import Item
from vernissage.catalog.pictures import THUMBNAIL_MEDIA_TYPE, thumbnail
from vernissage.gallery.selecting import title_or_text
from vernissage.pages.templating import data_uri, plain
from vernissage.progress import Progress
from vernissage.sentences import Sentence
from vernissage.taggers.contract import Tags

PICTURE_SIDE = 720
"""Pixels of a recommended work's longer side: sharp on dense screens, and large enough to fill a phone."""

PicturePath = Callable[[Item], Path | None]
"""Where the picture of a work lies; None for a work without one."""

_LONG_TEXT = 110
_ALT_TEXTS = frozenset({"alt", "alt text", "alttext", "alternative text", "image alt text", "visual description"})


@dataclass(frozen=True)
class Picture:
    """A picture inside the page: its data as an address, and its size in pixels."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class AltText:
    """What a work's picture shows, for those who do not see it, and whether software says a part of it."""

    text: str
    by_software: bool = False


def description_of(item: Item, tags: Tags = ()) -> AltText:
    """The table's own alternative text; else what ``tags`` say of a work that nobody described; else nothing."""
    for name, value in item.attributes.items():
        if plain(name.replace("_", " ")).casefold() in _ALT_TEXTS and value.strip():
            return AltText(plain(value))
    if item.description.strip() or not tags:
        return AltText("")
    return AltText(Sentence("seems to show: {tags} (described by software)", tags=tuple(tags)), by_software=True)


def alt_text(item: Item, tags: Tags = (), label: str = "") -> AltText:
    """The own alternative text; else a label (title, artist) and, if nobody described it, what it seems to show."""
    described = description_of(item, tags)
    if described.text and not described.by_software:
        return described
    title = title_of(item.title) if item.artist else title_or_text(item)
    label = label or Sentence("{parts}", parts=tuple(filter(None, (title, plain(item.artist)))))
    both = Sentence("{label}; {shown}", label=label, shown=described.text) if label and described.text else ""
    return AltText(both or label or described.text, described.by_software)


class Reading:
    """Reads pictures one by one, each once at each size, and reports on it."""

    def __init__(
        self, picture_path: PicturePath, total: int, progress: Progress, tags: Mapping[str, Tags] = MappingProxyType({})
    ) -> None:
        self._picture_path = picture_path
        self._tags = tags
        self._progress = progress
        self._total = total
        self._done = 0
        self._known: dict[tuple[Path, int], Picture] = {}

    def alt(self, item: Item) -> AltText:
        """What to say to those who do not see the work's picture."""
        return alt_text(item, self.tags(item))

    def tags(self, item: Item) -> Tags:
        """What software makes out in the work's picture."""
        return self._tags.get(item.id, ())

    def picture(self, item: Item, side: int) -> Picture | None:
        """The work's picture with a longer side of at most ``side`` pixels.

        Raises:
            CollectionError: it cannot be opened.
        """
        path = self._picture_path(item)
        self._done += 1
        self._progress("reading pictures", min(self._done, self._total), self._total)
        if path is None:
            return None
        if (path, side) not in self._known:
            content = thumbnail(path, side)
            with Image.open(io.BytesIO(content)) as image:
                self._known[path, side] = Picture(data_uri(content, THUMBNAIL_MEDIA_TYPE), *image.size)
        return self._known[path, side]


def name_without_title(item: Item, tags: Tags = ()) -> str:
    """What to call a work that has no title: medium and date, else what its picture seems to show, else its text.

    Empty where it has a title, or nothing is known of it.
    """
    if item.title.strip():
        return ""
    known = tuple(filter(None, (plain(item.medium), plain(item.year))))
    if item.medium.strip():
        return Sentence("{parts}", parts=known)
    shown = description_of(item, tags)
    return shown.text or title_or_text(item, plain(item.year))


def title_of(title: str) -> str:
    """A title on one line, or "Untitled"."""
    return plain(title) or Sentence("Untitled")
