"""Commands that answer with works: recommend, similar, search."""

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.answers import print_kinds, print_lists, require_any, show, titled, write_page
from vernissage.cli.options import (
    AreaWords,
    AsJson,
    EncoderName,
    EngineName,
    Html,
    Place,
    RuleName,
    Selection,
    WorkspacePath,
    argument,
    given,
    option,
)
from vernissage.cli.output import note, print_json, progress_bars
from vernissage.errors import RatingsError, RequestError

if TYPE_CHECKING:
    from vernissage.gallery.engines import Fusion

_ID_COLUMNS = ("id", "item", "item_id", "work", "work_id")
_RATING_COLUMNS = ("rating", "stars", "score", "value")
_AREA_WORDS = ("coherence", "ward", "silhouette", "hdbscan")


@dataclass(frozen=True)
class RatedOptions:
    """What is asked for ratings."""

    rate: list[str] | None = option(None, "A rating from 1 to 5; repeat.", "--rate", "-r", metavar="ID=RATING")
    ratings: Path | None = option(None, "A CSV (columns id, rating) or JSON file of ratings.")
    engine: EngineName = None
    rule: RuleName = None


@dataclass(frozen=True)
class FusionOptions:
    """How engines joined by + are fused."""

    method: str = option("rrf", "Fusion of engines: rrf, minmax or zscore.")
    k: float | None = option(None, "Constant of rrf; 0 in the presets, else 60.")
    depth: int | None = option(None, "How many works of each engine rrf looks at; default all.")
    weight: list[str] | None = option(None, "Weight of one engine in a fusion; repeat.", metavar="ENGINE=W")
    joint: str = option("mean", "One vector of picture and text, for encoders of both: mean, image, text or concat.")

    def fusion(self) -> "Fusion":
        """What the options stand for."""
        from vernissage.gallery.engines import Fusion

        weights = numbers_by_name(self.weight or (), "weight", "ENGINE=NUMBER, as in lda=2")
        return Fusion(self.method, self.k, self.depth, weights, self.joint)  # type: ignore[arg-type]  # checked there


@dataclass(frozen=True)
class PersonOptions:
    """What is asked for a person."""

    owner: str | None = option(None, "Instead of ratings: other people's works for this person.", metavar="NAME")
    task: str | None = option(None, "For --owner: image-to-text, text-to-text …; all.", metavar="SOURCE-to-TARGET")
    fusion: str | None = option(
        None, "For --owner: one list by knn3z, csls, round-robin, rrf, mean-vector, tag-overlap or tag-embedding."
    )
    encoder: EncoderName = None
    query: str | None = option(None, "For --owner: what of an area searches, its centroid (default) or its medoid.")
    tags: str | None = option(None, "For tag-overlap, tag-embedding: keywords (default), or whose: lexicon, caption …")
    per_area: bool = option(False, "For --owner: a list for each area and task.", "--per-area")
    quota: int | None = option(
        None, "For --owner: places that each area has at least; default: all, by weight, unless --fusion.", metavar="Q"
    )
    seed: str | None = option(None, "Former name of --query.", hidden=True)


@dataclass(frozen=True)
class EveryoneOptions:
    """Lists for everybody at once."""

    everyone: bool = option(
        False, "Lists for everybody: of --ratings with a column person, or of the database.", "--everyone"
    )
    output: Path | None = option(None, "For --everyone: the folder to write Parquet files to.", "--output", "-o")
    workers: int | None = option(None, "For --everyone: processes side by side; default: one for each core.", min=1)


@dataclass(frozen=True)
class Shown:
    """How works are shown."""

    explain: bool = option(False, "Print every term of every score.", "--explain")
    as_json: AsJson = False
    html: Html = None


