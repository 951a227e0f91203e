"""`tune` and the approximate index in a workspace: chosen, shown, kept up by builds, and never silently replaced."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.contracts.stand_in_index import StandInColumns

from vernissage.encoders.contract import unit_rows
from vernissage.errors import ProvenanceError, RequestError, WorkspaceError
from vernissage.pages.figures import save_figure
from vernissage.pages.tuning_figure import tuning_figure
from vernissage.search.vectors import make_vector_table
from vernissage.workspace import tuning
from vernissage.workspace.checking import check_workspace
from vernissage.workspace.index_choice import IndexChoice, IndexedTable, use_index
from vernissage.workspace.state import INDEX_CHOICES, LISTS, STAGING
from vernissage.workspace.tuning import Point, Tuning, Wanted, tune
from vernissage.workspace.workspace import Workspace, open_workspace

KEY = "colour-texture.image"


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "workspace"))


@pytest.fixture
def approximate(copied: Path) -> Workspace:
    """A workspace of which one table has an approximate index."""
    use_index(open_workspace(copied), IndexChoice("approximate"), [KEY])
    return open_workspace(copied)


def measured(tmp_path: Path, wanted: Wanted) -> Tuning:
    """What is measured over three thousand works in sixty clusters."""
    rng = np.random.default_rng(0)
    vectors = unit_rows(
        rng.standard_normal((60, 16))[rng.integers(0, 60, 3_000)] + 0.1 * rng.standard_normal((3_000, 16))
    )
    about = {"encoder": "toy", "fingerprint": "f", "modality": "image", "collection": "c"}
    table = make_vector_table(vectors, [f"w{row:04d}" for row in range(3_000)], [""] * 3_000, **about)
    stem = tmp_path / "workspace" / "indexes" / "toy.image-0123456789ab"
    return tuning._tuned("toy.image", IndexedTable(table, StandInColumns(), stem), wanted, lambda *_: None)


def test_a_choice_is_opened_answers_and_passes_the_check(approximate: Workspace) -> None:
    index = approximate.index("colour-texture", "image")
    assert (index.card.kind, approximate.index("lsa", "text").card.kind) == ("approximate", "exact")
    assert len(index.search(index.vectors_of([index.item_ids[0]]), 9)[0]) == 9
    report = check_workspace(approximate.path)
    assert report.is_sound
    assert any(name.endswith(LISTS) for name in report.checked)
    assert not (approximate.path / STAGING / "lists").exists()


@pytest.mark.parametrize("damage", ["missing", "cut", "foreign"])
def test_lists_that_are_damaged_are_refused_and_the_way_out_named(approximate: Workspace, damage: str) -> None:
    [file] = (approximate.path / "indexes").glob(f"{KEY}*{LISTS}")
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:1_000])
    else:
        use_index(approximate, IndexChoice("approximate"), ["lsa.text"])
        [other] = (approximate.path / "indexes").glob(f"lsa.text*{LISTS}")
        shutil.copy(other, file)
    opened = open_workspace(approximate.path)
    with pytest.raises(ProvenanceError, match=f"vernissage index use .* --vectors {KEY} --kind approximate"):
        opened.index("colour-texture", "image")
    use_index(opened, IndexChoice("approximate"), [KEY])
    assert open_workspace(approximate.path).index("colour-texture", "image").card.kind == "approximate"
    use_index(opened, IndexChoice("exact"), [KEY])
    assert open_workspace(approximate.path).index("colour-texture", "image").card.kind == "exact"


def test_settings_of_another_kind_are_refused(approximate: Workspace) -> None:
    place = approximate.path / INDEX_CHOICES
    content = json.loads(place.read_text())
    content[KEY]["settings"]["efforts"] = [{"k": "ten", "probes": 1, "candidates": 2}]
    place.write_text(json.dumps(content))
    with pytest.raises(RequestError, match="settings of the approximate index"):
        open_workspace(approximate.path).index("colour-texture", "image")


def test_a_full_disk_leaves_the_state_before(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise WorkspaceError("no space left on its disk")

    monkeypatch.setattr("vernissage.search.approximate.write_arrays", full)
    with pytest.raises(WorkspaceError, match="no space"):
        use_index(open_workspace(copied), IndexChoice("approximate"), [KEY])
    assert not (copied / INDEX_CHOICES).exists()
    assert open_workspace(copied).index("colour-texture", "image").card.kind == "exact"


def test_tune_finds_the_recall_that_is_wanted_and_stores_what_serves(tmp_path: Path) -> None:
    found = measured(tmp_path, Wanted(depths=(10, 50)))
    exact = [each for each in found.points if not each.probes]
    assert [(each.k, each.least) for each in exact] == [(10, 1.0), (50, 1.0)]
    assert {each.k for each in found.chosen} == {10, 50}
    assert all(each.least >= 0.99 for each in found.chosen)
    assert max(each.least for each in found.points if each.probes) >= 0.99
    assert set(exact[0].recall) >= {"works", "nine ratings", "areas", "works of a tenth"}
    least = [each.least for each in found.points if each.k == 10 and each.probes]
    assert least[-1] > least[0]
    save_figure(tuning_figure([found]), tmp_path / "plot.svg")
    assert "<svg" in (tmp_path / "plot.svg").read_text()


def test_the_fastest_that_reaches_the_recall_is_chosen_where_it_pays() -> None:
    points = [
        Point(10, 0, 0, 10.0, {"works": 1.0}),
        Point(10, 2, 20, 1.0, {"works": 0.9}),
        Point(10, 4, 40, 2.0, {"works": 0.99}),
        Point(10, 8, 40, 3.0, {"works": 1.0}),
        Point(100, 0, 0, 10.0, {"works": 1.0}),
        Point(100, 8, 200, 9.0, {"works": 1.0}),
    ]
    chosen, why = tuning._chosen(points, (10, 100), Wanted(), 1_000_000)
    assert [(each.k, each.probes) for each in chosen] == [(10, 4), (100, 0)]
    assert why == "faster than exact: 5.0 times at 10"
    for wanted, said in (
        (Wanted(megabytes=0.5), "1.0 MB, more than 0.5 MB"),
        (Wanted(milliseconds=20), "20 ms are wanted"),
        (Wanted(recall=1.0, depths=(100,)), "nothing is faster"),
    ):
        kept = [each for each in points if each.k in wanted.depths]
        chosen, why = tuning._chosen(kept, wanted.depths, wanted, 1_000_000)
        assert not any(each.probes for each in chosen)
        assert said in why


def test_small_collections_stay_exact_and_keep_no_lists(copied: Path) -> None:
    [found] = tune(open_workspace(copied), keys=[KEY])
    assert found.choice == IndexChoice()
    assert not list((copied / "indexes").glob(f"*{LISTS}"))
    assert open_workspace(copied).index("colour-texture", "image").card.kind == "exact"


@pytest.mark.parametrize("given", [{"recall": 0.0}, {"recall": 1.5}, {"depths": ()}, {"depths": (0,)}])
def test_what_cannot_be_reached_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(RequestError, match="cannot be reached"):
        Wanted(**given)  # type: ignore[arg-type]
