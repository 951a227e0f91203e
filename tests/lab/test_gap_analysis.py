import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.encoders.centring import mean_of_units, without_mean
from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.values import Vectors
from vernissage_lab.analysis.gap import (
    GapReport,
    across,
    among_both,
    gap_report,
    modality_gap,
    pair_cosines,
    separability,
)

DIM = 24


def separable(pairs: int, shift: float, *, noise: float = 0.1, seed: int = 0) -> tuple[Vectors, Vectors]:
    """Pairs that differ by little noise in all directions but one, along which each modality is shifted its own way."""
    random = np.random.default_rng(seed)
    meaning = np.zeros((pairs, DIM))
    meaning[:, 1:] = random.standard_normal((pairs, DIM - 1)) / np.sqrt(DIM - 1)
    sides = []
    for direction in (1, -1):
        side = meaning + noise * random.standard_normal((pairs, DIM)) / np.sqrt(DIM)
        side[:, 0] += direction * shift
        sides.append(unit_rows(side))
    return sides[0], sides[1]


def halves(pairs: int) -> np.ndarray:
    return np.arange(pairs) % 2 == 0


def report(shift: float, pairs: int = 400, **options: int) -> GapReport:
    return gap_report(*separable(pairs, shift), halves(pairs), **options)


def test_the_gap_spelled_out() -> None:
    pictures = np.array([[1, 0], [0, 1]], dtype=np.float32)
    texts = np.array([[-1, 0], [-1, 0]], dtype=np.float32)
    # means (.5, .5) and (-1, 0): difference (1.5, .5)
    assert modality_gap(pictures, texts) == pytest.approx(np.hypot(1.5, 0.5))
    assert modality_gap(pictures, pictures[::-1]) == 0


def test_a_gap_needs_both_sides_of_one_space() -> None:
    with pytest.raises(RequestError, match="there are 2 pictures and 0 texts"):
        modality_gap(np.eye(2, dtype=np.float32), np.zeros((0, 2), dtype=np.float32))
    with pytest.raises(RequestError, match="one space"):
        modality_gap(np.eye(2, dtype=np.float32), np.eye(3, dtype=np.float32))


def test_a_gap_is_found_and_closed() -> None:
    # A meaning of length 1 shifted by 1 at a right angle: the unit vectors' means are about 2/√2 apart.
    found = report(1.0)
    raw, means, zscore = (found.methods[method] for method in ("raw", "means", "zscore"))
    assert raw.gap == pytest.approx(np.sqrt(2), abs=0.05)
    assert raw.separability is not None
    assert raw.separability.mean == 1
    assert means.gap is not None
    assert means.gap < 2 * found.level
    assert means.separability is not None
    assert means.separability.mean == pytest.approx(0.5, abs=0.07)
    for query in (0, 1):
        # In the index of one modality the shift adds the same to all; in that of both, one's own modality comes first.
        assert raw.unimodal[query].recall[1].mean > 0.95
        assert means.unimodal[query].recall[1].mean > 0.95
        assert raw.mixed[query].recall[10].mean == 0
        assert means.mixed[query].recall[1].mean > 0.95
        assert zscore.mixed[query].recall[1].mean > 0.95
        shares = [each.mixed[query].own_share for each in (raw, means, zscore)]
        assert shares[0] is not None
        assert shares[0].mean == 1
        assert all(share is not None and share.mean == pytest.approx(0.5, abs=0.1) for share in shares[1:])


def test_where_there_is_no_gap_closing_changes_next_to_nothing() -> None:
    found = report(0.0)
    raw, means = found.methods["raw"], found.methods["means"]
    assert raw.gap is not None
    assert means.gap is not None
    assert raw.gap < 2 * found.level
    assert means.gap < 2 * found.level
    assert means.mixed[0].recall[1].mean == pytest.approx(raw.mixed[0].recall[1].mean, abs=0.03)


def test_means_are_of_the_fitting_rows_alone() -> None:
    first, second = separable(60, 1.0)
    fitting = halves(60)
    before = gap_report(first, second, fitting)
    first, second = first.copy(), second.copy()
    first[~fitting], second[~fitting] = -first[~fitting], second[~fitting][:, ::-1]
    after = gap_report(first, second, fitting)
    for one, other, side in zip(before.means, after.means, (first, second), strict=True):
        assert one.tobytes() == other.tobytes() == mean_of_units(side[fitting]).tobytes()
    assert before.methods["means"].gap != after.methods["means"].gap
    assert not set(before.measured) & set(np.flatnonzero(fitting))


def test_means_that_have_seen_what_they_are_measured_on_would_be_noticed() -> None:
    first, second = separable(80, 1.0, noise=1.0)
    fitting = halves(80)
    held_out = gap_report(first, second, fitting)
    leaking = modality_gap(
        *(without_mean(side[~fitting], mean_of_units(side[~fitting])) for side in (first, second)),
    )
    honest = held_out.methods["means"].gap
    assert honest is not None
    # Pure noise in the direction of every held-out mean is left: as much as sampling alone makes, not next to none.
    assert 0.5 * held_out.level < honest < 1.5 * held_out.level
    assert leaking < honest / 3


