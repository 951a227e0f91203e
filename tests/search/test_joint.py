import numpy as np
import pytest
from tests.worlds import table_of

from vernissage.errors import ProvenanceError, RequestError
from vernissage.search.joint import join_modalities

PICTURES = table_of([[1, 0], [0, 1], [1, 1]], ["a", "b", "c"])
TEXTS = table_of([[1, 0], [0, 1], [-1, 0]], ["b", "c", "d"])


def test_single_modalities_are_taken_as_they_are() -> None:
    assert join_modalities(PICTURES, TEXTS, "image") is PICTURES
    assert join_modalities(PICTURES, TEXTS, "text") is TEXTS


def test_the_mean_spelled_out() -> None:
    joint = join_modalities(PICTURES, TEXTS, "mean")
    assert joint.item_ids == ("a", "b", "c", "d")
    pictures = PICTURES.vectors - PICTURES.vectors.mean(axis=0)
    texts = TEXTS.vectors - TEXTS.vectors.mean(axis=0)
    pictures, texts = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (pictures, texts))
    both = pictures[1] + texts[0]
    assert joint.vectors[joint.row_of["b"]] == pytest.approx(both / np.linalg.norm(both), abs=1e-6)
    assert joint.vectors[joint.row_of["a"]] == pytest.approx(pictures[0], abs=1e-6)  # no text: the picture's
    assert joint.vectors[joint.row_of["d"]] == pytest.approx(texts[2], abs=1e-6)  # no picture: the text's


def test_the_mean_closes_the_gap_between_the_modalities() -> None:
    random = np.random.default_rng(0)
    meaning = random.standard_normal((200, 8))
    shift = np.zeros(8)
    shift[0] = 6.0
    ids = [f"w{row:03d}" for row in range(200)]
    with_picture, with_text = table_of(meaning + shift, ids), table_of(meaning - shift, ids)
    only_texts = [f"t{row}" for row in range(200)]
    mixed = join_modalities(with_picture, table_of(np.tile(meaning - shift, (2, 1)), [*ids, *only_texts]), "mean")
    near = np.argsort(-(mixed.vectors @ mixed.vectors[mixed.row_of["t7"]]))[:2]
    assert {mixed.item_ids[row] for row in near} == {"t7", "w007"}
    assert len(with_text) == 200


def test_concatenation_keeps_both_halves() -> None:
    joint = join_modalities(PICTURES, TEXTS, "concat")
    assert joint.dim == 4
    assert not joint.vectors[joint.row_of["a"]][2:].any()
    assert np.linalg.norm(joint.vectors, axis=1) == pytest.approx(1)


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(RequestError, match="choose one of mean, image, text, concat"):
        join_modalities(PICTURES, TEXTS, "sum")  # type: ignore[arg-type]
    with pytest.raises(ProvenanceError, match="their encoder is toy and other"):
        join_modalities(PICTURES, table_of([[1, 0]], ["a"], encoder="other"))
    with pytest.raises(ProvenanceError, match="use concat"):
        join_modalities(PICTURES, table_of([[1, 0, 0]], ["a"]))
