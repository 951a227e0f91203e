"""Recommendations for a person from their works and uploads: ``recommend --owner``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vernissage.cli.area_edits import key_of
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.cli.owners import AreaWords, engine_words, found_interests, interest_notes, opened_holdings
from vernissage.cli.works import USUAL_COUNT
from vernissage.encoders.contract import TextEncoder
from vernissage.errors import RequestError
from vernissage.pages.works import title_or_text
from vernissage.profiles.area import Area
from vernissage.profiles.areas import areas_of_interest
from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.area_reasons import Resemblance, resembling_uploads
from vernissage.recommenders.area_seeds import AreaRanking, AreaSeeds, Seed, others_works
from vernissage.recommenders.fused import FusionRule
from vernissage.recommenders.local_scaling import csls
from vernissage.recommenders.mean_vector import mean_vector
from vernissage.recommenders.nearest_z_scores import knn3z
from vernissage.recommenders.reciprocal_rank import rrf
from vernissage.recommenders.round_robin import round_robin
from vernissage.recommenders.tag_embedding import TagEmbedding
from vernissage.recommenders.tag_overlap import TagOverlap
from vernissage.recommenders.upload_contract import UploadAnswer
from vernissage.recommenders.upload_fusion import UploadFusion
from vernissage.search.live import LiveIndex
from vernissage.values import MODALITIES, Modality, Vectors

if TYPE_CHECKING:
    from vernissage.catalog.item import Item
    from vernissage.workspace.holdings import Holdings
    from vernissage.workspace.profiling import OwnerInterests

Indexes = Mapping[Modality, LiveIndex]
Answer = Callable[[UploadProfile, Modality, int, "frozenset[str] | None"], UploadAnswer]

RULES: Mapping[str, FusionRule] = MappingProxyType(
    {"knn3z": knn3z, "csls": csls, "round-robin": round_robin, "rrf": rrf, "mean-vector": mean_vector}
)
BY_TAGS = ("tag-overlap", "tag-embedding")
"""Every word that ``--fusion`` takes: rules over vectors, and baselines that go by keywords."""

_KINDS: Mapping[Modality, str] = MappingProxyType({"image": "pictures", "text": "texts"})


@dataclass(frozen=True)
class OwnerWish:
    """What is asked for a person: see the options of ``recommend``."""

    owner: str
    task: str | None
    fusion: str
    encoder: str | None
    n: int | None
    quota: int
    diversity: float
    words: AreaWords
    seed: str | None
    tags: str | None
    where: Sequence[str]
    per_area: bool
    explain: bool
    as_json: bool
    html: Path | None


@dataclass(frozen=True, eq=False)
class AreaList:
    """What one area found for one task, with the person's uploads that each work resembles."""

    found: AreaRanking
    near: tuple[tuple[Resemblance, ...], ...]


def recommend_for_owner(workspace: Path, wish: OwnerWish, database: str | None) -> None:
    """Recommend other people's works to a person, and show them as asked."""
    from vernissage.recommenders.filters import matching, parse_condition

    _check(wish)
    with opened_holdings(workspace, database) as holdings:
        found = found_interests(holdings, wish.owner, wish.encoder, wish.words)
        reads = holdings.workspace.modalities(found.encoder)
        profile, targets = _asked(found, wish.task, reads)
        indexes: dict[Modality, LiveIndex] = {each: holdings.index(found.encoder, each) for each in reads}
        conditions = [parse_condition(text) for text in wish.where]
        among = matching(holdings.workspace.collection, conditions) if conditions else None
        counts = {target: _count(wish, indexes[target], profile, target, among) for target in targets}
        lists = _fused(holdings, found, profile, indexes, counts, among, wish)
        areas = _by_area(profile, indexes, counts, among, wish) if wish.per_area or wish.html is not None else []
        notes = interest_notes(found, reads, chosen=wish.encoder is not None)
        for line in notes:
            note(f"note: {line}")
        if wish.html is not None:
            _write_page(wish.html, holdings, found, lists, areas, notes)
        _show(wish, holdings, found, lists, areas)


