from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from tests.lab.separable import QUERY, separable

from vernissage.errors import ProvenanceError, RequestError
from vernissage_lab.cells import Cells
from vernissage_lab.material import Material
from vernissage_lab.recipe import Outcome
from vernissage_lab.recipes.ablation import RECIPE, AblationOptions, run_ablation
from vernissage_lab.tables import where

OPTIONS: dict[str, Any] = {
    "classes": "1,3",
    "points": "5",
    "projection": ["none"],
    "clustering": ["coherence", "ward:5", "ward:0.001"],
    "users": 6,
    "query_classes": QUERY,
    "pool": 40,
}


def run(material: Material | None = None, *, cells: Cells | None = None, **changes: Any) -> Outcome:
    return run_ablation([material or separable()], AblationOptions(Path(), **OPTIONS | changes), cells or Cells())


@cache
def usual() -> Outcome:
    return run()


def mean(outcome: Outcome, measure: str, **wanted: str | int) -> float:
    found = where(outcome.tables["means"], measure=measure, task="text-to-image", seed="centroid", **wanted)
    assert len(found) == 1
    return float(found[0]["mean"])


def test_areas_that_are_the_classes_find_all_of_them() -> None:
    outcome = usual()
    assert mean(outcome, "areas", clustering="coherence", classes=3) == 3
    assert mean(outcome, "recall", clustering="coherence", classes=3) == 1
    assert mean(outcome, "shown", clustering="coherence", classes=1) == 10


def test_per_seed_shows_more_works_the_more_areas_there_are_and_the_budget_does_not() -> None:
    outcome = run(clustering=["ward:0.001"], points="10")
    assert mean(outcome, "areas", clustering="ward:0.001", classes=3) == 30  # every upload its own query
    assert mean(outcome, "shown", clustering="ward:0.001", classes=3) > 10
    assert mean(outcome, "recall_per_seed", clustering="ward:0.001", classes=3) == 1
    assert mean(outcome, "recall", clustering="ward:0.001", classes=3) <= 1


def test_one_area_of_everything_has_one_list_however_it_is_counted() -> None:
    outcome = usual()
    for row in where(outcome.tables["values"], clustering="ward:5"):
        assert row["areas"] == 1
        assert row["shown"] == 10
        assert row["recall"] == row["recall_per_seed"]


def test_every_task_and_seed_of_the_same_users_is_there() -> None:
    rows = usual().tables["values"]
    tasks = [f"{a}-to-{b}" for a, b in product(("image", "text"), repeat=2)]
    for task, clustering, classes, seed in product(tasks, OPTIONS["clustering"], (1, 3), ("centroid", "medoid")):
        found = where(rows, task=task, clustering=clustering, classes=classes, seed=seed)
        assert [row["user"] for row in found] == list(range(6))


def test_differences_are_from_the_first_configuration() -> None:
    rows = usual().tables["differences"]
    assert {row["reference"] for row in rows} == {"none coherence centroid"}
    worse = where(rows, clustering="ward:5", seed="medoid", task="text-to-text", classes=3, measure="recall")
    assert len(worse) == 1
    assert float(worse[0]["difference"]) < 0


def test_coherence_is_not_asked_to_cut_a_plane() -> None:
    outcome = run(projection=["none", "tsne"], classes="1", users=2)
    assert {row["clustering"] for row in where(outcome.tables["values"], projection="tsne")} == {"ward:5", "ward:0.001"}


def test_a_material_of_texts_has_one_task() -> None:
    rows = run(separable(modalities=("text",))).tables["values"]
    assert {row["task"] for row in rows} == {"text-to-text"}
    with pytest.raises(RequestError, match="no task 'text-to-image' with axes; choose from text-to-text"):
        run(separable(modalities=("text",)), task=["text-to-image"])


@pytest.mark.long
def test_cells_are_kept_and_an_interrupted_grid_goes_on(tmp_path: Path) -> None:
    whole = usual()
    first = Cells(tmp_path, most=4)
    part = run(cells=first)
    assert (first.made, first.skipped) == (4, 2)
    assert part.tables != whole.tables
    second = Cells(tmp_path)
    assert run(cells=second).tables == whole.tables
    assert (second.read, second.made) == (4, 2)
    third = Cells(tmp_path)
    run(cells=third, users=5)
    assert third.read == 0  # other options are other cells


def test_a_damaged_cell_is_refused(tmp_path: Path) -> None:
    run(cells=Cells(tmp_path), classes="1", clustering=["ward:5"])
    (cell,) = (tmp_path / "cells").iterdir()
    cell.write_text("[]")
    with pytest.raises(ProvenanceError, match="delete it"):
        run(cells=Cells(tmp_path), classes="1", clustering=["ward:5"])


def test_what_differs_from_the_protocol_is_told() -> None:
    notes = run(pool=1000, points="5,20").notes
    assert any("holds 51 works, because there are 48 of other classes" in note for note in notes)
    assert any("3 classes of 20 uploads are left out, because only 0 of 6" in note for note in notes)
    assert any("6 users in each cell; the protocol asks for 100" in note for note in notes)
    with pytest.raises(RequestError, match="left out"):
        run(points="20")


@pytest.mark.long
def test_equal_seeds_give_equal_tables_and_other_seeds_others() -> None:
    assert run().tables == usual().tables
    assert run(cells=Cells(seed=1)).tables["values"] != usual().tables["values"]


def test_figures_and_views_tell_every_mean() -> None:
    tables = usual().tables
    pictures = RECIPE.pictures(tables)
    tasks = [f"{source}-to-{target}" for source in ("image", "text") for target in ("image", "text")]
    assert set(pictures) == {f"axes-{task}-{measure}" for task in tasks for measure in ("recall", "recall-per-seed")}
    view = next(each for each in RECIPE.views(tables) if "text → image" in each.caption)
    assert view.heads == ("projection", "clustering", "seed", "1 class", "3 classes")
    assert view.rows[0][:3] == ("none", "coherence", "centroid")
    assert view.rows[0][4].startswith("1.000 ±.000 | 1.000 in ")
