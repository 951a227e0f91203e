"""One index of both modalities against two, where pictures and texts of a class share an axis."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.lab.separable import QUERY, separable

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage_lab.cells import Cells
from vernissage_lab.material import Material
from vernissage_lab.recipe import Outcome
from vernissage_lab.recipes.mixed import ONE, RECIPE, TWO, MixedOptions, run_mixed
from vernissage_lab.tables import where

if TYPE_CHECKING:
    from vernissage.values import Modality, Vectors

OPTIONS: dict[str, Any] = {"classes": "1,3", "points": 5, "users": 6, "query_classes": QUERY, "pool": 40}


def apart() -> Material:
    """Pictures and texts of separable classes, moved away from each other along an axis that no class has."""
    material = separable()
    shift = np.zeros(material.vectors["image"].shape[1])
    shift[-1] = 2
    moved: dict[Modality, Vectors] = {
        "image": unit_rows(material.vectors["image"] + shift),
        "text": unit_rows(material.vectors["text"] - shift),
    }
    return replace(material, vectors=moved)


def run(material: Material, **changes: Any) -> Outcome:
    return run_mixed([material], MixedOptions(Path(), **OPTIONS | changes), Cells())


@cache
def wide() -> Outcome:
    return run(apart())


def mean(outcome: Outcome, way: str, measure: str, classes: int = 1, source: str = "image") -> float:
    (row,) = where(outcome.tables["means"], way=way, measure=measure, classes=classes, source=source)
    return float(row["mean"])


def test_without_a_gap_every_way_finds_the_one_work_of_an_interest() -> None:
    outcome = run(separable())
    for way in (TWO, *ONE):
        assert mean(outcome, way, "recall") == 1


def test_a_gap_fills_a_list_by_cosines_with_the_querys_own_modality_and_removed_means_do_not() -> None:
    assert mean(wide(), "one index, cosines as they are", "own", source="text") == 1
    assert mean(wide(), "one index, means removed", "own", source="text") < 0.95
    assert mean(wide(), "one index, means removed", "recall") == 1


def test_users_are_paired_with_two_indexes_and_times_are_of_every_way() -> None:
    tables = wide().tables
    assert {row["reference"] for row in tables["differences"]} == {TWO}
    assert {row["n"] for row in tables["differences"]} == {6}
    assert [row["way"] for row in tables["times"]] == [TWO, *ONE]
    assert all(0 < float(row["median_ms"]) <= float(row["p95_ms"]) for row in tables["times"])


def test_equal_seeds_give_equal_values() -> None:
    assert run(apart()).tables["values"] == wide().tables["values"]


def test_an_encoder_of_texts_alone_is_refused() -> None:
    with pytest.raises(RequestError, match="axes reads texts alone"):
        run(separable(modalities=("text",)))
    with pytest.raises(RequestError, match="left out"):
        run(separable(), points=20)


def test_views_and_figures_tell_every_way() -> None:
    assert set(RECIPE.pictures(wide().tables)) == {"axes-image", "axes-text"}
    views = RECIPE.views(wide().tables)
    assert [row[0] for row in views[0].rows] == [TWO, *ONE]
    assert views[-1].heads == ("encoder", "way", "median", "95th percentile")
