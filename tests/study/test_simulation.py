from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.studies import STUDY, study_of, walk

from vernissage.errors import StudyError
from vernissage.storage.database import Database, open_database
from vernissage.storage.studies import answers_of_study, lists_of_study, participants_of
from vernissage.study.export import export_tables
from vernissage.study.simulation import (
    PREFIX,
    EffectsPerson,
    MakePerson,
    RehearsalClock,
    Simulated,
    SimulationOptions,
    on_scale,
    simulate,
)

NAMES = tuple(statement.name for statement in STUDY.statements)


def people(effects: Mapping[str, float], **deviations: float) -> MakePerson:
    """People by effects, with the deviations given and .6, .6 and .3 for the others."""
    usual = {"participant_sd": 0.6, "residual_sd": 0.6, "showing_sd": 0.3}
    return partial(EffectsPerson, effects, NAMES, SimulationOptions(**(usual | deviations)))  # type: ignore[arg-type]


PEOPLE = people({"north": 1.0})


def patient(participants: int) -> SimulationOptions:
    """People who read what they answer, and stay."""
    return SimulationOptions(participants, careless=0.0, dropouts=0.0)


def rehearse(folder: Path, name: str, **how: Any) -> tuple[Simulated, tuple[Any, ...]]:
    clock = RehearsalClock()
    database = open_database(folder / name)
    study = study_of(database, clock.clocks)
    done = simulate(study, PEOPLE, SimulationOptions(6, **how), clock=clock)
    tables = export_tables(study.records)
    database.close()
    return done, tables


def test_robots_answer_every_page_and_no_export_holds_them(database: Database) -> None:
    study = study_of(database)
    assert simulate(study, PEOPLE, patient(9)) == Simulated(finished=9, left=0, careless=0, before=0)
    with database.reading() as connection:
        robots = participants_of(connection, "pilot", "robot")
        answers = answers_of_study(connection, "pilot", "robot")
        lists = lists_of_study(connection, "pilot", "robot")
    assert all(each.finished and each.external_id.startswith(PREFIX) for each in robots)
    assert Counter(len(theirs) for theirs in answers.values()) == {6: 9}
    assert len(lists) == 9 * 3 * 3
    assert Counter(each.square_row for each in robots).most_common(1)[0][1] <= 2
    walk(study, "ann")
    for table in export_tables(study.records):
        assert {row[0] for row in table.rows} == {"ann"}
    assert study.records.overview().robots == 9


def test_a_second_run_goes_on_and_repeats_nobody(sqlite: Database) -> None:
    study = study_of(sqlite)
    simulate(study, PEOPLE, patient(5))
    with sqlite.reading() as connection:
        before = answers_of_study(connection, "pilot", "robot")
    assert simulate(study, PEOPLE, patient(5)) == Simulated(finished=0, left=0, careless=0, before=5)
    with sqlite.reading() as connection:
        assert answers_of_study(connection, "pilot", "robot") == before


def test_equal_seeds_rehearse_equally_to_the_second_and_others_do_not(tmp_path: Path) -> None:
    first, second, other = (
        rehearse(tmp_path, name, seed=seed) for name, seed in (("a.db", 4), ("b.db", 4), ("c.db", 5))
    )
    assert first == second
    long = first[1][0]
    assert long.name == "long"
    assert all(row[0].startswith(PREFIX) for row in long.rows)
    seconds = np.array([row[-1] for row in long.rows])
    assert 15 < np.median(seconds) < 40
    assert [row[3:] for row in long.rows] != [row[3:] for row in other[1][0].rows]


def test_people_leave_and_click_anything_as_often_as_asked(tmp_path: Path) -> None:
    everybody, tables = rehearse(tmp_path, "left.db", careless=1.0, dropouts=1.0)
    assert (everybody.finished, everybody.left, everybody.careless) == (0, 6, 6)
    demographics = next(table for table in tables if table.name == "demographics")
    status = list(demographics.columns).index("status")
    assert {row[status] for row in demographics.rows} == {"dropped"}
    nobody, _ = rehearse(tmp_path, "stayed.db", careless=0.0, dropouts=0.0)
    assert (nobody.finished, nobody.left, nobody.careless) == (6, 0, 0)


def test_answers_have_the_effects_and_deviations_that_were_asked_for(sqlite: Database) -> None:
    study = study_of(sqlite)
    quiet = people({"north": 2.0, "west": -1.0}, participant_sd=0.0, residual_sd=0.0, showing_sd=0.0)
    simulate(study, quiet, patient(3))
    with sqlite.reading() as connection:
        answers = answers_of_study(connection, "pilot", "robot")
    for theirs in answers.values():
        assert {(each.engine, *each.ratings.values()) for each in theirs} == {
            ("north", 5, 5, 5, 5),
            ("west", 2, 2, 2, 2),
            ("east", 3, 3, 3, 3),
        }


def test_impressions_are_the_same_in_both_showings(sqlite: Database) -> None:
    study = study_of(sqlite)
    simulate(study, people({"north": 1.0}, residual_sd=1.0, showing_sd=0.0), patient(7))
    with sqlite.reading() as connection:
        answers = answers_of_study(connection, "pilot", "robot")
    for theirs in answers.values():
        seen = Counter((each.engine, tuple(sorted(each.ratings.items()))) for each in theirs)
        assert set(seen.values()) == {2}
    spread = {rating for theirs in answers.values() for each in theirs for rating in each.ratings.values()}
    assert spread == {1, 2, 3, 4, 5}


def test_simulated_people_are_never_put_among_real_ones(sqlite: Database) -> None:
    study = study_of(sqlite)
    walk(study, "ann")
    with pytest.raises(StudyError, match="1 real people take part in 'pilot'"):
        simulate(study, PEOPLE, SimulationOptions(2), clock=RehearsalClock())
    with sqlite.reading() as connection:
        assert len(participants_of(connection, "pilot")) == 1


def test_a_paused_study_takes_no_rehearsal(sqlite: Database) -> None:
    study = study_of(sqlite)
    study.records.pause()
    with pytest.raises(StudyError, match="is paused and takes nobody new"):
        simulate(study, PEOPLE, SimulationOptions(2), clock=RehearsalClock())


@pytest.mark.parametrize(("values", "message"), [({"careless": 1.5}, "share of careless is 1.5"), ({"dropouts": -0.1}, "share of dropouts"), ({"participants": 0}, "0 simulated participants")])  # fmt: skip
def test_people_who_cannot_be_simulated_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        SimulationOptions(**values)  # type: ignore[arg-type]


def test_answers_are_rounded_half_up_and_held_to_the_scale() -> None:
    assert [on_scale(value) for value in (-3.0, 1.49, 1.5, 2.5, 4.49, 4.5, 9.0)] == [1, 1, 2, 3, 4, 5, 5]
