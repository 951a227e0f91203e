"""Only works that fit a condition: ``artist=Monet``, ``year>=1850``, ``medium~oil``."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.errors import RequestError

FIELDS = ("id", "title", "artist", "year", "medium", "description", "keywords", "group", "owner", "licence")
_CONDITION = re.compile(r"\s*(?P<field>[^=~<>!]+?)\s*(?P<operator>!=|>=|<=|=|~|<|>)\s*(?P<value>.*?)\s*", re.DOTALL)

_NUMERIC: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        ">=": lambda found, wanted: found >= wanted,
        "<=": lambda found, wanted: found <= wanted,
        ">": lambda found, wanted: found > wanted,
        "<": lambda found, wanted: found < wanted,
    }
)


@dataclass(frozen=True)
class Condition:
    """One condition on a field: ``=`` equals, ``!=`` differs, ``~`` contains (all ignoring case), ``< <= > >=``."""

    field: str
    operator: str
    value: str

    def fits(self, item: Item) -> bool:
        """Whether the work fulfils the condition; a work without the field fits ``!=`` alone."""
        if self.operator in _NUMERIC:
            number = _number(item, self.field)
            return number is not None and _NUMERIC[self.operator](number, float(self.value))
        found, wanted = [value.casefold() for value in values(item, self.field)], self.value.casefold()
        if self.operator == "~":
            return any(wanted in value for value in found)
        return (wanted in found) == (self.operator == "=")


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
    condition = Condition(match["field"].strip().casefold(), match["operator"], match["value"])
    if condition.operator in _NUMERIC and _as_number(condition.value) is None:
        raise RequestError(
            f"the condition {text!r} compares with {condition.value!r}; {condition.operator} needs a number"
        )
    return condition


def matching(collection: Collection, conditions: Sequence[Condition]) -> frozenset[str]:
    """The ids of the works that fulfil every condition.

    Raises:
        RequestError: no work has such a field, or none fulfils the conditions.
    """
    known = {*FIELDS, *(name.casefold() for item in collection for name in item.attributes)}
    for condition in conditions:
        if condition.field not in known:
            raise RequestError(f"the collection has no field {condition.field!r}; it has {', '.join(sorted(known))}")
    found = frozenset(item.id for item in collection if all(condition.fits(item) for condition in conditions))
    if not found:
        wanted = " and ".join(f"{each.field}{each.operator}{each.value}" for each in conditions)
        raise RequestError(
            f"none of the {len(collection)} works has {wanted}; loosen the condition (~ finds parts of words)"
        )
    return found


def values(item: Item, field: str) -> tuple[str, ...]:
    """The values of one field of a work; keywords are several, most others one, absent ones none."""
    if field == "keywords":
        return item.keywords
    if field in FIELDS:
        value = getattr(item, field)
        return (value,) if value else ()
    return tuple(value for name, value in item.attributes.items() if name.casefold() == field and value)


def _number(item: Item, field: str) -> float | None:
    if field == "year":
        return item.year_number
    return next((number for value in values(item, field) if (number := _as_number(value)) is not None), None)


def _as_number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
