"""Opening: migrations from every version, several at once, and what is said when it fails."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, insert, make_url, select, text, update
from tests.forks import Forks
from tests.uploads import NOON, add_notes, note

from vernissage.errors import StorageError
from vernissage.storage import database as module
from vernissage.storage.database import Database, begin, new_engine, open_database, stored_revision
from vernissage.storage.migrating import migrate
from vernissage.storage.people import rate, ratings_of
from vernissage.storage.schema import COPIES, METADATA, PEOPLE, REVISION, REVISION_TABLE, UPLOADS, VECTORS
from vernissage.storage.uploads import Upload, get_uploads, remove_person


def test_migrations_make_what_the_tables_in_the_code_are(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": REVISION_TABLE, "compare_server_default": True}
        )
        assert compare_metadata(context, METADATA) == []
        assert stored_revision(connection) == REVISION


@pytest.mark.parametrize("version", ["0001", "0002", "0003", "0004", "0005", "0006", "0008"])
def test_every_former_version_is_brought_up_to_date_with_what_it_holds(database_place: str, version: str) -> None:
    engine, name = new_engine(database_place)
    migrate(engine, name, version)
    with engine.connect() as connection, begin(connection, "writing"):
        assert stored_revision(connection) == version
        connection.execute(insert(PEOPLE).values(name="ann"))
    engine.dispose()
    for _ in range(2):
        database = open_database(database_place)
        with database.writing() as connection:
            assert connection.scalars(select(PEOPLE.c.name)).all() == ["ann"]
            rate(connection, "ann", "irises", 4, NOON)
            assert (ratings_of(connection, "ann"), stored_revision(connection)) == ({"irises": 4.0}, REVISION)
        database.close()


def test_uploads_with_their_vectors_stay_when_any_modality_is_let_in(database_place: str) -> None:
    engine, name = new_engine(database_place)
    migrate(engine, name, "0008")
    vector = {"encoder": "clip", "modality": "image", "fingerprint": "1", "upload": "u", "vector": b"1234"}
    with engine.connect() as connection, begin(connection, "writing"):
        person = connection.execute(insert(PEOPLE).values(name="ann")).inserted_primary_key[0]
        row = asdict(Upload("u", "ann", "both", NOON, "A", "A", ("a",), "0" * 32 + ".png", "1")) | {"version": 1}
        later = {"owner", "visibility", "reviewed"}
        connection.execute(
            insert(UPLOADS), [{key: value for key, value in row.items() if key not in later} | {"person": person}]
        )
        connection.execute(insert(VECTORS), [vector])
        connection.execute(insert(COPIES), [{"upload": "u", "name": "n", "state": "s"}])
    engine.dispose()
    database = open_database(database_place)
    assert database.faults() == ()
    with database.writing() as connection:
        [kept] = get_uploads(connection)
        assert (kept.id, kept.modality, kept.keywords, kept.visibility) == ("u", "both", ("a",), "shared")
        assert dict(connection.execute(select(VECTORS)).mappings().one()) == vector
        connection.execute(insert(VECTORS), [vector | {"modality": "video"}])
        remove_person(connection, "ann")
        assert [connection.scalar(select(func.count()).select_from(table)) for table in (UPLOADS, VECTORS, COPIES)] == [
            0
        ] * 3
    database.close()


OPENS = """
import sys
from sqlalchemy import Engine, event
from vernissage.storage.database import open_database
statements = []
event.listen(Engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
open_database(sys.argv[1]).close()
print("alembic" in sys.modules, [each for each in statements if not each.startswith(("PRAGMA", "BEGIN", "SELECT pg_", "SELECT cu", "select", "show"))])
"""


def test_a_database_that_is_up_to_date_is_opened_by_one_statement_and_without_alembic(database_place: str) -> None:
    open_database(database_place).close()
    done = subprocess.run([sys.executable, "-c", OPENS, database_place], capture_output=True, text=True, check=True)
    assert done.stdout == "False ['SELECT version_num FROM vernissage_schema']\n"


def test_a_migration_that_fails_changes_nothing(database_place: str) -> None:
    engine, name = new_engine(database_place)
    migrate(engine, name, "0002")
    with engine.connect() as connection, begin(connection, "writing"):
        connection.execute(text("CREATE TABLE tags (something INTEGER)"))
    with pytest.raises(StorageError, match="tags"):
        open_database(database_place)
    with engine.connect() as connection, begin(connection, "writing"):
        assert stored_revision(connection) == "0002"
        connection.execute(text("DROP TABLE tags"))
    engine.dispose()
    open_database(database_place).close()


@pytest.mark.long
def test_many_processes_may_open_a_new_database_at_once(database_place: str, forked: Forks) -> None:
    started = [forked.start("vernissage.storage.database:open_database", database_place) for _ in range(3)]
    assert [forked.wait(process) for process in started] == [0] * 3
    database = open_database(database_place)
    assert add_notes(database, "a") == 1
    database.close()


def test_many_threads_may_open_a_new_database_at_once(database_place: str) -> None:
    versions: list[int] = []

    def look() -> None:
        database = open_database(database_place)
        versions.append(database.version())
        database.close()

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert versions == [0] * 6


def test_sqlite_is_set_to_keep_what_it_confirmed_and_to_overwrite_what_it_deletes(tmp_path: Path) -> None:
    database = open_database(tmp_path / "vernissage.db")
    with database.writing() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "busy_timeout")
        }
    database.close()
    assert found == {
        "journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1, "busy_timeout": 30_000
    }  # fmt: skip


@pytest.mark.parametrize("form", ["sqlite:///{}", "{}", "sqlite+pysqlite:///{}"])
def test_sqlite_is_named_by_path_or_url(tmp_path: Path, form: str) -> None:
    database = open_database(form.format(tmp_path / "a b.db"))
    add_notes(database, "a")
    database.close()
    assert (tmp_path / "a b.db").is_file()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_is_named_as_everyone_names_it(postgres_url: str, scheme: str) -> None:
    database = open_database(postgres_url.replace("postgresql", scheme, 1))
    assert database.version() == 0
    assert "***" in database.place
    database.close()


def test_a_newer_database_is_left_alone(database_place: str) -> None:
    database = open_database(database_place)
    with database.writing() as connection:
        connection.execute(text("UPDATE vernissage_schema SET version_num = '9999'"))
    database.close()
    with pytest.raises(StorageError, match=r"newer version of Vernissage \(schema 9999\); upgrade"):
        open_database(database_place)


def test_tables_of_someone_else_are_left_alone(database_place: str) -> None:
    engine, _ = new_engine(database_place)
    with engine.connect() as connection, begin(connection, "writing"):
        connection.execute(text("CREATE TABLE people (shoe_size INTEGER)"))
    engine.dispose()
    with pytest.raises(StorageError, match="has tables people that Vernissage did not make"):
        open_database(database_place)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary, " * 500)
    with pytest.raises(StorageError, match="is not a database of Vernissage; choose another path"):
        open_database(path)
    assert path.read_text() == "dear diary, " * 500


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened; its folder must exist"):
        open_database(tmp_path / "nowhere" / "vernissage.db")


READ_ONLY = """
import os, sys
from vernissage.errors import StorageError
from vernissage.storage.database import open_database
# Everything is imported now, since the user that has no rights may have none on Python's own files either.
with open_database(sys.argv[1]).writing(): pass
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    with open_database(sys.argv[2]).writing(): pass
except StorageError as error:
    print(error)
"""


def test_a_folder_that_may_not_be_written_to_is_told() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other users
        folder = Path(name)
        path = folder / "shelf" / "vernissage.db"
        path.parent.mkdir()
        open_database(path).close()
        path.chmod(0o444)
        path.parent.chmod(0o555)
        folder.chmod(0o755)
        command = [sys.executable, "-c", READ_ONLY, str(folder / "own.db"), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        path.parent.chmod(0o755)
    assert (done.stderr, len(done.stdout.splitlines())) == ("", 1)
    assert "writable" in done.stdout


def test_an_older_database_that_may_not_be_written_to_is_told() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "shelf" / "vernissage.db"
        path.parent.mkdir()
        engine, place = new_engine(path)
        migrate(engine, place, "0004")
        engine.dispose()
        path.chmod(0o444)
        path.parent.chmod(0o777)
        folder.chmod(0o755)
        command = [sys.executable, "-c", READ_ONLY, str(folder / "own.db"), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stderr, len(done.stdout.splitlines())) == ("", 1)
    assert f"whose schema 0004 is not {REVISION}, cannot be" in done.stdout
    assert "writable" in done.stdout


def test_a_full_disk_is_told_and_nothing_is_half_written(tmp_path: Path) -> None:
    database = open_database(tmp_path / "vernissage.db")
    add_notes(database, "a")
    with pytest.raises(StorageError, match="no space left on its disk"), database.writing() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages + 3}"))
        connection.execute(insert(PEOPLE), [{"name": f"{number:05d}" * 40} for number in range(1000)])
    with database.reading() as connection:
        assert connection.scalars(select(PEOPLE.c.name)).all() == ["ann"]
    database.close()


def test_a_lock_that_is_never_given_back_is_told(database_place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_database(database_place).close()
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    first, second = open_database(database_place), open_database(database_place)
    with first.writing():
        with pytest.raises(StorageError, match="locked by another process for too long"), second.writing():
            pass
        with pytest.raises(StorageError, match="locked by another thread for too long"), first.writing():
            pass
    assert add_notes(second, "a") == 1
    first.close()
    second.close()


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with pytest.raises(StorageError, match=r"//ann:\*\*\*@127.0.0.1:1/db cannot be reached") as caught:
        open_database("postgresql://ann:hunter2@127.0.0.1:1/db")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("postgres:", "postgres:hunter2"), "password authentication failed"),
        (("postgres:", "stranger:"), "password authentication failed"),
        (("/test_", "/nowhere_"), 'database "nowhere_.*" does not exist'),
    ],
)
def test_a_server_that_refuses_is_told_without_the_password(
    postgres_url: str, change: tuple[str, str], message: str
) -> None:
    url = postgres_url.replace(*change)
    assert url != postgres_url
    with pytest.raises(StorageError, match=f"refuses the connection.*{message}.*; check user, password") as caught:
        open_database(url)
    assert str(make_url(url).password) not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_driver_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StorageError, match=r"pip install 'vernissage\[postgres\]'"):
        open_database("postgresql://ann:hunter2@localhost/db")


@pytest.mark.parametrize(
    "url", ["mysql://ann:hunter2@localhost/db", "oracle://x", "://hunter2", "postgresql://a:hunter2@h:port/x"]
)
def test_urls_of_other_kinds_are_told(url: str) -> None:
    with pytest.raises(StorageError, match="give a path such as") as caught:
        open_database(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(StorageError, match="names no file"):
        open_database(url)


def test_a_connection_that_the_server_ended_is_replaced(postgres_url: str) -> None:
    database = open_database(postgres_url)
    with pytest.raises(StorageError, match="connection was lost"), database.writing() as connection:
        connection.execute(update(PEOPLE).values(name="x"))
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert add_notes(database, "a") == 1
    database.close()


def test_a_server_that_hangs_is_told_within_seconds(postgres_url: str) -> None:
    """It goes on to acknowledge what it is sent; a new connection is made in place of one that hangs."""
    database = open_database(postgres_url, patience=0.5)
    stopped: list[int] = []
    try:
        began = time.monotonic()
        with pytest.raises(StorageError, match="cannot be reached"), database.reading() as connection:
            stopped.append(connection.scalar(text("SELECT pg_backend_pid()")))
            os.kill(stopped[-1], signal.SIGSTOP)
            connection.scalar(text("SELECT 1"))
        with database.reading() as connection:
            stopped.append(connection.scalar(text("SELECT pg_backend_pid()")))
        assert stopped[1] != stopped[0]
        os.kill(stopped[-1], signal.SIGSTOP)
        assert database.version() >= 0
        assert 2 < time.monotonic() - began < 20
    finally:
        for each in stopped:
            os.kill(each, signal.SIGCONT)
        database.close()


def test_what_is_read_cannot_be_written(database: Database) -> None:
    with pytest.raises(StorageError), database.reading() as connection:
        connection.execute(insert(PEOPLE).values(name="ann"))
    with database.writing() as connection:
        assert connection.scalars(select(PEOPLE.c.name)).all() == []


def test_a_reader_sees_one_state_whatever_is_written(database: Database) -> None:
    add_notes(database, "a")
    with database.reading() as connection:
        assert len(get_uploads(connection)) == 1
        add_notes(database, "b")
        assert len(get_uploads(connection)) == 1
    with database.reading() as connection:
        assert len(get_uploads(connection)) == 2


def test_a_database_is_a_database_of_its_own_file(tmp_path: Path) -> None:
    path = tmp_path / "vernissage.db"
    database = open_database(path)
    add_notes(database, note("a").id)
    database.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT id FROM uploads").fetchall() == [("a",)]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_checking_that_a_database_answers(database: Database) -> None:
    database.check()
    with database.writing(), database.reading():
        database.check()


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    database = open_database(tmp_path / "answers.db")
    database.close()
    (tmp_path / "answers.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError, match="does not answer"):
        database.check()


def test_nothing_is_written_into_a_file_that_was_moved_away(tmp_path: Path) -> None:
    place = tmp_path / "people.db"
    database = open_database(place)
    with database.writing() as connection:
        rate(connection, "ann", "w000", 5.0, NOON)
    place.rename(tmp_path / "elsewhere.db")
    with pytest.raises(StorageError, match="was moved away or replaced"), database.writing():
        pass
    (tmp_path / "elsewhere.db").rename(place)
    with database.writing() as connection:
        rate(connection, "ann", "w001", 4.0, NOON)
    place.rename(tmp_path / "elsewhere.db")
    place.write_bytes((tmp_path / "elsewhere.db").read_bytes())  # another one in its place is not taken for it
    with pytest.raises(StorageError, match="was moved away or replaced"), database.writing():
        pass
    database.close()
