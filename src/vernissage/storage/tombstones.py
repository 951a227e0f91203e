"""A log of deletions beside the database, by which a restore of an older backup deletes again what was deleted since.

It names nobody: entries are keyed hashes of names and ids. The key stands in its first line, since whoever restores
must recognise what comes back; so who reads the log can test a name that they guess, and no more.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, select

from vernissage.errors import StorageError
from vernissage.storage.schema import PEOPLE, UPLOADS
from vernissage.storage.uploads import remove_person, remove_uploads

NAME = "deletions.log"
_KEY_LETTERS = 64
_DEVIATION = timedelta(minutes=5)
"""By how much clocks of hosts may differ: what was deleted shortly before a backup is deleted again as well."""

Kind = Literal["person", "upload"]


def note_deletions(folder: Path, kind: Kind, names: Iterable[str], time: datetime) -> None:
    """Add entries, flushed to the disk; called within the transaction that deletes, before it is committed.

    Raises:
        StorageError: the log cannot be written; then nothing is to be deleted.
    """
    path = folder / NAME
    try:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+", encoding="ascii") as log:
            if not (key := log.readline().strip()):
                key = secrets.token_hex(_KEY_LETTERS // 2)
                log.write(f"{key}\n")
            log.writelines(f"{time.isoformat()} {_hashed(key, kind, name)}\n" for name in names)
            log.flush()
            os.fsync(log.fileno())
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; nothing was deleted; free space or make it writable"
        ) from error


def replay_deletions(connection: Connection, path: Path, since: datetime) -> tuple[int, int]:
    """Delete what the log says was deleted after a moment; how many people and uploads that were.

    Call `finish_erasures` after the commit.

    Raises:
        StorageError: the log cannot be read or is damaged.
    """
    try:
        key, *lines = path.read_text("ascii").splitlines()
        entries = [(datetime.fromisoformat(when), what) for when, what in (line.split() for line in lines)]
    except FileNotFoundError:
        return 0, 0
    except (OSError, ValueError) as error:
        raise StorageError(f"{path} cannot be read ({error}); restore it, or move it away and lose it") from error
    deleted = {what for when, what in entries if when >= since - _DEVIATION}
    people = [name for name in connection.scalars(select(PEOPLE.c.name)) if _hashed(key, "person", name) in deleted]
    for name in people:
        remove_person(connection, name)
    uploads = [name for name in connection.scalars(select(UPLOADS.c.id)) if _hashed(key, "upload", name) in deleted]
    remove_uploads(connection, uploads)
    return len(people), len(uploads)


def _hashed(key: str, kind: Kind, name: str) -> str:
    return hmac.new(key.encode(), f"{kind}\0{name}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
