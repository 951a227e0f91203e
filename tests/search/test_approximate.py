"""The approximate index: recall on clusters, exactly k under every filter, and files that are not what was written."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.contracts.stand_in_index import StandInColumns
from tests.recommenders.worlds import uploads_in

from vernissage.encoders.contract import unit_rows
from vernissage.errors import ProvenanceError, WorkspaceError
from vernissage.files import read_arrays, write_arrays
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.diversity import Diversified
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.recommenders.upload_rules import FusionRule, csls, knn3z, mean_vector, round_robin, rrf
from vernissage.recommenders.uploads import UploadFusion
from vernissage.search import approximate
from vernissage.search.approximate import (
    ApproximateRows,
    Effort,
    InvertedLists,
    build_inverted_lists,
    usual_efforts,
    usual_lists,
)
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.mixed import MIXED_METHODS, MixedIndex, MixedMethod
from vernissage.search.modality_means import fit_modality_means
from vernissage.search.vectors import make_vector_table
from vernissage.values import EVERYTHING, Allow, Condition, Vectors

WORKS, DIM, LISTS = 4_000, 20, 40
IDS = [f"w{number:04d}" for number in range(WORKS)]
COLUMNS = StandInColumns(
    {item_id: ("ada", "ben", "")[row % 3] for row, item_id in enumerate(IDS)},
    {"year": {item_id: str(row % 100) for row, item_id in enumerate(IDS)}},
)


@cache
def clustered(seed: int = 0) -> Vectors:
    """Works in a hundred clusters."""
    rng = np.random.default_rng(seed)
    centres = unit_rows(rng.standard_normal((100, DIM)))
    return unit_rows(centres[rng.integers(0, 100, WORKS)] + 0.15 * rng.standard_normal((WORKS, DIM)))


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> InvertedLists:
    return build_inverted_lists(clustered(), "source", tmp_path_factory.mktemp("lists"), LISTS)


def index_of(lists: InvertedLists | None, vectors: Vectors, encoder: str = "toy") -> ExactIndex:
    about = {"encoder": encoder, "fingerprint": "f", "modality": "image", "collection": "c"}
    rows = None if lists is None else ApproximateRows(lists, [Effort(10, 4, 80), Effort(100, 12, 600)])
    return exact_index(make_vector_table(vectors, IDS, [""] * WORKS, **about), COLUMNS, candidates=rows)


@pytest.fixture(scope="module")
def exact() -> ExactIndex:
    return index_of(None, clustered())


@pytest.fixture(scope="module")
def index(lists: InvertedLists) -> ExactIndex:
    return index_of(lists, clustered())


def recall(index: ExactIndex, exact: ExactIndex, queries: np.ndarray, k: int, allow: Allow = EVERYTHING) -> float:
    pairs = zip(index.search(queries, k, allow), exact.search(queries, k, allow), strict=True)
    return float(np.mean([len(set(one.item_ids) & set(other.item_ids)) / len(other) for one, other in pairs]))


@pytest.mark.parametrize("k", [1, 10, 100])
def test_nearly_all_of_the_true_best_come_back_with_their_true_scores(
    index: ExactIndex, exact: ExactIndex, k: int
) -> None:
    queries = clustered()[::80] + 0.05 * np.random.default_rng(1).standard_normal((50, DIM))
    print(f"recall at {k}: {(found := recall(index, exact, queries, k)):.4f}")
    assert found >= 0.95
    assert (index.card.kind, index.card.exact) == ("approximate", False)
    [one], scores = index.search(queries[:1], k), clustered().astype(np.float64) @ queries[0]
    np.testing.assert_allclose(one.scores, [scores[IDS.index(item_id)] for item_id in one.item_ids], atol=1e-12)


@pytest.mark.parametrize(
    "allow",
    [
        Allow(exclude=frozenset(IDS[:9])),
        Allow(exclude=frozenset(IDS[: WORKS - 30])),
        Allow(not_owner="ada"),
        Allow(conditions=(Condition("year", "<", "30"),)),
        Allow(conditions=(Condition("year", "<", "1"),), not_owner="ben"),
        Allow(only=frozenset(IDS[::7])),
        Allow(only=frozenset(IDS[:3])),
    ],
    ids=["nine", "nearly all", "owner", "a third", "few", "a seventh", "three"],
)
@pytest.mark.parametrize("k", [9, 100])
def test_exactly_k_that_are_allowed_come_back(index: ExactIndex, exact: ExactIndex, allow: Allow, k: int) -> None:
    queries = clustered()[:20]
    found = index.search(queries, k, allow)
    assert {len(each) for each in found} == {min(k, exact.count(allow))}
    assert all(
        item_id in set(exact.search(queries[:1], WORKS, allow)[0].item_ids)
        for each in found
        for item_id in each.item_ids
    )
    assert recall(index, exact, queries, k, allow) >= 0.95


def test_what_was_not_measured_reads_enough_of_few_works(tmp_path: Path) -> None:
    """Works without any clusters, for which the nearest lists hold little of the best."""
    vectors = unit_rows(np.random.default_rng(3).standard_normal((1_000, 64)))
    made = build_inverted_lists(vectors, "source", tmp_path, usual_lists(1_000))
    about = {"encoder": "toy", "fingerprint": "f", "modality": "image", "collection": "c"}
    table = make_vector_table(vectors, IDS[:1_000], [""] * 1_000, **about)
    rows = ApproximateRows(made, usual_efforts(len(made.sizes), 1_000))
    some = exact_index(table, candidates=rows), exact_index(table)
    queries = vectors[: 20 * 9].reshape(20, 9, 64).mean(axis=1)
    assert [len(made.sizes) >= each["probes"] for each in rows.settings["efforts"]] == [True] * 3
    assert min(recall(*some, queries, k) for k in (10, 100)) >= 0.97


def test_the_nearest_of_many_lists_are_found_by_codes(
    exact: ExactIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = build_inverted_lists(clustered(), "source", tmp_path, 700)
    monkeypatch.setattr(approximate, "_FEW", 100)
    coded = build_inverted_lists(clustered(), "source", tmp_path, 700)
    assert (len(plain.codebook), len(coded.codebook)) == (0, 6)
    queries = clustered()[::40]
    pairs = zip(coded.candidates(queries, 80, 60), plain.candidates(queries, 80, 60), strict=True)
    assert np.mean([len(set(one) & set(other)) / len(other) for one, other in pairs]) >= 0.95
    coded.save(tmp_path / "lists.npz")
    again = InvertedLists.load(tmp_path / "lists.npz", clustered(), "source")
    for one, other in zip(again.candidates(queries, 80, 60), coded.candidates(queries, 80, 60), strict=True):
        np.testing.assert_array_equal(one, other)


def test_crowded_lists_are_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five hundred clusters at equal distances: from random rows some have no centroid, and others share theirs."""
    rng = np.random.default_rng(1)
    centres = unit_rows(rng.standard_normal((500, 64))) + unit_rows(rng.standard_normal((1, 64)))
    vectors = unit_rows(np.repeat(centres, 16, axis=0) + 0.05 * rng.standard_normal((8_000, 64)))
    divided = build_inverted_lists(vectors, "divided", tmp_path, 500).sizes
    monkeypatch.setattr(approximate, "_CROWDED", np.inf)
    crowded = build_inverted_lists(vectors, "crowded", tmp_path, 500).sizes
    assert divided.max() < crowded.max()
    assert (divided**2).sum() < 0.95 * (crowded**2).sum()


