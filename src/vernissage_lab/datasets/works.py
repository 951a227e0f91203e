"""A captioned set as works: as a source of a workspace, and as collections of captions, pictures, or both joined."""

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import file_digest
from pathlib import Path

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.report import Reading
from vernissage.catalog.sources.contract import Record
from vernissage.errors import CollectionError
from vernissage.progress import Progress, silent
from vernissage_lab.datasets.captioned import CaptionedSet, DatasetError, ImageEntry, Label


class SetSource:
    """A captioned set as a `Source`, of which `vernissage.build` makes a workspace; a work is a picture.

    Its text is all its captions, the title is the first of them and the description the others. Tags of pictures
    become keywords, owners owners, and the group is the story group or else the class, told apart from another of the
    same name by its number. A picture that is missing leaves a work of text alone.
    """

    def __init__(self, found: CaptionedSet, location: Path) -> None:
        """``location`` is the file or folder that the set was read from."""
        self.name, self.location = found.name, location
        self.folder = location if location.is_dir() else location.parent
        self._set = found

    def fingerprint(self) -> str:
        return self._set.fingerprint

    def count(self) -> int:
        return len(self._set.images)

    def records(self, progress: Progress = silent) -> Iterator[Record]:
        names = class_names(self._set)
        for image in self._set.images:
            yield Record(self._item(image, names), (str(image.path.resolve()),) if image.path else (), file=image.file)

    def reading(self) -> Reading:
        missing = len(self._set.missing)
        remarks = (f"pictures of the set that are not there: {missing}",) if missing else ()
        return Reading(remarks=(*self._set.remarks, *remarks))

    def picture_path(self, picture: str) -> Path:
        return Path(picture)

    def _item(self, image: ImageEntry, names: dict[Label, str]) -> Item:
        first, *others = (caption.text for caption in self._set.captions_of[image.id])
        label = self._set.labels.get(image.id)
        return Item(
            image.id,
            title=first,
            description=" ".join(others),
            keywords=self._set.image_tags.get(image.id, ()),
            group=self._set.groups.get(image.id) or (names[label] if label else ""),
            owner=self._set.owners.get(image.id, ""),
            text=_text(self._set, image),
            attributes={"split": image.split} if image.split else {},
        )


def class_names(found: CaptionedSet) -> dict[Label, str]:
    """What the class of each label is called: its name, with the number before it where two classes share it."""
    shared = {name for name, count in Counter(found.class_names.values()).items() if count > 1}
    return {
        label: f"{label.index} {label.label}" if label.label in shared else label.label
        for label in found.labels.values()
    }


def captions_as_works(found: CaptionedSet) -> Collection:
    """Every caption as a text of its own, by caption id."""
    return Collection((Item(caption.id, text=caption.text) for caption in found.captions), Path())


def pictures_as_works(found: CaptionedSet) -> Collection:
    """Every picture whose file is there, by picture id.

    Raises:
        DatasetError: all are missing.
        CollectionError: a file cannot be read.
    """
    return Collection((_pictured(image, "") for image in _there(found)), Path())


def whole_works(found: CaptionedSet, *, pictures: bool) -> Collection:
    """Every picture with all its captions as one text; with ``pictures``, those alone whose files are there.

    Raises: see `pictures_as_works`.
    """
    if pictures:
        return Collection((_pictured(image, _text(found, image)) for image in _there(found)), Path())
    return Collection((Item(image.id, text=_text(found, image)) for image in found.images), Path())


def _text(found: CaptionedSet, image: ImageEntry) -> str:
    return "\n".join(caption.text for caption in found.captions_of[image.id])


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
