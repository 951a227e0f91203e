"""Vernissage recommends works of a collection to a person, from ratings or from uploads, with reasons.

    import vernissage

    vernissage.build("paintings", "workspace")
    with vernissage.open("workspace") as gallery:
        print(gallery.recommend({"v041": 5, "v009": 4}, n=9))

Everything here is imported when it is first used, so that importing the package costs and changes nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from vernissage.errors import (
        CollectionError,
        EncoderError,
        ProvenanceError,
        RatingsError,
        RequestError,
        StorageError,
        StudyError,
        UnknownItemError,
        VernissageError,
        WorkspaceError,
    )
    from vernissage.gallery.answer import Answer, answer_schema
    from vernissage.gallery.areas import AreaChanges
    from vernissage.gallery.building import build
    from vernissage.gallery.engines import Fusion
    from vernissage.gallery.gallery import Gallery
    from vernissage.gallery.gallery import open_gallery as open  # noqa: A004
    from vernissage.gallery.person import Person
    from vernissage.gallery.syncing import sync
    from vernissage.workspace.uploading import Submission

_PLACES = {
    "Answer": "gallery.answer",
    "answer_schema": "gallery.answer",
    "AreaChanges": "gallery.areas",
    "build": "gallery.building",
    "Fusion": "gallery.engines",
    "Gallery": "gallery.gallery",
    "open": "gallery.gallery",
    "Person": "gallery.person",
    "Submission": "workspace.uploading",
    "sync": "gallery.syncing",
}

__all__ = [
    "Answer",
    "AreaChanges",
    "CollectionError",
    "EncoderError",
    "Fusion",
    "Gallery",
    "Person",
    "ProvenanceError",
    "RatingsError",
    "RequestError",
    "StorageError",
    "StudyError",
    "Submission",
    "UnknownItemError",
    "VernissageError",
    "WorkspaceError",
    "answer_schema",
    "build",
    "open",
    "sync",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'vernissage' has no attribute {name!r}; it has {', '.join(__all__)}")
    module = import_module(f"vernissage.{_PLACES.get(name, 'errors')}")
    found = getattr(module, "open_gallery" if name == "open" else name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
