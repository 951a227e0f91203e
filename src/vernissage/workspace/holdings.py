"""The works of a workspace and what people uploaded beside them, kept up to date with other processes."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from vernissage.catalog.item import Item
from vernissage.errors import RequestError, StorageError, UnknownItemError, WorkspaceError
from vernissage.profiles.directions import mean_direction
from vernissage.progress import Progress, silent
from vernissage.search.live import LiveIndex, live_index
from vernissage.storage.area_edits import StoredEdit, edits_of
from vernissage.storage.changes import Changes, changes_since, current_version
from vernissage.storage.database import DATABASE_NAME, Database, open_database
from vernissage.storage.pictures import PICTURES_FOLDER, delete_pictures, picture_path, sweep_pictures
from vernissage.storage.uploads import (
    Removal,
    Upload,
    get_uploads,
    owners,
    remove_person,
    remove_uploads,
    uploads_of,
)
from vernissage.storage.vectors import OwnedVectors, VectorSpace, vectors_of
from vernissage.values import Modality
from vernissage.workspace.incoming import Incoming, already_there, incoming, same_places, write_uploads
from vernissage.workspace.manifest import read_manifest
from vernissage.workspace.reencoding import encode_missing
from vernissage.workspace.submissions import Submission, described, encode_submissions
from vernissage.workspace.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from vernissage.profiles.naming import WordCounts

_ATTEMPTS = 3
_WORKS_COUNTED = 10_000


class Holdings:
    """A workspace's works and the uploads of people together; safe to share among threads.

    Indexes are snapshots as of the last `refresh`; everything else is read from the database when asked for.
    """

    def __init__(self, workspace: Workspace, database: Database | None) -> None:
        """Join an open workspace with the database of uploads, if there is one; `open_holdings` finds both."""
        self.workspace = workspace
        self._database = database
        self._lock = threading.RLock()
        self._indexes: dict[tuple[str, Modality], LiveIndex] = {}
        self._backgrounds: dict[tuple[str, Modality], tuple[LiveIndex, npt.NDArray[np.float64]]] = {}
        self._version = -1

    @property
    def path(self) -> Path:
        """The workspace's folder."""
        return self.workspace.path

    @property
    def uploads_folder(self) -> Path:
        """Where the pictures of uploads lie."""
        return self.path / PICTURES_FOLDER

    @property
    def has_database(self) -> bool:
        """Whether anything was ever stored beside the workspace."""
        return self._database is not None

    @property
    def database(self) -> Database:
        """The database of people and uploads.

        Raises:
            StorageError: nothing was ever stored beside this workspace, and it was opened for reading.
        """
        if self._database is None:
            raise StorageError(
                f"nothing is stored beside {self.path} yet; upload something first with `vernissage upload {self.path} "
                f"--owner NAME FILE…`"
            )
        return self._database

    @cached_property
    def collection_owners(self) -> Mapping[str, str]:
        """The owner of each work of the collection that names one."""
        return {item.id: item.owner for item in self.workspace.collection if item.owner}

    @cached_property
    def word_counts(self) -> "WordCounts":
        """In how many works of the collection each word stands; of 20,000 and more, of 10,000 spread evenly."""
        from vernissage.profiles.naming import count_words_of_works, words_of_work

        items = self.workspace.collection.items
        step = max(1, len(items) // _WORKS_COUNTED)
        return count_words_of_works([words_of_work(item) for item in items[::step]])

    def close(self) -> None:
        """Close the database."""
        if self._database is not None:
            self._database.close()

    # Works and people

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Works and uploads by id, those that are there."""
        wanted = dict.fromkeys(ids)
        collection = self.workspace.collection
        found = {item_id: collection[item_id] for item_id in wanted if item_id in collection}
        rest = [item_id for item_id in wanted if item_id not in found]
        if rest and self._database is not None:
            with self._database.reading() as connection:
                found |= {upload.id: described(upload) for upload in get_uploads(connection, rest)}
        return {item_id: found[item_id] for item_id in wanted if item_id in found}

    def __getitem__(self, item_id: str) -> Item:
        """A work or upload.

        Raises:
            UnknownItemError: there is none of that id.
        """
        found = self.items([item_id])
        return found[item_id] if found else self.workspace.collection[item_id]

    def picture_path(self, item: Item) -> Path | None:
        """Where the picture of a work or an upload lies, or None without one."""
        if not item.picture:
            return None
        if item.id in self.workspace.collection:
            return self.workspace.collection.picture_path(item)
        return picture_path(self.uploads_folder, item.picture)

    def owners(self) -> dict[str, int]:
        """Everyone who owns a work or uploaded something, and how many, by name."""
        counts: dict[str, int] = {}
        for owner in self.collection_owners.values():
            counts[owner] = counts.get(owner, 0) + 1
        for owner, number in self.uploaders().items():
            counts[owner] = counts.get(owner, 0) + number
        return dict(sorted(counts.items()))

    def uploaders(self) -> dict[str, int]:
        """Everyone who uploaded something, and how much, by name."""
        if self._database is None:
            return {}
        with self._database.reading() as connection:
            return owners(connection)

    def owned(self, owner: str) -> list[Item]:
        """A person's works in the collection, in its order, and then their uploads, oldest first.

        Raises:
            RequestError: nobody of that name owns or uploaded anything.
        """
        items = [item for item in self.workspace.collection if item.owner == owner]
        if self._database is not None:
            with self._database.reading() as connection:
                items += [described(upload) for upload in uploads_of(connection, owner)]
        if not items:
            raise RequestError(self._unknown_owner(owner))
        return items

    def upload_times(self, owner: str) -> dict[str, datetime]:
        """When a person's uploads were made, by id; works of the collection have no time."""
        if self._database is None:
            return {}
        with self._database.reading() as connection:
            return {upload.id: upload.time for upload in uploads_of(connection, owner)}

    def edits(self, owner: str) -> tuple[StoredEdit, ...]:
        """What a person changed about their areas of interest, in that order."""
        if self._database is None:
            return ()
        with self._database.reading() as connection:
            return edits_of(connection, owner)

    # Indexes

    def background(self, encoder: str, modality: Modality) -> npt.NDArray[np.float64]:
        """The mean of the index's vectors, float64 (dim,); computed once for each snapshot of the index.

        Raises:
            RequestError, ProvenanceError: as in `index`.
        """
        index = self.index(encoder, modality)
        known = self._backgrounds.get((encoder, modality))
        if known is None or known[0] is not index:
            barred = index.barred()
            known = (index, mean_direction(index.vectors[~barred] if barred.any() else index.vectors))
            self._backgrounds[encoder, modality] = known
        return known[1]

    def index(self, encoder: str, modality: Modality) -> LiveIndex:
        """All works and uploads of one modality by one encoder, as of the last `refresh`.

        Raises:
            RequestError, ProvenanceError: as `Workspace.table`.
        """
        key = (encoder, modality)
        with self._lock:
            if key not in self._indexes:
                table, scan = self.workspace.table(encoder, modality), self.workspace.scan(encoder, modality)
                base = live_index(table, self.collection_owners, scan)
                if self._database is None:
                    self._indexes[key] = base
                else:
                    with self._database.reading() as connection:
                        self._catch_up(connection)
                        uploads = vectors_of(connection, self._space(encoder, modality))
                    self._indexes[key] = _with_uploads(base, uploads)
            return self._indexes[key]

    def refresh(self) -> None:
        """Take in what other processes uploaded, removed or built since."""
        with self._lock:
            manifest = read_manifest(self.path)
            if manifest != self.workspace.manifest:
                self.workspace = open_workspace(self.path)
                self._indexes.clear()
                for derived in ("collection_owners", "word_counts"):
                    self.__dict__.pop(derived, None)
            if self._database is None:
                return
            with self._database.reading() as connection:
                self._catch_up(connection)

    def _catch_up(self, connection: Connection) -> None:
        """Bring the indexes that are there to what this transaction sees."""
        version = current_version(connection)
        if version == self._version:
            return
        changes = changes_since(connection, self._version) if self._indexes else None
        if changes is None:
            self._indexes.clear()
        else:
            for (encoder, modality), index in self._indexes.items():
                space = self._space(encoder, modality)
                self._indexes[encoder, modality] = _changed(connection, index, space, changes)
        self._version = version

    def _space(self, encoder: str, modality: Modality) -> VectorSpace:
        return VectorSpace(encoder, modality, self.workspace.manifest.fingerprints[encoder])

    # Uploading and removing

    def upload(
        self, owner: str, submissions: Sequence[Submission], *, progress: Progress = silent
    ) -> tuple[Upload, ...]:
        """Keep what a person gives: rows, pictures and vectors appear together, or, if anything fails, not at all.

        What they uploaded before, the same picture with the same words, is not uploaded again but returned as it is
        kept, unless it is given another id; so a script may be run twice. When this returns, everything is on the disk
        and every process that refreshes finds it.

        Raises:
            RequestError: there is nothing to read, a picture is missing, or an id is a work's.
            CollectionError: a picture cannot be opened.
            StorageError: an id or a name cannot be stored, or the database cannot be written.
        """
        with incoming(submissions) as given:
            taken = [each.id for each in given if each.id in self.workspace.collection]
            if taken:
                raise RequestError(f"{taken[0]!r} is the id of a work of the collection; give the upload another id")
            for _ in range(_ATTEMPTS):
                kept = self._keep(owner, given, progress)
                self.refresh()
                if kept is not None:
                    return tuple(kept[each.id] for each in given)
        raise WorkspaceError(f"{self.path} is being built anew all the time; wait until that has ended and try again")

    def _keep(self, owner: str, given: Sequence[Incoming], progress: Progress) -> dict[str, Upload] | None:
        """One transaction for what is not there yet; None, and nothing is written, if what it rests on has changed."""
        with self.database.reading() as connection:
            there = already_there(connection, owner, given)
        new = [each for each in dict.fromkeys(given) if each.id not in there]
        if not new:
            return there
        ids = [each.id for each in new]
        vectors = encode_submissions(self.workspace, [each.submission for each in new], ids, progress)
        with self.database.writing() as connection:
            if read_manifest(self.path).fingerprints != self.workspace.manifest.fingerprints:
                return None
            if not same_places(already_there(connection, owner, given), there):
                return None
            return there | write_uploads(connection, self.uploads_folder, owner, new, vectors)

    def remove(self, ids: Iterable[str], *, owner: str | None = None) -> Removal:
        """Remove uploads with their pictures and vectors; with ``owner`` only what is theirs.

        Raises:
            UnknownItemError: one of them is not there, is another person's, or is a work of the collection.
        """
        wanted = list(ids)
        works = [item_id for item_id in wanted if item_id in self.workspace.collection]
        if works:
            raise UnknownItemError(
                f"{works[0]!r} is a work of the collection, not an upload; take it out of the collection's table and "
                f"run `vernissage build` again"
            )
        with self.database.writing() as connection:
            removal = remove_uploads(connection, wanted, owner=owner)
        delete_pictures(self.uploads_folder, removal.pictures)
        self.refresh()
        return removal

    def remove_person(self, owner: str) -> Removal:
        """Remove everything of a person: uploads, pictures, vectors, ratings and edits, and their traces in files.

        Works of the collection that name the person stay: they come from the collection's table.

        Raises:
            StorageError: nothing is kept of that person; or all is removed, but another process still reads the log.
        """
        with self.database.writing() as connection:
            removal = remove_person(connection, owner)
        delete_pictures(self.uploads_folder, removal.pictures)
        self.sweep()
        self.refresh()
        self.database.purge()
        return removal

    def sweep(self) -> tuple[str, ...]:
        """Delete picture files that a crash left without a row; returns their names."""
        with self.database.writing() as connection:
            return sweep_pictures(connection, self.uploads_folder)

    def encode_missing(self, progress: Progress = silent) -> int:
        """Encode uploads that lack vectors of the workspace's encoders, and forget those of former ones.

        Returns how many vectors were made. What was made stays if this is interrupted.
        """
        made = encode_missing(self.database, self.workspace, self.uploads_folder, progress)
        self.refresh()
        return made

    def _unknown_owner(self, owner: str) -> str:
        import difflib

        known = list(self.owners())
        alike = difflib.get_close_matches(owner, known, n=3, cutoff=0.5) or known[:3]
        hint = f"there are {', '.join(alike)}" if alike else "the collection names no owners, and nothing was uploaded"
        return f"nobody named {owner!r} owns or uploaded anything here; {hint}"


def open_holdings(path: Path, database: str | None = None, *, writing: bool = False) -> Holdings:
    """Open a workspace together with what people uploaded to it.

    Args:
        path: the workspace.
        database: a URL (``postgresql://…``) or a file; None means ``vernissage.db`` in the workspace.
        writing: whether a database is made where there is none; else there are simply no uploads.

    Raises:
        WorkspaceError, ProvenanceError, StorageError: either cannot be opened, or an upload has the id of a work.
    """
    workspace = open_workspace(path)
    place = database or str(path / DATABASE_NAME)
    if database is None and not writing and not Path(place).exists():
        return Holdings(workspace, None)
    opened = open_database(place)
    try:
        _require_distinct(workspace, opened)
    except BaseException:
        opened.close()
        raise
    return Holdings(workspace, opened)


def _require_distinct(workspace: Workspace, database: Database) -> None:
    """A build may bring a work with the id of an upload; then nobody can say which of the two is meant."""
    with database.reading() as connection:
        both = get_uploads(connection, workspace.collection.ids)
    if both:
        raise WorkspaceError(
            f"{both[0].id!r} is an upload of {both[0].owner} and a work of the collection as well; give the work "
            f"another id in the collection's table and run `vernissage build` again"
        )


def _with_uploads(index: LiveIndex, uploads: OwnedVectors) -> LiveIndex:
    """The next snapshot, with the uploads in which the encoder found something."""
    told = np.flatnonzero(uploads.vectors.any(axis=1)).tolist()
    ids, whose = [uploads.ids[row] for row in told], [uploads.owners[row] for row in told]
    return index.adding(ids, uploads.vectors[told], whose) if told else index


def _changed(connection: Connection, index: LiveIndex, space: VectorSpace, changes: Changes) -> LiveIndex:
    index = index.removing([item_id for item_id in changes.removed if item_id in index])
    new = [item_id for item_id in (*changes.added, *changes.encoded) if item_id not in index]
    return _with_uploads(index, vectors_of(connection, space, new)) if new else index
