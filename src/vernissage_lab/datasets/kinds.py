"""The kinds of data sets that can be read: what each is, where it officially comes from, and its reader."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vernissage_lab.datasets import classified, coco, gallery
from vernissage_lab.datasets.captioned import CaptionedSet, DatasetError
from vernissage_lab.datasets.flickr import FLICKR8K, FLICKR30K, read_flickr


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


_NATIONAL_GALLERY = "https://www.nationalgallery.org.uk (texts and pictures under the gallery's terms)"

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "coco-karpathy": Kind(
            "dataset_coco.json, Karpathy's split of MSCOCO", coco.KARPATHY_SOURCE, coco.read_karpathy
        ),
        "coco": Kind("MSCOCO's captions_*.json, one or a folder of them", coco.COCO_SOURCE, coco.read_coco),
        **{
            name: Kind(files, which.source, partial(read_flickr, which=which))
            for name, which, files in (
                ("flickr30k", FLICKR30K, "results_20130124.token, results.csv, captions.txt or dataset_flickr30k.json"),
                ("flickr8k", FLICKR8K, "Flickr8k.token.txt, captions.txt or dataset_flickr8k.json"),
            )
        },
        "classified": Kind(
            *("a table of id, caption, class index, label, image tags, text tags", classified.SOURCE),
            classified.read_classified,
        ),
        "national-gallery": Kind(
            *("a table with a column of story groups, as of the National Gallery, London", _NATIONAL_GALLERY),
            partial(gallery.read_gallery, needs_groups=True, source=_NATIONAL_GALLERY),
        ),
        "gallery": Kind(
            "a collection: a folder with a table and pictures, or a table", gallery.SOURCE, gallery.read_gallery
        ),
    }
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
        options: of galleries, ``captions`` and ``classes`` (see `read_gallery`).

    Raises:
        DatasetError: there is no such kind, it takes no such option, or the set is missing or wrong.
        CollectionError: a gallery that cannot be read at all.
    """
    if word not in KINDS:
        raise DatasetError(f"there is no kind of data set {word!r}; choose from {', '.join(KINDS)}")
    if options and word not in _GALLERIES:
        raise DatasetError(
            f"{word} takes no {' and '.join(options)}: its captions and classes are its own; leave that out, or read "
            f"the set as gallery"
        )
    return KINDS[word].read(path, pictures=pictures, skip_bad=skip_bad, **options)
