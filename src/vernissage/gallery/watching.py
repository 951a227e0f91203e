"""Taking in new files of a folder as they come: each is an upload of one person, of which its name is the id."""

import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vernissage.catalog.sources.tables import READERS
from vernissage.errors import Kind, RequestError, VernissageError
from vernissage.gallery.person import Person
from vernissage.gallery.upload_files import submissions_from
from vernissage.progress import Progress, silent
from vernissage.storage.schema import Visibility
from vernissage.workspace.uploading import Submission

_TOGETHER = 128
"""Files of one transaction: encoders read many at once, and none waits long for the others."""

_UNFINISHED = (".part", ".tmp", ".crdownload", ".partial")

_Stamp = tuple[int, int]


class FolderWatch:
    """What of a folder was taken in, by looks at it; a file is read once it stays the same from one look to the next.

    What was taken in is known by the database, so that after a kill the next watch goes on with what is left. Files in
    folders below, links, and names that begin with a dot or end as those of unfinished downloads are passed over.
    """

    def __init__(self, person: Person, folder: Path, visibility: Visibility = "shared") -> None:
        """Begin; nothing is read yet. Raises RequestError: there is no such folder."""
        if not folder.is_dir():
            raise RequestError(f"there is no folder {folder}; make it, or give the one into which works are put")
        self._person, self._folder, self._visibility = person, folder, visibility
        self._done = set(person.uploads)
        self._before = len(self._done)
        self._seen: dict[str, _Stamp] = {}
        self._problems: dict[str, tuple[_Stamp, str]] = {}

    @property
    def taken(self) -> int:
        """How many files were taken in so far."""
        return len(self._done) - self._before

    @property
    def problems(self) -> Mapping[str, str]:
        """What is wrong with files that could not be taken in, by their names; they are read again once changed."""
        return {name: told for name, (_, told) in self._problems.items()}

    def look(self, *, at_once: bool = False, progress: Progress = silent) -> None:
        """Take in what has come, ``at_once`` whether or not it was there before.

        Raises:
            VernissageError: of the kind that passes; what was taken in until then stays, and the next look goes on.
        """
        found = self._found()
        ready = [name for name, stamp in found.items() if at_once or self._seen.get(name) == stamp]
        self._seen = found
        for start in range(0, len(ready), _TOGETHER):
            progress("taking in files", start, len(ready))
            self._take(ready[start : start + _TOGETHER], found)

    def _found(self) -> dict[str, _Stamp]:
        """Size and time of each file that is yet to be taken in, in order of name."""
        found = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith(".") or name.lower().endswith(_UNFINISHED) or _id(name) in self._done:
                    continue
                try:
                    if not entry.is_file(follow_symlinks=False):
                        continue
                    told = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # taken away again
                stamp = told.st_size, told.st_mtime_ns
                if self._problems.get(name, (None, ""))[0] != stamp:
                    found[name] = stamp
        return dict(sorted(found.items()))

    def _take(self, names: Sequence[str], stamps: Mapping[str, _Stamp]) -> None:
        """Upload files, as many together as can be: of several of which one is bad, the halves each."""
        given: dict[str, Submission] = {}
        for name in names:
            try:
                given[name] = self._submission(name)
            except VernissageError as error:
                self._problems[name] = stamps[name], str(error)
        if not given:
            return
        try:
            self._person.upload(list(given.values()))
        except VernissageError as error:
            if error.kind is Kind.UNAVAILABLE:
                raise
            if len(given) == 1:
                self._problems |= {name: (stamps[name], str(error)) for name in given}
                return
            left = list(given)
            for half in (left[: len(left) // 2], left[len(left) // 2 :]):
                self._take(half, stamps)
            return
        self._done |= {_id(name) for name in given}
        for name in given:
            self._problems.pop(name, None)

    def _submission(self, name: str) -> Submission:
        place = self._folder / name
        if place.suffix.lower() in READERS:
            raise RequestError(f"{place} is a table; give it to `vernissage person upload`")
        [found], _ = submissions_from([place], Submission())
        return replace(found, id=_id(name), visibility=self._visibility)


def _id(name: str) -> str:
    """The id of the upload that a file becomes."""
    return unicodedata.normalize("NFC", name)
