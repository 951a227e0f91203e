"""What a study found: from its files or its database to the tables of an analysis, and to a report."""

import hashlib
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vernissage import __version__
from vernissage.analysis.long_table import LongTable
from vernissage.analysis.mixed_effects import Contrast, ContrastInterval, MarginalMean
from vernissage.analysis.overlap import Lists, OverlapBetween, Overlaps, OverlapWithin, overlap_tables
from vernissage.analysis.study_answers import (
    METHOD,
    Agreement,
    Distribution,
    Exclusion,
    OtherChoice,
    StudyAnalysis,
    StudyNumbers,
    VarianceComponents,
    Violation,
    analyse,
    study_numbers,
)
from vernissage.errors import RequestError
from vernissage.files import read_json
from vernissage.study.answer_files import People, pace_sentences, read_long_table, read_people, read_rankings
from vernissage.study.export import write_export
from vernissage.study.published import CITATION, FIRST_PAPER, MEASURES, PublishedValue, published_beside
from vernissage.study.records import StudyRecords
from vernissage.study.simulation import PREFIX

Tables = dict[str, tuple[type, Sequence[Any]]]
"""CSV files by name: the dataclass whose fields are the columns, and the rows."""

_HIDDEN = "P1 and so on stand for participants' ids in alphabetical order; nothing here tells them."


@dataclass(frozen=True)
class Choices:
    """Which answers an analysis counts, in the words of the command line; they are checked where they are used.

    Attributes:
        showings: ``mean``, ``first`` or ``all``.
        exclude: whether who broke the rule of repeated showings is left out; None as the study's definition says.
        pairing: ``same-participant`` or ``all-pairs``.
        engines: all that a row may name; None for any.
    """

    showings: Any = "mean"
    exclude: bool | None = True
    pairing: str = "same-participant"
    engines: Sequence[str] | None = None

    @property
    def paired(self) -> Any:
        """The pairing as `overlap_tables` calls it."""
        return self.pairing.replace("-", " ")


@dataclass(frozen=True, eq=False)
class Results:
    """An analysis; ``overlaps`` is None without lists."""

    table: LongTable
    lists: Lists | None
    analysis: StudyAnalysis
    overlaps: Overlaps | None

    @property
    def tables(self) -> Tables:
        """The files that an analysis writes."""
        return {
            "contrasts.csv": (Contrast, self.analysis.contrasts),
            "emmeans.csv": (MarginalMean, self.analysis.emmeans),
            "varcomp.csv": (VarianceComponents, self.analysis.varcomp),
            "exclusions.csv": (Exclusion, self.analysis.exclusions),
            **_overlap(self.overlaps),
        }

    @property
    def values(self) -> dict[str, Any]:
        """All numbers as JSON values, NaN as null."""
        content: dict[str, Any] = {"method": METHOD, "showings": self.analysis.showings}
        content["warnings"] = list(self.analysis.warnings)
        for name, (_, rows) in self.tables.items():
            content[name.removesuffix(".csv")] = [_finite(asdict(row)) for row in rows]
        for values, components in zip(content["varcomp"], self.analysis.varcomp, strict=True):
            values.update(_finite({"icc": components.icc}))
        return content

    def remarks(self, out: Path) -> list[str]:
        """Warnings for whoever wrote the tables into ``out``."""
        remarks = []
        if unrated := sorted({participant for participant, _ in self.lists or ()}.difference(self.table.participants)):
            shown = ", ".join(unrated[:5]) + (" …" if len(unrated) > 5 else "")
            remarks.append(f"lists without a row of answers by the same participant count: {len(unrated)} ({shown})")
        if unknown := ", ".join(sorted({engine for _, engine in self.lists or ()}.difference(self.table.engines))):
            remarks.append(f"there are lists, but no answers, of the engine {unknown}; is it a name for another?")
        if self.overlaps is None and (out / "table1.csv").exists():
            remarks.append(f"table1.csv and table2.csv in {out} are of an earlier run; add --rankings to renew them")
        return remarks


