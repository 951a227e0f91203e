from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from tests.uploads import NOON, SPACE, add_notes, note, vectors_for

from vernissage.errors import StorageError, UnknownItemError
from vernissage.files import digest
from vernissage.storage.database import Database
from vernissage.storage.people import people, rate, ratings_of
from vernissage.storage.tags import set_tags, tags_of
from vernissage.storage.uploads import (
    Upload,
    add_uploads,
    get_uploads,
    owners,
    remove_person,
    remove_uploads,
    uploads_of,
)
from vernissage.storage.validation import checked_upload_id
from vernissage.storage.vectors import vectors_of

FULL = Upload(
    "Meer-7 (ä)", "Zoë Ångström", "both", NOON, "Das Meer 🌊", "zwei\nZeilen — «viel» 海", ("Meer", "o'clock"),
    f"{'0f' * 16}.jpeg", "ab" * 32,
)  # fmt: skip


def test_an_upload_comes_back_as_it_was(database: Database) -> None:
    with database.writing() as connection:
        add_uploads(connection, [FULL])
    with database.reading() as connection:
        assert get_uploads(connection, [FULL.id])[0] == FULL
        assert get_uploads(connection) == uploads_of(connection, FULL.owner) == (FULL,)
        assert get_uploads(connection, ["other", FULL.id, FULL.id]) == (FULL,)


def test_times_come_back_as_utc_whatever_zone_they_had(database: Database) -> None:
    tokyo = datetime(2026, 3, 1, 21, 0, 0, 123456, timezone(timedelta(hours=9)))
    with database.writing() as connection:
        add_uploads(connection, [replace(note("a"), time=tokyo)])
    with database.reading() as connection:
        time = get_uploads(connection, ["a"])[0].time
    assert (time, time.tzinfo) == (datetime(2026, 3, 1, 12, 0, 0, 123456, UTC), UTC)


def test_texts_have_the_digest_that_items_have() -> None:
    assert note("a").text_digest == digest(b"words of a")
    assert replace(note("a"), text="").text_digest == ""


def test_uploads_of_a_person_are_theirs_oldest_first(database: Database) -> None:
    with database.writing() as connection:
        add_uploads(connection, [note("late", hours=2), note("early"), note("his", "bob"), note("later", hours=3)])
    with database.reading() as connection:
        assert [upload.id for upload in uploads_of(connection, "ann")] == ["early", "late", "later"]
        assert uploads_of(connection, "nobody") == ()
        assert owners(connection) == {"ann": 3, "bob": 1}


def test_ids_and_names_are_sorted_letter_by_letter_on_every_database(database: Database) -> None:
    names = ["b", "B", "a", "ä", "_", "10", "9"]
    add_notes(database, *names)
    for name in names:
        add_notes(database, f"of {name}", owner=name)
    with database.reading() as connection:
        assert [upload.id for upload in get_uploads(connection, names)] == sorted(names)
        assert list(vectors_of(connection, SPACE, names).ids) == sorted(names)
        assert people(connection) == tuple(sorted([*names, "ann"]))


def test_an_id_that_is_taken_is_refused_and_nothing_of_the_change_is_kept(database: Database) -> None:
    add_notes(database, "a")
    with pytest.raises(StorageError, match="'a' is there already"):
        add_notes(database, "b", "a", owner="bob")
    with pytest.raises(StorageError, match="'c' is there already"):
        add_notes(database, "c", "c")
    with database.reading() as connection:
        assert owners(connection) == {"ann": 1}
        assert people(connection) == ("ann",)
    assert database.version() == 1


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "a\nb", "a\0", "a/b", "..", ".", "a\\b", "x" * 201, "\ud800", "a\u0308", "\u202eab"]
)
def test_ids_that_could_mislead_are_refused(name: str) -> None:
    with pytest.raises(StorageError, match="cannot be the id of an upload"):
        checked_upload_id(name)


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"id": "a/b"}, "id of an upload"),
    ({"owner": ""}, "name of a person"),
    ({"owner": "a\nb"}, "name of a person"),
    ({"text": "a\0b"}, "holds a character that is none"),
    ({"title": "\udfff"}, "holds a character that is none"),
    ({"keywords": ("a", "\0")}, "holds a character that is none"),
    ({"text": "  "}, "its text is empty"),
    ({"modality": "image"}, "needs a picture"),
    ({"modality": "both"}, "needs a picture"),
    ({"picture": "x.png"}, "has a picture"),
    ({"time": datetime(2026, 3, 1)}, "lacks its zone"),
]


def test_uploads_that_do_not_hold_together_are_refused(database: Database) -> None:
    for change, message in REFUSED:
        with pytest.raises(StorageError, match=message), database.writing() as connection:
            add_uploads(connection, [note("fits"), replace(note("a"), **change)])
    with database.reading() as connection:
        assert get_uploads(connection) == ()
    assert database.version() == 0


def test_a_removed_upload_takes_vectors_tags_and_ratings_along(database: Database) -> None:
    add_notes(database, "a", "b")
    with database.writing() as connection:
        set_tags(connection, "nouns", {"a": ["sea"], "b": ["sky"]})
        rate(connection, "bob", "a", 5, NOON)
        rate(connection, "bob", "b", 2, NOON)
    with database.writing() as connection:
        removal = remove_uploads(connection, ["a", "a"])
    assert (removal.version, removal.ids, removal.pictures) == (4, ("a",), ())
    with database.reading() as connection:
        assert vectors_of(connection, SPACE).ids == ("b",)
        assert tags_of(connection, "nouns") == {"b": ("sky",)}
        assert ratings_of(connection, "bob") == {"b": 2.0}
        assert get_uploads(connection, ["a"]) == ()


def test_removing_names_the_pictures_to_delete(database: Database) -> None:
    with database.writing() as connection:
        add_uploads(connection, [FULL, note("a", FULL.owner)])
        assert remove_uploads(connection, [FULL.id, "a"]).pictures == (FULL.picture,)


def test_removing_what_is_not_there_or_anothers_removes_nothing(database: Database) -> None:
    add_notes(database, "a")
    add_notes(database, "b", owner="bob")
    with pytest.raises(UnknownItemError, match="no upload 'c'"), database.writing() as connection:
        remove_uploads(connection, ["a", "c"])
    with pytest.raises(UnknownItemError, match="ann has no upload 'b'"), database.writing() as connection:
        remove_uploads(connection, ["a", "b"], owner="ann")
    with database.writing() as connection:
        assert remove_uploads(connection, []).version == 2
    with database.reading() as connection:
        assert owners(connection) == {"ann": 1, "bob": 1}


def test_many_are_added_and_removed_at_once(database: Database) -> None:
    names = [f"n{number:04d}" for number in range(2500)]
    add_notes(database, *names)
    with database.reading() as connection:
        stored = vectors_of(connection, SPACE)
        some = vectors_of(connection, SPACE, names[::2])
    np.testing.assert_array_equal(stored.vectors, vectors_for(names).vectors)
    np.testing.assert_array_equal(some.vectors, vectors_for(names[::2]).vectors)
    assert (list(stored.ids), set(stored.owners)) == (names, {"ann"})
    with database.writing() as connection:
        remove_uploads(connection, names[1:])
    with database.reading() as connection:
        assert vectors_of(connection, SPACE).ids == (names[0],)


def test_a_person_who_is_not_there_cannot_be_removed(database: Database) -> None:
    with pytest.raises(StorageError, match="named 'Ann'"), database.writing() as connection:
        remove_person(connection, "Ann")
