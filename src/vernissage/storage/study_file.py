"""The studies of a workspace in a file of their own, so that whoever keeps the uploads' lock stops no participant."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text

from vernissage.errors import Kind, StorageError
from vernissage.storage.database import open_database
from vernissage.storage.erasure import intend_erasure, resume_erasures
from vernissage.storage.schema import METADATA, STUDIES
from vernissage.storage.validation import in_batches

_TABLES = [table for table in METADATA.sorted_tables if table is STUDIES or table.name.startswith("study_")]
"""In an order in which what a row refers to is there before it."""

_Rows = dict[str, list[tuple[Any, ...]]]


def separate_studies(people: Path, studies: Path) -> None:
    """Move the studies that an earlier version kept among people's uploads into their own file, once.

    All rows are in the new file, in one transaction, before the old ones are deleted; after a kill in between, the next
    call finds them equal and deletes the old ones. Their numbers stay, and numbers that were given are not given again.

    Raises:
        StorageError: either cannot be opened or written, or the new file holds other studies already.
    """
    if not _holds_studies(people):
        return
    with closing(open_database(people)) as former, closing(open_database(studies)) as own:
        with former.writing() as source:  # nobody answers meanwhile
            rows = _rows_of(source)
            with own.writing() as target:
                if any((there := _rows_of(target)).values()) and there != rows:
                    raise StorageError(
                        f"both {people} and {studies} hold studies, and not the same ones; was an earlier version of "
                        f"Vernissage run meanwhile? name the one that counts with --database",
                        kind=Kind.CONFLICT,
                    )
                if not any(there.values()):
                    _write(target, rows, source)
            source.execute(delete(STUDIES))  # all else of a study goes with its row
            intend_erasure(source, of_person=True)
        resume_erasures(former, None)


def _holds_studies(file: Path) -> bool:
    """Whether any study is in a file of SQLite's; no lock is asked for, and nothing is made or brought up to date."""
    if not file.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT 1 FROM studies LIMIT 1").fetchone() is not None
    except sqlite3.Error:  # no such table, or damage, which whoever opens the uploads is told
        return False


def _rows_of(connection: Connection) -> _Rows:
    order = {table: list(table.primary_key.columns) for table in _TABLES}
    return {
        table.name: [tuple(row) for row in connection.execute(select(table).order_by(*order[table]))] for table in order
    }


def _write(target: Connection, rows: _Rows, source: Connection) -> None:
    for table in _TABLES:
        names = [column.name for column in table.columns]
        for batch in in_batches([dict(zip(names, row, strict=True)) for row in rows[table.name]]):
            target.execute(insert(table), batch)
    given = source.execute(text("SELECT name, seq FROM sqlite_sequence")).all()
    for name, number in given:
        if name in rows:
            target.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
            values = {"name": name, "number": number}
            target.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)"), values)
