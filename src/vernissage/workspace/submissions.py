"""What a person gives to a workspace: pictures and texts, and how encoders read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from vernissage.catalog.item import Item
from vernissage.catalog.pictures import open_picture
from vernissage.catalog.words import joined
from vernissage.encoders.contract import Encoder, ImageEncoder, TextEncoder
from vernissage.errors import RequestError
from vernissage.progress import Progress
from vernissage.storage.uploads import Upload, UploadModality
from vernissage.storage.vectors import UploadVectors, VectorSpace
from vernissage.values import Modality, Vectors
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


def described(upload: Upload) -> Item:
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
