"""The wheel holds what the program needs and nothing else."""

import os
import re
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "torchvision", "tensorflow", "jax")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as an installer builds it; that needs a package index for the build backend."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "No matching distribution found for hatchling" in done.stderr and os.environ.get("CI") != "true":
        pytest.skip("no package index offers hatchling, which builds the wheel")
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("vernissage-*-py3-none-any.whl")
    return built


@pytest.fixture(scope="session")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_every_file_of_the_package_is_in_the_wheel(names: set[str]) -> None:
    package = ROOT / "src" / "vernissage"
    files = {path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert names >= {path.relative_to(ROOT / "src").as_posix() for path in files}
    assert "vernissage/py.typed" in names
    assert {path.suffix for path in files if path.parent.name in {"templates", "static"}} >= {".html", ".css", ".js"}


def test_nothing_else_is_in_the_wheel(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"vernissage", "vernissage_lab"}
    kinds = {Path(name).suffix for name in names if ".dist-info/" not in name}
    assert kinds <= {".py", ".typed", ".html", ".css", ".js", ".txt", ".json", ".csv", ".toml"}
    assert not [name for name in names if re.search(r"(^|/)(tests?|shared|node_modules|__pycache__)/", name)]


def test_the_licence_and_the_command_are_there(wheel: Path, names: set[str], metadata: Message) -> None:
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    assert metadata["License-Expression"] == "Apache-2.0"
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in names if name.endswith(".dist-info/entry_points.txt"))
        points = ConfigParser()
        points.read_string(archive.read(name).decode())
    assert dict(points["console_scripts"]) == {"vernissage": "vernissage.cli.main:main"}


def test_the_base_needs_no_deep_learning(metadata: Message) -> None:
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert len(required) > 5
    assert not [line for line in required if re.split(r"[^\w-]", line)[0].lower() in HEAVY]


def test_the_wheel_s_own_files_run_without_the_source(wheel: Path, tmp_path: Path) -> None:
    """Python reads the wheel as a zip file, so templates must be found as resources and not as paths."""
    code = (
        "from vernissage.pages.visitor.frame import in_one_file;"
        "import vernissage; print(vernissage.__file__);"
        "print(len(in_one_file('visitor/message.html', 'T', title='T', text='E')))"
    )
    command = [sys.executable, "-W", "error", "-c", f"import sys; sys.path.insert(0, {str(wheel)!r}); {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    where, length = done.stdout.split()
    assert where.startswith(str(wheel))
    assert int(length) > 1000
