from collections.abc import Collection

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.stand_in_index import StandInIndex

from vernissage.encoders.centring import without_mean
from vernissage.encoders.contract import unit_rows
from vernissage.errors import ProvenanceError, RequestError, UnknownItemError
from vernissage.search.exact import exact_index
from vernissage.search.mixed import MIXED_METHODS, MixedIndex, MixedMethod
from vernissage.search.modality_means import ModalityMeans, fit_modality_means
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.values import MODALITIES, Allow, Modality, Vectors
from vernissage_lab.analysis.gap import among_both

DIM = 12


def table(modality: Modality, vectors: np.ndarray, ids: list[str], fingerprint: str = "f") -> VectorTable:
    return make_vector_table(
        unit_rows(vectors),
        ids,
        [""] * len(ids),
        encoder="toy",
        fingerprint=fingerprint,
        modality=modality,
        collection="c",
    )


def world(works: int = 60, *, shift: float = 1.0, seed: int = 0) -> tuple[VectorTable, VectorTable, ModalityMeans]:
    """Works whose picture and text mean the same, each modality shifted its own way in one direction."""
    random = np.random.default_rng(seed)
    meaning = random.standard_normal((works, DIM)) / np.sqrt(DIM)
    ids = [f"w{number:03d}" for number in range(works)]
    sides = [meaning + 0.02 * random.standard_normal(meaning.shape) for _ in range(2)]
    sides[0][:, 0] += shift
    sides[1][:, 0] -= shift
    tables = table("image", sides[0], ids), table("text", sides[1][5:], ids[5:])
    return *tables, fit_modality_means(*tables)


def mixed_index(pictures: VectorTable, texts: VectorTable, means: ModalityMeans) -> MixedIndex:
    return MixedIndex(exact_index(pictures), exact_index(texts), means)


OWNERS = {f"w{number:03d}": f"owner {number % 3}" for number in range(60)}


def slow(
    tables: tuple[VectorTable, VectorTable], means: ModalityMeans, query: np.ndarray, modality: Modality,
    method: MixedMethod, excluded: Collection[str] = (), itself: str | None = None,
) -> list[tuple[str, Modality, float]]:  # fmt: skip
    """Everything that is allowed in order, by the definitions written out."""
    query = query / np.linalg.norm(query)
    answers: list[tuple[str, Modality, float]] = []
    for side in tables:
        rows, kind = side.vectors.astype(np.float64), side.card.modality
        there = [row for row, item_id in enumerate(side.item_ids) if (item_id, kind) != (itself, modality)]
        if method == "means":
            centred = query - means[modality]
            rest = rows - means[kind]
            scores = rest @ (centred / np.linalg.norm(centred)) / np.linalg.norm(rest, axis=1)
        else:
            scores = rows @ query
        if method == "zscore":
            scores = (scores - scores[there].mean()) / scores[there].std()
        answers += [(side.item_ids[row], kind, scores[row]) for row in there if side.item_ids[row] not in excluded]
    return sorted(answers, key=lambda answer: (-answer[2], answer[0], answer[1]))


@pytest.mark.parametrize("method", MIXED_METHODS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), k=st.integers(1, 130), modality=st.sampled_from(["image", "text"]))
def test_answers_are_those_of_the_definitions(method: MixedMethod, seed: int, k: int, modality: Modality) -> None:
    *tables, means = world(seed=seed)
    index = MixedIndex(*(exact_index(each, owners=OWNERS) for each in tables), means)
    query = np.random.default_rng(seed).standard_normal(DIM)
    excluded = {item_id for item_id, owner in OWNERS.items() if owner == "owner 1"} | {"w000", "w002"}
    wanted = slow((tables[0], tables[1]), means, query, modality, method, excluded)
    found = index.search(query, modality, k, method=method, allow=Allow(frozenset(["w000", "w002", "?"]), "owner 1"))
    assert list(zip(found.item_ids, found.modalities, strict=True)) == [each[:2] for each in wanted[:k]]
    assert found.scores == pytest.approx([each[2] for each in wanted[:k]], abs=1e-6)


