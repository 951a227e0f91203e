from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import update
from tests.uploads import NOON, SPACE, add_notes, note, vectors_for

from vernissage.errors import StorageError
from vernissage.storage.changes import changes_since
from vernissage.storage.database import Database
from vernissage.storage.schema import VECTORS
from vernissage.storage.uploads import Upload, add_uploads, get_uploads
from vernissage.storage.vectors import (
    UploadVectors,
    VectorSpace,
    drop_vectors,
    missing_vectors,
    put_vectors,
    vectors_of,
)

PICTURES = VectorSpace("aligned", "image", SPACE.fingerprint)
OTHER = VectorSpace("minilm", "text", "fedcba9876543210")


def test_vectors_come_back_bit_by_bit_with_owners(database: Database) -> None:
    odd = np.array([[1e-45, -0.0, 3.4e38], [1 / 3, -1, 0]], dtype=np.float32)
    with database.writing() as connection:
        add_uploads(connection, [note("b", "bob"), note("a")], [UploadVectors(SPACE, ("b", "a"), odd)])
    with database.reading() as connection:
        stored = vectors_of(connection, SPACE)
    assert (stored.ids, stored.owners) == (("a", "b"), ("ann", "bob"))
    assert stored.vectors.dtype == np.float32
    assert stored.vectors.tobytes() == odd[::-1].tobytes()


def test_a_space_without_vectors_is_empty(database: Database) -> None:
    add_notes(database, "a")
    with database.reading() as connection:
        assert vectors_of(connection, OTHER).ids == ()
        assert vectors_of(connection, OTHER, ["a"]).ids == ()
        assert vectors_of(connection, SPACE, []).ids == ()


def test_missing_vectors_are_those_of_the_modality_that_have_none(database: Database) -> None:
    picture = f"{'0' * 32}.png"
    with database.writing() as connection:
        both, image = (
            Upload("both", "ann", "both", NOON, text="t", picture=picture),
            Upload("image", "ann", "image", NOON, picture=picture),
        )
        add_uploads(connection, [both, image, note("text"), note("done")], [vectors_for(["done"])])
    with database.reading() as connection:
        assert missing_vectors(connection, SPACE) == ("both", "text")
        assert missing_vectors(connection, PICTURES) == ("both", "image")
        assert missing_vectors(connection, replace(SPACE, fingerprint="0")) == ("both", "done", "text")


def test_vectors_put_later_are_a_change_and_pass_over_what_is_there_or_gone(database: Database) -> None:
    add_notes(database, "a")
    with database.writing() as connection:
        add_uploads(connection, [note("b")])
        assert put_vectors(connection, vectors_for(["gone", "b", "a"])) == 3
        assert put_vectors(connection, vectors_for(["b"])) is None
    with database.reading() as connection:
        stored = vectors_of(connection, SPACE)
        changes = changes_since(connection, 2)
    np.testing.assert_array_equal(stored.vectors, vectors_for(["a", "b"]).vectors)
    assert changes is not None
    assert (changes.added, changes.encoded) == ((), ("b",))


def test_vectors_of_former_encoders_are_dropped(database: Database) -> None:
    add_notes(database, "a", "b")
    with database.writing() as connection:
        put_vectors(connection, vectors_for(["a", "b"], OTHER, width=3))
        put_vectors(connection, vectors_for(["a"], replace(OTHER, fingerprint="old"), width=2))
        assert drop_vectors(connection, [SPACE, OTHER]) == 1
        assert drop_vectors(connection, [OTHER]) == 2
        assert vectors_of(connection, OTHER).ids == ("a", "b")
        assert drop_vectors(connection, []) == 2
        assert len(get_uploads(connection)) == 2


MISFITS = [
    (np.zeros((2, 4), np.float32), "give a row each"),
    (np.zeros(4, np.float32), "give a row each"),
    (np.zeros((1, 0), np.float32), "give a row each"),
    (np.full((1, 4), np.nan, np.float32), "NaN or infinite"),
    (np.zeros((1, 5), np.float32), "5 numbers, but those stored .* have 4"),
]


def test_vectors_that_do_not_fit_are_refused_with_their_upload(database: Database) -> None:
    add_notes(database, "a")
    for vectors, message in MISFITS:
        with pytest.raises(StorageError, match=message), database.writing() as connection:
            add_uploads(connection, [note("b")], [UploadVectors(SPACE, ("b",), vectors)])
    with database.reading() as connection:
        assert [upload.id for upload in get_uploads(connection)] == ["a"]


def test_damaged_vectors_are_not_taken_for_vectors(database: Database) -> None:
    add_notes(database, "a", "b")
    with database.writing() as connection:
        connection.execute(update(VECTORS).where(VECTORS.c.upload == "a").values(vector=b"1234"))
    with pytest.raises(StorageError, match="differ in length"), database.reading() as connection:
        vectors_of(connection, SPACE)
