"""A captioned set as works that encoders read: its captions, its pictures, or both joined."""

from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.errors import CollectionError
from vernissage_lab.datasets.captioned import CaptionedSet, DatasetError, ImageEntry


def captions_as_works(found: CaptionedSet) -> Collection:
    """Every caption as a text of its own, by caption id."""
    return Collection([Item(caption.id, text=caption.text) for caption in found.captions], Path())


def pictures_as_works(found: CaptionedSet) -> Collection:
    """Every picture whose file is there, by picture id.

    Raises:
        DatasetError: all are missing.
        CollectionError: a file cannot be read.
    """
    return Collection([_pictured(image, "") for image in _there(found)], Path())


def whole_works(found: CaptionedSet, *, pictures: bool) -> Collection:
    """Every picture with all its captions as one text; with ``pictures``, those alone whose files are there.

    Raises: see `pictures_as_works`.
    """
    images = _there(found) if pictures else found.images
    texts = {image.id: "\n".join(caption.text for caption in found.captions_of[image.id]) for image in images}
    if pictures:
        return Collection([_pictured(image, texts[image.id]) for image in images], Path())
    return Collection([Item(image.id, text=texts[image.id]) for image in images], Path())


def _there(found: CaptionedSet) -> Sequence[ImageEntry]:
    there = [image for image in found.images if image.path is not None]
    if not there:
        raise DatasetError(
            f"{found.name} has none of its {len(found.images)} pictures here; name their folder with --pictures, or "
            f"choose tasks and encoders of texts alone"
        )
    return there


def _pictured(image: ImageEntry, text: str) -> Item:
    path = str(image.path)
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (mypy needs the plain type for file_digest)
            found = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CollectionError(
            f"the picture {path} cannot be read ({error.strerror}); put it back, or open the set anew without it"
        ) from error
    return Item(image.id, picture=path, picture_digest=found, text=text)
