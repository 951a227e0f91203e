"""Conditions on the columns of a collection: ``artist=Monet``, ``year>=1850``, ``to<1900``, ``medium~oil``."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vernissage.catalog.dates import year_number
from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.folding import folded
from vernissage.values import Condition

FIELDS = (
    "id", "title", "artist", "year", "from", "to", "medium", "description", "keywords", "group", "owner", "licence",
)  # fmt: skip
"""The fields of a work that conditions may name, beside its attributes; from and to are those of `Item.span`."""

_ALIASES = {"rights": "licence", "license": "licence"}
"""One field has three names: museums' tables, licences' own texts and answers differ."""

_CONDITION = re.compile(
    r"\s*(?P<field>[^=~<>!≥≤≠]+?)\s*(?P<operator>!=|>=|<=|=>|=<|==|<>|=~|[=~<>≥≤≠])\s*(?P<value>.*?)\s*", re.DOTALL
)
_SPELLINGS = {"=>": ">=", "=<": "<=", "==": "=", "<>": "!=", "=~": "~", "≥": ">=", "≤": "<=", "≠": "!="}
"""How other programs write operators."""

_NUMERIC: Mapping[str, Callable[[npt.NDArray[np.float64], float], npt.NDArray[np.bool_]]] = MappingProxyType(
    {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
)


Entries = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[str]]
"""Values of a field: the row (m,) and code (m,) of each, and the distinct values that codes mean."""


class _Columns(Protocol):
    def __len__(self) -> int: ...

    @property
    def attribute_names(self) -> Sequence[str]: ...

    def entries(self, field: str) -> Entries: ...


def parse_condition(text: str) -> Condition:
    """Read a condition such as ``artist=Claude Monet``.

    Raises:
        RequestError: there is no operator, or a number is missing after ``<`` or ``>``.
    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise RequestError(
            f"the condition {text!r} is not understood; write FIELD=VALUE (equals), FIELD!=VALUE, FIELD~TEXT "
            f"(contains) or FIELD>=NUMBER, for example artist=Monet or year>=1850"
        )
    sign = _SPELLINGS.get(match["operator"], match["operator"])
    condition = Condition(field_named(match["field"].strip()), sign, match["value"])
    if condition.operator in _NUMERIC and _number(condition.value) is None:
        raise RequestError(
            f"the condition {text!r} compares with {condition.value!r}; {condition.operator} needs a number"
        )
    return condition


def fulfilling(columns: _Columns, condition: Condition) -> npt.NDArray[np.bool_]:
    """Which works fulfil a condition, bool (n,); one without the field fulfils ``!=`` alone.

    Of several values of a work, such as keywords, one that is equal or contains the text is enough; the first that is
    a number is compared. Each distinct value is judged once.

    Raises:
        RequestError: no work has such a field.
    """
    require_fields(columns, [condition.field])
    rows, codes, distinct = columns.entries(field_named(condition.field))
    if condition.operator in _NUMERIC:
        read = year_number if condition.field == "year" else _number
        known_or_nan = [np.nan if (number := read(value)) is None else number for value in distinct]
        numbers = np.array(known_or_nan, dtype=float)[codes]
        known, first = ~np.isnan(numbers), np.full(len(columns), np.nan)
        first[rows[known][::-1]] = numbers[known][::-1]  # of several, the one that comes first is written last
        return _NUMERIC[condition.operator](first, float(condition.value.replace(",", ".")))
    wanted, values = folded(condition.value), [folded(value) for value in distinct]
    right = [wanted in value if condition.operator == "~" else wanted == value for value in values]
    found = np.zeros(len(columns), dtype=bool)
    found[rows[np.array(right, dtype=bool)[codes]]] = True
    return ~found if condition.operator == "!=" else found


def require_fields(columns: _Columns, fields: Iterable[str]) -> None:
    """Refuse names, in any case and with accents or without, of what no work has.

    Raises:
        RequestError: there is one; the message names those that there are.
    """
    known = {*FIELDS, *map(folded, columns.attribute_names)}
    for field in fields:
        if field_named(field) not in known:
            raise RequestError(f"the collection has no field {field!r}; it has {', '.join(sorted(known))}")


def field_named(name: str) -> str:
    """A field's or attribute's name, folded; rights and licence are one field."""
    return _ALIASES.get(folded(name), folded(name))


def values_of(item: Item, field: str) -> tuple[str, ...]:
    """The values of one field of a work, its name folded; keywords are several, absent ones none."""
    field = field_named(field)
    if field == "keywords":
        return item.keywords
    if field in {"from", "to"}:
        span = item.span
        return () if span is None else (str(span.first if field == "from" else span.last),)
    if field in FIELDS:
        value = getattr(item, field)
        return (value,) if value else ()
    return tuple(value for name, value in item.attributes.items() if folded(name) == field and value)


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
