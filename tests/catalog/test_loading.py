"""Folders, tables and loose pictures as collections, and what the report says of them."""

import json
import shutil
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from vernissage.catalog.collection import Collection
from vernissage.catalog.loading import inspect_collection, load_collection
from vernissage.catalog.pictures import PICTURE_SUFFIXES
from vernissage.catalog.report import SKIP_BAD, BadRowsError, CollectionReport, Tolerance
from vernissage.catalog.sources import folder
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.folder import FolderSource
from vernissage.cli.main import main
from vernissage.errors import CollectionError


def picture(path: Path, colour: str = "red") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6), colour).save(path)
    return path


def table(folder: Path, text: str, name: str = "metadata.csv", encoding: str = "utf-8") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode(encoding))
    return folder


def report_of(collection: Collection) -> CollectionReport:
    assert collection.report is not None
    return collection.report


def kinds(report: CollectionReport) -> list[tuple[str, int | None]]:
    return [(problem.kind, problem.row) for problem in report.problems]


ROWS = [
    {"id": "a", "title": "Fête", "file_name": "a.png", "tags": "sea|boat", "category": "blue"},
    {"id": "b", "title": "Été", "file_name": "", "tags": "hill", "category": "green"},
]


def write_csv(path: Path, separator: str) -> None:
    lines = [separator.join(row.values()) for row in [{name: name for name in ROWS[0]}, *ROWS]]
    path.write_text("\n".join(lines), encoding="utf-8")


