from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.lab.separable import NOISE, QUERY, separable

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.values import Vectors
from vernissage_lab.cells import Cells
from vernissage_lab.material import Material
from vernissage_lab.recipe import Outcome
from vernissage_lab.recipes.tags import RECIPE, TagOptions, run_tags
from vernissage_lab.tables import distinct, where


class ReadsTags:
    """Encodes texts by the tags that they name; what all works have is a direction of its own."""

    name, dim, fingerprint, modalities = "tags", QUERY + NOISE + 1, "f", frozenset({"text"})

    def encode_texts(self, texts: list[str]) -> Vectors:
        rows = [[f"tag{each}" in text.split() for each in range(QUERY + NOISE)] + ["work" in text] for text in texts]
        return unit_rows(np.array(rows, dtype=float))


def tagged(**changes: Any) -> Material:
    return replace(separable(), **{"text_encoder": ReadsTags(), **changes})


def run(material: Material, **changes: Any) -> Outcome:
    given: dict[str, Any] = {"classes": "1,3", "points": "5", "users": 5, "query_classes": QUERY, "pool": 40}
    return run_tags([material], TagOptions(Path(), **given | changes), Cells())


def mean(outcome: Outcome, method: str, classes: int, measure: str = "recall", task: str = "text-to-image") -> float:
    (row,) = where(outcome.tables["means"], method=method, classes=classes, measure=measure, task=task)
    return float(row["mean"])


def test_tags_that_name_the_class_find_what_areas_find() -> None:
    outcome = run(tagged())
    for method in ("areas", "tag-embedding"):
        assert mean(outcome, method, 1) == mean(outcome, method, 3) == 1
    assert mean(outcome, "tag-overlap", 1, "shown") == 10
    assert {row["reference"] for row in outcome.tables["differences"]} == {"areas"}


def test_overlap_keeps_the_commonest_tags_only() -> None:
    """Of three classes ``work`` is half of all tags and covers the third by itself: it tells no work apart."""
    assert mean(run(tagged()), "tag-overlap", 3) < 1
    only = {modality: {work: words[:1] for work, words in tags.items()} for modality, tags in tagged().tags.items()}
    assert mean(run(tagged(tags=only)), "tag-overlap", 1) == 1
    assert mean(run(tagged(tags=only)), "tag-overlap", 3) < 1  # one class of three covers a third


def test_pictures_and_texts_may_have_tags_of_their_own() -> None:
    """Tags of pictures that no text has find nothing: no method but the areas is right across modalities."""
    tags = {"text": separable().tags["text"], "image": dict.fromkeys(separable().item_ids, ("seen",))}
    outcome = run(tagged(tags=tags))
    assert mean(outcome, "areas", 3) == 1
    assert mean(outcome, "tag-overlap", 3) < 1
    assert mean(outcome, "tag-embedding", 3) == 0  # no picture has a tag that is read


def test_tags_of_pictures_alone_stand_for_texts_too() -> None:
    lent = run(tagged(tags={"image": separable().tags["image"]}))
    assert lent.tables == run(tagged()).tables
    assert lent.notes[0] == "arrays: its texts have no tags of their own, so those of the other half stand for them"


def test_tags_need_no_pictures() -> None:
    """With vectors of texts alone, areas are measured between texts, and tags between all that have some."""
    texts = separable(modalities=("text",))
    outcome = run(replace(texts, text_encoder=ReadsTags(), tags=separable().tags))
    methods = {
        task: distinct(where(outcome.tables["values"], task=task), "method")
        for task in distinct(outcome.tables["values"], "task")
    }
    both = ["tag-overlap", "tag-embedding"]
    assert methods == {
        "image-to-image": both,
        "image-to-text": both,
        "text-to-image": both,
        "text-to-text": ["areas", *both],
    }
    whole = run(tagged())
    for method in both:  # the same as where pictures have vectors: these are not looked at
        for task in methods:
            assert mean(outcome, method, 3, task=task) == mean(whole, method, 3, task=task)
    references = {(row["task"], row["reference"]) for row in outcome.tables["differences"]}
    assert references == {(task, some[0]) for task, some in methods.items()}
    assert outcome.notes[0].startswith("arrays: axes has vectors of texts alone, so areas are left out of the tasks")
    assert RECIPE.pictures(outcome.tables).keys() == {"axes-recall", "axes-recall-per-seed"}
    assert len(RECIPE.views(outcome.tables)) == 4


