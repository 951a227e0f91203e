"""The analysis of a long table as a whole: who counts, every edge case, and that order does not matter."""

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.analysis.long_table import LongTable
from vernissage.analysis.multiple_comparisons import SMALLEST_P, effect_size, holm_adjusted, two_sided_p
from vernissage.analysis.study_answers import Exclusion, StudyAnalysis, analyse, exclusions
from vernissage.errors import RequestError

Row = tuple[str, str, int, float | None]


def long_table(*rows: Row, **more: list[float | None]) -> LongTable:
    """Rows (participant, engine, repetition, accuracy), and other variables by name; None is blank."""
    people, engines, repetitions, accuracy = zip(*rows, strict=True) if rows else ((), (), (), ())
    values = {"accuracy": accuracy, **more}
    columns = {
        name: np.array([math.nan if cell is None else cell for cell in column]) for name, column in values.items()
    }
    return LongTable(people, engines, repetitions, columns)


def simulated(seed: int, participants: int = 8, engines: str = "abc") -> list[Row]:
    chance = random.Random(seed)
    rows: list[Row] = []
    for person in range(participants):
        liking = chance.gauss(0, 1)
        for place, engine in enumerate(engines):
            rating = min(5, max(1, round(3 + liking + 0.4 * place + chance.gauss(0, 0.7))))
            rows.append((f"p{person}", engine, 1, rating))
            if chance.random() < 0.8:
                rows.append((f"p{person}", engine, 2, min(5, max(1, rating + chance.choice([-1, 0, 0, 1])))))
    return rows


def exact(results: StudyAnalysis) -> str:
    """All results, to the last bit."""
    return repr((results.contrasts, results.emmeans, results.varcomp, results.exclusions))


@given(st.integers(0, 1000), st.randoms(use_true_random=False), st.sampled_from(["mean", "first", "all"]))
@settings(deadline=None, max_examples=25)
def test_the_order_of_rows_does_not_change_one_bit(seed: int, chance: random.Random, showings: object) -> None:
    rows = simulated(seed)
    shuffled = chance.sample(rows, len(rows))
    first = analyse(long_table(*rows), showings=showings)  # type: ignore[arg-type]
    assert exact(analyse(long_table(*shuffled), showings=showings)) == exact(first)  # type: ignore[arg-type]


def test_mean_takes_what_was_answered_of_both_showings() -> None:
    rows: list[Row] = [("p1", "a", 1, 2), ("p1", "a", 2, 3), ("p2", "a", 1, None), ("p2", "a", 2, 4), ("p3", "a", 1, 5)]
    assert analyse(long_table(*rows)).emmeans[0].emmean == pytest.approx((2.5 + 4 + 5) / 3)
    assert analyse(long_table(*rows), showings="first").emmeans[0].emmean == pytest.approx((2 + 5) / 2)
    everything = analyse(long_table(*rows), showings="all")
    assert everything.varcomp[0].nobs == 4
    assert "not" in everything.warnings[0]
    assert analyse(long_table(*rows)).warnings == ()


def test_all_showings_count_each_for_itself() -> None:
    rows = simulated(1)
    answered = len(rows)
    results = analyse(long_table(*rows), showings="all", exclude=False)
    assert results.varcomp[0].nobs == answered
    assert results.varcomp[0].n_participants == 8


def test_two_showings_two_apart_exclude_a_participant() -> None:
    table = long_table(
        ("far", "a", 1, 1),
        ("far", "a", 2, 3),
        ("near", "a", 1, 2),
        ("near", "a", 2, 3),
        ("once", "a", 1, 5),
        ("blank", "a", 1, 1),
        ("blank", "a", 2, None),
        ("other", "a", 1, 4),
        ("other", "a", 2, 4),
        novelty=[3, 3, 3, 3, 3, 3, 5, 5, 1],
    )
    expected = (
        Exclusion("blank", 1, 1, True),  # novelty 3 and 5
        Exclusion("far", 2, 1, True),
        Exclusion("near", 2, 0, False),
        Exclusion("once", 0, 0, False),
        Exclusion("other", 2, 1, True),  # novelty 5 and 1
    )
    assert exclusions(table) == expected
    results = analyse(table)
    assert results.exclusions == expected
    assert results.excluded == ("blank", "far", "other")
    assert results.varcomp[0].n_participants == 2
    kept = analyse(table, exclude=False)
    assert kept.excluded == ()
    assert [each.violations for each in kept.exclusions] == [1, 1, 0, 0, 1]
    assert kept.varcomp[0].n_participants == 5


