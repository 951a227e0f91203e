"""What a study is: its texts, engines, statements and rules."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from vernissage.files import digest

ElicitationMethod = Literal["groups", "coverage"]
AttentionRule = Literal["repeated-showings", "none"]

OLDEST = 120
"""The highest age that somebody can tell."""

PAGES_BEFORE_SCREENS = 2
"""Welcome and elicitation."""


@dataclass(frozen=True)
class Statement:
    """What participants agree or disagree with; ``name`` is the column of the export."""

    name: str
    text: str


STATEMENTS = (
    Statement("accuracy", "The recommendations match my personal preferences and interests."),
    Statement("diversity", "The recommended paintings are diverse."),
    Statement("novelty", "The recommender helped me discover paintings I did not know before."),
    Statement("serendipity", "I found surprisingly interesting paintings."),
)
"""The four of Yilma & Leiva (UMAP 2023, doi 10.1145/3565472.3592964)."""

AGREEMENT = ("Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree")
LIKING = ("Not at all", "A little", "Somewhat", "Quite a lot", "Very much")
GENDERS = ("Woman", "Man", "Non-binary", "Prefer not to say")


@dataclass(frozen=True)
class Texts:
    """What participants read; paragraphs are separated by an empty line."""

    purpose: str
    duration: str
    data_policy: str
    consent: str
    contact: str
    elicitation: str = "How much do you like each of these works?"
    assessment: str = "Look at the works, and say how much you agree with each statement."
    thanks: str = "Thank you for taking part. Your answers are stored."


@dataclass(frozen=True)
class Elicitation:
    """Which works participants rate first.

    Attributes:
        method: ``groups``: one work at random from each group; ``coverage``: the same works for all, the medoids of
            k-centre clusters.
        works: how many.
        groups: the groups to draw from; empty for the largest ones.
        encoder: whose vectors ``coverage`` clusters; empty for the first that the workspace has.
        labels: the words for 1 to 5.
    """

    method: ElicitationMethod = "groups"
    works: int = 9
    groups: tuple[str, ...] = ()
    encoder: str = ""
    labels: tuple[str, ...] = LIKING


@dataclass(frozen=True)
class Completion:
    """What participants get in the end: a code, an address to return to, both or neither."""

    code: str = ""
    return_url: str = ""


@dataclass(frozen=True)
class Definition:
    """A study as its file defines it.

    Attributes:
        id: names the study in the database.
        language: of the texts, such as ``en`` or ``pt-BR``.
        engines: words for engines.
        works: how many works a list has.
        repetitions: how often each list is shown, 1 or 2.
        seed: of the draws, and of which engine stands for which letter of the square.
        statements: what participants judge each list by.
        labels: the words for 1 to 5 under the statements.
        attention: ``repeated-showings`` leaves participants out of the analysis whose two answers to one list differ
            by 2 or more; ``none`` leaves nobody out.
        youngest: the lowest age that may take part.
        genders: the words to choose from; empty does not ask.
        inactivity_minutes: who is not heard of for longer counts as dropped out.
    """

    id: str
    title: str
    language: str
    engines: tuple[str, ...]
    texts: Texts
    works: int = 9
    repetitions: int = 2
    seed: int = 0
    elicitation: Elicitation = field(default_factory=Elicitation)
    statements: tuple[Statement, ...] = STATEMENTS
    labels: tuple[str, ...] = AGREEMENT
    completion: Completion = field(default_factory=Completion)
    attention: AttentionRule = "repeated-showings"
    youngest: int = 18
    genders: tuple[str, ...] = GENDERS
    inactivity_minutes: int = 120

    @property
    def screens(self) -> int:
        """How many lists a participant judges, each showing counted."""
        return len(self.engines) * self.repetitions

    @property
    def last_page(self) -> int:
        """The number of the page that thanks."""
        return PAGES_BEFORE_SCREENS + self.screens

    @property
    def content(self) -> dict[str, Any]:
        """Everything that the study is, as JSON values."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values

    @property
    def digest(self) -> str:
        """64 hexadecimal digits over the meaning: the order and layout of the file do not matter."""
        return digest(json.dumps(self.content, sort_keys=True, ensure_ascii=False).encode())


def definition_of(content: Mapping[str, Any]) -> Definition:
    """The definition whose `Definition.content` that is."""
    nested: dict[str, Any] = {
        "texts": Texts(**content["texts"]),
        "elicitation": Elicitation(**_tuples(content["elicitation"])),
        "statements": tuple(Statement(**each) for each in content["statements"]),
        "completion": Completion(**content["completion"]),
    }
    return Definition(**_tuples({key: value for key, value in content.items() if key not in nested}), **nested)


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The keys by which two definitions' contents differ, in the file's words."""
    changed: list[str] = []
    for key in (each.name for each in fields(Definition)):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            changed += [f"{key}.{inner}" for inner in new if old.get(inner) != new[inner]]
        elif old != new:
            changed.append(key)
    return changed


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
