"""A captioned picture set: what every published format is read to, and what every experiment runs on.

What it must keep to is refused or left out, and always counted; see `checked`.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from vernissage.errors import VernissageError
from vernissage.files import digest
from vernissage_lab.tables import counted

Split = Literal["train", "val", "test", ""]
"""The part of a published split that a picture belongs to; empty where the set has none."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class DatasetError(VernissageError):
    """A data set that is missing, cannot be read, or cannot serve for what was asked."""


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One picture of a set.

    Attributes:
        id: unique among the set's pictures.
        file: the picture file as the set names it; empty for works that are texts alone.
        path: where that file was found; None when it is missing.
        split: its part of the published split.
        size: of the file in bytes; 0 when it is missing.
    """

    id: str
    file: str = ""
    path: Path | None = None
    split: Split = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Caption:
    """One text about one picture; ``id`` is unique among the set's captions."""

    id: str
    image_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Label:
    """The class of a picture: told apart by ``index``, for two classes may have one label ("crane").

    ``probability`` is the classifier's; None where the set itself says what the picture shows.
    """

    index: int
    label: str
    probability: float | None = None


@dataclass(frozen=True)
class CaptionedSet:
    """Pictures, captions of them, and what else a set says; immutable.

    Attributes:
        name: in words, such as "MSCOCO (Karpathy split)".
        source: where it officially comes from, with its licence as far as known.
        images: in the set's order; their files may be missing, and then texts can still be compared.
        captions: in the set's order; every picture has one or more.
        labels: the class of each picture, by its id; empty for sets that are not classified.
        image_tags: words for what is seen, by picture id.
        text_tags: words of the caption, by caption id.
        groups: story groups, by picture id.
        owners: who uploaded it, by picture id.
        remarks: what was decided or left out while reading, in words.
    """

    name: str
    source: str
    images: tuple[ImageEntry, ...]
    captions: tuple[Caption, ...]
    labels: Mapping[str, Label] = field(default_factory=lambda: _NOTHING)
    image_tags: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    text_tags: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    groups: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    owners: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    remarks: tuple[str, ...] = ()

    @cached_property
    def image_of(self) -> Mapping[str, ImageEntry]:
        """The pictures by id."""
        return MappingProxyType({image.id: image for image in self.images})

    @cached_property
    def captions_of(self) -> Mapping[str, tuple[Caption, ...]]:
        """The captions of each picture, by its id, in the set's order."""
        found: dict[str, list[Caption]] = {image.id: [] for image in self.images}
        for caption in self.captions:
            found[caption.image_id].append(caption)
        return MappingProxyType({image_id: tuple(captions) for image_id, captions in found.items()})

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Ids of the pictures that the set names and whose files are not there."""
        return tuple(image.id for image in self.images if image.file and image.path is None)

    @cached_property
    def splits(self) -> Mapping[str, int]:
        """How many pictures each part of the split has; the empty key counts those outside of it."""
        return MappingProxyType(dict(sorted(Counter[str](image.split for image in self.images).items())))

    @cached_property
    def members(self) -> Mapping[int, tuple[str, ...]]:
        """The pictures of each class by class index: the largest class first, ties by index."""
        found: dict[int, list[str]] = {}
        for image in self.images:
            if image.id in self.labels:
                found.setdefault(self.labels[image.id].index, []).append(image.id)
        order = sorted(found, key=lambda index: (-len(found[index]), index))
        return MappingProxyType({index: tuple(found[index]) for index in order})

    @cached_property
    def class_names(self) -> Mapping[int, str]:
        """The label of each class, by class index."""
        return MappingProxyType({label.index: label.label for label in self.labels.values()})

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over everything but name, source, folder and remarks.

        A picture counts by its name and its size in bytes: reading 20 GB of pictures takes too long to be done
        whenever a set is opened.
        """
        about = (self.groups, self.owners, self.image_tags)
        images = [
            [image.id, image.file, image.split, image.size, _label(self.labels.get(image.id))] for image in self.images
        ]
        told = [[values.get(image.id) for values in about] for image in self.images]
        captions = [
            [caption.id, caption.image_id, caption.text, self.text_tags.get(caption.id, ())]
            for caption in self.captions
        ]
        return digest(*(json.dumps(part, ensure_ascii=False).encode() for part in (images, told, captions)))[:16]

    def part(self, split: Split) -> "CaptionedSet":
        """The pictures of one part of the split, with all that belongs to them.

        Raises:
            DatasetError: no picture belongs to it.
        """
        found = [image.id for image in self.images if image.split == split]
        if not found:
            there = ", ".join(f"{name} ({count})" for name, count in self.splits.items() if name) or "no split"
            raise DatasetError(
                f"{self.name} has no part {split!r}; it has {there}: leave the part out, or choose another"
            )
        return self.keeping(found)

    def keeping(self, image_ids: Iterable[str]) -> "CaptionedSet":
        """These pictures alone, in the set's order, with all that belongs to them."""
        kept = frozenset(image_ids)
        captions = tuple(caption for caption in self.captions if caption.image_id in kept)
        told: dict[str, Any] = {
            each: _among(getattr(self, each), kept) for each in ("labels", "image_tags", "groups", "owners")
        }
        tags = _among(self.text_tags, {caption.id for caption in captions})
        images = tuple(image for image in self.images if image.id in kept)
        return replace(self, images=images, captions=captions, text_tags=tags, **told)

    def require_classes(self, count: int) -> None:
        """Refuse fewer classes than these. Raises DatasetError: there are; the message says how many there are."""
        if not self.labels:
            raise DatasetError(
                f"{self.name} has no classes, but {count} are needed; classify it with `vernissage lab experiment "
                f"classify`, or take a set with a column of classes"
            )
        if len(self.members) < count:
            raise DatasetError(
                f"{self.name} has {counted(len(self.members), 'class')}, but {count} are needed; ask for fewer "
                f"with --query-classes, or take a larger set"
            )


