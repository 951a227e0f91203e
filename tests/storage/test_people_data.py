"""Ratings, edits of areas and tags; and that nothing of a removed person stays."""

import random
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.uploads import NOON, SPACE

from vernissage.errors import RatingsError, StorageError
from vernissage.storage.database import Database, open_database
from vernissage.storage.people import (
    StoredEdit,
    add_edit,
    edits_of,
    people,
    rate,
    ratings_of,
    undo_edit,
    unrate,
)
from vernissage.storage.schema import METADATA
from vernissage.storage.tags import set_tags, tags_of
from vernissage.storage.uploads import Upload, add_uploads, owners, remove_person, remove_uploads, uploads_of
from vernissage.storage.vectors import UploadVectors


def test_a_later_rating_takes_the_place_of_the_former(database: Database) -> None:
    with database.writing() as connection:
        rate(connection, "ann", "sunflowers", 3, NOON)
        rate(connection, "ann", "irises", 1, NOON + timedelta(hours=1))
        rate(connection, "bob", "sunflowers", 2.5, NOON)
        rate(connection, "ann", "sunflowers", 5, NOON + timedelta(hours=2))
    with database.reading() as connection:
        assert list(ratings_of(connection, "ann").items()) == [("irises", 1.0), ("sunflowers", 5.0)]
        assert ratings_of(connection, "bob") == {"sunflowers": 2.5}
        assert ratings_of(connection, "nobody") == {}


def test_ratings_can_be_taken_back(database: Database) -> None:
    with database.writing() as connection:
        rate(connection, "ann", "irises", 4, NOON)
        assert not unrate(connection, "ann", "sunflowers")
        assert not unrate(connection, "bob", "irises")
        assert unrate(connection, "ann", "irises")
        assert ratings_of(connection, "ann") == {}


def test_ratings_outside_the_scale_are_refused(database: Database) -> None:
    for rating in (0, 5.5, float("nan"), float("inf")):
        with pytest.raises(RatingsError, match="ratings go from 1 to 5"), database.writing() as connection:
            rate(connection, "ann", "irises", rating, NOON)


def test_edits_are_kept_in_order_and_undone_from_the_last(database: Database) -> None:
    weight = {"anchors": ["a", "b"], "weight": 0.5}
    with database.writing() as connection:
        first = add_edit(connection, "ann", "mute", {"anchors": ["a"]}, NOON)
        add_edit(connection, "bob", "rename", {"anchors": ["c"], "name": "Meer 🌊"}, NOON)
        second = add_edit(connection, "ann", "weight", weight, NOON)
    with database.writing() as connection:
        assert [edit.number for edit in edits_of(connection, "ann")] == [first, second]
        assert undo_edit(connection, "ann") == StoredEdit(second, "weight", weight, NOON)
        assert [edit.kind for edit in edits_of(connection, "ann")] == ["mute"]
        assert add_edit(connection, "ann", "split", {"anchors": ["a"]}, NOON) > second
        assert len(edits_of(connection, "ann")) == 2
        assert undo_edit(connection, "ann").kind == "split"
        assert undo_edit(connection, "ann").kind == "mute"
        assert undo_edit(connection, "ann") is None
        assert [edit.payload["name"] for edit in edits_of(connection, "bob")] == ["Meer 🌊"]


def test_an_edit_must_say_by_which_uploads_its_areas_are_found(database: Database) -> None:
    for payload in ({}, {"anchors": []}, {"anchors": "a"}, {"anchors": [1]}):
        with pytest.raises(StorageError, match="needs anchors"), database.writing() as connection:
            add_edit(connection, "ann", "mute", payload, NOON)


def test_an_unknown_kind_of_edit_is_refused(database: Database) -> None:
    with pytest.raises(StorageError, match="choose one of mute, weight"), database.writing() as connection:
        add_edit(connection, "ann", "paint", {"anchors": ["a"]}, NOON)


