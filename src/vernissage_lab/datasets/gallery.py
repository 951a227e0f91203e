"""A museum's table or any collection folder as a captioned set: words as captions, groups as classes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from vernissage.catalog.item import Item
from vernissage.catalog.report import Reading
from vernissage.catalog.sources.columns import plain_name
from vernissage.catalog.sources.contract import Record
from vernissage.catalog.sources.folder import FolderSource
from vernissage.catalog.words import joined
from vernissage_lab.datasets.captioned import (
    Caption,
    CaptionedSet,
    DatasetError,
    Faults,
    ImageEntry,
    Label,
    checked,
    refuse_doubles,
)
from vernissage_lab.datasets.reading import KNOWN, require_file, require_folder, require_some
from vernissage_lab.tables import counted

CAPTION = ("title+description+keywords",)
"""One caption a work, of these fields, as far as the work has them."""

SOURCE: str = KNOWN["gallery"]["source"]
GROUP = "group"

_FIELDS = ("title", "artist", "year", "medium", "description", "keywords", "group", "owner", "licence")


@dataclass(frozen=True)
class _Column:
    """What stands in one field of a work or in one of its table's other columns."""

    name: str
    field: str = ""

    def __call__(self, item: Item) -> str:
        if not self.field:
            return item.attributes.get(self.name, "")
        value = getattr(item, self.field)
        return value if isinstance(value, str) else ", ".join(value)


def read_gallery(
    path: Path,
    *,
    pictures: Path | None = None,
    source: str = SOURCE,
    captions: Sequence[str] = CAPTION,
    classes: str = GROUP,
    needs_groups: bool = False,
    skip_bad: bool = False,
) -> CaptionedSet:
    """Read a folder with a table and pictures, a table alone, or a folder of pictures.

    Columns are understood as `load_collection` understands them, but pictures may be missing and none is decoded.
    Classes are numbered by the alphabet. Story groups are the works' groups; keywords are the pictures' tags.

    Args:
        pictures: the folder that the table's file names start from; the table's own without.
        captions: of each work, each of one or more fields or columns joined by ``+``: ``("title", "description")``
            are two captions where a work has both. A work's only caption has its id, several have the fields too.
        classes: the field or column whose values are the classes; a work without a value has no class.
        needs_groups: whether a table without story groups is refused.
        skip_bad: leave out damaged rows and works without captions.

    Raises:
        DatasetError: see `checked`; a column is missing, or a row has no id.
        CollectionError: there is no collection, or its table cannot be read at all.
    """
    if source != SOURCE:
        require_file(path, "a table with a column of story groups", source)
    if pictures is not None:
        require_folder(pictures)
    folder = FolderSource(path, pictures=pictures)
    records, reading, name = list(folder.records()), folder.reading(), folder.name
    faults = Faults(name, skip_bad)
    if reading.encoding and not reading.encoding.startswith("UTF-8"):
        faults.remarks.append(f"the table was read as {reading.encoding}")
    if problems := reading.problems:
        faults.found(f"{counted(len(problems), 'damaged row')}, the first: {problems[0].line()}", "mend them")
    works = [record.item for record in records]
    _require_ids(name, records)
    if needs_groups and not any(item.group for item in works):
        there = ", ".join((*reading.columns, *reading.attributes)) or "none"
        raise DatasetError(f"{name} has no column of story groups (columns: {there}); add one called story_group")
    wanted = [[_column(reading, word, name) for word in caption.split("+")] for caption in captions]
    class_of = _column(reading, classes, name)
    images = tuple(_entry(record, folder) for record in records)
    if pictures is not None:
        require_some(images, pictures, "that the table's file names start from")
    found = CaptionedSet(
        name,
        source,
        images,
        tuple(_captions(works, wanted)),
        labels=_labels({item.id: class_of(item) for item in works}),
        image_tags={item.id: item.keywords for item in works if item.keywords},
        groups={item.id: item.group for item in works if item.group},
        owners={item.id: item.owner for item in works if item.owner},
        remarks=tuple(faults.remarks),
    )
    return checked(found, skip_bad=skip_bad)


def _require_ids(name: str, records: Sequence[Record]) -> None:
    nameless = [record.row for record in records if not record.item.id]
    if nameless:
        raise DatasetError(
            f"{name}: {len(nameless)} rows have no id, the first is row {nameless[0]}; give each its own"
        )
    refuse_doubles(name, "work", (record.item.id for record in records))


def _column(reading: Reading, word: str, name: str) -> _Column:
    """The field or column that is meant; case, blanks and marks do not count.

    Raises:
        DatasetError: there is none; the message names those that are there.
    """
    plain = plain_name(word)
    for column in reading.attributes:
        if plain_name(column) == plain:
            return _Column(column)
    for column, meaning in reading.columns.items():
        if plain_name(column) == plain and meaning in _FIELDS:
            return _Column(column, meaning)
    if plain in _FIELDS:
        return _Column(plain, plain)
    there = ", ".join((*reading.columns, *reading.attributes)) or "none"
    raise DatasetError(f"{name} has no column {word!r}; its columns are {there}")


def _captions(works: Sequence[Item], wanted: Sequence[Sequence[_Column]]) -> Iterator[Caption]:
    for item in works:
        for columns in wanted:
            text = joined([column(item) for column in columns])
            if text:
                suffix = "" if len(wanted) == 1 else "#" + "+".join(column.name for column in columns)
                yield Caption(item.id + suffix, item.id, text)


def _labels(classes: Mapping[str, str]) -> dict[str, Label]:
    order = {name: place for place, name in enumerate(sorted({name for name in classes.values() if name}))}
    return {item_id: Label(order[name], name) for item_id, name in classes.items() if name}


def _entry(record: Record, source: FolderSource) -> ImageEntry:
    # Where the folders above a picture lie on somebody's machine is no part of the set, nor of its fingerprint.
    file = PurePath(record.file).name if PurePath(record.file).is_absolute() else record.file
    image = ImageEntry(record.item.id, "" if record.file == record.item.picture_link else file)
    if not record.pictures:
        return image
    path = source.picture_path(record.pictures[0])
    return replace(image, path=path, size=path.stat().st_size)
