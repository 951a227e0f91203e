"""What a person uploads: pictures and texts, copied aside and checked, encoded, and written with their vectors."""

import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from vernissage.catalog.pictures import MAX_BYTES, PICTURE_SUFFIXES, VIDEO_HINT, VIDEO_SUFFIXES, check_picture
from vernissage.catalog.words import joined
from vernissage.encoders.contract import Encoder, reading
from vernissage.encoders.raw_lengths import RawLengths
from vernissage.errors import CollectionError, RequestError
from vernissage.files import as_path, open_regular
from vernissage.progress import Progress
from vernissage.storage.database import Database
from vernissage.storage.pictures import new_pictures, picture_path
from vernissage.storage.schema import READ, UploadModality, Visibility
from vernissage.storage.uploads import Upload, add_uploads, get_uploads, same_uploads
from vernissage.storage.vectors import UploadVectors, VectorSpace, drop_vectors, missing_vectors, put_vectors
from vernissage.values import MODALITY_CARDS, Modality, Vectors, modality_of_file, readable
from vernissage.workspace.blocks import vectors_of_files
from vernissage.workspace.encoding import decoded_side
from vernissage.workspace.workspace import Workspace

_AT_ONCE = 32
_ENCODED_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Submission:
    """Something that a person uploads: a picture, words, or both.

    Attributes:
        picture: a picture or video file, its path as text too; it is read once and copied.
        title, text, keywords: words about it, or by themselves.
        id: unique among works and uploads; drawn at random where empty.
        time: when it was made or uploaded, with its zone; now where None.
        visibility: who may be shown it: ``shared`` (others too), ``private``, or ``waiting`` for a review.
    """

    picture: Path | None = None
    title: str = ""
    text: str = ""
    keywords: tuple[str, ...] = ()
    id: str = ""
    time: datetime | None = None
    visibility: Visibility = "shared"

    def __post_init__(self) -> None:
        if self.picture is not None:
            object.__setattr__(self, "picture", as_path(self.picture, "picture"))

    @property
    def words(self) -> str:
        """What text encoders read."""
        return joined([self.title, self.text, ", ".join(self.keywords)])

    @property
    def modality(self) -> UploadModality:
        """What encoders may read of it. Raises RequestError: there is neither a picture nor a word."""
        shown = () if self.picture is None else (modality_of_file(self.picture.name),)
        reads = (*shown, "text") if self.words else shown
        if not reads:
            raise RequestError(f"the upload {self.id or '(without an id)'} has neither a picture nor a text; give one")
        return next(kind for kind, read in READ.items() if read == reads)


def spaces_of(workspace: Workspace) -> tuple[VectorSpace, ...]:
    """Every space of vectors that uploads can lie in: of all that the workspace's encoders read."""
    fingerprints = workspace.manifest.fingerprints
    return tuple(
        VectorSpace(encoder, modality, fingerprints[encoder])
        for encoder in (*workspace.internal_names, *workspace.encoder_names)
        for modality in readable(workspace.modalities(encoder))
        if workspace.reads(encoder, modality)
    )


def encode_submissions(
    workspace: Workspace, submissions: Mapping[str, Submission], progress: Progress
) -> list[UploadVectors]:
    """The vectors of submissions by id in every space of the workspace that reads them.

    A row of zeros says that the encoder found nothing; it is kept, so that nobody encodes it again.

    Raises:
        CollectionError: a picture cannot be opened.
        EncoderError: an encoder cannot be loaded.
    """
    found = []
    spaces = spaces_of(workspace)
    if not spaces and (
        mute := next((why for each in workspace.encoder_names if (why := workspace.why_mute(each))), "")
    ):
        raise RequestError(f"no encoder of this workspace can read uploads: {mute}")
    for number, space in enumerate(spaces):
        progress("Encoding uploads", number, len(spaces))
        readable = {name: each for name, each in submissions.items() if space.modality in READ[each.modality]}
        if readable:
            found.append(_encoded(workspace, space, readable))
    progress("Encoding uploads", len(spaces), len(spaces))
    return found


def _encoded(workspace: Workspace, space: VectorSpace, submissions: Mapping[str, Submission]) -> UploadVectors:
    vectors = _vectors(workspace.encoder(space.encoder), space.modality, list(submissions.values()), workspace.draft)
    return UploadVectors(space, tuple(submissions), vectors)