def test_slack_leaves_lists_out_that_hold_little_of_the_best(lists: InvertedLists, exact: ExactIndex) -> None:
    works = clustered()[::200]
    mixtures = clustered()[: 20 * 9].reshape(20, 9, DIM).mean(axis=1)
    queries = np.concatenate([works, mixtures])
    least = {1.0: 0.5, 1.5: 0.85, 3.0: 0.9}
    for slack, wanted in least.items():
        found = lists.candidates(queries, 80, 20, slack=slack)
        assert [len(set(rows)) for rows in found] == [80] * len(queries)  # lists of so many rows are read in any case
        alone = [lists.candidates(query[None], 80, 20, slack=slack)[0] for query in queries]
        assert [set(rows) for rows in alone] == [set(rows) for rows in found]
        best = [each.item_ids for each in exact.search(queries, 10)]
        pairs = zip(found, best, strict=True)
        assert np.mean([len({IDS[row] for row in rows} & set(ids)) / 10 for rows, ids in pairs]) >= wanted
    everything = lists.candidates(queries, 80, 20, slack=1e9)
    assert [set(rows) for rows in everything] == [set(rows) for rows in lists.candidates(queries, 80, 20)]


def test_long_lists_and_queries_of_nothing_are_answered_exactly(index: ExactIndex, exact: ExactIndex) -> None:
    queries = clustered()[:3]
    assert index.search(queries, 126) == exact.search(queries, 126)
    assert index.search(np.zeros((1, DIM)), 5) == exact.search(np.zeros((1, DIM)), 5)


