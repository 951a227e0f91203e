"""Mapping files: which of a museum's own columns give the fields of a work, as data in TOML (docs/mappings.md)."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from itertools import islice, product
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vernissage.catalog.sources.columns import FIELDS
from vernissage.catalog.sources.nested import written
from vernissage.catalog.sources.tables import as_cell
from vernissage.errors import CollectionError
from vernissage.files import read_regular
from vernissage.shapes import misfit

_SHIPPED = files("vernissage") / "catalog" / "sources" / "mappings"
_RIGHTS = {"rights": "licence"}
MAPPED = (FIELDS - {"name", "licence"}) | {"rights"}
"""The fields of a work that a mapping may give."""

_SINGLE = frozenset({"id", "title", "year", "group", "owner", "language"})
"""Fields of which a work has one value: the first."""

_STEP = re.compile(r"([^.\[\]]+)((?:\[[^\[\]=]+=[^\[\]]*\])*)(?:\.|$)")
_FILTER = re.compile(r"\[([^\[\]=]+)=([^\[\]]*)\]")
_PLACE = re.compile(r"\{([^{}]+)\}")
_FIRST_NUMBER = re.compile(r"[-+]?\d{1,6}")
_ADDRESS_SIGNS = "/:?@!$&'()*+,;=~-._%#"
_WRITTEN = frozenset("[{")
"""How a cell begins into which JSON may be written."""
_MOST_ADDRESSES = 200
"""Of one template: of two places with several values each, all pairs are made."""

_SHOWN = 40

Record = Mapping[str, Any]
Steps = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@lru_cache(maxsize=4096)
def _steps(path: str) -> Steps:
    """The keys of a path with their filters; a path that is not written as one is a single key."""
    found, place = [], 0
    while place < len(path) and (step := _STEP.match(path, place)):
        found.append((step[1], tuple(_FILTER.findall(step[2]))))
        place = step.end()
    return tuple(found) if place == len(path) else ((path, ()),)


def leaves(record: Any, path: str) -> Iterable[Any]:
    """The values at a path: keys with full stops between them, through lists, and only through what filters let pass.

    ``people[role=Artist].name`` gives the names of all people whose role is Artist. A key that is written like the
    whole path goes first, for columns of tables may hold any signs. Nothing comes of nulls and empty texts.
    """
    if not (isinstance(record, dict) and path in record):
        return _walk(record, _steps(path))
    cell = record[path]
    return _walk(cell, ()) if not isinstance(cell, str) or cell[:1] in _WRITTEN else (cell,)


def _walk(value: Any, steps: Steps) -> Iterator[Any]:
    if isinstance(value, str):
        value = written(value) or value
    if isinstance(value, list):
        for each in value:
            if not isinstance(each, list):
                yield from _walk(each, steps)
    elif not steps:
        if value is not None and value != "":
            yield value
    elif isinstance(value, dict):
        (key, filters), rest = steps[0], steps[1:]
        inner = value.get(key)
        inner = (written(inner) or inner) if isinstance(inner, str) else inner
        for part in inner if isinstance(inner, list) else [inner]:
            if all(any(as_cell(leaf) == told for leaf in leaves(part, at)) for at, told in filters):
                yield from _walk(part, rest)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One way to the values of a field.

    Attributes:
        column: the path of a column, see `leaves`.
        all: the paths of several, whose values follow each other.
        template: a text, such as an address, with paths in braces, several between bars; nothing where they give
            nothing. A place with several values gives as many texts.
        value: the same text for every work.
        words: what stands in place of a cell, by the cell in any case of letters.
        otherwise: what stands in place of cells that are none of ``words``.
        split: what stands between several values of one cell.
        replace: parts of a cell and what stands in their place.
    """

    column: str = ""
    all: tuple[str, ...] = ()
    template: str = ""
    value: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    split: str = ""
    replace: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template or self.value or " + ".join(self.paths)

    @cached_property
    def _as_it_stands(self) -> bool:
        """Whether a column's cell is the value, as it is for most, of which large tables have millions."""
        return bool(self.column) and self == Rule(column=self.column)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Every path that the rule reads."""
        places = (path for place in _PLACE.findall(self.template) for path in place.split("|"))
        return tuple(filter(None, (self.column, *self.all, *places)))

    def cells(self, record: Record) -> list[str]:
        """The values that a record has by this rule, each once."""
        if self._as_it_stands and isinstance(cell := record.get(self.column), str) and cell[:1] not in _WRITTEN:
            return [cell] if (cell := as_cell(cell)) else []
        if self.value:
            return [self.value]
        found: Iterable[str] = (
            self._filled(record)
            if self.template
            else [as_cell(leaf) for path in self.paths for leaf in leaves(record, path)]
        )
        if self.split:
            found = (part.strip() for cell in found for part in cell.split(self.split))
        for part, other in self.replace.items():
            found = [cell.replace(part, other) for cell in found]
        if self.words or self.otherwise is not None:
            found = (self._in_words(cell) for cell in found if cell)
        return list(dict.fromkeys(filter(None, found)))

    def _in_words(self, cell: str) -> str:
        return self.words.get(cell.casefold(), cell if self.otherwise is None else self.otherwise)

    def _filled(self, record: Record) -> Iterator[str]:
        address = self.template.startswith(("http://", "https://"))
        choices: list[list[str]] = []
        for place, part in enumerate(_PLACE.split(self.template)):
            if place % 2 == 0:
                choices.append([part])
                continue
            found = (as_cell(leaf) for path in part.split("|") for leaf in leaves(record, path))
            cells = dict.fromkeys(filter(None, found))
            choices.append([quote(cell, safe=_ADDRESS_SIGNS) if address else cell for cell in cells])
        return map("".join, islice(product(*choices), _MOST_ADDRESSES))


Rules = Mapping[str, tuple[Rule, ...]]
"""The rules of each column that a mapping makes, the first that gives anything counts."""
ESSENTIAL = ("id", "title")
"""Fields without which records are those of another shape than the mapping's."""