def recommend(
    place: Place,
    rated: RatedOptions,
    person: PersonOptions,
    selection: Selection,
    fused: FusionOptions,
    areas: AreaWords,
    everyone: EveryoneOptions,
    shown: Shown,
) -> None:
    """Recommend works for a visitor's ratings, or for what a person owns and uploaded, each with its reasons.

    \b
    Examples:
      vernissage recommend workspace --rate v012=5 --rate v077=2
      vernissage recommend workspace --ratings visitor.csv --engine late-total --html for-you.html
      vernissage recommend workspace --rate v012=5 --where "year>=1850" --per artist=1 --explain
      vernissage recommend workspace --rate v012=5 --engine lda+colour-texture --weight lda=2 --json
      vernissage recommend workspace --owner ann --html for-ann.html
      vernissage recommend workspace --owner ann --task image-to-text --per-area
      vernissage recommend workspace --owner ann --engine zccr --projection tsne-standardised --areas ward:5
      vernissage recommend workspace --everyone --ratings visitors.csv -o lists
    """
    owner = person.owner
    if given(everyone):
        if owner is not None or rated.rate or given(person) or given(areas) or shown.html or shown.explain:
            raise RequestError(
                "--everyone goes with --ratings, --engine, --rule, fusions and what may come back; leave the others out"
            )
        _for_everyone(place, rated, selection, fused, everyone, as_json=shown.as_json)
        return
    if owner is None:
        if given(person) or given(areas):
            raise RequestError(
                "--task, --fusion, --encoder, --query, --tags, --per-area, --quota, --areas and --half-life are about "
                "what a person uploaded; name the person with --owner, or leave these out"
            )
        _for_ratings(place, rated, selection, fused, shown)
        return
    # --rule coherence and --seed medoid were words for --owner once, which work on.
    if rated.rule is not None:
        if rated.rule.partition(":")[0] not in _AREA_WORDS:
            raise RequestError(f"--rule {rated.rule} is about ratings; how areas are found is said by --areas")
        note(f"--rule is how ratings weigh; write --areas {rated.rule}", kind="note")
        areas = replace(areas, area_rule=rated.rule)
    if person.seed is not None:
        note(f"--seed is for draws; write --query {person.seed}", kind="note")
        person = replace(person, query=person.seed)
    if rated.rate or rated.ratings or given(fused):
        raise RequestError(
            "--owner recommends from what a person uploaded, and --rate, --ratings, --method, --k, --depth, --weight "
            "and --joint are about ratings; give one or the other"
        )
    _for_person(place, owner, rated.engine, person, selection, areas, shown)


def _for_ratings(place: Place, rated: RatedOptions, selection: Selection, fused: FusionOptions, shown: Shown) -> None:
    ratings = _collect_ratings(rated.rate or (), rated.ratings)
    # Ratings are given, so whoever is kept in a database has no part.
    with place.gallery(people=False) as gallery:
        with progress_bars() as progress:
            answer = gallery.recommend(
                ratings,
                engine=rated.engine,
                rule=rated.rule,  # type: ignore[arg-type]  # checked there
                fusion=fused.fusion(),
                progress=progress,
                **selected(selection),
            )
        require_any(answer)
        if shown.html is not None:
            from vernissage.gallery.likeness import InCommon
            from vernissage.pages.recommendations import recommendation_page

            works = [(gallery[item_id], rating) for item_id, rating in ratings.items()]
            write_page(shown.html, recommendation_page, answer, works, title=gallery.name, common=InCommon(gallery))
    show(answer, as_json=shown.as_json, because="because you rated", explain=shown.explain)


def _for_everyone(
    place: Place,
    rated: RatedOptions,
    selection: Selection,
    fused: FusionOptions,
    everyone: EveryoneOptions,
    *,
    as_json: bool,
) -> None:
    from vernissage.gallery.everyone import ListOptions, lists_for_everyone

    if not everyone.everyone or everyone.output is None:
        raise RequestError("lists for everybody are asked for by --everyone, and go to the folder -o names; give both")
    if rated.ratings is None and (rated.rule or given(fused)):
        raise RequestError("--rule and fusions are about ratings; give a file with --ratings, or leave these out")
    fusion = fused.fusion() if given(fused) else None
    how: dict[str, Any] = {"engine": rated.engine, "rule": rated.rule, "fusion": fusion}
    asked = ListOptions(**how, **selected(selection))
    with progress_bars() as progress:
        made = lists_for_everyone(
            place.workspace,
            everyone.output,
            rated.ratings,
            asked,
            database=place.database,
            workers=everyone.workers or os.cpu_count() or 1,
            progress=progress,
        )
    if as_json:
        print_json(asdict(made) | {"folder": str(everyone.output)})
        return
    note(f"{made.lists:,} lists in {made.seconds:.1f} s, {made.lists / max(made.seconds, 1e-9):,.0f} a second")
    if made.without:
        note(f"{made.without:,} people or ratings have none; _rejected.csv says why", kind="note")


