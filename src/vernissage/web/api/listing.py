"""Works in an order, some at a time: all, those that fulfil conditions, or those that a search finds."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from vernissage.errors import RequestError
from vernissage.gallery.answer import Answer
from vernissage.gallery.sorting import sorted_rows
from vernissage.values import Condition
from vernissage.web.api.service import Service

_MOST_SEARCHED = 1_000


@dataclass(frozen=True)
class Listed:
    """Some works of a list.

    Attributes:
        total: how many there are in all, if that is known; ``next`` is the cursor of those that follow.
        found: for a search the whole answer up to here, with what of each work the words have met.
    """

    ids: Sequence[str]
    total: int | None
    next: str | None
    found: Answer | None = None


class Listing:
    """Lists of one service; the order of works is kept for the next request of the same."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._sorted = lru_cache(16)(lambda _, *asked: sorted_rows(service.gallery.snapshot, *asked))

    def page(self, q: str, where: Sequence[str | Condition], sort: str, limit: int, cursor: str) -> Listed:
        """The works from ``cursor`` on, ``limit`` at most.

        Raises:
            RequestError: something of it is not understood, or the cursor is of another state.
        """
        service = self._service
        start = _read_cursor(cursor, service)
        if q:
            count = min(_MOST_SEARCHED, start + limit + 1)
            found = service.gallery.search(q, count, where=where)
            total = len(found) if len(found) < count else None
            ids: Sequence[str] = found.ids[start : start + limit]
            more = len(found) > start + limit
        else:
            found = None
            rows = self._sorted(service.gallery.fingerprint, tuple(where), sort)
            total, more = len(rows), len(rows) > start + limit
            ids = service.gallery.collection.ids.take(rows[start : start + limit])
        return Listed(ids, total, _cursor(start + limit, service) if more else None, found)


def _cursor(start: int, service: Service) -> str:
    text = f"{service.gallery.fingerprint}:{start}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, service: Service) -> int:
    if not cursor:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        text = ""
    state, _, start = text.partition(":")
    if not start.isdecimal() or len(start) > 9:
        raise RequestError(f"cursor was given {cursor!r}; take next of the page before, as it stands")
    if state != service.gallery.fingerprint:
        raise RequestError("the collection has changed since that page; begin again without cursor")
    return int(start)