def _check(wish: OwnerWish) -> None:
    """Refuse words that mean nothing, and options that would not be heard."""
    if wish.fusion not in RULES and wish.fusion not in BY_TAGS:
        raise RequestError(f"there is no fusion {wish.fusion!r}; choose from {', '.join((*RULES, *BY_TAGS))}")
    if wish.tags is not None and wish.fusion not in BY_TAGS:
        raise RequestError(f"{wish.fusion} reads no tags; leave --tags out, or choose from {', '.join(BY_TAGS)}")
    if wish.seed not in (None, "centroid", "medoid"):
        raise RequestError(f"there is no seed {wish.seed!r}; an area searches by its centroid or its medoid")


def require_no_ratings(*given: object, fusion_options: tuple[str, str]) -> None:
    """Refuse options that say how ratings are answered.

    Raises:
        RequestError: there is one beside --owner.
    """
    if any(value is not None and value != [] for value in given) or fusion_options != ("rrf", "mean"):
        raise RequestError(
            "--owner recommends from what a person uploaded, and --rate, --ratings, --engine, --method, --k, --depth, "
            "--weight and --joint are about ratings; give one or the other"
        )


def _asked(
    found: "OwnerInterests", task: str | None, reads: Sequence[Modality]
) -> tuple[UploadProfile, tuple[Modality, ...]]:
    """The sides of the profile that speak, and the modalities that are asked for."""
    if task is None:
        return found.profile, tuple(reads)
    tasks = {f"{source}-to-{target}": (source, target) for source in MODALITIES for target in MODALITIES}
    if task not in tasks:
        raise RequestError(f"there is no task {task!r}; choose from {', '.join(tasks)}")
    source, target = tasks[task]
    if missing := [each for each in (source, target) if each not in reads]:
        raise RequestError(f"{found.encoder} does not read {_KINDS[missing[0]]}; choose another encoder for {task}")
    if source not in found.sides:
        raise RequestError(f"{found.owner} has no {_KINDS[source]} that {found.encoder} reads; choose another task")
    return UploadProfile(found.owner, {source: found.profile.sides[source]}), (target,)


def _count(
    wish: OwnerWish, index: LiveIndex, profile: UploadProfile, target: Modality, among: frozenset[str] | None
) -> int:
    """How many works of a modality to answer with.

    Raises:
        RequestError: nobody else's work is there, or fewer than were asked for.
    """
    there = int((~index.barred(**others_works(profile, among))).sum())
    kind, which = _KINDS[target], " that fit the conditions" if among is not None else ""
    if there == 0:
        raise RequestError(
            f"there are no {kind}{which} of anybody but {wish.owner}, so none can be recommended; "
            f"{'loosen the conditions' if among is not None else 'add works of others'}"
        )
    if wish.n is not None and wish.n < 1:
        raise RequestError(f"{wish.n} works were asked for; ask for 1 or more")
    if wish.n is not None and wish.n > there:
        raise RequestError(
            f"{wish.n} {kind} were asked for, but others have only {there}{which}; ask for -n {there} or fewer"
        )
    return wish.n if wish.n is not None else min(USUAL_COUNT, there)


def _fused(
    holdings: "Holdings",
    found: "OwnerInterests",
    profile: UploadProfile,
    indexes: Indexes,
    counts: Mapping[Modality, int],
    among: frozenset[str] | None,
    wish: OwnerWish,
) -> list[UploadAnswer]:
    answer = _answer(holdings, found, indexes, wish)
    return [answer(profile, target, n, among) for target, n in counts.items()]


