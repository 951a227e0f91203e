import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_score
from tests.profiles.random_profiles import Floats, partition, planted, random_profile
from tests.recommenders.worlds import index_of

from vernissage.errors import RequestError
from vernissage.profiles.area_rules import Coherence, Hdbscan, Silhouette, Ward, mean_silhouette
from vernissage.profiles.areas import Area, AreaRule, area_of, areas_of_interest, surroundings_of
from vernissage.profiles.directions import mean_direction, unit
from vernissage.profiles.reduction import TSNE, NoProjection, PrincipalComponents
from vernissage.values import Allow

RULES = [Coherence(), Ward(1.2), Silhouette(), Hdbscan()]
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)


def members(areas: tuple[Area, ...]) -> list[list[int]]:
    return [list(area.members) for area in areas]


@each_rule
def test_nothing_one_and_copies(rule: AreaRule) -> None:
    background = np.array([0.1, 0.2, 0.3])
    assert areas_of_interest(np.zeros((0, 3), dtype=np.float32), background=background, rule=rule) == ()
    for count in (1, 2, 30):
        (area,) = areas_of_interest(np.float32([[1, 2, 2]] * count), background=background, rule=rule)
        assert area.members == tuple(range(count))
        assert area.medoid == 0
        assert area.centroid.tolist() == [1, 2, 2]
        assert area.centroid.dtype == np.float32


@each_rule
def test_planted_interests_are_found_largest_first(rule: AreaRule) -> None:
    uploads, background = planted([6, 12, 6, 0, 0], 64, seed=1)
    found = areas_of_interest(uploads, background=background, rule=rule)
    assert members(found) == [[*range(6, 18)], [*range(6)], [*range(18, 24)]]
    for area in found:
        assert area.centroid == pytest.approx(uploads[list(area.members)].mean(axis=0), abs=1e-6)


@each_rule
def test_the_medoid_has_the_highest_mean_cosine(rule: AreaRule) -> None:
    uploads, background = random_profile(5)
    for area in areas_of_interest(uploads, background=background, rule=rule):
        means = {
            row: np.mean([uploads[row] @ uploads[other] / np.linalg.norm(uploads[other]) for other in area.members])
            / np.linalg.norm(uploads[row])
            for row in area.members
        }
        assert means[area.medoid] == pytest.approx(max(means.values()))


def test_of_two_members_the_first_is_the_medoid() -> None:
    """Both have the same mean cosine, (1 + cos)/2; rounding must not choose."""
    random = np.random.default_rng(0)
    for _ in range(50):
        assert area_of(random.standard_normal((5, 7)), [4, 2]).medoid == 2


@each_rule
def test_zeros_are_an_area_of_their_own_where_directions_count(rule: AreaRule) -> None:
    uploads, background = planted([9, 8, 0, 0], 32, seed=2)
    uploads[[3, 12]] = 0
    found = members(areas_of_interest(uploads, background=background, rule=rule))
    if rule.by_direction:
        assert found == [[0, 1, 2, 4, 5, 6, 7, 8], [9, 10, 11, 13, 14, 15, 16], [3, 12]]
    assert members(areas_of_interest(np.zeros((4, 3)), background=np.zeros(3), rule=rule)) == [[0, 1, 2, 3]]


@pytest.mark.parametrize("seed", range(6))
def test_silhouettes_agree_with_scikit_learn(seed: int) -> None:
    rows, _ = random_profile(seed + 30)
    directions = unit(rows)
    labels = np.random.default_rng(seed).integers(0, 4, len(rows))
    labels = np.unique(labels, return_inverse=True)[1]
    if 1 < labels.max() + 1 < len(rows):
        expected = silhouette_score(directions, labels, metric="cosine")
        assert mean_silhouette(directions, labels) == pytest.approx(expected)


def test_silhouette_takes_the_number_of_clusters_that_are_told_apart_best() -> None:
    uploads, _ = planted([8] * 5, 64, seed=3)
    assert len(areas_of_interest(uploads, background=None, rule=Silhouette())) == 5
    assert len(areas_of_interest(uploads, background=None, rule=Silhouette(most=4))) <= 4
    assert len(areas_of_interest(uploads[[0, 39]], background=None, rule=Silhouette())) == 1


