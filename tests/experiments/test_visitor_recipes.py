"""Weighting and fusion on a small world: engines that see one factor each, and visitors whose taste is of both."""

import json
import math
from functools import cache

import pytest
from tests.experiments.worlds import gallery, seeing

from vernissage.errors import RequestError
from vernissage.experiments.cells import Cells
from vernissage.experiments.recipes.contract import Outcome
from vernissage.experiments.recipes.fusion import FUSION, PAPER, FusionComparison, run_fusion
from vernissage.experiments.recipes.weighting import WEIGHTING, run_weighting
from vernissage.experiments.taste_world import TasteWorld, VisitorOptions, lists_of
from vernissage.experiments.tidy import Row, where
from vernissage.progress import silent
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity

VISITORS = 60


def world() -> tuple[TasteWorld, dict[str, RatingWeightedSimilarity]]:
    collection, labels = gallery()
    parts = {"palette": seeing(labels, "palette"), "subject": seeing(labels, "subject", seed=2)}
    return TasteWorld(collection, labels), parts


def fused(cells: Cells | None = None, seed: int = 0) -> Outcome:
    works, parts = world()
    options = FusionComparison(visitors=VISITORS, constants=(0, 60))
    return run_fusion(works, parts, options, seed=seed, cells=cells or Cells(None, {}), progress=silent)


@cache
def fusion() -> Outcome:
    return fused()


@cache
def weighting() -> Outcome:
    works, parts = world()
    return run_weighting(
        works, parts, VisitorOptions(visitors=VISITORS), seed=0, cells=Cells(None, {}), progress=silent
    )


def only(rows: list[Row]) -> Row:
    (row,) = rows
    return row


def test_every_rule_engine_and_visitor_has_one_row_and_linear_is_the_reference() -> None:
    tables = weighting().tables
    assert len(tables["values"]) == 3 * 2 * VISITORS
    assert {(row["rule"], row["reference"]) for row in tables["differences"]} == {
        ("minmax", "linear"),
        ("signed", "linear"),
    }
    assert all(0 < float(row["p"]) <= 1 for row in tables["differences"])


def test_disliked_works_that_push_away_help_who_sees_one_factor_of_two() -> None:
    for engine in ("palette", "subject"):
        told = only(where(weighting().tables["differences"], engine=engine, rule="signed", measure="ndcg"))
        assert float(told["difference"]) > 0


def test_differences_are_those_of_the_values() -> None:
    rows = weighting().tables["values"]
    pairs = zip(where(rows, engine="palette", rule="signed"), where(rows, engine="palette", rule="linear"), strict=True)
    mean = math.fsum(float(a["ndcg"]) - float(b["ndcg"]) for a, b in pairs) / VISITORS
    told = only(where(weighting().tables["differences"], engine="palette", rule="signed", measure="ndcg"))
    assert told["difference"] == pytest.approx(mean, abs=1e-12)


def test_fusing_both_factors_by_scores_beats_the_papers_fusion_and_each_part() -> None:
    rows = fusion().tables["differences"]
    for reference in (PAPER, "palette", "subject"):
        assert float(only(where(rows, engine="z-scores", reference=reference))["t"]) > 3


def test_with_k_0_the_first_works_make_the_list_and_with_k_60_all_works_do() -> None:
    rows = where(fusion().tables["overlap_means"], measure="iou")
    for rankings in ("of visitors", "random"):
        steep, flat = (float(only(where(rows, rankings=rankings, k=k))["mean"]) for k in (0, 60))
        assert steep > 0.8
        assert flat < 0.5
    apart = only(where(fusion().tables["overlap_differences"], rankings="random", measure="iou"))
    assert (apart["k"], apart["reference"]) == (60, "0")
    assert float(apart["difference"]) < 0


def test_overlap_is_that_of_the_lists_shown() -> None:
    lists = lists_of(fusion().tables["values"])
    first, whole = set(lists["rrf k=60, first works"][7]), set(lists["rrf k=60, all works"][7])
    told = only(where(fusion().tables["overlap"], rankings="of visitors", k=60, visitor=7))
    assert told["iou"] == len(first & whole) / len(first | whole)
    assert len(json.loads(str(fusion().tables["values"][0]["shown"]))) == 9


def test_equal_seeds_give_equal_tables_and_other_seeds_others() -> None:
    assert fused().tables == fusion().tables
    assert fused(seed=1).tables["overlap"] != fusion().tables["overlap"]


def test_views_and_figures_tell_every_mean() -> None:
    view = WEIGHTING.views(weighting().tables)[0]
    assert view.heads == ("engine", "linear", "minmax", "signed", "minmax − linear", "signed − linear")
    assert [row[0] for row in view.rows] == ["palette", "subject"]
    assert set(WEIGHTING.pictures(weighting().tables)) == {"weighting"}
    ways, alike = FUSION.views(fusion().tables)
    assert len(ways.rows) == 8
    assert [row[:2] for row in alike.rows] == [
        ("of visitors", "0"),
        ("of visitors", "60"),
        ("random", "0"),
        ("random", "60"),
    ]
    assert set(FUSION.pictures(fusion().tables)) == {"fusion", "partial-total"}


def test_few_visitors_are_told_and_none_refused() -> None:
    assert any("60 visitors" in note for note in fusion().notes)
    works, parts = world()
    with pytest.raises(RequestError, match="2 visitors"):
        run_weighting(works, parts, VisitorOptions(visitors=1), seed=0, cells=Cells(None, {}), progress=silent)