def nothing(results: StudyAnalysis, *names: str) -> bool:
    return all(math.isnan(getattr(each, name)) for each in results.contrasts for name in names)


ERRORS = ("se", "df", "statistic", "p_raw", "p_holm", "r")


def test_no_participants_variance_is_flagged_and_analysed() -> None:
    results = analyse(
        long_table(
            *[
                (f"p{n}", e, 1, v)
                for n, vs in enumerate([(1, 5), (5, 2), (2, 5), (4, 1)])
                for e, v in zip("ab", vs, strict=True)
            ]
        )
    )
    assert (results.varcomp[0].status, results.varcomp[0].singular) == ("singular", True)
    assert results.varcomp[0].var_participant == 0
    assert results.varcomp[0].icc == 0
    (contrast,) = results.contrasts
    assert contrast.status == "singular"
    assert contrast.df == 8 - 2
    assert 0 < contrast.p_raw < 1


@pytest.mark.parametrize(
    "value", [lambda person, engine: 4, lambda person, engine: 2 + engine, lambda person, engine: 1 + person + engine]
)
def test_without_residuals_there_are_estimates_alone(value: Callable[[int, int], int]) -> None:
    rows: list[Row] = [(f"p{n}", "ab"[e], 1, value(n, e)) for n in range(4) for e in range(2) if (n, e) != (3, 1)]
    results = analyse(long_table(*rows))
    assert results.varcomp[0].status == results.contrasts[0].status == "degenerate"
    assert results.contrasts[0].estimate == pytest.approx(value(0, 0) - value(0, 1), abs=1e-12)
    assert nothing(results, *ERRORS)
    assert not math.isnan(results.emmeans[0].emmean)
    assert math.isnan(results.emmeans[0].lower95)


def test_one_participant_has_descriptives_alone() -> None:
    results = analyse(long_table(("p", "a", 1, 2), ("p", "b", 1, 5), ("p", "c", 1, 3)))
    assert results.varcomp[0].status == "not estimable"
    assert [each.emmean for each in results.emmeans] == [2, 5, 3]
    assert [each.estimate for each in results.contrasts] == [-3, -1, 2]
    assert nothing(results, *ERRORS)
    assert math.isnan(results.varcomp[0].icc)


def test_one_row_of_each_participant_has_descriptives_alone() -> None:
    results = analyse(long_table(("p", "a", 1, 2), ("q", "b", 1, 5), ("r", "a", 1, 3)))
    assert results.varcomp[0].status == "not estimable"
    assert [each.emmean for each in results.emmeans] == [2.5, 5]
    assert nothing(results, *ERRORS)


def test_one_engine_has_its_mean_alone() -> None:
    results = analyse(long_table(("p", "a", 1, 2), ("q", "a", 1, 5), ("r", "a", 1, 3)))
    assert results.contrasts == ()
    assert results.varcomp[0].status == "one engine"
    (mean,) = results.emmeans
    assert (mean.emmean, mean.df) == (pytest.approx(10 / 3), 2)
    assert mean.se == pytest.approx(np.std([2, 5, 3], ddof=1) / math.sqrt(3))


def test_one_engine_shown_twice_has_the_same_mean_and_error_by_the_model() -> None:
    rows: list[Row] = [
        ("p", "a", 1, 1),
        ("p", "a", 2, 2),
        ("q", "a", 1, 5),
        ("q", "a", 2, 5),
        ("r", "a", 1, 3),
        ("r", "a", 2, 4),
    ]
    means, rows_alone = analyse(long_table(*rows)).emmeans[0], analyse(long_table(*rows), showings="all")
    assert rows_alone.varcomp[0].status == "ok"
    assert rows_alone.emmeans[0].se == pytest.approx(means.se, rel=1e-9)
    assert rows_alone.emmeans[0].df == pytest.approx(means.df, rel=1e-6)


def test_two_engines_have_one_contrast_and_nothing_to_adjust() -> None:
    results = analyse(long_table(*simulated(3, engines="ab")), exclude=False)
    (contrast,) = results.contrasts
    assert contrast.status == "ok"
    assert contrast.p_holm == contrast.p_raw < 1


def test_an_empty_table_has_no_data() -> None:
    results = analyse(long_table())
    assert (results.contrasts, results.emmeans, results.exclusions) == ((), (), ())
    assert [(each.status, each.nobs, each.n_participants) for each in results.varcomp] == [("no data", 0, 0)]


