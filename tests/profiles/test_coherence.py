"""The coherence rule against its definition, written out in loops over pairs of rows."""

import math

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering
from tests.profiles.random_profiles import Floats, partition, planted, random_profile

from vernissage.errors import RequestError
from vernissage.profiles.area_rules import Coherence, clusters_joined, particular_directions
from vernissage.profiles.areas import areas_of_interest
from vernissage.profiles.reduction import TSNE, PrincipalComponents


def literal_coherence(uploads: Floats, background: Floats) -> set[frozenset[int]]:
    """The rule word by word: double loops over rows, everything computed anew after every merge."""
    w = []
    for row in uploads:
        particular = row / math.sqrt(sum(row * row)) - background
        w.append(particular / math.sqrt(sum(particular * particular)))
    labels = AgglomerativeClustering(None, distance_threshold=1.3 * math.sqrt(2), linkage="ward").fit_predict(w)
    return literal_merging(np.array(w), [sorted(group) for group in partition(labels)])


def literal_merging(w: Floats, clusters: list[list[int]]) -> set[frozenset[int]]:
    def cosines(a: list[int], b: list[int]) -> list[float]:
        return [float(sum(w[i] * w[j])) for i in a for j in b if i != j]

    while True:
        clusters.sort()
        within = [cosines(cluster, cluster) for cluster in clusters]
        if not any(within):
            break
        pool = sum(map(sum, within)) / sum(map(len, within))
        own = [(sum(each) + 3 * pool) / (len(a) * (len(a) - 1) + 3) for a, each in zip(clusters, within, strict=True)]
        best, pair = 0.5, None
        for a in range(len(clusters)):
            for b in range(a + 1, len(clusters)):
                between = cosines(clusters[a], clusters[b])
                scale = (own[a] + own[b]) / 2
                rho = sum(between) / len(between) / scale if scale > 0 else -math.inf
                if rho >= best and (pair is None or rho > best):
                    best, pair = rho, (a, b)
        if pair is None:
            break
        clusters[pair[0]] += clusters.pop(pair[1])
        clusters[pair[0]].sort()
    return {frozenset(cluster) for cluster in clusters}


def areas(uploads: Floats, background: Floats) -> set[frozenset[int]]:
    return {frozenset(area.members) for area in areas_of_interest(uploads, background=background)}


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_the_literal_rule(seed: int) -> None:
    uploads, background = random_profile(seed)
    assert areas(uploads, background) == literal_coherence(uploads, background)


def test_the_random_profiles_are_a_test_of_every_step() -> None:
    """Some profiles merge Ward's clusters, some keep several areas: no step of the comparison is empty."""
    merged = kept = 0
    for seed in range(20):
        uploads, background = random_profile(seed)
        w = particular_directions(uploads, background)
        clusters = AgglomerativeClustering(None, distance_threshold=1.3 * math.sqrt(2)).fit_predict(w)
        found = areas(uploads, background)
        merged += len(found) <= clusters.max()
        kept += len(found) > 1
    assert merged >= 3
    assert kept >= 10


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("counts", [[12], [9, 6], [15, 8, 5, 4], [7] * 8])
def test_planted_interests_are_found(counts: list[int], seed: int) -> None:
    others = [0] * (8 - len(counts))  # the background has interests that the person does not share
    uploads, background = planted(counts + others, 64, seed=seed)
    assert areas(uploads, background) == partition(np.repeat(np.arange(len(counts)), counts))


def test_joining_by_hand() -> None:
    """Clusters {0,1}, {2,3}, {4} in a plane, by angles 0°, 20° | 50°, 70° | 180°.

    Within: cos 20° twice, so s_pool = s_aa = .940 everywhere. Between the first two: (cos 50° + cos 70° + cos 30° +
    cos 50°)/4 = .623, ρ = .663: joined. The fifth, opposite, stays by itself.
    """
    angles = np.radians([0, 20, 50, 70, 180])
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    clusters = np.array([0, 0, 1, 1, 2])
    assert clusters_joined(directions, clusters, ratio=0.66, prior=3.0).tolist() == [0, 0, 0, 0, 1]
    assert clusters_joined(directions, clusters, ratio=0.67, prior=3.0).tolist() == [0, 0, 1, 1, 2]


def test_clusters_that_disagree_within_are_no_measure_for_others() -> None:
    """Two pairs at 120° (cosine −.5) across each other: −.5 / −.5 would pass for perfectly related."""
    angles = np.radians([0, 120, 180, 300])
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert len(partition(clusters_joined(directions, np.array([0, 0, 1, 1]), ratio=0.5, prior=3.0))) == 2


def test_two_opposite_uploads_stay_apart_because_nothing_is_known_within() -> None:
    assert areas(np.array([[1.0, 0.0], [-1.0, 0.1]]), np.zeros(2)) == {frozenset({0}), frozenset({1})}


def test_two_uploads_alike_are_one_area() -> None:
    assert areas(np.array([[1.0, 0.0], [1.0, 0.1]]), np.zeros(2)) == {frozenset({0, 1})}


def test_scaling_uploads_changes_nothing() -> None:
    uploads, background = random_profile(3)
    factors = np.random.default_rng(0).uniform(0.01, 100, (len(uploads), 1))
    assert areas(uploads * factors, background) == areas(uploads, background)


def test_an_upload_in_the_direction_of_the_background_is_related_to_nothing() -> None:
    """Its W would be unit(0), up to rounding: it must not come out as a random direction."""
    background = np.array([0.6, 0.8, 0.0])
    assert particular_directions(np.array([[3.0, 4.0, 0.0], [1.0, 0.0, 0.0]]), background)[0].tolist() == [0, 0, 0]
    assert len(areas(np.float32([[0.6, 0.8, 0.0]] * 7), background)) == 1


def test_principal_components_leave_planted_interests_as_they_are() -> None:
    uploads, background = planted([9, 6, 5, 0, 0], 64, seed=0)
    for projection in (PrincipalComponents(), PrincipalComponents(5)):
        found = areas_of_interest(uploads, background=background, projection=projection)
        assert [len(area) for area in found] == [9, 6, 5]


def test_no_background_and_no_distances_are_refused_with_a_way_out() -> None:
    uploads, background = planted([5, 5], 8, seed=0)
    with pytest.raises(RequestError, match="needs the mean.*choose the rule ward, silhouette or hdbscan"):
        areas_of_interest(uploads, background=None)
    with pytest.raises(RequestError, match="t-SNE keeps no distances"):
        areas_of_interest(uploads, background=background, projection=TSNE())


def test_another_ratio_joins_less() -> None:
    uploads, background = random_profile(7)
    fewer, more = (areas_of_interest(uploads, background=background, rule=Coherence(ratio=ratio)) for ratio in (0.1, 2))
    assert len(fewer) < len(more)
