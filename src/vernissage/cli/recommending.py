"""Commands that answer with works: recommend, similar, search."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.answers import print_list, require_enough, show, titled, write_page
from vernissage.cli.options import (
    AreaWords,
    AsJson,
    DatabasePlace,
    EncoderName,
    EngineName,
    Html,
    Selection,
    WorkspacePath,
    command,
)
from vernissage.cli.output import note, print_json, progress_bars
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.gallery.engines import Fusion

_AREA_WORDS = ("coherence", "ward", "silhouette", "hdbscan")


@dataclass(frozen=True)
class RatedOptions:
    """What is asked for ratings."""

    rate: Annotated[
        list[str] | None, typer.Option("--rate", "-r", metavar="ID=RATING", help="A rating from 1 to 5; repeat.")
    ] = None
    ratings: Annotated[Path | None, typer.Option(help="A CSV (columns id, rating) or JSON file of ratings.")] = None
    engine: EngineName = None
    rule: Annotated[
        str | None, typer.Option(help="How ratings weigh: linear, minmax or signed; default: as the engine has it.")
    ] = None

    def __bool__(self) -> bool:
        return bool(self.rate or self.ratings or self.engine)


@dataclass(frozen=True)
class FusionOptions:
    """How engines joined by + are fused."""

    method: Annotated[str, typer.Option(help="Fusion of engines: rrf, minmax or zscore.")] = "rrf"
    k: Annotated[float | None, typer.Option("--k", help="Constant of rrf; 0 in the presets, else 60.")] = None
    depth: Annotated[int | None, typer.Option(help="How many works of each engine rrf looks at; default all.")] = None
    weight: Annotated[
        list[str] | None, typer.Option("--weight", metavar="ENGINE=W", help="Weight of one engine in a fusion; repeat.")
    ] = None
    joint: Annotated[
        str, typer.Option(help="One vector of picture and text, for encoders of both: mean, image, text or concat.")
    ] = "mean"

    def __bool__(self) -> bool:
        return self != FusionOptions()

    def fusion(self) -> "Fusion":
        """What the options stand for."""
        from vernissage.gallery.engines import Fusion

        weights = numbers_by_name(self.weight or (), "weight", "ENGINE=NUMBER, as in lda=2")
        return Fusion(self.method, self.k, self.depth, weights, self.joint)  # type: ignore[arg-type]  # checked there


@dataclass(frozen=True)
class PersonOptions:
    """What is asked for a person."""

    owner: Annotated[
        str | None, typer.Option(metavar="NAME", help="Instead of ratings: other people's works for this person.")
    ] = None
    task: Annotated[
        str | None, typer.Option(metavar="SOURCE-to-TARGET", help="For --owner: image-to-text, text-to-text …; all.")
    ] = None
    fusion: Annotated[
        str | None,
        typer.Option(help="For --owner: knn3z, csls, round-robin, rrf, mean-vector, tag-overlap or tag-embedding."),
    ] = None
    encoder: EncoderName = None
    query: Annotated[
        str | None, typer.Option(help="For --owner: what of an area searches, its centroid (default) or its medoid.")
    ] = None
    tags: Annotated[
        str | None,
        typer.Option(help="For tag-overlap and tag-embedding: keywords (default), or whose tags: lexicon, caption …"),
    ] = None
    per_area: Annotated[bool, typer.Option("--per-area", help="For --owner: a list for each area and task.")] = False
    quota: Annotated[int, typer.Option(metavar="Q", help="For --owner: places that each area has at least.")] = 0
    seed: Annotated[str | None, typer.Option(hidden=True, help="Former name of --query.")] = None

    def __bool__(self) -> bool:
        return self != PersonOptions()


@command
def recommend(
    workspace: WorkspacePath,
    rated: RatedOptions,
    person: PersonOptions,
    selection: Selection,
    fused: FusionOptions,
    areas: AreaWords,
    explain: Annotated[bool, typer.Option("--explain", help="Print every term of every score.")] = False,
    database: DatabasePlace = None,
    as_json: AsJson = False,
    html: Html = None,
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
    """
    if person.owner is None:
        if person or areas != AreaWords():
            raise RequestError(
                "--task, --fusion, --encoder, --query, --tags, --per-area, --quota, --areas and --half-life are about "
                "what a person uploaded; name the person with --owner, or leave these out"
            )
        _for_ratings(workspace, rated, selection, fused, explain=explain, as_json=as_json, html=html)
        return
    areas, person = _former_words(rated, areas, person)
    if rated or fused:
        raise RequestError(
            "--owner recommends from what a person uploaded, and --rate, --ratings, --engine, --method, --k, --depth, "
            "--weight and --joint are about ratings; give one or the other"
        )
    _for_person(workspace, person, selection, areas, database, explain=explain, as_json=as_json, html=html)


