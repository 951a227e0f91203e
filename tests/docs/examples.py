"""The examples of the documentation: what its pages show, and running it as written, page by page.

A block of ``sh`` or ``python`` runs as it stands, in the order of its page, in a folder that holds what the pages speak of.
A comment before it says otherwise: ``<!-- verify: … -->`` for what takes long and is part of `make verify`,
``<!-- not run: why -->`` for what needs what no test has. Both are read by the command's own parser all the same.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from tests.web.serving import served
from typer.main import get_command

from vernissage.cli.main import app, main
from vernissage_lab.sample import paint_gallery

ROOT = Path(__file__).resolve().parents[2]
_GENERATED = {"commands.md", "settings.md", "rest.md", "encoders.md"}
LONG = frozenset(
    f"docs/{name}.md"
    for name in (
        "afternoon",
        "gap",
        "people",
        "platform",
        "published",
        "service",
        "storage",
        "study",
        "study-day",
        "tags",
        "uploads",
        "video",
    )
)
"""Pages whose examples take some seconds each: `make verify` runs them, and the tests read that they are commands."""

PAGES = [
    "README.md",
    *(f"docs/{each.name}" for each in sorted((ROOT / "docs").glob("*.md")) if each.name not in _GENERATED),
]
_BLOCK = re.compile(r"^(?:<!-- (verify|not run): ([^\n]+) -->\n)?```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_HERE = re.compile(r"http://(?:localhost|127\.0\.0\.1):8000")


@dataclass(frozen=True)
class Block:
    """A block of code: its language, what it holds, and where it runs (``check``, ``verify`` or ``not run``)."""

    language: str
    text: str
    runs: str

    @property
    def lines(self) -> list[str]:
        """Its commands; what a backslash, or a quote that is open, continues is one."""
        found, begun = [], ""
        for line in self.text.replace("\\\n", " ").splitlines():
            begun = f"{begun}\n{line}" if begun else line
            try:
                words = shlex.split(begun, comments=True)
            except ValueError:
                continue
            found += [begun] if words else []
            begun = ""
        return found


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [Block(language, content, mark or "check") for mark, _, language, content in _BLOCK.findall(text)]


def commands(page: str) -> list[str]:
    """Every command of ours in a page's blocks, whether it runs or not."""
    shown = [block for block in blocks(page) if block.language in {"", "sh"}]
    told = [part for block in shown for line in block.lines for part in re.split(r" && ", line)]
    return [line for line in told if re.match(r"(\$ |\.venv/bin/)?vernissage [a-z]", line)]


def parsed(line: str) -> dict[str, Any]:
    """The options and arguments of a command line, converted to their types; nothing runs.

    Raises:
        typer.BadParameter or its kin: there is no such command or option, or an argument lacks.
    """
    words = shlex.split(re.split(r" [|>] ?", line.removeprefix("$ "))[0], comments=True)[1:]
    command: Any = get_command(app)
    context = typer.Context(command, info_name="vernissage")
    while hasattr(command, "resolve_command"):
        name, command, words = command.resolve_command(context, words)
        context = typer.Context(command, info_name=name, parent=context)
    given, left, _ = command.make_parser(context).parse_args(args=list(words))
    assert not left, f"{line}: {left}"
    for each in command.params:
        if given.get(each.name) is not None:
            given[each.name] = each.process_value(context, given[each.name])
        else:
            assert not each.required, f"{line}: {each.name} is needed"
    return dict(given)


def make_world(folder: Path) -> Path:
    """What the pages speak of: the gallery and the workspace of `make demo`, with fewer works, and a person's files."""
    paint_gallery(folder / "demo" / "gallery", count=42)  # v041 is rated
    pictures = sorted((folder / "demo" / "gallery" / "images").iterdir())
    for name, picture in zip(("boat.jpg", "sketch.jpg", "storm.jpg", "cat.jpg"), pictures, strict=False):
        shutil.copy(picture, folder / name)
    shutil.copytree(folder / "demo" / "gallery", folder / "my-collection")
    (folder / "poem.txt").write_text("Fog lies over the harbour, and no boat goes out.", "utf-8")
    (folder / "uploads.csv").write_text("id,title\nu1,A lighthouse\nu2,Nets that dry on the quay\n", "utf-8")
    random = np.random.default_rng(0)
    for name, rows in (("uploads", 30), ("collection", 200)):
        np.save(folder / f"{name}.npy", random.standard_normal((rows, 16)).astype(np.float32))
    run_command(folder, "vernissage build demo/gallery -o demo/workspace")
    shutil.copytree(folder / "demo" / "workspace", folder / "workspace")
    run_command(folder, "vernissage person upload workspace ann boat.jpg sketch.jpg poem.txt uploads.csv")
    run_command(folder, "vernissage study new rehearsed.toml --workspace workspace")
    run_command(folder, "vernissage study simulate rehearsed.toml workspace --participants 12 --out rehearsed")
    for name in ("long.csv", "rankings.csv"):
        shutil.move(folder / "rehearsed" / name, folder / name)
    return folder


def run_page(page: str, folder: Path, *, runs: tuple[str, ...] = ("check",)) -> Iterator[str]:
    """Run the blocks of a page in ``folder``, Python after commands; each line of what ran.

    Raises:
        AssertionError: something ended otherwise than well.
    """
    there = [block for block in blocks(page) if block.runs in runs]
    address, variables = "", os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with chdir(folder), ExitStack() as server:
        for line in (line for block in there if block.language == "sh" for line in block.lines):
            words = shlex.split(line, comments=True)
            if kept := re.fullmatch(r"(\w+)=\$\((.+)\)", line, re.DOTALL):
                variables[kept[1]] = _shell(kept[2], variables, address).strip()
            elif words[:2] in (["vernissage", "serve"], [".venv/bin/vernissage", "serve"]):
                server.close()  # the one before
                address, _ = server.enter_context(served(Path(words[2]), None, *words[3:]))
            elif re.search(r"[<>|$;&*]", line) or words[0].rpartition("/")[2] != "vernissage":
                told = _shell(line, variables, address)
                # A list of works that somebody is shown how to ask for is to hold works.
                assert not told.startswith("{") or json.loads(told).get("works") != [], line
            else:
                run_command(folder, line)
            yield line
    if code := "\n".join(block.text for block in there if block.language == "python"):
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        yield code


def _shell(line: str, variables: dict[str, str], address: str) -> str:
    """What a shell prints of a line, whose requests go to the server that the page has started."""
    command = _HERE.sub(address, line).replace(".venv/bin/", "")
    command = re.sub(r"\bcurl ", "curl --silent --show-error --fail-with-body ", command)
    done = subprocess.run(["sh", "-euc", command], env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{line}: {done.stdout} {done.stderr}"
    return done.stdout


def run_command(folder: Path, line: str) -> str:
    """What a command of ours prints, called in that folder: in this process, which is faster than one of its own."""
    told, errors = StringIO(), StringIO()
    with chdir(folder), redirect_stdout(told), redirect_stderr(errors), pytest.raises(SystemExit) as end:
        main(shlex.split(line, comments=True)[1:])
    assert end.value.code in {0, None}, f"{line}: {errors.getvalue()}"
    return told.getvalue()
