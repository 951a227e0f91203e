"""What docs/datasets.md says: its examples run, and it leaves no kind out."""

import re
import runpy
from pathlib import Path

import pytest
from tests.galleries import toy_gallery

import vernissage
from vernissage_lab.datasets.classified import write_classified
from vernissage_lab.datasets.kinds import KINDS, open_dataset

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "datasets.md").read_text(encoding="utf-8")


def test_every_kind_has_a_row() -> None:
    assert re.findall(r"^\| `([\w-]+)` \|", PAGE, re.MULTILINE) == list(KINDS)


WORKSPACE, VECTORS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_of_a_workspace_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    toy_gallery(tmp_path / "coco", 24)
    write_classified(open_dataset("gallery", Path("coco")), Path("coco/classified.csv"))
    (tmp_path / "example.py").write_text(WORKSPACE.replace('"workspace")', '"workspace", encoders=["tfidf"])'))
    runpy.run_path("example.py")
    with vernissage.open("workspace") as gallery:
        assert len(gallery.recommend({"w000": 5}, n=5, engine="tfidf").works) == 5


def test_the_example_of_vectors_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy_gallery(tmp_path / "my-collection", 60)
    (tmp_path / "example.py").write_text(VECTORS.replace('"aligned"', '"lsa"'), encoding="utf-8")  # the quicker one
    monkeypatch.chdir(tmp_path)
    found = runpy.run_path("example.py")
    assert found["ids"] == tuple(f"w{number:03d}" for number in range(60))
    assert {modality: len(rows) for modality, rows in found["vectors"].items()} == {"text": 60}
