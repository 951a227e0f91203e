"""Excel, Parquet, JSON and JSON Lines."""

import csv
import datetime
import json
import re
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.catalog.loading import load_collection
from vernissage.catalog.sources.tables import as_cell, read_json_lines, read_parquet, read_table
from vernissage.errors import CollectionError


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (float("nan"), ""),
        (12, "12"),
        (12.0, "12"),
        (12.5, "12.5"),
        (True, "true"),
        (" a ", "a"),
        ("#N/A", ""),
        (Decimal("3.50"), "3.50"),
        (datetime.date(1882, 5, 1), "1882-05-01"),
        (datetime.datetime(1882, 5, 1), "1882-05-01"),
        (datetime.datetime(1882, 5, 1, 12, 30), "1882-05-01 12:30:00"),
        (["a", " b ", None, 3], "a | b | 3"),
        ([], ""),
        ({}, ""),
        ({"b": [1, "é"]}, "b: 1 | é"),
        ([{"name": "x", "role": "r"}, {"name": {"en": "y"}}], "x | y"),
        ({"de": "Meer", "en": "Sea"}, "Sea"),
        ([{"type": "literal", "@value": "Sea"}], "Sea"),
        ([{"url": "a.jpg", "width": 3}, {"url": "b.jpg"}], "a.jpg | b.jpg"),
        ("\ud83d", "\ufffd"),
    ],
)
def test_a_typed_value_becomes_what_a_person_would_write(value: Any, cell: str) -> None:
    assert as_cell(value) == cell


def workbook(path: Path, *rows: tuple[Any, ...]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    book.create_sheet("second").append(("other", "sheet"))
    book.save(path)
    return path


def test_excel_gives_the_first_sheet_with_every_type_as_text(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        ("id", "title", "date", "on view", "height", None),
        (1, "Fête", datetime.datetime(1882, 5, 1), True, 12.5, None),
        (),
        ("1915.534", "=1+1", "c. 1700", None, 30.0, None),
    )
    table = read_table(path)
    assert table.columns == ("id", "title", "date", "on view", "height")
    assert tuple(table.rows) == (
        (2, ("1", "Fête", "1882-05-01", "true", "12.5")),
        (4, ("1915.534", "", "c. 1700", "", "30")),
    )


def test_excel_rows_may_be_preceded_by_blank_ones(tmp_path: Path) -> None:
    table = read_table(workbook(tmp_path / "a.xlsx", (), (None, None), ("id", "title"), (7, "a")))
    assert tuple(table.rows) == ((4, ("7", "a")),)


def test_lines_above_the_header_of_a_sheet_are_left_out(tmp_path: Path) -> None:
    rows = (("List of works",), ("printed 12.03.2024",), ("id", "title", "artist"), (7, "Sea", "Anna"))
    table = read_table(workbook(tmp_path / "a.xlsx", *rows))
    assert (table.columns, tuple(table.rows)) == (("id", "title", "artist"), ((4, ("7", "Sea", "Anna")),))
    assert table.remarks == ("row 3 is taken for the header; what stands above it is left out",)


def test_an_empty_or_damaged_excel_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="first sheet"):
        read_table(workbook(tmp_path / "a.xlsx"))
    raw = workbook(tmp_path / "b.xlsx", ("id",), ("a",)).read_bytes()
    (tmp_path / "b.xlsx").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(CollectionError, match="cannot be read as an Excel file"):
        read_table(tmp_path / "b.xlsx")


