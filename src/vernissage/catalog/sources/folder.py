"""A collection in a folder: a table and pictures, a table alone, or pictures alone."""

import os
import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

from vernissage.catalog.fetching import MARK, FetchedPictures, fetched_path
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import HEIC_HINT, PICTURE_SUFFIXES, VIDEO_HINT, VIDEO_SUFFIXES
from vernissage.catalog.report import Guess, Problem, ProblemKind, Reading
from vernissage.catalog.sources.columns import (
    OPTIONAL,
    Place,
    TableOptions,
    beside,
    names_no_words,
    repeated_id,
    speaking,
    understand,
)
from vernissage.catalog.sources.contract import Record
from vernissage.catalog.sources.embedded import Embedded, embedded_in
from vernissage.catalog.sources.foreign import XML_SUFFIXES, foreign_file, reads_xml, refusal
from vernissage.catalog.sources.tables import READERS, Table, read_table, xml_files
from vernissage.catalog.sources.views import NOT_READ, RAW, links_in, looks_like_picture, names_in, views_of
from vernissage.catalog.words import (
    attribute_words,
    clean_cell,
    holds_credentials,
    holds_words,
    is_address,
    joined,
    keyword_separator,
    picture_link,
    repeats_group,
    same_words,
    split_keywords,
    without_markup,
)
from vernissage.errors import CollectionError
from vernissage.files import digest, is_below, seal_of
from vernissage.progress import Progress, silent

_TABLE_STEM = "metadata"
_OTHER_TABLES = frozenset({"factors.csv"})
_DRIVE = re.compile(r"^[A-Za-z]:/")
_LIST = re.compile(rf"(?:{'|'.join(map(re.escape, sorted(PICTURE_SUFFIXES)))})[|;,\s]", re.IGNORECASE)
_CAMERA_NAME = re.compile(r"^(?:img|dsc[fn]?|dcim|pict?|image|photo|picture|scan|p|s)?[\W_]*\d[\d\W_]*$", re.IGNORECASE)
_CLEANED = ("title", "artist", "year", "medium", "description")
_WHOLE_NUMBER = re.compile(r"-?\d{1,5}")

WORKSPACE_FILES = ("workspace.json", ".writer.lock")
"""By which a workspace is known, finished or not: one may lie beside a table, and its pictures are not the table's."""

_Work = tuple[int | None, Item, str]
"""A row, the work that it describes, and what it says of the picture's file."""


@dataclass
class _Met:
    """What was met while records were read: cells that name pictures, and those that name them in other words."""

    named: bool = False
    addresses: int = 0
    credentials: int = 0
    embedded: int = 0
    respelled: list[tuple[str, str]] = field(default_factory=list)


class Described(NamedTuple):
    """The works of a table or of file names; each is made when it is asked for."""

    number: int
    works: Callable[[], Iterable[_Work]]
    reading: Reading
    links: Callable[[], Sequence[str]] = tuple


