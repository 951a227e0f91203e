"""What a participant sees: one page at a time. No page names an engine."""

from dataclasses import dataclass


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


def page_number(page: Page) -> int | None:
    """The number of a page that is part of the study's course; None of one that is not."""
    return None if isinstance(page, Paused | Closed) else page.number
