"""What the pages share: the study, its pictures, cookies and limits; and what is checked of every request."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request
from fastapi.responses import RedirectResponse

from vernissage.catalog.collection import Collection
from vernissage.errors import VernissageError
from vernissage.study.participation import Study
from vernissage.web.limits import Allowance, RateLimit
from vernissage.web.pictures import Pictures
from vernissage.web.sessions import Sessions, Visitor

STRANGERS = "strangers"
"""Whoever has no cookie yet: they share one allowance, since nothing else about them is looked at."""


class TooManyRequestsError(VernissageError):
    """Somebody asks faster than any person can; ``wait`` is in seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"too many requests; wait {wait} seconds")
        self.wait = wait


@dataclass(frozen=True)
class Limits:
    """How often one visitor may ask for pages and for pictures, and everybody together may try passwords."""

    visitors: RateLimit
    strangers: RateLimit
    pictures: RateLimit
    logins: RateLimit


def usual_limits(clock: Callable[[], float] = time.monotonic) -> Limits:
    """Limits that no person meets, by a clock in seconds."""
    return Limits(
        visitors=RateLimit(Allowance(at_once=60, each_second=4), clock),
        strangers=RateLimit(Allowance(at_once=200, each_second=20), clock),
        pictures=RateLimit(Allowance(at_once=400, each_second=40), clock),
        logins=RateLimit(Allowance(at_once=8, each_second=0.1), clock),
    )


@dataclass(frozen=True)
class Site:
    """One study as this process serves it.

    Attributes:
        password: the hash of the experimenter's; None where none was set.
    """

    study: Study
    collection: Collection
    pictures: Pictures
    sessions: Sessions
    password: str | None
    limits: Limits = field(default_factory=usual_limits)

    def visitor(self, request: Request) -> Visitor | None:
        """Who asks for a page, counted against their allowance.

        Raises:
            TooManyRequestsError: they ask too often.
        """
        visitor = self.sessions.visitor(request)
        if visitor is None:
            require(self.limits.strangers.wait(STRANGERS))
        else:
            require(self.limits.visitors.wait(visitor.external_id))
        return visitor

    def count_picture(self, request: Request) -> None:
        """Count a picture against the allowance of whoever asks for it.

        Raises:
            TooManyRequestsError: they ask too often.
        """
        visitor = self.sessions.visitor(request)
        require(self.limits.pictures.wait(STRANGERS if visitor is None else visitor.external_id))


def require(wait: int) -> None:
    """Go on only where there is nothing to wait for.

    Raises:
        TooManyRequestsError: there are seconds to wait.
    """
    if wait:
        raise TooManyRequestsError(wait)


def see_other(address: str) -> RedirectResponse:
    """An answer to a form, or to a page that is not the current one: go there."""
    return RedirectResponse(address, status_code=303)
