"""Files that strangers wrote: pipes, devices, links that lead out, and damage that libraries would talk about."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.galleries import paint, toy_gallery

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.loading import load_collection
from vernissage.catalog.pictures import UnreadablePictureError, check_picture, decoded_pixels, open_picture
from vernissage.catalog.report import BadRowsError, Tolerance
from vernissage.catalog.sources import tables
from vernissage.catalog.sources.tables import read_table
from vernissage.errors import CollectionError, ProvenanceError
from vernissage.files import open_regular, read_arrays


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe.png")
    return tmp_path / "pipe.png"


def test_a_pipe_is_refused_without_waiting(pipe: Path) -> None:
    with pytest.raises(OSError, match="no regular file"):
        open_regular(pipe)
    with pytest.raises(UnreadablePictureError, match="no regular file"):
        open_picture(pipe)
    assert "no regular file" in check_picture(pipe).fault
    assert decoded_pixels(pipe) == 0
    table = pipe.rename(pipe.with_name("table.csv"))
    with pytest.raises(CollectionError, match="no regular file"):
        read_table(table)
    with pytest.raises(CollectionError, match="no regular file"):
        load_collection(table)


def test_a_file_that_is_too_large_is_refused_by_its_size(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"12345")
    with pytest.raises(OSError, match="5 bytes, more than 4"):
        open_regular(tmp_path / "large", 4)


@pytest.mark.parametrize("way", ["picture", "folder", "device"])
def test_links_out_of_a_collection_are_rows_with_a_problem(tmp_path: Path, way: str) -> None:
    gallery = toy_gallery(tmp_path / "gallery")
    (tmp_path / "private").mkdir()
    paint(tmp_path / "private" / "w005.png", 5)
    picture = gallery / "images" / "w005.png"
    if way == "folder":
        (gallery / "images").rename(tmp_path / "elsewhere")
        (gallery / "images").symlink_to(tmp_path / "elsewhere")
    else:
        picture.unlink()
        picture.symlink_to("/dev/zero" if way == "device" else "../../private/w005.png")
    with pytest.raises(BadRowsError) as error:
        load_collection(gallery, tolerance=Tolerance(strict=True))
    assert "outside" in str(error.value)


def test_a_folder_of_pictures_reads_no_picture_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    paint(tmp_path / "secret.png", 1)
    paint(tmp_path / "photos" / "boat.png", 2)
    (tmp_path / "photos" / "link.png").symlink_to("../secret.png")
    with pytest.raises(BadRowsError, match="outside"):
        load_collection(tmp_path / "photos", tolerance=Tolerance(strict=True))


@pytest.mark.parametrize("name", ["../secret.png", "link.png"])
def test_a_collection_gives_no_picture_outside_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "works").mkdir()
    paint(tmp_path / "secret.png", 1)
    (tmp_path / "works" / "link.png").symlink_to("../secret.png")
    collection = Collection([Item("a", title="A", picture=name, picture_digest="0" * 64)], tmp_path / "works")
    with pytest.raises(CollectionError, match="lies outside the collection's folder"):
        collection.picture_path(collection["a"])


def test_a_damaged_tiff_says_nothing_but_its_fault(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Image.effect_noise((200, 200), 60).save(tmp_path / "a.tif", compression="tiff_lzw")
    raw = bytearray((tmp_path / "a.tif").read_bytes())
    raw[300:20_000:7] = bytes(255 - value for value in raw[300:20_000:7])
    (tmp_path / "a.tif").write_bytes(raw)
    assert check_picture(tmp_path / "a.tif").fault
    assert capfd.readouterr() == ("", "")


def test_packed_tables_are_refused_before_they_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 10_000_000)
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int32()), pa.array(["x" * 10_000]))
    pq.write_table(pa.table({"title": column.cast(pa.string())}), tmp_path / "bomb.parquet", compression="zstd")
    assert (tmp_path / "bomb.parquet").stat().st_size < 100_000
    with pytest.raises(CollectionError, match=r"bomb.parquet.* when unpacked, and at most"):
        read_table(tmp_path / "bomb.parquet")
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<row></row>" * 10_000_000)
    with pytest.raises(CollectionError, match="when unpacked, from a small file, and at most"):
        read_table(tmp_path / "bomb.xlsx")


MANY = ",".join(f"c{number}" for number in range(20_000))
BOMBS = {
    "a long line.csv": ("id,title\n1," + "x" * 17_000_000 + "\n", "a line of the table has 17,000,003 letters"),
    "a long cell.csv": ('id,title\n1,"' + ("x" * 999 + "\n") * 1100 + '"\n', "a cell has 1,099,999 letters"),
    "a long cell.json": ('[{"id": "1", "title": "' + "x" * 1_100_000 + '"}]', "a cell has 1,100,000 letters"),
    "many columns.csv": (f"id,title,{MANY}\n1,t\n", "the table has 20,00. columns"),
    "many columns.json": ("[{" + ",".join(f'"c{n}":1' for n in range(20_000)) + "}]", "the table has 20,000 columns"),
    "columns by rows.jsonl": ("".join(f'{{"c{n}": 1}}\n' for n in range(17_000)), "the table has 50,0.* cells"),
    "many cells.jsonl": ("".join(f'{{"c{n}": 1}}\n' for n in range(9_000)), "the table has .* cells"),
    "many lists.json": ("[" + "[]," * 10_000_001 + "[]]", "the file has 10,000,003 objects and lists"),
    "many lines.csv": ("id\n" + "\n" * 10_000_001, "the table has 10,000,002 lines"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_tables_are_refused_before_they_fill_the_memory(tmp_path: Path, name: str) -> None:
    content, words = BOMBS[name]
    (tmp_path / name).write_text(content)
    with pytest.raises(CollectionError, match=f"{name}: {words}, and at most .* are read; split the table"):
        read_table(tmp_path / name)


def test_packed_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    np.savez_compressed(path, values=np.zeros(10_000_000))
    assert path.stat().st_size < 100_000
    with pytest.raises(ProvenanceError, match="its arrays are packed"):
        read_arrays(path)
    np.savez(path, values=np.zeros(100))
    assert read_arrays(path)["values"].sum() == 0
    raw = bytearray(path.read_bytes())
    place = raw.rindex(b"PK\x01\x02")  # the directory claims more bytes than there are
    raw[place + 24 : place + 28] = (2**31).to_bytes(4, "little")
    path.write_bytes(raw)
    with pytest.raises(ProvenanceError, match="larger than the file"):
        read_arrays(path)
