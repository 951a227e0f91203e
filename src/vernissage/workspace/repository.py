"""The works of a workspace and what people keep beside them: snapshots to read from, and all that is written."""

import difflib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from vernissage import storage
from vernissage.catalog.collection import Collection
from vernissage.catalog.conditions import FIELDS
from vernissage.catalog.item import Item
from vernissage.catalog.words import joined
from vernissage.errors import Kind, RequestError, StorageError, UnknownItemError, UnknownPersonError, WorkspaceError
from vernissage.progress import Progress, silent
from vernissage.values import Allow, Columns, Condition, Modality, WritableIndex, readable
from vernissage.workspace.editorial import Editorial, EditorialPlace, editorial_of, place
from vernissage.workspace.index_choice import read_choices
from vernissage.workspace.state import read_manifest
from vernissage.workspace.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from vernissage.storage.database import Database
    from vernissage.storage.people import PeopleRules, StoredEdit
    from vernissage.storage.schema import Visibility
    from vernissage.storage.uploads import Removal, Upload
    from vernissage.storage.vectors import OwnedVectors, VectorSpace
    from vernissage.taggers.contract import Tags
    from vernissage.workspace.uploading import Incoming, Submission

_ATTEMPTS = 3

Moderation = Literal["approve", "hide", "take-down"]
"""What an operator may do to an upload."""

Later = Callable[["Connection", "Sequence[Upload]", frozenset[str]], None]
"""What notes, in the transaction in which uploads are kept, that they are to be encoded."""


@dataclass(frozen=True)
class PersonRecord:
    """Everything of a person, read in one transaction.

    Attributes:
        items: what is theirs by id: works of the collection in its order, then uploads, the oldest first.
        times: when each upload was made; works of the collection have no time.
        edits: what they changed about their areas of interest, in that order.
        ratings: what they rated, 1 to 5, by work; the latest last.
        visibility: of each upload, see `storage.schema.Visibility`.
    """

    name: str
    items: Mapping[str, Item]
    times: Mapping[str, datetime]
    edits: "tuple[StoredEdit, ...]"
    ratings: Mapping[str, float]
    visibility: "Mapping[str, Visibility]" = field(default_factory=dict)