def _label(label: Label | None) -> list[Any] | None:
    return None if label is None else [label.index, label.label, label.probability]


def _among(values: Mapping[str, Any], kept: Collection[str]) -> Mapping[str, Any]:
    return MappingProxyType({key: value for key, value in values.items() if key in kept})


@dataclass
class Faults:
    """Collects what is wrong: raises at the first kind, or with ``skip_bad`` remembers what was left out."""

    name: str
    skip_bad: bool
    remarks: list[str] = field(default_factory=list)

    def found(self, what: str, way_out: str) -> None:
        """Something was found that is refused, or left out. Raises DatasetError: unless ``skip_bad``."""
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
    captions = _with_text(found.captions, found.image_of, faults)
    images = _with_captions(found.images, captions, faults)
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
    """Refuse ids that stand more than once. Raises DatasetError: the message names the first and counts them."""
    twice = [(found, count) for found, count in Counter(ids).items() if count > 1]
    if twice:
        first, count = twice[0]
        others = f", and {len(twice) - 1} other ids stand more than once" if len(twice) > 1 else ""
        raise DatasetError(f"{name}: the {what} id {first} stands {count} times{others}; give each {what} its own id")


def _with_text(captions: tuple[Caption, ...], images: Mapping[str, ImageEntry], faults: Faults) -> tuple[Caption, ...]:
    unlisted = [caption for caption in captions if caption.image_id not in images]
    empty = [caption for caption in captions if not caption.text and caption.image_id in images]
    for bad, why, way_out in (
        (unlisted, "are of pictures that the set does not list", "add the pictures"),
        (empty, "are empty", "write them"),
    ):
        if bad:
            first = f"the first is caption {bad[0].id} of picture {bad[0].image_id}"
            faults.found(f"{len(bad)} of {len(captions)} captions {why}, {first}", way_out)
    return tuple(caption for caption in captions if caption.text and caption.image_id in images)


