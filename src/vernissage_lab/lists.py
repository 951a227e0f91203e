"""Lists of works for profiles: the one place where experiments use the product's recommenders and indexes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.encoders import register
from vernissage.encoders.contract import TextEncoder, unit_rows
from vernissage.errors import RequestError
from vernissage.gallery.engines import ALL, Fusion, index_of_encoder, make_engine
from vernissage.gallery.person import FUSION_RULES
from vernissage.profiles.areas import Area, area_of
from vernissage.profiles.uploads import UploadProfile, uploads_of_modality
from vernissage.rankings import PRECISION
from vernissage.recommenders.area_searches import Seed
from vernissage.recommenders.contract import Recommender
from vernissage.recommenders.late_fusion import FusionMethod, LateFusion
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.recommenders.tags import TagEmbedding, TagOverlap, Tags
from vernissage.recommenders.upload_rules import (
    Candidates,
    Fused,
    FusionRule,
    WeightedUploads,
    knn3z,
    mean_vector,
    round_robin,
    weighted_uploads,
)
from vernissage.recommenders.uploads import BY_WEIGHT, UploadAnswer, UploadFusion, UploadRecommender
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.joint import side_by_side
from vernissage.search.vectors import make_vector_table
from vernissage.values import EVERYTHING, Allow, Condition, Modality, Ranking, Vectors, WritableIndex
from vernissage.workspace.workspace import Workspace
from vernissage_lab.baselines import (
    PEERS,
    CommonSubjects,
    MostAverage,
    Peer,
    RandomOrder,
    RandomWorks,
    medoids_by_importance,
    uploads_in_turn,
)
from vernissage_lab.material import Material
from vernissage_lab.tastes import UNKNOWN, Labels
from vernissage_lab.users import SimulatedUser

SHOWN = 10
"""Works in a list of simulated users: Recall@10."""

Task = tuple[Modality, Modality]
"""Source and target."""

RULES: Mapping[str, FusionRule] = MappingProxyType(
    {**FUSION_RULES, "mean-vector": mean_vector, "medoids": medoids_by_importance, "uploads-in-turn": uploads_in_turn}
)
"""The rules that make one list of uploads, and the last three, which people would take instead."""

FLOORS: Mapping[str, float] = MappingProxyType({"areas": BY_WEIGHT, "areas:1": 1})
"""Places that each area of interest has in a list by knn3z, as `recommend --quota`; ``areas`` is the default there."""

IN_TURN: FusionRule = partial(round_robin, list_length=SHOWN)
"""Areas of interest take turns, the largest first; none brings more works than a list holds."""

JOINED = "all joined"
"""The vectors of all parts of the default engine, centred and side by side."""

BASELINES = ("popularity", "random")
"""What knows nothing of the person."""


# Engines for rated works


def references_of(workspace: Workspace, labels: Labels, seed: int) -> dict[str, Recommender]:
    """What engines are compared with: the default without its weights, chance, what resembles all, and the labels.

    Raises:
        RequestError: the workspace has no vectors.
    """
    indexes = [index_of_encoder(workspace, name) for name in workspace.encoder_names if name != "aligned"]
    if not indexes:
        raise RequestError(f"{workspace.path} has no vectors to evaluate; run `vernissage build` again")
    weights = dict.fromkeys(workspace.manifest.weights, 1.0)
    equal = {"equal-weights": make_engine(workspace, ALL, SHOWN, Fusion(weights=weights))} if weights else {}
    return {
        **equal,
        "random": RandomOrder(ListedWorks(workspace.collection.ids), seed),
        "most-average": MostAverage(max(indexes, key=len)),
        "labels": RatingWeightedSimilarity(label_index(labels), "labels"),
    }


def peers_of(workspace: Workspace) -> dict[str, Recommender]:
    """What others would use instead, each on the vectors of every part of the default engine and on all joined.

    Their names are the rule's and the vectors', as in ``liked-mean on lsa``.
    """
    parts = register.members_of_default(workspace.encoder_names, ())
    indexes = {name: exact_index(workspace.joint_table(name)) for name in parts}
    if len(parts) > 1:
        ids = [each for each in workspace.collection.ids if any(each in index for index in indexes.values())]
        indexes[JOINED] = _index(JOINED, "", ids, side_by_side([workspace.joint_table(name) for name in parts], ids))
    return {f"{rule} on {name}": Peer(index, rule) for rule in PEERS for name, index in indexes.items()}


def label_index(labels: Labels) -> ExactIndex:
    """Works as their categories, one dimension a category: what an engine that reads every label would know.

    Rating-weighted similarity over it is a reference line: the same few ratings without any error of an encoder.
    """
    blocks = []
    for number, facet in enumerate(labels.facets):
        codes = labels.codes[:, number]
        block = np.zeros((len(codes), len(labels.categories[facet])))
        known = np.flatnonzero(codes != UNKNOWN)
        block[known, codes[known]] = 1
        blocks.append(block)
    return _index("labels", "", labels.item_ids, unit_rows(np.concatenate(blocks, axis=1)))


def fused(
    engines: Mapping[str, Recommender], *, method: FusionMethod = "rrf", k: float = 60, depth: int | None = None
) -> LateFusion:
    """Engines joined by late fusion."""
    return LateFusion(list(engines.values()), method=method, k=k, depth=depth)  # type: ignore[arg-type]


def reads_texts(engine: Recommender) -> bool:
    """Whether what an engine compares was made of texts, alone or with pictures."""
    parts = engine.engines if isinstance(engine, LateFusion) else [engine]
    return any(
        not isinstance(part, RatingWeightedSimilarity)  # which read pairs of pictures and texts
        or part.index.card.modality == "text"
        or "text" in getattr(register.cards().get(part.index.card.encoder), "modalities", ())
        for part in parts
    )


# Lists for simulated users: the works of a pool, by vectors or tags


@dataclass(frozen=True, eq=False)
class Seeker:
    """One user of one material. Uploads and works of the pool are called by their places among the user's own."""

    material: Material
    user: SimulatedUser

    @property
    def upload_ids(self) -> list[str]:
        return [f"upload{place:06d}" for place in range(len(self.user.uploads))]

    @property
    def pool_ids(self) -> list[str]:
        return [f"work{place:06d}" for place in range(len(self.user.pool))]

    def vectors(self, source: Modality) -> Vectors:
        """The uploads by one modality, float32 (M·N, dim)."""
        found: Vectors = self.material.vectors[source][self.user.uploads]
        return found

    def profile(self, source: Modality, areas: Sequence[Area]) -> UploadProfile:
        """The uploads of one modality in these areas, each counting by its size."""
        return UploadProfile("", {source: uploads_of_modality(self.upload_ids, self.vectors(source), areas)})

    def true_areas(self, source: Modality) -> tuple[Area, ...]:
        """The uploads of one modality by the interests that they were drawn for, as no rule could know them."""
        interests, vectors = self.user.interests, self.vectors(source)
        return tuple(area_of(vectors, np.flatnonzero(interests == each)) for each in dict.fromkeys(interests.tolist()))

    def index(self, target: Modality) -> ExactIndex:
        """The works of the pool that have a vector, searchable."""
        vectors = self.material.vectors[target][self.user.pool]
        known, names = np.flatnonzero(vectors.any(axis=1)), self.pool_ids
        return index_of(self.material, target, vectors[known], [names[place] for place in known])

    def indexes(self, tasks: Sequence[Task]) -> dict[Modality, ExactIndex]:
        """The same for every target of these tasks."""
        return {target: self.index(target) for target in dict.fromkeys(target for _, target in tasks)}

    @cached_property
    def _relevant(self) -> frozenset[str]:
        wanted = np.isin(self.user.pool, self.user.relevant)
        return frozenset(name for name, each in zip(self.pool_ids, wanted, strict=True) if each)

    def found(self, shown: Iterable[str]) -> float:
        """hits / M: how many of the relevant works, one for each interest, are among those shown."""
        return len(self._relevant.intersection(shown)) / len(self._relevant)


