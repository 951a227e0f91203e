"""Random calls, valid, invalid and replayed, of several people at once, against a model of a few lines."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.studies import STUDY, study_of, submit

from vernissage.errors import StudyError
from vernissage.storage.database import Database, open_database
from vernissage.storage.studies import answers_of_study, elicitation_of_study, participants_of
from vernissage.study.participation import Answers, Closed, Consent, Elicitation, Page, Paused, Thanks, page_number

STATEMENTS = ("accuracy", "diversity", "novelty", "serendipity")
RATINGS, ANSWERS = {"boat-1": 1, "cat-1": 1}, dict.fromkeys(STATEMENTS, 1)
NAMES = ("ann", "bob", "cy")
LAST = STUDY.last_page


class StudyMachine(RuleBasedStateMachine):
    """The model: each person's page, what they answered on it, whether the study is paused, who is closed."""

    open: Callable[[], Database]

    def __init__(self) -> None:
        super().__init__()
        self.database = self.open()
        self.study = study_of(self.database)
        self.keys: dict[str, str] = {}
        self.at: dict[str, int] = {}
        self.answers: dict[str, list[int]] = {}
        self.closed: set[str] = set()
        self.paused = False

    def held(self, name: str) -> bool:
        return name in self.closed or (self.paused and self.at[name] < LAST)

    def expect(self, name: str, page: Page) -> None:
        if name in self.closed:
            assert page == Closed()
        elif self.held(name):
            assert page == Paused()
        else:
            assert page_number(page) == self.at[name]
            assert isinstance(page, Thanks) == (self.at[name] == LAST)

    @rule(name=st.sampled_from(NAMES))
    def register(self, name: str) -> None:
        begun = self.study.register(name)
        if name not in self.keys and self.paused:
            assert (begun.key, begun.page) == (None, Paused())
            return
        assert begun.key is not None
        assert self.keys.setdefault(name, begun.key) == begun.key
        self.at.setdefault(name, 0)
        self.answers.setdefault(name, [])
        self.expect(name, begun.page)

    @precondition(lambda self: self.keys)
    @rule(data=st.data(), value=st.integers(1, 5))
    def go_on(self, data: st.DataObject, value: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.keys)))
        current = self.study.page(self.keys[name])
        page = submit(self.study, self.keys[name], current, value)
        if not self.held(name) and self.at[name] < LAST:
            if self.at[name] > 1:
                self.answers[name].append(value)
            self.at[name] += 1
        self.expect(name, page)

    @precondition(lambda self: self.keys)
    @rule(data=st.data(), number=st.integers(-1, LAST + 1), sent=st.sampled_from([Consent(50), RATINGS, ANSWERS]))
    def stale_or_wrong(self, data: st.DataObject, number: int, sent: Answers) -> None:
        """A page's number that is not the current one, or what does not belong to the current one."""
        name = data.draw(st.sampled_from(sorted(self.keys)))
        if number == self.at[name] and (number == 0) == isinstance(sent, Consent):
            number += 1
        self.expect(name, self.study.submit(self.keys[name], number, sent))

    @precondition(lambda self: self.keys)
    @rule(data=st.data(), bad=st.sampled_from([0, 6, True, None, "3"]))
    def invalid(self, data: st.DataObject, bad: Any) -> None:
        name = data.draw(st.sampled_from(sorted(self.keys)))
        key, page = self.keys[name], self.study.page(self.keys[name])
        if self.held(name) or self.at[name] in {0, LAST}:
            return
        with pytest.raises(StudyError):
            asked = page.works if isinstance(page, Elicitation) else STATEMENTS
            self.study.submit(key, self.at[name], dict.fromkeys(asked, bad))
        self.expect(name, self.study.page(key))

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        (self.study.records.pause if paused else self.study.records.resume)()
        self.paused = paused

    @precondition(lambda self: set(self.keys) - self.closed)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(set(self.keys) - self.closed)))
        if self.at[name] == LAST:
            with pytest.raises(StudyError, match="has finished"):
                self.study.records.mark_dropped(name)
            return
        self.study.records.mark_dropped(name)
        self.closed.add(name)

    @precondition(lambda self: self.keys)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.keys)))
        self.study.records.delete(name)
        with pytest.raises(StudyError, match="begin again"):
            self.study.page(self.keys.pop(name))
        del self.at[name], self.answers[name]
        self.closed.discard(name)

    @rule()
    def restart(self) -> None:
        self.study = study_of(self.database)

    @invariant()
    def what_is_stored_is_what_was_answered(self) -> None:
        with self.database.reading() as connection:
            people = {person.external_id: person for person in participants_of(connection, "pilot")}
            answers = answers_of_study(connection, "pilot")
            rated = [row[0] for row in elicitation_of_study(connection, "pilot")]
        assert {name: person.page for name, person in people.items()} == self.at
        for name, person in people.items():
            theirs = answers.get(person.number, ())
            assert [each.ratings for each in theirs] == [
                dict.fromkeys(STATEMENTS, value) for value in self.answers[name]
            ]
            assert len({(each.engine, each.repetition) for each in theirs}) == len(theirs)
            assert rated.count(person.number) == (2 if self.at[name] > 1 else 0)
            assert (person.finished is not None) == (self.at[name] == LAST)
            assert (person.consented is not None) == (self.at[name] > 0)

    def teardown(self) -> None:
        self.database.close()


@contextmanager
def machine_over(opened: Callable[[], Database]) -> Iterator[type[StudyMachine]]:
    yield type("Machine", (StudyMachine,), {"open": staticmethod(opened)})


def test_random_calls_on_sqlite(empty_file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(1_000_000))

        def opened() -> Database:
            return open_database(shutil.copy(empty_file, Path(folder) / f"{next(numbers)}.db"))

        with machine_over(opened) as machine:
            run_state_machine_as_test(machine, settings=_settings(12, 25))  # type: ignore[no-untyped-call]


def test_random_calls_on_postgresql(postgres_url: str) -> None:
    def opened() -> Database:
        database = open_database(postgres_url)
        with database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM studies")
        return database

    with machine_over(opened) as machine:
        run_state_machine_as_test(machine, settings=_settings(4, 20))  # type: ignore[no-untyped-call]


def _settings(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
