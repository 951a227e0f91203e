"""Sentences for people, which can be told in other languages: English in the code, a catalogue for each other one.

A catalogue, ``catalogues/LANGUAGE.toml``, has the English sentence as the key, as with gettext. What it does not have
stays English. A value with ``one`` and ``other`` is chosen by the number ``n`` in the sentence.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, Self, TypeVar, get_args

Language = Literal["en", "de"]
ENGLISH: Language = "en"
LANGUAGES: tuple[str, ...] = get_args(Language)
"""What sentences are told in, the first where nothing else is asked for."""

_COMMA = frozenset({"de"})
"""Languages that write a comma in numbers such as 4.5."""

T = TypeVar("T")


class Sentence(str):
    """A text in English that knows what it was made of, as in ``Sentence("you rated {title} {rating:g}", …)``.

    Values may be sentences themselves, and tuples of them, which are told with commas.
    """

    __slots__ = ("message", "values")
    message: str
    values: Mapping[str, object]

    def __new__(cls, message: str, /, **values: object) -> Self:
        made = super().__new__(cls, _filled(message, ENGLISH, values))
        made.message, made.values = message, values
        return made


def told(text: str, language: str) -> str:
    """A sentence in one of `LANGUAGES`; any other text as it stands."""
    return _filled(text.message, language, text.values) if isinstance(text, Sentence) else text


def translated(content: T, language: str) -> T:
    """JSON values whose sentences are told in a language; English ones as they are."""
    return content if language == ENGLISH else _walked(content, language)


def _walked(content: Any, language: str) -> Any:
    if isinstance(content, dict):
        return {name: _walked(each, language) for name, each in content.items()}
    if isinstance(content, list):
        return [_walked(each, language) for each in content]
    return told(content, language) if isinstance(content, Sentence) else content


@cache
def catalogue(language: str) -> Mapping[str, Any]:
    """The sentences of a language by the English ones; of English those that are not told as they stand in the code."""
    text = files("vernissage").joinpath("catalogues", f"{language}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _filled(message: str, language: str, values: Mapping[str, object]) -> str:
    found = catalogue(language).get(message, message)
    if not isinstance(found, str):
        found = found["one" if values.get("n") == 1 else "other"]
    if not values:
        return str(found)
    # Dozens are made for every answer: in English most values stand as they are.
    if language != ENGLISH or tuple in map(type, values.values()):
        values = {name: _shown(each, language) for name, each in values.items()}
    return str(found.format(**values))


def _shown(value: object, language: str) -> object:
    if isinstance(value, tuple):
        return ", ".join(str(_shown(each, language)) for each in value)
    if isinstance(value, float) and language in _COMMA:
        return _WithComma(value)
    return told(value, language) if isinstance(value, Sentence) else value


class _WithComma(float):
    def __format__(self, spec: str) -> str:
        return super().__format__(spec).replace(".", ",")
