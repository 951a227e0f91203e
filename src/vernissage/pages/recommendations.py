"""The page that shows a visitor what was found for them, and why: in words, and in numbers that add up as printed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.gallery.answer import Answer, Reason, Work
from vernissage.pages.templating import plain, render
from vernissage.pages.works import Reading, credits_of, title_of, work_of
from vernissage.progress import Progress, silent

RATED_SIDE = 240
_SHOWN_REASONS = 3
_LIKENESS = {"strong": "Close to what you like", "fair": "Fairly close to what you like"}
_LIKENESS |= {"weak": "Not very close to what you like"}

Rated = Mapping[str, tuple[int, float]]
"""By id the number of a rated work on the page, from 1, and its rating."""


@dataclass(frozen=True)
class ReasonLine:
    """One rated work's part of a score, ready to print.

    Attributes:
        number: of the rated work on the page; 0 where it is not there.
        bar: the length of its bar in percent of the longest.
    """

    title: str
    number: int
    rating: float
    weight: str
    contribution: str
    percent: str
    bar: float
    against: bool


@dataclass(frozen=True)
class Why:
    """The reasons for one work: a sentence, the rated works' parts, (engine, place, part of ``score``), and its band.

    ``seen`` is what software says that the work and the rated work of the sentence both seem to show.
    """

    sentence: str
    seen: str
    lines: tuple[ReasonLine, ...]
    places: tuple[tuple[str, str, str], ...]
    score: str
    likeness: str


def recommendation_page(
    answer: Answer, ratings: Sequence[tuple[Item, float]], *, title: str, engine: str, progress: Progress = silent
) -> str:
    """One HTML document, complete in itself, that shows the rated works and the recommended ones with their reasons.

    ``ratings`` are the rated works with their ratings, ``title`` names the collection, ``engine`` says in plain words
    how the works were chosen. Equal input gives equal bytes.

    Raises:
        RequestError: the reasons of a work do not add up to its score.
        CollectionError: a picture cannot be read.
    """
    given = {item.id: (item, rating) for item, rating in ratings}
    rated = {item_id: (number, rating) for number, (item_id, (_, rating)) in enumerate(given.items(), start=1)}
    tags = answer.seen([*given, *answer.ids])
    reading = Reading(answer.picture_path, len(given) + len(answer), progress, tags)
    shown = [
        (work_of(reading, number, item, side=RATED_SIDE), rating)
        for number, (item, rating) in enumerate(given.values(), start=1)
    ]
    return render(
        "recommendations.html",
        styles=["page.css", "recommendations.css"],
        scripts=["enlarge.js"],
        title=title,
        engine=engine,
        notes=answer.notes,
        rated=shown,
        credits=credits_of([work for work, _ in shown]),
        works=[
            work_of(reading, number, work.item, why=_why(work, rated) if work.reasons else None, also=work.also)
            for number, work in enumerate(answer.works, start=1)
        ],
        fused=any(work.of_kind("engine") for work in answer.works),
        reasoned=any(work.reasons for work in answer.works),
        against=any((reason.weight or 0) < 0 for work in answer.works for reason in work.reasons),
        shown=_SHOWN_REASONS,
        rating_words=_rating_words,
    )


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


def _why(work: Work, rated: Rated) -> Why:
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
    largest = max(abs(value) for value in (*(reason.contribution for reason in (*reasons, *engines)), work.score))
    # The largest value gets four digits that count.
    decimals = 4 if largest == 0 else min(max(3 - math.floor(math.log10(largest)), 2), 12)
    shares = apportioned([engine.contribution for engine in engines], work.score, decimals)
    return Why(
        sentence=_sentence(reasons[0], rated) if reasons else "",
        seen=reasons[0].by_software if reasons else "",
        lines=_lines(reasons, work.score, rated, decimals),
        places=tuple(
            (plain(engine.title), ordinal(engine.rank) if engine.rank else "not ranked", share)
            for engine, share in zip(engines, shares, strict=True)
        ),
        score=_number(round(work.score * 10**decimals), decimals),
        likeness=_LIKENESS[work.band] if work.band else "",
    )


def _sentence(first: Reason, rated: Rated) -> str:
    if first.contribution <= 0:
        return "Little of what you rated speaks for it; other works have even less in their favour"
    score = f" {_rating_words(rated[first.id][1])}" if first.id in rated else ""
    if first.weight is not None and first.weight < 0:
        return f"Because it is unlike {title_of(first.title)}, which you rated{score}"
    return f"Because you rated {title_of(first.title)}{score}"


def _lines(reasons: Sequence[Reason], score: float, rated: Rated, decimals: int) -> tuple[ReasonLine, ...]:
    parts = [reason.contribution for reason in reasons]
    longest = max((abs(part) for part in parts), default=0.0) or 1.0
    whole = sum(abs(part) for part in parts) or 1.0
    numbers = apportioned(parts, score, decimals)
    percents = apportioned([part / whole for part in parts], sum(parts) / whole, 2)
    return tuple(
        ReasonLine(
            title_of(reason.title),
            *rated.get(reason.id, (0, 0.0)),
            weight=f"{reason.weight or 0:.3g}".replace("-", "−"),
            contribution=number,
            percent=f"{round(float(percent.replace('−', '-')) * 100)} %".replace("-", "−"),
            bar=round(100 * abs(reason.contribution) / longest, 1),
            against=reason.contribution < 0,
        )
        for reason, number, percent in zip(reasons, numbers, percents, strict=True)
    )


def _rating_words(rating: float) -> str:
    return f"{rating:.4g} of 5"


def _number(units: int, decimals: int) -> str:
    return f"{units / 10**decimals:.{decimals}f}".replace("-", "−")
