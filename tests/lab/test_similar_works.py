"""`evaluate --similar` and `--variety`: shares of works with one label, caps and figures, by hand."""

from pathlib import Path

import pytest

from vernissage.errors import RequestError
from vernissage.gallery.building import build
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.recommenders.listed_works import ListedWorks
from vernissage.workspace.workspace import Workspace, open_workspace
from vernissage_lab.baselines import RandomOrder
from vernissage_lab.recipes.evaluate import EvaluateOptions, evaluate
from vernissage_lab.recipes.similar_works import Capped, evaluate_similar
from vernissage_lab.tastes import labels_from_collection

KINDS = {"sea": "boat harbour sail wave", "land": "road field tree hill"}


def built(folder: Path, encoders: list[str], column: str = "category") -> Workspace:
    fruit = ("apple", "pear", "plum", "cherry", "quince", "lemon", "grape", "melon", "fig", "currant")
    rows = [
        f'{kind}{number},"{words} {word}",artist {number % 2},{kind},{word}|{kind}'
        for kind, words in KINDS.items()
        for number, word in enumerate(fruit)
    ]
    table = folder / "works" / "metadata.csv"
    table.parent.mkdir()
    table.write_text("\n".join([f"id,title,artist,{column},keywords", *rows]), "utf-8")
    build(table, folder / "workspace", encoders=encoders)
    return open_workspace(folder / "workspace")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return built(tmp_path_factory.mktemp("three"), ["lsa", "lda", "wordllama"])


def test_texts_find_the_label_and_an_artist_does_not(opened: Workspace) -> None:
    told = evaluate_similar(opened, labels_from_collection(opened.collection, ["group"]), 3).content
    precision = {row["way"]: row["precision"] for row in told["rows"]}
    assert (told["queries"], told["works"], told["chance"]) == (20, 20, pytest.approx(9 / 19))
    assert told["precision"] > 0.8 > told["chance"]
    # Five works of land come first by their ids among the artist's, whoever is asked about.
    assert precision["same artist"] == pytest.approx(0.5)
    # Its kind's works and the other kind's same fruit share one word each; those of land come first by their ids.
    assert precision["most shared keywords"] == pytest.approx((1 + 2 / 3) / 2)
    assert f"{told['engine']} + most shared keywords" in precision


def test_a_label_that_no_two_works_share_is_refused(opened: Workspace) -> None:
    labels = labels_from_collection(opened.collection, ["group"]).of(["sea0", "land0"])
    with pytest.raises(RequestError, match="0 works share their group"):
        evaluate_similar(opened, labels, 3)


def test_a_cap_holds_and_the_list_stays_full() -> None:
    works = ListedWorks(tuple("abcdef"))
    capped = Capped(RandomOrder(works), {"a": "x", "b": "x", "c": "x", "d": ""}, 1)
    shown = capped.recommend(profile_from_ratings({"f": 5}, "linear"), 3).ranking
    assert len(shown) == 3
    assert sum(each in "abc" for each in shown.item_ids) <= 1
    assert len(capped.recommend(profile_from_ratings({"f": 5}, "linear"), 9).ranking) == 3


def test_what_varied_lists_cost_is_told_and_drawn(opened: Workspace, tmp_path: Path) -> None:
    plot = tmp_path / "variety.png"
    asked = EvaluateOptions(workspace=opened.path, variety=True, visitors=20, n=4, plot=plot)
    content = evaluate(asked).content
    rows = {row["list"]: row for row in content["rows"]}
    assert content["judge"] == "wordllama"
    assert next(iter(rows)) == "diversity 0"
    assert rows["2 per group"]["groups"] == 2  # of two groups each gives two of four
    assert rows["1 per artist"]["ndcg"] <= rows["diversity 0"]["ndcg"]  # two works stand in four places
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_variety_needs_three_representations(tmp_path: Path) -> None:
    two = built(tmp_path, ["lsa", "lda"])
    with pytest.raises(RequestError, match="three representations"):
        evaluate(EvaluateOptions(workspace=two.path, variety=True))
