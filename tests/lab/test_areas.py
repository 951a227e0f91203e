"""Areas against no clustering, on classes that lie on axes of their own."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.lab.separable import QUERY, separable

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.profiles.area_rules import Ward
from vernissage.profiles.areas import areas_of_interest
from vernissage.recommenders.upload_rules import Candidates, round_robin, weighted_uploads
from vernissage.values import EVERYTHING
from vernissage_lab.cells import Cells
from vernissage_lab.lists import IN_TURN, SHOWN, Seeker
from vernissage_lab.material import material_of
from vernissage_lab.recipe import Outcome
from vernissage_lab.recipes.areas import AREAS, RECIPE, TRUE, WITHOUT, AreasOptions, run_areas
from vernissage_lab.tables import where
from vernissage_lab.users import protocol_of, simulated_users

OPTIONS: dict[str, Any] = {
    "classes": "1,3",
    "points": 5,
    "cut": ["coherence", "ward:5", "ward:0.001"],
    "task": ["text-to-image"],
    "users": 6,
    "query_classes": QUERY,
    "pool": 40,
}


def run(**changes: Any) -> Outcome:
    return run_areas([separable()], AreasOptions(Path(), **OPTIONS | changes), Cells())


@cache
def outcome() -> Outcome:
    return run()


def mean(table: str, measure: str, **wanted: str | int) -> float:
    (row,) = where(outcome().tables[table], measure=measure, **wanted)
    return float(row["mean"])


def test_areas_find_all_classes_that_lie_apart_as_knowing_the_classes_does() -> None:
    for name in (AREAS, TRUE, "knn3z"):
        assert mean("list_means", "recall", list=name, classes=3) == 1


def test_coherence_finds_the_true_interests_and_fixed_cuts_too_few_or_too_many() -> None:
    assert mean("cut_means", "rand", cut="coherence", classes=3) == 1
    assert mean("cut_means", "areas", cut="coherence", classes=3) == 3
    assert mean("cut_means", "areas", cut="ward:5", classes=3) == 1
    assert mean("cut_means", "rand", cut="ward:5", classes=3) == 0
    assert mean("cut_means", "areas", cut="ward:0.001", classes=3) == 15
    assert mean("cut_means", "rand", cut="ward:0.001", classes=3) == 0
    assert mean("cut_means", "rand", cut="ward:5", classes=1) == 1  # one interest, one area


def test_a_rule_of_one_area_is_the_mean_vector() -> None:
    tables = outcome().tables
    for classes in (1, 3):
        one = where(tables["cuts"], cut="ward:5", classes=classes)
        mean_vector = where(tables["lists"], list="mean-vector", classes=classes)
        assert [row["recall"] for row in one] == [row["recall"] for row in mean_vector]


def test_users_are_paired_and_differences_are_from_areas_and_from_the_first_cut() -> None:
    tables = outcome().tables
    assert {row["reference"] for row in tables["list_differences"]} == {AREAS}
    assert {row["reference"] for row in tables["cut_differences"]} == {"coherence"}
    worse = where(tables["cut_differences"], cut="ward:5", classes=3, measure="rand")
    assert [(row["difference"], row["n"]) for row in worse] == [(-1, 6)]
    assert all(0 < float(row["p"]) <= 1 for row in tables["list_differences"])


@pytest.mark.parametrize("cut", [0.01, 0.8, 1.2, 5])
def test_lists_by_turns_need_no_more_works_of_an_area_than_they_show(cut: float) -> None:
    rows = unit_rows(np.random.default_rng(3).integers(-1, 2, (120, 4)).astype(np.float64))  # many ties
    works = material_of({"text": rows}, ["abcdef"[number % 6] for number in range(120)])
    protocol = protocol_of(works.classes, query_classes=3)
    for user in simulated_users(protocol, interests=3, points=6, users=8, seed=1):
        seeker = Seeker(works, user)
        areas = areas_of_interest(seeker.vectors("text"), background=np.zeros(4), rule=Ward(cut))
        uploads = weighted_uploads(seeker.profile("text", areas))
        pool = Candidates(seeker.index("text"), EVERYTHING)
        short, long = (rule(uploads, pool, SHOWN).ranking.item_ids for rule in (IN_TURN, round_robin))
        assert short == long


def test_equal_seeds_give_equal_tables() -> None:
    assert run().tables == outcome().tables


def test_what_differs_from_the_protocol_is_told_and_what_cannot_be_measured() -> None:
    assert any("6 users" in note for note in outcome().notes)
    with pytest.raises(RequestError, match="left out"):
        run(points=20)
    with pytest.raises(RequestError, match="no task 'text-to-sound'"):
        run(task=["text-to-sound"])


def test_views_and_figures_tell_every_mean() -> None:
    tables = outcome().tables
    assert set(RECIPE.pictures(tables)) == {"lists-axes-text-to-image", "cuts-axes-text-to-image"}
    lists, apart, cuts = RECIPE.views(tables)
    assert lists.heads == ("list", "1 interest", "3 interests")
    assert [row[0] for row in lists.rows] == [AREAS, TRUE, *WITHOUT]
    assert [row[0] for row in apart.rows] == [TRUE, *WITHOUT]
    assert cuts.rows[0] == ("coherence", "1.000 ±.000 | 1.0 | 1.000", "1.000 ±.000 | 3.0 | 1.000")