def test_hdbscan_makes_one_area_of_noise_and_leaves_nobody_out() -> None:
    noise = np.random.default_rng(0).standard_normal((40, 50))
    assert len(areas_of_interest(noise, background=None, rule=Hdbscan(smallest=15))) == 1
    uploads, _ = planted([20, 20], 32, seed=0)
    outlier = uploads[:1] * 0.6 + uploads[20:21] * 0.4  # between both, nearer to the first
    found = areas_of_interest(np.concatenate([uploads, outlier]), background=None, rule=Hdbscan())
    assert members(found) == [[*range(20), 40], [*range(20, 40)]]
    assert len(areas_of_interest(uploads[[0, 1, 20, 21]], background=None, rule=Hdbscan())) == 1


def test_hdbscan_sees_a_sample_of_many_uploads_and_places_the_rest() -> None:
    uploads, _ = planted([60, 40], 32, seed=0)
    for seed in (0, 1):
        found = areas_of_interest(uploads, background=None, rule=Hdbscan(sample=50), seed=seed)
        assert [len(area) for area in found] == [60, 40]


def test_principal_components_keep_the_share_or_number_asked_for() -> None:
    rows = np.random.default_rng(0).standard_normal((60, 6)) * [10, 5, 2, 0.1, 0.1, 0.1]
    assert PrincipalComponents(0.99).apply(rows, seed=0, progress=lambda *_: None).shape == (60, 3)
    assert PrincipalComponents(2).apply(rows, seed=0, progress=lambda *_: None).shape == (60, 2)
    whole = PrincipalComponents(50).apply(rows, seed=0, progress=lambda *_: None)
    assert whole.shape == (60, 6)
    apart = [np.linalg.norm(each[0] - each[1]) for each in (rows, whole)]
    assert apart[0] == pytest.approx(apart[1])
    wide = PrincipalComponents(0.99).apply(rows[:4], seed=0, progress=lambda *_: None)
    assert wide.shape[1] <= 3
    for wrong in (0, -1, 1.5, float("nan")):
        with pytest.raises(RequestError, match="principal components cannot keep"):
            PrincipalComponents(wrong)


@each_rule
@pytest.mark.parametrize("projection", [NoProjection(), PrincipalComponents(), PrincipalComponents(3), TSNE()])
def test_small_profiles_go_through_every_projection(rule: AreaRule, projection: object) -> None:
    if isinstance(rule, Coherence) and isinstance(projection, TSNE):
        return
    for count in range(2, 9):
        rows = np.random.default_rng(count).standard_normal((count, 12))
        found = areas_of_interest(rows, background=np.zeros(12), rule=rule, projection=projection)  # type: ignore[arg-type]
        assert sorted(row for area in found for row in area.members) == [*range(count)]


def test_tsne_tells_planted_interests_apart_and_obeys_the_seed() -> None:
    uploads, _ = planted([25, 25], 32, seed=0, spread=0.2)
    drawn = [TSNE().apply(uploads, seed=seed, progress=lambda *_: None) for seed in (0, 0)]
    assert np.array_equal(drawn[0], drawn[1])
    found = areas_of_interest(uploads, background=None, rule=Silhouette(), projection=TSNE())
    assert [len(area) for area in found] == [25, 25]


@pytest.mark.parametrize(
    ("vectors", "background", "meant"),
    [
        (np.ones(3), None, "give numbers, one row for each upload"),
        (np.ones((2, 0)), None, "give numbers"),
        (np.array([["a"]]), None, "give numbers"),
        (np.array([[1, np.nan], [1, 1]]), None, "1 of 2 vectors hold values that are not numbers"),
        (np.array([[1, np.inf], [1e39, 1]]), None, "2 of 2 vectors"),
        (np.eye(3), np.ones(2), "background has shape \\(2,\\)"),
        (np.eye(3), np.ones((1, 3)), "background has shape \\(1, 3\\)"),
        (np.eye(3), np.ones(3), "no mean of unit vectors"),
        (np.eye(3), np.array([np.nan, 0, 0]), "no mean of unit vectors"),
    ],
)
def test_input_that_cannot_be_grouped_is_refused(vectors: Floats, background: Floats | None, meant: str) -> None:
    with pytest.raises(RequestError, match=meant):
        areas_of_interest(vectors, background=background, rule=Ward(1))