def _for_person(
    place: Place,
    owner: str,
    engine: str | None,
    person: PersonOptions,
    selection: Selection,
    areas: AreaWords,
    shown: Shown,
) -> None:
    options = areas.options(engine=engine)
    with place.gallery() as gallery:
        with progress_bars() as progress:
            answer = gallery.person(owner).recommend(
                engine=engine,
                task=person.task,
                fusion=person.fusion,
                encoder=person.encoder,
                query=person.query,
                tags=person.tags,
                per_area=person.per_area or shown.html is not None,
                quota=person.quota,
                areas=options,
                progress=progress,
                **selected(selection),
            )
        require_any(answer, f"works of anybody but {owner}")
        if shown.html is not None:
            from vernissage.pages.visitor.areas import areas_file

            told = {"title": gallery.name, "answer": answer, "seen": answer.seen}
            write_page(shown.html, areas_file, answer.areas, answer.picture_path, **told)
    note(*answer.notes, kind="note")
    if shown.as_json:
        print_json(answer.to_dict())
        return
    print_lists(answer, owner, per_area=person.per_area or engine is not None, explain=shown.explain)


def similar(
    workspace: WorkspacePath,
    item_ids: Annotated[list[str], typer.Argument(metavar="ID…", help="A work of the collection, or several.")],
    selection: Selection,
    engine: EngineName = None,
    by: str = option(
        "", "Kinds of likeness, with commas: look, text, artist, subject, place, period.", metavar="KINDS"
    ),
    as_json: AsJson = False,
) -> None:
    """The works that resemble one work most, or several together.

    With --by one list of each kind of likeness to one work, and one of all together.

    \b
    Examples:
      vernissage similar workspace v012
      vernissage similar workspace v012 --by look,artist,period
      vernissage similar workspace v012 --engine colour-texture -n 20 --per artist=1
    """
    with Place(workspace).gallery(people=False) as gallery, progress_bars() as progress:
        kinds = list(filter(None, map(str.strip, by.split(","))))
        answer = gallery.similar(item_ids, engine=engine, by=kinds, progress=progress, **selected(selection))
        named = ", ".join(titled(gallery[item_id]) for item_id in item_ids)
    require_any(answer)
    if not as_json:
        print_kinds(answer)
    how = "all kinds together" if answer.kinds else answer.engine
    show(answer, as_json=as_json, heading=f"Like {named}, by {how}:", because="because" if answer.kinds else "")


@dataclass(frozen=True)
class Query:
    """What is searched for, where, and how pictures and texts are made comparable."""

    text: str = argument("", "Words to search for; with --picture nothing.")
    picture: Path | None = option(None, "Search by a picture instead of words.")
    pictures: bool = option(False, "Search in the pictures, through the space that aligns both.", "--pictures")
    videos: bool = option(False, "Search in the videos, as in the pictures.", "--videos")
    mixed: bool = option(False, "Search in pictures and texts together and answer with one list.", "--mixed")
    gap: str | None = option(None, "How --mixed makes both comparable: zscore (default), means, or raw: not at all.")
    method: str | None = option(None, "Former name of --gap.", hidden=True)


def search(
    workspace: WorkspacePath, selection: Selection, query: Query, encoder: EncoderName = None, as_json: AsJson = False
) -> None:
    """Search by words: in the works' texts, in pictures by what such words go with here (--pictures), or in both.

    \b
    Examples:
      vernissage search workspace "a storm at sea"
      vernissage search workspace "blue evening" --pictures
      vernissage search workspace "blue evening" --mixed
      vernissage search workspace --picture sketch.jpg
    """
    text, picture = query.text, query.picture
    asked = [word for word in ("mixed", "pictures", "videos") if getattr(query, word)]
    if len(asked) > 1:
        raise RequestError("--pictures and --videos search in these alone and --mixed in all; give one of them")
    if bool(text) == (picture is not None):
        raise RequestError("search by words or by a picture; give one of them")
    if query.method is not None:
        note(f"--method is how engines are fused; write --gap {query.method}", kind="note")
    comparable = query.gap or query.method
    if comparable is not None and not query.mixed:
        raise RequestError(f"the method {comparable!r} is for both modalities together; add --mixed")
    with Place(workspace).gallery(people=False) as gallery:
        answer = gallery.search(
            picture if picture is not None else text,
            within=asked[0] if asked else "text" if picture is None else "pictures",
            encoder=encoder,
            method=comparable or "zscore",  # type: ignore[arg-type]  # checked there
            **selected(selection, diversity=False),
        )
    show(answer, as_json=as_json, because="found in" if any(work.reasons for work in answer.works) else "")


