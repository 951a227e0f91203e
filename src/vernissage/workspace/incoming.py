"""What is being uploaded: pictures copied aside and looked at, and what of it is there already."""

import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from vernissage.catalog.pictures import PICTURE_SUFFIXES, check_picture
from vernissage.errors import CollectionError, RequestError
from vernissage.storage.pictures import new_pictures
from vernissage.storage.uploads import Upload, add_uploads, get_uploads, same_uploads
from vernissage.storage.vectors import UploadVectors
from vernissage.workspace.submissions import Submission


@dataclass(frozen=True, slots=True)
class Incoming:
    """A submission whose picture is a copy that nobody else changes.

    Attributes:
        id: the submission's, or drawn at random.
        submission: the same, with the copy in place of the picture.
        picture_digest: SHA-256 of the picture; empty without one.
    """

    id: str
    submission: Submission
    picture_digest: str

    @property
    def content(self) -> tuple[str, str]:
        """What tells two uploads of one person apart: the picture and the words."""
        return self.picture_digest, self.submission.words


@contextmanager
def incoming(submissions: Sequence[Submission]) -> Iterator[tuple[Incoming, ...]]:
    """Copy the pictures aside, so that what is encoded is what is stored, and decode each to its end.

    Submissions of the same content of which none has an id become one.

    Raises:
        RequestError: there is nothing to read in one of them, or a picture is missing or is none by its name.
        CollectionError: a picture cannot be opened; the message names the file that was given.
    """
    with TemporaryDirectory(prefix="vernissage-") as folder:
        anonymous: dict[tuple[str, str], Incoming] = {}
        found = []
        for number, submission in enumerate(submissions):
            _ = submission.modality  # told before anything is copied
            copy, picture_digest = _copied(submission.picture, Path(folder), number)
            each = Incoming(submission.id or secrets.token_hex(8), replace(submission, picture=copy), picture_digest)
            found.append(each if submission.id else anonymous.setdefault(each.content, each))
        yield tuple(found)


def already_there(connection: Connection, owner: str, given: Sequence[Incoming]) -> dict[str, Upload]:
    """By the id of what is given, the person's upload that it repeats.

    Without an id of its own that is their upload of the same content; with one, the upload of that id if its content
    is the same, so that a script can be run again.
    """
    known = same_uploads(connection, owner, {each.content for each in given if not each.submission.id})
    found = {each.id: known[each.content] for each in given if not each.submission.id and each.content in known}
    named = {each.id: each for each in given if each.submission.id}
    for upload in get_uploads(connection, named):
        if upload.owner == owner and (upload.picture_digest, upload.text) == named[upload.id].content:
            found[upload.id] = upload
    return found


def write_uploads(
    connection: Connection, folder: Path, owner: str, given: Iterable[Incoming], vectors: Sequence[UploadVectors]
) -> dict[str, Upload]:
    """Write pictures, rows and vectors within one transaction; returns the uploads by id.

    Raises:
        StorageError: an id is taken, or a name, an id or a text cannot be stored.
    """
    now = datetime.now(UTC)
    with new_pictures(connection, folder) as write:
        uploads = {}
        for each in given:
            picture = each.submission.picture
            uploads[each.id] = Upload(
                each.id,
                owner,
                each.submission.modality,
                each.submission.time or now,
                each.submission.title,
                each.submission.words,
                each.submission.keywords,
                write(picture.read_bytes(), picture.suffix) if picture is not None else "",
                each.picture_digest,
            )
        add_uploads(connection, list(uploads.values()), vectors)
    return uploads


def same_places(one: Mapping[str, Upload], other: Mapping[str, Upload]) -> bool:
    """Whether two answers of `already_there` name the same uploads."""
    return {key: upload.id for key, upload in one.items()} == {key: upload.id for key, upload in other.items()}


def _copied(picture: Path | None, folder: Path, number: int) -> tuple[Path | None, str]:
    """The copy of a picture and its SHA-256."""
    if picture is None:
        return None, ""
    suffix = picture.suffix.lower()
    if suffix not in PICTURE_SUFFIXES:
        raise RequestError(f"{picture} is no picture by its name; give a JPEG, PNG or other picture file")
    copy = folder / f"{number}{suffix}"
    try:
        shutil.copyfile(picture, copy)
    except OSError as error:
        raise RequestError(
            f"the picture {picture} cannot be read: {error.strerror or error}; check its path"
        ) from error
    found = check_picture(copy)
    if found.fault:
        raise CollectionError(f"the picture {picture} {found.fault}; export it again, or leave it out")
    return copy, found.digest
