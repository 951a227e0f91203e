"""Commands that answer with works: recommend, similar, search."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.options import DatabasePlace, HalfLife
from vernissage.cli.output import print_json, say
from vernissage.cli.rated_recommending import RatedWish, recommend_for_ratings
from vernissage.cli.works import USUAL_COUNT, how_many, names_of, print_works, titled
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.values import Modality

WorkspacePath = Annotated[Path, typer.Argument(help="A workspace.")]
Count = Annotated[int | None, typer.Option("-n", "--number", help="How many works; default 9, or all if fewer.")]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", help="Only works that fit: artist=NAME, medium~oil, year>=1850; repeat to narrow down."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        "-e",
        help="lda, lsa, colour-texture, clip …, late-partial, late-total, late-zscore, or some with +.",
    ),
]


def recommend(
    workspace: WorkspacePath,
    rate: Annotated[
        list[str] | None, typer.Option("--rate", "-r", metavar="ID=RATING", help="A rating from 1 to 5; repeat.")
    ] = None,
    ratings: Annotated[Path | None, typer.Option(help="A CSV (columns id, rating) or JSON file of ratings.")] = None,
    engine: Engine = None,
    n: Count = None,
    rule: Annotated[
        str | None,
        typer.Option(
            help="How ratings weigh: linear (default), minmax or signed; with --owner, how areas are found: coherence "
            "(default), ward:T, silhouette or hdbscan."
        ),
    ] = None,
    where: Where = None,
    diversity: Annotated[
        float, typer.Option(help="0: relevance alone; towards 1: works that differ from each other.")
    ] = 0.0,
    method: Annotated[str, typer.Option(help="Fusion: rrf, minmax or zscore.")] = "rrf",
    k: Annotated[float | None, typer.Option("--k", help="Constant of rrf; 0 in the presets, else 60.")] = None,
    depth: Annotated[int | None, typer.Option(help="How many works of each engine rrf looks at; default all.")] = None,
    weight: Annotated[
        list[str] | None, typer.Option("--weight", metavar="ENGINE=W", help="Weight of one engine in a fusion; repeat.")
    ] = None,
    joint: Annotated[
        str, typer.Option(help="One vector of picture and text, for encoders of both: mean, image, text or concat.")
    ] = "mean",
    explain: Annotated[bool, typer.Option("--explain", help="Print every term of every score.")] = False,
    owner: Annotated[
        str | None, typer.Option(metavar="NAME", help="Instead of ratings: other people's works for this person.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(metavar="SOURCE-to-TARGET", help="For --owner: image-to-text, text-to-text …; all.")
    ] = None,
    fusion: Annotated[
        str | None,
        typer.Option(help="For --owner: knn3z, csls, round-robin, rrf, mean-vector, tag-overlap or tag-embedding."),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option("--encoder", help="For --owner: whose vectors; default: clip, aligned …")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(help="For --owner: what of an area searches, its centroid (default) or its medoid.")
    ] = None,
    tags: Annotated[
        str | None,
        typer.Option(help="For tag-overlap and tag-embedding: keywords (default), or whose tags: lexicon, caption …"),
    ] = None,
    per_area: Annotated[bool, typer.Option("--per-area", help="For --owner: a list for each area and task.")] = False,
    quota: Annotated[int, typer.Option(metavar="Q", help="For --owner: places that each area has at least.")] = 0,
    half_life: HalfLife = None,
    database: DatabasePlace = None,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures and reasons.")] = None,
) -> None:
    """Recommend works for a visitor's ratings, or for what a person owns and uploaded, each with its reasons.

    \b
    Examples:
      vernissage recommend workspace --rate v012=5 --rate v077=2
      vernissage recommend workspace --ratings visitor.csv --engine late-total --html for-you.html
      vernissage recommend workspace --rate v012=5 --where "year>=1850" --diversity 0.3 --explain
      vernissage recommend workspace --rate v012=5 --engine lda+colour-texture --weight lda=2 --json
      vernissage recommend workspace --owner ann --html for-ann.html
      vernissage recommend workspace --owner ann --task image-to-text --per-area
    """
    if owner is not None:
        from vernissage.cli.owner_recommending import OwnerWish, recommend_for_owner, require_no_ratings
        from vernissage.cli.owners import AreaWords

        require_no_ratings(rate, ratings, engine, k, depth, weight, fusion_options=(method, joint))
        words = AreaWords(rule or "coherence", half_life=half_life)
        wish = OwnerWish(
            owner, task, fusion or "knn3z", encoder, n, quota, diversity, words, seed, tags, where or (), per_area,
            explain, as_json, html,
        )  # fmt: skip
        recommend_for_owner(workspace, wish, database)
        return
    if task or fusion or encoder or seed or tags or per_area or quota or half_life is not None:
        raise RequestError(
            "--task, --fusion, --encoder, --seed, --tags, --per-area, --quota and --half-life are about what a person "
            "uploaded; name the person with --owner, or leave these out"
        )
    rated = RatedWish(
        tuple(rate or ()), ratings, engine, n, rule or "linear", tuple(where or ()), diversity, method, k, depth,
        tuple(weight or ()), joint, explain, as_json, html,
    )  # fmt: skip
    recommend_for_ratings(workspace, rated)


def similar(
    workspace: WorkspacePath,
    item_id: Annotated[str, typer.Argument(metavar="ID", help="A work of the collection.")],
    engine: Engine = None,
    n: Count = None,
    where: Where = None,
    as_json: AsJson = False,
) -> None:
    """The works that resemble one work most.

    \b
    Examples:
      vernissage similar workspace v012
      vernissage similar workspace v012 --engine colour-texture -n 20
    """
    from vernissage.cli.engines import default_engine, make_engine
    from vernissage.profiles.ratings import profile_from_ratings
    from vernissage.recommenders.filters import matching, parse_condition
    from vernissage.workspace.workspace import open_workspace

    opened = open_workspace(workspace)
    collection = opened.collection
    profile = profile_from_ratings({collection[item_id].id: 5})
    among = matching(collection, [parse_condition(text) for text in where]) if where else None
    name = engine or default_engine(opened)
    recommender = make_engine(opened, name, n or USUAL_COUNT)
    count = how_many(n, set(recommender.item_ids) - {item_id}, among)
    why = recommender.explain(profile, recommender.recommend(profile, count, among=among).item_ids, among=among)
    if as_json:
        works = [{"id": each.item_id, "score": each.score, **names_of(collection, each.item_id)} for each in why]
        print_json({"engine": name, "similar_to": item_id, "works": works})
        return
    say(f"Like {titled(collection, item_id)}, by {name}:")
    print_works(collection, why)


def search(
    workspace: WorkspacePath,
    text: Annotated[str, typer.Argument(help="Words to search for.")],
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Search in the pictures, through the space that aligns both.")
    ] = False,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Search in pictures and texts together and answer with one list.")
    ] = False,
    method: Annotated[
        str, typer.Option(help="How --mixed makes them comparable: means, zscore, or raw (not at all).")
    ] = "means",
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", help="What compares: minilm, lsa, lda, clip, aligned …; default the best."),
    ] = None,
    n: Count = None,
    where: Where = None,
    as_json: AsJson = False,
) -> None:
    """Search by words: in the works' texts, in pictures by what such words go with here (--pictures), or in both.

    \b
    Examples:
      vernissage search workspace "a storm at sea"
      vernissage search workspace "blue evening" --pictures
      vernissage search workspace "blue evening" --mixed
    """
    from vernissage.cli.mixed_search import search_mixed
    from vernissage.encoders.contract import TextEncoder
    from vernissage.recommenders.contract import Explanation
    from vernissage.recommenders.filters import matching, parse_condition
    from vernissage.workspace.workspace import open_workspace

    opened = open_workspace(workspace)
    collection = opened.collection
    if mixed and pictures:
        raise RequestError("--pictures searches in pictures alone and --mixed in both; give one of them")
    if method != "means" and not mixed:
        raise RequestError(f"the method {method!r} is for both modalities together; add --mixed")
    modality: Modality = "image" if pictures else "text"
    name = encoder or _search_encoder(opened, "image" if mixed else modality)
    among = matching(collection, [parse_condition(condition) for condition in where]) if where else None
    if mixed:
        search_mixed(opened, text, name, method, n, among, as_json=as_json)
        return
    index = opened.index(name, modality)
    model = opened.encoder(name)
    if not isinstance(model, TextEncoder):
        raise RequestError(f"{name} does not read texts; search with lsa, lda, or aligned for pictures")
    query = model.encode_texts([text])[0]
    if not query.any():
        raise RequestError(f"{name} knows none of the words in {text!r}; try words that stand in the works' texts")
    found = index.search(query, how_many(n, set(index.item_ids), among), among=among)
    if as_json:
        works = [{"id": item_id, "score": score, **names_of(collection, item_id)} for item_id, score in found]
        print_json({"encoder": name, "modality": modality, "query": text, "works": works})
        return
    print_works(collection, [Explanation(item_id, score, ()) for item_id, score in found])


def _search_encoder(workspace: Any, modality: str) -> str:
    """The best encoder for searching by words that the workspace has."""
    from vernissage.cli.engines import BY_BOTH, BY_PAIRS, BY_TEXT

    by_meaning = ("minilm", "sentence", "lsa", "tfidf", *BY_TEXT)
    wished = (*(by_meaning if modality == "text" else ()), *BY_BOTH, *BY_PAIRS, "aligned")
    there = [name for name in wished if modality in workspace.modalities(name)]
    return there[0] if there else wished[0] if modality == "text" else "aligned"


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for command in (recommend, similar, search):
        app.command()(command)