def _answer(holdings: "Holdings", found: "OwnerInterests", indexes: Indexes, wish: OwnerWish) -> Answer:
    """The recommender that a word for a fusion stands for."""
    if wish.fusion in RULES:
        rule, name = RULES[wish.fusion], wish.fusion
        fusion = UploadFusion(
            indexes, rule=rule, name=name, seed=_seed(wish), diversity=wish.diversity, at_least=wish.quota
        )
        return lambda profile, target, n, among: fusion.answer(profile, target, n, among=among)
    if wish.quota or wish.diversity:
        raise RequestError(f"--quota and --diversity re-rank by vectors, and {wish.fusion} has none; choose a rule")
    tags = _tags(holdings, indexes, wish)
    if wish.fusion == "tag-overlap":
        overlap = TagOverlap(tags, indexes)
        return lambda profile, target, n, among: UploadAnswer(
            target, overlap.recommend(profile, target, n, among=among), ()
        )
    embedding = _tag_embedding(holdings, found.encoder, tags, indexes, wish)
    return lambda profile, target, n, among: embedding.answer(profile, target, n, among=among)


def _tags(holdings: "Holdings", indexes: Indexes, wish: OwnerWish) -> Mapping[str, Sequence[str]]:
    """What is compared by tags: keywords as they were given, or what a tagger found."""
    if wish.tags not in (None, "keywords"):
        from vernissage.workspace.tagging import kept_tags

        return kept_tags(holdings, str(wish.tags))
    ids = {item_id for index in indexes.values() for item_id in index.item_ids}
    return {item_id: item.keywords for item_id, item in holdings.items(ids).items()}


def _seed(wish: OwnerWish) -> Seed:
    return "medoid" if wish.seed == "medoid" else "centroid"


def _tag_embedding(
    holdings: "Holdings", encoder: str, tags: Mapping[str, Sequence[str]], indexes: Indexes, wish: OwnerWish
) -> TagEmbedding:
    options = wish.words.options()
    reader = holdings.workspace.encoder(encoder)
    if not isinstance(reader, TextEncoder):
        raise RequestError(f"{encoder} does not read texts, so it cannot embed tags; choose another with --encoder")

    def find_areas(vectors: Vectors, background: Vectors) -> Sequence[Area]:
        return areas_of_interest(vectors, background=background, rule=options.rule, projection=options.projection)

    return TagEmbedding(tags, indexes, reader, find_areas=find_areas)


def _by_area(
    profile: UploadProfile,
    indexes: Indexes,
    counts: Mapping[Modality, int],
    among: frozenset[str] | None,
    wish: OwnerWish,
) -> list[AreaList]:
    lists = []
    for target, n in counts.items():
        for each in AreaSeeds({target: indexes[target]}, seed=_seed(wish)).per_area(profile, n, among=among):
            side = profile.sides[each.source]
            near = resembling_uploads(side, each.area, indexes[target], each.ranking.item_ids)
            lists.append(AreaList(each, near))
    order = [(source, area) for source in profile.sources for area in profile.sides[source].unmuted]
    return sorted(lists, key=lambda each: order.index((each.found.source, each.found.area)))


def _show(
    wish: OwnerWish,
    holdings: "Holdings",
    found: "OwnerInterests",
    lists: Sequence[UploadAnswer],
    areas: Sequence[AreaList],
) -> None:
    ids = {item_id for answer in lists for item_id in answer.ranking.item_ids}
    ids |= {item_id for each in areas for item_id in each.found.ranking.item_ids}
    items = holdings.items([*sorted(ids), *found.items])
    if wish.as_json:
        content: dict[str, Any] = {"owner": found.owner, "encoder": found.encoder, "fusion": wish.fusion}
        content["lists"] = [_list_as_json(answer, items) for answer in lists]
        if wish.per_area:
            content["areas"] = [_area_as_json(each, found, items) for each in areas]
        print_json(content)
        return
    if wish.per_area:
        for each in areas:
            _print_area(each, found, items)
        return
    for answer in lists:
        _print_list(answer, items, wish)


