"""Jobs: one worker at a time, taken over when it is silent, in order where order matters."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vernissage.storage.database import Database
from vernissage.storage.jobs import (
    KEPT,
    LEASE,
    MOST_ATTEMPTS,
    Job,
    add_job,
    end_job,
    get_job,
    keep_jobs,
    release_jobs,
    take_jobs,
    unfinished,
)
from vernissage.storage.people import enter_person
from vernissage.storage.uploads import remove_person

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDERED = ("works",)


def added(database: Database, *names: str, kind: str = "uploads", **more: Any) -> None:
    with database.writing() as connection:
        for name in names:
            add_job(connection, name, kind, {"of": name}, NOW, **more)


def taken(database: Database, worker: str, now: datetime = NOW) -> list[str]:
    with database.writing() as connection:
        return [job.id for job in take_jobs(connection, worker, now, ORDERED)]


def read(database: Database, name: str) -> Job:
    with database.reading() as connection:
        found = get_job(connection, name)
    assert found is not None
    return found


def test_each_job_is_taken_once_and_the_oldest_first(database: Database) -> None:
    added(database, "b", "a")
    assert [taken(database, worker) for worker in ("one", "two", "one")] == [["b"], ["a"], []]
    assert (read(database, "b").state, read(database, "b").payload) == ("running", {"of": "b"})


def test_a_job_of_a_silent_worker_is_taken_over_and_that_ones_result_counts(database: Database) -> None:
    added(database, "a")
    assert taken(database, "killed") == ["a"]
    later = NOW + LEASE
    assert taken(database, "other", later - timedelta(seconds=1)) == []
    assert taken(database, "other", later) == ["a"]
    job = read(database, "a")
    with database.writing() as connection:
        assert not keep_jobs(connection, [job], "killed", later, None)
        end_job(connection, job, "killed", later, problem={"status": 500, "detail": "too late"})
        assert keep_jobs(connection, [job], "other", later, {"step": "Encoding", "done": 1, "total": 2})
    assert read(database, "a").progress == {"step": "Encoding", "done": 1, "total": 2}
    with database.writing() as connection:
        end_job(connection, job, "other", later, result={"n": 1})
    done = read(database, "a")
    assert (done.state, done.result, done.problem, done.payload, done.finished) == ("done", {"n": 1}, None, {}, later)


def test_signs_of_life_keep_a_job(database: Database) -> None:
    added(database, "a")
    taken(database, "one")
    with database.writing() as connection:
        assert keep_jobs(connection, [read_in(connection)], "one", NOW + LEASE / 2, None)
    assert taken(database, "two", NOW + LEASE) == []


def read_in(connection: Any) -> Job:
    found = get_job(connection, "a")
    assert found is not None
    return found


def test_kinds_in_order_go_together_and_nothing_overtakes_them(database: Database) -> None:
    added(database, "w1", "w2", kind="works")
    added(database, "u1")
    assert taken(database, "one") == ["w1", "w2"]
    added(database, "w3", kind="works")
    assert taken(database, "two") == ["u1"]
    assert taken(database, "two") == []
    jobs = [read(database, name) for name in ("w1", "w2")]
    with database.writing() as connection:
        release_jobs(connection, jobs, "one", NOW + timedelta(seconds=7))
    assert taken(database, "two") == []
    assert taken(database, "two", NOW + timedelta(seconds=7)) == ["w1", "w2", "w3"]


def test_a_job_that_is_given_back_is_begun_again_at_once(database: Database) -> None:
    added(database, "a")
    for _ in range(MOST_ATTEMPTS + 2):
        taken(database, "one")
        with database.writing() as connection:
            release_jobs(connection, [read_in(connection)], "one", None)
    assert taken(database, "two") == ["a"]


def test_a_job_that_kills_every_worker_fails(database: Database) -> None:
    added(database, "a")
    now = NOW
    for _ in range(MOST_ATTEMPTS):
        assert taken(database, "one", now) == ["a"]
        now += LEASE
    assert taken(database, "one", now) == []
    job = read(database, "a")
    assert job.state == "failed"
    assert "begun 10 times" in (job.problem or {})["detail"]


def test_the_same_id_is_the_same_job_until_it_is_forgotten(database: Database) -> None:
    added(database, "a", content="one")
    added(database, "a", content="two")
    assert read(database, "a").content == "one"
    taken(database, "one")
    with database.writing() as connection:
        end_job(connection, read_in(connection), "one", NOW, result={})
        assert unfinished(connection) == frozenset()
        add_job(connection, "b", "uploads", {}, NOW + KEPT)
        assert get_job(connection, "a") is not None
        add_job(connection, "c", "uploads", {}, NOW + KEPT + timedelta(seconds=1))
        assert get_job(connection, "a") is None


def test_jobs_go_with_their_person(database: Database) -> None:
    with database.writing() as connection:
        enter_person(connection, "ann")
    added(database, "a", owner="ann")
    assert read(database, "a").person == "ann"
    with database.writing() as connection:
        remove_person(connection, "ann")
    with database.reading() as connection:
        assert get_job(connection, "a") is None


@pytest.mark.parametrize("worker", ["one", "two"])
def test_what_is_waited_for_is_told(database: Database, worker: str) -> None:
    added(database, "a", "b")
    taken(database, worker)
    with database.reading() as connection:
        assert unfinished(connection) == {"a", "b"}


def test_kinds_that_are_quicker_done_together_are_taken_so_but_not_all(database: Database) -> None:
    with database.writing() as connection:
        for number in range(40):
            add_job(connection, f"job-{number:02}", "uploads" if number != 1 else "purge", {}, NOW)
        first = [job.id for job in take_jobs(connection, "a", NOW, (), ("uploads",))]
        assert first == [f"job-{number:02}" for number in range(33) if number != 1]
        assert [job.id for job in take_jobs(connection, "b", NOW, (), ("uploads",))] == ["job-01"]
