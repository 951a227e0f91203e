"""The commands of experiments on the toy gallery, whose works are two themes in two colours."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.galleries import toy_gallery
from tests.lab.published.theirs import zccr

from vernissage.cli.main import main
from vernissage.workspace.build import build_workspace
from vernissage_lab.recipe import RECIPES
from vernissage_lab.tables import read_table

ABLATION = ("--query-classes", 1, "--classes", 1, "--points", "3,5", "--users", 4, "--projection", "none")

COMMAND = ("experiment",)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("experiments")
    toy_gallery(folder / "gallery", count=120)
    build_workspace(folder / "gallery", folder / "workspace", encoders=["lsa", "colour-texture", "aligned"])
    return folder / "workspace"


def test_list_names_every_experiment_and_each_has_a_command(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(run("list", "--json"))
    assert {each["name"] for each in told} >= set(RECIPES)
    for each in told:
        with pytest.raises(SystemExit) as end:
            main([*each["command"].split(), "--help"])
        assert end.value.code == 0
        assert re.search(r"Examples?:", capsys.readouterr().out)
        assert each["paper"]
        assert each["what"]
        assert each["needs"]


def _numbers(told: list[dict[str, str]], paper: str, kind: str) -> set[int]:
    """The numbers of figures or tables of a paper that the list names: "Figs. 5 to 7" and "Tables 1, 6 and 7"."""
    found: set[int] = set()
    for each in told:
        parts = re.findall(rf"{kind}s?\.? ((?:\d+|, | and | to )+)", each["paper"])
        for piece in (
            piece for part in parts for piece in re.split(", | and ", part) if each["paper"].startswith(paper)
        ):
            ends = [int(number) for number in piece.split(" to ") if number]
            found |= set(range(ends[0], ends[-1] + 1)) if ends else set()
    return found


def test_list_finds_every_table_and_figure_of_both_papers(run: Any) -> None:
    told = json.loads(run("list", "--json"))
    assert _numbers(told, "Yilma & Leiva 2023: ", "Fig") == {5, 6, 8}
    assert _numbers(told, "Yilma & Leiva 2023: ", "Table") == {1, 2}
    assert any("section 6.1" in each["paper"] for each in told)
    assert _numbers(told, "ZCCR: ", "Fig") >= {5, 6, 7, *range(14, 21)}
    assert _numbers(told, "ZCCR: ", "Table") >= {1, *range(3, 8)}


def test_list_fits_into_eighty_columns(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = [line.rstrip() for line in run("list").splitlines()]
    assert max(map(len, lines)) <= 80
    for name in RECIPES:
        assert any(line.endswith(f"vernissage lab experiment run {name}") for line in lines)


def test_a_run_leaves_tables_figures_and_a_record_and_is_resumed(run: Any, workspace: Path, tmp_path: Path) -> None:
    out = tmp_path / "ablation"
    part = run("run", "ablation", workspace, *ABLATION, "--cells", 2, "-o", out)
    assert "(2 cells computed, 0 read)" in part
    printed = run("run", "ablation", workspace, *ABLATION, "-o", out)
    assert "(4 cells computed, 2 read)" in printed
    assert re.search(r"coherence +centroid +1?\.\d{3} ±\.\d{3} \| ", printed)
    record = json.loads((out / "record.json").read_text())
    assert record["inputs"][0]["encoder"] == "aligned"
    assert record["machine"].keys() == {"cores", "memory_gb", "processor", "system"}
    assert {"numpy", "faiss-cpu", "python", "vernissage"} <= record["versions"].keys()
    for name in record["tables"]:
        assert len(read_table(out, name)) == len((out / f"{name}.csv").read_text().splitlines()) - 1
    for name in record["figures"]:
        assert (out / f"{name}.png").stat().st_size > 10_000
    again = run("run", "ablation", workspace, *ABLATION, "-o", tmp_path / "other", "--json")
    assert json.loads(again)["tables"] == record["tables"]  # the same bytes, whether interrupted or not


class _Images(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attrs))


def test_the_report_is_one_page_with_figures_and_says_where_nothing_is_published(
    run: Any, workspace: Path, tmp_path: Path
) -> None:
    out = tmp_path / "ablation"
    run("run", "ablation", workspace, *ABLATION, "-o", out)
    run("report", out, "-o", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    parsed = _Images()
    parsed.feed(page)
    assert len(parsed.images) == 8  # four tasks, counted in two ways
    assert all(str(each["src"]).startswith("data:image/svg+xml") and each["alt"] for each in parsed.images)
    assert "None stands here" in page
    assert "4 users in each cell; the protocol asks for 100" in page
    assert "http://" not in page
    assert "https://" not in page


def test_the_report_sets_the_authors_values_beside_a_run(run: Any, workspace: Path, tmp_path: Path) -> None:
    out, theirs = tmp_path / "ablation", tmp_path / "ZCCR-Exp"
    run("run", "ablation", workspace, *ABLATION, "-o", out)
    theirs.mkdir()
    assert "zccr_metrics.csv of the authors' repository is expected" in run(
        "report", out, "--published", theirs, code=1
    )
    line = "txt2txt,clip,coco,1,5,None,agglomerative,5,centroid,10,1000,0.52,0.3"
    zccr(theirs, line)
    run("report", out, "--published", theirs, "-o", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert re.search(r"<td>1?\.\d{3} ±\.\d{3} in \d+</td>\s*<td>\.52</td>", page)
    assert "Not the same data: gallery (120 works) here, MSCOCO there." in page
    assert "Classes that are asked for: 1 here, 25 there" in page
    zccr(theirs, line.replace("0.52", "x"))
    assert "line 2 has 'x' in the column recall" in run("report", out, "--published", theirs, code=1)


def test_retrieval_measures_the_half_that_the_alignment_has_not_seen(run: Any, workspace: Path, tmp_path: Path) -> None:
    printed = run("run", "retrieval", workspace, "-o", tmp_path)
    assert "unimodal  image → text" in printed
    assert {row["n"] for row in read_table(tmp_path, "means")} == {60, 30}
    assert "lsa reads texts alone" in run("run", "retrieval", workspace, "-e", "lsa", code=1)


def test_retrieval_reads_a_data_set_and_fits_on_its_training_part(run: Any, workspace: Path, tmp_path: Path) -> None:
    gallery = workspace.parent / "gallery"
    told = run("run", "retrieval", gallery, "--kind", "gallery", "-o", tmp_path, "--pairs", 30, "--json")
    assert json.loads(told)["inputs"][0]["works"] <= 60
    assert {row["n"] for row in read_table(tmp_path, "means")} == {30, 15}


def test_the_gap_of_a_workspace_is_measured_on_the_half_that_means_have_not_seen(
    run: Any, workspace: Path, tmp_path: Path
) -> None:
    run("run", "gap", workspace, "--pairs", 40, "-o", tmp_path / "gap")
    record = json.loads((tmp_path / "gap" / "record.json").read_text())
    assert record["inputs"][0]["works"] == 120
    assert any("aligned was fitted on one half of" in note for note in record["notes"])
    assert "reads texts alone" in run("run", "gap", workspace, "-e", "lsa", "-o", tmp_path / "lsa", code=1)
    assert "--caption is for data sets" in run("run", "gap", workspace, "--caption", "title", code=1)


def test_the_protocol_runs_on_a_data_set(run: Any, workspace: Path, tmp_path: Path) -> None:
    gallery = workspace.parent / "gallery"
    small = ("--classes", 1, "--points", 3, "--users", 3, "--query-classes", 1)
    of_set = ("--kind", "gallery", "--class-column", "artist", "-e", "lsa", *small, "--json")
    record = json.loads(run("run", "ablation", gallery, *of_set, "--projection", "none", "-o", tmp_path / "ablation"))
    assert record["inputs"][0]["encoder"] == "lsa"
    assert record["inputs"][0]["classes"] == 2
    assert {row["task"] for row in read_table(tmp_path / "ablation", "values")} == {"text-to-text"}
    assert "has no weights" in run("run", "tags", gallery, *of_set, "--weights", gallery, code=1)


@pytest.mark.long
def test_workers_change_no_byte(run: Any, workspace: Path, tmp_path: Path) -> None:
    records = [
        json.loads(run("run", "ablation", workspace, *ABLATION, "--workers", n, "-o", tmp_path / str(n), "--json"))
        for n in (1, 2)
    ]
    assert records[0]["tables"] == records[1]["tables"]
    assert records[1]["cells"]["computed"] == 6


def test_an_experiment_as_published_needs_raw_vectors(run: Any, workspace: Path, tmp_path: Path) -> None:
    assert "is a workspace, which keeps vectors of length 1" in run(
        "run", "ablation", workspace, "--as-published", code=1
    )
    small = ("--kind", "gallery", "-e", "lsa", "-o", tmp_path, "--query-classes", 1, "--classes", 1)
    told = run("run", "ablation", workspace.parent / "gallery", "--as-published", *small, code=1)
    assert "lsa has no vectors but those of length 1" in told


def test_what_is_wrong_is_told_in_one_line(run: Any, workspace: Path, tmp_path: Path) -> None:
    assert "25 query classes" in run("run", "ablation", workspace, code=1)
    assert "not whole numbers" in run("run", "ablation", workspace, "--classes", "1,x", code=1)
    assert "0 workers" in run("run", "ablation", workspace, *ABLATION, "--workers", 0, "-o", tmp_path / "none", code=1)
    assert "holds no experiment" in run("report", tmp_path, code=1)
    assert "did you mean ablation?" in run("run", "ablations", workspace, code=2)
    twice = run("run", "ablation", workspace, *ABLATION, "--classes", 2, code=2)
    assert "--classes is given 2 times, and one value is read" in twice
