"""Nested values as cells: of languages one, of people and terms their names, of pictures their addresses."""

import ast
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,8})*|@?none|def")
_SPOKEN = (
    "name", "label", "value", "@value", "#text", "_label", "prefLabel", "displayName", "display_name", "full_name",
    "title", "content", "text", "term", "o:label", "display_title", "description",
)  # fmt: skip
_ADDRESSES = ("url", "src", "href", "file", "path", "filename", "contentUrl", "@id", "id", "uri")
_MOST_PARTS = 8
_DEEPEST = 12

Cell = Callable[[Any], str]


def written(cell: str) -> Any:
    """The list or object that JSON or Python has written into a cell; None of other cells, and of lists of numbers."""
    if cell[:1] + cell[-1:] not in ("{}", "[]"):
        return None
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return None
    if isinstance(value, list):
        return value if all(isinstance(each, str | dict) for each in value) else None
    return value if isinstance(value, dict) and value else None


def unfolded(record: Mapping[str, Any], cell: Cell, before: str = "", depth: int = 0) -> dict[str, str]:
    """The cells of a record, objects in it as columns of their own: ``dating.year``; ``cell`` reads plain values."""
    cells: dict[str, str] = {}
    for name, value in record.items():
        column = f"{before}.{name}" if before else str(name)
        if isinstance(value, dict) and value and depth < _DEEPEST:
            if (tongues := _languages(value)) is not None:
                first, *others = tongues
                cells[column] = words(value[first], cell)
                cells |= {f"{column}[{tongue}]": words(value[tongue], cell) for tongue in others}
            elif _is_term(value):
                cells[column] = words(value, cell)
            else:
                cells |= unfolded(value, cell, column, depth + 1)
        elif isinstance(value, list) and value and depth < _DEEPEST and (each := _unnamed(value, column)):
            parts = [unfolded(part, cell, of, depth + 1) for of, part in each]
            for name_of_part in dict.fromkeys(name for part in parts for name in part):
                cells[name_of_part] = words([part.get(name_of_part, "") for part in parts], cell)
        else:
            cells[column] = words(value, cell)
    return cells


def _unnamed(values: list[Any], column: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Objects of a list that have no name of their own, each with the column that they stand in; empty for others.

    Those of a label and a content are the property that the label names.
    """
    if not all(isinstance(value, dict) and value for value in values):
        return []
    if all(value.keys() == {"label", "content"} and isinstance(value["label"], str) for value in values):
        return [(column, {value["label"]: value["content"]}) for value in values]
    named = any(key in value for value in values for key in (*_SPOKEN, *_ADDRESSES))
    return [] if named or any(_languages(value) for value in values) else [(column, value) for value in values]


def words(value: Any, cell: Cell, depth: int = 0) -> str:
    """A value in words, without braces: of an object its name, else its address, else its parts; lists with bars."""
    if depth > _DEEPEST:
        return ""
    if isinstance(value, list | tuple):
        return " | ".join(dict.fromkeys(part for each in value if (part := words(each, cell, depth + 1))))
    if not isinstance(value, dict):
        return cell(value)
    if value and (tongues := _languages(value)) is not None:
        return words(value[tongues[0]], cell, depth + 1)
    for key in (*_SPOKEN, *_ADDRESSES):
        if found := words(value.get(key), cell, depth + 1):
            return found
    parts = ((key, words(each, cell, depth + 1)) for key, each in value.items())
    return "; ".join(f"{key}: {part}" for key, part in parts if part)


def _languages(value: Mapping[str, Any]) -> list[str] | None:
    """The languages of an object that says the same in several, English first; None of other objects."""
    keys = [str(key) for key in value]
    plain = all(not isinstance(each, dict) for each in value.values())
    if not (plain and all(map(_LANGUAGE.fullmatch, keys))) or set(keys) & {*_SPOKEN, *_ADDRESSES, "day", "min", "max"}:
        return None
    return sorted(keys, key=lambda key: not key.casefold().startswith("en"))


def _is_term(value: Mapping[str, Any]) -> bool:
    """Whether an object stands for a person, a place or a term: few plain parts, and one that names it."""
    named = any(key in value for key in _SPOKEN if key not in {"title", "description"})
    return named and len(value) <= _MOST_PARTS and not any(isinstance(each, dict | list) for each in value.values())
