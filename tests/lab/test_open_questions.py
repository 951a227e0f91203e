"""The commands of what the papers left open, on the toy gallery, whose works are two themes in two colours."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.galleries import toy_gallery

from vernissage.workspace.build import build_workspace
from vernissage_lab.tables import read_table

VISITORS = ("--visitors", 6)
USERS = ("--query-classes", 1, "--classes", 1, "--points", 5, "--users", 4)
CUTS = ("--cut", "coherence", "--cut", "ward:2")

COMMAND = ("experiment", "run")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("questions")
    toy_gallery(folder / "gallery", count=64)
    build_workspace(folder / "gallery", folder / "workspace", encoders=["lsa", "colour-texture", "aligned"])
    return folder / "workspace"


@pytest.mark.parametrize(
    ("name", "options", "printed", "tables"),
    [
        ("weighting", VISITORS, "signed − linear", {"values", "means", "differences"}),
        ("overlap", VISITORS, "3 efficientnet-lite0-pooled, 4", {"values", "within", "between"}),
        ("fusion", (*VISITORS, "-k", "0,60"), "Partial against total fusion", {"overlap_means", "overlap_differences"}),
        ("areas", (*USERS, *CUTS, "--task", "image-to-text"), "ward:2", {"lists", "cut_means"}),
        ("mixed", USERS, "Milliseconds a query", {"values", "times"}),
    ],
)
def test_a_question_is_answered_by_one_command_with_tables_figures_and_a_record(
    run: Any,
    workspace: Path,
    tmp_path: Path,
    name: str,
    options: tuple[str | int, ...],
    printed: str,
    tables: set[str],
) -> None:
    told = run(name, workspace, *options, "-o", tmp_path / name)
    assert printed in told, told
    record = json.loads((tmp_path / name / "record.json").read_text())
    assert tables <= record["tables"].keys()
    assert all(read_table(tmp_path / name, table) for table in record["tables"])
    assert record["figures"]
    assert all((tmp_path / name / f"{figure}.png").stat().st_size > 10_000 for figure in record["figures"])
    again = json.loads(run(name, workspace, *options, "-o", tmp_path / name, "--json"))
    assert again["cells"]["computed"] == 0
    assert again["tables"] == record["tables"]


def test_the_record_names_the_encoders_behind_a_fusion(run: Any, workspace: Path, tmp_path: Path) -> None:
    told = json.loads(run("overlap", workspace, *VISITORS, "--engine", "late-zscore", "-o", tmp_path / "out", "--json"))
    assert [each["encoder"] for each in told["inputs"]] == [
        "lsa", "wordllama", "colour-texture", "efficientnet-lite0", "efficientnet-lite0-pooled"
    ]  # fmt: skip


def test_what_is_wrong_is_told_in_one_line(run: Any, workspace: Path, tmp_path: Path) -> None:
    out = ("-o", tmp_path / "out")
    assert "give two with --engine" in run("fusion", workspace, "--engine", "lsa", *out, code=1)
    assert "not whole numbers" in run("fusion", workspace, "-k", "0,x", *out, code=1)
    assert "reads texts alone" in run("mixed", workspace, "-e", "lsa", *USERS, *out, code=1)
    assert "no rule 'best'" in run("areas", workspace, "--cut", "best", *USERS, *out, code=1)
    assert "--factors or from --by" in run("weighting", workspace, "--by", "group", "--factors", "f.csv", *out, code=1)