@dataclass(frozen=True, kw_only=True)
class Join:
    """Rows of another file that belong to a record, which then has them as a list by the join's name.

    Attributes:
        file: its name, in the folder of the records.
        key: its column that says to which record a row belongs.
        to: the column of the records that ``key`` repeats.
        into: the join whose rows these belong to, in place of the records.
        order: the column of numbers by which the rows of one record follow; as in the file without one.
    """

    file: str
    key: str
    to: str
    into: str = ""
    order: str = ""


@dataclass(frozen=True, kw_only=True)
class Interface:
    """How a museum's interface gives records: page by page, and each by a call of its own where it needs that.

    Attributes:
        address: what to give `vernissage build`, or the beginning of that.
        parameters: those that an address gets where it has none of their names.
        records: the path of what a page lists; that of the mapping without one.
        next: the path of the next page's address.
        page, first: the parameter that counts pages, and the number of the first.
        skip: the parameter that counts the records before a page.
        each: a template of the address of an item's record; ``{value}`` is an item that is no object.
        follow: paths of references, in whose places the documents at their ids are put.
        rate: requests a second.
        agent: the header in which the museum wishes to read who asks, beside User-Agent.
        key: the parameter for a key of one's own.
    """

    address: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    records: str = ""
    next: str = ""
    page: str = ""
    first: int = 1
    skip: str = ""
    each: str = ""
    follow: tuple[str, ...] = ()
    rate: float = 2.0
    agent: str = ""
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class RecordMapping:
    """What a mapping file says.

    Attributes:
        museum: whose records these are.
        documentation: where the names of the columns are from: names and addresses.
        note: what a person should know before using it.
        files: what the file of the records may be called in a folder, the first that is there is read.
        records: the path of the list of records in a JSON file that holds more; a file without it is one record.
        fields: field of a work (see `MAPPED`) → the rules for it, of which the first that gives anything counts.
        attributes: name of a further attribute → the rules for it.
        optional: fields whose columns a table may lack; it may always lack those of attributes.
        join: further files by the names that they have in paths.
        api: the museum's interface; None where there is none, or none that is read.
    """

    museum: str
    fields: Mapping[str, Any]
    documentation: tuple[str, ...] = ()
    note: str = ""
    files: tuple[str, ...] = ()
    records: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    join: Mapping[str, Join] = field(default_factory=dict)
    api: Interface | None = None

    @property
    def may_lack(self) -> frozenset[str]:
        """The fields whose columns a table may lack, as `rules` calls them."""
        return frozenset(_RIGHTS.get(name, name) for name in self.optional)

    def rules(self, columns: Mapping[str, str]) -> Rules:
        """The rules of all fields and attributes; ``columns`` that a person names for fields take their places."""
        own = {_RIGHTS.get(name, name): rules for name, rules in {**self.fields, **self.attributes}.items()}
        said = {name: (Rule(column=column),) if column else () for name, column in columns.items()}
        return {name: rules for name, rules in (own | said).items() if rules}


def shipped_mappings() -> dict[str, RecordMapping]:
    """The mappings that come with the package, by name."""
    return {name: load_mapping(name) for name in _names()}


def _names() -> list[str]:
    return sorted(each.name.removesuffix(".toml") for each in _SHIPPED.iterdir() if each.name.endswith(".toml"))


def mapping_place(name: str) -> str:
    """A shipped mapping's name as it stands, of a file its whole path. Raises CollectionError: there is neither."""
    if name in (shipped := _names()):
        return name
    if not Path(name).is_file():
        raise CollectionError(
            f"there is no mapping {name}; name one of {', '.join(shipped)}, or the path of a file of your own"
        )
    return Path(name).resolve().as_posix()


