"""What tags, and vectors of tags, show to simulated users, beside areas of interest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.areas import area_of, areas_of_interest
from vernissage.profiles.directions import mean_direction
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.recommenders.tags import CommonRule, TagOverlap, embed_tags, known_tags
from vernissage.search.exact import ExactIndex
from vernissage.values import MODALITIES, Modality, Ranking, Vectors
from vernissage_lab.area_lists import SHOWN, Seeker, Task, measured
from vernissage_lab.material import Material, Rows
from vernissage_lab.simulated_users import SimulatedUser

NOTHING: Mapping[str, float] = {"recall": 0.0, "recall_per_seed": 0.0, "shown": 0.0}
"""What somebody is shown for whom a method has no answer."""

Means = Mapping[Modality, npt.NDArray[np.float64]]

AREAS, EMBEDDING = "areas", "tag-embedding"


@dataclass(frozen=True, eq=False)
class Compared:
    """The same works in three ways.

    Attributes:
        own: by their own vectors, in the modalities that the encoder reads.
        present: by their tags alone, in the modalities that have tags, which are these or more; all vectors are equal.
    """

    own: Material
    present: Material

    @cached_property
    def embedded(self) -> Material:
        """By the vectors of their tags, in the same modalities; made when first asked for: it can take minutes."""
        return replace(self.present, vectors=_tag_vectors(self.own))

    def has_areas(self, task: Task) -> bool:
        """Whether both sides of the task have vectors of their own."""
        return set(task) <= set(self.own.modalities)


def overlap_method(rule: CommonRule) -> str:
    """What overlap of tags by a rule is called: ``tag-overlap`` by the usual one, ``tag-overlap:unique`` by another."""
    return "tag-overlap" if rule == "mass" else f"tag-overlap:{rule}"


def lacking_tags(material: Material) -> list[Modality]:
    """The modalities that have vectors and no tags, where others have tags that can stand for them."""
    known = _sides_with_tags(material)
    return [each for each in material.modalities if each not in known] if known else []


def no_tags(name: str) -> str:
    """What to say where no work has a tag."""
    return (
        f"no work of {name} has tags, so there is nothing to compare with; find some with --tagger, or take a "
        f"collection with a column keywords, or a classified set with the columns image_tags or text_tags"
    )


def compared(material: Material) -> Compared:
    """The works of a material by their vectors and by their tags.

    Where pictures alone, or texts alone, have tags, they are the other's too, because both are of one work; then the
    modalities are those that the encoder reads. Else they are all that have tags.

    Raises:
        RequestError: no work has tags, or nothing reads them.
    """
    known = _sides_with_tags(material)
    if not known:
        raise RequestError(no_tags(material.name))
    if material.text_encoder is None:
        raise RequestError(f"nothing in {material.name} reads tags; build an encoder of texts, such as lsa, beside it")
    sides = material.modalities if lacking_tags(material) else known
    tags = {each: material.tags[each if each in known else known[0]] for each in sides}
    tagged = replace(material, tags=tags)
    there = np.ones((len(material), 1), dtype=np.float32)
    return Compared(tagged, replace(tagged, vectors=dict.fromkeys(sides, there)))


def backgrounds(material: Material) -> Means:
    """The mean direction of the works that have a vector, float64 (dim,), by modality."""
    return {each: mean_direction(rows[rows.any(axis=1)]) for each, rows in material.vectors.items()}


def shown_by_areas(seeker: Seeker, tasks: Sequence[Task], means: Means) -> dict[Task, Mapping[str, float]]:
    """What areas of interest find of each task, the centroids taking turns; see `measured`."""
    pools = {target: seeker.pool(target) for target in {target for _, target in tasks}}
    areas = {
        source: areas_of_interest(vectors, background=means[source])
        for source in {source for source, _ in tasks}
        if (vectors := seeker.vectors(source)).any()
    }
    return {
        task: measured(seeker, pools, task, areas[task[0]], "centroid")
        if task[0] in areas and len(pools[task[1]])
        else NOTHING
        for task in tasks
    }


def shown_by_overlap(
    seeker: Seeker, task: Task, rules: Sequence[CommonRule], index: ExactIndex
) -> dict[CommonRule, Mapping[str, float]]:
    """What overlap of tags by each rule finds in ``index``, of works that are `Compared.present`.

    Uploads have the tags of their modality, and works of the pool those of theirs; nothing is both. A rule that cuts
    within areas is told the true interests, as the code of the paper is.
    """
    source, target = task
    uploads = dict(zip(seeker.upload_ids, _tags_of(seeker.material, source, seeker.user.uploads), strict=True))
    works = dict(zip(seeker.pool_ids, _tags_of(seeker.material, target, seeker.user.pool), strict=True))
    if not any(known_tags(uploads, item_id) for item_id in uploads):
        return dict.fromkeys(rules, NOTHING)
    rows, interests = seeker.vectors(source), seeker.user.interests
    areas = [area_of(rows, np.flatnonzero(interests == each)) for each in dict.fromkeys(interests.tolist())]
    profile, tags, listed = seeker.profile(source, areas), uploads | works, ListedWorks(index.item_ids)
    return {
        rule: _told(seeker, TagOverlap(tags, {target: listed}, rule=rule).recommend(profile, target, SHOWN).ranking)
        for rule in rules
    }


def shown_to(
    user: SimulatedUser,
    works: Compared,
    tasks: Sequence[Task],
    rules: Sequence[CommonRule],
    means: tuple[Means, Means],
) -> Iterator[tuple[Task, str, Mapping[str, float]]]:
    """Task by task what each method shows to one user; ``means`` are `backgrounds` of own and embedded vectors."""
    own, present = Seeker(works.own, user), Seeker(works.present, user)
    by_areas = shown_by_areas(own, [task for task in tasks if works.has_areas(task)], means[0])
    by_tag_vectors = shown_by_areas(Seeker(works.embedded, user), tasks, means[1])
    indexes = {target: present.index(target) for target in {target for _, target in tasks}}
    for task in tasks:
        if task in by_areas:
            yield task, AREAS, by_areas[task]
        for rule, told in shown_by_overlap(present, task, rules, indexes[task[1]]).items():
            yield task, overlap_method(rule), told
        yield task, EMBEDDING, by_tag_vectors[task]


def _told(seeker: Seeker, shown: Ranking) -> Mapping[str, float]:
    recall = seeker.found(shown.item_ids)
    return {"recall": recall, "recall_per_seed": recall, "shown": float(len(shown))}


def _sides_with_tags(material: Material) -> tuple[Modality, ...]:
    return tuple(each for each in MODALITIES if any(material.tags.get(each, {}).values()))


def _tag_vectors(material: Material) -> dict[Modality, Vectors]:
    encoder, known = material.text_encoder, dict[int, Vectors]()
    if encoder is None:
        return {}
    for tags in material.tags.values():
        if id(tags) not in known:  # one column of keywords often serves both modalities
            known[id(tags)] = embed_tags([known_tags(tags, item_id) for item_id in material.item_ids], encoder)
    return {modality: known[id(tags)] for modality, tags in material.tags.items()}


def _tags_of(material: Material, modality: Modality, rows: Rows) -> list[Sequence[str]]:
    return [material.tags[modality].get(material.item_ids[row], ()) for row in rows.tolist()]
