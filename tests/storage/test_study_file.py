"""Studies in a file of their own: nothing is lost on the way, and nobody who writes uploads stops a participant."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.studies import study_of, walk

from vernissage.errors import StorageError
from vernissage.storage import study_file
from vernissage.storage.database import open_database
from vernissage.storage.people import known_person
from vernissage.storage.study_file import separate_studies
from vernissage.storage.uploads import Upload, add_uploads


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A database of an earlier version: an upload, and a study with two participants, a third of whom was deleted."""
    path = tmp_path / "vernissage.db"
    with closing(open_database(path)) as database:
        with database.writing() as connection:
            add_uploads(connection, [Upload("cat", "dora", "text", datetime.now(UTC), text="A cat")])
        study = study_of(database)
        for name in ("ann", "participant-bob", "cy"):
            walk(study, name)
        study.records.delete("cy")
    return path


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(open_database(path)) as database, database.reading() as connection:
        return study_file._rows_of(connection)


def test_studies_move_with_all_their_rows_once(people: Path, tmp_path: Path) -> None:
    before, own = contents(people), tmp_path / "study.db"
    separate_studies(people, own)
    assert contents(own) == before
    assert {name: len(rows) for name, rows in before.items() if name in ("studies", "study_participants")} == {
        "studies": 1, "study_participants": 2,
    }  # fmt: skip
    assert not any(contents(people).values())
    assert all(b"participant-bob" not in file.read_bytes() for file in tmp_path.glob("vernissage.db*"))
    assert own.stat().st_mode & 0o777 == 0o600
    with closing(open_database(people)) as database, database.reading() as connection:
        assert known_person(connection, "dora") is not None
    with closing(open_database(own)) as database:
        study = study_of(database)
        walk(study, "dan")
        assert study.records.overview().finished == 3
        with closing(sqlite3.connect(own)) as connection:
            numbers = [row[0] for row in connection.execute("SELECT id FROM study_participants ORDER BY id")]
        assert numbers == [1, 2, 4]  # the number of who was deleted is not given again
    separate_studies(people, own)
    assert len(contents(own)["study_participants"]) == 3


def test_a_kill_between_copy_and_deletion_loses_and_doubles_nothing(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, own = contents(people), tmp_path / "study.db"
    with monkeypatch.context() as patched:
        patched.setattr(study_file, "intend_erasure", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            separate_studies(people, own)
    assert contents(own) == before == contents(people)
    separate_studies(people, own)
    assert contents(own) == before
    assert not any(contents(people).values())


def test_two_files_with_different_answers_are_left_alone(people: Path, tmp_path: Path) -> None:
    own = tmp_path / "study.db"
    with closing(open_database(own)) as database:
        walk(study_of(database), "eve")
    before = contents(people), contents(own)
    with pytest.raises(StorageError, match="both .* hold studies, and not the same"):
        separate_studies(people, own)
    assert (contents(people), contents(own)) == before


def test_a_lock_on_the_uploads_stops_no_study(people: Path, tmp_path: Path) -> None:
    own = tmp_path / "study.db"
    separate_studies(people, own)
    with closing(sqlite3.connect(people, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        separate_studies(people, own)
        with closing(open_database(own, patience=0.2)) as database:
            study = study_of(database)
            walk(study, "fay")
            assert study.records.overview().finished == 3
