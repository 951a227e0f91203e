"""What docs/datasets.md says: its example runs, and it leaves no kind out."""

import re
import runpy
from pathlib import Path

import pytest
from tests.galleries import toy_gallery

from vernissage_lab.datasets.kinds import KINDS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "datasets.md").read_text(encoding="utf-8")


def test_every_kind_has_a_row() -> None:
    assert re.findall(r"^\| `([\w-]+)` \|", PAGE, re.MULTILINE) == list(KINDS)


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    toy_gallery(tmp_path / "my-collection", 60)
    (tmp_path / "example.py").write_text(code.replace('"aligned"', '"lsa"'), encoding="utf-8")  # the quicker one
    monkeypatch.chdir(tmp_path)
    found = runpy.run_path("example.py")
    assert found["ids"] == tuple(f"w{number:03d}" for number in range(60))
    assert {modality: len(rows) for modality, rows in found["vectors"].items()} == {"text": 60}
