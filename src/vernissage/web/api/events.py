"""Events: what became of recommended works, as pages that show them tell; each counts once."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import ConfigDict, Field

from vernissage import storage
from vernissage.errors import RequestError
from vernissage.storage.events import Event, EventKind
from vernissage.web.api.access import Access
from vernissage.web.api.bodies import MOST_WORKS, Body, WorkId
from vernissage.web.api.problems import ProblemError
from vernissage.web.api.service import LONGEST_TOKEN, ROOT, Service
from vernissage.web.api.works import described, known_parameters

MOST_EVENTS = 100
_MOST_WORKS_IN_ALL = 2_000


class WorksEvent(Body):
    """What became of works of one recommendation."""

    kind: EventKind = Field(description="shown, opened, kept or hidden; whatever became of a work, it was shown.")
    recommendation_id: Annotated[str, Field(min_length=1, max_length=LONGEST_TOKEN)]
    works: Annotated[list[WorkId], Field(max_length=MOST_WORKS)] = Field(
        [], description="Ids; none for a recommendation without works that was shown."
    )


class EventBatch(Body):
    """One event or several; all are taken, or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"events": [{"kind": "opened", "recommendation_id": "AbC…", "works": ["v041"]}]}]
        }
    )

    events: Annotated[list[WorksEvent], Field(min_length=1, max_length=MOST_EVENTS)]


def events_router(service: Service, access: Access) -> APIRouter:
    """Where events are sent, with the scope ``events``."""
    router, asks = APIRouter(tags=["events"], dependencies=[Depends(known_parameters)]), access.require("events")

    @router.post(
        f"{ROOT}/events",
        name="sendEvents",
        summary="What became of recommended works",
        status_code=HTTPStatus.ACCEPTED,
        response_model=None,
        responses=described("EventsKept", HTTPStatus.ACCEPTED),
    )
    def take(request: Request, body: EventBatch) -> dict[str, Any]:
        asker = asks(request)
        total = sum(len(each.works) for each in body.events)
        if total > _MOST_WORKS_IN_ALL:
            raise RequestError(f"the events name {total:,} works; send at most {_MOST_WORKS_IN_ALL:,} at once")
        events = {each: None for place, sent in enumerate(body.events, 1) for each in _read(service, sent, place)}
        with service.gallery.repository.database.writing() as connection:
            kept = storage.events.add_events(connection, events, datetime.now(UTC), asker.person)
        return {"kept": kept, "known": len(events) - kept}

    return router


def _read(service: Service, sent: WorksEvent, place: int) -> list[Event]:
    """An event of each work.

    Raises:
        ProblemError: the recommendation is none of this server's (404).
        RequestError: a work is not in it, or none is named.
    """
    try:
        found = service.recommended(sent.recommendation_id)
    except ProblemError as error:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"event {place}: {error}") from None
    about: dict[str, Any] = {"engine": found.engine, "split": found.trial.split, "visitor": found.trial.visitor or None}
    if not sent.works:
        if sent.kind != "shown" or found.digests:
            raise RequestError(f"event {place} names no works; name those that were {sent.kind}")
        return [Event(found.key, "", sent.kind, position=0, **about)]
    events = list[Event]()
    for item in dict.fromkeys(sent.works):
        position = found.position(item)
        if position is None:
            raise RequestError(f"event {place}: {item} is not among the works of that recommendation")
        events.append(Event(found.key, item, sent.kind, position=position, **about))
    return events
