"""Flickr30k and Flickr8k in the forms in which they are handed on, written here."""

from pathlib import Path

import pytest
from PIL import Image

from vernissage_lab.datasets.captioned import DatasetError
from vernissage_lab.datasets.flickr import FLICKR8K, FLICKR30K, read_flickr

TOKENS = '10.jpg#0\tTwo boys play .\n10.jpg#1\tChildren , outdoors .\n20.jpg#0\tA "red" car .\n20.jpg.1#0\tNobody\'s picture .\n'
RESULTS = (
    "image_name| comment_number| comment\n"
    "10.jpg| 0| Two boys play .\n"
    "10.jpg| 1| Children , outdoors .\n"
    '20.jpg| 0| "Red" is the car , "said nobody .\n'
    "30.jpg| 4   A dog runs across the grass .\n"
)


def _write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def test_token_files(tmp_path: Path) -> None:
    for name in ("10.jpg", "20.jpg"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    found = read_flickr(_write(tmp_path / "Flickr8k.token.txt", TOKENS), FLICKR8K)
    assert found.name == "Flickr8k"
    assert [(caption.id, caption.image_id, caption.text) for caption in found.captions] == [
        ("10#0", "10", "Two boys play ."),
        ("10#1", "10", "Children , outdoors ."),
        ("20#0", "20", 'A "red" car .'),
        ("20.jpg.1#0", "20.jpg.1", "Nobody's picture ."),
    ]
    assert found.missing == ("20.jpg.1",)  # as in the published file: captions of a picture that is not there


def test_results_with_vertical_bars_and_the_row_without_a_second_one(tmp_path: Path) -> None:
    found = read_flickr(_write(tmp_path / "results.csv", RESULTS), FLICKR30K)
    assert [(caption.id, caption.text) for caption in found.captions[2:]] == [
        ("20#0", '"Red" is the car , "said nobody .'),
        ("30#4", "A dog runs across the grass ."),
    ]
    assert found.remarks == ("line 5 lacks a separator between number and caption, and was read as if it had one",)


def test_captions_txt_numbers_captions_itself(tmp_path: Path) -> None:
    text = 'image,caption\n10.jpg,Two boys play .\n10.jpg,"Children , outdoors ."\n20.jpg,A car .\n'
    found = read_flickr(_write(tmp_path / "captions.txt", text), FLICKR8K)
    assert [caption.id for caption in found.captions] == ["10#0", "10#1", "20#0"]
    assert found.captions[1].text == "Children , outdoors ."


def test_forms_of_one_set_agree(tmp_path: Path) -> None:
    tokens = read_flickr(_write(tmp_path / "a.token", "10.jpg#0\tTwo boys .\n10.jpg#1\tA , b .\n"), FLICKR30K)
    table = read_flickr(
        _write(tmp_path / "a.csv", "image|comment_number|comment\n10.jpg|0|Two boys .\n10.jpg|1|A , b .\n"), FLICKR30K
    )
    assert tokens.fingerprint == table.fingerprint


def test_lists_beside_the_file_are_the_split(tmp_path: Path) -> None:
    _write(tmp_path / "Flickr_8k.trainImages.txt", "10.jpg\n")
    _write(tmp_path / "Flickr_8k.devImages.txt", "20.jpg\n")
    found = read_flickr(_write(tmp_path / "Flickr8k.token.txt", TOKENS), FLICKR8K)
    assert [image.split for image in found.images] == ["train", "val", ""]


def test_a_folder_is_searched_for_known_files(tmp_path: Path) -> None:
    _write(tmp_path / "results.csv", RESULTS)
    assert len(read_flickr(tmp_path, FLICKR30K).images) == 3
    with pytest.raises(
        DatasetError, match="holds none of dataset_flickr8k.json, Flickr8k.token.txt, captions.txt; name"
    ):
        read_flickr(tmp_path, FLICKR8K)


def test_karpathys_json_is_read_too(tmp_path: Path) -> None:
    entry = '{"filename": "10.jpg", "split": "test", "sentences": [{"raw": "Two boys .", "sentid": 5}]}'
    found = read_flickr(_write(tmp_path / "dataset_flickr30k.json", f'{{"images": [{entry}]}}'), FLICKR30K)
    assert (found.name, found.source, found.captions[0].id) == ("Flickr30k (Karpathy split)", FLICKR30K.source, "5")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            "image_name,comment_number\n10.jpg,0\n",
            r"has no column comment \(the caption\); its columns are image_name, c",
        ),
        ("a.csv", "comment,number\nText,0\n", r"has no column image_name \(the picture's file\)"),
        (
            "a.token",
            "10.jpg#0\tA boy\n10.jpg 1 A girl\n",
            "line 2 is not IMAGE#NUMBER, tab, caption, but '10.jpg 1 A girl'",
        ),
        ("a.token", "10.jpg#0\tA boy\n10.jpg#0\tA girl\n", "the caption id 10#0 stands 2 times"),
        ("a.token", "10.jpg#0\t\n", "1 of 1 captions are empty"),
        ("a.csv", "image,caption\n,A boy\n", "line 2 has no image; write the picture's file there"),
    ],
)
def test_wrong_files_are_told_by_column_and_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_flickr(_write(tmp_path / name, content), FLICKR30K)


def test_missing_files_are_told_with_their_source(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"a file of Flickr30k, such as results_20130124.token.*https://shannon.cs.ill"
    ):
        read_flickr(tmp_path / "nothing.csv", FLICKR30K)
