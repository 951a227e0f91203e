"""Finding the picture files of a set below a folder, wherever the archives were unpacked."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from vernissage.catalog.pictures import PICTURE_SUFFIXES
from vernissage_lab.datasets.captioned import DatasetError, ImageEntry

_DEPTH = 3
"""Folders in folders: archives often unpack to Flickr8k_Dataset/Flicker8k_Dataset."""


Names = Callable[[ImageEntry], Iterable[str]]
"""Further names that the picture's file may have."""


def located(
    images: Iterable[ImageEntry],
    root: Path,
    *,
    required: bool = False,
    also: Names | None = None,
) -> tuple[ImageEntry, ...]:
    """The entries with path and size of their files, as far as they lie below ``root``.

    A file is looked for under the path that the set gives it, then under its bare name in ``root`` and three levels of
    folders below; a bare name that stands in several folders counts as missing. Names that ``also`` gives are tried
    after the set's own.

    Raises:
        DatasetError: ``required``, and there is no such folder or none of the pictures is in it.
    """
    if required:
        require_folder(root)
    files = _Files(root)
    found = tuple(_with_file(image, files, also) for image in images)
    named = [image for image in found if image.file]
    if required and named and not any(image.path for image in named):
        raise DatasetError(
            f"{root} holds none of the set's {len(named)} pictures, such as {named[0].file}; name the folder that "
            f"holds them, or leave it out to work with the texts alone"
        )
    return found


def require_folder(root: Path) -> None:
    """Refuse a place of pictures that is no folder.

    Raises:
        DatasetError: see above.
    """
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise DatasetError(f"there is no folder {root}: it {what}; name the folder that holds the set's pictures")


class _Files:
    """The picture files below a root, by bare name."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, file: str) -> Path | None:
        """Where the file lies; None when it is missing, leads out of the root, or stands in several folders."""
        inside = PurePosixPath(file.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts or not inside.name:
            return None
        direct = self.root / inside
        if _is_file(direct):
            return direct
        return self._by_name.get(inside.name)

    @cached_property
    def _by_name(self) -> dict[str, Path | None]:
        found: dict[str, Path | None] = {}
        for folder, names, files in os.walk(self.root):
            if len(Path(folder).relative_to(self.root).parts) >= _DEPTH:
                names.clear()
            names[:] = sorted(name for name in names if not name.startswith("."))
            for name in files:
                if os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES:  # noqa: PTH122  (a Path for each is slow)
                    found[name] = None if name in found else Path(folder, name)
        return found


def _with_file(image: ImageEntry, files: _Files, also: Names | None) -> ImageEntry:
    path = files.find(image.file) if image.file else None
    if path is None and also is not None:
        path = next(filter(None, map(files.find, also(image))), None)
    return replace(image, path=path, size=path.stat().st_size) if path else image


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        # A cell may hold more letters than a file's name can have.
        return False
