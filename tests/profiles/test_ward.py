import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import AgglomerativeClustering
from tests.profiles.random_profiles import partition, random_profile

from vernissage.profiles.ward import ward_merges


def test_heights_of_two_and_then_four_points() -> None:
    """Pairs 1 apart: √(2·1·1/2)·1 = 1; their centroids 4 apart, two points each: √(2·2·2/4)·4 = √2·4."""
    merges = ward_merges(np.array([[0.0], [1.0], [4.0], [5.0]]))
    assert sorted(merges.heights.tolist()) == pytest.approx([1, 1, np.sqrt(2) * 4])


def test_a_merge_as_high_as_the_cut_is_not_made() -> None:
    points = np.array([[0.0], [2.0]])
    for cut, clusters in ((2.0, 2), (2.0 + 1e-9, 1)):
        assert len(partition(ward_merges(points, below=cut).below(cut))) == clusters
        reference = AgglomerativeClustering(None, distance_threshold=cut).fit_predict(points)
        assert partition(reference) == partition(ward_merges(points).below(cut))


@pytest.mark.parametrize("seed", range(20))
def test_cuts_agree_with_scikit_learn(seed: int) -> None:
    rows, _ = random_profile(seed)
    merges = ward_merges(rows)
    for cut in np.quantile(merges.heights, [0.1, 0.5, 0.9, 0.99]) + 1e-6:
        reference = AgglomerativeClustering(None, distance_threshold=cut).fit_predict(rows)
        assert partition(merges.below(cut)) == partition(reference)
        assert partition(ward_merges(rows, below=cut).below(cut)) == partition(reference)
    for clusters in {1, 2, min(5, len(rows)), len(rows)}:
        reference = AgglomerativeClustering(clusters).fit_predict(rows)
        assert partition(merges.into(clusters)) == partition(reference)


@pytest.mark.parametrize(("count", "dim"), [(3000, 24), (1500, 200)])
def test_many_points_give_scipys_tree(count: int, dim: int) -> None:
    """Sizes that need several blocks, several rounds, and comparing anew with all others."""
    random = np.random.default_rng(count)
    rows = random.standard_normal((30, dim))[random.integers(0, 30, count)] + random.standard_normal((count, dim))
    merges, tree = ward_merges(rows), linkage(rows, "ward")
    assert np.sort(merges.heights) == pytest.approx(tree[:, 2], rel=1e-9)
    for clusters in (2, 10, 100, 1000):
        assert partition(merges.into(clusters)) == partition(fcluster(tree, clusters, "maxclust"))


def test_points_closer_than_single_precision_can_tell_are_still_told_apart() -> None:
    """Differences of 1e-6 beside coordinates of 1: single precision alone would see equal points."""
    random = np.random.default_rng(1)
    rows = 1 + 1e-6 * random.standard_normal((300, 8))
    rows = np.concatenate([rows, -rows])
    merges, tree = ward_merges(rows), linkage(rows, "ward")
    assert np.sort(merges.heights) == pytest.approx(tree[:, 2], rel=1e-6)
    assert partition(merges.into(2)) == {frozenset(range(300)), frozenset(range(300, 600))}


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_tiny_and_huge_vectors_are_clustered_as_others(scale: float) -> None:
    rows, _ = random_profile(2)
    assert ward_merges(rows * scale).heights == pytest.approx(ward_merges(rows).heights * scale)


def test_copies_are_joined_at_height_zero_and_count() -> None:
    """Nine copies of 0 and one 3: √(2·9·1/10)·3."""
    merges = ward_merges(np.array([[0.0]] * 9 + [[3.0]]))
    assert merges.heights.tolist() == pytest.approx([0.0] * 8 + [np.sqrt(1.8) * 3])


def test_twenty_thousand_copies_are_one_cluster() -> None:
    assert ward_merges(np.ones((20_000, 4))).below(1e-9).max() == 0


def test_equal_distances_everywhere_come_to_an_end() -> None:
    """Corners of a cube and unit vectors along the axes: every choice is a tie."""
    cube = np.stack(np.meshgrid([0.0, 1.0], [0.0, 1.0], [0.0, 1.0]), axis=-1).reshape(-1, 3)
    for rows in (cube, np.eye(300)):
        assert len(ward_merges(rows).heights) == len(rows) - 1
        assert ward_merges(rows).below(1e9).max() == 0


def test_progress_ends_with_everything_done() -> None:
    seen: list[tuple[int, int]] = []
    ward_merges(np.random.default_rng(0).standard_normal((60, 3)), progress=lambda _, done, of: seen.append((done, of)))
    assert seen == sorted(seen)
    assert seen[-1] == (60, 60)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 5))
def test_the_order_of_rows_does_not_matter(seed: int, count: int, dim: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.standard_normal((count, dim))
    order = random.permutation(count)
    merges, shuffled = ward_merges(rows), ward_merges(rows[order])
    assert np.sort(shuffled.heights) == pytest.approx(np.sort(merges.heights))
    cut = float(np.median(merges.heights)) + 1e-9
    assert {frozenset(order[list(group)].tolist()) for group in partition(shuffled.below(cut))} == partition(
        merges.below(cut)
    )
