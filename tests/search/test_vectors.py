from pathlib import Path

import numpy as np
import pytest
from tests.worlds import table_of

from vernissage.errors import ProvenanceError, UnknownItemError
from vernissage.search.vectors import VectorTable, pooled


def test_a_table_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    table = table_of([[1, 2], [3, 4]], ["a", "b"])
    table.save(tmp_path / "toy.text")
    again = VectorTable.load(tmp_path / "toy.text")
    assert again.card == table.card
    assert again.vectors.tobytes() == table.vectors.tobytes()


def test_one_changed_byte_is_found(tmp_path: Path) -> None:
    table_of(np.eye(8)).save(tmp_path / "toy")
    raw = bytearray((tmp_path / "toy.npy").read_bytes())
    raw[-1] ^= 1
    (tmp_path / "toy.npy").write_bytes(raw)
    with pytest.raises(ProvenanceError, match="damaged: its bytes are not those"):
        VectorTable.load(tmp_path / "toy")


def test_vectors_of_another_encoder_or_collection_are_refused() -> None:
    table = table_of(np.eye(2))
    assert table.require(fingerprint="f", collection="c") is table
    with pytest.raises(ProvenanceError, match="made with fingerprint f, but the workspace has g.*build"):
        table.require(fingerprint="g", collection="c")
    with pytest.raises(ProvenanceError, match="made with collection c"):
        table.require(fingerprint="f", collection="d")


def test_a_work_without_a_vector_is_named() -> None:
    with pytest.raises(UnknownItemError, match="nobody: no text vector of toy"):
        table_of(np.eye(2)).rows(["nobody"])


def test_a_card_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "toy.card.json").write_text("{}")
    with pytest.raises(ProvenanceError, match="no card of vectors"):
        VectorTable.load(tmp_path / "toy")


def test_vectors_of_pictures_are_pooled_to_the_unit_mean_of_each_work() -> None:
    one, two, nothing = [0.6, 0.8], [1.0, 0.0], [0.0, 0.0]
    vectors = np.array([one, two, one, nothing, nothing, one, [-0.6, -0.8], nothing, two, two], dtype=np.float32)
    works = np.array([0, 1, 1, 1, 2, 3, 3, 4, 4, 4])
    found = pooled(vectors, works)
    mean = np.array([0.8, 0.4]) / np.hypot(0.8, 0.4)  # of two and one; the picture that tells nothing does not count
    expected = [one, mean, nothing, one, two]  # the first where pictures cancel each other out
    assert (found.dtype, found.shape) == (np.float32, (5, 2))
    assert found == pytest.approx(np.array(expected), abs=1e-7)
    assert found[0].tobytes() == vectors[0].tobytes()
    scores = vectors[[1, 2]] @ [0.3, 0.7]
    assert found[1] @ [0.3, 0.7] == pytest.approx(scores.mean() / np.hypot(0.8, 0.4))
    assert pooled(vectors[:0], works[:0]).shape == (0, 2)