def selected(selection: Selection, *, diversity: bool = True) -> dict[str, Any]:
    """The options of a selection as arguments of a gallery's methods."""
    if not diversity and selection.diversity:
        raise RequestError("--diversity re-ranks recommendations; a search has none, leave it out")
    given: dict[str, Any] = {"where": selection.where or (), "exclude": selection.exclude or ()}
    given["show_copies"] = selection.show_copies
    given["per"] = read_caps(selection.per or ())
    if diversity:
        given["diversity"] = selection.diversity
    return given if selection.n is None else given | {"n": selection.n}


def read_caps(words: Sequence[str]) -> dict[str, int]:
    """Read ``COLUMN=NUMBER``: at most so many works of one value. Raises RequestError: a word is not understood."""
    caps = numbers_by_name(words, "cap", "COLUMN=NUMBER, as in artist=1")
    if broken := [name for name, most in caps.items() if not most.is_integer()]:
        raise RequestError(f"the cap of {broken[0]} is {caps[broken[0]]:g}; give a whole number of works")
    return {name: int(most) for name, most in caps.items()}


def numbers_by_name(words: Sequence[str], what: str, form: str) -> dict[str, float]:
    """Read ``NAME=NUMBER``. Raises RequestError: a word is not understood."""
    found: dict[str, float] = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise RequestError(f"the {what} {word!r} is not understood; write {form}") from None
    return found


# Ratings as people give them: on the command line, in a table, in JSON


def _collect_ratings(given: Sequence[str], file: Path | None) -> dict[str, float]:
    """All ratings by work id, from ``ID=RATING`` words and from a file.

    Raises:
        RatingsError: a word or row is not understood, a work is rated twice, or nothing was given.
    """
    rows = _read(file) if file is not None else []
    for word in given:
        item_id, sign, rating = word.rpartition("=")
        if not sign or not item_id.strip():
            raise RatingsError(f"the rating {word!r} is not understood; write ID=RATING, for example --rate v012=5")
        rows.append((item_id, rating, f"--rate {word}"))
    ratings: dict[str, float] = {}
    for name, value, place in rows:
        item_id = name.strip()
        if item_id in ratings:
            raise RatingsError(f"{place}: {item_id} is rated twice; give one rating for each work")
        try:
            ratings[item_id] = float(str(value).strip())
        except ValueError:
            raise RatingsError(f"{place}: the rating {value!r} is no number; ratings go from 1 to 5") from None
    if not ratings:
        raise RatingsError("no ratings were given; rate works from 1 to 5 with --rate ID=5 or --ratings FILE")
    return ratings


def _read(file: Path) -> list[tuple[str, object, str]]:
    """Rows of a CSV with columns id and rating, or of JSON: ``{"ID": 5}`` or ``[{"id": …, "rating": 5}]``.

    Returns (id, rating, place in the file) for each.

    Raises:
        RatingsError: the file is missing, or not of these kinds.
    """
    from vernissage.files import read_text

    text = read_text(file, "the ratings in", "give a CSV or JSON file in UTF-8", RatingsError)
    if file.suffix.lower() == ".json":
        return _from_json(file, text)
    rows = csv.DictReader(io.StringIO(text))
    names = {name.strip().lower(): name for name in rows.fieldnames or ()}
    item_column = next((names[name] for name in _ID_COLUMNS if name in names), None)
    rating_column = next((names[name] for name in _RATING_COLUMNS if name in names), None)
    if item_column is None or rating_column is None:
        found = ", ".join(names) or "nothing"
        raise RatingsError(f"{file} needs the columns id and rating, but its first line has {found}; rename them")
    return [
        (row[item_column] or "", row[rating_column], f"{file}, line {number}")
        for number, row in enumerate(rows, start=2)
        if any(row.values())
    ]


def _from_json(file: Path, text: str) -> list[tuple[str, object, str]]:
    from vernissage.files import parse_json

    rows: object = parse_json(text, file, RatingsError)
    if isinstance(rows, dict):
        rows = [{"id": item_id, "rating": rating} for item_id, rating in rows.items()]
    if not isinstance(rows, list) or not all(isinstance(row, dict) and {"id", "rating"} <= row.keys() for row in rows):
        raise RatingsError(f'{file} must hold {{"ID": 5, …}} or [{{"id": "ID", "rating": 5}}, …]; change it to that')
    return [(str(row["id"]), row["rating"], f"{file}, entry {number}") for number, row in enumerate(rows, start=1)]
