"""How the commands show works that were recommended or found."""

from typing import TYPE_CHECKING, Any

from vernissage.cli.output import print_table, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vernissage.catalog.collection import Collection
    from vernissage.recommenders.contract import Explanation

USUAL_COUNT = 9


def how_many(n: int | None, known: set[str], among: frozenset[str] | None) -> int:
    """How many works to answer with; fewer than were asked for would be no answer."""
    there = len(known if among is None else known & among)
    which = "works can be recommended" if among is None else "works fit the conditions and can be recommended"
    if there == 0:
        raise RequestError(f"no {which}; loosen the conditions, or choose another engine")
    if n is not None and n < 1:
        raise RequestError(f"{n} works were asked for; ask for 1 or more")
    if n is not None and n > there:
        raise RequestError(f"{n} works were asked for, but only {there} {which}; ask for -n {there} or fewer")
    return n if n is not None else min(USUAL_COUNT, there)


def print_works(
    collection: "Collection", works: "Sequence[Explanation]", ratings: dict[str, float] | None = None
) -> None:
    columns = ["", "id", "title", "artist", "year", "score"]
    rows = []
    for rank, each in enumerate(works, start=1):
        item = collection[each.item_id]
        row = [str(rank), item.id, item.title or "untitled", item.artist, item.year, f"{each.score:.4f}"]
        rows.append([*row, _because(collection, each, ratings)] if ratings else row)
    print_table([*columns, "because you rated"] if ratings else columns, rows, numbers=["", "score"])


def _because(collection: "Collection", why: "Explanation", ratings: dict[str, float]) -> str:
    """The rated works that speak most for a work, with their ratings and their part of the score."""
    strongest = [reason for reason in why.reasons[:2] if reason.contribution > 0]
    parts = [
        f"{collection[reason.item_id].title or reason.item_id} {ratings[reason.item_id]:g}"
        + (f" ({reason.contribution / why.score:.0%})" if why.score > 0 else "")
        for reason in strongest
    ]
    return ", ".join(parts)


def print_terms(collection: "Collection", why: "Explanation") -> None:
    say("")
    say(f"{titled(collection, why.item_id)}: score {why.score:.6f}")
    for share in why.shares:
        rank = f"rank {share.rank}" if share.rank else "not ranked"
        say(f"  {share.share:+.6f}  {share.engine} ({rank})")
    if why.shares:
        say("  of which")
    for reason in why.reasons:
        say(f"  {reason.contribution:+.6f}  {titled(collection, reason.item_id)} (weight {reason.weight:g})")
    say(f"  {sum(reason.contribution for reason in why.reasons):+.6f}  together")


def work_as_json(collection: "Collection", why: "Explanation") -> dict[str, Any]:
    content: dict[str, Any] = {
        "id": why.item_id,
        "score": why.score,
        **names_of(collection, why.item_id),
        "reasons": [
            {"id": reason.item_id, "weight": reason.weight, "contribution": reason.contribution}
            for reason in why.reasons
        ],
    }
    if why.shares:
        content["engines"] = [
            {"engine": share.engine, "rank": share.rank or None, "share": share.share} for share in why.shares
        ]
    return content


def names_of(collection: "Collection", item_id: str) -> dict[str, str]:
    item = collection[item_id]
    return {"title": item.title, "artist": item.artist}


def titled(collection: "Collection", item_id: str) -> str:
    item = collection[item_id]
    return f"{item.title or 'untitled'} ({item_id})"
