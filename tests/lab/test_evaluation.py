import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.lab.labelled import gallery, part_of, seeing, seeing_all

from vernissage.catalog.collection import Collection
from vernissage.errors import RequestError
from vernissage.profiles.ratings import Profile
from vernissage.recommenders.contract import Recommendation, Recommender
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.values import EVERYTHING, Allow, Ranking
from vernissage.workspace.copies import Copies
from vernissage.workspace.workspace import Workspace, open_workspace
from vernissage_lab.baselines import MostAverage, RandomOrder
from vernissage_lab.evaluation import METRICS, Evaluation, evaluate
from vernissage_lab.tables import Row, only
from vernissage_lab.tastes import Labels
from vernissage_lab.visitor_options import VisitorOptions
from vernissage_lab.visitors import elicitation, relevant, simulate_visitors


class KnowsTheTruth:
    """Ranks by the true affinities of the visitor who gave these ratings."""

    def __init__(self, collection: Collection, labels: Labels, visitors: int, seed: int) -> None:
        people = simulate_visitors(labels, elicitation([item.group for item in collection]), visitors, seed=seed)
        self.name = "truth"
        self.item_ids = labels.item_ids
        self._truth = {tuple(visitor.ratings.items()): visitor.affinities for visitor in people}

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.item_ids

    def count(self, profile: Profile, allow: Allow = EVERYTHING) -> int:
        return len(self.item_ids) - len(profile.item_ids)

    def recommend(self, profile: Profile, n: int, allow: Allow = EVERYTHING) -> Recommendation:
        affinities = self._truth[tuple(zip(profile.item_ids, profile.ratings.tolist(), strict=True))]
        order = [row for row in np.argsort(-affinities, kind="stable") if self.item_ids[row] not in profile.item_ids]
        ranking = Ranking(tuple(self.item_ids[row] for row in order[:n]), affinities[order[:n]])
        return Recommendation(ranking, lambda _: ())


@cache
def outcome() -> Evaluation:
    collection, labels = gallery()
    singles = [seeing(labels, "palette"), seeing(labels, "subject", seed=2)]
    engines: dict[str, Recommender] = {
        "truth": KnowsTheTruth(collection, labels, 200, seed=0),
        "labels": seeing_all(labels),
        "palette": singles[0],
        "subject": singles[1],
        "partial-k0": LateFusion(singles, k=0, depth=9),
        "total-k0": LateFusion(singles, k=0),
        "total-k60": LateFusion(singles, k=60),
        "minmax": LateFusion(singles, method="minmax"),
        "zscore": LateFusion(singles, method="zscore"),
        "random": RandomOrder(ListedWorks(collection.ids)),
        "most-average": MostAverage(singles[0].index),
    }
    return evaluate(engines, labels, collection, references=["truth", "random", "most-average"])


def errors_apart(better: str, worse: str, metric: str = "ndcg") -> float:
    """How many standard errors of the paired difference ``better`` lies above ``worse``."""
    found: float = only(against(worse), engine=better, metric=metric)["t"]
    return found


@cache
def against(reference: str) -> list[Row]:
    return outcome().differences(reference)


@cache
def means() -> dict[tuple[str, str], float]:
    return {(row["engine"], row["metric"]): row["mean"] for row in outcome().rows()}


def mean(engine: str, metric: str) -> float:
    return means()[engine, metric]


def test_who_knows_the_truth_has_the_best_possible_list() -> None:
    assert mean("truth", "ndcg") == 1
    assert mean("truth", "precision") == 1
    assert outcome().best() in {"labels", "minmax", "zscore"}


@pytest.mark.parametrize("fusion", ["total-k60", "minmax", "zscore"])
def test_fusing_what_two_engines_see_beats_each_and_each_beats_chance(fusion: str) -> None:
    assert errors_apart("truth", fusion) > 10
    for single in ("palette", "subject"):
        assert errors_apart(fusion, single) > 4
        assert errors_apart(fusion, single, "precision") > 3
        assert errors_apart(single, "random") > 5
        assert errors_apart(single, "most-average") > 4


@pytest.mark.parametrize("greedy", ["partial-k0", "total-k0"])
def test_fusion_by_k_0_alternates_between_the_engines_and_gains_nothing(greedy: str) -> None:
    # 1/rank gives a work that one engine puts first more than a work that both put second and third
    singles = (mean("palette", "ndcg") + mean("subject", "ndcg")) / 2
    assert mean(greedy, "ndcg") == pytest.approx(singles, abs=0.03)
    for whole in ("total-k60", "minmax", "zscore"):
        assert errors_apart(whole, greedy) > 8
    assert errors_apart(greedy, "minmax", "diversity") > 20


def test_fusion_reaches_what_all_labels_together_tell() -> None:
    assert abs(mean("minmax", "ndcg") - mean("labels", "ndcg")) < 0.02


