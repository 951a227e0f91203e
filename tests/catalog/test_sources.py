"""Sources of works: folders and tables, and any object that keeps the contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.contracts.sources import SourceContract
from tests.published import published

from vernissage.catalog.item import Item
from vernissage.catalog.loading import load_collection
from vernissage.catalog.report import SKIP_BAD, BadRowsError, Problem, Reading, Tolerance
from vernissage.catalog.sources.contract import Record, Source
from vernissage.catalog.sources.folder import FolderSource
from vernissage.catalog.sources.published import PublishedSource
from vernissage.catalog.sources.vector_files import vector_files
from vernissage.progress import Progress, silent


def painted(path: Path, colour: str = "red") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        Image.new("RGB", (4, 3), colour).save(path)
    return path


class TestTable(SourceContract):
    def source(self, folder: Path) -> Source:
        painted(folder / "works/images/a.png")
        (folder / "works/metadata.csv").write_text("id,file,title\nx,a.png,Sea\ny,,Wood\n")
        return FolderSource(folder / "works")


class TestPicturesAlone(SourceContract):
    def source(self, folder: Path) -> Source:
        painted(folder / "works/sea.png")
        painted(folder / "works/wood.png", "green")
        return FolderSource(folder / "works")


class TestPicturesElsewhere(SourceContract):
    def source(self, folder: Path) -> Source:
        painted(folder / "elsewhere/a.png")
        (folder / "works.csv").write_text("id,file\nx,a.png\ny,\n")
        return FolderSource(folder / "works.csv", pictures=folder / "elsewhere")


class TestPublishedVectors(SourceContract):
    def source(self, folder: Path) -> Source:
        painted(folder / "works/images/a.png")
        (folder / "works/metadata.csv").write_text("id,file,title\nwork/0,a.png,Sea\ny,,Wood\n")
        files = vector_files(published(folder / "vectors.parquet", 4))
        return PublishedSource(folder / "vectors.parquet", files, FolderSource(folder / "works"))


class Drawn:
    """A source without a table, as a feed would be."""

    name = "drawn"

    def __init__(self, folder: Path, *, broken: bool = False) -> None:
        self.location = self.folder = folder
        self.broken = broken
        painted(folder / "a.png")
        if broken:
            (folder / "b.png").write_bytes(b"")

    def fingerprint(self) -> str:
        return "0123456789abcdef"

    def count(self) -> int:
        return 0

    def records(self, progress: Progress = silent) -> Iterator[Record]:
        further = ("b.png",) if self.broken else ()
        yield Record(Item("x", text="Sea", language="en"), ("a.png", *further), file="https://example.org/a")
        yield Record(Item("y", text="Wood", year_from=1850))
        if self.broken:
            yield Record(Item("y"), row=7)
            yield Record(Item("z"), problems=(Problem("damaged row", 8, "z", "", "it is half a record", "ask again"),))

    def reading(self) -> Reading:
        return Reading(remarks=("drawn by hand",))

    def picture_path(self, picture: str) -> Path:
        return self.folder / picture


class TestDrawn(SourceContract):
    def source(self, folder: Path) -> Source:
        return Drawn(folder)


def test_what_is_wrong_with_records_is_told_alike_for_every_source(tmp_path: Path) -> None:
    with pytest.raises(BadRowsError) as error:
        load_collection(Drawn(tmp_path, broken=True), tolerance=Tolerance(strict=True))
    empty, *others = [problem.line() for problem in error.value.report.problems]
    assert empty.startswith("(x): the picture b.png is an empty file (0 bytes); the work is kept without this picture;")
    assert others == [
        "row 7 (y): the id y stands in an earlier record already; give each work its own id, or take one row out",
        "row 8 (z): it is half a record; ask again",
    ]
    collection = load_collection(Drawn(tmp_path, broken=True), tolerance=SKIP_BAD)
    assert collection.ids == ("x", "y")
    assert collection["x"].further_pictures == ()
    assert collection.report is not None
    assert collection.report.remarks == ("drawn by hand",)
    assert collection["x"].language == "en"
    assert collection["y"].year_from == 1850


def test_a_tables_own_languages_years_and_further_pictures_have_their_place(tmp_path: Path) -> None:
    for name in "abc":
        painted(tmp_path / f"{name}.png")
    (tmp_path / "metadata.csv").write_text(
        "id,file,title,date,Language,objectBeginDate,objectEndDate\n"
        "x,a.png; b.png;gone.png;../c.png,Sea,ca. 1850,German,1845,1855\n"
        "y,c.png,Wood,undated,,unknown,\n"
    )
    collection = load_collection(tmp_path)
    x, y = collection
    assert (x.picture, [path for path, _ in x.further_pictures]) == ("a.png", ["b.png"])
    assert x.further_pictures[0][1] == x.picture_digest  # the same red square
    assert (x.language, x.year, x.year_from, x.year_to) == ("German", "ca. 1850", 1845, 1855)
    assert (y.language, y.year_from, y.year_to, y.further_pictures) == ("", None, None, ())
    # They stay attributes, and words among them stay in the text, as in earlier versions.
    assert x.attributes == {"Language": "German", "objectBeginDate": "1845", "objectEndDate": "1855"}
    assert x.text == "Sea. ca. 1850. German"
    assert collection.report is not None
    kept = [(problem.kind, problem.file, problem.kept) for problem in collection.report.problems]
    assert kept == [("missing picture", "gone.png", True), ("picture outside the folder", "../c.png", True)]
    assert (collection.report.pictures, collection.report.all_pictures) == (2, 3)


def test_a_changed_table_or_picture_changes_the_fingerprint(tmp_path: Path) -> None:
    painted(tmp_path / "a.png")
    (tmp_path / "metadata.csv").write_text("id,file\nx,a.png\n")
    found = [FolderSource(tmp_path).fingerprint()]
    (tmp_path / "metadata.csv").write_text("id,file\nz,a.png\n")
    found.append(FolderSource(tmp_path).fingerprint())
    Image.new("RGB", (400, 3)).save(tmp_path / "a.png")
    found.append(FolderSource(tmp_path).fingerprint())
    assert len(set(found)) == 3