def test_settings_that_make_no_sense_are_refused() -> None:
    for threshold in (0, -1, float("nan"), float("inf")):
        with pytest.raises(RequestError, match="give a distance above 0"):
            Ward(threshold)
    with pytest.raises(RequestError, match="HDBSCAN needs at least 2"):
        Hdbscan(smallest=1)


def test_the_mean_direction_counts_every_row_alike() -> None:
    assert mean_direction(np.array([[5.0, 0], [0, 0.1]])).tolist() == [0.5, 0.5]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([*RULES, Ward(3.0), Hdbscan(smallest=3)]))
def test_areas_partition_the_rows_and_come_in_order(seed: int, rule: AreaRule) -> None:
    rows, background = random_profile(seed)
    found = areas_of_interest(rows, background=background, rule=rule)
    assert sorted(row for area in found for row in area.members) == [*range(len(rows))]
    sizes = [(-len(area), area.members[0]) for area in found]
    assert sizes == sorted(sizes)
    for area in found:
        assert list(area.members) == sorted(area.members)
        assert area.medoid in area.members


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([Coherence(), Ward(3.0), Silhouette()]))
def test_permuted_rows_give_permuted_areas(seed: int, rule: AreaRule) -> None:
    rows, background = random_profile(seed)
    order = np.random.default_rng(seed).permutation(len(rows))
    found = areas_of_interest(rows, background=background, rule=rule)
    shuffled = areas_of_interest(rows[order], background=background, rule=rule)
    assert {frozenset(area.members) for area in found} == {
        frozenset(order[list(area.members)].tolist()) for area in shuffled
    }


def test_equal_input_gives_equal_areas() -> None:
    rows, background = random_profile(11)
    for rule in RULES:
        one, two = (areas_of_interest(rows, background=background, rule=rule) for _ in range(2))
        assert [(area.members, area.medoid, area.centroid.tobytes()) for area in one] == [
            (area.members, area.medoid, area.centroid.tobytes()) for area in two
        ]


def test_partitions_are_what_the_other_tests_take_them_for() -> None:
    assert partition([3, 1, 3]) == {frozenset({0, 2}), frozenset({1})}


def test_surroundings_by_hand() -> None:
    texts = index_of([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], ["a", "b", "c"])
    pictures = np.float32([[0.9, 0.1, 0], [0, 0, 0], [0.1, 0.8, 0.2]])
    around = surroundings_of(pictures, texts)  # of three works the nearest one alone
    assert around == pytest.approx(np.array([[2, -1, -1], [0, 0, 0], [-1, 2, -1]]) / np.sqrt(6))
    assert surroundings_of(pictures, texts, Allow(exclude=frozenset("a")))[0] == pytest.approx(around[2])
    assert not surroundings_of(pictures, texts, Allow(only=frozenset())).any()


def test_what_is_around_uploads_tells_interests_apart_that_look_alike() -> None:
    """Pictures of nothing in common; the texts around every second of them are about one of two things."""
    rng = np.random.default_rng(3)
    pictures = unit(rng.standard_normal((12, 40)) + 0.3 * np.eye(40)[[0, 1] * 6])
    background, around = np.zeros(40), np.eye(40)[[0, 1] * 6]
    plain = areas_of_interest(pictures, background=background)
    found = areas_of_interest(pictures, background=background, surroundings=around)
    assert members(found) == [[*range(0, 12, 2)], [*range(1, 12, 2)]] != members(plain)
    assert found[0].centroid == pytest.approx(pictures[::2].mean(axis=0), abs=1e-6)