def test_tasks_without_vectors_can_be_asked_for() -> None:
    texts = separable(modalities=("text",))
    outcome = run(replace(texts, text_encoder=ReadsTags(), tags=separable().tags), task=["image-to-text"])
    assert {row["task"] for row in outcome.tables["values"]} == {"image-to-text"}
    lent = replace(texts, text_encoder=ReadsTags(), tags={"image": separable().tags["image"]})
    with pytest.raises(RequestError, match="no task 'image-to-text' with axes; choose from text-to-text"):
        run(lent, task=["image-to-text"])  # texts have the tags of pictures, so there is one task


def test_rules_of_overlap_stand_side_by_side() -> None:
    """Ten uploads of each of three classes have ``work`` 30 times, and the tags of their classes ten times each.

    By mass, ``work`` alone covers a third and tells no works apart. The first third of the four, rounded up, are ``work``
    and the first class; each class keeps its tag, by the alphabet, and a third of these three is the first class.
    """
    outcome = run(tagged(), overlap=["mass", "unique", "twice-unique"], classes="3", points="10", users=20)
    shown = distinct(outcome.tables["means"], "method")
    assert shown == ["areas", "tag-overlap", "tag-overlap:unique", "tag-overlap:twice-unique", "tag-embedding"]
    by_class = mean(outcome, "tag-overlap:twice-unique", 3)
    assert (
        by_class == mean(outcome, "tag-overlap:unique", 3) >= 1 / 3
    )  # one of three relevant works, and some by chance
    assert mean(outcome, "tag-overlap", 3) < by_class
    alone = run(tagged(), overlap=["twice-unique"], classes="3", points="10", users=20)
    assert mean(alone, "tag-overlap:twice-unique", 3) == by_class


def test_two_cuts_are_told_the_classes() -> None:
    """Every upload has its class's tag, and nine of its own: of each class the commonest are its tag and two others.

    Of three classes nine tags are kept, once each, of which a third are the commonest in the whole: the three classes.
    """
    own = {
        work: (words[0], *(f"{work}-{number}" for number in range(9)))
        for work, words in separable().tags["text"].items()
    }
    outcome = run(tagged(tags=dict.fromkeys(("image", "text"), own)), overlap=["twice-unique"], points="5")
    assert mean(outcome, "tag-overlap:twice-unique", 1) == 1
    assert mean(outcome, "tag-overlap:twice-unique", 3) == 1


def test_where_tags_come_from_is_told() -> None:
    some = {"w000000": ("tag0",), **dict.fromkeys(list(separable().item_ids)[14:], ("tag1",))}
    outcome = run(tagged(tags={"text": some}, tagged_by={"text": "nouns, by somebody"}))
    assert outcome.notes[:2] == (
        "arrays: its images have no tags of their own, so those of the other half stand for them",
        "arrays: tags of its texts: nouns, by somebody; 13 of 132 works have none",
    )


def test_cells_hang_on_the_tags(tmp_path: Path) -> None:
    options = TagOptions(Path(), classes="1", points="5", users=2, query_classes=QUERY, pool=40)

    def computed(material: Material) -> int:
        cells = Cells(tmp_path)
        run_tags([material], options, cells)
        return cells.made

    assert computed(tagged()) == 1

    class Unread(ReadsTags):
        def encode_texts(self, texts: list[str]) -> Vectors:
            raise AssertionError("what is computed already needs no vectors of tags")

    assert computed(tagged(text_encoder=Unread())) == 0
    fewer = {modality: {work: words[:1] for work, words in tags.items()} for modality, tags in tagged().tags.items()}
    assert computed(tagged(tags=fewer)) == 1


def test_works_without_tags_are_told_of() -> None:
    with pytest.raises(RequestError, match="no work of arrays has tags"):
        run(tagged(tags={}))
    with pytest.raises(RequestError, match="nothing in arrays reads tags"):
        run(tagged(text_encoder=None))


def test_the_table_tells_recall_in_both_ways() -> None:
    tables = run(tagged()).tables
    view = next(each for each in RECIPE.views(tables) if "text → image" in each.caption)
    assert [row[0] for row in view.rows][:2] == ["areas", "areas, per seed"]
    assert view.rows[0][1] == "1.000 ±.000"
    assert view.rows[1][1] == "1.000 ±.000 in 10"
    assert set(RECIPE.pictures(tables)) == {"axes-recall", "axes-recall-per-seed"}


def test_reading_tags_is_told_where_a_cell_needs_it_and_not_where_all_are_kept(tmp_path: Path) -> None:
    options = TagOptions(Path(), classes="1,3", points="5", users=3, query_classes=QUERY, pool=40)

    def steps() -> list[str]:
        told: list[str] = []
        run_tags([tagged()], options, Cells(tmp_path, progress=lambda step, *_: told.append(step)))
        return told

    assert "Reading tags as texts" in steps()
    assert "Reading tags as texts" not in steps()
