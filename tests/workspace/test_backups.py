"""Backups: whole while people upload, refused when changed; a restore deletes again what was deleted since."""

import io
import shutil
import tarfile
import threading
from pathlib import Path

import pytest
from sqlalchemy import insert, select

import vernissage
from vernissage.errors import StorageError, VernissageError, WorkspaceError
from vernissage.storage.database import begin, new_engine, open_database, stored_revision
from vernissage.storage.migrating import migrate
from vernissage.storage.people import people
from vernissage.storage.schema import METADATA, PEOPLE, REVISION, UPLOADS
from vernissage.workspace.backups import back_up, restore
from vernissage.workspace.uploading import Submission


def _give(gallery: vernissage.Gallery, owner: str, name: str, picture: Path) -> None:
    gallery.person(owner).upload([Submission(picture, title="A boat", id=name)])


@pytest.fixture
def picture(gallery: Path) -> Path:
    return next(path for path in sorted(gallery.rglob("*")) if path.suffix in {".png", ".jpg"})


def _rows(place: str) -> dict[str, list[tuple[object, ...]]]:
    database = open_database(place)
    with database.reading() as connection:
        found = {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in METADATA.sorted_tables
        }
    database.close()
    return found


def test_a_restore_brings_all_back_but_what_was_deleted_since(workspace: Path, picture: Path, tmp_path: Path) -> None:
    with vernissage.open(workspace) as gallery:
        for owner, name in (("ann", "a1"), ("bob", "ship-1"), ("bob", "ship-2"), ("Ottilie", "e1")):
            _give(gallery, owner, name, picture)
        gallery.person("ann").rate("w003", 5)
        made = back_up(workspace, tmp_path / "all.tar")
        gallery.person("Ottilie").delete()
        gallery.person("bob").remove("ship-1")
        _give(gallery, "late", "l1", picture)
        fingerprint = gallery.fingerprint
        log = (workspace / "deletions.log").read_text()
        assert not [word for word in ("Ottilie", "bob", "ship-1") if word in log]
        with pytest.raises(WorkspaceError, match="is being read"):
            restore(tmp_path / "all.tar", workspace, replace=True)
    with pytest.raises(WorkspaceError, match="is there already"):
        restore(tmp_path / "all.tar", workspace)
    with pytest.raises(WorkspaceError, match="digest"):
        restore(tmp_path / "all.tar", workspace, digest="0" * 64, replace=True)
    found = restore(tmp_path / "all.tar", workspace, digest=made.digest, replace=True)
    assert (found.people, found.uploads) == (1, 1)
    assert found.former is not None
    with vernissage.open(workspace) as gallery:
        assert gallery.fingerprint == fingerprint
        assert gallery.snapshot.uploaders() == {"ann": 1, "bob": 1}
        assert gallery.person("ann").ratings == {"w003": 5.0}
        assert gallery.person("bob").uploads == ("ship-2",)
        assert len(list((workspace / "uploads").iterdir())) == 2
    assert not [path for path in workspace.rglob("*") if path.is_file() and b"Ottilie" in path.read_bytes()]
    # The log itself survives: a second restore forgets them as well.
    found = restore(tmp_path / "all.tar", workspace, replace=True)
    assert (found.people, found.uploads) == (1, 1)


def test_whoever_comes_back_after_their_deletion_stays(workspace: Path, picture: Path, tmp_path: Path) -> None:
    from vernissage.storage import tombstones

    with vernissage.open(workspace) as gallery:
        _give(gallery, "ann", "a1", picture)
        gallery.person("ann").delete()
        _give(gallery, "ann", "a2", picture)
    lines = (workspace / tombstones.NAME).read_text().splitlines()
    earlier = [lines[0], *("2026-01-01T00:00:00+00:00 " + line.split()[1] for line in lines[1:])]
    (workspace / tombstones.NAME).write_text("\n".join(earlier) + "\n")
    back_up(workspace, tmp_path / "all.tar")
    assert restore(tmp_path / "all.tar", workspace, replace=True).people == 0
    with vernissage.open(workspace) as gallery:
        assert gallery.person("ann").uploads == ("a2",)


def test_a_backup_is_whole_while_people_upload_and_remove(workspace: Path, picture: Path, tmp_path: Path) -> None:
    stop, failed = threading.Event(), list[BaseException]()

    def busy() -> None:
        try:
            with vernissage.open(workspace) as gallery:
                number = 0
                while not stop.is_set():
                    _give(gallery, "ann", f"u{number}", picture)
                    if number % 2:
                        gallery.person("ann").remove(f"u{number}")
                    number += 1
        except VernissageError as error:
            failed.append(error)

    with vernissage.open(workspace) as gallery:
        _give(gallery, "bob", "ship-1", picture)
    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for number in range(3):
            back_up(workspace, tmp_path / f"{number}.tar")
    finally:
        stop.set()
        thread.join()
    assert not failed
    for number in range(3):
        restore(tmp_path / f"{number}.tar", tmp_path / f"back{number}")
        with vernissage.open(tmp_path / f"back{number}") as gallery:
            with gallery.repository.database.reading() as connection:
                named = set(connection.scalars(select(UPLOADS.c.picture)))
            there = {path.name for path in (tmp_path / f"back{number}" / "uploads").iterdir()}
            assert named == there != set()
            assert gallery.repository.database.faults() == ()