def _former_words(rated: RatedOptions, areas: AreaWords, person: PersonOptions) -> tuple[AreaWords, PersonOptions]:
    """--rule coherence and --seed medoid were words for --owner once; they work on, with a note."""
    from dataclasses import replace

    if rated.rule is not None:
        if rated.rule.partition(":")[0] not in _AREA_WORDS:
            raise RequestError(f"--rule {rated.rule} is about ratings; how areas are found is said by --areas")
        note(f"note: --rule is how ratings weigh; write --areas {rated.rule}")
        areas = replace(areas, area_rule=rated.rule)
    if person.seed is not None:
        note(f"note: --seed is for draws; write --query {person.seed}")
        person = replace(person, query=person.seed, seed=None)
    return areas, person


def _for_ratings(
    workspace: Path,
    rated: RatedOptions,
    selection: Selection,
    fused: FusionOptions,
    *,
    explain: bool,
    as_json: bool,
    html: Path | None,
) -> None:
    from vernissage.cli.ratings import collect_ratings
    from vernissage.gallery.engines import engine_words
    from vernissage.gallery.gallery import open_gallery

    ratings = collect_ratings(rated.rate or (), rated.ratings)
    with open_gallery(workspace, writing=False) as gallery:
        with progress_bars() as progress:
            answer = gallery.recommend(
                ratings,
                engine=rated.engine,
                rule=rated.rule,  # type: ignore[arg-type]  # checked there
                fusion=fused.fusion(),
                progress=progress,
                **selected(selection),
            )
        require_enough(answer, selection.n)
        if html is not None:
            from vernissage.pages.recommendations import recommendation_page

            works = [(gallery[item_id], rating) for item_id, rating in ratings.items()]
            words = engine_words(answer.engine, gallery.snapshot.workspace)
            write_page(
                html,
                lambda progress: recommendation_page(
                    answer, works, title=gallery.name, engine=words, progress=progress
                ),
            )
    show(answer, as_json=as_json, because="because you rated", explain=explain)


def _for_person(
    workspace: Path,
    person: PersonOptions,
    selection: Selection,
    areas: AreaWords,
    database: str | None,
    *,
    explain: bool,
    as_json: bool,
    html: Path | None,
) -> None:
    from vernissage.gallery.areas import area_options, found_words
    from vernissage.gallery.gallery import open_gallery

    options = area_options(areas.area_rule, areas.projection, areas.half_life)
    with open_gallery(workspace, database=database, writing=False) as gallery:
        with progress_bars() as progress:
            answer = gallery.person(str(person.owner)).recommend(
                task=person.task,
                fusion=person.fusion,
                encoder=person.encoder,
                query=person.query,
                tags=person.tags,
                per_area=person.per_area or html is not None,
                quota=person.quota,
                areas=options,
                progress=progress,
                **selected(selection),
            )
        whole = [each for each in answer.lists if not each.area]
        for each in whole:
            kind = {"image": "pictures", "text": "texts"}[each.target]
            require_enough(answer, selection.n, of=each.works, what=f"{kind} of anybody but {person.owner}")
        if html is not None:
            from vernissage.pages.areas import person_page

            words = found_words(answer.areas)
            write_page(html, lambda progress: person_page(answer, title=gallery.name, engine=words, progress=progress))
    for line in answer.notes:
        note(f"note: {line}")
    if as_json:
        print_json(answer.to_dict())
        return
    for each in (each for each in answer.lists if bool(each.area) == person.per_area):
        print_list(each, str(person.owner), answer.engine, explain=explain)