def _print_list(answer: UploadAnswer, items: "Mapping[str, Item]", wish: OwnerWish) -> None:
    say(f"{_KINDS[answer.target].title()} for {wish.owner}, by {wish.fusion}:")
    columns, why = ["", "id", "title", "owner", "score"], {each.item_id: each for each in answer.reasons}
    rows = []
    for rank, (item_id, score) in enumerate(answer.ranking, start=1):
        row = [str(rank), item_id, title_or_text(items[item_id]), items[item_id].owner, f"{score:.4f}"]
        if why:
            reason = why[item_id]
            near = [(upload.item_id, upload.similarity) for upload in reason.uploads[:2]]
            row += [reason.area.name, _near_words(near, items)]
        rows.append(row)
    print_table([*columns, "area", "because it resembles"] if why else columns, rows, numbers=["", "score"])
    if wish.explain:
        for item_id, reason in why.items():
            say("")
            say(f"{title_or_text(items[item_id])} ({item_id}): score {reason.score:.6f}")
            for upload in reason.uploads:
                title = f"{title_or_text(items[upload.item_id])} ({upload.item_id})"
                say(f"  {upload.contribution:+.6f}  {title}, {upload.source}, cosine {upload.similarity:.4f}")
            say(f"  {reason.rest:+.6f}  other uploads")
    say("")


def _print_area(each: AreaList, found: "OwnerInterests", items: "Mapping[str, Item]") -> None:
    name = found.sides[each.found.source].side.names[each.found.area]
    say(f"{key_of(each.found.source, each.found.area)} {name}: {_task(each.found)}")
    rows = [
        [str(rank), item_id, title_or_text(items[item_id]), items[item_id].owner, f"{score:.4f}"]
        + [_near_words(near, items)]
        for rank, ((item_id, score), near) in enumerate(zip(each.found.ranking, each.near, strict=True), start=1)
    ]
    heads = ["", "id", "title", "owner", "similarity", "because it resembles"]
    print_table(heads, rows, numbers=["", "similarity"])
    say("")


def _near_words(near: Sequence[Resemblance], items: "Mapping[str, Item]") -> str:
    return ", ".join(f"{title_or_text(items[item_id])} ({cosine:.2f})" for item_id, cosine in near)


def _task(found: AreaRanking) -> str:
    return f"{found.source}-to-{found.target}"


def _list_as_json(answer: UploadAnswer, items: "Mapping[str, Item]") -> dict[str, Any]:
    works = [_work_as_json(item_id, score, items) for item_id, score in answer.ranking]
    for work, reason in zip(works, answer.reasons, strict=False):
        if reason.area.name:  # areas of tags are no areas of the person's
            work["area"] = key_of(reason.area.source, reason.area.number)
            work["area_name"] = reason.area.name
        work["uploads"] = [
            {
                "id": upload.item_id,
                "modality": upload.source,
                "similarity": upload.similarity,
                "contribution": upload.contribution,
            }
            for upload in reason.uploads
        ]
        work["rest"] = reason.rest
    return {"target": answer.target, "works": works}


def _area_as_json(each: AreaList, found: "OwnerInterests", items: "Mapping[str, Item]") -> dict[str, Any]:
    works = [
        _work_as_json(item_id, score, items)
        | {"uploads": [{"id": name, "similarity": cosine} for name, cosine in near]}
        for (item_id, score), near in zip(each.found.ranking, each.near, strict=True)
    ]
    name = found.sides[each.found.source].side.names[each.found.area]
    key = key_of(each.found.source, each.found.area)
    return {"area": key, "area_name": name, "task": _task(each.found), "works": works}


def _work_as_json(item_id: str, score: float, items: "Mapping[str, Item]") -> dict[str, Any]:
    return {"id": item_id, "score": score, "title": items[item_id].title, "owner": items[item_id].owner}


def _write_page(
    html: Path,
    holdings: "Holdings",
    found: "OwnerInterests",
    lists: Sequence[UploadAnswer],
    areas: Sequence[AreaList],
    notes: Sequence[str],
) -> None:
    from vernissage.files import write_bytes
    from vernissage.pages.owner_recommendations import owner_page

    with progress_bars() as progress:
        page = owner_page(
            found,
            lists,
            [(each.found, each.near) for each in areas],
            holdings.items,
            holdings.picture_path,
            title=holdings.workspace.collection_name,
            engine=engine_words(found, holdings.workspace.modalities(found.encoder)),
            notes=notes,
            progress=progress,
        )
    write_bytes(html, page.encode())
    note(f"Page written: {html}")