def test_works_that_come_are_found_and_those_that_go_are_not(index: ExactIndex) -> None:
    new = unit_rows(np.eye(DIM)[:2])
    after = index.remove(IDS[:50]).add(["new", IDS[3]], new, ["ada", ""])
    assert after.search(new, 1)[0].item_ids == ("new",)
    assert not set(after.search(clustered()[:1], 100)[0].item_ids) & set(IDS[:3])
    assert after.search(new[1:], 1)[0].item_ids == (IDS[3],)


def test_recommenders_over_it_give_exactly_n_and_nearly_the_same(index: ExactIndex, exact: ExactIndex) -> None:
    others = [index_of(None, clustered(seed), "other") for seed in (0, 1)]
    ratings = {IDS[row]: float(1 + row % 5) for row in (5, 84, 163, 242, 321)}
    profile = profile_from_ratings(ratings, "signed")
    for name, make in {
        "Eq. 1": RatingWeightedSimilarity,
        "z-scores": lambda each: LateFusion([RatingWeightedSimilarity(one) for one in (each, *others)], method="zscore"),
        "partial": lambda each: LateFusion([RatingWeightedSimilarity(one) for one in (each, *others)], depth=9),
        "total": lambda each: LateFusion([RatingWeightedSimilarity(one) for one in (each, *others)]),
        "MMR": lambda each: Diversified(RatingWeightedSimilarity(each), [each], diversity=0.3),
    }.items():  # fmt: skip
        near, true = (make(each).recommend(profile, 9).ranking.item_ids for each in (index, exact))
        print(f"{name}: {len(set(near) & set(true))} of 9 as by the exact index")
        assert len(near) == 9
        assert not set(near) & set(ratings)
        assert len(set(near) & set(true)) >= 8


@pytest.mark.parametrize("rule", [knn3z, csls, rrf, round_robin, mean_vector])
def test_fusions_of_uploads_give_exactly_n_of_others(index: ExactIndex, exact: ExactIndex, rule: FusionRule) -> None:
    members = [each.item_ids for each in exact.search(clustered()[[5, 84]], 5)]
    ids = [item_id for each in members for item_id in each]
    uploads = UploadProfile(
        "zoe", {"image": uploads_in(ids, exact.vectors_of(ids), [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]])}
    )
    near, true = (
        UploadFusion({"image": each}, rule=rule, at_least=2).recommend(uploads, "image", 9).ranking.item_ids
        for each in (index, exact)
    )
    print(f"{rule.__name__}: {len(set(near) & set(true))} of 9 as by the exact index")
    assert len(near) == 9
    assert not set(near) & set(ids)
    assert len(set(near) & set(true)) >= 8


@pytest.mark.parametrize("method", MIXED_METHODS)
def test_pictures_and_texts_in_one_index_give_exactly_n(
    index: ExactIndex, exact: ExactIndex, method: MixedMethod
) -> None:
    about = {"encoder": "toy", "fingerprint": "f", "collection": "c"}
    sides = [make_vector_table(clustered(), IDS, [""] * WORKS, modality=name, **about) for name in ("image", "text")]
    means = fit_modality_means(*sides)
    near, true = (
        MixedIndex(each, exact, means).search(clustered()[7], "image", 9, method=method) for each in (index, exact)
    )
    assert len(near) == 9
    assert len(set(near.item_ids) & set(true.item_ids)) >= len(set(true.item_ids)) - 1


def test_what_was_written_is_read_and_answers_alike(lists: InvertedLists, index: ExactIndex, tmp_path: Path) -> None:
    lists.save(tmp_path / "lists.npz")
    again = InvertedLists.load(tmp_path / "lists.npz", clustered(), "source")
    assert index_of(again, clustered()).search(clustered()[:9], 10) == index.search(clustered()[:9], 10)
    assert again.nbytes == lists.nbytes
    again.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "lists.npz").read_bytes()


