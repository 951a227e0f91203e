"""The kinds of data sets that can be read: what each is, where it officially comes from, and its reader."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vernissage_lab.datasets.captioned import CaptionedSet, DatasetError
from vernissage_lab.datasets.classified import read_classified
from vernissage_lab.datasets.coco import read_coco, read_karpathy
from vernissage_lab.datasets.flickr import FLICKR8K, FLICKR30K, read_flickr
from vernissage_lab.datasets.gallery import read_gallery
from vernissage_lab.datasets.reading import KNOWN


@dataclass(frozen=True)
class Kind:
    """One kind of data set.

    Attributes:
        what: its files, in words.
        source: where it officially comes from, and the licence as far as known; nothing is ever downloaded.
        read: the reader: a path, and the options ``pictures`` and ``skip_bad``; of galleries also ``captions`` and
            ``classes``.
    """

    what: str
    source: str
    read: Callable[..., CaptionedSet]


_READERS: Mapping[str, Callable[..., CaptionedSet]] = {
    "coco-karpathy": read_karpathy,
    "coco": read_coco,
    "flickr30k": partial(read_flickr, which=FLICKR30K),
    "flickr8k": partial(read_flickr, which=FLICKR8K),
    "classified": read_classified,
    "national-gallery": partial(read_gallery, needs_groups=True, source=KNOWN["national-gallery"]["source"]),
    "gallery": read_gallery,
}
KINDS: Mapping[str, Kind] = MappingProxyType(
    {name: Kind(KNOWN[name]["what"], KNOWN[name]["source"], read) for name, read in _READERS.items()}
)
"""The kinds by what they are called on the command line."""

_GALLERIES = frozenset({"gallery", "national-gallery"})


def open_dataset(
    word: str, path: Path, *, pictures: Path | None = None, skip_bad: bool = False, **options: Any
) -> CaptionedSet:
    """Read a data set of that kind.

    Args:
        pictures: the folder below which its pictures lie; beside the file without.
        skip_bad: leave out what cannot be used, and count it in the remarks.
        options: of galleries, ``captions`` and ``classes`` (see `read_gallery`); None for what is usual.

    Raises:
        DatasetError: there is no such kind, it takes no such option, or the set is missing or wrong.
        CollectionError: a gallery that cannot be read at all.
    """
    if word not in KINDS:
        raise DatasetError(f"there is no kind of data set {word!r}; choose from {', '.join(KINDS)}")
    given = {name: value for name, value in options.items() if value is not None}
    if given and word not in _GALLERIES:
        raise DatasetError(
            f"{word} takes no {' and '.join(given)}: its captions and classes are its own; leave that out, or read "
            f"the set as gallery"
        )
    return KINDS[word].read(path, pictures=pictures, skip_bad=skip_bad, **given)
