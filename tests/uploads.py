"""Uploads of people who do not exist."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from vernissage.storage.database import Database
from vernissage.storage.uploads import Upload, add_uploads
from vernissage.storage.vectors import UploadVectors, VectorSpace

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPACE = VectorSpace("aligned", "text", "0123456789abcdef")


def note(name: str, owner: str = "ann", hours: int = 0) -> Upload:
    """A text that a person uploaded some hours after noon."""
    return Upload(name, owner, "text", NOON + timedelta(hours=hours), text=f"words of {name}")


def vectors_for(ids: Sequence[str], space: VectorSpace = SPACE, width: int = 4) -> UploadVectors:
    """Vectors that tell uploads apart: made of the letters of their ids."""
    rows = [np.resize(np.frombuffer(name.encode(), np.uint8), width) for name in ids]
    return UploadVectors(space, tuple(ids), np.array(rows, dtype=np.float32).reshape(len(ids), width))


def add_notes(database: Database, *names: str, owner: str = "ann") -> int:
    """Add texts with their vectors, in one transaction; returns the version."""
    with database.writing() as connection:
        return add_uploads(connection, [note(name, owner) for name in names], [vectors_for(names)])
