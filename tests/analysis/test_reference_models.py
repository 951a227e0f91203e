"""The models against lme4, lmerTest and emmeans; tests/reference/mixed_effects.R made the values."""

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from vernissage.analysis.study_answers import SHOWINGS, Showings, StudyAnalysis, analyse
from vernissage.study.answer_files import read_long_table

FOLDER = Path(__file__).parents[1] / "reference" / "studies"
STUDIES = sorted(path.stem for path in FOLDER.glob("*.csv") if not path.stem.startswith("expected-"))

Key = tuple[str, ...]
Row = dict[str, str]


@cache
def expected(table: str, *keys: str) -> dict[tuple[str, str], dict[Key, Row]]:
    """R's rows by study and showings, and in them by the columns ``keys``."""
    found: defaultdict[tuple[str, str], dict[Key, Row]] = defaultdict(dict)
    with (FOLDER / f"expected-{table}.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found[row["study"], row["showings"]][tuple(row[key] for key in keys)] = row
    return found


@cache
def analysed(study: str, showings: Showings) -> StudyAnalysis:
    return analyse(read_long_table(FOLDER / f"{study}.csv"), showings=showings, exclude=False)


def close(row: Row, name: str, *, rel: float, within: float = 1e-12) -> object:
    return pytest.approx(float(row[name]), rel=rel, abs=within)


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("showings", SHOWINGS)
def test_variances_and_likelihood_are_those_of_lme4(study: str, showings: Showings) -> None:
    rows = expected("varcomp", "variable")[study, showings]
    results = analysed(study, showings).varcomp
    assert len(rows) == len(results) == 4
    for ours in results:
        row = rows[ours.variable,]
        assert (ours.nobs, ours.n_participants) == (int(row["nobs"]), int(row["n_participants"]))
        assert ours.singular == (row["singular"] == "TRUE")
        assert ours.status == ("singular" if ours.singular else "ok")
        assert ours.var_participant == close(row, "var_participant", rel=1e-5, within=1e-8)
        assert ours.var_residual == close(row, "var_residual", rel=1e-5)
        assert ours.reml_loglik == close(row, "reml_loglik", rel=1e-10)


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("showings", SHOWINGS)
def test_marginal_means_are_those_of_emmeans(study: str, showings: Showings) -> None:
    rows = expected("emmeans", "variable", "engine")[study, showings]
    results = analysed(study, showings).emmeans
    assert len(rows) == len(results)
    for ours in results:
        row = rows[ours.variable, ours.engine]
        assert ours.emmean == close(row, "emmean", rel=0, within=1e-6)
        assert ours.se == close(row, "se", rel=1e-6)
        assert ours.df == close(row, "df", rel=1e-5)
        assert ours.lower95 == close(row, "lower95", rel=0, within=5e-6)
        assert ours.upper95 == close(row, "upper95", rel=0, within=5e-6)


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("showings", SHOWINGS)
def test_contrasts_are_those_of_lmertest_and_emmeans(study: str, showings: Showings) -> None:
    rows = expected("contrasts", "variable", "engine_a", "engine_b")[study, showings]
    results = analysed(study, showings).contrasts
    assert len(rows) == len(results)
    for ours in results:
        row = rows[ours.variable, ours.engine_a, ours.engine_b]
        t, df = float(row["statistic"]), float(row["df"])
        assert ours.estimate == close(row, "estimate", rel=0, within=1e-6)
        assert ours.se == close(row, "se", rel=1e-6)
        assert ours.df == close(row, "df", rel=1e-5)
        assert ours.statistic == close(row, "statistic", rel=1e-5, within=1e-6)
        assert ours.r == pytest.approx(t / (t * t + df) ** 0.5, rel=0, abs=1e-6)
        assert ours.p_raw == close(row, "p_raw", rel=1e-5, within=1e-8)
        assert ours.p_holm == close(row, "p_holm", rel=1e-5, within=1e-8)


def test_the_references_hold_what_they_are_for() -> None:
    singular = [row["singular"] for rows in expected("varcomp", "variable").values() for row in rows.values()]
    assert singular.count("TRUE") >= 10
    df = [
        float(row["df"])
        for rows in expected("contrasts", "variable", "engine_a", "engine_b").values()
        for row in rows.values()
    ]
    assert any(abs(value - round(value)) > 0.1 for value in df), "no unbalanced study"
