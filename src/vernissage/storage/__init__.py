"""People, their uploads, ratings and area edits, in SQL.

Its modules are imported when they are first used: a workspace without people needs no SQLAlchemy, and importing that
takes longer than a recommendation.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vernissage.storage import (
        changes,
        copies,
        database,
        erasure,
        events,
        jobs,
        keys,
        moderation,
        people,
        pictures,
        studies,
        tags,
        tombstones,
        uploads,
        vectors,
    )

__all__ = [
    "DATABASE_NAME",
    "PICTURES_FOLDER",
    "changes",
    "copies",
    "database",
    "erasure",
    "events",
    "is_there",
    "jobs",
    "keys",
    "moderation",
    "people",
    "pictures",
    "studies",
    "tags",
    "tombstones",
    "uploads",
    "vectors",
]

DATABASE_NAME = "vernissage.db"
"""The database of a workspace, unless another place is named."""
STUDY_DATABASE_NAME = "study.db"
"""That of its studies: a file of its own, so that whoever keeps the uploads' lock stops no participant."""
PICTURES_FOLDER = "uploads"
"""Where the pictures of uploads lie, below the workspace."""


def is_there(place: str | Path) -> bool:
    """Whether a database is at a path, or is named by a URL."""
    return "://" in str(place) or Path(place).exists()


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