def index_of(material: Material, modality: Modality, vectors: Vectors, names: Sequence[str]) -> ExactIndex:
    """Some works of a material under other names, searchable; nobody owns any."""
    return exact_index(material.table(modality, vectors, names))


def tasks_of(material: Material, names: Sequence[str] | None = None) -> list[Task]:
    """Source and target of each task that the material has, or of those named, such as ``text-to-image``.

    Raises:
        RequestError: a task that is not there.
    """
    there: dict[str, Task] = {
        f"{source}-to-{target}": (source, target) for source in material.modalities for target in material.modalities
    }
    unknown = [name for name in names or () if name not in there]
    if unknown:
        raise RequestError(f"there is no task {unknown[0]!r} with {material.encoder}; choose from {', '.join(there)}")
    return [there[name] for name in names or there]


def named(task: Task) -> dict[str, Any]:
    """The columns of a task."""
    return {"task": f"{task[0]}-to-{task[1]}"}


def recall_by_rule(
    seeker: Seeker,
    indexes: Mapping[Modality, WritableIndex],
    task: Task,
    areas: Sequence[Area],
    rule: FusionRule,
    seed: Seed = "centroid",
) -> float:
    """Recall@10 of the list of ten that a rule makes."""
    fusion = UploadFusion(indexes, rule=rule, seed=seed)
    return seeker.found(fusion.recommend(seeker.profile(task[0], areas), task[1], SHOWN).ranking.item_ids)


