"""The index of words: what is found as it stands, BM25 by its formula, and files that are what was written."""

import math
from pathlib import Path

import numpy as np
import pytest

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.errors import ProvenanceError
from vernissage.search.lexical import LexicalIndex, terms_of

TEXTS = ("A ship and two ships at sea. 1880", "A horse", "", "The ship of 1982.3", "富士山の風景", "السفينة في البحر")


@pytest.fixture(scope="module")
def index() -> LexicalIndex:
    works = [Item(f"w{row}", title=f"Title {row}", text=text) for row, text in enumerate(TEXTS)]
    return LexicalIndex.of(Collection(works, Path()), "en")


@pytest.mark.parametrize(
    ("word", "rows"),
    [
        ("ship", [0, 3]),
        ("ships", [0]),
        ("shi", []),
        ("1982.3", [3]),
        ("1982", [3]),
        ("w1", [1]),
        ("富士山", [4]),
        ("風", [4]),
        ("山風", []),
        ("سفينه", [5]),
        ("", []),
        ("zebra\nhorse", []),
    ],
)
def test_words_are_found_where_they_stand(index: LexicalIndex, word: str, rows: list[int]) -> None:
    assert index.rows_with(word).tolist() == rows


def test_cells_are_found_whole(index: LexicalIndex) -> None:
    assert index.rows_with_cell("title 3").tolist() == [3]
    assert index.rows_with_cell("title").tolist() == []


def test_bm25_is_its_formula(index: LexicalIndex) -> None:
    documents = [terms_of(text, "en") for text in TEXTS]
    assert documents[0] == ["ship", "ship", "sea", "1880"]
    mean = sum(map(len, documents)) / len(documents)
    weight = math.log(1 + (len(documents) - 2 + 0.5) / (2 + 0.5))
    expected = [0.0] * len(documents)
    for row, times in ((0, 2), (3, 1)):
        expected[row] = weight * times / (times + 1.5 * (0.25 + 0.75 * len(documents[row]) / mean))
    np.testing.assert_allclose(index.bm25(["ship", "ship", "unknown"]), expected, rtol=1e-6)


def test_what_is_written_is_what_is_read(index: LexicalIndex, tmp_path: Path) -> None:
    file = tmp_path / "lexicon.npz"
    index.save(file, "source")
    read = LexicalIndex.load(file, "source", len(TEXTS))
    assert isinstance(read.terms.rows, np.memmap)
    assert read.rows_with("ship").tolist() == [0, 3]
    np.testing.assert_array_equal(read.bm25(["ship", "sea"]), index.bm25(["ship", "sea"]))
    index.save(tmp_path / "again.npz", "source")
    assert (tmp_path / "again.npz").read_bytes() == file.read_bytes()
    for wrong in (("other", len(TEXTS)), ("source", len(TEXTS) - 1)):
        with pytest.raises(ProvenanceError, match="damaged or of other works"):
            LexicalIndex.load(file, *wrong)


@pytest.mark.parametrize(("array", "value"), [("terms.rows", 99), ("terms.ends", -1), ("scores", np.nan)])
def test_numbers_that_lead_out_of_the_index_are_refused(
    index: LexicalIndex, tmp_path: Path, array: str, value: float
) -> None:
    file = tmp_path / "lexicon.npz"
    index.save(file, "source")
    with np.load(file) as archive:
        arrays = dict(archive)
    arrays[array] = arrays[array].copy()
    arrays[array][1] = value
    np.savez(file, **arrays)
    with pytest.raises(ProvenanceError):
        LexicalIndex.load(file, "source", len(TEXTS))


def test_a_collection_without_texts_has_an_index(tmp_path: Path) -> None:
    index = LexicalIndex.of(Collection([Item("a"), Item("b")], Path()), "en")
    index.save(tmp_path / "lexicon.npz", "source")
    read = LexicalIndex.load(tmp_path / "lexicon.npz", "source", 2)
    assert read.rows_with("b").tolist() == [1]
    assert read.bm25(["b"]).tolist() == [0.0, 0.0]
