"""People, their uploads, ratings and area edits, in SQL.

Its modules are imported when they are first used: a workspace without people needs no SQLAlchemy, and importing that
takes longer than a recommendation.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vernissage.storage import changes, copies, database, erasure, people, pictures, studies, uploads, vectors

__all__ = [
    "DATABASE_NAME",
    "PICTURES_FOLDER",
    "changes",
    "copies",
    "database",
    "erasure",
    "people",
    "pictures",
    "studies",
    "uploads",
    "vectors",
]

DATABASE_NAME = "vernissage.db"
"""The database of a workspace, unless another place is named."""
PICTURES_FOLDER = "uploads"
"""Where the pictures of uploads lie, below the workspace."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
