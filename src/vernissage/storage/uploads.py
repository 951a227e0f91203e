"""What people uploaded: added, found, removed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, insert, select

from vernissage.errors import Kind, StorageError, UnknownItemError
from vernissage.files import digest
from vernissage.storage.changes import current_version, forget_changes, log_changes
from vernissage.storage.erasure import intend_erasure
from vernissage.storage.moderation import forget_audited
from vernissage.storage.people import enter_person, known_person
from vernissage.storage.schema import PEOPLE, RATINGS, READ, TAGS, UPLOADS, UploadModality, Visibility
from vernissage.storage.validation import UnstorableError, checked_text, checked_upload_id, in_batches
from vernissage.storage.vectors import UploadVectors, insert_vectors


@dataclass(frozen=True, slots=True)
class Upload:
    """Something that a person uploaded.

    Attributes:
        modality: what encoders may read, see `READ`: the picture or video, the text, or both.
        text: what text encoders read.
        picture: the file's name in the folder of uploads (see `vernissage.storage.pictures`); empty without one.
        picture_digest: SHA-256 of the picture file; empty without one.
        visibility: who may be shown it beside the owner, see `schema.Visibility`.
        reviewed: when an operator let it be shown; None where none has.
        time: when it was uploaded, with its zone; read back as UTC.
    """

    id: str
    owner: str
    modality: UploadModality
    time: datetime
    title: str = ""
    text: str = ""
    keywords: tuple[str, ...] = ()
    picture: str = ""
    picture_digest: str = ""
    visibility: Visibility = "shared"
    reviewed: datetime | None = None

    @property
    def text_digest(self) -> str:
        """SHA-256 of the text that encoders read, as in `vernissage.catalog.Item`; empty without one."""
        return digest(self.text.encode()) if self.text else ""


@dataclass(frozen=True)
class Removal:
    """What was removed, once the transaction is committed.

    Attributes:
        version: the number of the change.
        pictures: names of files that are to be deleted after the commit.
    """

    version: int
    ids: tuple[str, ...]
    pictures: tuple[str, ...]


def add_uploads(connection: Connection, uploads: Sequence[Upload], vectors: Iterable[UploadVectors] = ()) -> int:
    """Add uploads and their vectors as one change; returns its number.

    Raises:
        StorageError: an id is taken or cannot be one, a field does not fit the modality, a text cannot be stored, or
            vectors do not fit.
    """
    if not uploads:
        return current_version(connection)
    for upload in uploads:
        _check(upload)
    ids = [upload.id for upload in uploads]
    taken = [upload.id for upload in get_uploads(connection, ids)]
    taken += [name for name, number in Counter(ids).items() if number > 1]
    if taken:
        raise StorageError(
            f"an upload {', '.join(map(repr, taken[:3]))} is there already; "
            f"give another id, or remove the former first",
            kind=Kind.CONFLICT,
        )
    version = log_changes(connection, ids, "added")
    people = {owner: enter_person(connection, owner) for owner in dict.fromkeys(upload.owner for upload in uploads)}
    rows = [asdict(upload) | {"version": version} for upload in uploads]
    for row in rows:
        row["person"] = people[row.pop("owner")]
    connection.execute(insert(UPLOADS), rows)
    for each in vectors:
        insert_vectors(connection, each)
    return version


def remove_uploads(connection: Connection, ids: Iterable[str], *, owner: str | None = None) -> Removal:
    """Remove uploads with their vectors, tags and ratings as one change.

    With ``owner`` only what is theirs can be removed. Call `finish_erasures` after the commit.

    Raises:
        UnknownItemError: one of them is not there, or is another person's; then none is removed.
    """
    wanted = sorted(set(ids))
    found = get_uploads(connection, wanted)
    theirs = {upload.id for upload in found if owner is None or upload.owner == owner}
    missing = [name for name in wanted if name not in theirs]
    if missing:
        whose = "there is" if owner is None else f"{owner} has"
        raise UnknownItemError(f"{whose} no upload {', '.join(map(repr, missing[:3]))}; nothing was removed")
    if not wanted:
        return Removal(current_version(connection), (), ())
    _remove_mentions(connection, wanted)
    for batch in in_batches(wanted):
        connection.execute(delete(UPLOADS).where(UPLOADS.c.id.in_(batch)))
    intend_erasure(connection, _pictures(found))
    version = log_changes(connection, wanted, "removed")
    return Removal(version, tuple(wanted), _pictures(found))


def remove_person(connection: Connection, owner: str) -> Removal:
    """Remove a person: uploads, vectors, ratings, edits, and others' ratings and the tags of what they uploaded.

    Nothing that names the person or their uploads stays: the log of changes is emptied as well, so that every reading
    process reads the uploads anew. Call `finish_erasures` after the commit.

    Raises:
        StorageError: nothing is kept of a person of that name.
    """
    person = known_person(connection, owner)
    found = uploads_of(connection, owner)
    ids = tuple(upload.id for upload in found)
    _remove_mentions(connection, ids)
    forget_audited(connection, ids)
    connection.execute(delete(PEOPLE).where(PEOPLE.c.id == person))
    intend_erasure(connection, _pictures(found), of_person=True)
    return Removal(forget_changes(connection), ids, _pictures(found))


def get_uploads(connection: Connection, ids: Iterable[str] | None = None) -> tuple[Upload, ...]:
    """All uploads, or those of the given ids that are there, in order of id."""
    if ids is None:
        return tuple(map(_upload, connection.execute(_QUERY.order_by(UPLOADS.c.id))))
    queries = (_QUERY.where(UPLOADS.c.id.in_(batch)) for batch in in_batches(sorted(set(ids))))
    return tuple(_upload(row) for query in queries for row in connection.execute(query.order_by(UPLOADS.c.id)))


def uploads_of(connection: Connection, owner: str) -> tuple[Upload, ...]:
    """A person's uploads, oldest first; none where nothing is kept of them."""
    query = _QUERY.where(PEOPLE.c.name == owner).order_by(UPLOADS.c.time, UPLOADS.c.id)
    return tuple(map(_upload, connection.execute(query)))


