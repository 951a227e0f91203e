"""Tags that taggers found in works and uploads."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, delete, func, insert, select

from vernissage.storage.schema import TAGS
from vernissage.storage.validation import checked_text, in_batches


def set_tags(connection: Connection, tagger: str, tags: Mapping[str, Sequence[str]]) -> None:
    """Keep what a tagger found in each work, in place of what it found there before; no tags are a finding too.

    ``tagger`` names the tagger and all its settings.

    Raises:
        StorageError: an id or a tag holds a character that no database keeps.
    """
    rows = [
        {"tagger": tagger, "item": checked_text("id", item), "tags": [checked_text("tag", tag) for tag in found]}
        for item, found in tags.items()
    ]
    for batch in in_batches(rows):
        items = [row["item"] for row in batch]
        connection.execute(delete(TAGS).where(TAGS.c.tagger == tagger, TAGS.c.item.in_(items)))
        connection.execute(insert(TAGS), batch)


def tagged_items(connection: Connection) -> tuple[str, ...]:
    """The works and uploads of which any tags are kept, by id."""
    return tuple(connection.scalars(select(TAGS.c.item).distinct()))


def forget_tags(connection: Connection, items: Iterable[str]) -> None:
    """Delete all that taggers found in works, of whatever tagger."""
    for batch in in_batches(sorted(items)):
        connection.execute(delete(TAGS).where(TAGS.c.item.in_(batch)))


def tags_of(connection: Connection, tagger: str) -> dict[str, tuple[str, ...]]:
    """What a tagger found in all works that it read, in order of id."""
    query = select(TAGS.c.item, TAGS.c.tags).where(TAGS.c.tagger == tagger).order_by(TAGS.c.item)
    return {row.item: tuple(row.tags) for row in connection.execute(query)}


def taggers(connection: Connection) -> dict[str, int]:
    """Which taggers' tags are kept, and of how many works, by name."""
    query = select(TAGS.c.tagger, func.count()).group_by(TAGS.c.tagger).order_by(TAGS.c.tagger)
    return {row[0]: row[1] for row in connection.execute(query)}
