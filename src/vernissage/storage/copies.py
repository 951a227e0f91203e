"""Which uploads are the same as others: equal names in place of a comparison at every request."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, delete, exists, insert, not_, select

from vernissage.storage.schema import COPIES, UPLOADS
from vernissage.storage.validation import in_batches


def uncompared(connection: Connection, state: str) -> tuple[str, ...]:
    """Ids of uploads that were not compared with the works of that state, in order."""
    compared = exists().where(COPIES.c.upload == UPLOADS.c.id, COPIES.c.state == state)
    return tuple(connection.scalars(select(UPLOADS.c.id).where(not_(compared)).order_by(UPLOADS.c.id)))


def put_names(connection: Connection, names: Mapping[str, str], state: str) -> None:
    """Keep the name of each upload, by id, in place of its former one; those that were removed are passed over."""
    for batch in in_batches(sorted(names)):
        there = connection.scalars(select(UPLOADS.c.id).where(UPLOADS.c.id.in_(batch))).all()
        connection.execute(delete(COPIES).where(COPIES.c.upload.in_(batch)))
        if there:
            rows = [{"upload": item_id, "name": names[item_id], "state": state} for item_id in there]
            connection.execute(insert(COPIES), rows)


def names_of(connection: Connection, ids: Sequence[str], state: str | None = None) -> dict[str, str]:
    """The names of uploads by id; with ``state`` of those alone that were compared with its works."""
    queries = (select(COPIES.c.upload, COPIES.c.name).where(COPIES.c.upload.in_(batch)) for batch in in_batches(ids))
    if state is not None:
        queries = (query.where(COPIES.c.state == state) for query in queries)
    return {row.upload: row.name for query in queries for row in connection.execute(query)}


def names_of_pictures(connection: Connection, digests: Collection[str], state: str) -> dict[str, str]:
    """The names of uploads that were compared with the works of a state, by the SHA-256 of their pictures."""
    query = select(UPLOADS.c.picture_digest, COPIES.c.name).join(UPLOADS, UPLOADS.c.id == COPIES.c.upload)
    query = query.where(COPIES.c.state == state)
    parts = (query.where(UPLOADS.c.picture_digest.in_(batch)) for batch in in_batches(sorted(digests)))
    return {row.picture_digest: row.name for part in parts for row in connection.execute(part)}


def named(connection: Connection, names: Iterable[str]) -> dict[str, list[str]]:
    """The uploads of each name that others may be shown, in order of id; names that none has are absent."""
    found: dict[str, list[str]] = {}
    for batch in in_batches(sorted(set(names))):
        query = select(COPIES.c.name, COPIES.c.upload).where(COPIES.c.name.in_(batch))
        query = query.join(UPLOADS, UPLOADS.c.id == COPIES.c.upload).where(UPLOADS.c.visibility == "shared")
        query = query.order_by(COPIES.c.upload)
        for row in connection.execute(query):
            found.setdefault(row.name, []).append(row.upload)
    return found
