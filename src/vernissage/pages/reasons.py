"""Why a work is recommended, in words and in numbers that add up as they are printed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.pages.templating import plain
from vernissage.recommenders.contract import EngineShare, Explanation, Reason

_NO_WORDS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class ReasonLine:
    """One rated work's part of a score, ready to print; ``bar`` is the length of its bar in percent of the longest."""

    title: str
    anchor: str
    rating: str
    weight: str
    contribution: str
    percent: str
    bar: float
    against: bool


@dataclass(frozen=True)
class PlaceLine:
    """One engine's place and part of a fused score, ready to print."""

    engine: str
    place: str
    share: str


@dataclass(frozen=True)
class Why:
    """The reasons for one work: a sentence, the rated works' parts and the engines' parts of ``score``."""

    sentence: str
    lines: tuple[ReasonLine, ...]
    places: tuple[PlaceLine, ...]
    score: str


@dataclass(frozen=True)
class RatedWork:
    """A rated work with its rating and the id of its element in the page."""

    item: Item
    rating: float
    anchor: str


def why(
    explanation: Explanation,
    rated: Mapping[str, RatedWork],
    collection: Collection,
    engine_words: Mapping[str, str] = _NO_WORDS,
) -> Why:
    """Turn an explanation into words and printed numbers; ``engine_words`` says in plain words what engines look at.

    Raises:
        RequestError: the parts of the explanation do not add up to its score.
    """
    parts = [reason.contribution for reason in explanation.reasons]
    shares = [share.share for share in explanation.shares]
    for each in (parts, shares):
        if each and not math.isclose(sum(each), explanation.score, rel_tol=1e-6, abs_tol=1e-9):
            raise RequestError(
                f"the reasons for {explanation.item_id} add up to {sum(each):g}, but its score is "
                f"{explanation.score:g}; explain it with the recommender, profile and filter that ranked it"
            )
    decimals = _decimals([*parts, *shares, explanation.score])
    return Why(
        sentence=_sentence(explanation.reasons, rated, collection),
        lines=_lines(explanation, rated, collection, decimals),
        places=_places(explanation, decimals, engine_words),
        score=_number(round(explanation.score * 10**decimals), decimals),
    )


def title_of(item: Item) -> str:
    """A work's title on one line, or "Untitled"."""
    return plain(item.title) or "Untitled"


def rating_words(rating: float) -> str:
    """A rating as it is read: "4 of 5", "3.5 of 5"."""
    return f"{rating:.4g} of 5"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 11th …, with commas between thousands."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def apportioned(parts: Sequence[float], total: float, decimals: int) -> list[str]:
    """The parts rounded so that what is printed adds up to the printed total.

    Each part is rounded down, and the units still missing go to those that lost most (largest remainder, Hamilton),
    so no part is off by a whole unit of its last digit.
    """
    units = np.array(parts, dtype=np.float64) * 10**decimals
    whole = np.floor(units)
    missing = int(round(total * 10**decimals) - whole.sum())
    whole[np.argsort(-(units - whole), kind="stable")[:missing]] += 1
    return [_number(int(each), decimals) for each in whole]


def _sentence(reasons: Sequence[Reason], rated: Mapping[str, RatedWork], collection: Collection) -> str:
    if not reasons:
        return ""
    first = reasons[0]
    title = title_of(collection[first.item_id])
    score = f" {rating_words(rated[first.item_id].rating)}" if first.item_id in rated else ""
    if first.contribution <= 0:
        return "Little of what you rated speaks for it; other works have even less in their favour"
    if first.weight < 0:
        return f"Because it is unlike {title}, which you rated{score}"
    return f"Because you rated {title}{score}"


def _lines(
    explanation: Explanation, rated: Mapping[str, RatedWork], collection: Collection, decimals: int
) -> tuple[ReasonLine, ...]:
    reasons = explanation.reasons
    parts = [reason.contribution for reason in reasons]
    longest = max((abs(part) for part in parts), default=0.0) or 1.0
    whole = sum(abs(part) for part in parts) or 1.0
    numbers = apportioned(parts, explanation.score, decimals)
    percents = apportioned([part / whole for part in parts], sum(parts) / whole, 2)
    return tuple(
        ReasonLine(
            title=title_of(collection[reason.item_id]),
            anchor=rated[reason.item_id].anchor if reason.item_id in rated else "",
            rating=rating_words(rated[reason.item_id].rating) if reason.item_id in rated else "",
            weight=f"{reason.weight:.3g}".replace("-", "−"),
            contribution=number,
            percent=_percent(percent),
            bar=round(100 * abs(reason.contribution) / longest, 1),
            against=reason.contribution < 0,
        )
        for reason, number, percent in zip(reasons, numbers, percents, strict=True)
    )


def _places(explanation: Explanation, decimals: int, words: Mapping[str, str]) -> tuple[PlaceLine, ...]:
    numbers = apportioned([share.share for share in explanation.shares], explanation.score, decimals)
    return tuple(
        PlaceLine(plain(words.get(share.engine, share.engine)), _place(share), number)
        for share, number in zip(explanation.shares, numbers, strict=True)
    )


def _place(share: EngineShare) -> str:
    return ordinal(share.rank) if share.rank else "not ranked"


def _decimals(values: Sequence[float]) -> int:
    """As many decimals as give the largest value four digits that count, at least 2 and at most 12."""
    largest = max(abs(value) for value in values)
    return 4 if largest == 0 else min(max(3 - math.floor(math.log10(largest)), 2), 12)


def _number(units: int, decimals: int) -> str:
    return f"{units / 10**decimals:.{decimals}f}".replace("-", "−")


def _percent(fraction: str) -> str:
    return f"{round(float(fraction.replace('−', '-')) * 100)} %".replace("-", "−")
