"""What may be stored: what participants send, and what engines recommend to them."""

from collections.abc import Collection, Mapping, Sequence

from vernissage.errors import StudyError
from vernissage.profiles.ratings import HIGHEST, LOWEST
from vernissage.study.definition import Definition


def check_person(definition: Definition, age: int | None, gender: str) -> None:
    """Check what somebody tells of themselves; nothing is fine too.

    Raises:
        StudyError: the age is none or below the lowest that may take part, or the gender is not among the choices.
    """
    if age is not None and not definition.youngest <= age <= 120:
        raise StudyError(f"the age {age} cannot take part; it goes from {definition.youngest} to 120")
    if gender and gender not in definition.genders:
        raise StudyError(f"the gender {gender[:60]!r} is not among {', '.join(definition.genders) or 'what is asked'}")


def check_ratings(ratings: Mapping[str, int], asked: Sequence[str], kind: str) -> None:
    """Check that everything that was asked about, and nothing else, is rated from 1 to 5; ``kind`` is its word.

    Raises:
        StudyError: it is not.
    """
    missing = [name for name in asked if name not in ratings]
    unknown = [name for name in ratings if name not in asked]
    wrong = [name for name, value in ratings.items() if type(value) is not int or not LOWEST <= value <= HIGHEST]
    if missing:
        raise StudyError(f"{len(missing)} of {len(asked)} have no answer yet; answer every {kind} from 1 to 5")
    if unknown or wrong:
        raise StudyError(f"an answer to {(unknown or wrong)[0][:60]!r} is not one from 1 to 5 to a {kind} of this page")


def check_list(engine: str, items: Sequence[str], rated: Collection[str], works: int) -> None:
    """Check an engine's list before it is shown.

    Raises:
        StudyError: it has not that many works, repeats one or holds a rated one.
    """
    if len(items) != works or len({*items, *rated}) != len(items) + len(rated):
        raise StudyError(
            f"{engine} recommends {len(items)} works where {works} are to be shown, all different and none that was "
            f"rated; run `vernissage study check` and choose another engine"
        )
