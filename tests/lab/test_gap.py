import json
from pathlib import Path

import numpy as np
import pytest
from tests.galleries import toy_gallery
from tests.lab.separable import separable

from vernissage.cli.main import main
from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage_lab.cells import Cells
from vernissage_lab.datasets.captioned import Caption, CaptionedSet, ImageEntry
from vernissage_lab.material import PairedWorks, material_of, pairs_of_set
from vernissage_lab.recipe import Tables
from vernissage_lab.recipes.gap import RECIPE, GapOptions, run_gap
from vernissage_lab.set_encoders import SetEncoder
from vernissage_lab.tables import Row, where

WORKS, DIM, APART = 60, 12, 1.5


def moved_texts(*, captions: int = WORKS // 2) -> PairedWorks:
    """Works along directions of their own; all texts moved the same way, which is the gap; half are for fitting."""
    random = np.random.default_rng(0)
    works = random.standard_normal((WORKS, DIM))
    moved = np.zeros(DIM)
    moved[0] = APART * np.sqrt(DIM)
    texts = [unit_rows(works + moved + random.normal(0, 0.1, works.shape)) for _ in range(2)]
    fitting = np.arange(WORKS) % 2 == 0
    material = material_of(
        {"image": unit_rows(works - moved), "text": texts[0]}, [""] * WORKS, encoder="separable", fingerprint="gap"
    )
    measured = np.flatnonzero(~fitting)[:captions]
    return PairedWorks(material, fitting, (texts[0][measured], texts[1][measured]), "nothing of this set")


def _tables(one: PairedWorks | None = None, cells: Cells | None = None) -> Tables:
    return run_gap([one or moved_texts()], 1_000, cells or Cells()).tables


def _one(rows: list[Row], **wanted: str) -> Row:
    found = where(rows, **wanted)
    assert len(found) == 1
    return found[0]


def test_a_gap_is_seen_and_closed() -> None:
    measures = list(_tables()["measures"])
    before, after = (_one(measures, measure="gap", method=each) for each in ("before", "means removed"))
    assert float(before["mean"]) > 1.2
    assert float(after["mean"]) < 2 * float(after["chance"]) < 0.5
    assert float(_one(measures, measure="told apart", method="before")["mean"]) == 1
    named = {"measure": "recall@1", "space": "mixed", "task": "image-to-text"}
    assert float(_one(measures, method="before", **named)["mean"]) < 0.2
    assert float(_one(measures, method="means removed", **named)["mean"]) > 0.8
    assert float(_one(measures, method="before", **named)["chance"]) == pytest.approx(1 / (2 * WORKS / 2 - 1))


def test_histograms_hold_every_pair_and_maps_every_work() -> None:
    tables = _tables()
    half = WORKS // 2
    for pairs in ("picture and text", "two captions of one work"):
        for method in ("before", "means removed"):
            named = {"encoder": "separable", "pairs": pairs, "method": method}
            for kind, n in (("together", half), ("apart", half * half - half)):
                bars = where(tables["histograms"], **named, kind=kind)
                assert [bars[0]["from"], bars[-1]["to"], len(bars)] == [-1, 1, 100]
                assert (
                    sum(int(bar["count"]) for bar in bars)
                    == n
                    == _one(list(tables["cosines"]), **named, kind=kind)["n"]
                )
            assert len(where(tables["maps"], **named)) == 2 * half
    cosines = where(tables["cosines"], pairs="two captions of one work", method="before")
    assert [float(row["mean"]) > 0.95 for row in cosines] == [True, False]
    assert float(cosines[0]["nearer"]) == 1


def test_the_figures_are_made_from_the_tables() -> None:
    pictures = RECIPE.pictures(_tables())
    assert list(pictures) == ["separable-boxes", "separable-gap", "separable-captions"]
    boxes = pictures["separable-boxes"].figure.axes[0]
    assert [label.get_text().replace("\n", " ") for label in boxes.get_xticklabels()] == [
        "two captions of one work, together",
        "two captions of one work, apart",
        "picture and text, together",
        "picture and text, apart",
    ]
    titles = [panel.get_title(loc="left") for panel in pictures["separable-gap"].figure.axes[:2]]
    assert [title.strip() for title in titles] == ["Before", "Means removed"]
    assert "gap 1." in pictures["separable-gap"].alt
    legend = pictures["separable-captions"].figure.axes[2].get_legend_handles_labels()[1]
    assert legend == ["one caption  30", "another caption  30"]


def test_without_second_captions_their_figure_is_left_out_and_it_is_said() -> None:
    outcome = run_gap([moved_texts(captions=3)], 1_000, Cells())
    assert list(RECIPE.pictures(outcome.tables)) == ["separable-boxes", "separable-gap"]
    assert any("no cosines between captions" in note for note in outcome.notes)


def test_a_cell_is_read_again_with_equal_figures(tmp_path: Path) -> None:
    first, again = Cells(tmp_path), Cells(tmp_path)
    tables = _tables(cells=first)
    assert json.dumps(_tables(cells=again)) == json.dumps(tables)
    assert (first.made, again.made, again.read) == (1, 0, 1)


def test_an_encoder_of_texts_alone_and_too_few_pairs_are_refused() -> None:
    texts = separable(modalities=("text",))
    with pytest.raises(RequestError, match="reads texts alone"):
        _tables(PairedWorks(texts, np.zeros(len(texts), dtype=bool), (texts.vectors["text"],) * 2, ""))
    with pytest.raises(RequestError, match="--pairs 9 cannot be; give 10 or more"):
        GapOptions(Path(), pairs=9)


class _ByNumber:
    """Reads the number at the end of a caption."""

    name, dim, fingerprint, modalities = "numbers", 8, "f", frozenset({"text"})


def test_a_set_that_cannot_serve_is_refused(tmp_path: Path) -> None:
    found = CaptionedSet("ten", "", (ImageEntry("a", "a.png"),), (Caption("a0", "a", "one"),))
    with pytest.raises(RequestError, match="numbers does not read both"):
        pairs_of_set(found, SetEncoder(_ByNumber(), ""), tmp_path, pairs=10)


def test_the_command_fits_on_one_half_and_measures_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery = toy_gallery(tmp_path / "gallery", count=120)
    with pytest.raises(SystemExit) as end:
        main(["experiment", "run", "gap", str(gallery), "--pairs", "40", "-o", str(tmp_path / "out")])
    printed = capsys.readouterr()
    assert end.value.code == 0, printed.err
    assert "aligned: pictures and texts in one space" in printed.out
    assert "aligned was fitted on the part train" in printed.err
    assert "60 works; the means were fitted on 40 works" in printed.err
    assert "40 pairs were measured; the paper has 1,000" in printed.err
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    assert record["inputs"][0]["works"] == 80
    assert (tmp_path / "out" / "aligned-gap.png").stat().st_size > 10_000
