"""Vectors of uploads, as rows beside them, so that an upload and its vectors appear together."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, false, func, insert, not_, or_, select

from vernissage.errors import StorageError
from vernissage.storage.changes import log_changes
from vernissage.storage.schema import PEOPLE, READ, UPLOADS, VECTORS
from vernissage.storage.validation import in_batches
from vernissage.values import Modality, Vectors

_ROWS_AT_ONCE = 2048
_LITTLE = np.dtype("<f4")


@dataclass(frozen=True)
class VectorSpace:
    """What vectors must share to be compared: the encoder, what of a work it read, and its fingerprint."""

    encoder: str
    modality: Modality
    fingerprint: str


@dataclass(frozen=True, eq=False)
class UploadVectors:
    """Vectors of uploads in one space: float32 (n, dim), a row for each id."""

    space: VectorSpace
    ids: tuple[str, ...]
    vectors: Vectors


@dataclass(frozen=True, eq=False)
class OwnedVectors:
    """Vectors of uploads as read: a row and an owner for each id."""

    ids: tuple[str, ...]
    owners: tuple[str, ...]
    vectors: Vectors


def vectors_of(connection: Connection, space: VectorSpace, ids: Iterable[str] | None = None) -> OwnedVectors:
    """The vectors of all uploads that have one in the space, in order of id, or of the given ones that do.

    They are read in blocks into one array, so that memory for little more than that array is needed.

    Raises:
        StorageError: the stored bytes are not vectors of one length.
    """
    query = select(VECTORS.c.upload, UPLOADS.c.person, VECTORS.c.vector).where(_in(space))
    query = query.join(UPLOADS, UPLOADS.c.id == VECTORS.c.upload).order_by(VECTORS.c.upload)
    wanted = None if ids is None else sorted(set(ids))
    if wanted is None:
        queries, most = [query], connection.scalar(select(func.count()).where(_in(space))) or 0
    else:
        queries, most = [query.where(VECTORS.c.upload.in_(batch)) for batch in in_batches(wanted)], len(wanted)
    matrix = np.empty((most, _stored_bytes(connection, space) // _LITTLE.itemsize), dtype=np.float32)
    width = matrix.shape[1] * _LITTLE.itemsize
    uploads: list[str] = []
    people: list[int] = []
    for each in queries:
        with connection.execute(each.execution_options(yield_per=_ROWS_AT_ONCE)) as result:
            for block in result.partitions():
                if any(len(vector) != width for _, _, vector in block):
                    raise StorageError(
                        f"stored vectors by {space.encoder} differ in length; restore the database from a backup"
                    )
                rows = np.frombuffer(b"".join(vector for _, _, vector in block), dtype=_LITTLE)
                matrix[len(uploads) : len(uploads) + len(block)] = rows.reshape(len(block), -1)
                uploads += [upload for upload, _, _ in block]
                people += [person for _, person, _ in block]
    names = {row.id: row.name for row in connection.execute(select(PEOPLE))} if uploads else {}
    return OwnedVectors(tuple(uploads), tuple(names[person] for person in people), matrix[: len(uploads)])


def missing_vectors(connection: Connection, space: VectorSpace, ids: Iterable[str] | None = None) -> tuple[str, ...]:
    """Ids of uploads that have the space's modality but no vector in it, in order: what is to be encoded.

    Of all uploads, or of the given ones.
    """
    there = exists().where(_in(space), VECTORS.c.upload == UPLOADS.c.id)
    readable = UPLOADS.c.modality.in_([kind for kind, reads in READ.items() if space.modality in reads])
    query = select(UPLOADS.c.id).where(readable, not_(there)).order_by(UPLOADS.c.id)
    if ids is None:
        return tuple(connection.scalars(query))
    batches = in_batches(sorted(set(ids)))
    return tuple(name for batch in batches for name in connection.scalars(query.where(UPLOADS.c.id.in_(batch))))


def put_vectors(connection: Connection, vectors: UploadVectors) -> int | None:
    """Add vectors to uploads that lack them, as another change; returns its number.

    Uploads that were removed meanwhile or have their vector are passed over, because two processes may encode the
    same; where nothing is left there is no change, and None is returned.

    Raises:
        StorageError: the vectors do not fit their ids or those that are stored.
    """
    waiting = set(missing_vectors(connection, vectors.space, vectors.ids))
    rows = [row for row, name in enumerate(vectors.ids) if name in waiting]
    if not rows:
        return None
    kept = UploadVectors(vectors.space, tuple(vectors.ids[row] for row in rows), vectors.vectors[rows])
    insert_vectors(connection, kept)
    return log_changes(connection, kept.ids, "encoded")


def drop_vectors(connection: Connection, current: Iterable[VectorSpace]) -> int:
    """Delete all vectors but those of the given spaces, which frees what former encoders left; returns how many."""
    kept = or_(false(), *(_in(space) for space in current))
    return connection.execute(delete(VECTORS).where(not_(kept))).rowcount


def insert_vectors(connection: Connection, vectors: UploadVectors) -> None:
    """Write vectors of uploads that are there and have none in that space.

    Raises:
        StorageError: the vectors do not fit their ids or those that are stored, or hold a number that is none.
    """
    matrix, space = np.ascontiguousarray(vectors.vectors, dtype=_LITTLE), vectors.space
    if matrix.ndim != 2 or len(matrix) != len(vectors.ids) or matrix.shape[1] == 0:
        raise StorageError(
            f"{len(vectors.ids)} uploads came with vectors of shape {matrix.shape} by {space.encoder}; give a row each"
        )
    if not np.isfinite(matrix).all():
        raise StorageError(f"vectors by {space.encoder} hold numbers that are none (NaN or infinite); encode again")
    stored = _stored_bytes(connection, space) // _LITTLE.itemsize
    if stored not in {0, matrix.shape[1]}:
        raise StorageError(
            f"vectors by {space.encoder} have {matrix.shape[1]} numbers, but those stored under its fingerprint "
            f"{space.fingerprint} have {stored}; build the workspace again"
        )
    fixed = vars(space)
    for rows in in_batches(range(len(vectors.ids))):
        blocks = [fixed | {"upload": vectors.ids[row], "vector": matrix[row].tobytes()} for row in rows]
        connection.execute(insert(VECTORS), blocks)


def _stored_bytes(connection: Connection, space: VectorSpace) -> int:
    """How long each vector of a space is; 0 where there is none."""
    return connection.scalar(select(func.length(VECTORS.c.vector)).where(_in(space)).limit(1)) or 0


def _in(space: VectorSpace) -> ColumnElement[bool]:
    return and_(*(VECTORS.c[name] == value for name, value in vars(space).items()))
