"""JSON and TOML files as damage, mistakes and attackers change them: seeded, and as many as one likes."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 10**30, 2**62, -0.5, 1e308, "", "x", "../x", "\0", "x" * 70_000, [], {}, [[]], [None],
    {"x": 1}, [1, "x", {}], "\ud800",
)  # fmt: skip
WORDS = ("NaN", "-Infinity", "1e999", "9" * 5000, "[" * 5000 + "]" * 5000, '{"a":' * 5000 + "1" + "}" * 5000)
_MARK = "the value that is changed"


def mutations(content: str, seed: int, count: int) -> Iterator[bytes]:
    """``count`` changes of a JSON text: values of other kinds and sizes, keys away, new and twice, bytes cut and wrong."""
    random = np.random.default_rng(seed)
    values = json.loads(content)
    places = list(_places(values))
    ways = (_other_value, _other_word, _without, _new_key, _twice, _other_bytes)
    for _ in range(count):
        way = ways[int(random.integers(len(ways)))]
        yield way(values, places[int(random.integers(len(places)))], random)


def toml_mutations(content: str, seed: int, count: int) -> Iterator[bytes]:
    """``count`` changes of a TOML text, line by line and byte by byte."""
    random = np.random.default_rng(seed)
    lines = content.splitlines()
    assigned = [number for number, line in enumerate(lines) if "=" in line and not line.startswith("#")]
    others = (
        "nan",
        "inf",
        "1e999",
        "9" * 5000,
        "[" * 5000 + "]" * 5000,
        "{}",
        "[]",
        '""',
        "true",
        "1979-05-27",
        "-1",
        '"\\ud800"',
    )
    for _ in range(count):
        changed, place = list(lines), assigned[int(random.integers(len(assigned)))]
        name = lines[place].partition("=")[0]
        match int(random.integers(4)):
            case 0:
                changed[place] = f"{name}= {others[int(random.integers(len(others)))]}"
            case 1:
                changed[place] = [lines[place], "", f"[{name.strip()}]", "x = 1"][int(random.integers(4))]
            case 2:
                changed.insert(place, lines[place])
            case _:
                yield _bytes_changed("\n".join(lines).encode(), random)
                continue
        yield "\n".join(changed).encode()


def _places(values: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = values.items() if isinstance(values, dict) else enumerate(values[:3]) if isinstance(values, list) else ()
    for key, value in inner:
        yield from _places(value, (*path, key))


def _changed(values: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    found = deepcopy(values)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return found


def _other_value(values: Any, path: tuple[Any, ...], random: np.random.Generator) -> bytes:
    return json.dumps(_changed(values, path, VALUES[int(random.integers(len(VALUES)))])).encode()


def _other_word(values: Any, path: tuple[Any, ...], random: np.random.Generator) -> bytes:
    text = json.dumps(_changed(values, path, _MARK))
    return text.replace(f'"{_MARK}"', WORDS[int(random.integers(len(WORDS)))]).encode()


def _without(values: Any, path: tuple[Any, ...], random: np.random.Generator) -> bytes:
    if not path:
        return b""
    found = deepcopy(values)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return json.dumps(found).encode()


def _new_key(values: Any, path: tuple[Any, ...], random: np.random.Generator) -> bytes:
    return json.dumps(_changed(values, path, {"unknown": 1, "__class__": "x"})).encode()


def _twice(values: Any, path: tuple[Any, ...], random: np.random.Generator) -> bytes:
    text = json.dumps(values)
    return text.replace("{", '{"format": 2, "format": 2, ', 1).encode()


def _other_bytes(values: Any, path: tuple[Any, ...], random: np.random.Generator) -> bytes:
    return _bytes_changed(json.dumps(values).encode(), random)


def _bytes_changed(raw: bytes, random: np.random.Generator) -> bytes:
    place = int(random.integers(1, len(raw)))
    changed = (
        raw[:place],
        raw[:place] + bytes([int(random.integers(256))]) + raw[place + 1 :],
        raw.decode().encode("utf-16"),
        raw.decode().encode("utf-32"),
        b"\xef\xbb\xbf" + raw,
        raw + raw,
        b"\x80" + raw,
        raw.replace(b'"', b"'"),
        b"\0" * len(raw),
    )
    return changed[int(random.integers(len(changed)))]
