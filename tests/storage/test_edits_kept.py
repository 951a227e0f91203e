from datetime import UTC, datetime
from typing import get_args

import numpy as np

from vernissage.profiles.areas import area_of
from vernissage.profiles.edits import edit_from_payload, merge, mute, rename, split, weigh
from vernissage.profiles.uploads import UploadProfile, uploads_of_modality
from vernissage.storage.database import Database
from vernissage.storage.people import EditKind, add_edit, edits_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_edits_of_every_kind_come_back_as_they_were(database: Database) -> None:
    vectors = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]
    areas = [area_of(vectors, rows) for rows in ([0, 1], [2], [3])]
    profile = UploadProfile("ann", {"text": uploads_of_modality(("ä1", "a2", "b", "c"), vectors, areas)})
    made = (
        mute(profile, "text", 0, muted=False),
        weigh(profile, "text", 1, 1 / 3),
        merge(profile, "text", [2, 1]),
        split(profile, "text", 0, [["ä1"]]),
        rename(profile, "text", 0, "Meer 🌊"),
    )
    assert {edit.kind for edit in made} == set(get_args(EditKind))
    with database.writing() as connection:
        for edit in made:
            add_edit(connection, "ann", edit.kind, edit.payload, NOON)
    with database.reading() as connection:
        kept = edits_of(connection, "ann")
    assert tuple(edit_from_payload(stored.kind, stored.payload) for stored in kept) == made
