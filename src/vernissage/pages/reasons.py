"""Why a work is recommended, in words and in numbers that add up as they are printed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.gallery.answer import Reason, Work
from vernissage.pages.templating import plain


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


def why(work: Work, rated: Mapping[str, RatedWork]) -> Why:
    """Turn a work's reasons into words and printed numbers.

    Raises:
        RequestError: the reasons of one kind do not add up to the score.
    """
    reasons, engines = work.of_kind("rated"), work.of_kind("engine")
    for each in (reasons, engines):
        total = sum(reason.contribution for reason in each)
        if each and not math.isclose(total, work.score, rel_tol=1e-6, abs_tol=1e-9):
            raise RequestError(
                f"the reasons for {work.id} add up to {total:g}, but its score is {work.score:g}; take both from one "
                f"answer"
            )
    decimals = _decimals([*(reason.contribution for reason in (*reasons, *engines)), work.score])
    return Why(
        sentence=_sentence(reasons, rated),
        lines=_lines(reasons, work.score, rated, decimals),
        places=_places(engines, work.score, decimals),
        score=_number(round(work.score * 10**decimals), decimals),
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


def _sentence(reasons: Sequence[Reason], rated: Mapping[str, RatedWork]) -> str:
    if not reasons:
        return ""
    first = reasons[0]
    score = f" {rating_words(rated[first.id].rating)}" if first.id in rated else ""
    title = plain(first.title) or "Untitled"
    if first.contribution <= 0:
        return "Little of what you rated speaks for it; other works have even less in their favour"
    if first.weight is not None and first.weight < 0:
        return f"Because it is unlike {title}, which you rated{score}"
    return f"Because you rated {title}{score}"


def _lines(
    reasons: Sequence[Reason], score: float, rated: Mapping[str, RatedWork], decimals: int
) -> tuple[ReasonLine, ...]:
    parts = [reason.contribution for reason in reasons]
    longest = max((abs(part) for part in parts), default=0.0) or 1.0
    whole = sum(abs(part) for part in parts) or 1.0
    numbers = apportioned(parts, score, decimals)
    percents = apportioned([part / whole for part in parts], sum(parts) / whole, 2)
    return tuple(
        ReasonLine(
            title=plain(reason.title) or "Untitled",
            anchor=rated[reason.id].anchor if reason.id in rated else "",
            rating=rating_words(rated[reason.id].rating) if reason.id in rated else "",
            weight=f"{reason.weight or 0:.3g}".replace("-", "−"),
            contribution=number,
            percent=_percent(percent),
            bar=round(100 * abs(reason.contribution) / longest, 1),
            against=reason.contribution < 0,
        )
        for reason, number, percent in zip(reasons, numbers, percents, strict=True)
    )


def _places(engines: Sequence[Reason], score: float, decimals: int) -> tuple[PlaceLine, ...]:
    numbers = apportioned([engine.contribution for engine in engines], score, decimals)
    return tuple(
        PlaceLine(plain(engine.title), ordinal(engine.rank) if engine.rank else "not ranked", number)
        for engine, number in zip(engines, numbers, strict=True)
    )


def _decimals(values: Sequence[float]) -> int:
    """As many decimals as give the largest value four digits that count, at least 2 and at most 12."""
    largest = max(abs(value) for value in values)
    return 4 if largest == 0 else min(max(3 - math.floor(math.log10(largest)), 2), 12)


def _number(units: int, decimals: int) -> str:
    return f"{units / 10**decimals:.{decimals}f}".replace("-", "−")


def _percent(fraction: str) -> str:
    return f"{round(float(fraction.replace('−', '-')) * 100)} %".replace("-", "−")
