"""Ratings that people gave to works of the collection or to uploads."""

import math
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from vernissage.errors import RatingsError
from vernissage.profiles.ratings import HIGHEST, LOWEST
from vernissage.storage.changes import log_changes
from vernissage.storage.people import enter_person, person_key
from vernissage.storage.schema import PEOPLE, RATINGS
from vernissage.storage.validation import checked_text


def rate(connection: Connection, owner: str, item_id: str, rating: float, time: datetime) -> None:
    """Keep a person's rating of a work, 1 to 5, in place of the former one, and log that the work was rated.

    Raises:
        RatingsError: the rating is outside 1 to 5.
        StorageError: the name or the id cannot be stored.
    """
    if not (math.isfinite(rating) and LOWEST <= rating <= HIGHEST):
        raise RatingsError(f"the rating of {item_id} is {rating:g}; ratings go from {LOWEST} to {HIGHEST}")
    person, item = enter_person(connection, owner), checked_text("id", item_id)
    connection.execute(delete(RATINGS).where(RATINGS.c.person == person, RATINGS.c.item == item))
    connection.execute(insert(RATINGS).values(person=person, item=item, rating=float(rating), time=time))
    log_changes(connection, [item], "rated")


def unrate(connection: Connection, owner: str, item_id: str) -> bool:
    """Take a rating back, and log that; says whether there was one."""
    person = person_key(connection, owner)
    taken = connection.execute(delete(RATINGS).where(RATINGS.c.person == person, RATINGS.c.item == item_id)).rowcount
    if taken:
        log_changes(connection, [item_id], "rated")
    return taken > 0


def ratings_of(connection: Connection, owner: str) -> dict[str, float]:
    """A person's ratings by work, the latest last; none where nothing is kept of them."""
    query = select(RATINGS.c.item, RATINGS.c.rating).join(PEOPLE, PEOPLE.c.id == RATINGS.c.person)
    rows = connection.execute(query.where(PEOPLE.c.name == owner).order_by(RATINGS.c.time, RATINGS.c.item))
    return {row.item: row.rating for row in rows}
