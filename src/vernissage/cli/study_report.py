"""The command that turns a study into a page: study report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.csv_folder import write_tables
from vernissage.cli.options import DatabasePlace
from vernissage.cli.output import note, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.analysis.long_table import LongTable
    from vernissage.analysis.study_numbers import StudyNumbers
    from vernissage.cli.study_people import People

PAGE = "report.html"
_HIDDEN = "P1 and so on stand for participants' ids in alphabetical order; nothing here tells them."
Lists = Mapping[tuple[str, str], Sequence[str]]


@dataclass(frozen=True)
class _Source:
    """What a report is made from.

    Attributes:
        files: (what, digest) of each file that was read.
        record: what `study.json` of an export says; empty where there is none.
        simulation: the parameters of a rehearsal; empty where there was none.
        people: what `demographics.csv` of an export says; None where there is none.
        pace: sentences on how long people took.
    """

    title: str
    table: "LongTable"
    lists: Lists | None
    files: tuple[tuple[str, str], ...]
    record: Mapping[str, Any]
    simulation: Mapping[str, Any]
    people: "People | None"
    pace: tuple[str, ...]


def report(
    long: Annotated[
        Path | None, typer.Argument(metavar="[LONG.csv]", help="Answers, as `study export` writes them; or --study.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The folder for page and tables.")] = Path(
        "report"
    ),
    rankings: Annotated[
        Path | None, typer.Option(metavar="RANKINGS.csv", help="Lists: participant, engine, rank, item.")
    ] = None,
    study: Annotated[
        Path | None, typer.Option(metavar="STUDY.toml", help="Report on this study's database, not on files.")
    ] = None,
    workspace: Annotated[Path | None, typer.Option("--workspace", "-w", help="The workspace, with --study.")] = None,
    showings: Annotated[
        str, typer.Option(metavar="mean|first|all", help="Which answers count, as in `study analyse`.")
    ] = "mean",
    exclude: Annotated[
        bool | None,
        typer.Option(
            "--exclude/--no-exclude",
            help="Leave out who broke the rule of repeated showings. Default: as the study's attention says.",
            show_default=False,
        ),
    ] = None,
    pairing: Annotated[
        str, typer.Option(metavar="same-participant|all-pairs", help="Which lists of two engines are compared.")
    ] = "same-participant",
    variable: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A column of ratings; repeat.")] = None,
    title: Annotated[str | None, typer.Option(help="The page's title; default: the study's.")] = None,
    pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms/--ids", help="Call participants P1, P2 …, or by their ids.")
    ] = True,
    database: DatabasePlace = None,
) -> None:
    """Write a page with every result of a study, and the same numbers as CSV.

    \b
    Examples:
      vernissage study report export/long.csv --rankings export/rankings.csv --out report
      vernissage study report --study study.toml --workspace workspace --out report
    """
    from vernissage.analysis.study_numbers import study_numbers
    from vernissage.files import write_bytes
    from vernissage.pages.study_report import study_report

    source = _source(long, rankings, study, workspace, database, variable or ())
    paired: Any = pairing.replace("-", " ")  # checked, as showings are, where they are used
    ruled = source.record.get("definition", {}).get("attention") != "none" if exclude is None else exclude
    numbers = study_numbers(source.table, source.lists, showings=showings, exclude=ruled, pairing=paired)  # type: ignore[arg-type]
    tables = _tables(numbers, hidden=pseudonyms)
    facts = _facts(source, tuple(tables), hidden=pseudonyms)
    page = study_report(numbers, facts, title=title or source.title)
    write_tables(out, tables)
    write_bytes(out / PAGE, page.encode())
    for warning in (*numbers.analysis.warnings, *facts.notes):
        note(f"warning: {warning}")
    say(f"Written to {out}: {', '.join([PAGE, *tables])}")


def _source(
    long: Path | None,
    rankings: Path | None,
    study: Path | None,
    workspace: Path | None,
    database: str | None,
    variables: Sequence[str],
) -> _Source:
    if long is not None and study is None:
        return _from_files(long, rankings, variables)
    if study is None or long is not None:
        raise RequestError("a report is made from LONG.csv or from --study STUDY.toml; give one of them")
    if workspace is None or rankings is not None or variables:
        raise RequestError("with --study, name its --workspace; --rankings and --variable are for LONG.csv")
    return _from_database(study, workspace, database)


def _from_files(long: Path, rankings: Path | None, variables: Sequence[str]) -> _Source:
    """The answers, and what an export has beside them."""
    from vernissage.cli.study_analysis import check_engines_match
    from vernissage.cli.study_people import pace_sentences, read_people
    from vernissage.cli.study_tables import read_long_table, read_rankings
    from vernissage.files import read_json

    table = read_long_table(long, variables)
    lists = read_rankings(rankings) if rankings is not None else None
    if lists is not None and rankings is not None:
        check_engines_match(table, long, {name for _, name in lists}, rankings)
    beside = long.parent / "study.json"
    record = _record(beside) if beside.is_file() else {}
    demographics = long.parent / "demographics.csv"
    people = read_people(demographics) if record and demographics.is_file() else None
    title = str(record.get("definition", {}).get("title", "")) or long.stem
    rehearsed = long.parent / "simulation.json"
    simulation = dict(read_json(rehearsed)) if record and rehearsed.is_file() else {}
    return _Source(
        title, table, lists, tuple(_digests([long, rankings])), record, simulation, people, pace_sentences(long)
    )


def _from_database(study: Path, workspace: Path, database: str | None) -> _Source:
    import tempfile

    from vernissage.cli.study_opening import opened_records
    from vernissage.study.export import write_export

    # The export is the one way out of the database, so a report cannot say what the export does not.
    with opened_records(study, workspace, database) as records, tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_export(records, place)
        names = [statement.name for statement in records.held_definition().statements]
        return _from_files(place / "long.csv", place / "rankings.csv", names)


def _record(path: Path) -> dict[str, Any]:
    from vernissage.files import read_json

    content = read_json(path)
    known = isinstance(content, dict) and isinstance(content.get("definition"), dict)
    if not known or not isinstance(content.get("provenances"), list):
        raise RequestError(f"{path} is not what `study export` writes; take it away, or export the study again")
    return dict(content)


def _digests(paths: Sequence[Path | None]) -> list[tuple[str, str]]:
    import hashlib

    return [(f"SHA-256 of {path.name}", hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths if path]


def _facts(source: _Source, files: tuple[str, ...], *, hidden: bool) -> Any:
    from vernissage.pages.study_report import StudyFacts
    from vernissage.study.simulation import PREFIX

    definition = source.record.get("definition", {})
    people = sorted(set(source.table.participants))
    notes = []
    if people and all(name.startswith(PREFIX) for name in people):
        notes.append("Every participant is simulated: this page rehearses the analysis and says nothing about people.")
    elif simulated := sum(name.startswith(PREFIX) for name in people):
        notes.append(f"{simulated} of {len(people)} participants are simulated; take them out before the analysis.")
    if unanswered := len({name for name, _ in source.lists or ()}.difference(people)):
        notes.append(f"{unanswered} participants left between the elicitation and the first answer; their lists count.")
    return StudyFacts(
        statements={each["name"]: each["text"] for each in definition.get("statements", [])},
        scale=tuple(definition.get("labels", ())),
        course=source.people.course if source.people else (),
        people=(*(source.people.sentences if source.people else ()), *source.pace, *([_HIDDEN] if hidden else [])),
        provenance=tuple(_provenance(source)),
        notes=tuple(notes),
        files=files,
        pseudonyms=_pseudonyms(people) if hidden else {},
    )


def _provenance(source: _Source) -> list[tuple[str, str]]:
    from importlib.metadata import version

    from vernissage import __version__

    rows = [("Analysed with", f"Vernissage {__version__}, NumPy {version('numpy')}, SciPy {version('scipy')}")]
    definition = source.record.get("definition", {})
    if definition:
        rows += [("Study", str(source.record.get("study", ""))), ("Began", str(source.record.get("frozen", "")))]
        rows += [
            ("Engines", ", ".join(definition.get("engines", []))),
            ("Seed of the study", str(definition.get("seed"))),
        ]
    for each in source.record.get("provenances", []):
        rows += [("Run with", f"Vernissage {each.get('software')}"), ("Definition", str(each.get("definition")))]
        rows += [("Collection", str(each.get("collection"))), ("Encoders", str(each.get("encoders")))]
    if source.simulation:
        rows += [("Simulated with", ", ".join(f"{key} {value}" for key, value in source.simulation.items() if value))]
    return [*rows, *source.files]


def _pseudonyms(people: Sequence[str]) -> dict[str, str]:
    width = len(str(len(people)))
    return {name: f"P{number:0{width}}" for number, name in enumerate(people, start=1)}


def _tables(numbers: "StudyNumbers", *, hidden: bool) -> dict[str, tuple[type, Sequence[Any]]]:
    from dataclasses import replace

    from vernissage.analysis.exclusions import Exclusion
    from vernissage.analysis.marginal_means import Contrast, MarginalMean
    from vernissage.analysis.overlap import OverlapBetween, OverlapWithin
    from vernissage.analysis.study_answers import VarianceComponents
    from vernissage.analysis.study_description import Agreement, ContrastInterval, Distribution, Violation
    from vernissage.analysis.study_numbers import OtherChoice

    names = _pseudonyms(sorted(set(numbers.table.participants))) if hidden else {}

    def told(rows: Sequence[Any]) -> list[Any]:
        return [replace(row, participant=names.get(row.participant, row.participant)) for row in rows]

    tables: dict[str, tuple[type, Sequence[Any]]] = {
        "contrasts.csv": (Contrast, numbers.analysis.contrasts),
        "intervals.csv": (ContrastInterval, numbers.intervals),
        "emmeans.csv": (MarginalMean, numbers.analysis.emmeans),
        "varcomp.csv": (VarianceComponents, numbers.analysis.varcomp),
        "distributions.csv": (Distribution, numbers.distributions),
        "agreement.csv": (Agreement, numbers.agreements),
        "robustness.csv": (OtherChoice, numbers.others),
        "exclusions.csv": (Exclusion, told(numbers.analysis.exclusions)),
        "violations.csv": (Violation, told(numbers.violations)),
    }
    if numbers.within is not None and numbers.between is not None:
        tables |= {"table1.csv": (OverlapWithin, numbers.within), "table2.csv": (OverlapBetween, numbers.between)}
    return tables


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command()(report)
