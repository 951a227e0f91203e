"""Small studies over works that need no workspace: every engine recommends works of its own."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from vernissage.storage.database import Database
from vernissage.storage.studies import Provenance
from vernissage.study.definition import Completion, Definition, Elicitation, Texts
from vernissage.study.participation import Assessment, Consent, Page, Study
from vernissage.study.participation import Elicitation as ElicitationPage
from vernissage.study.plan import Plan
from vernissage.study.timing import Clocks
from vernissage.values import Ranking

TEXTS = Texts("To learn.", "A minute.", "Answers are kept.", "I agree.", "ann@example.org")
STUDY = Definition(
    id="pilot",
    title="A pilot",
    language="en",
    engines=("east", "north", "west"),
    texts=TEXTS,
    works=3,
    elicitation=Elicitation(works=2),
    completion=Completion(code="C1DONE"),
)
GROUPS = {"boats": ("boat-1", "boat-2", "boat-3"), "cats": ("cat-1", "cat-2")}


class HandClocks:
    """Clocks that stand still until a test moves them, each for itself."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.seconds = 1000.0

    def pass_by(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self.seconds += seconds

    @property
    def clocks(self) -> Clocks:
        return Clocks(lambda: self.time, lambda: self.seconds)


def recommend(engine: str, ratings: Mapping[str, int], n: int) -> Ranking:
    """Works that name the engine and the sum of the ratings, so that a list tells what it was made of."""
    total = sum(ratings.values())
    return Ranking(tuple(f"{engine}-{total}-{rank}" for rank in range(n)), np.arange(n, 0, -1, dtype=np.float64))


def plan_of(definition: Definition = STUDY, *, collection: str = "c0ffee", **encoders: str) -> Plan:
    provenance = Provenance(definition.digest, collection, encoders or {"lda": "f1"}, "0.1.0", definition.content)
    return Plan(definition, GROUPS, provenance)


def study_of(database: Database, clocks: Clocks | None = None, **changes: Any) -> Study:
    return Study(plan_of(replace(STUDY, **changes)), database, recommend, clocks)


def submit(study: Study, key: str, page: Page, value: int = 4) -> Page:
    """Answer a page, everything with the same value."""
    if isinstance(page, ElicitationPage):
        return study.submit(key, page.number, dict.fromkeys(page.works, value))
    if isinstance(page, Assessment):
        names = [statement.name for statement in study.definition.statements]
        return study.submit(key, page.number, dict.fromkeys(names, value))
    return study.submit(key, 0, Consent(30, "Woman"))


def walk(study: Study, external_id: str, *, pages: int | None = None, value: int = 4, **how: Any) -> str:
    """Take part, to the end or for so many pages; returns the key."""
    begun = study.register(external_id, **how)
    assert begun.key is not None
    page = begun.page
    for _ in range(study.definition.last_page if pages is None else pages):
        page = submit(study, begun.key, page, value)
    return begun.key
