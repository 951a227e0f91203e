import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vernissage.encoders.centring import mean_of_units, without_mean

ROWS = arrays(np.float32, (5, 3), elements=st.floats(-4, 4, width=16))
MEANS = arrays(np.float64, 3, elements=st.floats(-0.5, 0.5))


def test_the_mean_is_of_unit_rows_without_those_of_zeros() -> None:
    rows = np.array([[2, 0], [0, 5], [0, 0]], dtype=np.float32)
    assert mean_of_units(rows).tolist() == [0.5, 0.5]
    assert mean_of_units(rows[2:]).tolist() == [0, 0]


def test_the_mean_of_many_rows_is_taken_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).standard_normal((50, 4))
    rows[[3, 17]] = 0
    whole, odd = mean_of_units(rows), mean_of_units(rows[1::2])
    monkeypatch.setattr("vernissage.encoders.centring._BLOCK", 7)
    np.testing.assert_allclose(mean_of_units(rows), whole, atol=1e-15)
    np.testing.assert_allclose(mean_of_units(rows, range(1, 50, 2)), odd, atol=1e-15)


def test_closing_spelled_out() -> None:
    # unit((3, 4)) = (.6, .8); minus (.6, 0) = (0, .8); scaled to length 1 = (0, 1)
    assert without_mean(np.array([[3.0, 4.0]]), np.array([0.6, 0.0]))[0] == pytest.approx([0, 1], abs=1e-7)


@settings(deadline=None, max_examples=50)
@given(ROWS, MEANS)
def test_rows_are_closed_one_by_one_whatever_their_length(rows: np.ndarray, mean: np.ndarray) -> None:
    closed = without_mean(rows, mean)
    norms = np.linalg.norm(closed, axis=1)
    assert np.all((np.abs(norms - 1) < 1e-5) | (norms == 0))
    assert not closed[~rows.any(axis=1)].any()
    for row, alone in zip(rows, closed, strict=True):
        assert without_mean(row[None], mean).tobytes() == alone.tobytes()
