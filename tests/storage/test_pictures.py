from pathlib import Path

import pytest
from tests.uploads import NOON

from vernissage.errors import StorageError, WorkspaceError
from vernissage.storage.database import Database
from vernissage.storage.pictures import delete_pictures, new_pictures, picture_path, sweep_pictures
from vernissage.storage.uploads import Upload, add_uploads, get_uploads, remove_uploads


def upload_picture(database: Database, folder: Path, name: str, content: bytes = b"picture") -> str:
    with database.writing() as connection, new_pictures(connection, folder) as write:
        file = write(content, ".PNG")
        add_uploads(connection, [Upload(name, "ann", "image", NOON, picture=file)])
    return file


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_picture_lies_where_its_row_says(database: Database, tmp_path: Path) -> None:
    upload_picture(database, tmp_path / "uploads", "a", b"\x89PNG")
    with database.reading() as connection:
        path = picture_path(tmp_path / "uploads", get_uploads(connection, ["a"])[0].picture)
    assert (path.parent, path.suffix, path.read_bytes()) == (tmp_path / "uploads", ".png", b"\x89PNG")


def test_ids_that_differ_in_case_alone_have_files_that_differ_in_more(database: Database, tmp_path: Path) -> None:
    names = {upload_picture(database, tmp_path, name).lower() for name in ("CON", "con", "Con")}
    assert len(names) == 3


def test_a_failed_change_leaves_no_file(database: Database, tmp_path: Path) -> None:
    upload_picture(database, tmp_path / "uploads", "a")
    before = files(tmp_path / "uploads")
    with pytest.raises(StorageError, match="'a' is there already"):
        upload_picture(database, tmp_path / "uploads", "a")
    assert files(tmp_path / "uploads") == before


def test_a_new_upload_of_a_removed_id_keeps_its_file(database: Database, tmp_path: Path) -> None:
    upload_picture(database, tmp_path / "uploads", "a")
    with database.writing() as connection:
        removal = remove_uploads(connection, ["a"])
    again = upload_picture(database, tmp_path / "uploads", "a")
    delete_pictures(tmp_path / "uploads", removal.pictures)
    delete_pictures(tmp_path / "uploads", removal.pictures)
    assert files(tmp_path / "uploads") == {again}


def test_a_sweep_takes_what_no_upload_names_and_nothing_else(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    kept = upload_picture(database, folder, "a")
    orphan = f"{'0' * 32}.png"
    cut_short = f".{'1' * 32}.png.abc_123.tmp"
    for name in (orphan, cut_short, "notes.txt"):
        (folder / name).write_bytes(b"")
    with database.writing() as connection:
        assert sweep_pictures(connection, folder) == (cut_short, orphan)
        assert sweep_pictures(connection, folder) == ()
        assert sweep_pictures(connection, tmp_path / "nowhere") == ()
    assert files(folder) == {kept, "notes.txt"}


def test_files_are_written_and_swept_under_the_writers_lock_only(database: Database, tmp_path: Path) -> None:
    with database.reading() as connection:
        with pytest.raises(StorageError, match=r"within Database.writing\(\)"):
            sweep_pictures(connection, tmp_path)
        with pytest.raises(StorageError, match=r"within Database.writing\(\)"), new_pictures(connection, tmp_path):
            pass


@pytest.mark.parametrize("name", ["../a.png", "a.png", "/etc/passwd", "", f"{'0' * 32}.png/x", f"{'0' * 32}.png\n"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="no name of a picture"):
        picture_path(tmp_path, name)


def test_suffixes_are_those_of_pictures(database: Database, tmp_path: Path) -> None:
    for suffix in ("", ".svg", ".exe", "png", "/../x.png"):
        with (
            database.writing() as connection,
            pytest.raises(StorageError, match="no suffix of a picture"),
            new_pictures(connection, tmp_path / "uploads") as write,
        ):
            write(b"", suffix)
    assert not (tmp_path / "uploads").exists()


def test_a_folder_that_cannot_be_made_is_told(database: Database, tmp_path: Path) -> None:
    (tmp_path / "uploads").write_bytes(b"a file")
    with pytest.raises(WorkspaceError, match="cannot write"):
        upload_picture(database, tmp_path / "uploads", "a")
    assert database.version() == 0