def _changed(archive: Path, out: Path, how: str) -> None:
    content = archive.read_bytes()
    if how == "cut":
        out.write_bytes(content[: len(content) // 2])
        return
    if how == "bit":
        place = content.index(b"workspace.json") + 600
        out.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        return
    with tarfile.open(archive) as given, tarfile.open(out, "w") as made:
        for member in given:
            if how == "no index" and member.name == "backup.json":
                continue
            made.addfile(member, given.extractfile(member))
            if member.name == "workspace.json" and how != "no index":
                extra = tarfile.TarInfo(
                    {"outside": "../outside", "absolute": str(out.with_name("outside"))}.get(how, "extra")
                )
                if how in {"link", "hard link"}:
                    extra.type = tarfile.SYMTYPE if how == "link" else tarfile.LNKTYPE
                    extra.linkname = "/etc/passwd"
                made.addfile(extra, io.BytesIO())


@pytest.mark.parametrize(
    "how", ["cut", "bit", "no index", "outside", "absolute", "link", "hard link", "one more", "no archive"]
)
def test_an_archive_that_was_changed_is_refused_and_nothing_is_replaced(built: Path, tmp_path: Path, how: str) -> None:
    back_up(built, tmp_path / "all.tar")
    target, given = tmp_path / "there" / "workspace", tmp_path / "given.tar"
    target.mkdir(parents=True)
    (target / "mine.txt").write_text("mine")
    if how == "no archive":
        given.write_bytes(b"words")
    else:
        _changed(tmp_path / "all.tar", given, how)
    with pytest.raises(VernissageError):
        restore(given, target, replace=True)
    assert [path.name for path in target.parent.iterdir()] == ["workspace"]
    assert (target / "mine.txt").read_text() == "mine"
    assert not (tmp_path / "outside").exists()


def test_a_database_that_brings_statements_of_its_own_is_refused(workspace: Path, tmp_path: Path) -> None:
    engine, _ = new_engine(str(workspace / "vernissage.db"))
    open_database(workspace / "vernissage.db").close()
    with engine.connect() as connection, begin(connection, "writing"):
        connection.exec_driver_sql("CREATE TRIGGER evil AFTER INSERT ON people BEGIN DELETE FROM people; END")
    engine.dispose()
    back_up(workspace, tmp_path / "all.tar")
    with pytest.raises(StorageError, match="evil"):
        restore(tmp_path / "all.tar", tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_rows_go_from_one_kind_of_database_to_the_other_and_back(
    workspace: Path, picture: Path, tmp_path: Path, postgres_url: str
) -> None:
    with vernissage.open(workspace) as gallery:
        _give(gallery, "ann", "a1", picture)
        gallery.person("ann").rate("w003", 5)
    before = _rows(str(workspace / "vernissage.db"))
    back_up(workspace, tmp_path / "1.tar")
    restore(tmp_path / "1.tar", tmp_path / "on-postgresql", postgres_url)
    skipped = {"state", "changes"}  # readers begin anew
    after = _rows(postgres_url)
    assert {name: rows for name, rows in after.items() if name not in skipped} == {
        name: rows for name, rows in before.items() if name not in skipped
    }
    with vernissage.open(tmp_path / "on-postgresql", database=postgres_url) as gallery:
        _give(gallery, "bob", "ship-1", picture)  # numbers are drawn after those that came
    back_up(tmp_path / "on-postgresql", tmp_path / "2.tar", postgres_url)
    restore(tmp_path / "2.tar", tmp_path / "on-sqlite")
    with vernissage.open(tmp_path / "on-sqlite") as gallery:
        assert gallery.snapshot.uploaders() == {"ann": 1, "bob": 1}


def test_a_backup_before_an_upgrade_keeps_the_former_schema(workspace: Path, tmp_path: Path) -> None:
    engine, name = new_engine(str(workspace / "vernissage.db"))
    migrate(engine, name, "0008")
    with engine.connect() as connection, begin(connection, "writing"):
        connection.execute(insert(PEOPLE).values(name="ann"))
    engine.dispose()
    assert back_up(workspace, tmp_path / "before.tar").schema == "0008"
    open_database(workspace / "vernissage.db").close()
    # The way back: unpacked by tar alone, it is what the former version wrote.
    shutil.rmtree(workspace)
    shutil.unpack_archive(tmp_path / "before.tar", workspace)
    engine, _ = new_engine(str(workspace / "vernissage.db"))
    with engine.connect() as connection, begin(connection, "reading"):
        assert stored_revision(connection) == "0008"
    engine.dispose()
    restore(tmp_path / "before.tar", tmp_path / "back")
    database = open_database(tmp_path / "back" / "vernissage.db")
    with database.reading() as connection:
        assert (people(connection), stored_revision(connection)) == (("ann",), REVISION)
    database.close()
