"""People, their uploads, ratings and area edits, in SQL.

What is named here is imported when it is first used: a workspace without people needs no SQLAlchemy, and importing that
takes longer than a recommendation.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vernissage.storage.area_edits import (
        StoredEdit as StoredEdit,
    )
    from vernissage.storage.area_edits import (
        add_edit as add_edit,
    )
    from vernissage.storage.area_edits import (
        edits_of as edits_of,
    )
    from vernissage.storage.area_edits import (
        undo_edit as undo_edit,
    )
    from vernissage.storage.changes import changes_since as changes_since
    from vernissage.storage.changes import current_version as current_version
    from vernissage.storage.database import Database as Database
    from vernissage.storage.database import open_database as open_database
    from vernissage.storage.pictures import (
        delete_pictures as delete_pictures,
    )
    from vernissage.storage.pictures import (
        picture_path as picture_path,
    )
    from vernissage.storage.pictures import (
        sweep_pictures as sweep_pictures,
    )
    from vernissage.storage.ratings import rate as rate
    from vernissage.storage.ratings import ratings_of as ratings_of
    from vernissage.storage.ratings import unrate as unrate
    from vernissage.storage.uploads import (
        Removal as Removal,
    )
    from vernissage.storage.uploads import (
        Upload as Upload,
    )
    from vernissage.storage.uploads import (
        get_uploads as get_uploads,
    )
    from vernissage.storage.uploads import (
        owners as owners,
    )
    from vernissage.storage.uploads import (
        remove_person as remove_person,
    )
    from vernissage.storage.uploads import (
        remove_uploads as remove_uploads,
    )
    from vernissage.storage.uploads import (
        uploads_of as uploads_of,
    )
    from vernissage.storage.vectors import (
        OwnedVectors as OwnedVectors,
    )
    from vernissage.storage.vectors import (
        VectorSpace as VectorSpace,
    )
    from vernissage.storage.vectors import (
        vectors_of as vectors_of,
    )

DATABASE_NAME = "vernissage.db"
"""The database of a workspace, unless another place is named."""
PICTURES_FOLDER = "uploads"
"""Where the pictures of uploads lie, below the workspace."""

_PLACES = {
    **dict.fromkeys(("StoredEdit", "add_edit", "edits_of", "undo_edit"), "area_edits"),
    **dict.fromkeys(("changes_since", "current_version"), "changes"),
    **dict.fromkeys(("Database", "open_database"), "database"),
    **dict.fromkeys(("delete_pictures", "picture_path", "sweep_pictures"), "pictures"),
    **dict.fromkeys(("rate", "ratings_of", "unrate"), "ratings"),
    **dict.fromkeys(
        ("Removal", "Upload", "get_uploads", "owners", "remove_person", "remove_uploads", "uploads_of"), "uploads"
    ),
    **dict.fromkeys(("OwnedVectors", "VectorSpace", "vectors_of"), "vectors"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = found
    return found
