"""A definition against a workspace: what is drawn from, what does not fit, and the coverage of a collection."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.galleries import toy_row
from tests.studies import STUDY

from vernissage.analysis.coverage import covering_rows
from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError, StudyError
from vernissage.gallery.engines import make_engine
from vernissage.study.definition import Definition, Elicitation
from vernissage.study.plan import Plan, plan_notes, plan_sentences, plan_study, recommend_with
from vernissage.workspace.copies import Copies
from vernissage.workspace.workspace import open_workspace


def planned(built: Path, definition: Definition) -> Plan:
    workspace = open_workspace(built)
    engines = {name: make_engine(workspace, name, definition.works) for name in definition.engines}
    return plan_study(definition, workspace, engines)


TOY = replace(STUDY, engines=("lsa", "colour-texture"), works=9)


def toy(**changes: Any) -> Definition:
    return replace(TOY, **changes)


def test_each_slot_is_a_group_of_works_that_all_engines_know(built: Path) -> None:
    plan = planned(built, TOY)
    slots = plan.slots
    assert sorted(slots) == ["garden", "sea"]
    assert slots["sea"] == tuple(f"w{number:03d}" for number in range(64) if toy_row(number)["group"] == "sea")
    assert len(slots["garden"]) == 32
    workspace = open_workspace(built)
    assert plan.provenance.collection == workspace.collection.fingerprint
    assert dict(plan.provenance.encoders) == dict(workspace.manifest.fingerprints)


def test_slots_of_central_works_are_eight_of_each_cluster(built: Path) -> None:
    plan = planned(built, toy(elicitation=Elicitation("central", 4)))
    assert [len(slot) for slot in plan.slots.values()] == [8] * 4
    assert len(set().union(*plan.slots.values())) == 32
    assert plan_sentences(plan)[0] == "Participants rate 4 works, one drawn at random from each of 4 groups of 8 works."


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"works": 63}, "works = 63 is more than lsa has: it knows 64 works, of which 2 are rated first"),
        ({"elicitation": Elicitation(works=3)}, "elicitation.works = 3 needs as many groups, but the collection has 2"),
        ({"elicitation": Elicitation(works=1, groups=("moon",))}, "names 'moon'.*there are .*sea"),
        ({"elicitation": Elicitation("coverage", 9, encoder="clip")}, "elicitation.encoder = 'clip' is not in"),
        ({"engines": ("lsa",)}, "one engine cannot be shown twice"),
    ],
)
def test_what_does_not_fit_the_workspace_is_named(built: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        planned(built, toy(**changes))


def test_coverage_asks_everyone_about_the_same_spread_works(built: Path) -> None:
    plan = planned(built, toy(elicitation=Elicitation("coverage", 2, encoder="colour-texture")))
    works = [slot for (slot,) in plan.slots.values()]
    colours = {toy_row(int(work[1:]))["artist"] for work in works}
    assert colours == {"The red master", "The blue master"}
    assert "the same for everyone" in " ".join(plan_sentences(plan))


def test_lists_come_from_the_engines_of_the_workspace(built: Path) -> None:
    workspace = open_workspace(built)
    recommend = recommend_with({"lsa": make_engine(workspace, "lsa", 9)})
    ranking = recommend("lsa", {"w000": 5, "w001": 1}, 9)
    assert len(ranking) == 9
    assert all(toy_row(int(work[1:]))["group"] == "sea" for work in ranking.item_ids)


def test_works_that_show_one_picture_are_rated_and_shown_once(built: Path) -> None:
    workspace = open_workspace(built)
    first = np.arange(64, dtype=np.int32)
    first[2:62] = np.arange(60) % 2  # the first works of sea and garden, and 30 copies of each
    workspace.copies = Copies(workspace.collection.ids, first)  # type: ignore[misc]
    engines = {name: make_engine(workspace, name, 2) for name in TOY.engines}
    plan = plan_study(toy(works=2), workspace, engines)
    assert sorted(work for slot in plan.slots.values() for work in slot) == ["w000", "w001", "w062", "w063"]
    found = recommend_with(engines, workspace.copies.repeated)("lsa", {"w000": 5}, 9)
    assert sorted(found.item_ids) == ["w001", "w062", "w063"]
    with pytest.raises(StudyError, match="works = 3 is more than lsa has: it knows 4 works"):
        plan_study(toy(works=3), workspace, engines)


def test_what_will_happen_is_said(built: Path) -> None:
    plan = planned(built, TOY)
    told = " ".join(plan_sentences(plan))
    assert "rate 2 works, one drawn at random from each of 2 groups of 32 works" in told
    assert "judge 4 lists of 9 works by 4 statements: 2 engines, each shown twice" in told
    assert "a Williams square of 2 rows; invite a multiple of 2" in told
    assert "they get a code." in told
    assert any("A B A B" in note for note in plan_notes(plan))


def test_required_demographics_are_told_and_a_policy_that_denies_them_is_noted(built: Path) -> None:
    texts = replace(TOY.texts, data_policy="We store your age and gender if you tell them.")
    for demographics, noted in (("optional", False), ("required", True)):
        plan = planned(built, replace(TOY, demographics=demographics, texts=texts))
        assert ("Nobody begins without telling age and gender." in plan_sentences(plan)) == noted
        assert any("texts.data_policy says" in note for note in plan_notes(plan)) == noted


def test_medoids_of_known_clusters_are_found() -> None:
    random = np.random.default_rng(0)
    axes = np.eye(6)[np.repeat(np.arange(4), 25)]
    vectors = unit_rows(axes + 0.05 * random.standard_normal(axes.shape))
    rows = covering_rows(vectors, 4)
    assert sorted(row // 25 for row in rows) == [0, 1, 2, 3]
    for row in rows:
        own = vectors[row // 25 * 25 :][:25].astype(np.float64)
        assert row % 25 == int(np.argmax(own @ own.sum(axis=0)))


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_medoids_are_different_and_the_first_of_one_is_the_most_central(k: int, seed: int) -> None:
    vectors = unit_rows(np.random.default_rng(seed).standard_normal((30, 5)))
    rows = covering_rows(vectors, k)
    assert len(set(rows)) == len(rows) == k
    assert covering_rows(vectors, k) == rows
    (only,) = covering_rows(vectors, 1)
    assert only == int(np.argmax(vectors.astype(np.float64) @ vectors.astype(np.float64).sum(axis=0)))


def test_too_few_different_works_cannot_cover() -> None:
    same = unit_rows(np.repeat(np.eye(3)[:2], 5, axis=0))
    assert len(covering_rows(same, 2)) == 2
    with pytest.raises(RequestError, match="fewer works with different vectors"):
        covering_rows(same, 3)
