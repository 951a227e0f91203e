"""Every command and snippet of the documentation runs, or is at least one that there is."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from tests.docs.examples import LONG, PAGES, ROOT, blocks, commands, make_world, parsed, run_page

RUNNING = [
    page
    for page in PAGES
    if page not in LONG and any(each.runs == "check" and each.language in {"sh", "python"} for each in blocks(page))
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_world(tmp_path_factory.mktemp("docs"))


@pytest.mark.parametrize("page", RUNNING)
def test_the_examples_of_a_page_run(page: str, world: Path, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not on this machine")
    shutil.copytree(world, tmp_path / "here")
    assert list(run_page(page, tmp_path / "here"))


@pytest.mark.parametrize("notebook", sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, world: Path) -> None:
    cells = [cell for cell in json.loads(notebook.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    code = "\n".join("".join(cell["source"]) for cell in cells)
    (world / "docs" / "notebooks").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=world / "docs" / "notebooks", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = "".join(part for cell in cells for output in cell["outputs"] for part in output["text"])
    assert len(done.stdout.splitlines()) == len(printed.splitlines()), "run the notebook again, and keep what it prints"


def test_the_page_of_workspaces_names_every_file(world: Path) -> None:
    page = (ROOT / "docs" / "workspace.md").read_text("utf-8")
    there = {re.sub(r"-[0-9a-f]{12,}.*", "-", each.name) for each in (world / "workspace").iterdir()}
    assert {"workspace.json", "works-", "models", "vectors", "vernissage.db"} <= there
    for name in there:
        assert re.search(rf"^ *{re.escape(name)}|, {re.escape(name)}", page, re.MULTILINE), name


def test_elements_in_pages_are_those_of_the_widget() -> None:
    script = (ROOT / "src/vernissage/pages/static/vernissage.js").read_text("utf-8")
    shown = "".join(block.text for page in PAGES for block in blocks(page) if block.language == "html")
    elements = re.findall(r"<(vernissage-[\w-]+)((?: \w+=\"[^\"]*\")*)>", shown)
    assert len(elements) >= 4
    for name, attributes in elements:
        assert f'define("{name}"' in script
        assert all(f'"{each}"' in script for each in re.findall(r" (\w+)=", attributes))


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_the_commands_of_a_page_are_there(page: str) -> None:
    for line in commands(page):
        parsed(line)


@pytest.mark.parametrize(
    "line",
    [
        "vernissage lab experiment run ablation set.csv --as-publised",
        "vernissage lab experiment run ablations workspace",
        "vernissage lab experiment run search-time --vectors many",
        "vernissage lab experiment run ablation",
        "vernissage recommend workspace more",
    ],
)
def test_what_is_no_command_would_be_found(line: str) -> None:
    with pytest.raises((typer.BadParameter.__mro__[1], AssertionError)):
        parsed(line)
