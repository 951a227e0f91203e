"""The command holdout on the toy gallery, whose works are two themes in two colours."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.galleries import toy_gallery

from vernissage.workspace.build import build_workspace


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose works belong to six people in turns."""
    folder = tmp_path_factory.mktemp("owned")
    toy_gallery(folder / "gallery", count=60)
    with (folder / "gallery/metadata.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / "gallery/metadata.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "owner", "keywords"])
        writer.writeheader()
        writer.writerows(
            row | {"owner": f"person{number % 6}", "keywords": "|".join(row["description"].split()[1:7])}
            for number, row in enumerate(rows)
        )
    build_workspace(folder / "gallery", folder / "workspace", encoders=["lsa", "colour-texture", "aligned"])
    return folder / "workspace"


def test_holdout_prints_each_task_with_errors_and_differences(run: Any, owned: Path, tmp_path: Path) -> None:
    out, figure = tmp_path / "values.csv", tmp_path / "holdout.png"
    printed = run("holdout", owned, "--repetitions", 1, "-k", 5, "--out", out, "--figure", figure)
    assert "aligned: 6 people with 10 works or more, 18 of their 60 works hidden, 1 time(s)" in printed
    for task in ("pictures → pictures", "texts → pictures", "both → both"):
        assert task in printed
    for rule in ("possible", "knn3z", "round-robin", "rrf", "mean-vector", "tag-overlap", "tag-embedding", "random"):
        assert printed.count(f"\n{rule} ") == 9
    assert "recall@5" in printed
    with out.open(newline="") as file:
        assert {row["encoder"] for row in csv.DictReader(file)} == {"aligned"}
    with Image.open(figure) as picture:
        assert min(picture.size) > 500


def test_as_json_every_number_with_its_protocol(run: Any, owned: Path) -> None:
    asked = ("holdout", owned, "-e", "lsa", "-e", "colour-texture", "--repetitions", 1, "-k", 5, "--json")
    content = json.loads(run(*asked))
    assert list(content) == ["lsa", "colour-texture"]
    assert {(row["source"], row["target"]) for row in content["lsa"]["rows"]} == {("text", "text")}
    assert {(row["source"], row["target"]) for row in content["colour-texture"]["rows"]} == {("image", "image")}
    assert content["lsa"]["protocol"]["tag_embedding"] == "lsa"
    assert content["colour-texture"]["protocol"]["tag_embedding"] == "lsa"
    assert all(0 <= row["mean"] <= 1 for row in content["lsa"]["rows"])
    assert run(*asked) == run(*asked)


def test_what_cannot_be_measured_is_said_in_one_line(run: Any, owned: Path, built: Path) -> None:
    assert "11 works or more" in run("holdout", owned, "--owners-with", 11, code=1)
    assert "'image' is neither source nor target here" in run(
        "holdout", owned, "-e", "lsa", "--source", "image", code=1
    )
    assert "column owner" in run("holdout", built, code=1)
