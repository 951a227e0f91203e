"""Many at once, processes that die in the middle, and data that are deleted."""

import os
import signal
import subprocess
import sys
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from tests.studies import STUDY, study_of, submit, walk

from vernissage.errors import StudyError
from vernissage.storage import studies
from vernissage.storage.database import Database, open_database
from vernissage.storage.schema import (
    METADATA,
    STUDY_ANSWERS,
    STUDY_ELICITATION,
    STUDY_LISTS,
    STUDY_PARTICIPANTS,
    STUDY_SCREENS,
)
from vernissage.storage.studies import participants_of
from vernissage.study.counterbalancing import engine_orders
from vernissage.study.export import export_tables
from vernissage.study.participation import Elicitation, Study, Thanks, UnknownParticipantError, page_number

SERVES = """
import sys
from tests.studies import STUDY, study_of, submit
from vernissage.storage.database import open_database
study = study_of(open_database(sys.argv[1]))
for number in range(STUDY.last_page):
    for key in sys.argv[2:]:
        print(key, submit(study, key, study.page(key)).number, flush=True)
"""
ROOT = Path(__file__).resolve().parents[2]


def fork() -> int:
    """A child process; Python 3.12 and later warn of it where threads run, as those of pytest-xdist do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def die_in_the_middle(study: Study, key: str, moment: str) -> None:
    """Submit the current page in a process that kills itself when the answer is written and nothing committed."""
    child = fork()
    if child == 0:  # pragma: no cover
        try:
            change = studies.change_participant

            def killed(*arguments: Any, **values: Any) -> None:
                if moment == "page moved":
                    change(*arguments, **values)
                os.kill(os.getpid(), signal.SIGKILL)

            studies.change_participant = killed
            submit(study, key, study.page(key))
        finally:
            os._exit(2)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def test_200_registrations_by_20_threads_differ_by_at_most_one(database: Database) -> None:
    engines = ("north", "east", "south", "west")
    studies = [study_of(database, engines=engines) for _ in range(4)]
    with ThreadPoolExecutor(20) as pool:
        keys = list(pool.map(lambda number: studies[number % 4].register(f"p{number:03d}").key, range(200)))
    assert len(set(keys)) == 200
    orders = engine_orders(studies[0].definition)
    with database.reading() as connection:
        rows = [person.square_row for person in participants_of(connection, "pilot")]
    counts = Counter(orders[row][0] for row in rows)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert Counter(rows) == dict.fromkeys(range(4), 50)


def test_the_same_person_in_many_threads_is_one_and_every_answer_is_there_once(database: Database) -> None:
    studies = [study_of(database) for _ in range(2)]

    def take_part(number: int) -> str | None:
        study = studies[number % 2]
        begun = study.register("ann")
        page = begun.page
        for _ in range(STUDY.last_page):
            page = submit(study, begun.key or "", page)
        assert isinstance(page, Thanks)
        return begun.key

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(take_part, range(6)))) == 1
    with database.reading() as connection:
        counts = [
            connection.scalar(select(func.count()).select_from(table))
            for table in (STUDY_PARTICIPANTS, STUDY_ELICITATION, STUDY_LISTS, STUDY_SCREENS, STUDY_ANSWERS)
        ]
    assert counts == [1, 2, 9, 6, 6]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("moment", ["answer written", "page moved"])
def test_a_process_killed_in_the_middle_of_a_submit_leaves_exactly_one_answer_each(
    database: Database, moment: str
) -> None:
    study = study_of(database)
    key = walk(study, "ann", pages=0)
    for number in range(STUDY.last_page):
        before = study.page(key)
        assert page_number(before) == number
        die_in_the_middle(study, key, moment)
        assert study_of(database).page(key) == before
        submit(study, key, before)
    assert isinstance(study.page(key), Thanks)
    tables = {table.name: table for table in export_tables(study.records)}
    assert len(tables["long"].rows) == len({row[:3] for row in tables["long"].rows}) == 6
    assert [row[1] for row in tables["screens"].rows] == [1, 2, 3, 4, 5, 6]


def test_what_was_confirmed_survives_a_kill(database_place: str) -> None:
    database = open_database(database_place)
    keys = [walk(study_of(database), name, pages=0) for name in ("ann", "bob")]
    command = [sys.executable, "-c", SERVES, database_place, *keys]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    confirmed = [server.stdout.readline().split() for _ in range(9)]
    server.kill()
    confirmed += [line.split() for line in server.communicate()[0].splitlines()]
    study = study_of(database)
    for key in keys:
        last = max(int(page) for whose, page in confirmed if whose == key)
        # The last page of each may be committed without having been confirmed.
        assert page_number(study.page(key)) in {last, last + 1}
        while not isinstance(page := study.page(key), Thanks):
            submit(study, key, page)
    (long, *_) = export_tables(study.records)
    assert len(long.rows) == len({row[:3] for row in long.rows}) == 12
    database.close()


def test_deleting_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "vernissage.db"
    database = open_database(path)
    study = study_of(database)
    name, note = "5f0c1e2d3b4a596877665544", "session-of-this-person"
    for number in range(12):
        walk(study, f"other-{number}", pages=number % 9)
    key = walk(study, name, session_id=note)
    walk(study, name, flag="preview")
    for number in range(12):
        walk(study, f"later-{number}", pages=number % 9)
    assert any(name.encode() in file.read_bytes() for file in tmp_path.iterdir())
    study.records.delete(name)
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert name.encode() not in content
        assert note.encode() not in content
        assert key.encode() not in content
    assert name not in {row[0] for table in export_tables(study.records) for row in table.rows}
    with pytest.raises(UnknownParticipantError):
        study.page(key)
    with pytest.raises(StudyError, match="no participant"):
        study.records.delete(name)
    database.close()
    assert name.encode() not in path.read_bytes()


def test_deleting_removes_the_rows_of_every_table_and_no_others(database: Database) -> None:
    study = study_of(database)
    walk(study, "bob")
    with database.reading() as connection:
        before = _counts(connection)
    key = walk(study, "ann")
    with database.reading() as connection:
        number = participants_of(connection, "pilot")[-1].number
        row = participants_of(connection, "pilot")[-1].square_row
    study.records.delete("ann")
    with database.reading() as connection:
        assert _counts(connection) == before
    study.register("cy")
    with database.reading() as connection:
        new = participants_of(connection, "pilot")[-1]
    assert (new.square_row, new.key != key) == (row, True)
    assert new.number > number


def _counts(connection: object) -> dict[str, int]:
    return {
        name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # type: ignore[attr-defined]  # noqa: S608
        for name in METADATA.tables
    }


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_server_goes_on(sqlite: Database) -> None:
    study = study_of(sqlite)
    key = walk(study, "ann", pages=1)
    page = study.page(key)
    child = fork()
    if child == 0:  # pragma: no cover
        try:
            os._exit(0 if page_number(submit(study, key, page)) == 2 else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert isinstance(page, Elicitation)
    assert page_number(study.page(key)) == 2
    assert page_number(submit(study, key, study.page(key))) == 3