def same_uploads(
    connection: Connection, owner: str, contents: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Upload]:
    """A person's uploads of the given contents, pairs of picture digest and text; the oldest of several."""
    wanted = set(contents)
    pictures = sorted({picture for picture, _ in wanted if picture})
    texts = sorted({text for picture, text in wanted if not picture})
    alike: list[ColumnElement[bool]] = [UPLOADS.c.picture_digest.in_(batch) for batch in in_batches(pictures)]
    alike += [and_(UPLOADS.c.picture_digest == "", UPLOADS.c.text.in_(batch)) for batch in in_batches(texts)]
    found: dict[tuple[str, str], Upload] = {}
    for condition in alike:
        query = _QUERY.where(PEOPLE.c.name == owner, condition).order_by(UPLOADS.c.time, UPLOADS.c.id)
        for upload in map(_upload, connection.execute(query)):
            content = (upload.picture_digest, upload.text)
            if content in wanted:
                found.setdefault(content, upload)
    return found


def owners(connection: Connection) -> dict[str, int]:
    """Who uploaded something, and how much, by name."""
    query = select(PEOPLE.c.name, func.count()).join(UPLOADS, UPLOADS.c.person == PEOPLE.c.id)
    rows = connection.execute(query.group_by(PEOPLE.c.name).order_by(PEOPLE.c.name))
    return {row[0]: row[1] for row in rows}


def _remove_mentions(connection: Connection, ids: Sequence[str]) -> None:
    """Delete tags and ratings of works, whoever gave them."""
    for batch in in_batches(ids):
        connection.execute(delete(TAGS).where(TAGS.c.item.in_(batch)))
        connection.execute(delete(RATINGS).where(RATINGS.c.item.in_(batch)))


_QUERY: Select[Any] = select(
    UPLOADS.c.id, PEOPLE.c.name.label("owner"), *(UPLOADS.c[each.name] for each in fields(Upload)[2:])
).join(PEOPLE, PEOPLE.c.id == UPLOADS.c.person)


def _upload(row: Row[Any]) -> Upload:
    return Upload(**{**row._mapping, "keywords": tuple(row.keywords)})


def _pictures(uploads: Iterable[Upload]) -> tuple[str, ...]:
    return tuple(upload.picture for upload in uploads if upload.picture)


def _check(upload: Upload) -> None:
    checked_upload_id(upload.id)
    checked_text("title", upload.title)
    checked_text("text", upload.text)
    for word in upload.keywords:
        checked_text("keyword", word)
    if bool(upload.picture) != (READ[upload.modality] != ("text",)):
        expected = "has a picture; leave it out, or make it 'both'" if upload.picture else "needs a picture"
        raise UnstorableError(f"the upload {upload.id!r} is of the kind {upload.modality!r}, and {expected}")
    if "text" in READ[upload.modality] and not upload.text.strip():
        raise UnstorableError(f"the upload {upload.id!r} is of the kind {upload.modality!r}, but its text is empty")
    if upload.time.tzinfo is None:
        raise UnstorableError(f"the time of the upload {upload.id!r} lacks its zone; give datetime.now(UTC)")
