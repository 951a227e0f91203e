"""Kinds of indexes that bring candidates, over the works of a stand-in: the same answers are expected of each."""

import tempfile
from functools import lru_cache
from pathlib import Path

from tests.contracts.stand_in_index import StandInIndex

from vernissage.search.approximate import ApproximateRows, Effort, build_inverted_lists
from vernissage.search.candidates import Candidates, SelectiveCandidates
from vernissage.search.exact import exact_index
from vernissage.search.milvus import Milvus, MilvusPlace, MilvusRows
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.values import WritableIndex


def table_of(index: StandInIndex) -> VectorTable:
    """The works of a stand-in as a table of vectors."""
    nothing = [""] * len(index)
    about = {"encoder": index.encoder, "fingerprint": "f", "modality": "image", "collection": "c"}
    return make_vector_table(index.vectors, index.item_ids, nothing, **about)


@lru_cache
def on_approximate(index: StandInIndex) -> WritableIndex:
    """An approximate index of which every list is read, so that nothing is missed."""
    count = min(6, len(index) // 4)
    lists = build_inverted_lists(index.vectors, "source", _folder(), count)
    return _with(index, ApproximateRows(lists, [Effort(100, count, len(index))]))


@lru_cache
def on_milvus(index: StandInIndex) -> WritableIndex:
    """Milvus Lite in a file of its own."""
    file = str(_folder() / "milvus.db")
    return _with(index, MilvusRows(Milvus(file), MilvusPlace(file, "FLAT"), table_of(index)).fill())


def _with(index: StandInIndex, candidates: Candidates | SelectiveCandidates) -> WritableIndex:
    return exact_index(table_of(index), index.columns, candidates=candidates)


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="vernissage-contract-"))
