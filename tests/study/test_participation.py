"""A participant's way, and everything that could lead off it."""

import pytest
from sqlalchemy import select
from tests.studies import GROUPS, STUDY, HandClocks, plan_of, recommend, study_of, submit, walk

from vernissage.errors import StorageError, StudyError
from vernissage.storage.database import Database
from vernissage.storage.schema import STUDY_ANSWERS, STUDY_LISTS, STUDY_PARTICIPANTS, STUDY_SCREENS
from vernissage.storage.studies import answers_of_study, elicitation_of_study, participants_of
from vernissage.study.participation import (
    Assessment,
    Closed,
    Consent,
    Elicitation,
    Page,
    Paused,
    Study,
    Thanks,
    UnknownParticipantError,
    Welcome,
)
from vernissage.values import Ranking


def test_the_whole_way(database: Database) -> None:
    study = study_of(database)
    begun = study.register("ann", study_id="S", session_id="X")
    assert begun.page == Welcome(0)
    assert begun.key is not None
    page = study.submit(begun.key, 0, Consent(41, "Man"))
    assert isinstance(page, Elicitation)
    assert {work.split("-")[0] for work in page.works} == {"boat", "cat"}
    page = study.submit(begun.key, 1, {page.works[0]: 5, page.works[1]: 2})
    seen: list[tuple[str, ...]] = []
    for position in range(1, 7):
        assert isinstance(page, Assessment)
        assert (page.number, page.position, page.of) == (position + 1, position, 6)
        assert page == study.page(begun.key)
        seen.append(page.works)
        page = submit(study, begun.key, page)
    assert page == study.page(begun.key) == Thanks(8, "C1DONE", "")
    assert seen[:3] == seen[3:]
    assert len(set(seen)) == 3
    assert all(work.split("-")[1] == "7" for works in seen for work in works)
    with database.reading() as connection:
        (person,) = participants_of(connection, "pilot")
        assert (person.age, person.gender, person.recruitment_study) == (41, "Man", "S")
        assert person.consented is not None
        assert person.consented.utcoffset() is not None
        engines = connection.scalars(select(STUDY_SCREENS.c.engine).order_by(STUDY_SCREENS.c.position))
        assert engines.all() == [works[0].split("-")[0] for works in seen]
        assert [rating for *_, rating in elicitation_of_study(connection, "pilot")] == [5, 2]


def test_no_page_names_an_engine(sqlite: Database) -> None:
    def quiet(engine: str, ratings: object, n: int) -> Ranking:
        return recommend("works", {"x": STUDY.engines.index(engine)}, n)

    study = Study(plan_of(), sqlite, quiet)
    begun = study.register("ann")
    assert begun.key is not None
    page = begun.page
    for _ in range(STUDY.last_page):
        assert not any(engine in repr(page) for engine in STUDY.engines)
        page = submit(study, begun.key, page)
    assert isinstance(page, Thanks)


def test_the_same_id_goes_on_where_it_was_and_a_missing_one_is_random(database: Database) -> None:
    study = study_of(database)
    key = walk(study, "ann", pages=3)
    again = study.register("ann", study_id="other")
    assert (again.key, again.page) == (key, study.page(key))
    assert len({study.register(None).key for _ in range(3)} | {key}) == 4
    assert study.records.overview().started == 4


def test_keys_cannot_be_guessed_and_made_up_ones_are_refused(sqlite: Database) -> None:
    study = study_of(sqlite)
    keys = {study.register(f"p{number}").key or "" for number in range(20)}
    assert all(len(key) >= 43 for key in keys)
    for call in (study.page, lambda key: study.submit(key, 0, Consent()), lambda key: study.submit(key, 2, {})):
        with pytest.raises(UnknownParticipantError, match="begin again"):
            call("made-up")
    other = study_of(sqlite, id="other")
    with pytest.raises(UnknownParticipantError):
        other.page(next(iter(keys)))


