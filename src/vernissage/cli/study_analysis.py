"""The command that turns a study's answers into statistics: study analyse."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.csv_folder import write_tables
from vernissage.cli.output import note, print_json
from vernissage.cli.recommending import AsJson
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.analysis.long_table import LongTable
    from vernissage.analysis.overlap import OverlapBetween, OverlapWithin
    from vernissage.analysis.study_answers import StudyAnalysis

Overlaps = tuple[tuple["OverlapWithin", ...], tuple["OverlapBetween", ...]]


def analyse(
    long: Annotated[
        Path,
        typer.Argument(metavar="LONG.csv", help="Answers: participant, engine, repetition, and a column a variable."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The folder for the tables.")],
    rankings: Annotated[
        Path | None,
        typer.Option(metavar="RANKINGS.csv", help="Lists: participant, engine, rank, item; adds the overlap tables."),
    ] = None,
    showings: Annotated[
        str,
        typer.Option(
            metavar="mean|first|all",
            help="Which answers count: the mean of both showings of a list, the first, or each for itself.",
        ),
    ] = "mean",
    exclude: Annotated[
        bool,
        typer.Option(
            "--exclude/--no-exclude", help="Leave out who answered two showings of one list 2 or more points apart."
        ),
    ] = True,
    variable: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A column of ratings; repeat. Default: all but known others."),
    ] = None,
    engine: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Refuse rows of engines that are not named here; repeat.")
    ] = None,
    pairing: Annotated[
        str,
        typer.Option(
            metavar="same-participant|all-pairs", help="Which lists of two engines are compared, with --rankings."
        ),
    ] = "same-participant",
    as_json: AsJson = False,
) -> None:
    """The statistics of a study: mixed-effects models of the ratings, contrasts of engines, overlap of their lists.

    Writes contrasts.csv, emmeans.csv, varcomp.csv and exclusions.csv into DIR; with rankings also table1.csv, overlap
    within engines, and table2.csv, overlap between them.

    \b
    Examples:
      vernissage study analyse long.csv --out results
      vernissage study analyse long.csv --out results --rankings rankings.csv --json
      vernissage study analyse long.csv --out results --showings first --no-exclude
    """
    from vernissage.analysis.overlap import overlap_tables
    from vernissage.analysis.study_answers import analyse as analyse_answers
    from vernissage.cli.study_summary import print_summary
    from vernissage.cli.study_tables import read_long_table, read_rankings

    table = read_long_table(long, variable or ())
    lists = read_rankings(rankings) if rankings is not None else None
    results = analyse_answers(table, showings=showings, exclude=exclude, engines=engine or None)  # type: ignore[arg-type]
    overlaps: Overlaps | None = None
    if lists is not None and rankings is not None:
        check_engines_match(table, long, {name for _, name in lists}, rankings)
        paired: Any = pairing.replace("-", " ")  # checked by overlap_tables
        overlaps = overlap_tables(lists, pairing=paired, excluded=results.excluded)
    written = _write(out, results, overlaps)
    for warning in _remarks(table, lists, out, overlaps):
        note(f"warning: {warning}")
    if as_json:
        print_json(_as_json(results, overlaps))
    else:
        print_summary(results, overlaps)
        note(f"wrote {', '.join(written)} to {out}")


def check_engines_match(table: "LongTable", long: Path, listed: set[str], rankings: Path) -> None:
    """Refuse answers about engines without lists; lists that nobody has rated yet are only remarked on."""
    for place, name in enumerate(table.engines):
        if name not in listed:
            raise RequestError(
                f"{long}, row {table.row(place)}: the engine {name!r} is not in {rankings}, which has "
                f"{', '.join(sorted(listed)) or 'none'}; use one name for one engine"
            )


def _write(out: Path, results: "StudyAnalysis", overlaps: Overlaps | None) -> list[str]:
    from vernissage.analysis.exclusions import Exclusion
    from vernissage.analysis.marginal_means import Contrast, MarginalMean
    from vernissage.analysis.overlap import OverlapBetween, OverlapWithin
    from vernissage.analysis.study_answers import VarianceComponents

    tables: dict[str, tuple[type, Sequence[Any]]] = {
        "contrasts.csv": (Contrast, results.contrasts),
        "emmeans.csv": (MarginalMean, results.emmeans),
        "varcomp.csv": (VarianceComponents, results.varcomp),
        "exclusions.csv": (Exclusion, results.exclusions),
    }
    if overlaps is not None:
        tables |= {"table1.csv": (OverlapWithin, overlaps[0]), "table2.csv": (OverlapBetween, overlaps[1])}
    write_tables(out, tables)
    return list(tables)


def _remarks(
    table: "LongTable", lists: Mapping[tuple[str, str], Sequence[str]] | None, out: Path, overlaps: Overlaps | None
) -> list[str]:
    remarks = []
    unrated = sorted({participant for participant, _ in lists or ()}.difference(table.participants))
    if unrated:
        shown = ", ".join(unrated[:5]) + (" …" if len(unrated) > 5 else "")
        remarks.append(f"lists without a row of answers by the same participant count: {len(unrated)} ({shown})")
    unknown = sorted({engine for _, engine in lists or ()}.difference(table.engines))
    if unknown:
        remarks.append(
            f"there are lists, but no answers, of the engine {', '.join(unknown)}; is it a name for another?"
        )
    if overlaps is None and (out / "table1.csv").exists():
        remarks.append(f"table1.csv and table2.csv in {out} are of an earlier run; add --rankings to renew them")
    return remarks


def _as_json(results: "StudyAnalysis", overlaps: Overlaps | None) -> dict[str, Any]:
    from vernissage.analysis.study_answers import METHOD

    tables: dict[str, Sequence[Any]] = {
        "contrasts": results.contrasts,
        "emmeans": results.emmeans,
        "varcomp": results.varcomp,
        "exclusions": results.exclusions,
    }
    if overlaps is not None:
        tables |= {"table1": overlaps[0], "table2": overlaps[1]}
    content: dict[str, Any] = {
        "method": METHOD,
        "showings": results.showings,
        "warnings": list(results.warnings),
    }
    content |= {name: [_finite(asdict(row)) for row in rows] for name, rows in tables.items()}
    for row, components in zip(content["varcomp"], results.varcomp, strict=True):
        row["icc"] = _finite({"icc": components.icc})["icc"]
    return content


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """NaN as null, which JSON has a word for."""
    return {name: None if isinstance(cell, float) and math.isnan(cell) else cell for name, cell in row.items()}


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command()(analyse)