class Snapshot:
    """One state of a workspace and of the uploads beside it; what happens later does not change it.

    Safe to share among threads. What people removed since is gone from the database, and so from answers that name it.
    """

    def __init__(
        self,
        workspace: Workspace,
        database: "Database | None",
        version: int,
        indexes: Mapping[tuple[str, Modality], WritableIndex] | None = None,
    ) -> None:
        self.workspace = workspace
        self.version = version
        self._database = database
        self.columns: Columns = workspace.collection if database is None else _Columns(workspace.collection, database)
        self._indexes = dict(indexes or {})
        self._withheld: tuple[int, frozenset[str]] = (-1, frozenset())
        self._lock = threading.RLock()

    @property
    def collection(self) -> Collection:
        return self.workspace.collection

    def index(self, encoder: str, modality: Modality) -> WritableIndex:
        """All works and uploads of one modality by one encoder.

        Raises:
            RequestError, ProvenanceError: as `Workspace.table`.
        """
        with self._lock:
            if (encoder, modality) not in self._indexes:
                self._indexes[encoder, modality] = self._with_uploads(encoder, modality)
            return self._indexes[encoder, modality]

    def modalities(self, encoder: str) -> tuple[Modality, ...]:
        """What there are vectors of by an encoder: those of works, and those of uploads where no work is of a kind."""
        works = self.workspace.modalities(encoder)
        return tuple(each for each in readable(works) if each in works or len(self.index(encoder, each)))

    def ids(self, encoder: str, modality: Modality) -> Sequence[str]:
        """The works and uploads that stand in that index."""
        return self.index(encoder, modality).item_ids

    def items(self, ids: Iterable[str]) -> dict[str, Item]:
        """Works and uploads by id, those that are there, in that order."""
        wanted = list(dict.fromkeys(ids))
        rows = self.collection.ids.rows(wanted)
        found = {item.id: item for item in self.collection.take(np.sort(rows[rows >= 0]).tolist())}
        found |= {item.id: item for item in _uploaded(self._database, [name for name in wanted if name not in found])}
        return {item_id: found[item_id] for item_id in wanted if item_id in found}

    @property
    def editorial(self) -> Editorial:
        """Pinned and banned works as of now: whatever the snapshot, a ban acts at once."""
        return editorial_of(self.workspace.path)

    def withheld(self) -> frozenset[str]:
        """Uploads that nobody but their owner may be shown now: whatever the snapshot, hiding acts at once."""
        if self._database is None:
            return frozenset()
        with self._database.reading() as connection:
            version = storage.changes.current_version(connection)
            if self._withheld[0] != version:
                self._withheld = version, storage.moderation.withheld(connection)
        return self._withheld[1]

    def others(self, owner: str) -> Allow:
        """Works and uploads of others that this person may be shown."""
        return Allow(exclude=self.withheld(), not_owner=owner)

    def item(self, item_id: str) -> Item:
        """A work or upload.

        Raises:
            UnknownItemError: there is none of that id; the message names ids that look alike.
        """
        found = self.items([item_id])
        return found[item_id] if found else self.collection[item_id]

    def picture_path(self, item: Item) -> Path | None:
        """Where the picture of a work or an upload lies, or None without one."""
        if not item.picture:
            return None
        if item.id in self.collection:
            return self.collection.picture_path(item)
        return storage.pictures.picture_path(self.workspace.path / storage.PICTURES_FOLDER, item.picture)

    def copy_names(self, ids: Sequence[str]) -> list[str]:
        """What each work or upload is called together with all that is the same (see `workspace.copies`)."""
        found = self.workspace.copies.names(ids)
        uploads = [item_id for item_id, name in zip(ids, found, strict=True) if not name]
        names: Mapping[str, str] = {}
        if uploads and self._database is not None:
            with self._database.reading() as connection:
                names = storage.copies.names_of(connection, uploads)
        return [name or names.get(item_id, item_id) for item_id, name in zip(ids, found, strict=True)]

    def copies_of(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """For works and uploads that are not alone all others that are the same: works first, then uploads, by id."""
        if self._database is None and not self.workspace.copies.any_grouped(ids):
            return {}
        names = dict(zip(ids, self.copy_names(ids), strict=True))
        works, uploads = self.workspace.copies.named(names.values()), {}
        if self._database is not None:
            # While the database is gone no upload can be described, so that no copy gets into an answer either.
            with suppress(StorageError), self._database.reading() as connection:
                uploads = storage.copies.named(connection, names.values())
        found: dict[str, tuple[str, ...]] = {}
        for item_id, name in names.items():
            # A work that is alone among works is in no group there, but its uploaded copies bear its id.
            alone = [name] if name in self.collection and name not in works else []
            everything = (*works.get(name, alone), *uploads.get(name, ()))
            if others := tuple([each for each in everything if each != item_id]):
                found[item_id] = others
        return found

    def seen(self, ids: Iterable[str]) -> "dict[str, Tags]":
        """What a network of photographs makes out in the pictures of works and uploads, see `seeing.seen_in`."""
        from vernissage.workspace.seeing import seen_in

        return seen_in(self.workspace, ids, database=self._database)

    def person(self, name: str) -> PersonRecord:
        """Everything that is theirs; a record without items, edits and ratings where nothing is known of them."""
        items = {item.id: item for item in self.collection.of_owner(name)}
        if self._database is None:
            return PersonRecord(name, items, {}, (), {})
        with self._database.reading() as connection:
            uploads = storage.uploads.uploads_of(connection, name)
            items |= {upload.id: _described(upload) for upload in uploads}
            times = {upload.id: upload.time for upload in uploads}
            edits = storage.people.edits_of(connection, name)
            visibility = {upload.id: upload.visibility for upload in uploads}
            return PersonRecord(name, items, times, edits, storage.people.ratings_of(connection, name), visibility)

    def everything_of(self, name: str) -> dict[str, list[dict[str, Any]]]:
        """Every row of a person as JSON values, by table."""
        if self._database is None:
            return {}
        with self._database.reading() as connection:
            return storage.people.everything_of(connection, name)

    def owners(self) -> dict[str, int]:
        """Everyone who owns a work or uploaded something, and how many, by name."""
        counts = Counter(self.collection.owner_counts) + Counter(self.uploaders())
        return dict(sorted(counts.items()))

    def uploaders(self) -> dict[str, int]:
        """Everyone who uploaded something, and how much, by name."""
        if self._database is None:
            return {}
        with self._database.reading() as connection:
            return storage.uploads.owners(connection)

    def raters(self) -> dict[str, int]:
        """Everyone who rated something, and how much, by name."""
        if self._database is None:
            return {}
        with self._database.reading() as connection:
            return storage.people.raters(connection)

    def unknown_person(self, name: str) -> UnknownPersonError:
        """The error that nobody of that name owns or uploaded anything, with names that look alike."""
        known = list(self.owners())
        alike = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known[:3]
        hint = f"there are {', '.join(alike)}" if alike else "the collection names no owners, and nothing was uploaded"
        return UnknownPersonError(f"nobody named {name!r} owns or uploaded anything here; {hint}")

    def waiting(self, encoder: str, ids: Iterable[str]) -> bool:
        """Whether one of these uploads has yet to be read by an encoder."""
        if self._database is None:
            return False
        spaces, wanted = [self._space(encoder, each) for each in self.workspace.modalities(encoder)], list(ids)
        with self._database.reading() as connection:
            return any(storage.vectors.missing_vectors(connection, each, wanted) for each in spaces)

    def following(self, workspace: Workspace) -> "Snapshot":
        """The snapshot as of now: what is unchanged since is shared with this one."""
        if self._database is None:
            return self if workspace is self.workspace else Snapshot(workspace, None, -1)
        with self._database.reading() as connection:
            version = storage.changes.current_version(connection)
            if version == self.version and workspace is self.workspace:
                return self
            changes = storage.changes.changes_since(connection, self.version)
            if changes is None or workspace is not self.workspace:
                return Snapshot(workspace, self._database, version)
            with self._lock:
                indexes = dict(self._indexes)
            for key, index in indexes.items():
                gone = index.remove([item_id for item_id in changes.removed if item_id in index])
                new = [item_id for item_id in (*changes.added, *changes.encoded) if item_id not in gone]
                found = storage.vectors.vectors_of(connection, self._space(*key), new) if new else None
                indexes[key] = _extended(gone, found) if found is not None else gone
            return Snapshot(workspace, self._database, version, indexes)

    def _with_uploads(self, encoder: str, modality: Modality) -> WritableIndex:
        """The index of the collection's works with the uploads as of this snapshot's version."""
        base = self.workspace.index(encoder, modality, self.columns)
        if self._database is None:
            return base
        with self._database.reading() as connection:
            uploads = storage.vectors.vectors_of(connection, self._space(encoder, modality))
            since = storage.changes.changes_since(connection, self.version)
        later = frozenset(since.added) - frozenset(since.removed) if since is not None else frozenset()
        return _extended(base, uploads, later)

    def _space(self, encoder: str, modality: Modality) -> "VectorSpace":
        return storage.vectors.VectorSpace(encoder, modality, self.workspace.manifest.fingerprints[encoder])


class _Columns:
    """What is known of works and, by the words that people gave, of uploads."""

    def __init__(self, collection: Collection, database: "Database") -> None:
        self._collection = collection
        self._database = database

    def owners(self, item_ids: Sequence[str]) -> list[str]:
        uploads = {item.id: item.owner for item in self._uploads(item_ids)}
        return [uploads.get(id_, name) for id_, name in zip(item_ids, self._collection.owners(item_ids), strict=True)]

    def fulfilling(self, conditions: Sequence[Condition], item_ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which works and uploads fulfil all conditions, bool (n,); an upload has no attributes.

        Raises:
            RequestError: a condition names a column that no work of the collection has.
        """
        found = self._collection.fulfilling(conditions, item_ids)
        uploads = Collection(self._uploads(item_ids), self._collection.folder)
        if len(uploads):
            fields = [condition for condition in conditions if condition.field in FIELDS]
            others = all(condition.operator == "!=" for condition in conditions if condition not in fields)
            rows = uploads.ids.rows(item_ids)
            fit = uploads.fulfilling(fields, uploads.ids) & others
            found[rows >= 0] = fit[rows[rows >= 0]]
        return found

    def _uploads(self, item_ids: Sequence[str]) -> list[Item]:
        rows = self._collection.ids.rows(item_ids)
        return _uploaded(self._database, [item_ids[place] for place in np.flatnonzero(rows < 0).tolist()])


def _uploaded(database: "Database | None", ids: Sequence[str]) -> list[Item]:
    """The uploads of these ids that are there, as works are described."""
    if not ids or database is None:
        return []
    with database.reading() as connection:
        return [_described(upload) for upload in storage.uploads.get_uploads(connection, ids)]


def _described(upload: "Upload") -> Item:
    """An upload as a work is described; its description is what its words hold beside title and keywords."""
    rest = upload.text.removeprefix(joined([upload.title])).removesuffix(", ".join(upload.keywords))
    return Item(
        upload.id,
        title=upload.title,
        description=rest.strip().removeprefix(".").strip(),
        keywords=upload.keywords,
        owner=upload.owner,
        picture=upload.picture,
        picture_digest=upload.picture_digest,
        text=upload.text,
    )


def _extended(index: WritableIndex, uploads: "OwnedVectors", without: frozenset[str] = frozenset()) -> WritableIndex:
    """The next snapshot of an index, with the uploads in which the encoder found something."""
    told = [row for row in np.flatnonzero(uploads.vectors.any(axis=1)).tolist() if uploads.ids[row] not in without]
    if not told:
        return index
    return index.add([uploads.ids[row] for row in told], uploads.vectors[told], [uploads.owners[row] for row in told])


class Repository:
    """A workspace together with its database of people; safe to share among threads.

    Reading goes through `snapshot`, which stays as it is until `refresh`; whatever is written here refreshes it.
    """

    def __init__(
        self,
        workspace: Workspace,
        database: "Database | None",
        place: Path | None = None,
        *,
        writing: bool = False,
        finished: int = 0,
        patience: float | None = None,
    ) -> None:
        """Join an open workspace with its database, or with the place where one may come to be, or be made.

        `open_repository` finds all of them.
        """
        self.finished_erasures = finished
        self.rules: PeopleRules | None = None
        self._database = database
        self._place = place
        self._writing, self._patience = writing, patience
        self._lock = threading.Lock()
        self._snapshot = Snapshot(workspace, database, database.version() if database is not None else -1)

    @property
    def snapshot(self) -> Snapshot:
        """The state as of the last `refresh`."""
        return self._snapshot

    @property
    def workspace(self) -> Workspace:
        return self._snapshot.workspace

    @property
    def path(self) -> Path:
        """The workspace's folder."""
        return self.workspace.path

    @property
    def uploads_folder(self) -> Path:
        """Where the pictures of uploads lie."""
        return self.path / storage.PICTURES_FOLDER

    @property
    def has_database(self) -> bool:
        """Whether anything was ever stored beside the workspace."""
        return self._database is not None

    @property
    def database(self) -> "Database":
        """The database of people; made now where there is none and it may be.

        Raises:
            StorageError: nothing was ever stored beside this workspace, and it was opened for reading.
        """
        with self._lock:
            self._open(make=self._writing)
        if self._database is None:
            raise StorageError(
                f"nothing is stored beside {self.path} yet; upload something first with `vernissage person upload "
                f"{self.path} --owner NAME FILE…`"
            )
        return self._database

    def refresh(self) -> Snapshot:
        """Take in what other processes uploaded, removed or built since."""
        with self._lock:
            self._open(make=False)
            current = self._snapshot.workspace
            changed = (read_manifest(self.path), read_choices(self.path)) != (current.manifest, current.index_choices)
            self._snapshot = self._snapshot.following(open_workspace(self.path) if changed else current)
            return self._snapshot

    def follow(self) -> None:
        """`refresh`, if anything was uploaded, removed or hidden since."""
        database = self.existing_database
        if database is not None and database.version() != self._snapshot.version:
            self.refresh()

    @property
    def existing_database(self) -> "Database | None":
        """The database of people, where there is one by now."""
        with self._lock:
            self._open(make=False)
            return self._database

    def check(self) -> None:
        """Ask the database, where there is one, whether it answers. Raises StorageError: it does not."""
        if self._database is not None:
            self._database.check()

    def _open(self, *, make: bool) -> None:
        """Open the database where there is one by now, or may be made."""
        if self._database is None and self._place is not None and (make or self._place.exists()):
            self._database = storage.database.open_database(str(self._place), self._patience)
            self._snapshot = Snapshot(self.workspace, self._database, self._database.version())

    def close(self) -> None:
        """Close the database, and no longer keep a build from deleting the files of this state."""
        self.workspace.release()
        if self._database is not None:
            self._database.close()

    def upload(
        self,
        owner: str,
        submissions: "Sequence[Submission]",
        *,
        progress: Progress = silent,
        later: Later | None = None,
    ) -> "tuple[tuple[Upload, ...], frozenset[str]]":
        """Keep what a person gives: rows, pictures and vectors appear together, or, if anything fails, not at all.

        What they uploaded before, the same picture with the same words, is not uploaded again but returned as it is
        kept, unless it is given another id; so a script may be run twice. When this returns, everything is on the disk
        and every process that refreshes finds it.

        With ``later`` no vectors are made: it is called within the transaction, with the uploads and the ids of new
        ones, and notes that `encode_missing` is to be called for them.

        Returns:
            The uploads, one for each submission, and the ids of those that are new.

        Raises:
            RequestError: there is nothing to read, a picture is missing, or an id is a work's.
            CollectionError: a picture cannot be opened.
            StorageError: an id or a name cannot be stored, or the database cannot be written.
        """
        from vernissage.workspace.copies import compare_uploads
        from vernissage.workspace.uploading import incoming

        with incoming(submissions) as given:
            taken = next((each.id for each in given if each.id in self.workspace.collection), None)
            if taken is not None:
                raise RequestError(
                    f"{taken!r} is the id of a work of the collection; give the upload another id", kind=Kind.CONFLICT
                )
            for _ in range(_ATTEMPTS):
                kept = self._keep(owner, given, progress, later)
                self.refresh()
                if kept is not None:
                    uploads, new = kept
                    if later is None:
                        compare_uploads(self.database, self.snapshot, progress, [each.id for each in uploads.values()])
                    return tuple(uploads[each.id] for each in given), new
        raise WorkspaceError(f"{self.path} is being built anew all the time; wait until that has ended and try again")

    def _keep(
        self, owner: str, given: "Sequence[Incoming]", progress: Progress, later: Later | None
    ) -> "tuple[dict[str, Upload], frozenset[str]] | None":
        """One transaction for what is not there yet; None, and nothing is written, if what it rests on has changed."""
        from vernissage.workspace import uploading

        with self.database.reading() as connection:
            there = uploading.already_there(connection, owner, given)
        new = [each for each in dict.fromkeys(given) if each.id not in there]
        if not new and later is None:
            return there, frozenset()
        encoded = {} if later is not None else {each.id: each.submission for each in new}
        vectors = uploading.encode_submissions(self.workspace, encoded, progress) if encoded else []
        with self.database.writing() as connection:
            if read_manifest(self.path).fingerprints != self.workspace.manifest.fingerprints:
                return None
            now = uploading.already_there(connection, owner, given)
            if {key: each.id for key, each in now.items()} != {key: each.id for key, each in there.items()}:
                return None
            self._require_room(connection, owner, new)
            written = uploading.write_uploads(connection, self.uploads_folder, owner, new, vectors)
            kept, added = there | written, frozenset(each.id for each in written.values())
            if later is not None:
                later(connection, [kept[each.id] for each in given], added)
            return kept, added

    def _require_room(self, connection: "Connection", owner: str, new: "Sequence[Incoming]") -> None:
        """Refuse uploads beyond what may be kept of a person."""
        if self.rules is None:
            return
        storage.people.require_allowed(connection, owner, self.rules, {"uploads": len(new)})
        if (most := self.rules.picture_bytes) is not None:
            kept = [each.picture for each in storage.uploads.uploads_of(connection, owner) if each.picture]
            files = [storage.pictures.picture_path(self.uploads_folder, name) for name in kept]
            files += [each.submission.picture for each in new if each.submission.picture is not None]
            if (size := sum(file.stat().st_size for file in files if file.exists())) > most:
                raise StorageError(
                    f"pictures of this person would have {size >> 20} MB, and {most >> 20} may be kept; remove some",
                    kind=Kind.FORBIDDEN,
                )

    def consent(self, owner: str, purpose: str) -> None:
        """Record that a person has agreed to a purpose."""
        with self.database.writing() as connection:
            storage.people.give_consent(connection, owner, purpose, datetime.now(UTC))

    def consents(self, owner: str) -> dict[str, datetime]:
        """What a person has agreed to, and since when."""
        if self._database is None:
            return {}
        with self._database.reading() as connection:
            return storage.people.consents_of(connection, owner)

    def remove(self, ids: Iterable[str], *, owner: str | None = None) -> "Removal":
        """Remove uploads with their pictures and vectors; with ``owner`` only what is theirs.

        Raises:
            UnknownItemError: one of them is not there, is another person's, or is a work of the collection.
        """
        wanted = list(ids)
        work = next((item_id for item_id in wanted if item_id in self.workspace.collection), None)
        if work is not None:
            raise UnknownItemError(
                f"{work!r} is a work of the collection, not an upload; take it out of the collection's table and "
                f"run `vernissage build` again"
            )
        with self.database.writing() as connection:
            removal = storage.uploads.remove_uploads(connection, wanted, owner=owner)
            storage.tombstones.note_deletions(self.path, "upload", removal.ids, datetime.now(UTC))
        # They are gone by now: where the database is busy, their files go later, and nobody is told that they did not.
        storage.erasure.resume_erasures(self.database, self.uploads_folder)
        self.refresh()
        return removal

    def share(self, owner: str, upload: str, visibility: "Visibility") -> None:
        """Let others be shown an upload of a person's, or not; what an operator has hidden stays hidden.

        Raises:
            UnknownItemError: they have no such upload.
            StorageError: an operator has hidden it.
        """
        with self.database.writing() as connection:
            found = [each for each in storage.uploads.get_uploads(connection, [upload]) if each.owner == owner]
            if not found:
                raise UnknownItemError(f"{owner} has no upload {upload!r}")
            if found[0].visibility == "hidden":
                told = f"the upload {upload!r} was hidden by whoever runs the service; ask them, or remove it"
                raise StorageError(told, kind=Kind.CONFLICT)
            if visibility == "waiting" and found[0].reviewed is not None:
                visibility = "shared"
            storage.moderation.set_visibility(connection, [upload], visibility, found[0].reviewed)

    def moderate(self, ids: Sequence[str], what: Moderation, who: str) -> None:
        """What an operator decides about uploads, all or none, with a note of it: it holds from the next request on.

        ``take-down`` deletes them with pictures and vectors.

        Raises:
            UnknownItemError: one of them is not there.
            StorageError: one that is to be shown is private: that is its owner's to decide.
        """
        now = datetime.now(UTC)
        with self.database.writing() as connection:
            if what == "take-down":
                storage.uploads.remove_uploads(connection, ids)
                storage.tombstones.note_deletions(self.path, "upload", ids, now)
            else:
                found = storage.uploads.get_uploads(connection, ids)
                if what == "approve" and any(each.visibility == "private" for each in found):
                    raise StorageError("an upload that its owner keeps private cannot be shown", kind=Kind.CONFLICT)
                visibility: Visibility = "shared" if what == "approve" else "hidden"
                storage.moderation.set_visibility(connection, ids, visibility, now)
            storage.moderation.record(connection, who, what, ids, now)
        if what == "take-down":
            storage.erasure.resume_erasures(self.database, self.uploads_folder)
        self.refresh()

    def place(self, works: Sequence[str], where: EditorialPlace | None, who: str) -> None:
        """Pin works of the collection, ban them, or take either back, with a note of it; see `workspace.editorial`.

        Raises:
            UnknownItemError: there is no such work; then nothing is changed.
        """
        if where is not None:
            self.workspace.collection.rows_of(works)
        with self.database.writing() as connection:
            what = {"pinned": "pin", "banned": "ban", None: "unplace"}[where]
            storage.moderation.record(connection, who, what, works, datetime.now(UTC))
            place(self.path, works, where)

    def remove_person(self, owner: str, *, wait: bool = True) -> "Removal":
        """Remove everything of a person: uploads, pictures, vectors, ratings and edits, and their traces in files.

        Works of the collection that name the person stay: they come from the collection's table. Without ``wait``
        traces in files that cannot go now, because the database is busy, are left to whoever opens it next.

        Raises:
            StorageError: nothing is kept of that person; or all is removed, but another process still reads the log.
        """
        with self.database.writing() as connection:
            removal = storage.uploads.remove_person(connection, owner)
            storage.tombstones.note_deletions(self.path, "person", [owner], datetime.now(UTC))
        self.refresh()
        finish = storage.erasure.finish_erasures if wait else storage.erasure.resume_erasures
        finish(self.database, self.uploads_folder)
        return removal

    def sweep(self) -> tuple[str, ...]:
        """Delete picture files that a crash left without a row; returns their names."""
        with self.database.writing() as connection:
            return storage.pictures.sweep_pictures(connection, self.uploads_folder)

    def encode_missing(self, progress: Progress = silent, some: Sequence[str] | None = None) -> int:
        """Encode uploads that lack vectors of the workspace's encoders, forget those of former ones, and compare them.

        With ``some``, these uploads alone, and nothing is forgotten. Where the workspace is built anew meanwhile, the
        encoders of its new state count. Returns how many vectors were made; they stay if this is interrupted.
        """
        from vernissage.workspace.copies import compare_uploads
        from vernissage.workspace.uploading import encode_missing

        made = 0
        while True:
            workspace = self.workspace
            made += encode_missing(self.database, workspace, self.uploads_folder, progress, some)
            if self.refresh().workspace.manifest.fingerprints == workspace.manifest.fingerprints:
                break
        compare_uploads(self.database, self.snapshot, progress, some)
        return made

    def rate(self, owner: str, ratings: Mapping[str, float | None]) -> None:
        """Keep a person's ratings, 1 to 5 by work, all or none; None takes one back.

        Raises:
            RatingsError: a rating is outside 1 to 5.
            UnknownItemError: there is no such work or upload.
        """
        there = self._snapshot.items(ratings)
        for item_id in ratings:
            if item_id not in there:
                self._snapshot.item(item_id)  # raises, and names ids that look alike
        now = datetime.now(UTC)
        with self.database.writing() as connection:
            if self.rules is not None:
                had = storage.people.ratings_of(connection, owner)
                new = sum(rating is not None and item_id not in had for item_id, rating in ratings.items())
                storage.people.require_allowed(connection, owner, self.rules, {"ratings": new})
            for item_id, rating in ratings.items():
                if rating is None:
                    storage.people.unrate(connection, owner, item_id)
                else:
                    storage.people.rate(connection, owner, item_id, rating, now)

    def keep_edits(self, owner: str, edits: Iterable[tuple[str, Mapping[str, object]]]) -> None:
        """Write edits of areas down, kinds and payloads, all or none."""
        now = datetime.now(UTC)
        with self.database.writing() as connection:
            if self.rules is not None:
                storage.people.require_allowed(connection, owner, self.rules, {})
            for kind, payload in edits:
                storage.people.add_edit(connection, owner, kind, payload, now)  # type: ignore[arg-type]  # checked there

    def undo_edit(self, owner: str) -> "StoredEdit | None":
        """Take a person's latest edit back and return it; None where there is none."""
        with self.database.writing() as connection:
            return storage.people.undo_edit(connection, owner)


def open_repository(
    path: Path,
    database: str | None = None,
    *,
    writing: bool = False,
    people: bool = True,
    patience: float | None = None,
) -> Repository:
    """Open a workspace together with what people keep beside it.

    Args:
        path: the workspace.
        database: a URL (``postgresql://…``) or a file; None means ``vernissage.db`` in the workspace.
        writing: whether a database is made, when something is to be kept and there is none.
        people: False opens no database, for what is asked about the collection alone.
        patience: seconds that the database may take, see `open_database`.

    Raises:
        WorkspaceError, ProvenanceError, StorageError: either cannot be opened, or an upload has the id of a work.
    """
    workspace = open_workspace(path)
    if not people:
        return Repository(workspace, None)
    place = database or str(path / storage.DATABASE_NAME)
    if database is None and not Path(place).exists():
        return Repository(workspace, None, Path(place), writing=writing, patience=patience)
    opened = storage.database.open_database(place, patience)
    try:
        _require_distinct(workspace, opened)
        finished = storage.erasure.resume_erasures(opened, path / storage.PICTURES_FOLDER)
    except BaseException:
        opened.close()
        raise
    return Repository(workspace, opened, finished=finished)


def _require_distinct(workspace: Workspace, database: "Database") -> None:
    """A build may bring a work with the id of an upload; then nobody can say which of the two is meant."""
    from sqlalchemy import select

    from vernissage.storage.schema import UPLOADS

    with database.reading() as connection:
        both = [
            upload_id for upload_id in connection.scalars(select(UPLOADS.c.id)) if upload_id in workspace.collection
        ]
        if both:
            upload = storage.uploads.get_uploads(connection, both)[0]
            raise WorkspaceError(
                f"{upload.id!r} is an upload of {upload.owner} and a work of the collection as well; give the work "
                f"another id in the collection's table and run `vernissage build` again",
                kind=Kind.CONFLICT,
            )
