"""A captioned set as a source of works, of which the product's build and its encoders read."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vernissage.catalog.item import Item
from vernissage.catalog.report import Reading
from vernissage.catalog.sources.contract import Record
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
        pictures = [image.path.resolve().parent for image in found.images if image.path]
        beside = location if location.is_dir() else location.parent
        # Pictures may lie elsewhere than the set; a collection gives those below its folder alone.
        self.folder = Path(os.path.commonpath(pictures)) if pictures else beside
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
            text="\n".join((first, *others)),
            attributes={"split": image.split} if image.split else {},
        )


def class_names(found: CaptionedSet) -> dict[Label, str]:
    """What the class of each label is called: its name, with the number before it where two classes share it."""
    shared = {name for name, count in Counter(found.class_names.values()).items() if count > 1}
    return {
        label: f"{label.index} {label.label}" if label.label in shared else label.label
        for label in found.labels.values()
    }


def readable(found: CaptionedSet, *, pictures: bool) -> CaptionedSet:
    """The set as encoders of pictures read it, or without the files of its pictures for those of texts alone.

    Raises:
        DatasetError: pictures are to be read, and all are missing.
    """
    if not pictures:
        return replace(found, images=tuple(replace(image, path=None) for image in found.images))
    if not any(image.path for image in found.images):
        raise DatasetError(
            f"{found.name} has none of its {len(found.images)} pictures here; name their folder with --pictures, or "
            f"choose tasks and encoders of texts alone"
        )
    return found