@pytest.mark.parametrize("name", [" ann", "a\nb", "x" * 201, "a\0b"])
def test_ids_that_no_database_keeps_are_refused(database: Database, name: str) -> None:
    study = study_of(database)
    with pytest.raises(StorageError, match="participant's id"):
        study.register(name)
    with pytest.raises(StorageError, match="session id"):
        study.register("ann", session_id=name)
    assert study.records.overview().started == 0


def test_what_comes_from_another_page_is_not_stored(database: Database) -> None:
    study = study_of(database)
    key = walk(study, "ann", pages=3)
    page = study.page(key)
    assert isinstance(page, Assessment)
    assert page.number == 3
    good = dict.fromkeys(("accuracy", "diversity", "novelty", "serendipity"), 5)
    for number in (-1, 0, 1, 2, 4, 8, 99):
        assert study.submit(key, number, good) == page
        assert study.submit(key, number, {"accuracy": 99}) == page
    assert study.submit(key, 0, Consent(99)) == page
    assert study.submit(key, 3, Consent(99)) == page
    assert study.submit(key, 1, {"boat-1": 1}) == page
    with pytest.raises(StudyError, match="4 of 4 have no answer yet"):
        study.submit(key, 3, {"boat-1": 1})
    with database.reading() as connection:
        assert connection.execute(select(STUDY_ANSWERS.c.participant)).all() == [(1,)]
        assert participants_of(connection, "pilot")[0].age == 30


@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        ({}, "4 of 4 have no answer yet"),
        ({"accuracy": 3, "diversity": 3, "novelty": 3}, "1 of 4 have no answer"),
        (dict.fromkeys(("accuracy", "diversity", "novelty", "serendipity"), 0), "'accuracy' is not one from 1 to 5"),
        (dict.fromkeys(("accuracy", "diversity", "novelty", "serendipity"), 6), "from 1 to 5"),
        (dict.fromkeys(("accuracy", "diversity", "novelty", "serendipity"), True), "from 1 to 5"),
        (dict.fromkeys(("accuracy", "diversity", "novelty", "serendipity", "engine"), 3), "'engine' is not one"),
    ],
)
def test_answers_that_are_none_are_refused_and_the_page_stays(
    sqlite: Database, ratings: dict[str, int], message: str
) -> None:
    study = study_of(sqlite)
    key = walk(study, "ann", pages=2)
    before = study.page(key)
    with pytest.raises(StudyError, match=message):
        study.submit(key, 2, ratings)
    assert study.page(key) == before
    assert isinstance(submit(study, key, before), Assessment)


def test_ratings_of_works_that_were_not_asked_about_are_refused(sqlite: Database) -> None:
    study = study_of(sqlite)
    key = walk(study, "ann", pages=1)
    page = study.page(key)
    assert isinstance(page, Elicitation)
    for ratings in ({page.works[0]: 3}, dict.fromkeys((*page.works, "dog-1"), 3), dict.fromkeys(page.works, 2.5)):
        with pytest.raises(StudyError):
            study.submit(key, 1, ratings)  # type: ignore[arg-type]
    assert study.page(key) == page


@pytest.mark.parametrize(("age", "gender"), [(17, ""), (121, ""), (30, "Other")])
def test_who_may_not_take_part_is_told(sqlite: Database, age: int, gender: str) -> None:
    study = study_of(sqlite)
    key = study.register("ann").key
    assert key is not None
    with pytest.raises(StudyError, match="cannot take part|is not among"):
        study.submit(key, 0, Consent(age, gender))
    assert study.page(key) == Welcome(0)
    assert isinstance(study.submit(key, 0, Consent()), Elicitation)


@pytest.mark.parametrize("given", [Consent(), Consent(30), Consent(None, "Woman")])
def test_where_demographics_are_required_consent_alone_stores_nothing(sqlite: Database, given: Consent) -> None:
    study = study_of(sqlite, demographics="required")
    key = study.register("ann").key
    assert key is not None
    with pytest.raises(StudyError, match="age or gender is not told"):
        study.submit(key, 0, given)
    assert study.page(key) == Welcome(0)
    assert isinstance(study.submit(key, 0, Consent(30, "Woman")), Elicitation)


