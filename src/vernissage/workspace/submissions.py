"""What a person gives to a workspace: pictures and texts, and how encoders read them."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from vernissage.catalog.pictures import PICTURE_SUFFIXES, open_picture
from vernissage.catalog.words import joined
from vernissage.encoders.contract import Encoder, ImageEncoder, Modality, TextEncoder, Vectors
from vernissage.errors import RequestError
from vernissage.progress import Progress
from vernissage.storage.uploads import UploadModality
from vernissage.storage.vectors import UploadVectors, VectorSpace
from vernissage.workspace.recipes import decoded_side
from vernissage.workspace.workspace import Workspace

_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Submission:
    """Something that a person uploads: a picture, words, or both.

    Attributes:
        picture: a picture file; it is read once and copied.
        title, text, keywords: words about it, or by themselves.
        id: unique among works and uploads; drawn at random where empty.
        time: when it was made or uploaded, with its zone; now where None.
    """

    picture: Path | None = None
    title: str = ""
    text: str = ""
    keywords: tuple[str, ...] = ()
    id: str = ""
    time: datetime | None = None

    @property
    def words(self) -> str:
        """What text encoders read."""
        return joined([self.title, self.text, ", ".join(self.keywords)])

    @property
    def modality(self) -> UploadModality:
        """What encoders may read of it.

        Raises:
            RequestError: there is neither a picture nor a word.
        """
        if self.picture is None and not self.words:
            raise RequestError(f"the upload {self.id or '(without an id)'} has neither a picture nor a text; give one")
        return "text" if self.picture is None else "both" if self.words else "image"


@contextmanager
def copied(submissions: Sequence[Submission]) -> Iterator[list[Submission]]:
    """The same with their pictures copied aside, so that what is encoded is what is stored.

    Raises:
        RequestError: a picture is missing, or is none by its suffix.
    """
    with TemporaryDirectory(prefix="vernissage-") as folder:
        copies = []
        for number, submission in enumerate(submissions):
            if submission.picture is not None:
                copy = Path(folder) / f"{number}{_suffix(submission.picture)}"
                try:
                    shutil.copyfile(submission.picture, copy)
                except OSError as error:
                    raise RequestError(
                        f"the picture {submission.picture} cannot be read: {error.strerror or error}; check its path"
                    ) from error
                submission = replace(submission, picture=copy)  # noqa: PLW2901
            copies.append(submission)
        yield copies


def spaces_of(workspace: Workspace) -> tuple[VectorSpace, ...]:
    """Every space of vectors that the workspace has now."""
    fingerprints = workspace.manifest.fingerprints
    return tuple(
        VectorSpace(encoder, modality, fingerprints[encoder])
        for encoder in workspace.encoder_names
        for modality in workspace.modalities(encoder)
    )


def encode_submissions(
    workspace: Workspace, submissions: Sequence[Submission], ids: Sequence[str], progress: Progress
) -> list[UploadVectors]:
    """The vectors of submissions in every space of the workspace that reads them.

    A row of zeros says that the encoder found nothing; it is kept, so that nobody encodes it again.

    Raises:
        CollectionError: a picture cannot be opened.
        EncoderError: an encoder cannot be loaded.
    """
    found = []
    spaces = spaces_of(workspace)
    for number, space in enumerate(spaces):
        progress("Encoding uploads", number, len(spaces))
        rows = [row for row, each in enumerate(submissions) if each.modality in {space.modality, "both"}]
        if rows:
            readable = [submissions[row] for row in rows]
            found.append(UploadVectors(space, tuple(ids[row] for row in rows), encoded(workspace, space, readable)))
    progress("Encoding uploads", len(spaces), len(spaces))
    return found


def encoded(workspace: Workspace, space: VectorSpace, submissions: Sequence[Submission]) -> Vectors:
    """Their vectors in one space, float32 (n, dim)."""
    encoder = workspace.encoder(space.encoder)
    starts = range(0, len(submissions), _AT_ONCE)
    blocks = [
        _read(encoder, space.modality, submissions[start : start + _AT_ONCE], draft=_drafts(workspace))
        for start in starts
    ]
    return np.concatenate(blocks)


def _read(encoder: Encoder, modality: Modality, submissions: Sequence[Submission], *, draft: bool) -> Vectors:
    if modality == "text" and isinstance(encoder, TextEncoder):
        return encoder.encode_texts([each.words for each in submissions])
    if modality == "image" and isinstance(encoder, ImageEncoder):
        side = decoded_side(encoder) if draft else None
        paths = [each.picture for each in submissions if each.picture is not None]
        return encoder.encode_images([open_picture(path, at_least=side) for path in paths])
    raise RequestError(f"{encoder.name} does not read uploads of the kind {modality}; build the workspace again")


def _drafts(workspace: Workspace) -> bool:
    return bool(workspace.manifest.settings.get("draft", True))


def _suffix(picture: Path) -> str:
    suffix = picture.suffix.lower()
    if suffix not in PICTURE_SUFFIXES:
        raise RequestError(f"{picture} is no picture by its name; give a JPEG, PNG or other picture file")
    return suffix
