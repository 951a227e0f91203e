"""Erasures: what is to go from files is written down with the deletion of its rows, and stays until it has gone.

A kill between the commit and the last deleted file leaves the intent, which whoever opens the database next finishes.
"""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from vernissage.errors import StorageError
from vernissage.storage.database import Database
from vernissage.storage.pictures import delete_pictures, sweep_pictures
from vernissage.storage.schema import ERASURES
from vernissage.storage.validation import in_batches

_BYTES = ""
"""Stands among names of files for the bytes of deleted rows in the database's own files."""


def intend_erasure(connection: Connection, pictures: Iterable[str] = (), *, of_person: bool = False) -> None:
    """Write down, in the transaction that deletes rows, what `finish_erasures` will take out of files.

    Args:
        pictures: names of files in the folder of uploads.
        of_person: whether the database's files, and pictures that no upload names, are to be gone through as well.
    """
    wanted = {*pictures, *([_BYTES] if of_person else [])}
    there = set(connection.scalars(select(ERASURES.c.picture)))
    if rows := [{"picture": name} for name in sorted(wanted - there)]:
        connection.execute(insert(ERASURES), rows)


def finish_erasures(database: Database, folder: Path | None) -> int:
    """Do what is written down, and strike it out when it is done; returns how many entries there were.

    Without the ``folder`` of uploads only the database's own files are gone through.

    Raises:
        StorageError: a file cannot be deleted, the database cannot be written, or another process reads its log; what
            is left to do stays written down.
    """
    with database.reading() as connection:
        due = set(connection.scalars(select(ERASURES.c.picture)))
    if folder is None:
        due &= {_BYTES}
    if not due:
        return 0
    if folder is not None:
        delete_pictures(folder, due - {_BYTES})
        if _BYTES in due:
            with database.writing() as connection:
                sweep_pictures(connection, folder)
    if _BYTES in due:
        database.purge()
    with database.writing() as connection:
        for batch in in_batches(sorted(due)):
            connection.execute(delete(ERASURES).where(ERASURES.c.picture.in_(batch)))
    return len(due)


def resume_erasures(database: Database, folder: Path | None) -> int:
    """`finish_erasures` for whoever opens the database: who may not write, or meets a reader, leaves it to the next."""
    try:
        return finish_erasures(database, folder)
    except StorageError:
        return 0