class FolderSource:
    """A folder whose table is called ``metadata``, a table, or a folder of pictures, as a `Source`.

    Pictures lie anywhere below the folder. A cell may name several, see `names_in`, as may several columns, and rows of
    equal id and title: the first that is there leads.

    Attributes:
        whole_ids: whether ids that are web addresses stay whole, see `described_by_table`; to be set before reading.
    """

    def __init__(
        self,
        path: Path,
        *,
        pictures: Path | None = None,
        options: TableOptions | None = None,
        fetched: FetchedPictures | None = None,
    ) -> None:
        """Read from a folder or a table; ``pictures`` is the folder that its file names start from if not its own.

        Cells that are web addresses give pictures as far as they are among the ``fetched`` ones, which `records` asks
        for them first.
        """
        self.location = path
        self.fetched = fetched
        self.options = options or TableOptions()
        self.whole_ids = False
        self._pictures = pictures or (Path(self.options.pictures) if self.options.pictures else None)
        self._met = _Met()

    @cached_property
    def _found(self) -> tuple[Path, Path | None]:
        return find_table(self.location)

    @property
    def name(self) -> str:
        return self.location.resolve().name if self.location.is_dir() else self.location.stem

    @cached_property
    def folder(self) -> Path:
        return self._pictures or self._found[0]

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Paths of all pictures below the folder, with forward slashes, sorted; hidden ones are passed over."""
        return tuple(sorted(path.as_posix() for path in _below(self.folder) if _suffix(path.name) in PICTURE_SUFFIXES))

    def _passed_over(self) -> tuple[str, ...]:
        """What to say of files of pictures in formats that are not read."""
        kinds = Counter(_suffix(path.name) for path in _below(self.folder))
        unread = sorted((NOT_READ - PICTURE_SUFFIXES) & kinds.keys())
        heic = f", or {HEIC_HINT}" if {".heic", ".heif"} & set(unread) else ""
        ways = {f"save them as JPEG, PNG or TIFF{heic}": set(unread) - VIDEO_SUFFIXES, VIDEO_HINT: VIDEO_SUFFIXES}
        told = {way: [f"{kinds[each]} {each[1:].upper()}" for each in unread if each in of] for way, of in ways.items()}
        return tuple(f"not read: {', '.join(some)}; {way}" for way, some in told.items() if some)

    def fingerprint(self) -> str:
        """Over the bytes of the table or of the XML files, and the names, sizes and times of change of all pictures."""
        table = self._found[1]
        files = xml_files(table) if table is not None and table.is_dir() else filter(None, [table])
        parts = [seal_of(file).sha256 for file in files]
        for path in self.paths:
            told = (self.folder / path).stat()
            parts.append(f"{path}\0{told.st_size}\0{told.st_mtime_ns}")
        return digest(*(part.encode() for part in parts))[:16]

    @cached_property
    def _described(self) -> Described:
        root, table_path = self._found
        if table_path is not None:
            table = read_table(table_path, self.options.encoding)
            return described_by_table(table, table_path.name, self.options, whole_ids=self.whole_ids)
        others = [file.name for file in _tables(root) if file.name not in _OTHER_TABLES]
        if not self.paths:
            if found := foreign_file(root):
                raise CollectionError(refusal(*found))
            way_out = "put a table metadata.csv or pictures into it, or give the path of a table"
            if others:
                way_out = f"its tables ({', '.join(others)}) are not called metadata: rename one, or give its path"
            raise CollectionError(f"{root} holds neither a table named metadata nor pictures; {way_out}")
        unread = (
            f"{name} was not read, so that nothing in it is known of the works; name it metadata{Path(name).suffix}, "
            f"or build from its path"
            for name in others
        )
        return _described_by_names(self.paths, tuple(unread), self.folder)

    def count(self) -> int:
        return self._described.number

    def records(self, progress: Progress = silent) -> Iterator[Record]:
        table = self._found[1]
        if table is not None:
            progress(f"reading {table.name}", 0, 1)
        described = self._described
        if table is not None:
            progress(f"reading {table.name}", 1, 1)
        if self.fetched is not None:
            self.fetched.fetch(described.links() if self.fetched.asks else (), progress)
        self._met = _Met()
        return (self._record(*work) for work in described.works())

    def reading(self) -> Reading:
        reading, met = self._described.reading, self._met
        remarks, warnings = [*reading.remarks, *self._passed_over()], [*reading.warnings]
        if reading.table and not met.named and self.paths:
            warnings.append(
                f"pictures lie in the folder ({len(self.paths)}), but no row names one; name them in a column "
                f"file_name to use them"
            )
        if met.embedded:
            remarks.append(f"pictures whose files say more of them (in XMP, IPTC or EXIF): {met.embedded}")
        if met.addresses:
            remarks += self._of_addresses(reading)
        if met.respelled:
            cell, path = met.respelled[0]
            remarks.append(
                f"pictures found by names that differ a little from the table's: {len(met.respelled)}, such as "
                f"{cell} → {path}"
            )
        return replace(reading, remarks=tuple(remarks), warnings=tuple(warnings))

    def _of_addresses(self, reading: Reading) -> Iterator[str]:
        """What to say of cells that hold web addresses."""
        column = next(column for column, meaning in reading.columns.items() if meaning == "picture")
        told = f"column {column} holds {self._met.addresses} web addresses, not files: kept as links"
        if self.fetched is None or not self.fetched.asks:
            yield f"{told}; `vernissage build … --fetch-pictures` downloads the pictures (docs/collections.md says how)"
        else:
            yield f"{told}; pictures that could not be fetched: {len(self.fetched.unfetched)}"
        if self.fetched is not None and self.fetched.beyond:
            yield f"pictures beyond the bounds, which were not fetched: {self.fetched.beyond}; --fetch-most raises them"
        if self._met.credentials:
            yield f"addresses with a name or password, which are neither kept nor sent: {self._met.credentials}"

    def picture_path(self, picture: str) -> Path:
        if picture.startswith(MARK):
            return fetched_path(self.fetched.folder if self.fetched else None, picture)
        return self.folder / picture

    def _record(self, row: int | None, item: Item, cell: str) -> Record:
        if not cell:
            return Record(item, row=row)
        self._met.named = True
        self._met.embedded += row is None and bool(item.artist or item.year or item.description or item.keywords)
        names = names_in(cell, self._is_there)
        addresses = [name for name in names if is_address(name)]
        self._met.addresses += len(addresses)
        self._met.credentials += sum(map(holds_credentials, addresses))
        placed = [(self._linked if is_address(name) else self._located)(name, row, item.id) for name in names]
        paths = dict.fromkeys(path for path, _ in placed if path)
        problems = tuple(problem for _, problem in placed if problem)
        return Record(item, tuple(paths), row, item.picture_link if is_address(names[0]) else names[0], problems)

    def _linked(self, address: str, row: int | None, work: str) -> tuple[str, Problem | None]:
        """The path of a picture that was fetched from its address, or why it was not; neither where none was asked."""
        link, fetched = picture_link(address), self.fetched
        if fetched is None or not link:
            return "", None
        picture, why = fetched.picture(link), fetched.unfetched.get(link, "")
        if picture or not why:
            return picture, None
        what, way_out = f"the picture {link} was not fetched: {why}", "correct the address, or try again later"
        return "", Problem("picture not fetched", row, work, link, what, way_out)

    def _located(self, name: str, row: int | None, work: str) -> tuple[str, Problem | None]:
        """The path of a picture by its name, or why there is none."""
        kind: ProblemKind = "missing picture"
        what, way_out = f"there is no picture {name}", "put the file into the folder, or empty the cell"
        try:
            path = self.locate(name)
            if path and _suffix(path) in RAW:
                kind, way_out = "unreadable picture", "save it as JPEG or TIFF"
                what = f"the picture {name} is a camera's raw picture ({_suffix(path)[1:].upper()}), which is not read"
            elif path and path == path.encode(errors="ignore").decode():  # else Python keeps bytes of it as surrogates
                if not f"/{path}".endswith("/" + name.replace("\\", "/").removeprefix("./")):
                    self._met.respelled.append((name, path))
                return path, None
            elif path:
                kind, way_out = "unreadable picture", "rename it"
                what = f"the name of the picture {name!a} is not written in UTF-8"
        except OutsideError:
            kind, way_out = "picture outside the folder", "put the picture into the folder and name it from there"
            what = f"the picture {name} lies outside the collection's folder"
        return "", Problem(kind, row, work, name, what, way_out)

    def _is_there(self, cell: str) -> bool:
        try:
            return self.locate(cell) is not None
        except OutsideError:
            return False

    def locate(self, cell: str) -> str | None:
        """The path below the folder that a cell means, or None when there is no such file.

        Tried are the folder and its ``images`` folder; then, if there is just one such file, any writing of capitals
        and accents, and a name without its suffix.

        Raises:
            OutsideError: the path leads out of the folder.
        """
        path = cell.replace("\\", "/").removeprefix("file://")
        if path.startswith("/") or _DRIVE.match(path):
            try:
                path = Path(path).resolve().relative_to(self.folder.resolve()).as_posix()
            except (ValueError, OSError):
                if found := self._by_last_parts(path):
                    return found
                raise OutsideError from None
        path = posixpath.normpath(path)
        if path.startswith("../") or path in {"..", "."}:
            raise OutsideError
        tried = (path, f"images/{path}")
        there = (each for each in tried if _exists(self.folder / each))
        matches = (self._alike.get(_alike(each), []) for each in tried)
        alike = (some[0] for some in matches if len(some) == 1)
        place = next(there, None) or next(alike, None) or self._by_last_parts(path)
        if place is not None and not is_below(self.folder, self.folder / place):
            raise OutsideError
        return place

    def _by_last_parts(self, path: str) -> str | None:
        """The one picture that has most of the last parts of a path of another machine; None where several have."""
        parts = _alike(path).strip("/").split("/")
        named = self._named_so.get(parts[-1], [])
        for count in range(0 if _LIST.search(path) else len(parts), 0, -1):
            ending = "/" + "/".join(parts[-count:])
            if found := [each for each in named if f"/{_alike(each)}".endswith(ending)]:
                return found[0] if len(found) == 1 else None
        return None

    @cached_property
    def _named_so(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for path in self.paths:
            names.setdefault(_alike(posixpath.basename(path)), []).append(path)
        return names

    @cached_property
    def _alike(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for path in self.paths:
            for name in (path, posixpath.splitext(path)[0]):
                index.setdefault(_alike(name), []).append(path)
        return index


class OutsideError(Exception):
    """A picture's path that leads out of the collection's folder."""


def find_table(path: Path) -> tuple[Path, Path | None]:
    """The root folder of a collection, and its table or None when it is a folder of pictures alone.

    A folder of XML files that are read is a table itself.

    Raises:
        CollectionError: there is nothing at ``path``, several tables, or a file that is no table.
    """
    if path.is_dir():
        tables = [file for file in _tables(path) if file.stem.lower() == _TABLE_STEM]
        if len(tables) > 1:
            names = ", ".join(file.name for file in tables)
            raise CollectionError(
                f"{path} holds several tables ({names}); keep one, or give the path of the one to read"
            )
        if not tables and any(map(reads_xml, xml_files(path))):
            return path, path
        return path, tables[0] if tables else None
    if not path.exists():
        raise CollectionError(f"there is no file or folder {path}; give the folder of a collection or its table")
    if not path.is_file():
        raise CollectionError(f"{path} is no regular file but a pipe or a device; give a folder or a table")
    if path.suffix.lower() in PICTURE_SUFFIXES:
        raise CollectionError(f"{path} is one picture; give the folder that holds the pictures")
    return path.parent, path


def _below(folder: Path) -> Iterator[Path]:
    """Paths from a folder to all files below it, without hidden ones and those of workspaces."""
    for place, names, files in os.walk(folder):
        below = Path(place).relative_to(folder)
        if below.parts and set(WORKSPACE_FILES) & set(files):
            names.clear()
            continue
        names[:] = [name for name in names if not name.startswith(".")]
        yield from (below / name for name in files if not name.startswith("."))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # A cell may hold more letters than a file's name can have.
        return False


def _alike(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _suffix(path: str) -> str:
    return posixpath.splitext(path)[1].lower()


def _tables(folder: Path) -> list[Path]:
    """The tables in a folder, without hidden files and those by which Excel marks a file as open (``~$``)."""
    try:
        return sorted(
            file
            for file in folder.iterdir()
            if file.suffix.lower() in READERS
            and (file.stem.lower() == _TABLE_STEM or file.suffix.lower() not in XML_SUFFIXES)
            and not file.name.startswith((".", "~$"))
            and file.is_file()
        )
    except OSError as error:
        raise CollectionError(f"{folder} cannot be read ({error.strerror}); check that you may open it") from error


def described_by_table(table: Table, name: str, options: TableOptions, *, whole_ids: bool = False) -> Described:
    """The rows of a table as works, its columns understood as `understand` does.

    Ids that are web addresses are shortened to their ends where these differ, unless they are wanted whole.
    """
    sample = lru_cache(None)(table.sample)
    understood = understand(table.columns, sample, lru_cache(None)(table.unique), options)
    found = {meaning: place.column for meaning, place in understood.items()}
    repeated = None if "id" in options.columns else repeated_id(table.columns, table.column, found)
    if repeated is not None:
        understood["id"] = Place(repeated, "its cells are ids, and equal ones have equal titles")
    understood = dict(sorted(understood.items(), key=lambda entry: entry[1].column))
    apart = {meaning: place.column for meaning, place in understood.items() if meaning in OPTIONAL}
    places = {meaning: place.column for meaning, place in understood.items() if meaning not in OPTIONAL}
    others = [place for place in range(len(table.columns)) if place not in places.values()]
    spoken = [place for place in others if not names_no_words(table.columns[place])]
    groups = table.column(places["group"]) if "group" in places else []
    chosen = speaking(table.columns, options)
    ids, remarks = _ids(table, places, whole=whole_ids)
    views = views_of(table, ids, places)
    spoken = [place for place in others if chosen.get(place, place in spoken and place not in views.order.values())]
    repeating = tuple(
        place for place in spoken if groups and place not in chosen and repeats_group(table.column(place), groups)
    )
    empty = [name for place, name in enumerate(table.columns) if place not in table.filled]
    unfilled = (f"columns without a value in any row: {', '.join(empty)}",) if empty and table.rows else ()
    filled = [(table.columns[place], place) for place in others if place in table.filled]
    fields = [meaning for meaning in (*_CLEANED, "keywords") if chosen.get(places.get(meaning, -1), True)]
    texts = [places[meaning] for meaning in fields if meaning in places]
    columns = _Columns(
        places,
        beside(table.columns) | apart,
        dict(sorted(filled)),
        [place for place in spoken if place not in repeating and place in table.filled],
        keyword_separator(table.column(places["keywords"])) if "keywords" in places else ",",
        table.columns[places["picture"]] if "picture" in places else "",
        frozenset(fields),
        views.pictures,
    )
    texts += [place for place in columns.spoken if any(map(holds_words, table.sample(place)))]
    reading = Reading(
        table=name,
        columns={table.columns[place]: meaning for meaning, place in places.items()},
        attributes=tuple(name for name, _ in filled),
        not_in_text=tuple(table.columns[place] for place in repeating),
        texts=tuple(table.columns[place] for place in texts if place in table.filled),
        encoding=table.encoding,
        separator=table.separator,
        problems=table.problems,
        remarks=(*table.remarks, *unfilled, *remarks, *views.remarks(table)),
        guesses=tuple(
            Guess(table.columns[place.column], meaning, place.reason, next(iter(table.sample(place.column, 1)), ""))
            for meaning, place in (
                *understood.items(),
                *(("picture", Place(place, "one more picture of the work")) for place in views.pictures[1:]),
            )
        ),
        joined=views.joined,
        stop=_stop(table, name, places, spoken, options),
    )

    lists = dict.fromkeys(columns.spoken, "")
    if "keywords" in places:
        lists[places["keywords"]] = columns.separator

    def works() -> Iterator[_Work]:
        return (_work(columns, row, ids[place], cells) for place, row, cells in views.works(table.rows, lists))

    def links() -> list[str]:
        return [link for place in views.pictures for cell in table.column(place) for link in links_in(cell)]

    return Described(len(ids) - views.joined, works, reading, links)


def _described_by_names(paths: Sequence[str], unread: Sequence[str], root: Path) -> Described:
    """Works of picture files alone: ids from their names, groups from the folders they lie in, titles and other words
    from the files themselves, else from their names.
    """
    plain = Counter(posixpath.splitext(path)[0] for path in paths)
    folders = [posixpath.dirname(path) for path in paths]
    common = posixpath.commonpath(folders) if folders and all(folders) else ""

    def works() -> Iterator[_Work]:
        for path, folder in zip(paths, folders, strict=True):
            stem = posixpath.splitext(path)[0]
            said = embedded_in(root / path) if is_below(root, root / path) else Embedded()
            title = said.title if said.title and not _CAMERA_NAME.match(said.title) else ""
            title = title or readable(PurePosixPath(path).stem)
            spoken = "" if _CAMERA_NAME.match(title) else title, said.artist, said.description, ", ".join(said.keywords)
            dated = (*spoken[:2], said.year, *spoken[2:]) if any(spoken) else ()  # a date alone says nothing of a work
            item = Item(
                id=stem if plain[stem] == 1 else path,
                title=title,
                group=posixpath.relpath(folder, common or ".") if folder != common else "",
                artist=said.artist,
                year=said.year,
                description=said.description,
                keywords=said.keywords,
                text=joined(dated),
            )
            yield None, item, path

    told = "no table: ids, titles and groups come from the names of files and folders"
    return Described(len(paths), works, Reading(remarks=(told,), warnings=tuple(unread)))


def readable(name: str) -> str:
    """A file's name as a title: "starry-night_1889" is "Starry night 1889"."""
    words = " ".join(re.sub(r"[_\s]+|(?<=\w)-(?=\w)", " ", clean_cell(name)).split())
    return words[:1].upper() + words[1:]