def mapping_text(place: str) -> bytes:
    """The bytes of a mapping that `mapping_place` gave. Raises CollectionError: the file cannot be read."""
    place = mapping_place(place)
    try:
        return (_SHIPPED / f"{place}.toml").read_bytes() if "/" not in place else read_regular(Path(place))
    except OSError as error:
        raise CollectionError(f"the mapping {place} cannot be read ({error.strerror}); check the file") from error


def load_mapping(place: str) -> RecordMapping:
    """Read a mapping by its name or its file's path.

    Raises:
        CollectionError: there is none, or it is not written as one.
    """
    try:
        content = tomllib.loads(mapping_text(place).decode().removeprefix("\ufeff"))
        wrong = misfit(content["api"], Interface, "api") if content.get("api") is not None else ""
        if wrong := wrong or misfit(content, RecordMapping, "the file"):
            raise ValueError(wrong)
        for part in ("fields", "attributes"):
            content[part] = {name: _rules(spec, f"{part}.{name}") for name, spec in content.get(part, {}).items()}
        content["join"] = {name: Join(**each) for name, each in content.get("join", {}).items()}
        content["api"] = Interface(**content["api"]) if "api" in content else None
        mapping = RecordMapping(**content)
        _check(mapping)
    except (ValueError, RecursionError) as error:  # of TOML and UTF-8 too
        raise CollectionError(
            f"the mapping {place} cannot be used ({error}); docs/mappings.md says how one is written"
        ) from error
    return mapping


def _rules(spec: Any, at: str) -> tuple[Rule, ...]:
    """The rules of a field: a column's path, a table of a rule's parts, or a list of these."""
    rules = []
    for each in spec if isinstance(spec, list) else [spec]:
        told: Any = {"column": each} if isinstance(each, str) else each
        if wrong := misfit(told, Rule, at):
            raise ValueError(wrong)
        rule = Rule(**told | {"words": {word.casefold(): to for word, to in told.get("words", {}).items()}})
        if sum(map(bool, (rule.column, rule.all, rule.template, rule.value))) != 1:
            raise ValueError(f"{at} needs one of column, all, template and value")
        rules.append(rule)
    return tuple(rules)


def _check(mapping: RecordMapping) -> None:
    if unknown := sorted(mapping.fields.keys() - MAPPED):
        raise ValueError(f"no work has the field {unknown[0]!r}; there are {', '.join(sorted(MAPPED))}")
    if not mapping.fields:
        raise ValueError('it gives no field; write at least title = "…" under [fields]')
    if taken := sorted(mapping.attributes.keys() & (FIELDS | MAPPED)):
        raise ValueError(f"{taken[0]!r} is a field, not an attribute; write it under [fields]")
    if unknown := sorted(set(mapping.optional) - mapping.fields.keys()):
        raise ValueError(f"optional names {unknown[0]!r}, which it does not map")
    if mapping.api is not None and not mapping.api.rate > 0:
        raise ValueError(f"api.rate is {mapping.api.rate:g}; write requests a second, such as 2")
    for name in (*mapping.files, *(join.file for join in mapping.join.values())):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ValueError(f"the file {name!r} lies outside the folder of the records")
    for name, join in mapping.join.items():
        if join.into and join.into not in mapping.join:
            raise ValueError(f"join.{name}.into names {join.into!r}, which is no join")


def cell_of(name: str, rules: Iterable[Rule], record: Record) -> str:
    """The cell that a record has in the column of a field or an attribute; empty where no rule gives anything."""
    cells: list[str] = []
    for rule in rules:
        if cells := rule.cells(record):
            break
    if name in _SINGLE:
        return cells[0] if cells else ""
    if name in ("year_from", "year_to"):  # of a whole date the year; museums write 0 for an unknown one
        numbers = (int(found[0]) for cell in cells if (found := _FIRST_NUMBER.match(cell)))
        return next((str(number) for number in numbers if number), "")
    if name == "keywords":
        return json.dumps(cells, ensure_ascii=False) if cells else ""
    return ("|" if name == "picture" else " | ").join(cells)


def require_fields(
    source: str, place: str, rules: Rules, there: Iterable[str], wanted: Iterable[str], *, empty: bool = False
) -> None:
    """Raise CollectionError where what ``wanted`` fields come from is none of what is ``there``.

    Of fields that are known to be ``empty`` in all records a path that leads on from there is wrong as well.
    """
    known = list(there)
    for name in wanted:
        paths = [path for rule in rules[name] for path in rule.paths]
        if paths and not any(path in known or (not empty and _steps(path)[0][0] in known) for path in paths):
            shown = ", ".join(known[:_SHOWN]) + (" …" if len(known) > _SHOWN else "")
            raise CollectionError(
                f"{source} is not of the shape of the mapping {place}: {name} comes from {' or '.join(paths)}, and "
                f"there is none (there are: {shown}); use another mapping, or say `--column {name}=…`"
            )