def test_separability_fits_its_means_on_training_folds_alone() -> None:
    # With few pairs in many dimensions, means over all pairs push held-out rows to the wrong side of the line.
    honest, leaking = [], []
    for seed in range(4):
        sides = separable(60, 0.3, noise=1.0, seed=seed)
        centred = [without_mean(side, mean_of_units(side)) for side in sides]
        honest.append(separability(*sides, closed=True, seed=seed).mean)
        leaking.append(separability(centred[0], centred[1], closed=False, seed=seed).mean)
    assert np.mean(honest) == pytest.approx(0.5, abs=0.08)
    assert np.mean(leaking) < 0.35


def test_pairs_stay_in_one_fold() -> None:
    # Each pair lies in a direction of its own; a line learns from one half what the other is, so halves must not part.
    rows = np.eye(DIM, dtype=np.float32)
    assert separability(rows, rows, closed=False).mean == 0.5


def test_ranks_are_one_plus_the_strictly_better() -> None:
    queries = unit_rows(np.array([[1.0, 0], [0, 1], [1, 1]]))
    targets = unit_rows(np.array([[1.0, 0], [1, 0], [1, 0]]))
    # Query 0 ties with all; query 1 scores 0 with all; query 2 the same with all: nobody is strictly better.
    assert across(queries, targets).recall[1].mean == 1
    targets = unit_rows(np.array([[1.0, 0.2], [1, 0], [0, 1]]))
    # Query 0: target 1 is better, rank 2. Query 1: 0 and 2 are better, rank 3. Query 2: target 0 is better, rank 2.
    found = across(queries, targets).recall
    assert found[1].mean == 0
    assert found[5].mean == 1


def test_the_query_itself_is_left_out_of_the_mixed_index_but_not_its_like() -> None:
    rows = unit_rows(np.eye(12, dtype=np.float32))
    assert among_both(rows, rows, standardised=False).recall[1].mean == 1
    doubled = rows[np.arange(12) // 2]  # each vector twice: no other one is strictly better than one's own half
    assert among_both(doubled, doubled, standardised=False).recall[1].mean == 1
    apart = unit_rows(rows + np.eye(12, dtype=np.float32)[::-1])
    assert among_both(doubled, apart, standardised=False).recall[1].mean < 1


def test_works_that_tie_at_the_tenth_place_share_it() -> None:
    equal = unit_rows(np.ones((20, 4)))
    share = among_both(equal, equal, standardised=False).own_share
    assert share is not None
    assert share.mean == pytest.approx(19 / 39)


def test_cosines_spelled_out() -> None:
    first = unit_rows(np.array([[1.0, 0], [0, 1]]))
    second = unit_rows(np.array([[1.0, 0], [-1, 0]]))
    found = pair_cosines(first, second)
    # Belonging together: 1 and 0. Not: first 0 with second 1, -1; first 1 with second 0, 0.
    assert (found.positive.mean, found.negative.mean) == (0.5, -0.5)
    assert found.positive.counts.sum() == found.negative.counts.sum() == 2
    assert found.nearer == pytest.approx((1 + 1 + 1 + 0.5) / 4)
    assert found.positive.quantiles == pytest.approx((0.05, 0.25, 0.5, 0.75, 0.95))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000))
def test_turning_the_space_changes_nothing(seed: int) -> None:
    first, second = separable(40, 0.5, noise=0.7, seed=seed)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((DIM, DIM)))
    turned = gap_report(unit_rows(first @ turn), unit_rows(second @ turn), halves(40))
    plain = gap_report(first, second, halves(40))
    for method, one in plain.methods.items():
        other = turned.methods[method]
        for here, there in zip((*one.unimodal, *one.mixed), (*other.unimodal, *other.mixed), strict=True):
            assert [each.mean for each in here.recall.values()] == [each.mean for each in there.recall.values()]
        assert (one.gap or 0) == pytest.approx(other.gap or 0, abs=1e-5)


def test_equal_seeds_measure_the_same_and_pools_are_bounded() -> None:
    one, other = report(0.4, pool=60, seed=3), report(0.4, pool=60, seed=3)
    assert one.measured.tobytes() == other.measured.tobytes()
    assert one.methods == other.methods or repr(one.methods) == repr(other.methods)
    assert (len(one.measured), one.mixed, one.fitted) == (60, 30, 200)
    assert one.methods["raw"].mixed[0].recall[1].n == 30
    assert report(0.4, pool=60, seed=4).measured.tobytes() != one.measured.tobytes()


def test_too_few_or_unpaired_works_are_refused() -> None:
    first, second = separable(18, 1.0)
    with pytest.raises(RequestError, match="10 or more others"):
        gap_report(first, second, halves(18))
    with pytest.raises(RequestError, match="two vectors of one space"):
        gap_report(first, second[:9], halves(18))
    with pytest.raises(RequestError, match="5 pairs or more"):
        separability(first[:4], second[:4], closed=False)
