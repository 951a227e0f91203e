"""The files of a museum's dump, read by a mapping as one table whose columns are the fields of works."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from vernissage.catalog.report import Problem
from vernissage.catalog.sources.columns import FIELDS
from vernissage.catalog.sources.mapping import (
    ESSENTIAL,
    Join,
    RecordMapping,
    cell_of,
    leaves,
    load_mapping,
    mapping_text,
    require_fields,
)
from vernissage.catalog.sources.tables import READERS, Rows, Table, load_json, load_json_lines, read_by_suffix
from vernissage.errors import CollectionError
from vernissage.files import digest, seal_of

Answers = Callable[[Sequence[Mapping[str, Any]]], Sequence[Mapping[str, Any]]]
"""What is known of records beside what their files say, one for each; empty where nothing is."""

_AT_ONCE = 500
_JSON = frozenset({".json", ".jsonl", ".ndjson"})
_SHOWN = 40


def _no_answers(records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return [{}] * len(records)


@dataclass
class _Read:
    """Records of one file or several, what was wrong with others, and which names they have."""

    records: Iterable[tuple[int, Mapping[str, Any]]]
    names: dict[str, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    encoding: str = ""
    separator: str = ""
    remarks: tuple[str, ...] = ()


class MappedFiles:
    """A table, a file of JSON or a folder of either, whose records a mapping turns into works.

    Attributes:
        folder: where the files lie.
        main: the files of the records: one, or all JSON files below a folder.
    """

    def __init__(self, path: Path, place: str, columns: Mapping[str, str], encoding: str = "") -> None:
        """``place`` names the mapping (see `mapping_place`); ``columns`` are rules that go before its own.

        Raises:
            CollectionError: there is no such mapping, or no file that it is for.
        """
        self._place, self._encoding = place, encoding
        self.mapping = load_mapping(place)
        self.rules = self.mapping.rules(columns)
        self.folder = path if path.is_dir() else path.parent
        self.main = _main_files(path, self.mapping)

    @cached_property
    def _joins(self) -> dict[str, Path]:
        return {name: self.folder / join.file for name, join in self.mapping.join.items()}

    def fingerprint(self) -> str:
        """Over the bytes of the mapping and of all files."""
        seals = [seal_of(file).sha256 for file in (*self.main, *self._joins.values())]
        return digest(mapping_text(self._place), *(seal.encode() for seal in seals))

    def table(self, answers: Answers = _no_answers) -> Table:
        """A row for each record, a column for each field and attribute that the mapping gives.

        ``answers`` gives what a museum's interface says of records, which their own columns go before.

        Raises:
            CollectionError: a file is missing or cannot be read, or its records have not what the mapping needs.
        """
        read = self._read_one(self.main[0]) if len(self.main) == 1 else self._read_all()
        joined = self._joined()
        if read.names:  # of a table, which lacks a column as a whole
            needed = [name for name in self.rules if name in FIELDS - self.mapping.may_lack]
            self._require([*read.names, *joined], needed)
        rows = Rows(self._rows(read, joined, answers), len(self.rules))
        table = Table(tuple(self.rules), rows, read.encoding, read.separator, tuple(read.problems), read.remarks)
        empty = [name for place, name in enumerate(self.rules) if name in ESSENTIAL and place not in table.filled]
        if rows:
            self._require(read.names, empty)
        return table

    def _rows(self, read: _Read, joined: Mapping[str, "_Index"], answers: Answers) -> Iterator[tuple[int, list[str]]]:
        records = iter(read.records)
        while some := list(islice(records, _AT_ONCE)):
            told = answers([record for _, record in some])
            for (number, record), answer in zip(some, told, strict=True):
                read.names.update(dict.fromkeys(record))
                whole = {**answer, **record, **{name: index.rows_of(record) for name, index in joined.items()}}
                yield number, [cell_of(name, rules, whole) for name, rules in self.rules.items()]

    def _require(self, there: Iterable[str], wanted: Iterable[str]) -> None:
        require_fields(self.main[0].name, self._place, self.rules, there, wanted)

    def _read_all(self) -> _Read:
        """The records of all files, counted through."""
        read = _Read(())

        def records() -> Iterator[tuple[int, Mapping[str, Any]]]:
            number = 0
            for file in self.main:
                one = self._read_one(file)
                read.problems += one.problems
                for _, record in one.records:
                    number += 1
                    yield number, record

        read.records = records()
        return read

    def _read_one(self, file: Path) -> _Read:
        return read_by_suffix(file, self._encoding, self._records)

    def _records(self, file: Path, raw: bytes) -> _Read:
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
        inner = list(leaves(content, self.mapping.records)) if self.mapping.records else []
        found = inner or (content if isinstance(content, list) else [content])
        read = _Read(
            [(row, each) for row, each in enumerate(found, start=1) if isinstance(each, dict)], encoding=encoding
        )
        way_out = "write one object with names and values for each work"
        read.problems += (
            Problem("damaged row", row, "", "", f"the record is no object but {str(each)[:40]!r}", way_out)
            for row, each in enumerate(found, start=1)
            if not isinstance(each, dict)
        )
        return read

    def _joined(self) -> dict[str, "_Index"]:
        """The rows of the further files that belong to records, those of other joins put into them."""
        told = [path for rules in self.rules.values() for rule in rules for path in rule.paths]
        words = {word for path in told for word in re.split(r"[.\[\]=]", path)} | {
            join.to for join in self.mapping.join.values()
        }
        indexes = {}
        for name, join in self.mapping.join.items():
            if not self._joins[name].is_file():
                raise CollectionError(
                    f"there is no {join.file} in {self.folder}, which the mapping {self._place} reads beside "
                    f"{self.main[0].name}; put it there"
                )
            read = self._read_one(self._joins[name])
            indexes[name] = _Index(join, read, words)
            self._require_column(join.key, read.names, join.file)
        for name, join in self.mapping.join.items():
            if join.into:
                for row in indexes[join.into].rows:
                    row[name] = indexes[name].rows_of(row)
        return {name: index for name, index in indexes.items() if not index.join.into}

    def _require_column(self, column: str, names: Mapping[str, None], file: str) -> None:
        if column not in names:
            raise CollectionError(
                f"{file} has no column {column}, by which the mapping {self._place} joins it (columns: "
                f"{', '.join(list(names)[:_SHOWN])}); use the file that the mapping is for"
            )


class _Index:
    """The rows of a joined file by their key; no columns but those that rules name."""

    def __init__(self, join: Join, read: _Read, words: set[str]) -> None:
        self.join = join
        self._by_key: dict[str, list[dict[str, Any]]] = {}
        kept = [name for name in read.names if name in words]
        numbered: dict[str, list[float]] = {}
        for _, record in read.records:
            key = str(record.get(join.key, ""))
            self._by_key.setdefault(key, []).append({name: record[name] for name in kept})
            numbered.setdefault(key, []).append(_number(record.get(join.order)))
        if join.order:
            for key, rows in self._by_key.items():
                order = sorted(range(len(rows)), key=numbered[key].__getitem__)
                self._by_key[key] = [rows[place] for place in order]

    @property
    def rows(self) -> Iterator[dict[str, Any]]:
        """All rows."""
        return (row for rows in self._by_key.values() for row in rows)

    def rows_of(self, record: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows that belong to a record."""
        return self._by_key.get(str(record.get(self.join.to, "")), [])


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float("inf")


def _main_files(path: Path, mapping: RecordMapping) -> list[Path]:
    """The files that hold the records: the one given, of a folder one by its name, else all JSON files below it."""
    if not path.is_dir():
        if not path.is_file():
            raise CollectionError(f"there is no file or folder {path}; give the file of the records or its folder")
        return [path]
    named = [path / name for name in mapping.files if (path / name).is_file()]
    below = (file for file in path.rglob("*") if file.suffix.lower() in _JSON and file.is_file())
    shown = [file for file in below if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    if found := named[:1] or sorted(shown):
        return found
    expected = " or ".join((*mapping.files, "files of JSON"))
    raise CollectionError(f"{path} holds no {expected}, which the mapping reads; give the file of the records")
