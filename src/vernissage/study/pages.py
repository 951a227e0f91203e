"""What a participant sees, one page at a time, and what they send from it. No page names an engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vernissage.storage.studies import Flag


@dataclass(frozen=True)
class Visitor:
    """Somebody at a study's address, of whom nothing is stored before they consent.

    Attributes:
        external_id: from the recruitment service, or drawn at random.
        recruitment_study: the study's id at the recruitment service, if any; likewise ``recruitment_session``.
    """

    flag: Flag
    external_id: str
    recruitment_study: str = ""
    recruitment_session: str = ""


@dataclass(frozen=True)
class Welcome:
    """Purpose, data policy and consent; the first page.

    Attributes:
        number: goes with what is submitted from the page, and is refused once the participant is further.
    """

    number: int


@dataclass(frozen=True)
class Elicitation:
    """Works to be rated from 1 to 5, all of them."""

    number: int
    works: tuple[str, ...]


@dataclass(frozen=True)
class Assessment:
    """A list to be judged, best work first: screen ``position`` of ``of``, from 1."""

    number: int
    position: int
    of: int
    works: tuple[str, ...]


@dataclass(frozen=True)
class Thanks:
    """The end: every answer is stored. ``code`` and ``return_url`` are empty where the study has none."""

    number: int
    code: str
    return_url: str


@dataclass(frozen=True)
class Paused:
    """The study is paused; the participant goes on later where they were."""


@dataclass(frozen=True)
class Closed:
    """The participation was ended by the experimenter, or is a preview of a former definition."""


Page = Welcome | Elicitation | Assessment | Thanks | Paused | Closed


@dataclass(frozen=True)
class Consent:
    """What is sent from the first page: that the participant consents, with age and gender where they are told."""

    age: int | None = None
    gender: str = ""


Answers = Consent | Mapping[str, int]
"""What is sent from a page: consent, or 1 to 5 for each work of an elicitation or each statement about a list."""

ReadAnswers = Callable[[Page], Answers | None]
"""Reads answers for the page that is current when they are stored; None stores nothing."""


def page_number(page: Page) -> int | None:
    """The number of a page that is part of the study's course; None of one that is not."""
    return None if isinstance(page, Paused | Closed) else page.number
