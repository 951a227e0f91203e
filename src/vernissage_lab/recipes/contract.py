"""What an experiment promises."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from matplotlib.figure import Figure

from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.tidy import Row

Tables = Mapping[str, Sequence[Row]]
"""Tidy tables by name."""

MARKS = "published"
"""A table that only figures of the report get: rows of means as others published them, with the column ``by``."""

Record = Mapping[str, Any]
"""What a run wrote of itself: experiment, options, inputs, notes, versions and so on."""


class Input(Protocol):
    """What an experiment runs on: works by an encoder."""

    def describe(self) -> Mapping[str, Any]:
        """What a record says of it: data, data_fingerprint, encoder, encoder_fingerprint, works, and more."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What came out.

    Attributes:
        tables: by name; those that are empty are not written.
        notes: where this run differs from the paper's protocol, and what could not be computed.
    """

    tables: Tables
    notes: tuple[str, ...] = ()


def no_difference(_: Record) -> str:
    """The protocols agree."""
    return ""


@dataclass(frozen=True)
class Published:
    """A value that was published.

    Attributes:
        what: what was measured.
        value: as it was published.
        source: where.
        needs: what a run must have for a value of its own, in words.
        ours: from tables and record to our value; empty where the run has not what it ``needs``.
        difference: where the protocol of a run that has it is another; empty where it agrees.
    """

    what: str
    value: str
    source: str
    needs: str
    ours: Callable[[Tables, Record], str]
    difference: Callable[[Record], str] = no_difference


@dataclass(frozen=True)
class Picture:
    """A figure and what it shows, in words."""

    figure: Figure
    alt: str


@dataclass(frozen=True)
class Recipe:
    """An experiment that one command runs.

    Attributes:
        name: the command's word.
        paper: which tables and figures, of which paper.
        what: one line.
        needs: what it works on, in words.
        protocol: how it is done, sentence by sentence.
        pictures: from tables to figures by file name, in the papers' layout.
        views: from tables to what is printed and put on the page.
        published: values to set beside ours.
    """

    name: str
    paper: str
    what: str
    needs: str
    protocol: tuple[str, ...]
    pictures: Callable[[Tables], Mapping[str, Picture]]
    views: Callable[[Tables], Sequence[ReadTable]]
    published: tuple[Published, ...] = ()