def without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda arrays: arrays.pop(name)


def changed(name: str, value: Callable[[Any], Any]) -> Callable[[dict[str, Any]], object]:
    return lambda arrays: arrays.update({name: value(arrays[name])})


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (without("codes"), "codes is missing"),
        (changed("revision", lambda _: np.array(99)), "another version"),
        (changed("source", lambda _: np.array("other")), "other vectors"),
        (changed("sizes", lambda each: each + 1), "do not hold every row"),
        (changed("sizes", lambda each: each.astype(np.int32)), "another type"),
        (changed("sizes", lambda each: np.where(np.arange(len(each)) == 0, -1, each)), "do not hold every row"),
        (changed("sizes", lambda each: each[::-1].copy()), "codes of other vectors"),
        (changed("centroids", lambda each: each[::-1].copy()), "codes of other vectors"),
        (changed("rotation", lambda each: each[::-1].copy()), "codes of other vectors"),
        (changed("rows", lambda each: each[::-1].copy()), "codes of other vectors"),
        (changed("rows", lambda each: each * 0), "in no list, or in two"),
        (changed("rows", lambda each: each + 1), "in no list, or in two"),
        (changed("codes", lambda each: each[:-32]), "other shapes"),
        (changed("codes", lambda each: ~each), "codes of other vectors"),
        (changed("scale", lambda each: -each), "not finite"),
        (changed("scale", lambda each: np.array([each])), "other shapes"),
        (changed("codebook", lambda each: np.zeros((5, 16, 4), np.float32)), "other shapes"),
        (changed("centroids", lambda each: each[:-1]), "other shapes"),
        (changed("centroids", lambda each: each * np.nan), "not finite"),
        (changed("rotation", lambda each: each[:, :8]), "other shapes"),
    ],
)
def test_files_that_are_not_what_was_written_are_refused(
    lists: InvertedLists, tmp_path: Path, damage: Callable[[dict[str, Any]], object], said: str
) -> None:
    file = tmp_path / "lists.npz"
    lists.save(file)
    arrays = read_arrays(file)
    damage(arrays)
    write_arrays(file, arrays)
    with pytest.raises(ProvenanceError, match=said):
        InvertedLists.load(file, clustered(), "source")


def test_signs_that_come_of_rounding_are_no_damage(tmp_path: Path) -> None:
    """Works that are the same differ from their centroid by rounding alone, which other processors do otherwise."""
    vectors = np.repeat(clustered()[:1], 800, axis=0)
    build_inverted_lists(vectors, "source", tmp_path, 2).save(tmp_path / "lists.npz")
    arrays = read_arrays(tmp_path / "lists.npz")
    write_arrays(tmp_path / "lists.npz", arrays | {"codes": ~arrays["codes"]})
    assert len(InvertedLists.load(tmp_path / "lists.npz", vectors, "source")) == 800


def test_a_file_that_is_cut_short_or_packed_is_refused(lists: InvertedLists, tmp_path: Path) -> None:
    file = tmp_path / "lists.npz"
    lists.save(file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ProvenanceError, match="damaged"):
        InvertedLists.load(file, clustered(), "source")
    np.savez_compressed(file, codes=np.zeros(10**6, np.uint8))
    with pytest.raises(ProvenanceError, match="packed"):
        InvertedLists.load(file, clustered(), "source")


def test_an_interrupted_build_goes_on_and_comes_to_the_same(
    lists: InvertedLists, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approximate, "_BLOCK", 1_000)
    calls = []

    def full_on_the_third(step: str, done: int, total: int) -> None:
        calls.append(step)
        if (step, done) == ("Sorting vectors into lists", 2_000):
            raise WorkspaceError("no space left on its disk")

    with pytest.raises(WorkspaceError, match="no space"):
        build_inverted_lists(clustered(), "source", tmp_path, LISTS, full_on_the_third)
    calls.clear()
    again = build_inverted_lists(clustered(), "source", tmp_path, LISTS, lambda step, done, total: calls.append(step))
    assert "Finding centroids" not in calls
    again.save(tmp_path / "again.npz")
    InvertedLists.load(tmp_path / "again.npz", clustered(), "source")
    np.testing.assert_array_equal(np.sort(again.sizes), np.sort(lists.sizes))
