"""Maps of works whose groups are known: groups that lie apart, and groups that mean nothing."""

import csv
import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.galleries import toy_gallery, toy_row, write_table
from tests.lab.separable import separable

from vernissage.cli.main import main
from vernissage.errors import RequestError
from vernissage.workspace.build import build_workspace
from vernissage_lab.cells import Cells
from vernissage_lab.material import Material, material_of
from vernissage_lab.recipe import Outcome, Tables
from vernissage_lab.recipes.maps import RECIPE, MapOptions, run_maps
from vernissage_lab.tables import Row, where


def run(*works: Material, cells: Cells | None = None, **changes: Any) -> Outcome:
    return run_maps(works, MapOptions(Path(), **changes), cells or Cells(seed=3))


def shuffled(material: Material) -> Material:
    """The same vectors, with groups that say nothing about them."""
    classes = np.random.default_rng(5).permutation(material.classes)
    return replace(material, classes=classes, encoder="shuffled")


@cache
def compared() -> Tables:
    """Groups that lie apart, the same works with groups at random, and texts blurred until directions say nothing."""
    material, noise = separable(), separable(blur=30, modalities=("text",))
    return run(material, replace(noise, encoder="noise"), shuffled(material)).tables


def one(tables: Tables, **wanted: str) -> Row:
    (found,) = where(tables["measures"], **wanted)
    return found


def number(row: Row, column: str = "mean") -> float:
    return float(row[column])


def test_groups_apart_are_seen_and_groups_at_random_are_at_chance() -> None:
    tables = compared()
    chance = sum(size * (size - 1) for size in [14] * 6 + [12] * 4) / 132 / 131
    for of in ("pictures", "texts", "joint"):
        alike = one(tables, encoder="axes", of=of, measure="same group in ten")
        assert number(alike) == 1
        assert number(alike, "chance") == pytest.approx(chance)
        assert number(alike, "lift") == pytest.approx(1 / chance)
        assert number(one(tables, encoder="axes", of=of, measure="silhouette")) > 0.9
    for encoder in ("noise", "shuffled"):
        alike = one(tables, encoder=encoder, of="texts", measure="same group in ten")
        assert abs(number(alike) - chance) < 3 * number(alike, "se") + 0.02
        silhouette = one(tables, encoder=encoder, of="texts", measure="silhouette")
        assert number(silhouette) == pytest.approx(number(silhouette, "chance"), abs=0.05)


def test_representations_are_compared_over_the_same_works() -> None:
    found = {str(row["representation"]): row for row in compared()["differences"]}
    shuffled = {f"shuffled {of}" for of in ("pictures", "texts", "joint")}
    assert set(found) == {"axes pictures", "axes texts", "noise texts"} | shuffled
    assert number(found["axes texts"], "difference") == 0
    assert number(found["shuffled texts"], "difference") < -0.8
    assert number(found["shuffled texts"], "p_holm") < 1e-6
    assert {(row["n"], row["reference"]) for row in found.values()} == {(132, "axes joint")}


def test_every_work_is_on_the_map_and_those_without_a_group_are_not_measured() -> None:
    material = separable(modalities=("text",))
    names = [material.class_names[place] if row % 6 else "" for row, place in enumerate(material.classes.tolist())]
    vectors = material.vectors["text"].copy()
    vectors[1] = 0  # no known word
    outcome = run(material_of({"text": vectors}, names, encoder="axes"))
    maps = outcome.tables["maps"]
    assert [row["work"] for row in maps] == [f"w{row:06d}" for row in range(132) if row != 1]
    assert {math.isnan(float(row["alike"])) for row in maps if not row["group"]} == {True}
    assert one(outcome.tables, measure="same group in ten")["n"] == sum(map(bool, names)) - 1
    assert any("22 of 131 works have no group" in note for note in outcome.notes)


def test_more_works_than_a_map_holds_are_drawn_the_same_for_all() -> None:
    outcome = run(separable(), works=60)
    pictures, texts = (where(outcome.tables["maps"], of=of) for of in ("pictures", "texts"))
    assert len(pictures) == 60
    assert [row["work"] for row in pictures] == [row["work"] for row in texts]
    assert any("a map of 60 works, drawn from 132" in note for note in outcome.notes)