def recall_by_areas(
    seeker: Seeker, indexes: Mapping[Modality, WritableIndex], task: Task, areas: Sequence[Area], seed: Seed
) -> dict[str, float]:
    """Recall@10 of one task in both ways of counting.

    ``recall`` (*budget*): the areas take turns, the largest first, until ten works are in one list; hits / M.
    ``recall_per_seed``: every area shows its own ten, as in the paper's code, and a relevant work counts once if any
    of them has it; hits / M. ``shown`` tells how many different works that are: the more areas, the more are shown.
    """
    seeds = weighted_uploads(seeker.profile(task[0], areas), seed).seeds
    rankings = Candidates(indexes[task[1]], EVERYTHING).search(seeds[seeds.any(axis=1)], SHOWN)
    own = {item_id for ranking in rankings for item_id in ranking.item_ids}
    return {
        "recall": recall_by_rule(seeker, indexes, task, areas, IN_TURN, seed),
        "recall_per_seed": seeker.found(own),
        "shown": float(len(own)),
        "areas": float(len(areas)),
    }


# Lists for people, while some of their works are hidden


@dataclass(frozen=True, eq=False)
class Trial:
    """One person while some of their works are hidden.

    Attributes:
        owner: the person.
        kept: works that are known to be theirs, which may not come back, whatever modality was uploaded.
        hidden: works of theirs that may.
        uploads: by modality, made of the kept works alone; a modality without any is absent.
        works: all works by modality, the hidden ones as somebody else's.
    """

    owner: str
    kept: tuple[str, ...]
    hidden: tuple[str, ...]
    uploads: UploadProfile
    works: Mapping[Modality, ListedWorks]

    def profile(self, sources: Sequence[Modality]) -> UploadProfile:
        """The person, known by the uploads of some modalities only."""
        known = self.uploads.by_modality
        return UploadProfile(self.owner, {each: known[each] for each in sources if each in known})

    @cached_property
    def allow(self) -> Allow:
        """All works but the kept ones."""
        return Allow(exclude=frozenset(self.kept))


Lister = Callable[[Trial, UploadProfile, Sequence[Modality], int], UploadAnswer]
"""From a trial, the person's profile in it and target modalities to one list of the ``n`` best works."""


def listers(
    indexes: Mapping[Modality, WritableIndex],
    tags: Tags,
    *,
    text_encoder: TextEncoder | None = None,
    rules: Mapping[str, FusionRule] = RULES,
    seed: int = 0,
) -> dict[str, Lister]:
    """All that can be compared: the fusion rules, those by tags where works have tags, popularity and chance.

    With ``knn3z`` it is also measured with places kept for areas (`FLOORS`). ``tag-embedding`` needs a text encoder.
    Without any tags popularity cannot be told either.
    """
    found: dict[str, Lister] = {name: _by_rule(indexes, rule) for name, rule in rules.items()}
    if "knn3z" in rules:
        found |= {name: _by_rule(indexes, rules["knn3z"], at_least) for name, at_least in FLOORS.items()}
    if any(tags.values()):
        found["tag-overlap"] = _by_works(lambda works: TagOverlap(tags, works))
        if text_encoder is not None:
            found["tag-embedding"] = _by_tag_vectors(indexes, tags, text_encoder)
        found["popularity"] = _by_works(lambda works: CommonSubjects(tags, works))
    found["random"] = _by_works(lambda works: RandomWorks(works, seed=seed))
    return found


