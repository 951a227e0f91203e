"""Each area of interest searches for itself: one ranking for every area and task."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile, UploadsOfModality
from vernissage.values import EVERYTHING, MODALITIES, Allow, Index, Modality, Ranking, Vectors

Seed = Literal["centroid", "medoid"]
SEEDS: tuple[Seed, ...] = ("centroid", "medoid")

Resemblance = tuple[str, float]
"""An upload and its cosine to a work."""


@dataclass(frozen=True, eq=False)
class AreaRanking:
    """What one area finds in one modality: its modality and number, and the works, best first."""

    area: int
    source: Modality
    target: Modality
    ranking: Ranking


def rank_areas(
    indexes: Mapping[Modality, Index],
    profile: UploadProfile,
    k: int,
    allow: Allow = EVERYTHING,
    *,
    seed: Seed = "centroid",
) -> tuple[AreaRanking, ...]:
    """``k`` works for each area and task: section 3 of D'Asaro et al., ESWA 258 (2024).

    The four tasks are text→image, text→text, image→image and image→text (ZCCR, doi 10.1016/j.eswa.2024.125108);
    ``indexes`` are of one encoder, whose vectors lie in one space. The seed is the centroid of the area's vectors, or
    the medoid, the upload nearest to it; a work's score is its cosine to the seed. Pictures come first as source, then
    as target, then the weightiest area. The person's own works are left out inside the search, so fewer than ``k`` come
    back only where fewer works of other people are allowed. Muted areas do not search, nor does an area in which the
    encoder found nothing, whose seed is zero. A modality without uploads or without an index has no tasks.

    Raises:
        RequestError: nothing was uploaded, k is below 1, or uploads and works lie in different spaces.
    """
    require_uploads(profile)
    found: list[AreaRanking] = []
    for source, target in itertools.product(profile.sources, MODALITIES):
        if target not in indexes:
            continue
        index, uploads = indexes[target], profile.by_modality[source]
        require_one_space(index, target, uploads.vectors, source)
        seeds = area_seeds(uploads, seed)
        searching = [number for number in uploads.unmuted if seeds[number].any()]
        rankings = index.search(seeds[searching], k, others_works(profile, allow)) if searching else []
        found += [AreaRanking(number, source, target, each) for number, each in zip(searching, rankings, strict=True)]
    return tuple(found)


def area_seeds(uploads: UploadsOfModality, seed: Seed) -> Vectors:
    """The seed of each area, scaled to unit length, float32 (areas, dim)."""
    if seed == "medoid":
        return unit_rows(uploads.vectors[[area.medoid for area in uploads.areas]])
    return unit_rows(np.stack([area.centroid for area in uploads.areas]))


def resembling_uploads(
    uploads: UploadsOfModality, area: int, index: Index, item_ids: Sequence[str]
) -> tuple[tuple[Resemblance, ...], ...]:
    """For each of ``item_ids``, works of ``index``, the two most similar uploads of the area; ties by id."""
    if not item_ids:
        return ()
    members = sorted(uploads.areas[area].members, key=uploads.item_ids.__getitem__)
    own = uploads.vectors[members].astype(np.float64)
    found = []
    for vector in index.vectors_of(item_ids).astype(np.float64):
        cosines = (own * vector).sum(axis=1)
        order = np.argsort(-cosines, kind="stable")[:2].tolist()
        found.append(tuple((uploads.item_ids[members[at]], float(cosines[at])) for at in order))
    return tuple(found)


def others_works(profile: UploadProfile, allow: Allow = EVERYTHING) -> Allow:
    """Leave out the person's uploads, the works they disliked, and everything else that is known to be theirs.

    Raises:
        RequestError: somebody else's works are to be left out as well.
    """
    if allow.not_owner is not None and profile.owner and allow.not_owner != profile.owner:
        raise RequestError(
            f"works of {allow.not_owner} are to be left out, but a person's own already are, {profile.owner}'s; "
            f"leave out one owner's"
        )
    return replace(allow.without(profile.item_ids), not_owner=profile.owner or allow.not_owner)


def require_uploads(profile: UploadProfile) -> None:
    """Refuse a profile without uploads by a `RequestError`."""
    if not profile.by_modality:
        raise RequestError(
            f"{profile.owner or 'this person'} has uploaded nothing, so there are no areas of interest; "
            f"upload a picture or a text first"
        )


def require_one_space(index: Index, target: Modality, vectors: Vectors, source: Modality) -> None:
    """Refuse uploads and works whose vectors cannot be compared, by a `RequestError`."""
    if vectors.shape[1] != index.card.dim:
        raise RequestError(
            f"uploads of modality {source} have {vectors.shape[1]} dimensions, but works of modality {target} have "
            f"{index.card.dim}: they were read by different encoders; use one encoder that reads both"
        )
