import numpy as np
import pytest

from vernissage.analysis.gap import modality_gap
from vernissage.errors import RequestError


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
