"""The command gap on the toy gallery, whose works are two themes in two colours."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.galleries import toy_gallery

from vernissage.workspace.build import build_workspace

METHODS = ["raw", "means", "zscore"]


@pytest.fixture(scope="module")
def keyworded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of texts alone, in which keywords repeat the words of the caption."""
    folder = tmp_path_factory.mktemp("keywords")
    toy_gallery(folder / "gallery", count=60)
    with (folder / "gallery/metadata.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / "gallery/metadata.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "title", "description", "keywords"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row | {"keywords": "|".join(row["description"].split()[1:7])} for row in rows)
    build_workspace(folder / "gallery", folder / "workspace", encoders=["lsa"])
    return folder / "workspace"


def test_the_report_is_measured_on_one_half_and_holds_every_number(run: Any, built: Path) -> None:
    content = json.loads(run("gap", built, "--json"))
    assert (content["encoder"], content["pictures"], content["texts"]) == ("aligned", 64, 64)
    assert 0 <= content["gap"] <= 2
    report = content["report"]
    assert (report["fitted"], report["measured"], report["mixed_pairs"]) == (32, 32, 32)
    assert list(report["methods"]) == METHODS
    for method, measures in report["methods"].items():
        for space in ("recall_unimodal", "recall_mixed"):
            for recall in measures[space].values():
                values = [recall[depth]["mean"] for depth in ("1", "5", "10")]
                assert 0 <= values[0] <= values[1] <= values[2] <= 1
                assert all(recall[depth]["n"] == 32 for depth in recall)
        assert (measures["gap"] is None) == (measures["cosines"] is None) == (method == "zscore")
    assert sum(report["methods"]["raw"]["cosines"]["positive"]["histogram_from_-1_to_1"]) == 32
    assert "too few to fit it anew" in content["note"]


def test_people_see_a_table_and_a_picture(run: Any, built: Path, tmp_path: Path) -> None:
    printed = run("gap", built, "-o", tmp_path / "gap.png", "--seed", "4")
    assert "are 0." in printed
    assert "apart (0 to 2)" in printed
    for words in ("before", "means removed", "z-scores", "chance", "pictures → texts @10, mixed"):
        assert words in printed
    with Image.open(tmp_path / "gap.png") as image:
        assert image.width >= 1200


def test_equal_seeds_draw_equal_halves(run: Any, built: Path) -> None:
    one, again, other = (run("gap", built, "--json", "--seed", seed) for seed in ("1", "1", "2"))
    assert one == again != other


def test_captions_are_compared_with_keywords_by_one_encoder_of_texts(run: Any, keyworded: Path) -> None:
    content = json.loads(run("gap", keyworded, "--captions-against-keywords", "--json"))
    assert (content["encoder"], content["captions"], content["keywords"]) == ("lsa", 60, 60)
    recall = content["report"]["methods"]["means"]["recall_unimodal"]
    assert set(recall) == {"captions to keywords", "keywords to captions"}
    assert all(each["10"]["mean"] > 0.6 for each in recall.values())  # they share words; by chance 10 of 30
    assert "keywords in keywords' top ten" in run("gap", keyworded, "--captions-against-keywords")


def test_an_alignment_that_is_fitted_anew_says_so(run: Any, tmp_path: Path) -> None:
    toy_gallery(tmp_path / "gallery", count=120)
    build_workspace(tmp_path / "gallery", tmp_path / "ws", encoders=["lsa", "colour-texture", "aligned"])
    content = json.loads(run("gap", tmp_path / "ws", "--json"))
    assert "fitted anew on the half" in content["note"]
    assert content["report"]["fitted"] == 60


def test_few_works_have_a_gap_but_no_report(run: Any, tmp_path: Path) -> None:
    toy_gallery(tmp_path / "gallery", count=16)
    with (tmp_path / "gallery/metadata.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "gallery/metadata.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "title", "description", "keywords"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row | {"keywords": row["title"].split()[0]} for row in rows)
    build_workspace(tmp_path / "gallery", tmp_path / "ws", encoders=["lsa"])
    asked = ("gap", tmp_path / "ws", "--captions-against-keywords")
    assert json.loads(run(*asked, "--json"))["report"] is None
    assert "16 captions" in run(*asked)
    assert "it takes 20 or more" in run(*asked, "-o", tmp_path / "gap.png", code=1)
    assert not (tmp_path / "gap.png").exists()


def test_what_cannot_be_compared_is_refused_in_one_line(run: Any, built: Path) -> None:
    assert "reads texts alone" in run("gap", built, "--encoder", "lda", code=1)
    assert "nothing of" in run("gap", built, "--encoder", "clip", code=1)
    assert "does not read texts" in run("gap", built, "-e", "colour-texture", "--captions-against-keywords", code=1)
    assert "no work has both keywords" in run("gap", built, "-e", "lsa", "--captions-against-keywords", code=1)
    assert "vernissage lab gap " in run("gap", "--help")