def test_tags_replace_what_the_same_tagger_found_before(database: Database) -> None:
    with database.writing() as connection:
        set_tags(connection, "nouns", {"a": ["sea", "ship"], "b": []})
        set_tags(connection, "verbs", {"a": ["sail"]})
        set_tags(connection, "nouns", {"a": ["Boot", "Straße"]})
        assert tags_of(connection, "nouns") == {"a": ("Boot", "Straße"), "b": ()}
        assert (tags_of(connection, "verbs"), tags_of(connection, "other")) == ({"a": ("sail",)}, {})


MARKS = ("Ottilie Verräter", "a secret text", "secretword", "secret-asset", "secretarea", "secrettag", "5ec4e7d16e57")


LEFT_BEHIND = 13
"""A seed with which bytes of deleted rows stay in unused parts of pages, unless the file is written anew."""


def fill(database: Database, rounds: int, seed: int = 0) -> None:
    """One person's things among others', short and long, added and removed, so that pages fill, split and empty."""
    chance = random.Random(seed)
    for number in range(rounds):
        owner, word = chance.choice([("Ottilie Verräter", "secret"), (f"other {number % 5}", "plain")])
        # Random letters first, so that rows come to lie between others and not at the end.
        ids = tuple(f"{chance.randrange(10**6)}-{word}-asset" for _ in range(chance.randrange(1, 6)))
        vectors = np.full((len(ids), 512), 7.25 if word == "secret" else 1.5, np.float32)
        uploads = [
            Upload(name, owner, "both", NOON, word, f"a {word} text " * chance.randrange(1, 60), (f"{word}word",),
                   f"{number:032x}.png", "5ec4e7d16e57" if word == "secret" else "0") for name in ids
        ]  # fmt: skip
        with database.writing() as connection:
            add_uploads(connection, uploads, [UploadVectors(SPACE, ids, vectors)])
            add_edit(connection, owner, "rename", {"anchors": list(ids), "name": f"{word}area"}, NOON)
            rate(connection, owner, f"work {number}", 4, NOON)
            rate(connection, "other 0", ids[0], 4, NOON)
            set_tags(connection, "nouns", {ids[-1]: [f"{word}tag"]})
            if number % 3 == 2:
                remove_uploads(connection, [upload.id for upload in uploads_of(connection, owner)][::3])


def test_nothing_of_a_removed_person_is_left_in_any_table(database: Database) -> None:
    fill(database, 12)
    with database.writing() as connection:
        counts = owners(connection)
        before = str([connection.execute(table.select()).all() for table in METADATA.sorted_tables])
        removal = remove_person(connection, "Ottilie Verräter")
    database.purge()
    with database.reading() as connection:
        after = str([connection.execute(table.select()).all() for table in METADATA.sorted_tables])
        assert list(owners(connection).items()) == [entry for entry in counts.items() if entry[0].startswith("other")]
        assert all(name.startswith("other") for name in people(connection))
    assert len(removal.pictures) == len(removal.ids) == counts["Ottilie Verräter"] > 0
    assert [mark for mark in MARKS if mark not in before] == []
    assert [mark for mark in MARKS if mark in after] == []


@pytest.mark.parametrize("reader", ["alone", "open elsewhere"])
def test_no_byte_of_a_removed_person_is_left_in_the_files_of_sqlite(tmp_path: Path, reader: str) -> None:
    path = tmp_path / "vernissage.db"
    database = open_database(path)
    other = open_database(path) if reader == "open elsewhere" else None
    fill(database, 60, seed=LEFT_BEHIND)
    marks = [*map(str.encode, (*MARKS[1:], "Ottilie")), np.full(3, 7.25, np.float32).tobytes()]

    def found() -> list[bytes]:
        held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        return [mark for mark in marks if mark in held]

    assert found() == marks
    if other is not None:
        assert other.version() > 0
    with database.writing() as connection:
        remove_person(connection, "Ottilie Verräter")
    database.purge()
    assert found() == []
    database.close()
    assert found() == []