def test_parquet_gives_every_type_as_text_and_lists_joined(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1, 2, None]),
            "tags": pa.array([["a", "b, c"], [], None]),
            "when": pa.array([datetime.datetime(1882, 5, 1)] * 2 + [None], pa.timestamp("ns")),
            "height": pa.array([1.0, float("nan"), None]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    read = read_table(tmp_path / "a.parquet")
    assert read.columns == ("id", "tags", "when", "height")
    assert tuple(read.rows) == ((1, ("1", "a | b, c", "1882-05-01", "1")), (2, ("2", "", "1882-05-01", "")))


def test_pictures_within_parquet_are_left_out_and_said_to_be(tmp_path: Path) -> None:
    images = pa.array([{"bytes": b"\x89PNG", "path": "a.png"}])
    pq.write_table(pa.table({"id": ["a"], "image": images}), tmp_path / "a.parquet")
    read = read_table(tmp_path / "a.parquet")
    assert read.columns == ("id",)
    assert "column image holds bytes" in read.remarks[0]


def test_a_damaged_parquet_file_is_refused() -> None:
    with pytest.raises(CollectionError, match="cannot be read as Parquet"):
        read_parquet(Path("a.parquet"), b"PAR1 and nothing else PAR1")


def test_json_lines_name_a_bad_line_by_its_number() -> None:
    raw = b'{"id": "a", "tags": ["x", "y"]}\n\n{"id": "b", "year": 1800.0}\n{"id": \n[1]\n{"id": "c"}\n'
    table = read_json_lines(Path("a.jsonl"), raw)
    assert table.columns == ("id", "tags", "year")
    assert tuple(table.rows) == ((1, ("a", "x | y", "")), (3, ("b", "", "1800")), (6, ("c", "", "")))
    assert [(problem.row, problem.kind) for problem in table.problems] == [(4, "damaged row"), (5, "damaged row")]


@pytest.mark.parametrize("content", [[{"id": "a"}], {"items": [{"id": "a"}], "total": 1}])
def test_json_may_be_a_list_or_hold_one(content: Any, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert tuple(read_table(tmp_path / "a.json").rows) == ((1, ("a",)),)


@pytest.mark.parametrize("text", ["{", "[1, 2]", '{"a": 1}', '"text"', "[" * 100_000])
def test_other_json_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(CollectionError, match="one object for each work"):
        read_table(tmp_path / "a.json")


@settings(deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(["id", "title", "notes"]), st.text(max_size=20), min_size=1), min_size=1)
)
def test_json_lines_come_back_trimmed(records: list[dict[str, str]]) -> None:
    raw = "\n".join(json.dumps(record) for record in records).encode()
    table = read_json_lines(Path("a.jsonl"), raw)
    for record, (_, cells) in zip(records, table.rows, strict=True):
        read = dict(zip(table.columns, cells, strict=True))
        assert all(read[name] == as_cell(text) for name, text in record.items())


def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "a.ods").write_bytes(b"")
    with pytest.raises(CollectionError, match=r"\.csv.*\.xlsx"):
        read_table(tmp_path / "a.ods")


