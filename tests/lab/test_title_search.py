"""`evaluate --search`: ranks of works whose titles are searched for, by hand."""

from pathlib import Path

import pytest

from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.gallery.building import build
from vernissage.workspace.workspace import open_workspace
from vernissage_lab.recipes.title_search import _reciprocal_rank, _without_title, evaluate_search

WORKS = [
    ("Boats", "Boats. Two boats leave the harbour"),
    ("Letter", "A woman reads a letter"),
    ("Snow", "A road with snow in winter"),
    ("Apples", "Apples and pears on a plate"),
    ("Portrait", "A man with a hat"),
    ("Portrait", "A girl with a letter"),
]


def test_equal_scores_share_the_mean_of_their_ranks() -> None:
    import numpy as np

    scores = np.array([3.0, 1.0, 1.0, 0.0])
    assert [_reciprocal_rank(scores, row) for row in range(4)] == [1, 1 / 2.5, 1 / 2.5, 1 / 4]


def test_titles_are_taken_off_texts_and_descriptions() -> None:
    item = Item("a", title="Boats", description="Boats. Two boats", text="Boats. Boats. Two boats")
    assert (_without_title(item).title, _without_title(item).text) == ("", "Two boats")


def test_titles_of_one_work_are_searched_for(tmp_path: Path) -> None:
    table = tmp_path / "works" / "metadata.csv"
    table.parent.mkdir()
    rows = [f'w{row},{title},"{text}"' for row, (title, text) in enumerate(WORKS)]
    table.write_text("\n".join(["id,title,description", *rows]), "utf-8")
    build(table, tmp_path / "workspace", encoders=["lsa"])
    told = evaluate_search(open_workspace(tmp_path / "workspace"))
    assert (told.content["titles"], told.content["works"]) == (4, 6)
    found = {row["search"]: row["mrr"] for row in told.content["rows"]}
    assert list(found)[:2] == ["bm25s as it comes", "BM25 over lemmas"]
    # "letter" stands in two works, the other titles in one each.
    assert found["search --encoder lsa"] >= (3 + 1 / 2) / 4
    assert found["bm25s as it comes"] == pytest.approx((3 + 1 / 2) / 4)  # the shorter of the two letters first
    compared = [row["search"] for row in told.content["rows"] if "difference" not in row]
    assert compared == ["search --encoder lsa"]  # what the gallery searches with, all others against it


def test_others_are_compared_with_the_encoder_that_searches_take(tmp_path: Path) -> None:
    table = tmp_path / "works" / "metadata.csv"
    table.parent.mkdir()
    table.write_text(
        "\n".join(["id,title,description", *(f'w{at},{one},"{two}"' for at, (one, two) in enumerate(WORKS))])
    )
    build(table, tmp_path / "workspace", encoders=["wordllama", "lsa"])
    told = evaluate_search(open_workspace(tmp_path / "workspace"))
    assert told.content["rows"][-1]["search"] == "search --encoder wordllama"  # preferred in English, not the last one


def test_a_collection_without_titles_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "works" / "metadata.csv"
    table.parent.mkdir()
    table.write_text("id,description\na,A boat at sea\nb,A horse on a boat\n", "utf-8")
    build(table, tmp_path / "workspace", encoders=["lsa"])
    with pytest.raises(RequestError, match="0 works have a title of their own"):
        evaluate_search(open_workspace(tmp_path / "workspace"))