def test_a_gender_that_is_not_asked_is_not_required(sqlite: Database) -> None:
    study = study_of(sqlite, demographics="required", genders=())
    assert isinstance(study.submit(study.register("ann").key or "", 0, Consent(30)), Elicitation)


def test_all_lowest_ratings_count_alike_and_that_is_noted(sqlite: Database) -> None:
    study = study_of(sqlite)
    key = walk(study, "ann", pages=2, value=1)
    page = study.page(key)
    assert isinstance(page, Assessment)
    assert page.works[0].split("-")[1] == "10"
    assert study.records.overview().equal_weights == 1
    walk(study, "bob", pages=2, value=2)
    assert study.records.overview().equal_weights == 1


def test_a_list_that_cannot_be_shown_is_an_error_and_stores_nothing(sqlite: Database) -> None:
    lists = {"short": ("a", "b"), "twice": ("a", "b", "a"), "rated": ("a", "b", "boat-1")}
    for name, works in lists.items():
        plan = plan_of()
        study = Study(plan, sqlite, lambda *_, works=works: Ranking(works, [0.0] * len(works)))  # type: ignore[misc]
        begun = study.register(name)
        assert begun.key is not None
        page = study.submit(begun.key, 0, Consent())
        assert isinstance(page, Elicitation)
        if name == "rated" and "boat-1" not in page.works:
            continue
        with pytest.raises(StudyError, match="are to be shown"):
            submit(study, begun.key, page)
        assert study.page(begun.key) == page
    with sqlite.reading() as connection:
        assert connection.execute(select(STUDY_LISTS)).all() == []


def test_works_are_drawn_by_the_participants_own_seed(sqlite: Database) -> None:
    def drawn(study: Study, name: str) -> tuple[str, ...]:
        begun = study.register(name)
        page = study.submit(begun.key or "", 0, Consent())
        assert isinstance(page, Elicitation)
        return page.works

    one, same, other = study_of(sqlite), study_of(sqlite, id="same"), study_of(sqlite, id="other", seed=9)
    names = [f"p{number}" for number in range(25)]
    draws = {study.definition.id: [drawn(study, name) for name in names] for study in (one, same, other)}
    assert draws["pilot"] == draws["same"] != draws["other"]
    assert {work for works in draws["pilot"] for work in works} == {work for group in GROUPS.values() for work in group}
    assert {works[0].split("-")[0] for works in draws["pilot"]} == {"boat", "cat"}


def test_a_paused_study_holds_everyone_where_they_are(sqlite: Database) -> None:
    study = study_of(sqlite)
    key, done = walk(study, "ann", pages=3), walk(study, "bob")
    page = study.page(key)
    study.records.pause()
    assert study.page(key) == Paused() == submit(study, key, page)
    assert study.register("new") == study.register(None)
    assert study.register("new").key is None
    assert study.register("ann").page == Paused()
    assert isinstance(study.page(done), Thanks)
    assert isinstance(study.page(walk(study, "me", flag="preview")), Thanks)
    study.records.resume()
    assert study.page(key) == page
    assert submit(study, key, page) != page
    assert study.records.overview().started == 2


def test_who_is_marked_as_dropped_is_closed_and_their_row_goes_to_the_next(database: Database) -> None:
    study = study_of(database)
    keys = [walk(study, f"p{number}", pages=3) for number in range(6)]
    with database.reading() as connection:
        row = participants_of(connection, "pilot")[2].square_row
    study.records.mark_dropped("p2")
    assert study.page(keys[2]) == Closed() == study.register("p2").page
    assert study.submit(keys[2], 3, {}) == Closed()
    study.register("late")
    with database.reading() as connection:
        assert participants_of(connection, "pilot")[-1].square_row == row
    overview = study.records.overview()
    assert (overview.started, overview.dropped, overview.under_way) == (7, 1, {"welcome": 1, "assessment 2 of 6": 5})
    assert set(overview.first_engines.values()) == {2}
    done = walk(study, "done")
    with pytest.raises(StudyError, match="has finished"):
        study.records.mark_dropped("done")
    assert isinstance(study.page(done), Thanks)
    with pytest.raises(StudyError, match="no participant 'nobody'"):
        study.records.mark_dropped("nobody")