def test_warnings_of_excel_files_are_passed_over_and_the_hosts_filters_stay(tmp_path: Path) -> None:
    book, plain, odd = openpyxl.Workbook(), tmp_path / "plain.xlsx", tmp_path / "odd.xlsx"
    for row in (["id", "title"], ["a", "Sea"]):
        book.worksheets[0].append(row)
    book.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(odd, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/styles.xml":
                content = re.sub(rb"<cellStyles.*</cellStyles>", b"", content)
            target.writestr(name, content)
    with pytest.warns(UserWarning, match="no default style"):
        openpyxl.load_workbook(odd)
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        tables = list(pool.map(read_table, [odd] * 12))
    assert [tuple(table.rows) for table in tables] == [((2, ("a", "Sea")),)] * 12
    assert list(warnings.filters) == before


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_nested_records_are_unfolded_and_no_brace_is_left(name: str, tmp_path: Path) -> None:
    record = {
        "id": 7,
        "title": {"de": "Boote", "en": "Boats"},
        "artists": [{"name": "Anna Beispiel", "role": "painter"}, {"name": "Bert"}],
        "dating": {"presentingDate": "c. 1650", "year": 1650, "period": {"id": 17}},
        "place": {"label": "Ulm", "id": "x:1"},
        "images": [{"url": "images/0.jpg", "size": [1, 2]}],
    }
    text = json.dumps(record) if name.endswith("l") else json.dumps({"info": {"n": 1}, "response": {"docs": [record]}})
    (tmp_path / name).write_text(text)
    table = read_table(tmp_path / name)
    ((_, cells),) = table.rows
    assert dict(zip(table.columns, cells, strict=True)) == {
        "id": "7",
        "title": "Boats",
        "title[de]": "Boote",
        "artists": "Anna Beispiel | Bert",
        "dating.presentingDate": "c. 1650",
        "dating.year": "1650",
        "dating.period.id": "17",
        "place": "Ulm",
        "images": "images/0.jpg",
    }


def test_lists_of_objects_without_a_name_become_columns(tmp_path: Path) -> None:
    record = {
        "id": 7,
        "production": [
            {"creator": "Anna Beispiel", "died": "1900", "contributor": {"id": 1, "type": "Person", "title": "Anna"}},
            {"creator": "Bert", "died": "1900"},
        ],
        "date": [{"period": "1890–95", "start": "1890-01-01"}],
        "visuals": [{"entity": {"publicUrl": "images/0.jpg"}}],
        "freetext": {"name": [{"label": "Artist", "content": "Cora"}, {"label": "Sitter", "content": "Dora"}]},
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps([record]))
    table = read_table(path)
    ((_, cells),) = table.rows
    assert dict(zip(table.columns, cells, strict=True)) == {
        "id": "7",
        "production.creator": "Anna Beispiel | Bert",
        "production.died": "1900",
        "production.contributor.id": "1",
        "production.contributor.type": "Person",
        "production.contributor.title": "Anna",
        "date.period": "1890–95",
        "date.start": "1890-01-01",
        "visuals.entity.publicUrl": "images/0.jpg",
        "freetext.name.Artist": "Cora",
        "freetext.name.Sitter": "Dora",
    }


FORMATS = {
    "LIDO": '<?xml version="1.0"?><lido:lidoWrap xmlns:lido="http://www.lido-schema.org"/>',
    "EAD": '<ead xmlns="urn:isbn:1-931666-22-9"><eadheader/></ead>',
    "MARC XML": '<collection xmlns="http://www.loc.gov/MARC21/slim"/>',
    "Adlib XML": "<adlibXML><recordList/></adlibXML>",
    "XML": "<works><work/></works>",
    "MARC": "01142cam  2200301 a 4500001001300000003000400013",
}


@pytest.mark.parametrize("kind", FORMATS)
def test_formats_of_museums_and_libraries_are_called_by_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / ("metadata.mrc" if kind == "MARC" else "metadata.xml")
    path.write_text(FORMATS[kind])
    for place in (path, tmp_path):
        with pytest.raises(CollectionError, match=f"is {kind}, which is recognised but not read yet; export the works"):
            load_collection(place)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"@context": "http://iiif.io/api/image/3/context.json"}, "is a IIIF image description, which is recognised"),
        (
            {"@context": ["x", "http://iiif.io/api/presentation/3/context.json"], "type": "Range"},
            "is Range, and no man",
        ),
        ({"@id": "x", "@type": "sc:AnnotationList", "resources": []}, "is AnnotationList, and no manifest or coll"),
    ],
)
def test_what_of_iiif_is_no_work_is_called_by_name(content: Any, words: str, tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text(json.dumps(content | {"items": [{"id": "a"}]}))
    with pytest.raises(CollectionError, match=words):
        load_collection(tmp_path)


def test_objects_and_lists_in_cells_are_read_as_those_of_json(tmp_path: Path) -> None:
    people = [{"name": "Berthe Morisot", "born": 1841}, {"name": "B. Roe"}]
    rows = [
        ("1", "Boats", json.dumps(people), '["boat, red", "sea"]', "{'label': 'Oil'}", "[Untitled]", '{"from": 1880}'),
        ("2", "Storm", "", '["storm"]', "", "[1885]", '{"from": 1881, "to": 1890}'),
    ]
    heads = ("id", "title", "artist", "keywords", "medium", "note", "dating")
    with (tmp_path / "metadata.csv").open("w", newline="") as file:
        csv.writer(file).writerows([heads, *rows])
    first, second = load_collection(tmp_path)
    assert (first.artist, first.medium, first.keywords) == ("Berthe Morisot | B. Roe", "Oil", ("boat, red", "sea"))
    assert dict(second.attributes) == {"dating.to": "1890", "note": "[1885]"}
    assert second.year == "1881"
    assert not set("{}").intersection(first.text + second.text)


def test_structs_lists_and_maps_of_parquet_are_unfolded(tmp_path: Path) -> None:
    table = pa.table({
        "title": ["Boats", None],
        "artist": [{"name": "Morisot", "born": 1841}, None],
        "tags": [["sea", "boat"], []],
        "dating": [{"from": 1880, "to": 1890}, {"from": 1881, "to": None}],
        "medium": pa.array([[("de", "Öl"), ("en", "Oil")], []], pa.map_(pa.string(), pa.string())),
        "notes": ['{"value": "seen"}', ""],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "metadata.parquet")
    first, second = load_collection(tmp_path)
    assert (first.artist, first.year, first.medium, first.keywords) == ("Morisot", "1880", "Oil", ("sea", "boat"))
    assert dict(first.attributes) == {"dating.to": "1890", "medium[de]": "Öl"}
    assert first.description == "seen"
    assert (second.artist, second.year, second.title) == ("", "1881", "")
