"""What forms of a study hold, question by question, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from vernissage.profiles.ratings import HIGHEST, LOWEST
from vernissage.study.definition import Definition

OLDEST = 120
_RATINGS = {str(rating): rating for rating in range(LOWEST, HIGHEST + 1)}
_T = TypeVar("_T")


@dataclass(frozen=True)
class Fault:
    """A question that was not answered, or not so that it can be stored.

    Attributes:
        field: the question's name in the form; ``target`` is the element to go to.
        name: the question in words; ``words`` say what to do.
    """

    field: str
    target: str
    name: str
    words: str


@dataclass(frozen=True)
class Question:
    """A question that is answered from 1 to 5: its field in the form, and its words."""

    field: str
    name: str


@dataclass(frozen=True)
class Reading(Generic[_T]):
    """What was read from a form: a value to store, unless there are faults."""

    value: _T
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Person:
    """What the first page asks beside consent; both may be left unanswered."""

    age: int | None
    gender: str


def read_person(fields: Mapping[str, str], definition: Definition) -> Reading[Person]:
    """Age, gender and consent."""
    age, gender = fields.get("age", "").strip(), fields.get("gender", "")
    years = int(age) if age.isascii() and age.isdigit() and len(age) <= 3 else None
    faults = []
    if age and (years is None or not definition.youngest <= years <= OLDEST):
        words = f"enter a number from {definition.youngest} to {OLDEST}, or nothing"
        faults.append(Fault("age", "age", "Your age", words))
    if gender and gender not in definition.genders:
        faults.append(Fault("gender", "gender-1", "Your gender", "choose one, or nothing"))
    if fields.get("consent") != "yes":
        faults.append(Fault("consent", "consent", "Your consent", "tick the box to take part, or close this page"))
    return Reading(Person(years, gender), tuple(faults))


def read_ratings(fields: Mapping[str, str], questions: Sequence[Question]) -> Reading[dict[str, int]]:
    """The answers to questions from 1 to 5, by field; other fields are not looked at."""
    given = {each.field: _RATINGS[fields[each.field]] for each in questions if fields.get(each.field) in _RATINGS}
    faults = [
        Fault(each.field, f"{each.field}-1", each.name, "choose a number from 1 to 5")
        for each in questions
        if each.field not in given
    ]
    return Reading(given, tuple(faults))
