import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from vernissage.analysis.long_table import LongTable
from vernissage.analysis.study_answers import analyse
from vernissage.errors import StudyError
from vernissage.study.power import (
    Population,
    difference_of_effect_size,
    effect_size_of_difference,
    find_participants,
    power,
    power_points,
    simulated_answers,
    with_effects,
)

NOTHING = Population((0.0, 0.0, 0.0))


def test_a_huge_effect_is_always_found_and_on_the_right_side() -> None:
    found = power(Population((0.0, 2.0), mean=2.0), 30, simulations=200)
    (contrast,) = found.contrasts
    assert (contrast.found, contrast.se, contrast.difference) == (1.0, 0.0, -2.0)
    assert contrast.estimate == pytest.approx(-2, abs=0.1)
    assert found.any_found == 1.0


@pytest.mark.parametrize("rounded", [True, False])
@pytest.mark.parametrize("engines", [2, 3, 4])
def test_without_effects_a_family_of_contrasts_raises_as_many_alarms_as_theory_says(
    engines: int, rounded: bool
) -> None:
    """Holm's first step asks the largest of m differences for p < .05/m: .05 of two engines, less of more, exactly."""
    found = power(Population((0.0,) * engines, rounded=rounded), 24, simulations=4000)
    m, df = engines * (engines - 1) // 2, 23 * (engines - 1)
    expected = stats.studentized_range.sf(math.sqrt(2) * stats.t.isf(0.025 / m, df), engines, df)
    assert 0.04 < expected < 0.0501
    assert abs(found.any_found - expected) < 3.5 * found.any_se


def test_the_effects_of_the_paper_are_found_with_its_95_participants() -> None:
    found = power(with_effects(NOTHING, effect_size=0.28, engines=4), 95, simulations=400)
    true = [each for each in found.contrasts if each.difference]
    assert len(true) == 3
    assert all(each.found > 0.95 and each.expected_r == pytest.approx(-0.28) for each in true)
    # Answers rounded to whole points say a little less than what people think: r shrinks.
    assert all(-0.28 < each.mean_r < -0.25 for each in true)


def test_the_effect_size_of_a_difference_is_what_a_large_study_estimates() -> None:
    people = replace(with_effects(NOTHING, effect_size=0.28, engines=3), rounded=False)
    assert power(people, 400, simulations=200).contrasts[1].mean_r == pytest.approx(-0.28, abs=0.01)
    # One point is 2.5 standard deviations of 0.4; r = 1 / √(1 + 2·2·0.16) for 3 engines.
    assert effect_size_of_difference(1.0, 3, 0.4) == pytest.approx(1 / math.sqrt(1.64))
    for r in (-0.9, 0.0, 0.28):
        assert effect_size_of_difference(difference_of_effect_size(r, 5, 0.7), 5, 0.7) == pytest.approx(r)
    assert effect_size_of_difference(0.0, 3, 0.0) == 0.0


def test_the_deviation_within_people_counts_what_two_showings_share() -> None:
    assert Population((0, 0), residual_sd=0.3, showing_sd=0.4, repetitions=1).within_sd == pytest.approx(0.5)
    assert Population((0, 0), residual_sd=0.3, showing_sd=0.4).within_sd == pytest.approx(math.sqrt(0.09 + 0.08))
    values = simulated_answers(Population((0, 0), residual_sd=0.3, showing_sd=0.4, rounded=False), 2000, range(1), 0)
    gaps = values[0, :, 0] - values[0, :, 1]
    assert gaps.std() == pytest.approx(math.sqrt(2 * 0.17), rel=0.05)


@pytest.mark.parametrize("people", [Population((0.0, 0.3, 0.5)), Population((0.0, 0.3, 0.5), participant_sd=0.0)])
def test_simulated_studies_are_analysed_as_study_analyse_does(people: Population) -> None:
    """The same answers through the whole analysis, of interior and of singular fits, give the same shares."""
    size, count = 12, 40
    answers = simulated_answers(people, size, range(count), 5)
    doubled = np.rint(2 * answers)
    assert np.array_equal(doubled, 2 * answers)  # means of two whole answers
    found, any_found, statuses = np.zeros(3), 0, set()
    for study in doubled.astype(int):
        first, second = study // 2, study - study // 2
        names = [(who, engine, shown) for who in range(size) for engine in range(3) for shown in (1, 2)]
        table = LongTable(
            [f"p{who:02d}" for who, _, _ in names],
            ["abc"[engine] for _, engine, _ in names],
            [shown for _, _, shown in names],
            {"liking": np.array([(first, second)[shown - 1][who, engine] for who, engine, shown in names], float)},
        )
        analysis = analyse(table, exclude=False)
        statuses.add(analysis.varcomp[0].status)
        below = np.array([each.p_holm < 0.05 and each.estimate < 0 for each in analysis.contrasts])
        found += below
        any_found += any(each.p_holm < 0.05 for each in analysis.contrasts)
    simulated = power(people, size, simulations=count, seed=5)
    assert [each.found for each in simulated.contrasts] == pytest.approx(found / count)
    assert simulated.any_found == pytest.approx(any_found / count)
    assert 0 < found.sum() < 3 * count
    assert statuses == ({"ok"} if people.participant_sd else {"ok", "singular"})


