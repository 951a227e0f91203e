"""What the editors of a collection decide about its works: some come first in lists, some in none.

It lies in a file of the workspace, beside its states, so that it outlives builds and is read without a database.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from filelock import FileLock

from vernissage.errors import WorkspaceError
from vernissage.files import digest, read_json, write_json

NAME = "editorial.json"
_LOCK = ".editorial.lock"

EditorialPlace = Literal["pinned", "banned"]


@dataclass(frozen=True)
class Editorial:
    """Works by id.

    Attributes:
        pinned: which come first in recommendations and among similar works.
        banned: which come in no list.
        digest: of both; empty where there are none.
    """

    pinned: tuple[str, ...] = ()
    banned: frozenset[str] = frozenset()
    digest: str = ""


def editorial_of(workspace: Path) -> Editorial:
    """What holds now: the file is looked at each time, so a change acts from the next request on in every process.

    Raises:
        WorkspaceError: it cannot be read, or is damaged.
    """
    try:
        found = (workspace / NAME).stat()
    except FileNotFoundError:
        return Editorial()
    except OSError as error:
        raise WorkspaceError(f"cannot read {workspace / NAME}: {error.strerror}; make it readable") from error
    return _read(workspace, (found.st_mtime_ns, found.st_size, found.st_ino))


@lru_cache(16)
def _read(workspace: Path, _: tuple[int, ...]) -> Editorial:
    path = workspace / NAME
    content = read_json(path)
    lists = [content.get(each) for each in ("pinned", "banned")] if isinstance(content, dict) else []
    pinned, banned = lists if all(_are_ids(each) for each in lists) and lists else (None, None)
    if pinned is None or banned is None:
        raise WorkspaceError(f'{path} is damaged; restore it, or write {{"pinned": [], "banned": []}} into it')
    if not pinned and not banned:
        return Editorial()
    return Editorial(tuple(pinned), frozenset(banned), digest(repr((pinned, sorted(banned))).encode()))


def _are_ids(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def place(workspace: Path, works: Iterable[str], where: EditorialPlace | None) -> None:
    """Pin works, ban them, or neither: each is in one list at most.

    Raises:
        WorkspaceError: the file cannot be read or written.
    """
    given = list(dict.fromkeys(works))
    try:
        with FileLock(workspace / _LOCK, timeout=10):
            now = editorial_of(workspace)
            lists = {"pinned": list(now.pinned), "banned": sorted(now.banned)}
            lists = {name: [each for each in ids if each not in given] for name, ids in lists.items()}
            if where is not None:
                lists[where] += given
            write_json(workspace / NAME, lists)
    except OSError as error:
        told = error.strerror or str(error) or "another process holds it"
        raise WorkspaceError(f"cannot write {workspace / NAME}: {told}; make the folder writable") from error
