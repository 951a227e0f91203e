"""The first paper's engines answer what they answered before the other engines weighed ratings by `signed`."""

import json

import pytest
from tests.reference.papers_engines import ENGINES, PLACE, RATINGS, answers

from vernissage.profiles.ratings import default_rule

STORED = json.loads(PLACE.read_text("utf-8"))


def test_ids_scores_and_weights_are_the_stored_ones() -> None:
    found = answers()
    assert len(found) == len(STORED) == 2 * len(ENGINES) * len(RATINGS)
    for new, old in zip(found, STORED, strict=True):
        assert {**new, "scores": None} == {**old, "scores": None}
        assert new["scores"] == pytest.approx(old["scores"], rel=1e-12, abs=1e-12)


def test_their_ratings_weigh_linearly_and_ranks_fuse_with_k_0() -> None:
    assert {default_rule(name) for name in ENGINES[:2]} == {"linear"}
    [nine] = [each for each in STORED if (each["ratings"], each["engine"], each["n"]) == ("nine", "late-total", 5)]
    assert nine["weights"] == [(star - 1) / 4 for star in RATINGS["nine"]]
    [first] = [each["ids"][0] for each in STORED if (each["ratings"], each["engine"], each["n"]) == ("nine", "lda", 5)]
    assert nine["scores"][nine["ids"].index(first)] >= 1 / 1  # of lda alone; with k = 60 both add 1/61 at most
