"""`experiment run defaults`: ours first in each task, differences of the values, and what cannot be compared."""

import math
from pathlib import Path

import pytest
from tests.lab.test_similar_works import built

from vernissage.errors import RequestError
from vernissage_lab.recipe import Run, RunOptions, run_recipe
from vernissage_lab.recipes.defaults import BEFORE, RECIPE, DefaultsOptions
from vernissage_lab.tables import where


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("defaults")
    built(place, ["lsa", "lda"])
    return place


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return run_recipe(RECIPE, DefaultsOptions([folder / "workspace"], visitors=5, n=3), RunOptions(out=folder / "run"))


def test_each_task_begins_with_ours_and_others_are_told_by_how_far_it_is_above_them(run: Run) -> None:
    rows = run.tables["compared"]
    ours = {row["task"]: row for row in rows if math.isnan(row["difference"])}
    assert {task: row["way"] for task, row in ours.items()} == {
        "recommend: nDCG@3": "late-zscore",
        "works rated: nDCG@3": "central",
        "search: reciprocal rank": "search --encoder lsa",
        "similar: same group": "late-zscore",
    }
    for row in rows:
        own = ours[row["task"]]["value"]
        assert row is ours[row["task"]] or row["difference"] == pytest.approx(own - row["value"], abs=1e-12)
    recommended = [row["way"] for row in where(rows, task="recommend: nDCG@3")]
    assert recommended[:2] == ["late-zscore", BEFORE]
    assert {"lsa", "lda", "random", "labels"} < set(recommended)
    assert [name.split(" on ")[0] for name in recommended[-4:]] == [
        "liked-mean",
        "average-vector",
        "best-score",
        "sum-scores",
    ]


def test_the_engine_of_today_asked_in_the_same_way_is_the_first_of_the_works_rated(run: Run) -> None:
    first, second = (
        where(run.tables["compared"], task=each)[0] for each in ("recommend: nDCG@3", "works rated: nDCG@3")
    )
    assert first["value"] == second["value"] > 0


def test_one_table_a_collection_is_shown_with_every_way(run: Run) -> None:
    (table,) = RECIPE.views(run.tables)
    assert len(table.rows) == len(run.tables["compared"])
    assert [row[0] for row in table.rows if row[0]] == list(
        dict.fromkeys(row["task"] for row in run.tables["compared"])
    )
    assert set(RECIPE.pictures(run.tables)) == {"recommend"}


def test_a_task_that_a_collection_is_not_fit_for_is_left_out_and_told(run: Run, tmp_path: Path) -> None:
    assert run.record["notes"] == ["5 visitors, fewer than 200; read it as a trial"]
    built(tmp_path, ["lsa", "lda"], column="theme")
    told = run_recipe(
        RECIPE, DefaultsOptions([tmp_path / "workspace"], visitors=5, n=3), RunOptions(out=tmp_path / "run")
    )
    assert len({row["task"] for row in told.tables["compared"]}) == 3
    assert any("similar: same group: left out, for" in note for note in told.record["notes"])


def test_two_workspaces_of_one_collection_are_refused(folder: Path, tmp_path: Path) -> None:
    twice = DefaultsOptions([folder / "workspace", folder / "workspace"])
    with pytest.raises(RequestError, match="compare them in runs of their own"):
        run_recipe(RECIPE, twice, RunOptions(out=tmp_path))
