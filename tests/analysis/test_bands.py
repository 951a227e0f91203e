"""Bands of scores where what random requests reach is known by construction."""

import numpy as np

from vernissage.analysis.bands import Bounds, band_of, bounds, rated_bounds, search_bounds


def _unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_nine_works_for_each_request_are_fair_and_one_is_strong() -> None:
    scores = np.tile(np.arange(100.0), (4, 1))
    assert bounds(scores) == Bounds(fair=91.0, strong=99.0)
    assert [Bounds(91.0, 99.0).band(score) for score in (99.0, 98.9, 91.0, 90.9)] == ["strong", "fair", "fair", "weak"]


def test_searches_ask_for_more_in_small_collections() -> None:
    # Of 400 scores one in 200 is the second highest, and one in 800 the highest.
    scores = np.arange(400.0).reshape(4, 100)
    assert bounds(scores, rare=True) == Bounds(fair=398.0, strong=399.0)
    large = np.arange(40_000.0).reshape(4, 10_000)
    assert bounds(large, rare=True) == bounds(large)


def test_nothing_is_said_of_few_works() -> None:
    assert bounds(np.zeros((4, 49))) is None
    assert bounds(np.zeros((0, 100))) is None


def test_a_works_own_score_does_not_count_and_a_fusion_adds_weighted_z_scores() -> None:
    random = np.random.default_rng(0)
    one, other = (_unit(random.standard_normal((300, 8))) for _ in range(2))
    chosen = np.arange(0, 300, 3)
    found = rated_bounds({"one": one, "other": other}, {"one": 3.0, "other": 1.0}, chosen, "both")
    z = []
    for vectors in (one, other):
        scores = vectors[chosen].astype(np.float64) @ vectors.T
        z.append((scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True))
    for name, expected in (("one", z[0]), ("both", (3 * z[0] + z[1]) / 4)):
        expected[np.arange(100), chosen] = -np.inf
        highest = np.sort(expected, axis=None)[::-1]
        assert np.allclose([found[name]["1"].fair, found[name]["1"].strong], highest[[899, 99]], atol=1e-3)
    assert found["both"].keys() == {"1", "3", "9"}


def test_an_engine_that_knows_no_rated_work_is_no_part_of_the_fusion() -> None:
    vectors = _unit(np.random.default_rng(1).standard_normal((200, 8)))
    unknown = np.zeros_like(vectors)
    alone = rated_bounds({"one": vectors}, {"one": 1.0}, np.arange(50), "both")
    found = rated_bounds({"one": vectors, "none": unknown}, {"one": 1.0, "none": 9.0}, np.arange(50), "both")
    assert (found["both"], found["none"]) == (alone["one"], {})


def test_searches_for_what_is_there_are_strong_and_others_weak() -> None:
    random = np.random.default_rng(2)
    works = _unit(random.standard_normal((400, 32)))
    found = search_bounds(_unit(works + 0.1 * random.standard_normal((400, 32))), works, np.arange(100))
    assert found is not None
    assert found.band(float(works[7] @ works[7])) == "strong"
    assert found.band(float(np.median(works[7] @ works.T))) == "weak"


def test_bounds_are_those_of_as_many_rated_works_or_fewer() -> None:
    found = {"1": Bounds(3.0, 4.0), "3": Bounds(2.0, 3.0), "9": Bounds(1.0, 2.0)}
    assert [band_of(found, rated, 2.5) for rated in (1, 2, 3, 8, 9, 30)] == [
        "weak", "weak", "fair", "fair", "strong", "strong"
    ]  # fmt: skip
    assert band_of({}, 3, 9.0) is None