def _with_captions(
    images: tuple[ImageEntry, ...], captions: tuple[Caption, ...], faults: Faults
) -> tuple[ImageEntry, ...]:
    captioned = {caption.image_id for caption in captions}
    if bare := [image for image in images if image.id not in captioned]:
        first = f"{len(bare)} of {len(images)} pictures have no caption, the first is {bare[0].id}"
        faults.found(first, "add captions")
    return tuple(image for image in images if image.id in captioned)


def one_caption_each(found: CaptionedSet, *, seed: int = 0) -> CaptionedSet:
    """The set with one of each picture's captions, drawn at random; what is drawn for a picture hangs on it alone.

    Drawn by a digest of seed and caption id, so that no version of a library changes what is drawn.
    """

    def drawing(caption: Caption) -> tuple[str, str]:
        return digest(str(seed).encode(), caption.id.encode()), caption.id

    drawn = [min(captions, key=drawing) for captions in found.captions_of.values()]
    kept = {caption.id for caption in drawn}
    tags = {caption_id: tags for caption_id, tags in found.text_tags.items() if caption_id in kept}
    return replace(found, captions=tuple(drawn), text_tags=tags)


_LARGEST = 10
_SHOWN = 5


def described(found: CaptionedSet) -> dict[str, Any]:
    """The counts of a set as JSON values."""
    sizes = [len(captions) for captions in found.captions_of.values()]
    return {
        "name": found.name,
        "source": found.source,
        "fingerprint": found.fingerprint,
        "images": len(found.images),
        "captions": len(found.captions),
        "captions_per_image": {"fewest": min(sizes), "mean": round(sum(sizes) / len(sizes), 3), "most": max(sizes)},
        "pictures_there": sum(image.path is not None for image in found.images),
        "pictures_missing": len(found.missing),
        "first_missing": [found.image_of[image_id].file for image_id in found.missing[:_SHOWN]],
        "texts_alone": sum(not image.file for image in found.images),
        "splits": dict(found.splits) if any(found.splits) else {},
        "classes": len(found.members),
        "classified": len(found.labels),
        "largest_classes": [
            {"index": index, "label": found.class_names[index], "images": len(ids)}
            for index, ids in list(found.members.items())[:_LARGEST]
        ],
        "groups": len(set(found.groups.values())),
        "owners": len(set(found.owners.values())),
        "with_image_tags": len(found.image_tags),
        "with_text_tags": len(found.text_tags),
        "remarks": list(found.remarks),
    }


def description_lines(found: CaptionedSet) -> list[str]:
    """The same for people; what a set does not have is not spoken of."""
    facts = described(found)
    each = facts["captions_per_image"]
    counts = f"{counted(facts['images'], 'picture')}, {counted(facts['captions'], 'caption')}"
    lines = [f"{facts['name']}: {counts} ({each['fewest']} to {each['most']} each)", _files(facts)]
    if facts["splits"]:
        parts = (f"{name or 'in no part'} {count}" for name, count in facts["splits"].items())
        lines.append(f"split: {', '.join(parts)}")
    if facts["classes"]:
        largest = "; ".join(f"{each['label']} ({each['images']})" for each in facts["largest_classes"][:_SHOWN])
        lines.append(f"{facts['classes']} classes of {facts['classified']} pictures, the largest: {largest}")
    what_is_told = {"groups": "story groups", "owners": "owners"}
    what_is_told |= {"with_image_tags": "pictures with tags", "with_text_tags": "captions with tags"}
    told = [f"{facts[key]} {what}" for key, what in what_is_told.items() if facts[key]]
    lines += [", ".join(told)] if told else []
    return [*lines, *found.remarks, f"fingerprint: {facts['fingerprint']}", f"source: {facts['source']}"]


def _files(facts: dict[str, Any]) -> str:
    if facts["texts_alone"] == facts["images"]:
        return "texts alone: the set names no picture files, so tasks with pictures cannot run"
    line = f"{facts['pictures_there']} picture files there, {facts['pictures_missing']} missing"
    if facts["pictures_missing"]:
        line += f", such as {facts['first_missing'][0]}; tasks with texts alone still run"
    return line