def test_an_engine_of_one_facet_shows_lists_that_differ_in_the_other() -> None:
    assert mean("labels", "diversity") < mean("palette", "diversity") < mean("random", "diversity")
    assert mean("labels", "novelty") < mean("palette", "novelty") < mean("random", "novelty")


def test_coverage_is_what_all_lists_show() -> None:
    found = outcome()
    for engine in ("random", "minmax", "most-average"):
        shown = {int(row) for rows in found.engines[engine].lists if rows is not None for row in rows}
        assert mean(engine, "coverage") == pytest.approx(len(shown) / 600)
    assert mean("random", "coverage") == pytest.approx(1 - (1 - 9 / 600) ** 200, abs=0.03)


def test_the_table_is_tidy_and_counts_visitors() -> None:
    rows = outcome().rows()
    assert [(row["engine"], row["metric"]) for row in rows] == [(e, m) for e in outcome().engines for m in METRICS]
    assert all(row["visitors"] == 200 and row["se"] >= 0 for row in rows)
    assert all(0 <= row["mean"] <= 1 for row in rows)


def test_differences_are_the_differences_of_means() -> None:
    for each in against("random"):
        expected = mean(each["engine"], each["metric"]) - mean("random", each["metric"])
        assert each["mean"] == pytest.approx(expected, abs=1e-12)
        assert each["p"] <= each["p_holm"]
    assert {each["reference"] for each in outcome().differences()} == {outcome().best()}
    with pytest.raises(RequestError, match="no engine 'nobody'"):
        outcome().differences("nobody")


def test_the_record_is_json_and_names_what_a_rerun_needs() -> None:
    record = json.loads(json.dumps(outcome().to_dict(), allow_nan=False))
    protocol = record["protocol"]
    assert (protocol["seed"], protocol["visitors"], protocol["n"], protocol["candidates"]) == (0, 200, 9, 600)
    assert [facet["works_whose_text_states_it"] for facet in protocol["facets"]] == [600, 0]
    assert len(record["rows"]) == 11 * 6
    assert len(record["differences"]) == 10 * 6


def test_engines_that_read_a_label_in_the_texts_are_named() -> None:
    collection, labels = gallery(120, groups=9)
    pictures, texts = seeing(labels, "palette"), seeing(labels, "subject")
    texts.index._card = replace(texts.index.card, modality="text")  # type: ignore[attr-defined]
    pictures.index._card = replace(pictures.index.card, modality="image")  # type: ignore[attr-defined]
    engines = {"pictures": pictures, "texts": texts, "both": LateFusion([pictures, texts])}
    found = small(engines, collection, labels)  # type: ignore[arg-type]
    assert [facet["read_by"] for facet in found.protocol["facets"]] == [["texts", "both"], []]
    one, other = labels.facets
    assert found.sentences() == [
        f"{one} is read by texts, both (120 of 120 texts state it): they see this part of a taste",
        f"{other} is read by no engine (0 of 120 texts state it)",
    ]


