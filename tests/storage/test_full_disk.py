"""No space left: named wherever it is the cause, whatever the library that met it says."""

import errno
import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.exc import OperationalError

from vernissage.errors import ProvenanceError, StorageError, WorkspaceError
from vernissage.files import read_checked, write_array
from vernissage.storage import erasure
from vernissage.storage.database import open_database, storage_errors
from vernissage.storage.people import enter_person
from vernissage.storage.uploads import remove_person

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 0))


def raised(code: int | None, said: str) -> OSError:
    return OSError(code, said) if code else OSError(said)


@pytest.mark.parametrize(
    ("code", "named"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (None, True), (errno.EACCES, False)]
)
@pytest.mark.usefixtures("full")
def test_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None, named: bool) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised(code, "1000 requested and 10 written")  # as NumPy says it, without a number

    monkeypatch.setattr(np, "save", fail)
    with pytest.raises(WorkspaceError) as error:
        write_array(tmp_path / "a.npy", np.zeros(3))
    assert ("no space left on its disk" in str(error.value)) is named
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("code", "words"), [(errno.ENOSPC, "no space left"), (errno.EACCES, "Permission denied")])
def test_what_is_read(tmp_path: Path, code: int, words: str) -> None:
    def load() -> None:
        raise OSError(code, "Permission denied")

    (tmp_path / "a.npy").touch()
    with pytest.raises(WorkspaceError, match=f"a.npy cannot be read: {words}"):
        read_checked(tmp_path / "a.npy", load)


def test_what_a_library_finds_damaged_is_no_matter_of_the_disk(tmp_path: Path) -> None:
    def load() -> None:
        raise OSError("Couldn't deserialize thrift")

    (tmp_path / "a.parquet").touch()
    with pytest.raises(ProvenanceError, match="is damaged"):
        read_checked(tmp_path / "a.parquet", load)


@pytest.mark.parametrize("name", ["SQLITE_IOERR_WRITE", "SQLITE_CANTOPEN", "SQLITE_FULL"])
@pytest.mark.usefixtures("full")
def test_what_sqlite_says_otherwise(tmp_path: Path, name: str) -> None:
    cause = sqlite3.OperationalError("disk I/O error")
    cause.sqlite_errorname = name
    place, match = str(tmp_path / "vernissage.db"), "has no space left on its disk; free space"
    with pytest.raises(StorageError, match=match), storage_errors(place):
        raise OperationalError("SELECT 1", {}, cause)


def test_what_is_deleted_but_not_yet_erased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_database(tmp_path / "vernissage.db")) as database:
        with database.writing() as connection:
            enter_person(connection, "ann")
        with database.writing() as connection:
            remove_person(connection, "ann")

        cause = sqlite3.OperationalError("database or disk is full")
        cause.sqlite_errorname = "SQLITE_FULL"

        def fail(*_: object) -> None:
            raise OperationalError("VACUUM", {}, cause)

        with monkeypatch.context() as patched:
            patched.setattr("vernissage.storage.database.text", fail)
            with pytest.raises(StorageError, match="whose deleted rows are yet to leave its files, has no space left"):
                erasure.finish_erasures(database, tmp_path / "uploads")
        assert erasure.finish_erasures(database, tmp_path / "uploads") == 1
