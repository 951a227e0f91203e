from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import ir_measures
import numpy as np
import pytest
from ir_measures import RR, Success
from tests.lab.separable import separable

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage_lab.cells import Cells
from vernissage_lab.material import Material, material_of
from vernissage_lab.recipe import Outcome
from vernissage_lab.recipes.retrieval import RECIPE, RetrievalOptions, run_retrieval
from vernissage_lab.tables import where

if TYPE_CHECKING:
    from vernissage.values import Vectors


def pairs(count: int = 60, blur: float = 0.9, seed: int = 0, encoder: str = "noisy") -> Material:
    """Pictures, and texts that resemble them more or less; the two kinds lie apart."""
    random = np.random.default_rng(seed)
    first = random.standard_normal((count, 12))
    second = first + blur * random.standard_normal((count, 12))
    vectors: list[Vectors] = [unit_rows(side + shift) for side, shift in ((first, 0.4), (second, -0.4))]
    return material_of({"image": vectors[0], "text": vectors[1]}, [""] * count, encoder=encoder)


def run(*materials: Material, pairs: int = 1_000) -> Outcome:
    return run_retrieval(materials, RetrievalOptions(Path(), pairs=pairs).pairs, Cells(seed=3))


@pytest.mark.parametrize("task", ["image-to-text", "text-to-image"])
@pytest.mark.parametrize("space", ["unimodal", "mixed"])
def test_measures_are_those_of_an_independent_library(task: str, space: str) -> None:
    """trec_eval's success@k and reciprocal rank, through ir_measures, over all scores of the same pool."""
    material, outcome = pairs(), run(pairs())
    source, target = task.split("-to-")
    queries = where(outcome.tables["values"], task=task, space=space)
    row_of = {name: row for row, name in enumerate(material.item_ids)}
    drawn = [row_of[str(row["query"])] for row in queries]
    sides = {side: np.asarray(material.vectors[side][drawn], dtype=np.float64) for side in ("image", "text")}  # type: ignore[index]
    runs, qrels = [], []
    for place, query in enumerate(queries):
        name = str(query["query"])
        qrels.append(ir_measures.Qrel(name, f"{target}{place}", 1))
        for side in (target,) if space == "unimodal" else (target, source):
            for other, score in enumerate(sides[side] @ sides[source][place]):
                if (side, other) != (source, place):
                    runs.append(ir_measures.ScoredDoc(name, f"{side}{other}", float(score)))
    told = ir_measures.calc_aggregate([Success @ 1, Success @ 5, Success @ 10, RR], qrels, runs)
    for measure, theirs in (("recall@1", Success @ 1), ("recall@5", Success @ 5), ("recall@10", Success @ 10)):
        (ours,) = where(outcome.tables["means"], task=task, space=space, measure=measure)
        assert ours["mean"] == pytest.approx(told[theirs], abs=1e-12)
        assert 0 < float(ours["mean"]) < 1
    (ours,) = where(outcome.tables["means"], task=task, space=space, measure="reciprocal rank")
    assert ours["mean"] == pytest.approx(told[RR], abs=1e-12)


def test_the_pool_is_drawn_once_and_the_mixed_space_holds_half_of_its_pairs() -> None:
    outcome = run(pairs(), pairs=40)
    rows = outcome.tables["values"]
    first = [row["query"] for row in where(rows, task="image-to-text", space="unimodal")]
    assert len(first) == 40
    for task in ("image-to-text", "text-to-image"):
        assert [row["query"] for row in where(rows, task=task, space="unimodal")] == first
        assert [row["query"] for row in where(rows, task=task, space="mixed")] == first[:20]
    assert "pool of 40 pairs, not 1,000" in outcome.notes[0]


def test_equal_scores_are_nobodys_loss() -> None:
    """rank = 1 + strictly better: where all works are the same, every half is found at once."""
    same = np.ones((30, 4), dtype=np.float32) / 2
    outcome = run(material_of({"image": same, "text": same}, [""] * 30))
    assert {row["rank"] for row in outcome.tables["values"]} == {1}


def test_encoders_are_compared_on_the_same_pairs() -> None:
    better = replace(pairs(blur=0.1), encoder="sharp")
    rows = where(run(pairs(), better).tables["differences"], measure="recall@1", space="unimodal")
    assert {row["encoder"] for row in rows} == {"sharp"}
    assert all(float(row["difference"]) > 0 and float(row["p"]) < 0.05 for row in rows)


def test_works_without_a_vector_are_left_out() -> None:
    material = pairs()
    material.vectors["text"][:10] = 0
    rows = run(material).tables["values"]
    assert not {f"w{row:06d}" for row in range(10)} & {str(row["query"]) for row in rows}


def test_what_cannot_be_measured_is_told() -> None:
    with pytest.raises(RequestError, match="axes reads texts alone"):
        run(separable(modalities=("text",)))
    with pytest.raises(RequestError, match="12 works have both"):
        run(pairs(12))


def test_the_table_and_the_figure_tell_both_spaces(tmp_path: Path) -> None:
    tables = run(pairs()).tables
    (view,) = RECIPE.views(tables)
    assert view.caption.endswith("by noisy")
    assert [row[:2] for row in view.rows] == [
        (space, task) for space in ("unimodal", "mixed") for task in ("image → text", "text → image")
    ]
    assert set(RECIPE.pictures(tables)) == {"retrieval"}
