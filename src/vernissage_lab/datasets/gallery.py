"""A museum's table or any collection folder as a captioned set: words as captions, groups as classes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vernissage.catalog.columns import plain_name
from vernissage.catalog.drafts import Draft, Drafts, drafts_of_pictures, drafts_of_table
from vernissage.catalog.folder import OutsideError, Pictures, find_table
from vernissage.catalog.item import Item
from vernissage.catalog.records import read_table
from vernissage.catalog.report import Problem
from vernissage.catalog.words import joined
from vernissage.errors import CollectionError
from vernissage_lab.datasets.captioned import Caption, CaptionedSet, DatasetError, ImageEntry, Label, counted
from vernissage_lab.datasets.checking import Faults, checked, refuse_doubles
from vernissage_lab.datasets.files import require_file
from vernissage_lab.datasets.picture_files import require_folder

CAPTION = ("title+description+keywords",)
"""One caption a work, of these fields, as far as the work has them."""

SOURCE = "the collection's own folder; its licence is a column of the table"
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
        path: folder or table.
        pictures: the folder that the table's file names start from; the table's own without.
        source: where this set comes from.
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
    root, drafts, problems, name, encoding = _drafts(path)
    faults = Faults(name, skip_bad)
    if encoding and not encoding.startswith("UTF-8"):
        faults.remarks.append(f"the table was read as {encoding}")
    if problems:
        faults.found(f"{counted(len(problems), 'damaged row')}, the first: {problems[0].line()}", "mend them")
    works = [draft.item for draft in drafts.works]
    _require_ids(name, drafts.works)
    if needs_groups and not any(item.group for item in works):
        there = ", ".join((*drafts.columns, *drafts.attributes)) or "none"
        raise DatasetError(f"{name} has no column of story groups (columns: {there}); add one called story_group")
    spoken = [[_column(drafts, word, name) for word in caption.split("+")] for caption in captions]
    class_of = _column(drafts, classes, name)
    found = CaptionedSet(
        name,
        source,
        _located(drafts.works, Pictures(pictures or root), required=pictures is not None),
        tuple(_captions(works, spoken)),
        labels=_labels({item.id: class_of(item) for item in works}),
        image_tags={item.id: item.keywords for item in works if item.keywords},
        groups={item.id: item.group for item in works if item.group},
        owners={item.id: item.owner for item in works if item.owner},
        remarks=tuple(faults.remarks),
    )
    return checked(found, skip_bad=skip_bad)


def _drafts(path: Path) -> tuple[Path, Drafts, Sequence[Problem], str, str]:
    """The collection's folder, its works, damaged rows, its name, and how the table's bytes were read."""
    root, file = find_table(path)
    name = root.resolve().name if path.is_dir() else path.stem
    if file is not None:
        table = read_table(file)
        return root, drafts_of_table(table), table.problems, name, table.encoding
    paths = Pictures(root).paths
    if not paths:
        raise CollectionError(f"{root} holds neither a table named metadata nor pictures; name a collection's folder")
    return root, drafts_of_pictures(paths), (), name, ""


def _require_ids(name: str, works: Sequence[Draft]) -> None:
    nameless = [draft.row for draft in works if not draft.item.id]
    if nameless:
        raise DatasetError(
            f"{name}: {len(nameless)} rows have no id, the first is row {nameless[0]}; give each its own"
        )
    refuse_doubles(name, "work", (draft.item.id for draft in works))


def _column(drafts: Drafts, word: str, name: str) -> _Column:
    """The field or column that is meant; case, blanks and marks do not count.

    Raises:
        DatasetError: there is none; the message names those that are there.
    """
    plain = plain_name(word)
    for column in drafts.attributes:
        if plain_name(column) == plain:
            return _Column(column)
    for column, meaning in drafts.columns.items():
        if plain_name(column) == plain and meaning in _FIELDS:
            return _Column(column, meaning)
    if plain in _FIELDS:
        return _Column(plain, plain)
    there = ", ".join((*drafts.columns, *drafts.attributes)) or "none"
    raise DatasetError(f"{name} has no column {word!r}; its columns are {there}")


def _captions(works: Sequence[Item], spoken: Sequence[Sequence[_Column]]) -> Iterator[Caption]:
    for item in works:
        for columns in spoken:
            text = joined([column(item) for column in columns])
            if text:
                suffix = "" if len(spoken) == 1 else "#" + "+".join(column.name for column in columns)
                yield Caption(item.id + suffix, item.id, text)


def _labels(classes: Mapping[str, str]) -> dict[str, Label]:
    order = {name: place for place, name in enumerate(sorted({name for name in classes.values() if name}))}
    return {item_id: Label(order[name], name) for item_id, name in classes.items() if name}


def _located(works: Sequence[Draft], files: Pictures, *, required: bool) -> tuple[ImageEntry, ...]:
    if required:
        require_folder(files.root)
    found = tuple(_entry(draft, files) for draft in works)
    named = [image for image in found if image.file]
    if required and named and not any(image.path for image in named):
        raise DatasetError(
            f"{files.root} holds none of the set's {len(named)} pictures, such as {named[0].file}; name the folder "
            f"that the table's file names start from"
        )
    return found


def _entry(draft: Draft, files: Pictures) -> ImageEntry:
    image = ImageEntry(draft.item.id, draft.file)
    try:
        inside = files.locate(draft.file) if draft.file else None
    except OutsideError:
        inside = None  # a path that leads out of the folder is never followed: the picture counts as missing
    if inside is None:
        return image
    path = files.root / inside
    return replace(image, path=path, size=path.stat().st_size)
