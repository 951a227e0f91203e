import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.uploads import NOON, add_notes, note, vectors_for

from vernissage.storage import changes as log
from vernissage.storage.changes import Changes, changes_since
from vernissage.storage.database import Database, open_database
from vernissage.storage.people import rate, unrate
from vernissage.storage.uploads import add_uploads, get_uploads, remove_person, remove_uploads
from vernissage.storage.vectors import put_vectors


def since(database: Database, version: int) -> Changes | None:
    with database.reading() as connection:
        return changes_since(connection, version)


def remove(database: Database, *names: str) -> None:
    with database.writing() as connection:
        remove_uploads(connection, names)


def test_what_cancels_out_is_left_out(database: Database) -> None:
    add_notes(database, "stays", "goes", "again")
    add_notes(database, "new", "brief")
    remove(database, "brief", "goes", "again")
    add_notes(database, "again")
    assert since(database, 0) == Changes(4, ("again", "new", "stays"), (), ())
    assert since(database, 1) == Changes(4, ("again", "new"), ("again", "goes"), ())
    assert since(database, 2) == Changes(4, ("again",), ("again", "brief", "goes"), ())
    assert since(database, 4) == Changes(4, (), (), ())


def test_ratings_are_changes_too(database: Database) -> None:
    add_notes(database, "seen")
    with database.writing() as connection:
        rate(connection, "bob", "seen", 5, NOON)
        rate(connection, "bob", "irises", 2, NOON)
    assert since(database, 1) == Changes(3, (), (), (), ("irises", "seen"))
    add_notes(database, "new")
    with database.writing() as connection:
        assert unrate(connection, "bob", "irises")
        assert not unrate(connection, "bob", "irises")
    assert since(database, 3) == Changes(5, ("new",), (), (), ("irises",))
    assert since(database, 0) == Changes(5, ("new", "seen"), (), (), ("irises", "seen"))


def test_a_version_from_the_future_asks_for_a_fresh_start(database: Database) -> None:
    add_notes(database, "a")
    assert since(database, 2) is None


def test_the_log_forgets_what_is_long_ago(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "KEPT_CHANGES", 3)
    for number in range(6):
        add_notes(database, f"n{number}")
    assert since(database, 2) is None
    assert since(database, 3) == Changes(6, ("n3", "n4", "n5"), (), ())


def test_removing_a_person_empties_the_log(database: Database) -> None:
    add_notes(database, "a")
    add_notes(database, "b", owner="bob")
    with database.writing() as connection:
        assert remove_person(connection, "ann").version == 3
    assert since(database, 2) is None
    assert since(database, 3) == Changes(3, (), (), ())


STEPS = st.lists(st.tuples(st.sampled_from(["toggle", "encode", "look"]), st.sampled_from("abcd")), max_size=25)


@pytest.mark.long
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_a_reader_that_looks_now_and_then_keeps_up(
    steps: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    database = open_database(tmp_path_factory.mktemp("log") / "vernissage.db")
    held: dict[str, int] = {}
    version, births = 0, 0
    birth: dict[str, int] = {}
    for step, name in [*steps, ("look", "")]:
        with database.writing() as connection:
            if step == "toggle" and name in birth:
                remove_uploads(connection, [name])
                del birth[name]
            elif step == "toggle":
                births += 1
                add_uploads(connection, [note(name)])
                birth[name] = births
            elif step == "encode" and name:
                put_vectors(connection, vectors_for([name]))
            else:
                changes = changes_since(connection, version)
                assert changes is not None
                assert set(changes.removed) <= held.keys()
                held = {key: held[key] for key in held.keys() - set(changes.removed)}
                assert held.keys().isdisjoint(changes.added)
                assert held.keys() >= set(changes.encoded)
                held |= {key: birth[key] for key in changes.added}
                version = changes.version
                assert held == birth
                assert {upload.id for upload in get_uploads(connection)} == held.keys()
    database.close()
