"""Works for what a visitor likes: some to rate, the list for these ratings, what was kept and hidden, and why."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vernissage.catalog.item import Item
from vernissage.pages.templating import embedded_json, plain, shortened
from vernissage.pages.visitor.frame import Frame, rendered
from vernissage.sentences import Sentence, translated

STARS: Mapping[int, Sentence] = {
    1: Sentence("not for me"),
    2: Sentence("not much"),
    3: Sentence("it is all right"),
    4: Sentence("I like it"),
    5: Sentence("I love it"),
}
"""What each number of stars says."""

_LIKED = 4
_LIKENESS = {
    "strong": Sentence("Close to what you like"),
    "fair": Sentence("Fairly close to what you like"),
    "weak": Sentence("Not very close to what you like"),
}
_SAID: Mapping[str, Sentence] = {
    "r": Sentence("Your rating is noted."),
    "r0": Sentence("Your rating is taken back."),
    "keep": Sentence("Kept: you find it below the list."),
    "keep0": Sentence("No longer kept."),
    "hide": Sentence("Hidden: it does not come back."),
    "hide0": Sentence("Shown again."),
    "ask": Sentence("Other works to choose from."),
    "n": Sentence("More works are at the end of the list."),
    "all": Sentence("Everything is cleared."),
    "undone": Sentence("Undone."),
    "taken": Sentence("These ratings are yours now."),
    "copied": Sentence("The link is copied."),
    "link": Sentence("Copy this link:"),
    "failed": Sentence("This could not be loaded; nothing that you rated is lost."),
}
"""What the script says of each change; it fills in nothing."""

Common = Callable[[Item, Item], Sequence[str]]
"""Of two works to sentences on what the table says of both."""


@dataclass(frozen=True)
class ForYou:
    """What the page shows, as records of works with their addresses, by id where ids are needed.

    Attributes:
        ratings: from 1 to 5 by id; ``rated`` are the records of the same works.
        asked: works to rate; ``turn`` says which turn of nine these are, ``turns`` how many there are.
        works: recommended ones; ``why`` has what `why_of` makes of each by id.
        more: how many works to ask for next; 0 where there are no more.
        fields: what the form holds beside what visitors see: names and values.
        link: where the ratings alone are to be had; empty where they are too many for an address.
        notes: what a visitor should know of the list.
        counted: where events of the list are told (``to``), its recommendation (``id``) and ``works``, ids in order.
    """

    ratings: Mapping[str, float]
    rated: Sequence[Mapping[str, Any]] = ()
    asked: Sequence[Mapping[str, Any]] = ()
    turn: int = 0
    turns: int = 1
    works: Sequence[Mapping[str, Any]] = ()
    why: Mapping[str, Any] = field(default_factory=dict)
    more: int = 0
    kept: Sequence[Mapping[str, Any]] = ()
    hidden: Sequence[Mapping[str, Any]] = ()
    fields: Sequence[tuple[str, str]] = ()
    link: str = ""
    notes: Sequence[str] = ()
    counted: Mapping[str, Any] = field(default_factory=dict)


def for_you_page(frame: Frame, shown: ForYou) -> str:
    """The page; without its script it is a form that asks for itself by what it holds."""
    said, kept = embedded_json(translated(dict(_SAID), frame.language)), [each["id"] for each in shown.kept]
    about = {"shown": vars(shown), "kept": kept, "said": said}
    about["counted"] = embedded_json(shown.counted) if shown.counted else ""
    return rendered("visitor/for_you.html", frame, stars=dict(STARS), name=name_of, **about)


def for_you_file(frame: Frame) -> str:
    """The page as a file: the widget, which asks the service of the museum's look, else adds up files."""
    return rendered("visitor/for_you_file.html", frame)


def name_of(record: Mapping[str, Any]) -> str:
    """What to call a work in a sentence: its title, what else is known of it, or that it is untitled."""
    return shortened(record["title"] or record.get("name", ""), 80) or Sentence("Untitled")


def notes_of(ratings: Mapping[str, float], works: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a visitor should know of a list for ratings."""
    if not works:
        return [Sentence("Nothing here is like what you rated. Rate another work.")]
    if max(ratings.values()) < _LIKED:
        return [Sentence("Rate something that you like for a better list.")]
    if all(work.get("band") == "weak" for work in works):
        return [Sentence("Nothing here is very close to what you rated.")]
    return []


def why_of(
    record: Mapping[str, Any],
    ratings: Mapping[str, float],
    rated: Mapping[str, Mapping[str, Any]],
    items: Mapping[str, Item],
    common: Common,
) -> dict[str, Any]:
    """The reasons of a record of an answer, for visitors: no engine's name, and numbers as percents that add up.

    ``rated`` are the records of the rated works by id; ``items`` those of which ``common`` tells. What comes back are
    ``words``, sentences; ``likeness``, how close the work is; and what each rated work (``parts``) and each way of
    looking (``looks``) adds.
    """
    reasons = [each for each in record["reasons"] if each["kind"] == "rated"]
    looks = [each for each in record["reasons"] if each["kind"] == "engine"]
    words = [each["words"] for each in record["reasons"] if each["kind"] == "field" and each["words"]]
    names = {item_id: name_of(each) for item_id, each in rated.items()}
    if reasons:
        first = reasons[0]
        words.append(_sentence(first, names.get(first["id"], plain(first["title"])), ratings.get(first["id"], 0)))
        if first["contribution"] > 0 < (first.get("weight") or 0) and {first["id"], record["id"]} <= {*items}:
            words += common(items[first["id"]], items[record["id"]])
        if seen := first.get("by_software"):
            words.append(Sentence("both seem to show: {tag} (by software)", tag=seen))
    return {
        "words": words,
        "likeness": _LIKENESS.get(record.get("band") or "", ""),
        "parts": [
            {"title": names.get(each["id"], plain(each["title"])), "rating": ratings.get(each["id"]), "percent": part}
            for each, part in zip(reasons, _percents(reasons), strict=True)
        ],
        "looks": [
            {"title": each["title"], "rating": None, "percent": part}
            for each, part in zip(looks, _percents(looks), strict=True)
        ],
    }


def _sentence(first: Mapping[str, Any], name: str, rating: float) -> str:
    if first["contribution"] <= 0:
        return Sentence("Little of what you rated speaks for it; other works have even less in their favour")
    if (first.get("weight") or 0) < 0:
        return Sentence("Because it is unlike “{title}”, which you rated {rating:g} of 5", title=name, rating=rating)
    if rating >= _LIKED:
        return Sentence("Because you liked “{title}”", title=name)
    return Sentence("Because you rated “{title}” {rating:g} of 5", title=name, rating=rating)


def _percents(reasons: Sequence[Mapping[str, Any]]) -> list[str]:
    parts = [each["contribution"] for each in reasons]
    whole = math.fsum(map(abs, parts)) or 1.0
    return apportioned([part / whole for part in parts], math.fsum(parts) / whole)


def apportioned(parts: Sequence[float], total: float) -> list[str]:
    """The parts in percent, rounded so that what is printed adds up to the printed total.

    Each part is rounded down, and the units still missing go to those that lost most (largest remainder, Hamilton),
    so no part is off by a whole percent.
    """
    units = np.array(parts, dtype=np.float64) * 100
    whole = np.floor(units)
    missing = int(round(total * 100) - whole.sum())
    whole[np.argsort(-(units - whole), kind="stable")[:missing]] += 1
    return [f"{int(each)} %".replace("-", "−") for each in whole]