def raw_lengths(
    workspace: Workspace, encoder: Encoder, modality: Modality, works: Sequence[Submission]
) -> npt.NDArray[np.float64]:
    """How long the vectors of works, at least one, are as the encoder's network gives them: float64 (n,).

    Of several pictures of a work the one that is given counts.

    Raises:
        EncoderError: the encoder has no vectors but those of length 1 (see `has_raw_lengths`).
        CollectionError: a picture cannot be opened.
    """
    rows = _vectors(RawLengths(encoder), modality, works, workspace.draft)
    lengths: npt.NDArray[np.float64] = np.linalg.norm(rows.astype(np.float64), axis=1)
    return lengths


def _vectors(encoder: Encoder, modality: Modality, given: Sequence[Submission], draft: bool) -> Vectors:
    side = decoded_side(encoder, draft=draft)
    parts = (given[start : start + _AT_ONCE] for start in range(0, len(given), _AT_ONCE))
    return np.concatenate([_read(encoder, modality, part, side) for part in parts])


def _read(encoder: Encoder, modality: Modality, submissions: Sequence[Submission], side: int | None) -> Vectors:
    if modality == "text":
        return reading(encoder, modality)([each.words for each in submissions])
    return vectors_of_files(encoder, modality, [each.picture for each in submissions if each.picture is not None], side)


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
    now, uploads = datetime.now(UTC), []
    with new_pictures(connection, folder) as write:
        for each in given:
            what, picture = each.submission, each.submission.picture
            file = write(picture.read_bytes(), picture.suffix) if picture is not None else ""
            time, title, words = what.time or now, what.title, what.words
            seen = each.picture_digest, what.visibility
            uploads.append(Upload(each.id, owner, what.modality, time, title, words, what.keywords, file, *seen))
        add_uploads(connection, uploads, vectors)
    return {upload.id: upload for upload in uploads}


def _copied(picture: Path | None, folder: Path, number: int) -> tuple[Path | None, str]:
    """The copy of a picture and its SHA-256."""
    if picture is None:
        return None, ""
    suffix = picture.suffix.lower()
    if suffix not in PICTURE_SUFFIXES:
        hint = VIDEO_HINT if suffix in VIDEO_SUFFIXES else "give a JPEG, PNG or other picture file"
        raise RequestError(f"{picture} is no picture by its name that can be read; {hint}")
    copy, kind = folder / f"{number}{suffix}", MODALITY_CARDS[modality_of_file(picture.name)].one
    try:
        with open_regular(picture, MAX_BYTES) as given, copy.open("xb") as kept:
            shutil.copyfileobj(given, kept)
    except OSError as error:
        raise RequestError(f"the {kind} {picture} cannot be read: {error.strerror or error}; check its path") from error
    found = check_picture(copy)
    if found.fault:
        raise CollectionError(f"the {kind} {picture} {found.fault}; export it again, or leave it out")
    return copy, found.digest


def encode_missing(
    database: Database, workspace: Workspace, folder: Path, progress: Progress, some: Sequence[str] | None = None
) -> int:
    """Encode uploads, whose pictures lie in ``folder``, in every space in which they lack a vector: all, or ``some``.

    Of all, vectors of former encoders are forgotten. Returns how many vectors were made; they stay if this is
    interrupted.

    Raises:
        CollectionError: a picture cannot be opened.
        EncoderError: an encoder cannot be loaded.
    """
    made = 0
    spaces = spaces_of(workspace)
    for space in spaces:
        with database.reading() as connection:
            ids = missing_vectors(connection, space, some)
        for start in range(0, len(ids), _ENCODED_AT_ONCE):
            progress(f"Encoding uploads with {space.encoder}", start, len(ids))
            made += _encode(database, workspace, folder, space, ids[start : start + _ENCODED_AT_ONCE])
        if ids:
            progress(f"Encoding uploads with {space.encoder}", len(ids), len(ids))
    if some is None:
        with database.writing() as connection:
            drop_vectors(connection, spaces)
    return made


def _encode(database: Database, workspace: Workspace, folder: Path, space: VectorSpace, ids: Sequence[str]) -> int:
    with database.reading() as connection:
        uploads = get_uploads(connection, ids)
    if not uploads:
        return 0
    pictures = {each.id: picture_path(folder, each.picture) if each.picture else None for each in uploads}
    given = {each.id: Submission(pictures[each.id], text=each.text) for each in uploads}
    try:
        vectors = _encoded(workspace, space, given)
    except CollectionError:
        with database.reading() as connection:
            there = [each.id for each in get_uploads(connection, ids)]
        if len(there) == len(uploads):
            raise
        # some were removed, with their pictures, since they were looked up
        return _encode(database, workspace, folder, space, there)
    with database.writing() as connection:
        put_vectors(connection, vectors)
    return len(uploads)
