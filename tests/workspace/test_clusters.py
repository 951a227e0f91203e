"""Clusters that works to rate are drawn from, by construction: three directions in two tables."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from vernissage.catalog.ids import Ids
from vernissage.encoders.contract import unit_rows
from vernissage.errors import ProvenanceError
from vernissage.files import seal_of, write_array
from vernissage.search.joint import side_by_side
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.workspace import clusters
from vernissage.workspace.clusters import clusters_of, members_of
from vernissage.workspace.workspace import open_workspace

IDS = [f"w{number:02d}" for number in range(30)]
LABELS = np.array([0] * 15 + [1] * 10 + [2] * 5)


def table_of(rows: np.ndarray, ids: list[str]) -> VectorTable:
    named = {"encoder": "toy", "fingerprint": "", "collection": ""}
    return make_vector_table(unit_rows(rows), ids, [""] * len(ids), modality="text", **named)


def tables() -> list[VectorTable]:
    random = np.random.default_rng(0)
    rows = np.eye(3)[LABELS] + random.normal(0, 0.05, (30, 3))
    return [table_of(rows, IDS), table_of(rows[:20], IDS[:20])]


def test_clusters_are_found_the_largest_first_and_the_central_work_of_each_first() -> None:
    found = clusters_of(tables(), IDS, 3)
    assert found.dtype == np.int32
    assert found[:, 0].tolist() == LABELS.tolist()
    vectors = side_by_side(tables(), IDS)
    for number, own in enumerate(members_of(Ids.of(IDS), found)):
        assert own == sorted(own, key=lambda each: found[IDS.index(each), 1])
        rows = vectors[number == LABELS]
        distances = {each: float(np.linalg.norm(vectors[IDS.index(each)] - rows.mean(axis=0))) for each in own}
        assert own == sorted(own, key=distances.__getitem__)


def test_unknown_works_are_in_no_cluster_and_equal_works_make_one() -> None:
    found = clusters_of(tables(), ["nobody", *IDS], 3)
    assert found[0].tolist() == [-1, -1]
    assert sum(map(len, members_of(["nobody", *IDS], found))) == 30
    same = [table_of(np.array([[1.0, 0.0]] * 4), IDS[:4])]
    assert members_of(IDS[:4], clusters_of(same, IDS[:4], 9)) == [IDS[:4]]
    assert clusters_of(same, [], 9).shape == (0, 2)
    assert members_of([], clusters_of(same, [], 9)) == []


def test_of_large_collections_a_sample_is_clustered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_SAMPLE", 10)
    found = clusters_of(tables(), IDS, 3)
    assert np.flatnonzero(found[:, 0] >= 0).tolist() == list(range(0, 30, 3))


def test_joined_vectors_are_centred_by_table_and_of_length_1() -> None:
    one, other = tables()
    joined = side_by_side([one, other], IDS)
    centred = one.vectors - one.vectors.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    assert joined.shape == (30, 6)
    assert np.allclose(joined[25:], np.hstack([centred[25:], np.zeros((5, 3))]), atol=1e-6)
    assert np.allclose(joined[0, :3], centred[0] / np.sqrt(2), atol=1e-6)


@pytest.mark.parametrize("number", [-2, 2**31 - 1])
def test_numbers_of_clusters_that_cannot_be_are_refused(workspace: Path, number: int) -> None:
    manifest = json.loads((workspace / "workspace.json").read_text())
    name = manifest["clusters"]
    found = np.load(workspace / name)
    found[3, 0] = number  # lists for so many clusters would fill the memory
    write_array(workspace / name, found)
    manifest["seals"][name] = asdict(seal_of(workspace / name))
    (workspace / "workspace.json").write_text(json.dumps(manifest))
    with pytest.raises(ProvenanceError, match="of another collection; run `vernissage build` again"):
        open_workspace(workspace).clusters  # noqa: B018