def works_of(indexes: Mapping[Modality, WritableIndex], owner_of: Mapping[str, str]) -> dict[Modality, ListedWorks]:
    """The works of indexes without their vectors, and whose they are."""
    owners = _Owners(owner_of)
    return {modality: ListedWorks(tuple(index.item_ids), owners) for modality, index in indexes.items()}


def _by_rule(indexes: Mapping[Modality, WritableIndex], rule: FusionRule, at_least: float = 0) -> Lister:
    """A fusion, whose indexes may know all works as the person's: the kept ones are left out by name."""
    fusion = UploadFusion(indexes, rule=_standardised if rule is mean_vector else rule, at_least=at_least)
    # One profile for all targets: the fusion keeps what it made for the profile that it was asked about last.
    anonymous = lru_cache(maxsize=1)(lambda profile: replace(profile, owner=""))
    return lambda trial, profile, wanted, n: fusion.recommend(anonymous(profile), wanted, n, trial.allow)


def _standardised(uploads: WeightedUploads, candidates: Candidates, n: int) -> Fused:
    """`mean_vector` by z-scores over the index: its cosines lie higher between works of one modality than of two."""
    found = mean_vector(uploads, candidates, n)
    query = uploads.weights @ uploads.vectors.astype(np.float64) / np.abs(uploads.weights).sum()
    [mean], [deviation] = candidates.index.moments().of_scores(query)
    scores = found.ranking.scores - mean
    z = scores / deviation if deviation > PRECISION else np.zeros_like(scores)
    return replace(found, ranking=Ranking(found.ranking.item_ids, z))


def _by_works(make: Callable[[Mapping[Modality, ListedWorks]], UploadRecommender]) -> Lister:
    made = lru_cache(maxsize=1)(lambda trial: make(trial.works))
    return lambda trial, profile, wanted, n: made(trial).recommend(profile, wanted, n, trial.allow)


def _by_tag_vectors(indexes: Mapping[Modality, WritableIndex], tags: Tags, encoder: TextEncoder) -> Lister:
    """As `TagEmbedding` over the works of the trial; their tags are embedded once for all trials."""

    def tag_index(ids: Sequence[str], vectors: Vectors, _: Sequence[str]) -> ExactIndex:
        return _index(f"tag-embedding {encoder.name}", encoder.fingerprint, ids, vectors)

    whole = TagEmbedding(tags, works_of(indexes, {}), encoder, tag_index)
    fusion, tag_profile = UploadFusion(whole.indexes, rule=knn3z), lru_cache(maxsize=1)(whole.tag_profile)

    def listed(trial: Trial, profile: UploadProfile, wanted: Sequence[Modality], n: int) -> UploadAnswer:
        if not (known := [each for each in wanted if len(whole.indexes[each])]):
            raise RequestError(f"no work of modality {' or '.join(wanted)} has tags that {encoder.name} knows")
        answer = fusion.recommend(replace(tag_profile(profile), owner=""), known, n, trial.allow)
        return UploadAnswer(answer.ranking)  # its reasons name areas of tags, which are not the person's

    return listed


def _index(encoder: str, fingerprint: str, ids: Sequence[str], vectors: Vectors) -> ExactIndex:
    named: dict[str, Any] = {"encoder": encoder, "fingerprint": fingerprint, "modality": "text", "collection": ""}
    return exact_index(make_vector_table(vectors, ids, [""] * len(ids), **named))


@dataclass(frozen=True)
class _Owners:
    """Columns that know owners and nothing else."""

    owner_of: Mapping[str, str]

    def owners(self, item_ids: Sequence[str]) -> list[str]:
        return [self.owner_of.get(item_id, "") for item_id in item_ids]

    def fulfilling(self, conditions: Sequence[Condition], item_ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        if conditions:
            raise RequestError(f"nothing is known of these works but their owners; leave out {conditions[0]}")
        return np.ones(len(item_ids), dtype=bool)