@pytest.mark.parametrize("method", MIXED_METHODS)
def test_more_results_extend_fewer_and_filters_keep_their_order(method: MixedMethod) -> None:
    *tables, means = world()
    index = mixed_index(tables[0], tables[1], means)
    query = tables[0].vectors[3]
    everything = list(index.search(query, "image", 1000, method=method))
    assert len(everything) == len(index) == 60 + 55
    for k in (1, 7, 80):
        assert list(index.search(query, "image", k, method=method)) == everything[:k]
    some = {"w003", "w004", "w040"}
    found = index.search(query, "image", 9, method=method, allow=Allow(only=frozenset(some)))
    assert list(found) == [each for each in everything if each[0] in some]
    assert len(found) == 4  # w003 and w004 have no text


def test_the_query_is_left_out_and_its_other_half_comes_first_once_the_gap_is_closed() -> None:
    *tables, means = world(200)
    index = mixed_index(tables[0], tables[1], means)
    for modality, other in (("image", "text"), ("text", "image")):
        found = index.search_like("w010", modality, 10, method="means")  # type: ignore[arg-type]
        assert (found.item_ids[0], found.modalities[0]) == ("w010", other)
        assert ("w010", modality) not in zip(found.item_ids, found.modalities, strict=True)
        assert 2 <= found.modalities.count("image") <= 8
        assert set(index.search_like("w010", modality, 10, method="raw").modalities) == {modality}  # type: ignore[arg-type]
    by_default = index.search_like("w010", "image", 10)
    assert list(by_default) == list(index.search_like("w010", "image", 10, method="zscore"))
    with pytest.raises(UnknownItemError):
        index.search_like("w000", "text", 3)


@pytest.mark.parametrize("method", MIXED_METHODS)
def test_recall_is_what_the_analysis_of_the_gap_measures(method: MixedMethod) -> None:
    *tables, means = world(80, shift=0.3, seed=5)
    shared = list(tables[1].item_ids)
    pictures = table("image", tables[0].vectors[5:], shared)
    index = mixed_index(pictures, tables[1], means)
    sides: list[Vectors] = [pictures.vectors, tables[1].vectors]
    if method == "means":
        sides = [without_mean(side, mean) for side, mean in zip(sides, (means.image, means.text), strict=True)]
    measured = among_both(sides[0], sides[1], standardised=method == "zscore")
    found = [index.search_like(item_id, "image", 10, method=method) for item_id in shared]
    hits = [
        (item_id, "text") in zip(each.item_ids, each.modalities, strict=True)
        for item_id, each in zip(shared, found, strict=True)
    ]
    assert np.mean(hits) == pytest.approx(measured.recall[10].mean)
    assert measured.own_share is not None
    assert np.mean([each.modalities.count("image") / 10 for each in found]) == pytest.approx(measured.own_share.mean)


@pytest.mark.parametrize("method", MIXED_METHODS)
def test_uploads_are_in_the_next_index_and_removed_works_are_not(method: MixedMethod) -> None:
    *tables, means = world()
    live = [exact_index(side, owners=OWNERS) for side in tables]
    new = unit_rows(np.random.default_rng(9).standard_normal((2, DIM)))
    live[0] = live[0].remove(["w007"]).add(["new"], new[:1], ["ada"])
    live[1] = live[1].add(["new"], new[1:], ["ada"]).remove(["w008", "w009"])
    fresh = [
        table("image", np.concatenate([np.delete(tables[0].vectors, 7, axis=0), new[:1]]), list(live[0].item_ids)),
        table("text", np.concatenate([np.delete(tables[1].vectors, [3, 4], axis=0), new[1:]]), list(live[1].item_ids)),
    ]
    index, again = MixedIndex(live[0], live[1], means), mixed_index(fresh[0], fresh[1], means)
    found = index.search(new[0], "image", 200, method=method)
    assert len(found) == 60 + 54
    wanted = again.search(new[0], "image", 200, method=method)
    assert (found.item_ids, found.modalities) == (wanted.item_ids, wanted.modalities)
    assert found.scores == pytest.approx(wanted.scores, abs=1e-6)
    assert found.item_ids[0] == "new"
    assert "new" not in index.search(new[0], "image", 200, method=method, allow=Allow(not_owner="ada")).item_ids