def first_words(text: str, most: int = 60) -> str:
    """The first words of a text as a title, with an ellipsis where it goes on; its first sentence if that is short."""
    line = " ".join(text.split())
    sentence = re.match(r".{8,60}?[.!?。](?=\s|$)", line)
    if sentence or len(line) <= most:
        return (sentence[0] if sentence else line).rstrip(".")
    return line[:most].rsplit(" ", 1)[0].rstrip(",;:") + " …"


class _Columns(NamedTuple):
    """Where in a row the fields of a work stand, what stands beside, attributes, and those whose words are read."""

    places: dict[str, int]
    beside: dict[str, int]
    attributes: dict[str, int]
    spoken: list[int]
    separator: str
    picture: str
    fields: frozenset[str]
    pictures: tuple[int, ...]


def _work(columns: _Columns, row: int, name: str, cells: Sequence[str]) -> _Work:
    values = {meaning: cells[place] for meaning, place in columns.places.items()}
    beside = {meaning: cells[place] for meaning, place in columns.beside.items()}
    cleaned: dict[str, Any] = {field: without_markup(values.get(field, "")) for field in _CLEANED}
    file = "|".join(dict.fromkeys(cells[place] for place in columns.pictures if cells[place]))
    attributes = {name: cells[place] for name, place in columns.attributes.items() if cells[place]}
    link = next(iter(links_in(file)), "")
    if is_address(file) and not link:
        attributes = dict(sorted({**attributes, columns.picture: file}.items()))
    keywords = split_keywords(values.get("keywords", ""), columns.separator)
    group = " ".join(without_markup(values.get("group", "")).split())
    further = [attribute_words(cells[place]) for place in columns.spoken if cells[place]]
    further = [words for words in further if words and not (group and same_words(words, group))]
    years = [beside.get(name, "") for name in ("year_from", "year_to")]
    first, last = (int(year) if _WHOLE_NUMBER.fullmatch(year) else None for year in years)
    parts = {**cleaned, "keywords": ", ".join(keywords)}
    text = joined([*(part for field, part in parts.items() if field in columns.fields), *further])
    cleaned["title"] = cleaned["title"] or " ".join(without_markup(beside.get("name", "")).split())
    cleaned["title"] = cleaned["title"] or first_words(cleaned["description"])
    item = Item(
        id=name,
        **cleaned,
        keywords=keywords,
        group=group,
        owner=values.get("owner", ""),
        licence=values.get("licence", ""),
        text=text,
        attributes=MappingProxyType(attributes),
        language=beside.get("language", ""),
        year_from=first,
        year_to=last,
        picture_link=link,
    )
    return row, item, file


