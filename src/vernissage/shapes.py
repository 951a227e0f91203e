"""JSON as it is read from files of strangers: strictly, and of the types that the code expects."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, NoReturn, Union, get_args, get_origin

_LARGEST = 2**63


def json_values(text: str | bytes) -> Any:
    """The values of a JSON text by its standard, which Python's reader goes beyond.

    Raises:
        ValueError: it is none, is nested too deeply, names a key twice, or holds NaN, an infinity, half a letter of
            UTF-16, or a whole number of more than 64 bits.
    """
    rules: dict[str, Any] = {"parse_constant": _no_number, "parse_float": _finite, "parse_int": _whole}
    try:
        found = json.loads(text, object_pairs_hook=_object, **rules)
        if (b"\\u" if isinstance(text, bytes) else "\\u") in text:  # type: ignore[operator]  # of the same type
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half a letter of UTF-16") from None
    return found


def misfit(value: Any, kind: Any, at: str = "it") -> str:
    """What is wrong with JSON values that should become ``kind``, in words; nothing where they fit.

    ``kind`` is a type as dataclasses annotate their fields: str, int, float, bool, None, Any, a union, a Literal, a
    mapping of texts, a sequence or tuple of one type, or a dataclass, whose keys are its fields and no others.
    """
    origin = get_origin(kind)
    if is_dataclass(kind):
        return _object_misfit(value, kind, at)
    if origin in (tuple, Sequence, list, Mapping, dict):
        return _parts_misfit(value, get_args(kind), at, listed=origin not in (Mapping, dict))
    return "" if _fits(value, kind) else _wrong(at, value)


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a plain type, or of one of several."""
    if get_origin(kind) in (Union, UnionType):
        return any(not misfit(value, each) for each in get_args(kind))
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    accepted: Any = (int, float) if kind is float else kind
    return kind is Any or (isinstance(value, accepted) and (kind is bool or not isinstance(value, bool)))


def _parts_misfit(value: Any, kinds: Sequence[Any], at: str, *, listed: bool) -> str:
    if not isinstance(value, list if listed else dict):
        return _wrong(at, value)
    held: Any = value
    parts: Iterable[tuple[Any, Any]] = enumerate(held) if listed else held.items()
    kind = kinds[0] if listed else kinds[1]
    return next(filter(None, (misfit(each, kind, f"{at}[{str(key)[:40]}]") for key, each in parts)), "")


def _object_misfit(value: Any, kind: Any, at: str) -> str:
    if not isinstance(value, dict):
        return _wrong(at, value)
    known = {each.name: each for each in fields(kind)}
    if unknown := sorted(value.keys() - known.keys()):
        return f"{at} has the unknown key {unknown[0][:40]!r}"
    needed = (name for name, each in known.items() if each.default is MISSING and each.default_factory is MISSING)
    if lacking := [name for name in needed if name not in value]:
        return f"{at} lacks {lacking[0]!r}"
    found = (misfit(each, known[name].type, f"{at}.{name}") for name, each in value.items())
    return next(filter(None, found), "")


def _wrong(at: str, value: Any) -> str:
    shown = (
        json.dumps(value)[:40] if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
    )
    return f"{at} is of another kind than expected ({shown})"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _finite(digits: str) -> float:
    if math.isinf(number := float(digits)):
        raise ValueError(f"{digits[:40]} is too large a number")
    return number


def _whole(digits: str) -> int:
    if len(digits) > 20 or not -_LARGEST <= (number := int(digits)) < _LARGEST:
        raise ValueError(f"{digits[:40]} is too large a number")
    return number