def analyse_files(long: Path, rankings: Path | None, variables: Sequence[str], choices: Choices) -> Results:
    """Analyse answers, and the overlap of lists where they are given; ``variables`` as in `read_long_table`.

    Raises:
        RequestError: a file cannot be read, or holds what cannot be; or a choice is unknown.
    """
    table, lists = _read(long, rankings, variables)
    analysis = analyse(
        table, showings=choices.showings, exclude=choices.exclude is not False, engines=choices.engines or None
    )
    overlaps = None
    if lists is not None:
        overlaps = overlap_tables(lists, pairing=choices.paired, excluded=analysis.excluded)
    return Results(table, lists, analysis, overlaps)


@dataclass(frozen=True, eq=False)
class ReportSource:
    """What a report is made from.

    Attributes:
        files: (what, digest) of each file that was read.
        record: what ``study.json`` of an export says; empty where there is none.
        simulation: the parameters of a rehearsal; empty where there was none.
        people: what ``demographics.csv`` of an export says.
        pace: sentences on how long people took.
    """

    title: str
    table: LongTable
    lists: Lists | None
    files: tuple[tuple[str, str], ...]
    record: Mapping[str, Any]
    simulation: Mapping[str, Any]
    people: People
    pace: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """A page with every result of a study, and the same numbers as tables."""

    page: str
    tables: Tables
    warnings: tuple[str, ...]


def source_of_files(long: Path, rankings: Path | None, variables: Sequence[str] = ()) -> ReportSource:
    """The answers, and what an export has beside them.

    Raises:
        RequestError: a file cannot be read, or is not what `study export` writes.
    """
    table, lists = _read(long, rankings, variables)
    beside, demographics, rehearsed = map(long.with_name, ("study.json", "demographics.csv", "simulation.json"))
    record = _record(beside) if beside.is_file() else {}
    read = [path for path in (long, rankings) if path]
    return ReportSource(
        str(record.get("definition", {}).get("title", "")) or long.stem,
        table,
        lists,
        tuple((f"SHA-256 of {path.name}", hashlib.sha256(path.read_bytes()).hexdigest()) for path in read),
        record,
        dict(read_json(rehearsed)) if record and rehearsed.is_file() else {},
        read_people(demographics) if record and demographics.is_file() else People(),
        pace_sentences(long),
    )