def test_works_that_are_the_same_are_one_candidate(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = open_workspace(built).collection.ids
    first = np.arange(len(ids), dtype=np.int32)
    first[[5, 9]] = 1
    monkeypatch.setattr(Workspace, "copies", Copies(ids, first))
    options = VisitorOptions(built)
    assert set(ids) - set(options.labels().item_ids) == {ids[5], ids[9]}
    found = evaluate(options.engines(["lsa"]), options.labels(), options.opened.collection, visitors=3)
    assert not {ids[5], ids[9]} & set(found.candidates)
    assert found.protocol["copies_left_out"] == 2


def small(engines: dict[str, Recommender], collection: Collection, labels: Labels, **settings: int) -> Evaluation:
    return evaluate(engines, labels, collection, **{"visitors": 30, **settings})


def test_equal_arguments_give_equal_results() -> None:
    collection, labels = gallery(120, groups=9)
    engines: dict[str, Recommender] = {
        "palette": seeing(labels, "palette"),
        "random": RandomOrder(ListedWorks(collection.ids)),
    }
    first, again = small(engines, collection, labels), small(engines, collection, labels)
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    assert small(engines, collection, labels, seed=1).rows() != first.rows()


def test_an_engine_does_not_change_how_another_is_judged() -> None:
    collection, labels = gallery(120, groups=9)
    palette = seeing(labels, "palette")
    alone = small({"palette": palette}, collection, labels)
    beside = small({"random": RandomOrder(ListedWorks(collection.ids)), "palette": palette}, collection, labels)
    assert alone.rows() == [row for row in beside.rows() if row["engine"] == "palette"]


def test_works_that_an_engine_cannot_see_count_as_not_found() -> None:
    collection, labels = gallery(240, groups=9)
    whole = seeing(labels, "palette")
    half = part_of(labels, "palette", collection.ids[::2])
    found = small({"whole": whole, "half": half}, collection, labels, visitors=100)
    assert len(found.candidates) == 240
    visitor, shown = found.visitors[0], found.engines["half"].lists[0]
    assert shown is not None
    free = [row for row, item_id in enumerate(found.candidates) if item_id not in visitor.ratings]
    wanted = {free[place] for place in np.flatnonzero(relevant(visitor.affinities[free]))}
    metrics = found.engines["half"].metrics[0]
    assert metrics is not None
    assert metrics["recall"] == pytest.approx(len(wanted & set(shown.tolist())) / len(wanted))
    assert any(row % 2 for row in wanted)  # relevant works that the half engine can never show stay in the count


def test_works_that_no_engine_knows_or_no_label_describes_are_no_candidates() -> None:
    collection, labels = gallery(120, groups=9)
    known = part_of(labels, "palette", collection.ids[:100])
    unlabelled = Labels(labels.item_ids, labels.categories, np.where(np.arange(120)[:, None] < 10, -1, labels.codes))
    found = small({"known": known, "labels": part_of(labels, "subject", collection.ids[:90])}, collection, unlabelled)
    assert found.candidates == collection.ids[10:100]
    assert all(set(visitor.ratings) <= set(found.candidates) for visitor in found.visitors)
    assert not any(rows is None or (rows >= 90).any() for rows in found.engines["known"].lists)


def test_works_of_which_a_part_is_known_are_judged() -> None:
    collection, labels = gallery(120, groups=9)
    gaps = Labels(labels.item_ids, labels.categories, np.where(np.arange(120)[:, None] % [3, 4] == 0, -1, labels.codes))
    found = small(
        {"palette": seeing(labels, "palette"), "random": RandomOrder(ListedWorks(collection.ids))}, collection, gaps
    )
    assert len(found.candidates) == 110
    assert all(0 < row["mean"] <= 1 for row in found.rows())


def test_engines_that_cannot_answer_are_counted_and_compared_on_common_visitors() -> None:
    collection, labels = gallery(120, groups=9)
    few = part_of(labels, "palette", collection.ids[:12])
    engines: dict[str, Recommender] = {"few": few, "palette": seeing(labels, "palette")}
    found = small(engines, collection, labels, visitors=100)
    known = set(collection.ids[:12])
    # The middle weighs 0 under the rule signed, so it speaks for nothing.
    silent = [v for v in found.visitors if not any(work in known and stars != 3 for work, stars in v.ratings.items())]
    assert 0 < len(silent) < 98
    assert found.failures == {"few": len(silent), "palette": 0}
    answered = 100 - len(silent)
    assert {row["engine"]: row["visitors"] for row in found.rows()} == {"few": answered, "palette": 100}
    assert {each["n"] for each in found.differences("palette")} == {answered}


def test_an_engine_without_any_answer_has_no_row() -> None:
    collection, labels = gallery(120, groups=9)
    unlabelled = Labels(labels.item_ids, labels.categories, np.where(np.arange(120)[:, None] < 10, -1, labels.codes))
    blind = part_of(labels, "palette", collection.ids[:10])
    found = small({"blind": blind, "palette": seeing(labels, "palette")}, collection, unlabelled)
    assert found.failures["blind"] == 30
    assert {row["engine"] for row in found.rows()} == {"palette"}
    assert found.differences("palette") == []


def test_of_a_family_the_one_that_served_best_stays() -> None:
    kept = outcome().with_best_of([("palette", "labels"), ("absent",)])
    assert list(outcome().engines)[:3] == ["truth", "labels", "palette"]
    assert list(kept.engines) == [name for name in outcome().engines if name != "palette"]


def test_a_reference_is_never_the_best_while_others_answer() -> None:
    collection, labels = gallery(120)
    engines: dict[str, Recommender] = {"labels": seeing_all(labels), "random": RandomOrder(ListedWorks(collection.ids))}
    assert evaluate(engines, labels, collection, visitors=30).best() == "labels"
    assert evaluate(engines, labels, collection, visitors=30, references=["labels"]).best() == "random"
    only = evaluate({"labels": seeing_all(labels)}, labels, collection, visitors=30, references=["labels", "absent"])
    assert (only.best(), only.references) == ("labels", {"labels"})


def test_progress_is_told_from_0_to_all() -> None:
    collection, labels = gallery(60)
    told: list[tuple[int, int]] = []
    evaluate({"a": seeing_all(labels)}, labels, collection, visitors=3, progress=lambda _, d, t: told.append((d, t)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_impossible_evaluations_are_refused() -> None:
    collection, labels = gallery(60)
    engine = seeing_all(labels)
    for engines, settings in (({}, {}), ({"a": engine}, {"visitors": 1}), ({"a": engine}, {"n": 0})):
        with pytest.raises(RequestError, match="were asked for"):
            evaluate(engines, labels, collection, **settings)
    few, their = gallery(20)
    with pytest.raises(RequestError, match="20 works have labels, too few to rate 9 and rank 12"):
        evaluate({"a": seeing_all(their)}, their, few, n=12)
