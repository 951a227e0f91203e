"""JSON and TOML files that are damaged in every way: an answer, or a line that says what is wrong; nothing else."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.mutations import mutations, toml_mutations
from tests.workspace.test_build import snapshot

from vernissage.cli.main import main
from vernissage.errors import Kind

COUNT = int(os.environ.get("VERNISSAGE_MUTATIONS", "15"))
"""Mutations of each file; `make verify` runs more."""

CODES = {0, 1, 2, *(kind.exit_code for kind in Kind)}


@dataclass(frozen=True)
class Case:
    """A file below the folder of the test, what it holds where it is not there, and commands that read it."""

    file: str
    commands: tuple[tuple[str, ...], ...]
    content: str = ""


RECOMMEND = ("recommend", "workspace", "--rate", "w001=5", "-n", "2", "--engine", "lda")
ALIGNED = ("search", "workspace", "storm", "--encoder", "aligned", "-n", "2")
STUDY = ("study", "check", "study.toml", "workspace")
DRY = ("build", "gallery/metadata.csv", "-o", "workspace", "--dry-run")
CASES = {
    "manifest": Case("workspace/workspace.json", (RECOMMEND, ("info", "workspace"), ("check", "workspace"))),
    "card of vectors": Case("workspace/vectors/lda.text-*.card.json", (RECOMMEND, ("check", "workspace"))),
    "card of a model": Case(
        "workspace/models/lda-*/model.json", (("search", "workspace", "storm", "--encoder", "lda"),)
    ),
    "card of an aligned model": Case("workspace/models/aligned-*/model.json", (ALIGNED,)),
    "card of means": Case(
        "workspace/means/aligned-*/model.json",
        (("search", "workspace", "storm", "--encoder", "aligned", "--in", "both", "-n", "2"), ("check", "workspace")),
    ),
    "options of a table": Case(
        "workspace/table.json",
        (DRY,),
        json.dumps(
            {"columns": {"title": "title"}, "encoding": "utf-8", "text_columns": {"group": True}, "pictures": ""}
        ),
    ),
    "mapping": Case("mapping.json", ((*DRY, "--mapping", "mapping.json"),), '{"title": "title", "artist": "artist"}'),
    "ratings by id": Case(
        "ratings.json", (("recommend", "workspace", "--ratings", "ratings.json", "-n", "2"),), '{"w001": 5, "w002": 1}'
    ),
    "ratings in a list": Case(
        "ratings.json",
        (("recommend", "workspace", "--ratings", "ratings.json", "-n", "2"),),
        '[{"id": "w001", "rating": 5}, {"id": "w002", "rating": 1.5}]',
    ),
    "works in JSON": Case(
        "works.json",
        (("build", "works.json", "-o", "new", "--dry-run"),),
        json.dumps(
            [{"id": "a", "title": {"en": "A ship", "de": "Ein Schiff"}, "maker": [{"name": "Ann"}], "year": 1900}]
        ),
    ),
    "works in lines": Case(
        "works.jsonl",
        (("build", "works.jsonl", "-o", "new", "--dry-run"),),
        '{"id": "a", "title": "A ship", "year": 1900}',
    ),
}


@pytest.fixture
def folder(built: Path, gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(built, tmp_path / "workspace")
    (tmp_path / "gallery").mkdir()
    shutil.copy(gallery / "metadata.csv", tmp_path / "gallery")
    (tmp_path / "gallery" / "images").symlink_to(gallery / "images")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ends_well(command: tuple[str, ...], read: Callable[[], tuple[str, str]]) -> str:
    """Run a command; what is wrong with how it ends, nothing where it ends as it should."""
    try:
        main(command)
    except SystemExit as end:
        code = end.code or 0
    out, err = read()
    lines = [line for line in err.splitlines() if not line.startswith(("note: ", "warning: "))]
    if code not in CODES or "Traceback" in err + out or len(lines) > 3 or any(len(line) > 2000 for line in lines):
        return f"code {code}: {err[-300:]}"
    return "" if code == 0 or (lines and lines[-1].startswith("error: ")) else f"code {code} without a line: {err}"


def run(case: Case, folder: Path, variants: Iterator[bytes], read: Callable[[], tuple[str, str]]) -> list[str]:
    file = next(iter(folder.glob(case.file)), folder / case.file)
    whole = {name: seal for name, seal in snapshot(folder).items() if ".lock" not in name}
    faults = []
    for variant in variants:
        file.write_bytes(variant)
        ends = {command: ends_well(command, read) for command in case.commands}
        faults += [f"{variant[:300]!r} {command}: {wrong}" for command, wrong in ends.items() if wrong]
        written = {name: seal for name, seal in snapshot(folder).items() if ".lock" not in name}
        there = file.relative_to(folder).as_posix()
        if written | {there: ""} != whole | {there: ""}:
            faults.append(f"{variant[:300]!r} {case.commands} wrote {dict(written.items() ^ whole.items())}")
    return faults


@pytest.mark.parametrize("name", CASES)
def test_damaged_json_gets_an_answer_or_a_line(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = CASES[name]
    file = next(iter(folder.glob(case.file)), folder / case.file)
    if case.content:
        file.write_text(case.content)
    variants = mutations(file.read_text(), sorted(CASES).index(name), COUNT)
    faults = run(case, folder, variants, lambda: tuple(capsys.readouterr()))  # type: ignore[arg-type,return-value]
    assert not faults, "\n".join(faults[:20])


MAPPING = """museum = "x"
optional = ["year"]
[fields]
title = ["title", { all = ["a", "b[c=d].e"] }]
year = "year"
rights = { column = "free", words = { yes = "CC0" }, otherwise = "" }
[attributes]
link = { template = "https://x.example/{id}" }
"""


@pytest.mark.parametrize(
    "case", [Case("study.toml", (STUDY,)), Case("m.toml", ((*DRY, "--mapping", "m.toml"),), MAPPING)]
)
def test_damaged_toml_gets_an_answer_or_a_line(case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if case.content:
        (folder / case.file).write_text(case.content)
    else:
        with pytest.raises(SystemExit):
            main(["study", "new", "study.toml", "--workspace", "workspace"])
    capsys.readouterr()
    variants = toml_mutations((folder / case.file).read_text(), 1, 2 * COUNT)
    faults = run(case, folder, variants, lambda: tuple(capsys.readouterr()))  # type: ignore[arg-type,return-value]
    assert not faults, "\n".join(faults[:20])
