"""A museum's dump as a source: a table, files that are joined to it, or records of JSON, read by a mapping."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count, islice
from pathlib import Path
from typing import Any

from vernissage.catalog.documents import Documents
from vernissage.catalog.fetching import FetchedPictures, FetchOptions
from vernissage.catalog.report import Problem, Reading
from vernissage.catalog.sources.columns import FIELDS, TableOptions
from vernissage.catalog.sources.contract import Record
from vernissage.catalog.sources.folder import Described, FolderSource
from vernissage.catalog.sources.interface import described_by_mapping, documents_of, read_documents
from vernissage.catalog.sources.mapping import (
    ESSENTIAL,
    Join,
    RecordMapping,
    Rule,
    cell_of,
    leaves,
    load_mapping,
    mapping_text,
    require_fields,
)
from vernissage.catalog.sources.tables import READERS, Rows, Table, load_json, load_json_lines, read_by_suffix
from vernissage.errors import CollectionError
from vernissage.files import digest, seal_of
from vernissage.progress import Progress, silent

_AT_ONCE = 500
_JSON = frozenset({".json", ".jsonl", ".ndjson"})
_Rows = Mapping[str, Sequence[dict[str, Any]]]
"""Rows of a joined file by the key that says to which record they belong."""


@dataclass
class _Read:
    """Records of files with their numbers, what was wrong with others, and the names that they have."""

    records: Iterable[tuple[int, Mapping[str, Any]]]
    names: dict[str, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    encoding: str = ""
    separator: str = ""
    remarks: tuple[str, ...] = ()


class DumpSource(FolderSource):
    """Works of a museum's dump; pictures that its interface alone names are asked for there, if pictures are fetched.

    A file may hold the works, or a folder: the file that the mapping names, a table called ``metadata``, or else all
    JSON files below it.
    """

    def __init__(self, path: Path, options: TableOptions, fetched: FetchedPictures | None = None) -> None:
        """Read what is at a path by the mapping that the options name.

        Raises:
            CollectionError: there is no such mapping, or a file that it is for is missing.
        """
        super().__init__(path, options=options, fetched=fetched)
        self._mapping = load_mapping(options.mapping)
        self._rules = self._mapping.rules(options.columns)
        self._files = _main_files(path, self._mapping)
        self._home = path if path.is_dir() else path.parent
        for file in (self._home / join.file for join in self._mapping.join.values()):
            if not file.is_file():
                raise CollectionError(f"there is no {file}, which the mapping {options.mapping} joins; put it there")
        self._progress: Progress = silent
        self._unanswered: dict[str, str] = {}
        self._asked = 0

    @property
    def _found(self) -> tuple[Path, Path | None]:
        return self._home, self._files[0]

    def fingerprint(self) -> str:
        files = [*self._files[1:], *(self._home / join.file for join in self._mapping.join.values())]
        seals = [super().fingerprint(), *(seal_of(file).sha256 for file in files)]
        return digest(mapping_text(self.options.mapping), *(each.encode() for each in seals))[:16]

    @cached_property
    def _described(self) -> Described:
        table, name = self.table(), self._files[0].name
        return described_by_mapping(table, name, self._rules, self.options, whole_ids=self.whole_ids)

    def records(self, progress: Progress = silent) -> Iterator[Record]:
        self._progress = progress
        return super().records(progress)

    def reading(self) -> Reading:
        reading = super().reading()
        if not self._unanswered:
            return reading
        address, why = next(iter(self._unanswered.items()))
        told = f"works whose pictures were not told: {len(self._unanswered)}, such as {address}: {why}"
        return replace(reading, remarks=(*reading.remarks, told))

    def table(self) -> Table:
        """A row for each record, a column for each field and attribute that the mapping gives.

        Raises:
            CollectionError: a file is missing or cannot be read, or its records have not what the mapping needs.
        """
        read, joined = self._read(), self._joined()
        if read.names:  # of a table, which lacks a column as a whole
            needed = [name for name in self._rules if name in FIELDS - self._mapping.may_lack]
            self._require([*read.names, *joined], needed)
        rows = Rows(self._rows(read, joined), len(self._rules))
        table = Table(tuple(self._rules), rows, read.encoding, read.separator, tuple(read.problems), read.remarks)
        if rows:
            places = enumerate(self._rules)
            unfilled = [name for at, name in places if name in ESSENTIAL and at not in table.filled]
            self._require(read.names, unfilled, empty=True)
        return table

    def _require(self, there: Iterable[str], wanted: Iterable[str], *, empty: bool = False) -> None:
        require_fields(self._files[0].name, self.options.mapping, self._rules, there, wanted, empty=empty)

    def _rows(self, read: _Read, joined: Mapping[str, _Rows]) -> Iterator[tuple[int, list[str]]]:
        records, joins = iter(read.records), self._mapping.join
        for some in iter(lambda: list(islice(records, _AT_ONCE)), []):
            answers = self._answers([record for _, record in some])
            for (number, record), answer in zip(some, answers, strict=True):
                read.names.update(dict.fromkeys(record))
                whole = {**answer, **record, **{name: _of(record, joins[name], rows) for name, rows in joined.items()}}
                yield number, [cell_of(name, rules, whole) for name, rules in self._rules.items()]

    @cached_property
    def _documents(self) -> Documents | None:
        """What the interface said of records; None where there is none, or no copy and nothing may be asked."""
        api, fetched = self._mapping.api, self.fetched
        if api is None or not api.each or fetched is None:
            return None
        found = documents_of(api.each, fetched if fetched.asks else FetchedPictures(fetched.folder), api)
        return found if fetched.asks or found.folder.is_dir() else None

    def _answers(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """What the museum's interface says of records without a picture, as far as it is asked or was before."""
        api, fetched, documents = self._mapping.api, self.fetched, self._documents
        if api is None or fetched is None or documents is None:
            return [{}] * len(records)
        one, picture = Rule(template=api.each), self._rules.get("picture", ())
        named = [next(iter(one.cells(each)), "") if not cell_of("picture", picture, each) else "" for each in records]
        room = (fetched.options or FetchOptions()).most - self._asked
        wanted = list(dict.fromkeys(filter(None, named)))[: max(0, room)]
        read, faults = read_documents(documents, wanted)
        if fetched.asks:
            self._asked += len(wanted)
            self._unanswered |= faults
            self._progress("asking for the addresses of pictures", self._asked, self._asked)
        return [read.get(address, {}) for address in named]

    def _read(self) -> _Read:
        """The records of all files; of several, counted through."""
        if len(self._files) == 1:
            return self._read_one(self._files[0])
        read = _Read(())

        def records() -> Iterator[tuple[int, Mapping[str, Any]]]:
            numbers = count(1)
            for file in self._files:
                one = self._read_one(file)
                read.problems += one.problems
                yield from ((next(numbers), record) for _, record in one.records)

        read.records = records()
        return read

    def _read_one(self, file: Path) -> _Read:
        return read_by_suffix(file, self.options.encoding, self._records_of)

    def _records_of(self, file: Path, raw: bytes) -> _Read:
        suffix = file.suffix.lower()
        if suffix not in _JSON:
            table = READERS[suffix](file, raw)
            rows = ((number, dict(zip(table.columns, cells, strict=True))) for number, cells in table.rows)
            names = dict.fromkeys(table.columns)
            return _Read(rows, names, list(table.problems), table.encoding, table.separator, table.remarks)
        if suffix != ".json":
            lines, problems, encoding = load_json_lines(file, raw)
            return _Read(lines, problems=problems, encoding=encoding)
        content, encoding = load_json(file, raw)
        inner = list(leaves(content, self._mapping.records)) if self._mapping.records else []
        found = list(enumerate(inner or (content if isinstance(content, list) else [content]), start=1))
        read = _Read([(row, each) for row, each in found if isinstance(each, dict)], encoding=encoding)
        way_out = "write one object with names and values for each work"
        read.problems += (
            Problem("damaged row", row, "", "", f"the record is no object but {str(each)[:40]!r}", way_out)
            for row, each in found
            if not isinstance(each, dict)
        )
        return read

    def _joined(self) -> dict[str, _Rows]:
        """The rows of the further files that belong to records, those of other joins put into them."""
        joins = self._mapping.join
        paths = [path for rules in self._rules.values() for rule in rules for path in rule.paths]
        words = {word for path in paths for word in re.split(r"[.\[\]=]", path)} | {each.to for each in joins.values()}
        found = {name: self._keyed(join, words) for name, join in joins.items()}
        for name, join in joins.items():
            for row in (row for rows in found[join.into].values() for row in rows) if join.into else ():
                row[name] = _of(row, join, found[name])
        return {name: rows for name, rows in found.items() if not joins[name].into}

    def _keyed(self, join: Join, words: set[str]) -> _Rows:
        """The rows of a file by their key, in their order, with those columns alone that rules name."""
        read = self._read_one(self._home / join.file)
        if join.key not in read.names:
            raise CollectionError(
                f"{join.file} has no column {join.key}, by which the mapping {self.options.mapping} joins it (columns: "
                f"{', '.join(read.names)}); use the file that the mapping is for"
            )
        kept = [name for name in read.names if name in words]
        numbered: defaultdict[str, list[tuple[float, int, dict[str, Any]]]] = defaultdict(list)
        for place, record in read.records:
            order = math.inf
            with suppress(ValueError):
                order = float(record.get(join.order, ""))
            numbered[record[join.key]].append((order, place, {name: record[name] for name in kept}))
        return {key: [row for *_, row in sorted(rows, key=lambda each: each[:2])] for key, rows in numbered.items()}


def _of(record: Mapping[str, Any], join: Join, rows: _Rows) -> Sequence[dict[str, Any]]:
    """The rows that belong to a record."""
    return rows.get(str(record.get(join.to, "")), ())


def _main_files(path: Path, mapping: RecordMapping) -> list[Path]:
    """The files of the records, see `DumpSource`."""
    if not path.is_dir():
        if not path.is_file():
            raise CollectionError(f"there is no file or folder {path}; give the file of the records or its folder")
        return [path]
    metadata = (file for file in sorted(path.glob("*")) if file.stem.lower() == "metadata" and file.suffix in READERS)
    named = [*(path / name for name in mapping.files if (path / name).is_file()), *metadata]
    below = (file for file in path.rglob("*") if file.suffix.lower() in _JSON and file.is_file())
    shown = [file for file in below if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    if found := named[:1] or sorted(shown):
        return found
    expected = " or ".join((*mapping.files, "table called metadata, nor files of JSON"))
    raise CollectionError(f"{path} holds no {expected}, which the mapping reads; give the file of the records")
