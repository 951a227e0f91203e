"""Recommendations for a visitor from ratings: ``recommend --rate``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.cli.output import note, print_json, progress_bars
from vernissage.cli.works import USUAL_COUNT, how_many, print_terms, print_works, work_as_json
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.recommenders.contract import Explanation


@dataclass(frozen=True)
class RatedWish:
    """What is asked for ratings: see the options of ``recommend``."""

    rate: Sequence[str]
    ratings: Path | None
    engine: str | None
    n: int | None
    rule: str
    where: Sequence[str]
    diversity: float
    method: str
    k: float | None
    depth: int | None
    weight: Sequence[str]
    joint: str
    explain: bool
    as_json: bool
    html: Path | None


def recommend_for_ratings(workspace: Path, wish: RatedWish) -> None:
    """Recommend works for a visitor's ratings, and show them as asked."""
    from vernissage.cli.engines import FusionOptions, default_engine, make_engine
    from vernissage.cli.ratings import collect_ratings
    from vernissage.profiles.ratings import profile_from_ratings
    from vernissage.recommenders.filters import matching, parse_condition
    from vernissage.workspace.workspace import open_workspace

    opened = open_workspace(workspace)
    collection = opened.collection
    profile = profile_from_ratings(collect_ratings(collection, wish.rate, wish.ratings), wish.rule)  # type: ignore[arg-type]
    among = matching(collection, [parse_condition(text) for text in wish.where]) if wish.where else None
    name = wish.engine or default_engine(opened)
    options = FusionOptions(wish.method, wish.k, wish.depth, _weights(wish.weight), wish.joint)  # type: ignore[arg-type]
    recommender = make_engine(opened, name, wish.n or USUAL_COUNT, options)
    notes = _notes(recommender, profile, name)
    recommender = _diversified(recommender, wish.diversity) if wish.diversity else recommender
    count = how_many(wish.n, set(recommender.item_ids) - set(profile.item_ids), among)
    found = recommender.recommend(profile, count, among=among)
    why = recommender.explain(profile, found.item_ids, among=among)
    for line in notes:
        note(f"note: {line}")
    if wish.html is not None:
        _write_page(wish.html, opened, name, profile, found, why, notes)
    if wish.as_json:
        print_json({"engine": name, "works": [work_as_json(collection, each) for each in why]})
        return
    print_works(collection, why, ratings=dict(zip(profile.item_ids, profile.ratings.tolist(), strict=True)))
    if wish.explain:
        for each in why:
            print_terms(collection, each)


def _diversified(recommender: Any, diversity: float) -> Any:
    """The recommender with its first works re-ranked so that they differ."""
    from vernissage.cli.engines import tables_of
    from vernissage.recommenders.diversity import Diversified

    tables = tables_of(recommender)
    if not tables:
        raise RequestError(f"{recommender.name} compares no vectors, which diversity needs; choose another engine")
    return Diversified(recommender, tables, diversity=diversity)


def _write_page(
    html: Path, opened: Any, name: str, profile: Any, found: Any, why: "Sequence[Explanation]", notes: Sequence[str]
) -> None:
    """Write the answer as a page with pictures and reasons."""
    from vernissage.cli.engines import IN_SHORT, in_words
    from vernissage.files import write_bytes
    from vernissage.pages.recommendations import recommendation_page

    with progress_bars() as progress:
        page = recommendation_page(
            opened.collection,
            profile,
            found,
            why,
            title=opened.collection_name,
            engine=in_words(name, opened),
            engine_words=IN_SHORT,
            notes=notes,
            progress=progress,
        )
    write_bytes(html, page.encode())
    note(f"Page written: {html}")


def _weights(words: Sequence[str]) -> dict[str, float]:
    weights = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            weights[name.strip()] = float(value)
        except ValueError:
            raise RequestError(f"the weight {word!r} is not understood; write ENGINE=NUMBER, as in lda=2") from None
    return weights


def _notes(recommender: Any, profile: Any, name: str) -> list[str]:
    """What a person should know about this answer."""
    from vernissage.cli.engines import preset_notes
    from vernissage.recommenders.late_fusion import LateFusion

    notes = preset_notes(name, recommender)
    if isinstance(recommender, LateFusion):
        notes += [
            f"{engine} knows none of the rated works and was left out" for engine in recommender.left_out(profile)
        ]
    known = set(recommender.item_ids)
    unknown = [item_id for item_id in profile.item_ids if item_id not in known]
    if unknown and len(unknown) < len(profile):
        notes.append(f"{name} cannot read these rated works, so they do not count: {', '.join(unknown)}")
    return notes
