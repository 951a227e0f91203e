"""The rows of one map of `maps`: where works lie, and what is true of the space that they lie in."""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from vernissage.analysis.paired import Estimate, mean_with_error
from vernissage.analysis.projection import project
from vernissage.encoders.centring import without_mean
from vernissage.files import digest
from vernissage.progress import Progress
from vernissage.search.joint import join_modalities
from vernissage.values import Modality, Vectors
from vernissage_lab.analysis.gap import gap_report
from vernissage_lab.analysis.tangle import (
    chance_alike,
    chance_silhouette,
    map_trust,
    neighbours_alike,
    neighbours_alike_on_map,
    silhouettes,
)
from vernissage_lab.material import UNKNOWN, Material, Rows
from vernissage_lab.recipes.gap import GapPairs
from vernissage_lab.recipes.maps_tables import (
    AFTER,
    ALIKE,
    AS_THEY_ARE,
    BEFORE,
    GAP,
    JOINT,
    KINDS,
    ON_MAP,
    OWN_KIND,
    PAIRS,
    PICTURES,
    SILHOUETTE,
    TEXTS,
    TOLD_APART,
    TRUST,
)
from vernissage_lab.tidy import Row, Value, in_table

_OF: Mapping[Modality, str] = {"image": PICTURES, "text": TEXTS}


def representations(material: Material) -> dict[str, Vectors]:
    """The vectors of pictures, of texts, and where there are both, joint ones: by what they are of."""
    found = {_OF[modality]: vectors for modality, vectors in material.vectors.items()}
    if len(found) == len(_OF):
        image, text = (material.table(each, material.vectors[each], material.item_ids) for each in _OF)
        found[JOINT] = join_modalities(image, text).vectors
    return found


def drawn_rows(material: Material, vectors: Vectors, most: int, seed: int) -> Rows:
    """Rows with a vector, at most so many: by a digest of seed and id, so that all representations show the same."""
    there = np.flatnonzero(vectors.any(axis=1))
    if len(there) <= most:
        return there
    ids = material.item_ids
    drawn = sorted(there.tolist(), key=lambda row: digest(str(seed).encode(), ids[row].encode()))[:most]
    return np.array(sorted(drawn), dtype=np.int64)


def map_of_groups(
    material: Material, of: str, vectors: Vectors, rows: Rows, seed: int, progress: Progress
) -> Iterator[Row]:
    """The places of works by one representation, and what is true of its groups in the space itself.

    Args:
        material: the works; those without a group are on the map, and not measured.
        of: what the representation is of.
        vectors: its vectors of all works, float32 (n, dim).
        rows: the works that are shown, (m,); at least 21 of them have a group.
        seed: of the map, and of groups given at random.
        progress: told of the map.
    """
    groups = [_group(material, row) for row in rows.tolist()]
    named = np.array([bool(group) for group in groups])
    known = [group for group in groups if group]
    space = vectors[rows]
    points = project(space, seed=seed, progress=progress)
    alike, chance = neighbours_alike(space[named], known), chance_alike(known)
    told: dict[str, Value] = {"encoder": material.encoder, "of": of, "method": AS_THEY_ARE}
    shares = np.full(len(rows), math.nan)
    shares[named] = alike
    for row, group, (x, y), share in zip(rows.tolist(), groups, points.tolist(), shares.tolist(), strict=True):
        yield in_table("maps", told | _place(material.item_ids[row], of, group, x, y, share))
    on_map = mean_with_error(neighbours_alike_on_map(points[named], known))
    silhouette = mean_with_error(silhouettes(space[named], known))
    trust = Estimate(map_trust(space, points), math.nan, len(rows))
    yield _measured(told, ALIKE, mean_with_error(alike), chance)
    yield _measured(told, ON_MAP, on_map, chance)
    yield _measured(told, SILHOUETTE, silhouette, chance_silhouette(space[named], known, seed=seed))
    yield _measured(told, TRUST, trust, 0.5)


def map_of_pairs(pairs: GapPairs, most: int, seed: int, progress: Progress) -> Iterator[Row]:
    """Pictures and texts of at most ``most`` works in one map, before and after the means of each kind are removed.

    Raises:
        RequestError: as in `gap_report`, or fewer than 21 points.
    """
    material = pairs.material
    sides = material.vectors["image"], material.vectors["text"]
    report = gap_report(*sides, pairs.fitting, pool=most, seed=seed, progress=progress)
    raw = [side[report.measured] for side in sides]
    closed = [without_mean(side, mean) for side, mean in zip(raw, report.means, strict=True)]
    rows = report.measured.tolist()
    for method, words, vectors in (("raw", BEFORE, raw), ("means", AFTER, closed)):
        told: dict[str, Value] = {"encoder": material.encoder, "of": PAIRS, "method": words}
        space, kinds = np.concatenate(vectors), np.repeat(KINDS, len(rows)).tolist()
        points = project(space, seed=seed, progress=progress)
        alike = neighbours_alike(space, kinds)
        for row, kind, (x, y), share in zip(rows * 2, kinds, points.tolist(), alike.tolist(), strict=True):
            place = _place(material.item_ids[row], kind, _group(material, row), x, y, share)
            yield in_table("maps", told | place)
        measures = report.methods[method]  # type: ignore[index]
        if measures.gap is not None and measures.separability is not None:
            yield _measured(told, GAP, Estimate(measures.gap, math.nan, len(rows)), report.level)
            yield _measured(told, TOLD_APART, measures.separability, 0.5)
        yield _measured(told, OWN_KIND, mean_with_error(alike), chance_alike(kinds))
        yield _measured(told, TRUST, Estimate(map_trust(space, points), math.nan, len(space)), 0.5)


def _place(work: str, side: str, group: str, x: float, y: float, alike: float) -> dict[str, Value]:
    return {"side": side, "work": work, "group": group, "x": x, "y": y, "alike": alike}


def _measured(told: Mapping[str, Value], measure: str, estimate: Estimate, chance: float) -> Row:
    lift = estimate.mean / chance if measure in (ALIKE, ON_MAP, OWN_KIND) and chance > 0 else math.nan
    values: dict[str, Value] = {"mean": estimate.mean, "se": estimate.se, "n": estimate.n}
    return in_table("measures", {**told, "measure": measure, **values, "chance": chance, "lift": lift})


def _group(material: Material, row: int) -> str:
    number = int(material.classes[row])
    return material.class_names[number] if number != UNKNOWN else ""