@pytest.mark.parametrize("method", MIXED_METHODS)
def test_equal_scores_go_by_id_then_pictures_first(method: MixedMethod) -> None:
    ids = ["c", "a", "d", "b"]
    same = np.tile(np.eye(3)[0], (4, 1))
    means = ModalityMeans("toy", "f", np.eye(3)[0] * 0.5, np.eye(3)[0] * 0.5, 4, 4, 0)
    index = mixed_index(table("image", same, ids), table("text", same, ids), means)
    found = index.search(np.array([1.0, 0, 0]), "text", 5, method=method)
    assert found.item_ids == ("a", "a", "b", "b", "c")
    assert found.modalities == ("image", "text", "image", "text", "image")


def test_vectors_that_are_their_mean_score_nothing() -> None:
    same = np.tile(np.eye(3)[0], (2, 1))
    means = ModalityMeans("toy", "f", np.eye(3)[0], np.eye(3)[1] * 0.1, 2, 2, 0)
    index = mixed_index(table("image", same, ["a", "b"]), table("text", np.eye(3)[:2], ["a", "b"]), means)
    found = {each[:2]: each[2] for each in index.search(np.array([1.0, 1, 0]), "text", 4, method="means")}
    assert found["a", "image"] == found["b", "image"] == 0
    assert found["a", "text"] > 0.5


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), shift=st.sampled_from([0.0, 0.3, 3.0]), k=st.sampled_from([1, 10, 60]))
def test_candidates_suffice_whatever_the_gap_and_whatever_is_empty(seed: int, shift: float, k: int) -> None:
    """Of more works than are scored first, some of which the encoder found nothing in; over any index that is exact."""
    pictures, texts, means = world(400, shift=shift, seed=seed)
    random = np.random.default_rng(seed)
    both = []
    for one in (pictures, texts):
        vectors = one.vectors.copy()
        vectors[random.random(len(one)) < 0.05] = 0
        both.append(table(one.card.modality, vectors, list(one.item_ids)))
    plain = [StandInIndex(tuple(one.item_ids), one.vectors) for one in both]
    query = random.standard_normal(DIM)
    for modality in MODALITIES:
        wanted = slow((both[0], both[1]), means, query, modality, "means")[:k]
        for index in (mixed_index(both[0], both[1], means), MixedIndex(plain[0], plain[1], means)):
            found = index.search(query, modality, k, method="means")
            assert list(zip(found.item_ids, found.modalities, strict=True)) == [each[:2] for each in wanted]
            assert found.scores == pytest.approx([each[2] for each in wanted], abs=1e-6)


def test_one_modality_may_be_empty() -> None:
    *tables, means = world()
    index = mixed_index(tables[0], table("text", np.zeros((0, DIM)), []), means)
    for method in MIXED_METHODS:
        assert len(index.search(tables[0].vectors[0], "image", 5, method=method)) == 5
    nothing = mixed_index(table("image", np.zeros((0, DIM)), []), table("text", np.zeros((0, DIM)), []), means)
    assert len(nothing.search(tables[0].vectors[0], "image", 5)) == 0


def test_what_does_not_belong_together_is_refused() -> None:
    pictures, texts, means = world()
    with pytest.raises(ProvenanceError, match=r"fitted to vectors of f, but these are of g"):
        mixed_index(pictures, table("text", texts.vectors, list(texts.item_ids), fingerprint="g"), means)
    with pytest.raises(ProvenanceError, match="use indexes and means of one encoder"):
        MixedIndex(exact_index(pictures), exact_index(table("text", np.eye(3), ["a", "b", "c"])), means)
    index = mixed_index(pictures, texts, means)
    for query in (np.zeros(DIM), np.full(DIM, np.nan), np.ones(DIM + 1)):
        with pytest.raises(RequestError, match="12 finite numbers"):
            index.search(query, "image", 3)
    with pytest.raises(RequestError, match="choose means, zscore, raw"):
        index.search(np.ones(DIM), "image", 3, method="mean")  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="ask for 1 or more"):
        index.search(np.ones(DIM), "image", 0)