def test_who_is_not_heard_of_gives_their_row_away_and_may_come_back(database: Database) -> None:
    hands = HandClocks()
    study = study_of(database, hands.clocks, inactivity_minutes=60)
    early, late = walk(study, "early", pages=1), walk(study, "late", pages=3)
    hands.pass_by(3601)
    assert study.records.overview().dropped == 2
    rows = {}
    for name in ("x", "y", "z", "u"):
        study.register(name)
    with database.reading() as connection:
        rows = {person.external_id: person for person in participants_of(connection, "pilot")}
    assert {rows["x"].square_row, rows["y"].square_row} == {rows["early"].square_row, rows["late"].square_row}
    assert rows["early"].dropped_by == rows["late"].dropped_by == "inactivity"
    assert isinstance(study.page(late), Assessment)
    assert isinstance(submit(study, early, study.page(early)), Assessment)
    assert isinstance(submit(study, late, study.page(late)), Assessment)
    with database.reading() as connection:
        after = {person.external_id: person for person in participants_of(connection, "pilot")}
    assert after["early"].dropped is after["late"].dropped is None
    # Who has seen a list keeps their order; who has not gets the one that is due.
    assert after["late"].square_row == rows["late"].square_row
    held = [rows[name].square_row for name in ("x", "y", "z", "u")]
    assert after["early"].square_row not in held


def test_times_are_the_servers_and_no_clock_that_is_set_makes_them_absurd(sqlite: Database) -> None:
    hands = HandClocks()
    study = study_of(sqlite, hands.clocks)
    key = walk(study, "ann", pages=2)

    def answer(study: Study, monotonic: float, utc: float) -> tuple[float, str]:
        page = study.page(key)
        hands.seconds += monotonic
        hands.pass_by(0)
        hands.time += type(hands.time - hands.time)(seconds=utc)
        submit(study, key, page)
        with sqlite.reading() as connection:
            given = next(iter(answers_of_study(connection, "pilot").values()))[-1]
        return given.seconds, given.clock

    assert answer(study, 12.25, -86_400 * 400) == (12.25, "monotonic")
    assert answer(study, 7.0, 3600) == (7.0, "monotonic")
    restarted = study_of(sqlite, hands.clocks)
    assert answer(restarted, 5.0, 20.5) == (20.5, "utc")
    restarted = study_of(sqlite, hands.clocks)
    assert answer(restarted, 5.0, -50.0) == (0.0, "clamped")
    restarted = study_of(sqlite, hands.clocks)
    assert answer(restarted, 5.0, 86_400 * 900) == (86_400.0, "clamped")
    assert answer(restarted, 86_401.0, 0) == (86_400.0, "clamped")


def test_previews_and_robots_are_flagged_and_balanced_among_themselves(sqlite: Database) -> None:
    study = study_of(sqlite)
    for number in range(3):
        walk(study, f"p{number}", flag="preview")
        walk(study, f"p{number}", flag="robot")
        walk(study, f"p{number}", pages=0)
    overview = study.records.overview()
    assert (overview.started, overview.finished, overview.previews, overview.robots) == (3, 0, 3, 3)
    assert set(overview.first_engines.values()) == {1}
    with sqlite.reading() as connection:
        rows = connection.execute(select(STUDY_PARTICIPANTS.c.flag, STUDY_PARTICIPANTS.c.square_row)).all()
    assert len(set(rows)) == 9


def test_pages_are_what_they_were_after_a_restart(database: Database) -> None:
    study = study_of(database)
    begun = study.register("ann")
    assert begun.key is not None
    page: Page = begun.page
    for _ in range(STUDY.last_page):
        study = study_of(database)
        assert study.page(begun.key) == page
        page = submit(study, begun.key, page)
    assert page == Thanks(8, "C1DONE", "")
