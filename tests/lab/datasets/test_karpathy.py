"""Karpathy's JSON files, written here in their published layout."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vernissage_lab.datasets.captioned import DatasetError
from vernissage_lab.datasets.coco import read_karpathy


def _entry(number: int, split: str, *texts: str, coco: bool = True) -> dict[str, Any]:
    name = f"COCO_val2014_{number:012d}.jpg" if coco else f"{number}.jpg"
    sentences = [
        {"tokens": text.lower().split(), "raw": text, "imgid": number, "sentid": 10 * number + place}
        for place, text in enumerate(texts)
    ]
    entry = {"filename": name, "imgid": number - 1, "split": split, "sentences": sentences}
    return entry | ({"filepath": "val2014", "cocoid": number} if coco else {})


def _write(path: Path, *entries: dict[str, Any], dataset: str = "coco") -> Path:
    path.write_text(json.dumps({"images": entries, "dataset": dataset}), encoding="utf-8")
    return path


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return _write(
        tmp_path / "dataset_coco.json",
        _entry(42, "test", "A red boat\n on a lake.", "Un bateau à l'eau."),
        _entry(43, "restval", "Two dogs run."),
        _entry(44, "val", "A kitchen."),
    )


def test_ids_splits_and_captions(coco: Path) -> None:
    found = read_karpathy(coco)
    assert found.name == "MSCOCO (Karpathy split)"
    assert [(image.id, image.split) for image in found.images] == [("42", "test"), ("43", "train"), ("44", "val")]
    assert [(caption.id, caption.image_id, caption.text) for caption in found.captions[:2]] == [
        ("420", "42", "A red boat on a lake."),
        ("421", "42", "Un bateau à l'eau."),
    ]
    assert found.remarks == ("1 picture of the part restval read as train",)
    assert found.missing == ("42", "43", "44")


def test_pictures_are_found_by_path_or_by_bare_name(coco: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    (folder / "val2014").mkdir(parents=True)
    (folder / "elsewhere" / "deeper").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(folder / "val2014" / "COCO_val2014_000000000042.jpg")
    Image.new("RGB", (4, 4)).save(folder / "elsewhere" / "deeper" / "COCO_val2014_000000000043.jpg")
    found = read_karpathy(coco, pictures=folder)
    assert found.image_of["42"].path == folder / "val2014" / "COCO_val2014_000000000042.jpg"
    assert found.image_of["43"].path == folder / "elsewhere" / "deeper" / "COCO_val2014_000000000043.jpg"
    assert found.image_of["43"].size == (folder / "elsewhere/deeper/COCO_val2014_000000000043.jpg").stat().st_size
    assert found.missing == ("44",)
    assert found.fingerprint == read_karpathy(coco).fingerprint  # the same files, found below the JSON file's folder


def test_a_folder_of_pictures_that_holds_none_is_refused(coco: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(
        DatasetError, match="holds none of the set's 3 pictures, such as val2014/COCO_val2014_0000000000"
    ):
        read_karpathy(coco, pictures=tmp_path / "other")
    with pytest.raises(DatasetError, match="there is no folder"):
        read_karpathy(coco, pictures=tmp_path / "nowhere")


def test_a_name_in_two_folders_is_nobodys(coco: Path, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (4, 4)).save(tmp_path / folder / "COCO_val2014_000000000042.jpg")
    assert "42" in read_karpathy(coco).missing


def test_flickr_ids_are_names_without_suffix(tmp_path: Path) -> None:
    file = _write(tmp_path / "dataset_flickr8k.json", _entry(7, "test", "A man.", coco=False), dataset="flickr8k")
    found = read_karpathy(file)
    assert (found.name, found.images[0].id, found.images[0].file) == ("Flickr8k (Karpathy split)", "7", "7.jpg")


def test_a_path_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "secret.jpg")
    (tmp_path / "set").mkdir()
    entry = _entry(1, "test", "A man.") | {"filepath": "..", "filename": "secret.jpg"}
    assert read_karpathy(_write(tmp_path / "set" / "dataset.json", entry)).missing == ("1",)


def test_missing_files_are_told_with_their_source(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match="Nothing is downloaded for you: get it from https://cs.stanford.edu/people/karp"
    ):
        read_karpathy(tmp_path / "dataset_coco.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"images": [{"filename"', "is not JSON .*it may be cut short"),
        (b"[1, 2]", "holds a list, not an object with images"),
        (b'{"annotations": []}', r"has no list of objects 'images' \(it has annotations\)"),
        (b'{"images": [1]}', "has no list of objects 'images'"),
        (b'{"images": []}', "holds no picture with a caption"),
        (b'{\n"images": "caf\xe9"}', "is not in UTF-8: byte 0xe9 in line 2"),
        ('{"images": []}'.encode("utf-16"), "is in UTF-16"),
        (b'{"images": [{"split": "test"}]}', r"image 0 has no 'filename' \(it has split\)"),
        (b'{"images": [{"filename": "a.jpg", "split": "dev"}]}', "image 0 has split 'dev'; it must be one of train, r"),
        (b'{"images": [{"filename": 3, "split": "test"}]}', "image 0 has filename 3, which is no text"),
        (b'{"images": [{"filename": "a", "split": "test"}]}', "image 0 has no 'sentences'"),
        (b'{"images": [{"filename": "a", "split": "test", "sentences": 1}]}', "sentences that are no list"),
        (b'{"images": [{"filename": "a", "split": "test", "sentences": []}]}', "1 of 1 pictures have no caption"),
        (b'{"images": [{"filename": "a", "split": "val", "sentences": [{"sentid": 1}]}]}', "image 0 has no 'raw'"),
    ],
)
def test_wrong_files_are_told_by_key_and_place(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "dataset_coco.json"
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_karpathy(file)


def test_doubled_pictures_are_refused(tmp_path: Path) -> None:
    file = _write(tmp_path / "d.json", _entry(1, "test", "A man."), _entry(1, "test", "A woman."))
    with pytest.raises(DatasetError, match="the picture id 1 stands 2 times"):
        read_karpathy(file)


def test_a_folder_is_searched_for_the_published_names(coco: Path, tmp_path: Path) -> None:
    assert read_karpathy(tmp_path).fingerprint == read_karpathy(coco).fingerprint
    _write(tmp_path / "dataset_flickr8k.json", _entry(7, "test", "A man."), dataset="flickr8k")
    with pytest.raises(DatasetError, match="holds several of dataset_coco.json, dataset_flickr30k.json"):
        read_karpathy(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="holds none of dataset_coco.json"):
        read_karpathy(tmp_path / "empty")