def test_when_everybody_is_excluded_there_is_no_data_but_the_counts() -> None:
    table = long_table(("p", "a", 1, 1), ("p", "a", 2, 5), ("p", "b", 1, 3), ("q", "a", 1, 5), ("q", "a", 2, 1))
    results = analyse(table)
    assert [(each.comparisons, each.violations, each.excluded) for each in results.exclusions] == [(1, 1, True)] * 2
    assert [each.status for each in results.varcomp] == ["no data"]
    assert [(each.engine_a, each.engine_b, each.status) for each in results.contrasts] == [("a", "b", "no data")]
    assert nothing(results, "estimate", *ERRORS)
    assert [each.engine for each in results.emmeans] == ["a", "b"]


def test_an_engine_that_nobody_rated_has_rows_without_numbers() -> None:
    rows = simulated(4, engines="ab")
    table = long_table(*rows, ("p0", "c", 1, None), novelty=[3, None] + [None] * (len(rows) - 1))
    results = analyse(table, exclude=False)
    alone = analyse(long_table(*rows), exclude=False)
    accuracy = [each for each in results.contrasts if each.variable == "accuracy"]
    assert [(each.engine_a, each.engine_b, each.status) for each in accuracy] == [
        ("a", "b", "ok"),
        ("a", "c", "no data"),
        ("b", "c", "no data"),
    ]
    assert accuracy[0] == alone.contrasts[0]
    assert math.isnan(next(each for each in results.emmeans if each.engine == "c").emmean)
    assert results.varcomp[1].status == "not estimable"


def test_evidence_beyond_all_numbers_is_no_p_of_zero() -> None:
    p = two_sided_p([1e200, -1e200, 0.0, math.nan], [50.0, 50.0, 5.0, 5.0])
    assert p[:3].tolist() == [SMALLEST_P, SMALLEST_P, 1.0]
    assert math.isnan(p[3])
    assert two_sided_p(40.0, 100.0) == pytest.approx(2.462107602e-63, rel=1e-8, abs=0)  # R: 2 * pt(-40, 100)


def test_holm_multiplies_by_what_is_left_and_never_falls() -> None:
    assert holm_adjusted([0.04, 0.01, 0.03]).tolist() == pytest.approx([0.06, 0.03, 0.06])
    assert holm_adjusted([0.5, 0.9, 0.4]).tolist() == [1.0, 1.0, 1.0]
    stacked = holm_adjusted([[0.04, 0.01, 0.03], [0.02, math.nan, 0.01]])
    assert stacked[1].tolist() == pytest.approx([0.02, math.nan, 0.02], nan_ok=True)


def test_the_effect_size_has_the_sign_of_t() -> None:
    assert effect_size([-3.0, 4.0, 0.0], [7.0, 9.0, 5.0]).tolist() == pytest.approx([-0.75, 0.8, 0.0])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("p", "a", 1, 3), ("q", "a", 1, 3), ("p", "a", 1, 4)],
            "row 4: participant 'p' .* engine 'a', showing 1, already in row 2",
        ),
        ([("p", "a", 1, 3), ("p", "b", 1, 3.5)], "row 3: accuracy is 3.5, but ratings are the integers 1 to 5"),
        ([("p", "a", 1, 0)], "row 2: accuracy is 0"),
        ([("p", "a", 1, 6)], "row 2: accuracy is 6"),
        ([("p", "a", 1, math.inf)], "row 2: accuracy is inf"),
        ([("p", "a", 3, 3)], "row 2: the repetition is 3; write 1"),
        ([("p", "a", 0, 3)], "row 2: the repetition is 0"),
        ([("p", " ", 1, 3)], "row 2: the engine is blank"),
        ([("", "a", 1, 3)], "row 2: the participant is blank"),
        ([("p", "z", 1, 3)], "row 2: the engine 'z' is unknown; choose from a, b"),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_its_number(rows: list[Row], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        analyse(long_table(*rows), engines=["a", "b"])


def test_unequal_columns_no_variables_and_unknown_showings_are_refused() -> None:
    with pytest.raises(RequestError, match="equal lengths"):
        analyse(LongTable(["p"], ["a"], [1], {"accuracy": np.array([1.0, 2.0])}))
    with pytest.raises(RequestError, match="no column of ratings"):
        analyse(LongTable(["p"], ["a"], [1], {}))
    with pytest.raises(RequestError, match="mean, first, all, but 'last'"):
        analyse(long_table(("p", "a", 1, 3)), showings="last")  # type: ignore[arg-type]
