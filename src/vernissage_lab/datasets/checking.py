"""What a captioned set must keep to, whatever its format: refused or left out, and always counted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from vernissage_lab.datasets.captioned import Caption, CaptionedSet, DatasetError, ImageEntry, counted


@dataclass
class Faults:
    """Collects what is wrong: raises at the first kind, or with ``skip_bad`` remembers what was left out."""

    name: str
    skip_bad: bool
    remarks: list[str] = field(default_factory=list)

    def found(self, what: str, way_out: str) -> None:
        """Something was found that is refused, or left out.

        Raises:
            DatasetError: unless ``skip_bad``.
        """
        if not self.skip_bad:
            raise DatasetError(f"{self.name}: {what}; {way_out}, or leave them out with --skip-bad")
        self.remarks.append(f"left out: {what}")


def checked(found: CaptionedSet, *, skip_bad: bool = False) -> CaptionedSet:
    """The set itself if every id is unique, every caption has a picture and a text, and every picture a caption.

    With ``skip_bad``, captions without text or picture and pictures without caption are left out, and remarks count
    them.

    Raises:
        DatasetError: an id stands more than once, nothing is left, or, without ``skip_bad``, something would be left
            out; the message says how many and which is the first.
    """
    refuse_doubles(found.name, "picture", (image.id for image in found.images))
    refuse_doubles(found.name, "caption", (caption.id for caption in found.captions))
    faults = Faults(found.name, skip_bad)
    captions = _spoken(found.captions, found.image_of, faults)
    images = _described(found.images, captions, faults)
    if not images:
        raise DatasetError(
            f"{found.name} holds no picture with a caption, but {counted(len(found.images), 'picture')} and "
            f"{counted(len(found.captions), 'caption')}; check that the file is the right one, and whole"
        )
    if len(images) == len(found.images) and len(captions) == len(found.captions):
        return found
    whole = replace(found, captions=captions, remarks=(*found.remarks, *faults.remarks))
    return whole.keeping(image.id for image in images)


def refuse_doubles(name: str, what: str, ids: Iterable[str]) -> None:
    """Refuse ids that stand more than once.

    Raises:
        DatasetError: the message names the first and counts them.
    """
    twice = [(found, count) for found, count in Counter(ids).items() if count > 1]
    if twice:
        first, count = twice[0]
        others = f", and {len(twice) - 1} other ids stand more than once" if len(twice) > 1 else ""
        raise DatasetError(f"{name}: the {what} id {first} stands {count} times{others}; give each {what} its own id")


def _spoken(captions: tuple[Caption, ...], images: Mapping[str, ImageEntry], faults: Faults) -> tuple[Caption, ...]:
    strays = [caption for caption in captions if caption.image_id not in images]
    if strays:
        first = strays[0]
        faults.found(
            f"{len(strays)} of {len(captions)} captions are of pictures that the set does not list, the first is "
            f"caption {first.id} of picture {first.image_id}",
            "add the pictures",
        )
    empty = [caption for caption in captions if not caption.text and caption.image_id in images]
    if empty:
        faults.found(
            f"{len(empty)} of {len(captions)} captions are empty, the first is caption {empty[0].id} of picture "
            f"{empty[0].image_id}",
            "write them",
        )
    return tuple(caption for caption in captions if caption.text and caption.image_id in images)


def _described(images: tuple[ImageEntry, ...], captions: tuple[Caption, ...], faults: Faults) -> tuple[ImageEntry, ...]:
    spoken = {caption.image_id for caption in captions}
    silent = [image for image in images if image.id not in spoken]
    if silent:
        faults.found(
            f"{len(silent)} of {len(images)} pictures have no caption, the first is {silent[0].id}", "add captions"
        )
    return tuple(image for image in images if image.id in spoken)