def source_of_records(records: StudyRecords) -> ReportSource:
    """The answers in a study's database, by way of an export, so that a report cannot say what the export does not.

    Raises:
        StudyError: nobody has taken part yet.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_export(records, place)
        names = [statement["name"] for statement in read_json(place / "study.json")["definition"]["statements"]]
        return source_of_files(place / "long.csv", place / "rankings.csv", names)


def make_report(
    source: ReportSource,
    choices: Choices,
    *,
    title: str | None = None,
    pseudonyms: bool = True,
    published: str | None = None,
) -> Report:
    """Analyse and describe a study.

    Args:
        source: the answers.
        choices: which of them count.
        title: of the page; the study's by default.
        pseudonyms: whether participants are called P1, P2 … or by their ids.
        published: whose values stand beside these; see `published_beside`.

    Raises:
        RequestError: the answers cannot be what a study gave, a choice is unknown, or published values cannot be read.
    """
    from vernissage.pages.study_report import StudyFacts, study_report

    definition = source.record.get("definition", {})
    exclude = definition.get("attention") != "none" if choices.exclude is None else choices.exclude
    numbers = study_numbers(
        source.table, source.lists, showings=choices.showings, exclude=exclude, pairing=choices.paired
    )
    people = sorted(set(source.table.participants))
    width = len(str(len(people)))
    names = {name: f"P{number:0{width}}" for number, name in enumerate(people, start=1)} if pseudonyms else {}
    tables = _report_tables(numbers, names)
    beside = published_beside(published, numbers, source.people) if published else ()
    if published:
        tables["published.csv"] = (PublishedValue, beside)
    told = "age and gender" if definition.get("genders") else "age"
    facts = StudyFacts(
        statements={each["name"]: each["text"] for each in definition.get("statements", [])},
        scale=tuple(definition.get("labels", ())),
        course=source.people.course,
        people=(
            *source.people.sentences,
            *([f"Nobody began without telling {told}."] if definition.get("demographics") == "required" else []),
            *source.pace,
            *([_HIDDEN] if pseudonyms else []),
        ),
        provenance=tuple(_provenance(source)),
        notes=tuple(_notes(source, people)),
        files=tuple(tables),
        pseudonyms=names,
        published=tuple((MEASURES[each.measure], each) for each in beside),
        published_by=CITATION if published == FIRST_PAPER else Path(published or "").name,
    )
    page = study_report(numbers, facts, title=title or source.title)
    return Report(page, tables, (*numbers.analysis.warnings, *facts.notes))


def _read(long: Path, rankings: Path | None, variables: Sequence[str]) -> tuple[LongTable, Lists | None]:
    """Answers and lists; answers about engines without lists are refused, lists that nobody has rated yet are not."""
    table = read_long_table(long, variables)
    if rankings is None:
        return table, None
    lists = read_rankings(rankings)
    listed = sorted({engine for _, engine in lists})
    for place, name in enumerate(table.engines):
        if name not in listed:
            raise RequestError(
                f"{long}, row {table.row(place)}: the engine {name!r} is not in {rankings}, which has "
                f"{', '.join(listed) or 'none'}; use one name for one engine"
            )
    return table, lists


def _record(path: Path) -> dict[str, Any]:
    content = read_json(path)
    known = isinstance(content, dict) and isinstance(content.get("definition"), dict)
    if not known or not isinstance(content.get("provenances"), list):
        raise RequestError(f"{path} is not what `study export` writes; take it away, or export the study again")
    return dict(content)


def _notes(source: ReportSource, people: Sequence[str]) -> list[str]:
    notes = []
    if people and all(name.startswith(PREFIX) for name in people):
        notes.append("Every participant is simulated: this page rehearses the analysis and says nothing about people.")
    elif simulated := sum(name.startswith(PREFIX) for name in people):
        notes.append(f"{simulated} of {len(people)} participants are simulated; take them out before the analysis.")
    if unanswered := len({name for name, _ in source.lists or ()}.difference(people)):
        notes.append(f"{unanswered} participants left between the elicitation and the first answer; their lists count.")
    return notes


def _provenance(source: ReportSource) -> list[tuple[str, str]]:
    rows = [("Analysed with", f"Vernissage {__version__}, NumPy {version('numpy')}, SciPy {version('scipy')}")]
    definition = source.record.get("definition", {})
    if definition:
        rows += [
            ("Study", str(source.record.get("study", ""))),
            ("Began", str(source.record.get("frozen", ""))),
            ("Engines", ", ".join(definition.get("engines", []))),
            ("Seed of the study", str(definition.get("seed"))),
        ]
    for each in source.record.get("provenances", []):
        rows.append(("Run with", f"Vernissage {each.get('software')}"))
        rows += [(name.capitalize(), str(each.get(name))) for name in ("definition", "collection", "encoders")]
    if source.simulation:
        rows += [("Simulated with", ", ".join(f"{key} {value}" for key, value in source.simulation.items() if value))]
    return [*rows, *source.files]


def _overlap(overlaps: Overlaps | None) -> Tables:
    if overlaps is None:
        return {}
    return {"table1.csv": (OverlapWithin, overlaps[0]), "table2.csv": (OverlapBetween, overlaps[1])}


def _report_tables(numbers: StudyNumbers, names: Mapping[str, str]) -> Tables:
    def renamed(rows: Sequence[Any]) -> list[Any]:
        return [replace(row, participant=names.get(row.participant, row.participant)) for row in rows]

    analysis = numbers.analysis
    return {
        "contrasts.csv": (Contrast, analysis.contrasts),
        "intervals.csv": (ContrastInterval, numbers.intervals),
        "emmeans.csv": (MarginalMean, analysis.emmeans),
        "varcomp.csv": (VarianceComponents, analysis.varcomp),
        "distributions.csv": (Distribution, numbers.distributions),
        "agreement.csv": (Agreement, numbers.agreements),
        "robustness.csv": (OtherChoice, numbers.others),
        "exclusions.csv": (Exclusion, renamed(analysis.exclusions)),
        "violations.csv": (Violation, renamed(numbers.violations)),
        **_overlap(numbers.overlaps),
    }


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """NaN as null, which JSON has a word for."""
    return {name: None if isinstance(cell, float) and math.isnan(cell) else cell for name, cell in row.items()}
