"""Tables that give a work several pictures: in one cell, in several columns, and with one row for each."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from vernissage.catalog.collection import Collection
from vernissage.catalog.loading import load_collection
from vernissage.catalog.report import CollectionReport, Tolerance
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.folder import FolderSource
from vernissage.catalog.sources.views import names_in

NAMES = ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e, f.jpg", "g; h.jpg", "i j.jpg")
Cells = Sequence[Sequence[str]]


def write(folder: Path, rows: Cells, name: str = "metadata.csv") -> Path:
    (folder / "images").mkdir(exist_ok=True)
    for number, picture in enumerate(NAMES):
        Image.new("RGB", (9, 9), (20 * number, 9, 90)).save(folder / "images" / picture)
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return folder


def read(folder: Path, rows: Cells, **columns: str) -> Collection:
    return load_collection(FolderSource(write(folder, rows), options=TableOptions(columns=columns)))


def shown(collection: Collection) -> dict[str, list[str]]:
    return {item.id: [path.removeprefix("images/") for path, _ in item.pictures] for item in collection}


def report_of(collection: Collection) -> CollectionReport:
    assert collection.report is not None
    return collection.report


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("a.jpg", ["a.jpg"]),
        ("a.jpg|b.jpg", ["a.jpg", "b.jpg"]),
        (" b.jpg ;a.jpg; ".strip(), ["b.jpg", "a.jpg"]),
        ("a.jpg; b.jpg|c.jpg", ["a.jpg", "b.jpg", "c.jpg"]),
        ("a.jpg\nb.jpg", ["a.jpg", "b.jpg"]),
        ("a.jpg, b.jpg,c.jpg", ["a.jpg", "b.jpg", "c.jpg"]),
        ("a.jpg b.jpg", ["a.jpg", "b.jpg"]),
        ("a|b", ["a", "b"]),
        ("Smith, John.jpg", ["Smith, John.jpg"]),
        ("two boats.jpg", ["two boats.jpg"]),
        ("e, f.jpg|a.jpg", ["e, f.jpg", "a.jpg"]),
        ("g; h.jpg|a.jpg", ["g; h.jpg", "a.jpg"]),
        ("e, f.jpg", ["e, f.jpg"]),
        ('["a.jpg", "e, f.jpg"]', ["a.jpg", "e, f.jpg"]),
        ("['a.jpg', 'b.jpg']", ["a.jpg", "b.jpg"]),
        ('[{"url": "a.jpg", "width": 9}, {"url": "b.jpg"}]', ["a.jpg", "b.jpg"]),
        ("https://x.org/a;1.jpg", ["https://x.org/a;1.jpg"]),
        ("https://x.org/full/!9,9/0/d.jpg", ["https://x.org/full/!9,9/0/d.jpg"]),
        ("https://x.org/a b.jpg", ["https://x.org/a b.jpg"]),
        ("https://x.org/1; https://x.org/2", ["https://x.org/1", "https://x.org/2"]),
        ("https://x.org/1,https://x.org/2", ["https://x.org/1", "https://x.org/2"]),
        ("[untitled].jpg", ["[untitled].jpg"]),
        ("[]", ["[]"]),
    ],
)
def test_a_cell_names_one_picture_or_a_list_of_them(cell: str, names: list[str]) -> None:
    assert names_in(cell, {*NAMES}.__contains__) == names


def test_lists_in_cells_become_pictures_of_one_work_in_their_order(tmp_path: Path) -> None:
    rows = [
        ("id", "title", "file_name"),
        ("1", "Boats", "b.jpg|a.jpg"),
        ("2", "Hat", "c.jpg, images/d.jpg"),
        ("3", "Snow", "e, f.jpg"),
        ("4", "Road", r"C:\scans\e, f.jpg;C:\scans\i j.jpg"),
        ("5", "Mill", "images/c.jpg images/b.jpg"),
    ]
    collection = read(tmp_path, rows)
    assert shown(collection) == {
        "1": ["b.jpg", "a.jpg"],
        "2": ["c.jpg", "d.jpg"],
        "3": ["e, f.jpg"],
        "4": ["e, f.jpg", "i j.jpg"],
        "5": ["c.jpg", "b.jpg"],
    }
    assert report_of(collection).problems == ()
    assert "5 works kept, 5 with a picture (9 pictures)" in report_of(collection).lines()[0]


def test_several_columns_name_pictures_of_one_work_but_not_one_picture_in_another_size(tmp_path: Path) -> None:
    rows = [
        ("id", "title", "image1", "image2", "Verso", "thumbnail", "image_original", "image2_url"),
        ("1", "Boats", "a.jpg", "b.jpg", "c.jpg", "d.jpg", "d.jpg", "https://x.org/b.jpg"),
        ("2", "Hat", "c.jpg", "", "", "d.jpg", "", ""),
        ("3", "Snow", "", "d.jpg", "", "", "", ""),
    ]
    collection = read(tmp_path, rows)
    assert shown(collection) == {"1": ["a.jpg", "b.jpg", "c.jpg"], "2": ["c.jpg"], "3": ["d.jpg"]}
    assert [guess.column for guess in report_of(collection).guesses if guess.meaning == "picture"] == [
        "image1", "image2", "Verso",
    ]  # fmt: skip


def test_an_omeka_export_has_its_files_in_one_cell(tmp_path: Path) -> None:
    rows = [
        ("Item Id", "Dublin Core:Title", "Dublin Core:Creator", "file"),
        ("11", "Boats", "Doe", "https://omeka.example/files/original/1.jpg,https://omeka.example/files/original/2.jpg"),
        ("12", "Hat", "Roe", "a.jpg;b.jpg"),
    ]
    collection = read(tmp_path, rows)
    assert shown(collection) == {"11": [], "12": ["a.jpg", "b.jpg"]}
    assert any("2 web addresses" in remark for remark in report_of(collection).remarks)


def test_rows_of_equal_id_and_title_are_one_work(tmp_path: Path) -> None:
    # As object and media rows of collection systems are joined: one row for each view of an object.
    rows = [
        ("objectnumber", "title", "artist", "date", "subjects", "filename", "viewtype", "sequence", "culture", "room"),
        ("82.1", "Boats", "", "1880", "sea, boats", "a.jpg", "alternate", "2", "Dutch", "hall"),
        ("82.2", "Hat", "Roe", "1900", "hat", "d.jpg", "alternate", "1", "", ""),
        ("82.1", "boats ", "Doe", "1881", "boats, harbour", "b.jpg", "alternate", "1", "Frisian", "attic"),
        ("82.1", "", "", "", "", "c.jpg", "Primary view", "9", "Dutch", ""),
        ("82.2", "A hat", "", "", "", "a.jpg", "primary", "0", "", ""),
    ]
    collection = load_collection(write(tmp_path, rows), tolerance=Tolerance(1))
    boats = collection["82.1"]
    assert shown(collection) == {"82.1": ["c.jpg", "b.jpg", "a.jpg"], "82.2": ["d.jpg"]}
    assert (boats.title, boats.artist, boats.year) == ("Boats", "Doe", "1880")
    assert boats.keywords == ("sea", "boats", "harbour")
    assert (boats.attributes["culture"], boats.attributes["room"]) == ("Dutch | Frisian", "hall")
    assert boats.text == "Boats. Doe. 1880. sea, boats, harbour. Dutch, Frisian"
    report = report_of(collection)
    assert (report.rows, report.kept, report.joined) == (5, 2, 2)
    assert [(problem.kind, problem.row) for problem in report.rejected] == [("duplicate id", 6)]
    assert (
        "5 rows of 3 works: rows of equal id and title are views of one work, and the first by viewtype and sequence "
        "leads"
    ) in report.remarks


@pytest.mark.parametrize(
    ("column", "cells", "leading"),
    [
        ("is_main", ("0", "1", "0"), "b.jpg"),
        ("Primary", ("no", "", "yes"), "c.jpg"),
        ("isPrimaryImage", ("false", "true", "false"), "b.jpg"),
        ("sequence", ("10", "9", "2.0"), "c.jpg"),
        ("display order", ("", "2", "1"), "c.jpg"),
        ("view", ("detail of the front", "back of the main panel", "front"), "c.jpg"),
        ("PrimaryDisplay", ("0", "-1", "0"), "b.jpg"),  # true as databases of Access write it
        ("remarks", ("verso", "recto", "main"), "a.jpg"),
    ],
)
def test_a_column_says_which_view_leads(tmp_path: Path, column: str, cells: Sequence[str], leading: str) -> None:
    files = ("a.jpg", "b.jpg", "c.jpg")
    rows = [("id", "title", "image", column), *(("7", "Boats", *each) for each in zip(files, cells, strict=True))]
    collection = read(tmp_path, rows)
    assert shown(collection)["7"][0] == leading
    assert sorted(shown(collection)["7"]) == sorted(files)


def test_media_rows_without_titles_are_views_of_the_object_that_is_named_as_their_id(tmp_path: Path) -> None:
    rows = [
        ("uuid", "viewtype", "sequence", "depictstmsobjectid", "image"),
        ("u1", "alternate", "1", "17", "a.jpg"),
        ("u2", "primary", "0", "17", "b.jpg"),
        ("u3", "primary", "0", "23", "c.jpg"),
    ]
    collection = read(tmp_path, rows, id="depictstmsobjectid", title="")
    assert shown(collection) == {"17": ["b.jpg", "a.jpg"], "23": ["c.jpg"]}


def test_rows_that_repeat_an_id_without_one_more_view_are_told_as_duplicates(tmp_path: Path) -> None:
    rows = [
        ("id", "title", "description", "file"),
        ("1", "Boats", "Two boats", "a.jpg"),
        ("1", "Boats", "Two boats", "a.jpg"),  # equal to the row before
        ("1", "Boats", "Three boats", ""),  # no view: its description would be lost without a word
        ("1", "Boats", "", "b.jpg"),
    ]
    collection = load_collection(write(tmp_path, rows), tolerance=Tolerance(2))
    assert shown(collection) == {"1": ["a.jpg", "b.jpg"]}
    assert [(problem.kind, problem.row) for problem in report_of(collection).rejected] == [
        ("duplicate id", 3),
        ("duplicate id", 4),
    ]


def test_ids_that_repeat_with_their_titles_are_known_by_their_name(tmp_path: Path) -> None:
    # A query of Wikidata for pictures (P18) gives one row for each picture of an item.
    entity = "http://www.wikidata.org/entity/"
    rows = [
        ("item", "itemLabel", "creatorLabel", "image"),
        (f"{entity}Q12", "Boats", "Doe", "a.jpg"),
        (f"{entity}Q12", "Boats", "Doe", "b.jpg"),
        (f"{entity}Q13", "Hat", "Doe", "c.jpg"),
    ]
    assert shown(read(tmp_path, rows)) == {"Q12": ["a.jpg", "b.jpg"], "Q13": ["c.jpg"]}
    unlike = [rows[0], *((entity + "Q12", *row[1:]) for row in rows[1:])]  # equal ones have unequal titles: no id
    assert len(read(tmp_path, unlike)) == 3


def test_a_work_is_kept_with_the_pictures_that_can_be_opened(tmp_path: Path) -> None:
    rows = [
        ("id", "title", "file_name"),
        ("1", "Boats", "gone.jpg|b.jpg|bad.jpg|c.jpg"),
        ("2", "Hat", "gone.jpg|lost.jpg"),
        *((str(number), f"Sea {number}", "a.jpg|d.jpg") for number in range(3, 6)),
    ]
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "bad.jpg").write_bytes(b"no picture")
    collection = read(tmp_path, rows)
    assert shown(collection)["1"] == ["b.jpg", "c.jpg"]
    assert shown(collection)["2"] == []
    problems = [(problem.row, problem.kind, problem.file, problem.kept) for problem in report_of(collection).problems]
    assert problems == [
        (2, "missing picture", "gone.jpg", True),
        (2, "unreadable picture", "images/bad.jpg", True),
        (3, "missing picture", "gone.jpg", True),
        (3, "missing picture", "lost.jpg", True),
    ]


def test_pictures_in_lists_of_json(tmp_path: Path) -> None:
    write(tmp_path, [("id",)], "other.csv")
    works = [
        {"id": 1, "title": "Boats", "images": [{"url": "a.jpg"}, {"url": "b.jpg"}]},
        {"id": 2, "title": "Hat", "images": ["c.jpg"]},
    ]
    (tmp_path / "metadata.json").write_text(json.dumps(works))
    assert shown(load_collection(tmp_path)) == {"1": ["a.jpg", "b.jpg"], "2": ["c.jpg"]}


def test_ids_from_names_of_pictures_are_those_of_the_first(tmp_path: Path) -> None:
    collection = read(tmp_path, [("title", "file"), ("Boats", "images/a.jpg|images/b.jpg"), ("Hat", "c.jpg")])
    assert shown(collection) == {"a": ["a.jpg", "b.jpg"], "c": ["c.jpg"]}


@pytest.mark.parametrize("cell", [";", "|", " ; ", ",,", "[]", "{}"])
def test_a_cell_of_signs_alone_names_itself(cell: str) -> None:
    assert names_in(cell, lambda _: False) == [cell]