def test_equal_seeds_give_equal_results_and_larger_studies_extend_smaller_ones() -> None:
    people = Population((0.0, 0.3))
    assert power(people, 20, simulations=150, seed=3) == power(people, 20, simulations=150, seed=3)
    assert power(people, 20, simulations=150, seed=3) != power(people, 20, simulations=150, seed=4)
    few, many = (simulated_answers(people, size, range(2), 3) for size in (5, 9))
    assert np.array_equal(few, many[:, :5])
    assert np.array_equal(simulated_answers(people, 5, range(1, 2), 3), few[1:])


def test_the_fewest_participants_that_reach_a_share_are_found() -> None:
    people = with_effects(NOTHING, effect_size=0.28, engines=4)
    reached, tried = find_participants(people, 0.8, simulations=300)
    sizes = [each.participants for each in tried]
    assert sizes == sorted(set(sizes))
    assert reached in tried
    below = next(each for each in tried if each.participants == reached.participants - 1)
    assert reached.least.found >= 0.8 > below.least.found
    # t = d/√(2σ²/n) must pass about 2.4 (Holm's) by .84 standard errors: n = 2·(3.24·σ/d)².
    expected = 2 * (3.24 * people.within_sd / people.effects[-1]) ** 2
    assert abs(reached.participants - expected) < 0.35 * expected


def test_the_points_of_a_figure_lie_around_the_size_that_was_found() -> None:
    people = with_effects(NOTHING, (0.0, 0.8))
    found = power(people, 9, simulations=10)
    points = power_points(people, found)
    sizes = [point.participants for point in points]
    assert sizes == sorted(set(sizes))
    assert {9, 20} < set(sizes)
    assert {point.contrast for point in points} == {"1 − 2 (−0.80)"}
    assert next(point.found for point in points if point.participants == 9) == found.contrasts[0].found


def test_progress_is_told_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    power(NOTHING, 10, simulations=250, progress=lambda _, done, total: seen.append((done, total)))
    assert seen == [(100, 250), (200, 250), (250, 250)]


def test_answers_without_any_variance_find_nothing_and_fail_nowhere() -> None:
    same = Population((0.0, 0.2), participant_sd=0.0, residual_sd=0.0, showing_sd=0.0)
    assert power(same, 10, simulations=20).contrasts[0].found == 0.0


@pytest.mark.parametrize(
    ("people", "participants", "simulations", "message"),
    [
        (NOTHING, 1, 10, "1 participants; give 2 to 5,000"),
        (NOTHING, 5001, 10, "5001 participants"),
        (NOTHING, 10, 0, "0 simulations"),
        (Population((0.0,)), 10, 10, "1 engines; give 2 to 12"),
        (replace(NOTHING, repetitions=3), 10, 10, "3 showings"),
        (replace(NOTHING, residual_sd=-1.0), 10, 10, "residual_sd -1; give 0 or more"),
        (replace(NOTHING, participant_sd=math.nan), 10, 10, "participant_sd nan"),
        (replace(NOTHING, mean=math.inf), 10, 10, "no finite number"),
    ],
)
def test_what_describes_no_study_is_refused(
    people: Population, participants: int, simulations: int, message: str
) -> None:
    with pytest.raises(StudyError, match=message):
        power(people, participants, simulations=simulations)


def test_a_search_that_cannot_end_well_is_refused() -> None:
    with pytest.raises(StudyError, match="no two engines differ"):
        find_participants(NOTHING, 0.8)
    with pytest.raises(StudyError, match="between 0 and 1"):
        find_participants(Population((0, 1)), 80)
    with pytest.raises(StudyError, match="5,000 participants find the smallest difference with"):
        find_participants(Population((0, 0.001)), 0.9, simulations=5)
    with pytest.raises(StudyError, match="between -1 and 1"):
        difference_of_effect_size(1.0, 4, 0.5)
