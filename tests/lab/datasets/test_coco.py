"""MSCOCO's official captions, written here in their published layout."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vernissage_lab.datasets.captioned import DatasetError
from vernissage_lab.datasets.coco import read_coco


def _write(
    path: Path, images: list[int], captions: list[tuple[int, int, str]], more: dict[str, Any] | None = None
) -> Path:
    content = {
        "info": {"year": 2014},
        "licenses": [{"id": 1}],
        "images": [
            {"id": each, "file_name": f"COCO_val2014_{each:012d}.jpg", "height": 4, "width": 4} for each in images
        ],
        "annotations": [{"id": number, "image_id": image, "caption": text} for number, image, text in captions],
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content | (more or {})), encoding="utf-8")
    return path


def test_images_and_annotations_are_joined_by_id(tmp_path: Path) -> None:
    file = _write(
        tmp_path / "captions_val2014.json", [9, 8], [(1, 8, "A cat\nsits."), (2, 9, "A dog."), (3, 8, "Fur.")]
    )
    found = read_coco(file)
    assert [(image.id, image.split) for image in found.images] == [("9", "val"), ("8", "val")]
    assert [caption.text for caption in found.captions_of["8"]] == ["A cat sits.", "Fur."]


def test_a_folder_of_one_year_is_one_set(tmp_path: Path) -> None:
    _write(tmp_path / "annotations" / "captions_train2014.json", [1], [(1, 1, "A cat.")])
    _write(tmp_path / "annotations" / "captions_val2014.json", [2], [(2, 2, "A dog.")])
    (tmp_path / "val2014").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "val2014" / "COCO_val2014_000000000002.jpg")
    found = read_coco(tmp_path)
    assert [(image.id, image.split, image.path is not None) for image in found.images] == [
        ("1", "train", False),
        ("2", "val", True),
    ]


def test_a_folder_of_two_years_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "captions_val2014.json", [2], [(2, 2, "A dog.")])
    _write(tmp_path / "captions_val2017.json", [2], [(2, 2, "A dog.")])
    with pytest.raises(DatasetError, match="holds captions of 2014 and 2017, which share pictures"):
        read_coco(tmp_path)


@pytest.mark.parametrize(
    ("images", "captions", "more", "message"),
    [
        ([1, 2], [(1, 1, "A cat.")], {}, "1 of 2 pictures have no caption, the first is 2"),
        (
            [1],
            [(1, 1, "A cat."), (2, 5, "A dog.")],
            {},
            "1 of 2 captions are of pictures that the set does not list.*caption 2 of picture 5",
        ),
        ([1, 1], [(1, 1, "A cat.")], {}, "the picture id 1 stands 2 times"),
        ([1], [(1, 1, "A cat."), (1, 1, "A dog.")], {}, "the caption id 1 stands 2 times"),
        ([1], [], {"annotations": None}, "has no list of objects 'annotations'"),
        (
            [1],
            [],
            {"annotations": [{"id": 1, "image_id": 1}]},
            r"annotation 0 has no 'caption' \(it has id, image_id\)",
        ),
        ([1], [], {"images": [{"id": 1}]}, r"image 0 has no 'file_name'"),
    ],
)
def test_wrong_files_are_told_by_key_and_count(
    tmp_path: Path, images: list[int], captions: list[tuple[int, int, str]], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        read_coco(_write(tmp_path / "captions_val2014.json", images, captions, more))


def test_bad_ones_can_be_left_out(tmp_path: Path) -> None:
    file = _write(tmp_path / "captions_val2014.json", [1, 2], [(1, 1, "A cat."), (2, 5, "A dog."), (3, 1, "  ")])
    found = read_coco(file, skip_bad=True)
    assert ([image.id for image in found.images], len(found.captions), len(found.remarks)) == (["1"], 1, 3)


def test_a_folder_without_captions_is_told_with_the_source(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"holds no captions_\*.json; name the file, or get it from https://cocodataset"
    ):
        read_coco(tmp_path)