def _stop(table: Table, name: str, places: dict[str, int], spoken: Sequence[int], options: TableOptions) -> str:
    """What to say where no column gives a title, a name or a description, though one could; else nothing."""
    likely = sorted(spoken, key=lambda place: -len(set(table.sample(place))))  # a title seldom repeats
    could = [table.columns[place] for place in likely if any(map(holds_words, table.sample(place)))]
    given = any(places.get(meaning) in table.filled for meaning in ("title", "description"))
    if given or "title" in options.columns:
        return ""
    if not could:
        worded = any(any(map(holds_words, table.sample(place))) for place in table.filled)  # as by keywords alone
        if worded or places.get("picture") in table.filled or not table.filled:
            return ""
        return (
            f"no column of {name} gives a title, a name or a description, or names a picture: its cells are numbers "
            f"and keys alone (columns: {', '.join(table.columns)}); add a column of titles, or say which one gives "
            f"them, as in `vernissage build … --column 'title={table.columns[-1]}'`"
        )
    return (
        f"no column of {name} is known to give a title, a name or a description (columns that hold words: "
        f"{', '.join(could)}); name one, as in `vernissage build … --column 'title={could[0]}'`, or say that there is "
        f"none with `--column title=`"
    )


def _ids(table: Table, places: dict[str, int], *, whole: bool) -> tuple[list[str], tuple[str, ...]]:
    """The ids of all rows, and a remark when they do not stand in the table."""
    if "id" in places and places["id"] in table.filled:
        ids = [" ".join(cell.split()) for cell in table.column(places["id"])]
        ends = [cell.rstrip("/#").rpartition("/")[2] for cell in ids if is_address(cell)]
        # An identifier on the web stands in addresses of pages better by its end, as Q42 in Wikidata's.
        shorter = not whole and len(ends) == len(ids) and len(set(ends)) == len(set(ids)) and all(ends)
        return ends if shorter else ids, ()
    files = table.column(places["picture"]) if "picture" in places else [""] * len(table.rows)
    files = [_first_picture(file).replace("\\", "/") for file in files]
    stems = [PurePosixPath(file).stem for file in files]
    short = Counter(stem for stem in stems if stem)
    if any(count > 1 for count in short.values()):
        stems = [posixpath.splitext(file)[0] for file in files]
    ids = [stem or f"row-{row}" for stem, (row, _) in zip(stems, table.rows, strict=True)]
    origin = "the names of the pictures" if any(stems) else "the row numbers"
    return ids, (f"no column holds ids: they come from {origin}; a column id keeps ratings valid when rows move",)


def _first_picture(cell: str) -> str:
    """The file that a cell names, of a list of files the first; empty for addresses."""
    names = names_in(cell, lambda _: False)
    first = names[0] if all(map(looks_like_picture, names)) else cell
    return "" if is_address(first) else first
