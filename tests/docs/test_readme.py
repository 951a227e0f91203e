"""What the first page and the page about Python show works as it is printed."""

import io
import json
import re
import shlex
import subprocess
import sys
import urllib.request
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from tests.web.serving import served

from vernissage.cli.main import main
from vernissage_lab.sample import paint_gallery

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ".venv/bin/vernissage "


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which demo/gallery and demo/workspace lie, as `make demo` leaves them, with fewer works."""
    folder = tmp_path_factory.mktemp("readme")
    paint_gallery(folder / "demo" / "gallery", count=42)  # v041 is rated
    run(folder, "build", "demo/gallery", "-o", "demo/workspace")
    return folder


def run(folder: Path, *words: str) -> str:
    """What the command prints, called in that folder."""
    told, errors = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(told), redirect_stderr(errors), pytest.raises(SystemExit) as end:
        main(list(words))
    assert end.value.code == 0, f"{' '.join(words)}: {errors.getvalue()}"
    return told.getvalue()


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_commands_of_the_first_page_work(demo: Path) -> None:
    lines = [line for block in blocks("README.md", "sh") for line in block.splitlines() if line.startswith(COMMAND)]
    assert len(lines) >= 5
    for line in lines:
        if " serve " not in line:
            assert run(demo, *shlex.split(line.removeprefix(COMMAND)))


def test_the_requests_of_the_first_page_and_of_the_services_are_answered(demo: Path) -> None:
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/service.md"))
    addresses = re.findall(r"^curl 'http://localhost:8000(/[^']+)'$", text, re.MULTILINE)
    assert len(addresses) >= 4
    with served(demo / "demo" / "workspace", None) as (base, _):
        for address in addresses:
            with urllib.request.urlopen(base + address) as answer:  # noqa: S310  (an address of this machine)
                assert json.load(answer)["works"]


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_python_of_a_page_works(demo: Path, page: str) -> None:
    code = "\n".join(blocks(page, "python"))
    assert code
    done = subprocess.run([sys.executable, "-c", code], cwd=demo, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
