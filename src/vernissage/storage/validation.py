"""Validation of ids, names and texts from people, so that every database can hold them."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import TypeVar

from vernissage.errors import Kind, StorageError

LONGEST_NAME = 200
_ROWS_PER_STATEMENT = 1000  # PostgreSQL takes 65,535 parameters in one statement, old SQLite 32,766
_T = TypeVar("_T")


class UnstorableError(StorageError):
    """A value that cannot be kept as it was given."""

    kind = Kind.BAD_REQUEST


def checked_name(kind: str, name: str) -> str:
    """An id or a person's name: 1 to 200 visible characters on one line.

    Raises:
        UnstorableError: it is empty, too long, begins or ends with a blank, or holds control characters.
    """
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise UnstorableError(
            f"{name[:60]!r} cannot be the {kind}: give 1 to {LONGEST_NAME} visible characters on one line, without "
            f"blanks around them"
        )
    return name


def checked_upload_id(name: str) -> str:
    """An upload's id: as `checked_name`, without slashes, in one normal form, since addresses contain it.

    Raises:
        UnstorableError: it is none; the message says what is expected.
    """
    checked_name("id of an upload", name)
    if name in {".", ".."} or "/" in name or "\\" in name or unicodedata.normalize("NFC", name) != name:
        raise UnstorableError(
            f"{name[:60]!r} cannot be the id of an upload: give one without slashes, other than a dot or two, and with "
            f"accented letters composed (Unicode NFC)"
        )
    return name


def checked_text(kind: str, words: str) -> str:
    """A text of any length and script.

    Raises:
        UnstorableError: it holds a NUL character or half of a surrogate pair, which no database keeps.
    """
    if "\0" in words or any("\ud800" <= letter <= "\udfff" for letter in words):
        raise UnstorableError(
            f"the {kind} {words[:30]!r}… holds a character that is none (NUL, or half of a pair); save it as UTF-8 text"
        )
    return words


def in_batches(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Parts that are short enough for one statement."""
    for start in range(0, len(values), _ROWS_PER_STATEMENT):
        yield values[start : start + _ROWS_PER_STATEMENT]