def write_excel(path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [list(ROWS[0]), *(list(row.values()) for row in ROWS)]:
        book.active.append(row)
    book.save(path)


WRITERS = {
    "metadata.csv": lambda path: write_csv(path, ";"),
    "metadata.tsv": lambda path: write_csv(path, "\t"),
    "Metadata.JSONL": lambda path: path.write_text("\n".join(json.dumps(row) for row in ROWS)),
    "metadata.json": lambda path: path.write_text(json.dumps(ROWS)),
    "metadata.parquet": lambda path: pq.write_table(pa.Table.from_pylist(ROWS), path),
    "metadata.xlsx": write_excel,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_works(name: str, tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    WRITERS[name](tmp_path / name)
    collection = load_collection(tmp_path)
    one, other = collection
    assert (one.id, one.title, one.picture, one.keywords, one.group) == (
        "a",
        "Fête",
        "images/a.png",
        ("sea", "boat"),
        "blue",
    )
    assert (other.id, other.title, other.picture, other.text) == ("b", "Été", "", "Été. hill")
    assert (report_of(collection).problems, report_of(collection).pictures) == ((), 1)
    assert [item.record_digest for item in load_collection(tmp_path / name)] == [one.record_digest, other.record_digest]


@pytest.mark.parametrize(
    "column", ["file_name", "File Name", "FILENAME", "file", "image", "Picture", "path", "image-file", "Dateiname"]
)
def test_the_column_of_pictures_has_many_names(column: str, tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    item = load_collection(table(tmp_path, f"id,{column}\nx,a.png\n"))["x"]
    assert item.picture == "a.png"
    assert len(item.picture_digest) == 64


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("a b.png", "a b.png"),
        ("./a b.png", "a b.png"),
        ("sub/c.png", "sub/c.png"),
        ("sub\\c.png", "sub/c.png"),
        ("sub/../a b.png", "a b.png"),
        ("d.png", "images/d.png"),
        ("SUB/C.PNG", "sub/c.png"),
        ("sub/c", "sub/c.png"),
        ("e\u0301.png", "\u00e9.png"),
        ("d.png|sub/c.png", "images/d.png"),
    ],
)
def test_a_cell_finds_its_picture(cell: str, found: str, tmp_path: Path) -> None:
    for name in ("a b.png", "sub/c.png", "images/d.png", "\u00e9.png"):
        picture(tmp_path / name)
    assert load_collection(table(tmp_path, f'id,file\nx,"{cell}"\n'))["x"].picture == found


def test_an_absolute_path_is_accepted_within_the_folder_alone(tmp_path: Path) -> None:
    inside = picture(tmp_path / "works" / "a.png")
    outside = picture(tmp_path / "b.png")
    root = table(tmp_path / "works", f"id,file\nx,{inside}\ny,{outside}\nz,../b.png\nw,C:\\b.png\nv,..\n")
    collection = inspect_collection(root)
    assert [(item.id, item.picture) for item in collection] == [("x", "a.png")]
    assert kinds(report_of(collection)) == [("picture outside the folder", row) for row in (3, 4, 5, 6)]


def test_web_addresses_are_kept_and_are_no_pictures(tmp_path: Path) -> None:
    root = table(tmp_path, "id,title,image\nx,A title,https://example.org/a.jpg\ny,Another,http://example.org/b.jpg\n")
    collection = load_collection(root)
    assert collection["x"].picture == ""
    assert (collection["x"].picture_link, dict(collection["x"].attributes)) == ("https://example.org/a.jpg", {})
    assert collection["x"].text == "A title"


def test_among_addresses_and_files_each_row_is_taken_for_what_it_is(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    collection = load_collection(table(tmp_path, "id,image\nx,https://example.org/a.jpg\ny,a.png\n"))
    assert [item.picture for item in collection] == ["", "a.png"]
    assert [item.picture_link for item in collection] == ["https://example.org/a.jpg", ""]


def test_the_column_that_names_files_wins_over_one_of_addresses(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    collection = load_collection(table(tmp_path, "id,image,path\nx,https://example.org/a.jpg,a.png\n"))
    assert collection["x"].picture == "a.png"
    assert collection["x"].attributes == {"image": "https://example.org/a.jpg"}


def bad_folder(tmp_path: Path) -> Path:
    picture(tmp_path / "good.png")
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    raw = picture(tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(raw[: len(raw) - 40])
    rows = ["id,file,title", "a,good.png,A", "a,good.png,B", ",good.png,C", "d,none.png,D", "e,text.jpg,E"]
    rows += ["f,empty.jpg,F", "g,folder.jpg,G", "h,cut.jpg,H", "i,good.png", "j,,", "k,,K"]
    return table(tmp_path, "\n".join(rows))


def test_every_bad_row_is_told_with_its_number_and_one_line_sums_them_up(tmp_path: Path) -> None:
    with pytest.raises(BadRowsError) as error:
        load_collection(bad_folder(tmp_path), tolerance=Tolerance(strict=True))
    message = str(error.value)
    assert message.startswith(
        "metadata.csv has 8 problems: row 3 (a): the id a stands in row 2 already; give each work its own id, or take "
        "one row out · row 4: the row has no id; give it one that no other row has · and 6 more ("
    )
    assert "--skip-bad" in message
    assert "--report FILE" in message
    assert "\n" not in message
    report = error.value.report
    assert kinds(report) == [
        ("duplicate id", 3),
        ("no id", 4),
        ("missing picture", 5),
        ("unreadable picture", 6),
        ("unreadable picture", 7),
        ("unreadable picture", 8),
        ("unreadable picture", 9),
        ("damaged row", 10),
    ]
    assert [problem.what for problem in report.of_kind("unreadable picture")] == [
        "the picture text.jpg holds text, not a picture",
        "the picture empty.jpg is an empty file (0 bytes)",
        "the picture folder.jpg is a folder",
        "the picture cut.jpg is cut short",
    ]


def test_bad_rows_are_left_out_the_first_of_two_stays_and_works_without_their_picture_do(tmp_path: Path) -> None:
    collection = load_collection(bad_folder(tmp_path), tolerance=SKIP_BAD)
    assert [(item.id, item.title, bool(item.picture)) for item in collection] == [
        ("a", "A", True),
        *((name, name.upper(), False) for name in "defgh"),
        ("j", "", False),
        ("k", "K", False),
    ]
    report = report_of(collection)
    assert (report.rows, report.kept, report.pictures, len(report.problems)) == (11, 8, 1, 8)
    assert [(problem.kind, problem.row) for problem in report.rejected] == [
        ("duplicate id", 3),
        ("no id", 4),
        ("damaged row", 10),
    ]
    assert report.empty_texts == ("j",)


@pytest.mark.parametrize(
    ("tolerance", "bad", "builds"),
    [
        (Tolerance(), 3, True),
        (Tolerance(), 4, False),
        (Tolerance(0.5), 4, True),
        (Tolerance(4), 4, True),
        (Tolerance(2), 3, False),
        (Tolerance(strict=True), 1, False),
    ],
)
def test_so_many_rows_may_be_left_out(tolerance: Tolerance, bad: int, builds: bool, tmp_path: Path) -> None:
    rows = [*(f"{n},Sea {n}" for n in range(10)), *("0,Other" for _ in range(bad))]
    root = table(tmp_path, "\n".join(["id,title", *rows]))
    if builds:
        assert len(load_collection(root, tolerance=tolerance)) == 10
    else:
        with pytest.raises(BadRowsError, match="--max-rejected"):
            load_collection(root, tolerance=tolerance)


def test_fewer_than_half_of_the_named_pictures_stop_unless_texts_are_enough(tmp_path: Path) -> None:
    picture(tmp_path / "0.png")
    root = table(tmp_path, "id,title,file\n" + "".join(f"{n},Sea {n},{n}.png\n" for n in range(3)))
    with pytest.raises(
        CollectionError, match=r"names 3 pictures, and only 1 of them .* 1\.png.*--pictures-from FOLDER"
    ):
        load_collection(root)
    works = load_collection(root, tolerance=Tolerance(without_pictures=True))
    assert [bool(work.picture) for work in works] == [True, False, False]


@pytest.mark.parametrize(
    "before", ["C:\\Museum\\Bilder\\", "/srv/museum/", "\\\\server\\share\\", "file:///x/", "scans/"]
)
def test_paths_of_other_machines_are_found_by_their_last_parts(before: str, tmp_path: Path) -> None:
    for name in ("images/a.png", "images/x/b.png", "images/y/b.png"):
        picture(tmp_path / "elsewhere" / name)
    rows = f"1,Sea,{before}a.png\n2,Hill,{before}x/b.png\n3,Wood,{before}z/b.png\n"
    root = table(tmp_path / "works", f"id,title,file\n{rows}")
    works = load_collection(FolderSource(root, options=TableOptions(pictures=str(tmp_path / "elsewhere"))))
    assert [work.picture for work in works] == ["images/a.png", "images/x/b.png", ""]


def test_a_table_of_bad_rows_alone_is_an_error_even_when_they_may_be_skipped(tmp_path: Path) -> None:
    root = table(tmp_path, "id,file\na,none.png\n")
    with pytest.raises(BadRowsError, match=r"no row of metadata\.csv can be used \(1 row read\): row 2 \(a\)"):
        load_collection(root, tolerance=SKIP_BAD)
    assert len(inspect_collection(root)) == 0


def test_a_header_without_rows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="no row with a work"):
        load_collection(table(tmp_path, "id,title\n"))


def test_a_folder_of_pictures_alone_is_a_collection(tmp_path: Path) -> None:
    for name in ("blue/starry-night_1889.png", "blue/IMG_1234.png", "green/hill.jpg", ".hidden/x.png", "blue/.x.png"):
        picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "factors.csv").write_text("id,depth\n")
    collection = load_collection(tmp_path)
    assert [(item.id, item.title, item.group, item.text) for item in collection] == [
        ("blue/IMG_1234", "IMG 1234", "blue", ""),
        ("blue/starry-night_1889", "Starry night 1889", "blue", "Starry night 1889"),
        ("green/hill", "Hill", "green", "Hill"),
    ]
    assert report_of(collection).groups == {"blue": 2, "green": 1}


def test_pictures_in_one_folder_have_no_group_and_equal_stems_keep_their_suffix(tmp_path: Path) -> None:
    for name in ("images/a.png", "images/a.jpg", "images/b.png"):
        picture(tmp_path / name)
    collection = load_collection(tmp_path)
    assert collection.ids == ("images/a.jpg", "images/a.png", "images/b")
    assert collection.groups == {}


def test_pictures_beside_sub_folders_have_no_group(tmp_path: Path) -> None:
    for name in ("a.png", "blue/b.png", "blue/deep/c.png"):
        picture(tmp_path / name)
    assert [item.group for item in load_collection(tmp_path)] == ["", "blue", "blue/deep"]


def test_a_damaged_picture_among_loose_ones_is_named_by_its_path(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no picture")
    with pytest.raises(BadRowsError, match=r"has 1 problem: \(b\): the picture b\.png holds text"):
        load_collection(tmp_path, tolerance=Tolerance(strict=True))
    assert load_collection(tmp_path).ids == ("a",)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "holds neither a table named metadata nor pictures"),
        (["export.csv"], r"its tables \(export\.csv\) are not called metadata"),
        (["factors.csv", "readme.txt"], "holds neither"),
        (["metadata.csv", "metadata.xlsx"], r"several tables \(metadata\.csv, metadata\.xlsx\)"),
    ],
)
def test_folders_that_are_no_collection(files: list[str], said: str, tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).write_text("id\na\n")
    with pytest.raises(CollectionError, match=said):
        load_collection(tmp_path)


def test_paths_that_are_no_collection(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="there is no file or folder"):
        load_collection(tmp_path / "none")
    with pytest.raises(CollectionError, match="is one picture"):
        load_collection(picture(tmp_path / "a.png"))
    (tmp_path / "a.txt").touch()
    with pytest.raises(CollectionError, match="is no table that can be read"):
        load_collection(tmp_path / "a.txt")


def test_a_table_beside_pictures_that_is_not_read_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "works"
    folder.mkdir()
    picture(folder / "a.png")
    table(folder, "id\nx\n", "export.csv")
    [warning] = report_of(load_collection(folder)).warnings
    assert warning.startswith("export.csv was not read")
    with pytest.raises(SystemExit, match="0"):
        main(["build", str(folder), "-o", str(tmp_path / "workspace"), "--encoder", "colour-texture"])
    assert "name it metadata.csv, or build from its path" in capsys.readouterr().err.splitlines()[-1]


def test_pictures_that_no_row_names_are_remarked_upon(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    report = report_of(load_collection(table(tmp_path, "id,title\na,A\n")))
    assert any("pictures lie in the folder (1), but no row names one" in each for each in report.warnings)


def test_without_a_column_of_ids_they_come_from_the_pictures_or_the_rows(tmp_path: Path) -> None:
    for name in ("x/a.png", "y/a.png", "b.png"):
        picture(tmp_path / name)
    assert load_collection(table(tmp_path, "file,title\nb.png,B\n,C\n")).ids == ("b", "row-3")
    collection = load_collection(table(tmp_path, "file\nx/a.png\ny/a.png\n"))
    assert collection.ids == ("x/a", "y/a")
    assert any("no column holds ids" in remark for remark in report_of(collection).remarks)


def test_the_report_says_how_the_table_was_understood(tmp_path: Path) -> None:
    root = table(
        tmp_path, "Inv. No.;Künstler;Titel;Ort;leer\n1;Runge;Fête;Köln;\n2;Runge;Été;Ulm;\n", encoding="cp1252"
    )
    report = report_of(load_collection(root))
    assert report.columns == {"Inv. No.": "id", "Künstler": "artist", "Titel": "title"}
    assert (report.attributes, report.separator) == (("Ort",), "semicolon")
    assert report.encoding == "Windows-1252, for it is not UTF-8"
    lines = "\n".join(report.lines())
    for said in ("2 rows, 2 works kept", "Künstler → artist", "Ort", "Windows-1252", "semicolon", "leer"):
        assert said in lines
    assert json.loads(json.dumps(report.to_dict()))["columns"]["Titel"] == "title"


def test_the_report_counts_dates_and_shows_some(tmp_path: Path) -> None:
    dates = ["1885", "c. 1710", "c. 1710", "XVIIe s.", "n.d.", "", "n.d.", "99999"]
    rows = "".join(f"{number},Work,{date}\n" for number, date in enumerate(dates))
    report = report_of(load_collection(table(tmp_path, f"id,title,date\n{rows}")))
    assert (report.dates_read, report.dates_unread) == (4, 3)
    assert report.date_examples == {"c. 1710": "1710", "XVIIe s.": "1601 to 1700", "n.d.": "", "99999": ""}
    assert "4 dates read as years (c. 1710 → 1710; XVIIe s. → 1601 to 1700)" in report.lines()
    assert "3 dates not read (n.d.; 99999)" in report.lines()
    undated = report_of(load_collection(table(tmp_path, "id,title\n1,Work\n")))
    assert not any("dates" in line for line in undated.lines())


def test_an_unknown_header_is_kept_under_its_own_names(tmp_path: Path) -> None:
    root = table(tmp_path, "poem,place\nThe sea rises,Ulm\n")
    item = load_collection(FolderSource(root, options=TableOptions(columns={"title": ""})))["row-2"]
    assert item.attributes == {"poem": "The sea rises", "place": "Ulm"}
    assert item.text == "The sea rises. Ulm"


def test_progress_tells_every_picture_and_verified_ones_are_not_decoded(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        picture(tmp_path / name, "red" if name == "a.png" else "blue")
    told: list[tuple[str, int, int]] = []
    collection = load_collection(tmp_path, progress=lambda *step: told.append(step))
    assert told == [("checking pictures", 1, 2), ("checking pictures", 2, 2)]
    digests = {item.picture_digest for item in collection}
    again = load_collection(tmp_path, verified=digests)
    assert [item.record_digest for item in again] == [item.record_digest for item in collection]


def test_a_collection_reads_the_same_wherever_it_lies(tmp_path: Path) -> None:
    picture(tmp_path / "one" / "images" / "a.png")
    table(tmp_path / "one", "id,file,title\na,images/a.png,A\n")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert load_collection(tmp_path / "one").fingerprint == load_collection(tmp_path / "two").fingerprint


def test_pictures_of_formats_that_are_not_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "PICTURE_SUFFIXES", PICTURE_SUFFIXES - {".heic", ".heif"})  # as without the extra
    picture(tmp_path / "a.png")
    for name in ("b.heic", "c.DNG", "x/d.svg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    remarks = report_of(load_collection(tmp_path)).remarks
    way_out = "save them as JPEG, PNG or TIFF, or `pip install 'vernissage[heic]'` lets HEIC be read"
    assert f"not read: 1 DNG, 1 HEIC, 1 SVG; {way_out}" in remarks


def test_a_raw_picture_that_a_table_names_is_not_taken_by_its_preview(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "b.dng", "TIFF")
    collection = load_collection(table(tmp_path, "id,title,file\n1,A boat,a.png\n2,A tree,b.dng\n"))
    assert [item.picture for item in collection] == ["a.png", ""]
    report = report_of(collection)
    assert "the picture b.dng is a camera's raw picture (DNG), which is not read" in report.problems[0].line()
    assert any(remark.startswith("not read: 1 DNG;") for remark in report.remarks)
