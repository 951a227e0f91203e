"""JSON as its standard has it, and of the types that dataclasses name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from vernissage.shapes import json_values, misfit


@dataclass(frozen=True)
class Inner:
    size: int
    name: str = ""


@dataclass(frozen=True)
class Outer:
    inner: Inner
    share: float | None = None
    kind: Literal["a", "b"] = "a"
    words: tuple[str, ...] = ()
    sizes: Mapping[str, Inner] = field(default_factory=dict)
    loose: Any = None
    on: bool = False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "a": 2}', "a key stands twice"),
        ('{"a": NaN}', "NaN is no number of JSON"),
        ("[-Infinity]", "-Infinity is no number"),
        ("[1e999]", "1e999 is too large"),
        ("9" * 5000, "is too large a number"),
        (str(2**63), "is too large a number"),
        ("[" * 100_000, "nested too deeply"),
        (b'["\\ud800"]', "half a letter"),
        (b"\x80", "codec can't decode"),
        ("{", "Expecting"),
    ],
)
def test_what_is_no_json(text: str | bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        json_values(text)


def test_json_in_any_of_its_encodings() -> None:
    content = '{"ł": [-9223372036854775808, 1.5, "\\ud83d\\ude00"]}'
    for encoding in ("utf-8", "utf-16", "utf-32"):
        assert json_values(content.encode(encoding)) == {"ł": [-(2**63), 1.5, "😀"]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"inner": {"size": 1}}, ""),
        ({"inner": {"size": 1}, "share": 1, "kind": "b", "words": ["x"], "sizes": {"x": {"size": 2}}, "on": True}, ""),
        ([], "it is of another kind than expected (a list)"),
        ({}, "it lacks 'inner'"),
        ({"inner": {"size": 1}, "more": 1}, "it has the unknown key 'more'"),
        ({"inner": {"size": True}}, "it.inner.size is of another kind than expected (true)"),
        ({"inner": {"size": 1.0}}, "it.inner.size is of another kind than expected (1.0)"),
        ({"inner": {"size": 1}, "share": "1"}, 'it.share is of another kind than expected ("1")'),
        ({"inner": {"size": 1}, "kind": "c"}, 'it.kind is of another kind than expected ("c")'),
        ({"inner": {"size": 1}, "words": "x"}, 'it.words is of another kind than expected ("x")'),
        ({"inner": {"size": 1}, "words": [1]}, "it.words[0] is of another kind than expected (1)"),
        ({"inner": {"size": 1}, "sizes": {"x": {}}}, "it.sizes[x] lacks 'size'"),
        ({"inner": {"size": 1}, "on": 1}, "it.on is of another kind than expected (1)"),
    ],
)
def test_values_are_compared_with_a_dataclass(value: object, words: str) -> None:
    assert misfit(value, Outer) == words
