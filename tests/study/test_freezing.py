"""A study stays what it was when its first real participant came."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from tests.studies import STUDY, TEXTS, plan_of, recommend, study_of, submit, walk

from vernissage.errors import StudyError
from vernissage.storage.database import Database
from vernissage.storage.schema import STUDY_ANSWERS, STUDY_ELICITATION, STUDY_PROVENANCES
from vernissage.storage.studies import content_of, state_of
from vernissage.study.definition import definition_of
from vernissage.study.participation import Assessment, Closed, Study, Thanks, Welcome


def test_the_first_real_participant_freezes_the_definition(sqlite: Database) -> None:
    study = study_of(sqlite)
    walk(study, "me", flag="preview")
    walk(study, "bot", flag="robot")
    assert study.records.overview().frozen is None
    study.register("ann")
    assert study.records.overview().frozen is not None
    with sqlite.reading() as connection:
        state = state_of(connection, "pilot")
        assert state.frozen is not None
        assert state.provenances[state.frozen] == plan_of().provenance
        assert definition_of(content_of(connection, state.frozen)) == STUDY


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 3}, r"the definition \(seed\) changed"),
        ({"texts": replace(TEXTS, thanks="Bye."), "works": 4}, r"the definition \(texts.thanks, works\) changed"),
    ],
)
def test_a_changed_definition_is_refused_with_what_changed(
    sqlite: Database, changes: dict[str, object], message: str
) -> None:
    walk(study_of(sqlite), "ann", pages=2)
    with pytest.raises(StudyError, match=message) as caught:
        study_of(sqlite, **changes)
    assert "give the definition another id to start anew" in str(caught.value)
    walk(study_of(sqlite, id="pilot-2", **changes), "ann")


def test_a_changed_workspace_is_refused_with_what_changed(sqlite: Database) -> None:
    walk(study_of(sqlite), "ann", pages=2)
    for plan, message in (
        (plan_of(collection="other"), "the collection changed"),
        (plan_of(lda="f2"), r"the workspace's encoders \(lda\) changed"),
        (plan_of(lda="f1", clip="f9"), r"encoders \(clip\) changed"),
    ):
        with pytest.raises(StudyError, match=message):
            Study(plan, sqlite, recommend)


def test_a_change_while_running_is_refused_at_every_call(database: Database) -> None:
    """Two servers with different files, opened before anybody came."""
    one, other = study_of(database), study_of(database, seed=5)
    key = walk(one, "ann", pages=2)
    page = one.page(key)
    for call in (lambda: other.page(key), lambda: other.register("bob"), lambda: submit(other, key, page)):
        with pytest.raises(StudyError, match=r"\(seed\) changed"):
            call()
    assert one.page(key) == page


def test_a_new_version_of_the_software_goes_on_and_is_told_with_the_answers(database: Database) -> None:
    key = walk(study_of(database), "ann", pages=3)
    plan = plan_of()
    newer = Study(replace(plan, provenance=replace(plan.provenance, software="0.2.0")), database, recommend)
    assert isinstance(submit(newer, key, newer.page(key)), Assessment)
    with database.reading() as connection:
        query = select(STUDY_PROVENANCES.c.software).join(STUDY_ANSWERS).order_by(STUDY_ANSWERS.c.time)
        assert connection.scalars(query).all() == ["0.1.0", "0.2.0"]
        rated = select(STUDY_PROVENANCES.c.software).join(STUDY_ELICITATION)
        assert connection.scalars(rated).all() == ["0.1.0", "0.1.0"]


def test_previews_of_a_former_definition_are_closed_and_begin_anew(sqlite: Database) -> None:
    key = walk(study_of(sqlite), "me", pages=4, flag="preview")
    changed = study_of(sqlite, works=4)
    assert changed.page(key) == Closed()
    again = changed.register("me", flag="preview")
    assert again.page == Welcome(0)
    assert again.key not in {key, None}
    assert changed.records.overview().previews == 1
    assert isinstance(changed.page(walk(changed, "me", flag="preview")), Thanks)
