"""Weighting, fusion and overlap on a small gallery: engines that see one factor each, and visitors whose taste is of both."""

import itertools
import json
import math
from functools import cache
from pathlib import Path

import pytest
from tests.lab.labelled import gallery, seeing

from vernissage.errors import RequestError
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage_lab.cells import Cells
from vernissage_lab.recipe import Outcome
from vernissage_lab.recipes import fusion as fusion_recipe
from vernissage_lab.recipes import overlap as overlap_recipe
from vernissage_lab.recipes import weighting as weighting_recipe
from vernissage_lab.recipes.fusion import PAPER, FusionOptions, run_fusion
from vernissage_lab.recipes.overlap import run_overlap
from vernissage_lab.recipes.weighting import run_weighting
from vernissage_lab.tables import Row, where
from vernissage_lab.visitor_options import LabelledWorks, VisitorOptions, lists_of

VISITORS = 60


def labelled() -> tuple[LabelledWorks, dict[str, RatingWeightedSimilarity]]:
    collection, labels = gallery()
    parts = {"palette": seeing(labels, "palette"), "subject": seeing(labels, "subject", seed=2)}
    return LabelledWorks(collection, labels), parts


def fused(seed: int = 0, visitors: int = VISITORS) -> Outcome:
    works, parts = labelled()
    options = FusionOptions(Path(), visitors=visitors, constants="0,60")
    return run_fusion(works, parts, options, Cells(seed=seed))


@cache
def fusion() -> Outcome:
    return fused()


@cache
def weighting() -> Outcome:
    works, parts = labelled()
    return run_weighting(works, parts, VisitorOptions(Path(), visitors=VISITORS), Cells())


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
    first, again, other = (fused(seed, visitors=8).tables for seed in (0, 0, 1))
    assert again == first
    assert other["overlap"] != first["overlap"]


def test_views_and_figures_tell_every_mean() -> None:
    view = weighting_recipe.RECIPE.views(weighting().tables)[0]
    assert view.heads == ("engine", "linear", "signed − linear", "minmax − linear")
    assert [row[0] for row in view.rows] == ["palette", "subject"]
    assert set(weighting_recipe.RECIPE.pictures(weighting().tables)) == {"weighting"}
    ways, alike = fusion_recipe.RECIPE.views(fusion().tables)
    assert len(ways.rows) == 8
    assert [row[:2] for row in alike.rows] == [
        ("of visitors", "0"),
        ("of visitors", "60"),
        ("random", "0"),
        ("random", "60"),
    ]
    assert set(fusion_recipe.RECIPE.pictures(fusion().tables)) == {"fusion", "partial-total"}


@cache
def overlapping() -> Outcome:
    works, parts = labelled()
    engines = {"palette": parts["palette"], "late-total": parts["palette"], "subject": parts["subject"]}
    return run_overlap(works, engines, VisitorOptions(Path(), visitors=20), Cells())


def test_lists_of_one_engine_under_two_names_are_the_same_lists() -> None:  # one of them a paper's: by one rule
    same = where(overlapping().tables["between"], engine_a="late-total", engine_b="palette")
    assert [(row["metric"], row["mean"], row["sd"], row["visitors"]) for row in same] == [
        ("IoU", 1, 0, 20),
        ("RBO", 1, 0, 20),
    ]
    other = only(where(overlapping().tables["between"], engine_a="palette", engine_b="subject", metric="IoU"))
    assert float(other["mean"]) < 0.2


def test_table_1_is_over_all_pairs_of_visitors() -> None:
    lists = [set(shown) for shown in lists_of(overlapping().tables["values"])["subject"].values()]
    pairs = [len(a & b) / len(a | b) for a, b in itertools.combinations(lists, 2)]
    told = only(where(overlapping().tables["within"], engine="subject", metric="IoU"))
    assert told["pairs"] == len(pairs) == 190
    assert told["mean"] == pytest.approx(math.fsum(pairs) / 190, abs=1e-12)


def test_the_two_tables_are_printed_as_the_paper_has_them() -> None:
    first, second = overlap_recipe.RECIPE.views(overlapping().tables)
    assert [row[0] for row in first.rows] == ["late-total", "palette", "subject"]
    assert second.rows[0][1:3] == ("–", "1.000 ±.000")  # IoU above the diagonal
    assert second.rows[1][1:3] == ("1.000 ±.000", "–")  # RBO below
    assert set(overlap_recipe.RECIPE.pictures(overlapping().tables)) == {"between"}


def test_few_visitors_are_told_and_none_refused() -> None:
    assert any("60 visitors" in note for note in fusion().notes)
    works, parts = labelled()
    with pytest.raises(RequestError, match="2 visitors"):
        run_weighting(works, parts, VisitorOptions(Path(), visitors=1), Cells())
