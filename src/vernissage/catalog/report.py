"""What was found on reading a collection, and which rows need a person's hand."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from vernissage.errors import CollectionError

ProblemKind = Literal[
    "missing picture", "unreadable picture", "picture outside the folder", "picture not fetched",
    "duplicate id", "no id", "damaged row", "record not fetched", "unusable vector",
]  # fmt: skip

_SHOWN = 20
_ALWAYS = 3  # rows may be left out of the smallest table, where 5 % is none
_LONGEST = 120


@dataclass(frozen=True)
class Problem:
    """One row that cannot be used as it is.

    Attributes:
        kind: what sort of problem it is.
        row: the row as a person counts in the file (a table's header is row 1); None where there is no table.
        id: the work's id as far as it is known.
        file: the picture's name as the table gives it; empty where no picture is concerned.
        what: what is wrong with the row.
        way_out: what to do about it.
        kept: whether the work is kept all the same, with its text and its other pictures.
    """

    kind: ProblemKind
    row: int | None
    id: str
    file: str
    what: str
    way_out: str
    kept: bool = False

    def line(self) -> str:
        """The problem in one line: place, what, way out."""
        place = " ".join([f"row {self.row}" if self.row else "", f"({_short(self.id)})" if self.id else ""]).strip()
        way_out = f"the work is kept without this picture; {self.way_out}" if self.kept else self.way_out
        return f"{place}: {_short(self.what)}; {way_out}" if place else f"{_short(self.what)}; {way_out}"


@dataclass(frozen=True)
class Guess:
    """What a column was taken for.

    Attributes:
        column: its name in the table.
        meaning: the field of a work.
        reason: why, in a few words.
        value: one of its cells; empty where none is filled.
    """

    column: str
    meaning: str
    reason: str
    value: str

    def line(self) -> str:
        """The guess in one line."""
        such = f', such as "{_short(self.value, 40)}"' if self.value else ""
        return f"{self.column} → {self.meaning} ({self.reason}){such}"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a source was understood as a whole.

    Attributes:
        table: the file name of the table that was read; empty without one.
        problems: of rows that gave no record at all; in a report those of all rows, in the order of the file.
        columns: column name → field of `Item`.
        attributes: columns kept under their own names.
        not_in_text: attributes that stay out of `Item.text` because they repeat the group.
        texts: columns that feed the texts, in their order.
        encoding: how the table's bytes were read; empty where the format fixes it.
        separator: what separates the cells ("comma", "tab" …); empty where the format fixes it.
        remarks: what was decided on the way that a person may want to know.
        warnings: what was left aside that the works were probably meant to have, with the way out.
        guesses: what each column in ``columns`` was taken for and why.
        joined: rows that are one more view of the work of an earlier row.
        stop: why no collection may be made of it as it is understood, with the way out; empty where one may.
    """

    table: str = ""
    problems: tuple[Problem, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    not_in_text: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    encoding: str = ""
    separator: str = ""
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()
    joined: int = 0
    stop: str = ""


@dataclass(frozen=True)
class Tolerance:
    """What a build goes on with.

    Attributes:
        most: rows that may be left out: a share of all rows (float), though three always may, or a number (int).
        strict: nothing may be wrong with any row.
        without_pictures: works are kept with their texts even if fewer than half of the named pictures are found.
    """

    most: float | int = 0.05
    strict: bool = False
    without_pictures: bool = False

    def allows(self, rejected: int, rows: int) -> bool:
        """Whether so many rows of all may be left out."""
        most = self.most if isinstance(self.most, int) else max(_ALWAYS, self.most * rows)
        return rejected <= (0 if self.strict else most)


USUAL = Tolerance()
SKIP_BAD = Tolerance(1.0, without_pictures=True)


@dataclass(frozen=True, kw_only=True)
class CollectionReport(Reading):
    """What was read, what was kept, and what was not.

    Attributes:
        source: the table's file name, or the name of the source where there is no table.
        rows: rows that hold anything, without the header; records where there is no table.
        kept: works that can be used.
        pictures: works of which a picture was found and decoded to its end.
        all_pictures: such pictures of all works together.
        empty_texts: ids of works without any text; no problem in itself.
        groups: group names and sizes, largest first.
        dates_read, dates_unread: works whose date names years, and works whose date names none; works without a date
            are in neither.
        date_examples: some dates with the years that they mean, and some that name none, whose years are empty.
    """

    source: str
    rows: int
    kept: int
    pictures: int
    all_pictures: int
    empty_texts: tuple[str, ...] = ()
    groups: Mapping[str, int] = field(default_factory=dict)
    dates_read: int = 0
    dates_unread: int = 0
    date_examples: Mapping[str, str] = field(default_factory=dict)

    def of_kind(self, kind: ProblemKind) -> tuple[Problem, ...]:
        """The problems of one kind, in the order of the file."""
        return tuple(problem for problem in self.problems if problem.kind == kind)

    @property
    def rejected(self) -> tuple[Problem, ...]:
        """The problems of rows that were left out."""
        return tuple(problem for problem in self.problems if not problem.kept)

    def require(self, tolerance: "Tolerance") -> None:
        """Refuse what no collection may be made of.

        Raises:
            BadRowsError: more rows were left out than may be, or none is left.
            CollectionError: there is no row, no column gives a title, a name or a description though one could, or
                fewer than half of the named pictures were found.
        """
        if not self.kept and not self.problems:
            raise CollectionError(
                f"{self.source} has no row with a work in it; write one row for each work below the header"
            )
        if self.stop:
            raise CollectionError(self.stop)
        rows = {problem.row if problem.row is not None else problem.id for problem in self.rejected}
        lost = len(self.problems) - len(self.rejected)
        nothing_left, allowed = self.problems and not self.kept, tolerance.allows(len(rows), self.rows)
        if nothing_left or not allowed or (tolerance.strict and lost):
            raise BadRowsError(self)
        if lost > self.all_pictures and not tolerance.without_pictures:
            first, there = next(problem for problem in self.problems if problem.kept), self.all_pictures
            if first.kind == "picture not fetched":
                raise CollectionError(
                    f"{self.source} names {lost + there} pictures, and {lost} of them cannot be fetched "
                    f"(the first: {_short(first.what, 300)}); what was fetched is kept: try again, or go on with the "
                    f"texts by --without-pictures"
                )
            raise CollectionError(
                f"{self.source} names {lost + there} pictures, and only {there} of them are there "
                f"(the first that is not: {_short(first.file)}); say where they lie with --pictures-from FOLDER, or go "
                f"on with the texts by --without-pictures"
            )

    def lines(self) -> list[str]:
        """The report for printing: the counts first, then what was recognised, then every problem."""
        texts = self.kept - len(self.empty_texts)
        counts = f"{_number(self.rows, 'row')}, {_number(self.kept, 'work')} kept"
        shown = f" ({self.all_pictures} pictures)" if self.all_pictures > self.pictures else ""
        lines = [f"{self.source}: {counts}, {self.pictures} with a picture{shown}, {texts} with a text"]
        if self.empty_texts:
            lines.append(f"without text: {_some(self.empty_texts)}")
        if self.groups:
            sizes = [f"{name} ({size})" for name, size in self.groups.items()]
            lines.append(f"{_number(len(self.groups), 'group')}: {_some(sizes)}")
        lines += self._dates()
        if self.problems:
            counts = f"rows left out: {len(self.rejected)}, pictures missed: {len(self.problems) - len(self.rejected)}"
            lines.append(f"{_number(len(self.problems), 'problem')}, listed below ({counts})")
        if self.guesses:
            lines += ["columns:", *(f"  {guess.line()}" for guess in self.guesses)]
        if self.attributes:
            lines.append("kept under their own names: " + ", ".join(self.attributes))
        if self.texts:
            lines.append(f"columns that feed the texts: {', '.join(self.texts)}")
        if self.not_in_text:
            lines.append("kept out of the texts, for they repeat the group: " + ", ".join(self.not_in_text))
        if self.encoding or self.separator:
            separated = f"cells separated by {self.separator}" if self.separator else ""
            lines.append(", ".join(filter(None, (self.encoding, separated))))
        return [*lines, *self.remarks, *(problem.line() for problem in self.problems)]

    def _dates(self) -> list[str]:
        shown = [f"{_short(date)} → {years}" if years else _short(date) for date, years in self.date_examples.items()]
        read = "; ".join(each for each in shown if " → " in each)
        unread = "; ".join(each for each in shown if " → " not in each)
        lines = [f"{_number(self.dates_read, 'date')} read as years" + (f" ({read})" if read else "")]
        lines += [f"{_number(self.dates_unread, 'date')} not read ({unread})"] if self.dates_unread else []
        return lines if self.dates_read or self.dates_unread else []

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values; problems carry their printed line as well."""
        told = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}
        kinds: tuple[ProblemKind, ...] = ("missing picture", "unreadable picture", "duplicate id")
        told["problems"] = [asdict(each) | {"line": each.line()} for each in self.problems]
        told["guesses"] = [asdict(each) for each in self.guesses]
        return told | {f"{kind.replace(' ', '_')}s": len(self.of_kind(kind)) for kind in kinds}


class BadRowsError(CollectionError):
    """Rows that cannot be used as they are; ``report`` holds every one of them."""

    def __init__(self, report: CollectionReport) -> None:
        first = " · ".join(problem.line() for problem in report.problems[:2])
        more = len(report.problems) - 2
        others = f" · and {more} more" if more > 0 else ""
        counted = f"{report.source} has {_number(len(report.problems), 'problem')}"
        way_out = "`--max-rejected 10%` lets more rows be left out, `--skip-bad` all of these"
        if not report.kept:
            counted = f"no row of {report.source} can be used ({_number(report.rows, 'row')} read)"
            way_out = "without these rows nothing is left"
        super().__init__(f"{counted}: {first}{others} (`vernissage build --report FILE` lists them all; {way_out})")
        self.report = report


def _short(words: str, longest: int = _LONGEST) -> str:
    line = " ".join(words.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _some(names: tuple[str, ...] | list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(_short(name) for name in names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
