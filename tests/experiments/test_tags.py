from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.experiments.planted import NOISE, QUERY, planted

from vernissage.encoders.contract import Vectors, unit_rows
from vernissage.errors import RequestError
from vernissage.experiments.cells import Cells
from vernissage.experiments.material import Material
from vernissage.experiments.recipes.contract import Outcome
from vernissage.experiments.recipes.tags import TAGS, TagOptions, run_tags
from vernissage.experiments.tidy import where
from vernissage.progress import silent


class ReadsTags:
    """Encodes texts by the tags that they name; what all works have is a direction of its own."""

    name, dim, fingerprint, modalities = "tags", QUERY + NOISE + 1, "f", frozenset({"text"})

    def encode_texts(self, texts: list[str]) -> Vectors:
        rows = [[f"tag{each}" in text.split() for each in range(QUERY + NOISE)] + ["work" in text] for text in texts]
        return unit_rows(np.array(rows, dtype=float))


def tagged(**changes: Any) -> Material:
    return replace(planted(), **{"text_encoder": ReadsTags(), **changes})


def run(material: Material, **changes: Any) -> Outcome:
    options = TagOptions(
        **{"classes": (1, 3), "points": (5,), "users": 5, "query_classes": QUERY, "pool": 40} | changes
    )
    return run_tags([material], options, seed=0, cells=Cells(None, {}), progress=silent)


def mean(outcome: Outcome, method: str, classes: int, measure: str = "recall") -> float:
    (row,) = where(outcome.tables["means"], method=method, classes=classes, measure=measure, task="text-to-image")
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
    tags = {"text": planted().tags["text"], "image": dict.fromkeys(planted().item_ids, ("seen",))}
    outcome = run(tagged(tags=tags))
    assert mean(outcome, "areas", 3) == 1
    assert mean(outcome, "tag-overlap", 3) < 1
    assert mean(outcome, "tag-embedding", 3) == 0  # no picture has a tag that is read


def test_tags_of_pictures_alone_stand_for_texts_too() -> None:
    lent = run(tagged(tags={"image": planted().tags["image"]}))
    assert lent.tables == run(tagged()).tables
    assert lent.notes[0] == "arrays: its texts have no tags of their own, so those of the other half stand for them"


def test_works_without_tags_are_told_of() -> None:
    with pytest.raises(RequestError, match="no work of arrays has tags"):
        run(tagged(tags={}))
    with pytest.raises(RequestError, match="nothing in arrays reads tags"):
        run(tagged(text_encoder=None))


def test_the_table_tells_recall_in_both_ways() -> None:
    tables = run(tagged()).tables
    view = next(each for each in TAGS.views(tables) if "text → image" in each.caption)
    assert [row[0] for row in view.rows][:2] == ["areas", "areas, per seed"]
    assert view.rows[0][1] == "1.000 ±.000"
    assert view.rows[1][1] == "1.000 ±.000 in 10"
    assert set(TAGS.pictures(tables)) == {"axes-recall", "axes-recall-per-seed"}
