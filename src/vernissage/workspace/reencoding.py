"""Uploads that lack vectors, because the workspace got other encoders since, are encoded."""

from collections.abc import Sequence
from pathlib import Path

from vernissage.errors import CollectionError
from vernissage.progress import Progress
from vernissage.storage.database import Database
from vernissage.storage.uploads import get_uploads
from vernissage.storage.vectors import UploadVectors, VectorSpace, drop_vectors, missing_vectors, put_vectors
from vernissage.workspace.submissions import Submission, encoded, spaces_of
from vernissage.workspace.workspace import Workspace

_ENCODED_AT_ONCE = 256


def encode_missing(database: Database, workspace: Workspace, folder: Path, progress: Progress) -> int:
    """Encode uploads, whose pictures lie in ``folder``, in every space in which they lack a vector.

    Vectors of former encoders are forgotten. Returns how many vectors were made; they stay if this is interrupted.

    Raises:
        CollectionError: a picture cannot be opened.
        EncoderError: an encoder cannot be loaded.
    """
    made = 0
    spaces = spaces_of(workspace)
    for space in spaces:
        with database.reading() as connection:
            ids = missing_vectors(connection, space)
        for start in range(0, len(ids), _ENCODED_AT_ONCE):
            progress(f"Encoding uploads with {space.encoder}", start, len(ids))
            made += _encode(database, workspace, folder, space, ids[start : start + _ENCODED_AT_ONCE])
        if ids:
            progress(f"Encoding uploads with {space.encoder}", len(ids), len(ids))
    with database.writing() as connection:
        drop_vectors(connection, spaces)
    return made


def _encode(database: Database, workspace: Workspace, folder: Path, space: VectorSpace, ids: Sequence[str]) -> int:
    if not ids:
        return 0
    with database.reading() as connection:
        uploads = get_uploads(connection, ids)
    if not uploads:
        return 0
    submissions = [Submission(folder / each.picture if each.picture else None, text=each.text) for each in uploads]
    try:
        vectors = encoded(workspace, space, submissions)
    except CollectionError:
        with database.reading() as connection:
            there = [each.id for each in get_uploads(connection, ids)]
        if len(there) == len(uploads):
            raise
        # some were removed, with their pictures, since they were looked up
        return _encode(database, workspace, folder, space, there)
    with database.writing() as connection:
        put_vectors(connection, UploadVectors(space, tuple(each.id for each in uploads), vectors))
    return len(uploads)