def test_cells_are_read_again_and_a_run_goes_on(tmp_path: Path) -> None:
    works = separable()
    part = run(works, cells=Cells(tmp_path, seed=3, most=1))
    assert {row["of"] for row in part.tables["maps"]} == {"pictures"}
    rest, again = Cells(tmp_path, seed=3), Cells(tmp_path, seed=3)
    whole = run(works, cells=rest)
    assert (rest.made, rest.read) == (2, 1)
    assert json.dumps(run(works, cells=again).tables) == json.dumps(whole.tables)
    assert (again.made, again.read) == (0, 3)


def test_figures_and_tables_show_every_representation_with_its_numbers() -> None:
    tables = run(separable()).tables
    pictures = RECIPE.pictures(tables)
    assert list(pictures) == ["maps", "axes-pictures", "axes-texts", "axes-joint"]
    titles = [axes.get_title(loc="left") for axes in pictures["maps"].figure.axes]
    assert titles[:3] == ["axes, pictures", "axes, texts", "axes, joint"]
    assert "same group in ten 1.00 ±.00, chance .09" in pictures["axes-texts"].alt
    tangle, trust = RECIPE.views(tables)
    assert [row[:2] for row in trust.rows] == [row[:2] for row in tangle.rows]
    assert [row[:2] for row in tangle.rows[:3]] == [("axes", "pictures"), ("axes", "texts"), ("axes", "joint")]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([""] * 132, "no groups among the 132 works that arrays reads, but maps need 2"),
        (["only"] * 132, "only one group, only"),
        (
            ["a"] * 10 + ["b"] * 10 + [""] * 112,
            "20 works of arrays in 2 groups have a vector of arrays's texts; maps need 21",
        ),
        ([f"g{row}" for row in range(132)], "in 132 groups .*not one each"),
    ],
)
def test_groups_that_cannot_be_mapped_are_refused(names: list[str], words: str) -> None:
    material = material_of(separable(modalities=("text",)).vectors, names)
    with pytest.raises(RequestError, match=words):
        run(material)


def test_fewer_works_than_a_map_needs_are_refused() -> None:
    with pytest.raises(RequestError, match="--works 20"):
        run(separable(), works=20)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_gallery(tmp_path_factory.mktemp("maps") / "gallery", count=104)


def command(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> str:
    with pytest.raises(SystemExit) as end:
        main(["experiment", "run", "maps", *map(str, arguments)])
    printed = capsys.readouterr()
    assert end.value.code == code, printed.err
    return printed.err if code else printed.out


def test_the_command_maps_every_encoder_of_a_workspace(
    gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build_workspace(gallery, tmp_path / "workspace", encoders=["lsa", "colour-texture"])
    told = command(capsys, tmp_path / "workspace", "-o", tmp_path / "out")
    assert "How tangled the groups are" in told
    with (tmp_path / "out" / "measures.csv").open(newline="") as file:
        measures = [row for row in csv.DictReader(file) if row["measure"] == "same group in ten"]
    found = {(row["encoder"], row["of"]): row for row in measures}
    assert set(found) == {("colour-texture", "pictures"), ("lsa", "texts")}
    assert float(found["lsa", "texts"]["mean"]) == 1  # themes are groups, and words tell them
    colours = found["colour-texture", "pictures"]  # which are no groups
    assert abs(float(colours["mean"]) - float(colours["chance"])) < 3 * float(colours["se"]) + 0.02
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    assert set(record["figures"]) == {"maps", "lsa-texts", "colour-texture-pictures"}
    assert all((tmp_path / "out" / f"{name}.png").stat().st_size > 10_000 for name in record["figures"])
    assert "--caption is for data sets" in command(capsys, tmp_path / "workspace", "--caption", "title", code=1)


@pytest.mark.long
def test_the_command_maps_a_data_set_and_without_pictures_its_texts(
    gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    write_table(bare, [toy_row(row) | {"file_name": ""} for row in range(44)])
    told = command(capsys, bare, "--kind", "national-gallery", "-e", "lsa", "-o", tmp_path / "texts", "--json")
    assert [each["encoder"] for each in json.loads(told)["inputs"]] == ["lsa"]
    by_artist = ("--kind", "gallery", "--class-column", "artist", "-e", "aligned", "-o", tmp_path / "maps")
    told = command(capsys, gallery, *by_artist, "--json")
    record = json.loads(told)
    assert set(record["figures"]) >= {"maps", *(f"aligned-{of}" for of in ("pictures", "texts", "joint"))}
    with (tmp_path / "maps" / "maps.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["group"] for row in rows} == {"The red master", "The blue master"}
    assert len([row for row in rows if row["of"] == "pictures"]) == 104
