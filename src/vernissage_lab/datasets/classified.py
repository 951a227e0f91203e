"""The classified tables of D'Asaro et al. (doi 10.1016/j.eswa.2024.125108): a caption, a class and tags in each row."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

from vernissage.files import write_bytes
from vernissage_lab.datasets.captioned import Caption, CaptionedSet, DatasetError, ImageEntry, Label, Split
from vernissage_lab.datasets.reading import KNOWN, Rows, assembled, cell_of, read_rows, require_file

SOURCE: str = KNOWN["classified"]["source"]
COLUMNS: Mapping[str, list[str]] = KNOWN["classified"]["columns"]
"""What each column may be called."""

_Value = TypeVar("_Value")

_UNNAMED = ("id", "caption", "class_index", "label", "image_tags", "text_tags")
"""The columns of a table without a header, as the authors published theirs; those of tags may be missing."""

_NEEDED = {"id": "the picture's id", "caption": "its text", "class_index": "the number of its class"}


def read_classified(path: Path, *, pictures: Path | None = None, skip_bad: bool = False) -> CaptionedSet:
    """Read a table of captions with class and tags, with or without a header.

    A picture may have several rows, one for each caption; what they say of the picture must agree. Tags are separated
    by commas. Without a column of files, the picture of id 42 is 42.jpg, or as MSCOCO names it.

    Args:
        path: the table; separated by commas, semicolons, tabs or vertical bars.
        skip_bad: leave out rows without a caption.

    Raises:
        DatasetError: see `assembled`; a column is missing, a class index is no number, or rows contradict each other.
    """
    require_file(path, "a classified table (id, caption, class index, label, image tags, text tags)", SOURCE)
    rows, places = _opened(path)
    reading = _Reading(path)
    for line, cells in rows:
        reading.add(line, {name: cell_of(cells, place) for name, place in places.items()})
    also = None if places.get("file") is not None else _coco_names
    return assembled(reading.whole(), path.parent, pictures, skip_bad=skip_bad, also=also)


def write_classified(found: CaptionedSet, path: Path) -> None:
    """Write a set as such a table, a row for each caption, so that `read_classified` reads an equal set again.

    Columns that would be empty are left out.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    lines = [_line(found, caption) for caption in found.captions]
    needed = {"id", "caption_id", "caption", "class_index", "label"}
    columns = [name for name in COLUMNS if name in needed or any(line[name] for line in lines)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([line[name] for name in columns] for line in lines)
    write_bytes(path, text.getvalue().encode())


@dataclass
class _Reading:
    """What the rows say: captions, and of each picture its entry, and by field of the set what else is told of it."""

    path: Path
    images: dict[str, ImageEntry] = field(default_factory=dict)
    captions: list[Caption] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=lambda: defaultdict(dict))
    _met: Counter[str] = field(default_factory=Counter)

    def whole(self) -> CaptionedSet:
        """All rows as a set, its picture files not yet looked for."""
        images, captions = tuple(self.images.values()), tuple(self.captions)
        return CaptionedSet(self.path.stem, SOURCE, images, captions, **self.told)

    def add(self, line: int, row: Mapping[str, str]) -> None:
        """Take in one row."""
        image_id = row["id"]
        if not image_id:
            raise DatasetError(f"{self.path}, line {line} has no id; write the picture's id there")
        caption_id = row.get("caption_id") or f"{image_id}#{self._met[image_id]}"
        self._met[image_id] += 1
        self.captions.append(Caption(caption_id, image_id, row["caption"]))
        if tags := _tags(row.get("text_tags", "")):
            self.told["text_tags"][caption_id] = tags
        entry = ImageEntry(image_id, row.get("file", f"{image_id}.jpg"), split=self._split(line, row.get("split", "")))
        self._agree(line, self.images, image_id, "split or file", entry)
        if row["class_index"] or row.get("label"):
            self._agree(line, self.told["labels"], image_id, "class", self._label(line, row))
        self._agree(line, self.told["image_tags"], image_id, "image tags", _tags(row.get("image_tags", "")))
        for column in ("group", "owner"):
            self._agree(line, self.told[f"{column}s"], image_id, column, row.get(column, ""))

    def _agree(self, line: int, values: dict[str, _Value], image_id: str, what: str, value: _Value) -> None:
        if value and values.setdefault(image_id, value) != value:
            raise DatasetError(
                f"{self.path}, line {line} gives picture {image_id} another {what} ({_in_words(value)}) than a line "
                f"before ({_in_words(values[image_id])}); give each picture one"
            )

    def _label(self, line: int, row: Mapping[str, str]) -> Label:
        index, probability = row["class_index"], row.get("probability", "")
        name = row.get("label", "") or f"class {index}"
        try:
            return Label(int(index), name, float(probability) if probability else None)
        except ValueError:
            raise DatasetError(
                f"{self.path}, line {line} has the class index {index!r} and probability {probability!r}; the first "
                f"must be a whole number, the second a number or empty"
            ) from None

    def _split(self, line: int, word: str) -> Split:
        for split in get_args(Split):
            if word == split:
                return split  # type: ignore[no-any-return]  # a member of the literal
        raise DatasetError(f"{self.path}, line {line} has the split {word!r}; write train, val, test or nothing")


def _opened(path: Path) -> tuple[Rows, dict[str, int | None]]:
    """The rows, and where each column is."""
    rows = read_rows(path)
    places = {name: rows.place(*names) for name, names in COLUMNS.items()}
    unnamed = len(rows.header) in {4, 6} and rows.header[2].isdigit()
    if unnamed and sum(place is not None for place in places.values()) < 2:
        return rows.without_header(), {name: place for place, name in enumerate(_UNNAMED) if place < len(rows.header)}
    needed = {name: rows.required(what, *COLUMNS[name]) for name, what in _NEEDED.items()}
    return rows, {**{name: place for name, place in places.items() if place is not None}, **needed}


def _coco_names(image: ImageEntry) -> Iterator[str]:
    """What MSCOCO calls the picture of that id."""
    if image.id.isdigit():
        yield f"{int(image.id):012d}.jpg"
        yield from (f"COCO_{part}2014_{int(image.id):012d}.jpg" for part in ("train", "val"))


def _tags(cell: str) -> tuple[str, ...]:
    return tuple(tag for part in cell.split(",") if (tag := part.strip()))


def _in_words(value: object) -> str:
    if isinstance(value, Label):
        return f"{value.index} {value.label}"
    if isinstance(value, ImageEntry):
        return f"{value.split or 'no split'}, {value.file}"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _line(found: CaptionedSet, caption: Caption) -> dict[str, str]:
    image, label = found.image_of[caption.image_id], found.labels.get(caption.image_id)
    probability = label.probability if label else None
    return {
        "id": image.id,
        "caption_id": caption.id,
        "caption": caption.text,
        "class_index": str(label.index) if label else "",
        "label": label.label if label else "",
        "probability": "" if probability is None else repr(probability),
        "image_tags": ",".join(found.image_tags.get(image.id, ())),
        "text_tags": ",".join(found.text_tags.get(caption.id, ())),
        "file": image.file,
        "split": image.split,
        "group": found.groups.get(image.id, ""),
        "owner": found.owners.get(image.id, ""),
    }