@command
def similar(
    workspace: WorkspacePath,
    item_ids: Annotated[list[str], typer.Argument(metavar="ID…", help="A work of the collection, or several.")],
    selection: Selection,
    engine: EngineName = None,
    as_json: AsJson = False,
) -> None:
    """The works that resemble one work most, or several together.

    \b
    Examples:
      vernissage similar workspace v012
      vernissage similar workspace v012 --engine colour-texture -n 20 --per artist=1
    """
    from vernissage.gallery.gallery import open_gallery

    with open_gallery(workspace, writing=False) as gallery, progress_bars() as progress:
        answer = gallery.similar(item_ids, engine=engine, progress=progress, **selected(selection))
        named = ", ".join(titled(gallery[item_id]) for item_id in item_ids)
    require_enough(answer, selection.n)
    show(answer, as_json=as_json, heading=f"Like {named}, by {answer.engine}:")


@command
def search(
    workspace: WorkspacePath,
    selection: Selection,
    text: Annotated[str, typer.Argument(help="Words to search for; with --picture nothing.")] = "",
    picture: Annotated[Path | None, typer.Option(help="Search by a picture instead of words.")] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Search in the pictures, through the space that aligns both.")
    ] = False,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Search in pictures and texts together and answer with one list.")
    ] = False,
    gap: Annotated[
        str | None, typer.Option(help="How --mixed makes both comparable: means (default), zscore, or raw: not at all.")
    ] = None,
    method: Annotated[str | None, typer.Option(hidden=True, help="Former name of --gap.")] = None,
    encoder: EncoderName = None,
    as_json: AsJson = False,
) -> None:
    """Search by words: in the works' texts, in pictures by what such words go with here (--pictures), or in both.

    \b
    Examples:
      vernissage search workspace "a storm at sea"
      vernissage search workspace "blue evening" --pictures
      vernissage search workspace "blue evening" --mixed
      vernissage search workspace --picture sketch.jpg
    """
    from vernissage.gallery.gallery import open_gallery

    if mixed and pictures:
        raise RequestError("--pictures searches in pictures alone and --mixed in both; give one of them")
    if bool(text) == (picture is not None):
        raise RequestError("search by words or by a picture; give one of them")
    if method is not None:
        note(f"note: --method is how engines are fused; write --gap {method}")
    comparable = gap or method
    if comparable is not None and not mixed:
        raise RequestError(f"the method {comparable!r} is for both modalities together; add --mixed")
    with open_gallery(workspace, writing=False) as gallery:
        answer = gallery.search(
            picture if picture is not None else text,
            within="mixed" if mixed else "pictures" if pictures or picture is not None else "text",
            encoder=encoder,
            method=comparable or "means",  # type: ignore[arg-type]  # checked there
            **selected(selection, diversity=False),
        )
    require_enough(answer, selection.n)
    show(answer, as_json=as_json)


def selected(selection: Selection, *, diversity: bool = True) -> dict[str, Any]:
    """The options of a selection as arguments of a gallery's methods."""
    if not diversity and selection.diversity:
        raise RequestError("--diversity re-ranks recommendations; a search has none, leave it out")
    caps = numbers_by_name(selection.per or (), "cap", "COLUMN=NUMBER, as in artist=1")
    if broken := [name for name, most in caps.items() if not most.is_integer()]:
        raise RequestError(f"the cap of {broken[0]} is {caps[broken[0]]:g}; give a whole number of works")
    given: dict[str, Any] = {"where": selection.where or (), "exclude": selection.exclude or ()}
    given["per"] = {name: int(most) for name, most in caps.items()}
    if diversity:
        given["diversity"] = selection.diversity
    return given if selection.n is None else given | {"n": selection.n}


def numbers_by_name(words: Sequence[str], what: str, form: str) -> dict[str, float]:
    """Read ``NAME=NUMBER``.

    Raises:
        RequestError: a word is not understood.
    """
    found: dict[str, float] = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise RequestError(f"the {what} {word!r} is not understood; write {form}") from None
    return found
