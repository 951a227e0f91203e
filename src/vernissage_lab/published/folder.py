"""The files that D'Asaro et al. released, read strictly; what is wrong is told with file, line and column."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vernissage.errors import RequestError
from vernissage_lab.datasets.classified import read_classified
from vernissage_lab.datasets.reading import cell_of, read_rows, require_file
from vernissage_lab.published.names import DATA, SOURCE


@dataclass(frozen=True)
class PublishedRow:
    """One line of a file of theirs: words and numbers by column."""

    words: Mapping[str, str]
    numbers: Mapping[str, float]

    def whole(self, column: str) -> int:
        """A number that counts something."""
        return int(self.numbers[column])


@dataclass(frozen=True)
class PublishedFolder:
    """A clone of their repository. Files are read when a run needs them, and no others must be there."""

    path: Path

    def rows(
        self,
        file: str,
        *,
        words: Mapping[str, Collection[str]],
        counts: Sequence[str] = (),
        shares: Sequence[str] = (),
        others: Sequence[str] = (),
    ) -> list[PublishedRow]:
        """The lines of a table.

        Args:
            file: its place in the repository.
            words: columns of words, each with those that may stand in it.
            counts: columns of whole numbers from 1.
            shares: columns of numbers from 0 to 1.
            others: columns of other numbers from 0.

        Raises:
            RequestError: the folder is none, or the file holds no lines, or a cell is none of these.
            DatasetError: the file is missing, cannot be read, or lacks a column.
        """
        if not self.path.is_dir():
            raise RequestError(f"{self.path} is no folder; give a clone of {SOURCE} with --published")
        path = require_file(self.path / file, f"{file} of the authors' repository", SOURCE)
        table = read_rows(path)
        kinds = {**dict.fromkeys(counts, "count"), **dict.fromkeys(shares, "share"), **dict.fromkeys(others, "other")}
        places = {column: table.required("as the authors released it", column) for column in (*words, *kinds)}
        found = [
            PublishedRow(
                {column: _word(cells, places, column, words[column], f"{path}, line {line}") for column in words},
                {column: _number(cells, places, column, kinds[column], f"{path}, line {line}") for column in kinds},
            )
            for line, cells in table
        ]
        if not found:
            raise RequestError(f"{path} has a header and no values; get it anew from {SOURCE}")
        return found

    @cached_property
    def fingerprints(self) -> Mapping[str, str]:
        """The fingerprints of their classified tables that are there, by data, read without pictures elsewhere.

        Raises:
            DatasetError: a table is damaged.
        """
        return dict(self._fingerprints())

    def _fingerprints(self) -> Iterator[tuple[str, str]]:
        for data, known in DATA.items():
            if (table := self.path / known.classified).is_file():
                yield data, read_classified(table).fingerprint


def _word(cells: Sequence[str], places: Mapping[str, int], column: str, known: Collection[str], where: str) -> str:
    word = cell_of(cells, places[column])
    if word not in known:
        raise RequestError(f"{where} has {word!r} in the column {column}; expected is one of {', '.join(known)}")
    return word


_KINDS = {"count": "a whole number from 1", "share": "a number from 0 to 1", "other": "a number from 0"}


def _number(cells: Sequence[str], places: Mapping[str, int], column: str, kind: str, where: str) -> float:
    text = cell_of(cells, places[column])
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    fits = {"count": number >= 1 and number.is_integer(), "share": 0 <= number <= 1, "other": 0 <= number < math.inf}
    if not fits[kind]:
        raise RequestError(f"{where} has {text!r} in the column {column}; expected is {_KINDS[kind]}")
    return number
