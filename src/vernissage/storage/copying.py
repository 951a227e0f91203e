"""Whole databases copied while they are in use: into a file of SQLite's, and from one into any database."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, text

from vernissage.errors import Kind, StorageError
from vernissage.storage.database import begin, new_engine, open_database, storage_errors, stored_revision
from vernissage.storage.schema import METADATA, REVISION

_ROWS_AT_ONCE = 500


def copy_to_file(place: str, file: Path) -> str:
    """Copy a database, as it is at one moment, into a new file; the revision of its schema.

    SQLite's file is copied as it is, whatever its revision, by its online backup; PostgreSQL's rows are read in one
    transaction that sees one state.

    Raises:
        StorageError: it cannot be read, or is PostgreSQL's and of an older revision.
    """
    engine, name = new_engine(place)
    try:
        with storage_errors(name), engine.connect() as connection, begin(connection, "reading"):
            revision = stored_revision(connection) or ""
        if engine.dialect.name == "sqlite":
            with closing(sqlite3.connect(f"{Path(name).resolve().as_uri()}?mode=ro", uri=True)) as source:
                file.touch(mode=0o600)
                with closing(sqlite3.connect(file)) as target:
                    source.backup(target)
            return revision
    except sqlite3.Error as error:
        raise StorageError(f"the database {name} cannot be copied: {error}") from error
    finally:
        engine.dispose()
    if revision != REVISION:
        raise StorageError(
            f"the database {name} has the schema {revision}, and this version copies {REVISION}; dump it with pg_dump",
            kind=Kind.CONFLICT,
        )
    _copied(place, str(file))
    return revision


def copy_from_file(file: Path, place: str) -> None:
    """Put the rows of a copied database in place of all that a database holds, in one transaction.

    Raises:
        StorageError: either cannot be opened, or the database cannot be written; then it is as it was.
    """
    _copied(str(file), place)


def check_copy(file: Path) -> None:
    """Refuse a file that is no whole database of Vernissage's, or that brings statements of its own.

    Raises:
        StorageError: it is; the message says why.
    """
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as found:
            found.execute("PRAGMA trusted_schema = OFF")
            brought = found.execute("SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchall()
            told = found.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise StorageError(f"the database of the backup is damaged ({error}); take another backup") from error
    if brought or told != "ok":
        why = f"it has {brought[0][0]!r}, which Vernissage did not make" if brought else told
        raise StorageError(f"the database of the backup is not as it was written: {why}; take another backup")


def _copied(former: str, place: str) -> None:
    with (
        closing(open_database(former)) as source,
        closing(open_database(place)) as target,
        source.reading() as rows,
        target.writing() as written,
    ):
        _copy(rows, written)


def _copy(source: Connection, target: Connection) -> None:
    for table in reversed(METADATA.sorted_tables):
        target.execute(delete(table))
    for table in METADATA.sorted_tables:
        with source.execute(select(table).execution_options(yield_per=_ROWS_AT_ONCE)) as found:
            for block in found.mappings().partitions():
                target.execute(insert(table), [dict(row) for row in block])
    if target.dialect.name == "postgresql":
        for table in METADATA.sorted_tables:
            for column in table.primary_key:
                if column.autoincrement is True:
                    highest = f"(SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name})"  # noqa: S608
                    sequence = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
                    target.execute(text(f"SELECT setval({sequence}, {highest}, false)"))
