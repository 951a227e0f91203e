from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from vernissage.errors import RequestError
from vernissage.profiles.area_rules import Ward
from vernissage.profiles.edits import AreaEdit, merge, mute, weigh
from vernissage.profiles.interests import Vocabulary, interests
from vernissage.profiles.naming import WordCounts
from vernissage.profiles.uploads import UploadProfile
from vernissage.values import Vectors

NOW = datetime(2026, 3, 1, tzinfo=UTC)
IDS = ("c1", "c2", "c3", "s1", "s2", "x1")
VECTORS: Vectors = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 1, 2]]
BACKGROUND = np.zeros(3)
COLLECTION = WordCounts(100, {"cat": 5, "ship": 5, "drum": 5})
WORDS = (("cat",), ("cat",), ("cat",), ("ship",), ("ship",), ())
RULE = Ward(1.0)


def test_uploads_become_areas_with_shares_and_names() -> None:
    found = interests(IDS, VECTORS, background=None, rule=RULE, vocabulary=Vocabulary(WORDS, COLLECTION))
    assert [area.members for area in found.uploads.areas] == [(0, 1, 2), (3, 4), (5,)]
    assert found.uploads.weights == pytest.approx([3 / 6, 2 / 6, 1 / 6])
    assert found.uploads.emphasis == pytest.approx([1, 1, 1])
    assert found.uploads.names == ("cat", "ship", "Area 3")
    assert [name.by for name in found.naming] == ["words", "words", "number"]
    assert found.lapsed == ()


def test_lengths_decide_over_areas_and_centroids_and_leave_vectors_as_they_are() -> None:
    lengths = np.array([1, 1, 9, 2, 2, 1])
    found = interests(IDS, VECTORS, background=None, rule=Ward(3.0), lengths=lengths)
    assert [area.members for area in found.uploads.areas] == [(0, 1, 5), (3, 4), (2,)]
    assert found.uploads.areas[2].centroid.tolist() == [9, 0, 0]
    assert (found.uploads.vectors == VECTORS).all()
    assert len(interests(IDS, VECTORS, background=None, rule=Ward(3.0)).uploads.areas) == 1
    # An edit joins areas of the vectors that rules saw.
    profile = UploadProfile("ana", {"text": found.uploads})
    edited = interests(
        IDS, VECTORS, background=None, rule=Ward(3.0), lengths=lengths, edits=[merge(profile, "text", [1, 2])]
    )
    assert edited.uploads.areas[0].members == (2, 3, 4) or edited.uploads.areas[1].members == (2, 3, 4)
    joined = next(area for area in edited.uploads.areas if area.members == (2, 3, 4))
    assert joined.centroid == pytest.approx([3, 4 / 3, 0])


def test_only_areas_without_words_ask_for_their_neighbours() -> None:
    asked = []

    def near(centroid: Vectors) -> list[list[str]]:
        asked.append(centroid.tolist())
        return [["drum"], ["drum"]]

    found = interests(IDS, VECTORS, background=None, rule=RULE, vocabulary=Vocabulary(WORDS, COLLECTION, near))
    assert found.uploads.names == ("cat", "ship", "drum")
    assert asked == [[0, 0, 1]]


def test_an_edit_multiplies_importance_and_takes_nothing_from_the_others() -> None:
    plain = interests(IDS, VECTORS, background=None, rule=RULE)
    profile = UploadProfile("ana", {"text": plain.uploads})
    edits: list[AreaEdit] = [weigh(profile, "text", 0, 2), mute(profile, "text", 1)]
    times = [NOW - timedelta(days=days) for days in (30, 30, 30, 0, 0, 0)]
    found = interests(IDS, VECTORS, background=None, rule=RULE, edits=edits, times=times, now=NOW, half_life_days=30)
    total = 3 / 2 + 2 + 1
    assert found.uploads.weights == pytest.approx([2 * (3 / 2) / total, 0, 1 / total])
    assert found.uploads.unmuted == (0, 2)
    assert plain.uploads.names == ("Area 1", "Area 2", "Area 3")


def test_liked_works_join_the_areas_and_count_by_their_weight() -> None:
    found = interests(IDS, VECTORS, background=None, rule=RULE, counts=[1, 1, 1, 1, 0.5, 0.5])
    assert [area.members for area in found.uploads.areas] == [(0, 1, 2), (3, 4), (5,)]
    assert found.uploads.weights == pytest.approx([3 / 5, 1.5 / 5, 0.5 / 5])
    assert found.uploads.emphasis == pytest.approx([1, 1, 1])


def test_the_usual_rule_is_coherence_and_lapsed_edits_are_told() -> None:
    before = interests(("gone",), VECTORS[:1], background=BACKGROUND)
    edit = mute(UploadProfile("ana", {"text": before.uploads}), "text", 0)
    found = interests(IDS, VECTORS, background=BACKGROUND, edits=[edit])
    assert [lapsed.edit for lapsed in found.lapsed] == [edit]
    assert found.uploads.weights.min() > 0
    with pytest.raises(RequestError, match="coherence needs"):
        interests(IDS, VECTORS, background=None)


def test_words_and_uploads_must_be_as_many() -> None:
    with pytest.raises(RequestError, match="2 lists of words were given for 6 uploads"):
        interests(IDS, VECTORS, background=None, rule=RULE, vocabulary=Vocabulary(WORDS[:2], COLLECTION))
    with pytest.raises(RequestError, match="at least one upload"):
        interests((), np.zeros((0, 3), dtype=np.float32), background=BACKGROUND)
