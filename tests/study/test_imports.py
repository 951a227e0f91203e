"""Importing the study, its pages, the database and the analysis changes nothing of the process that imports them."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

GUEST = """
import importlib, locale, logging, os, pkgutil, random, signal, sys, threading, warnings
import numpy, matplotlib, PIL.Image

def state():
    return {
        "filters": [str(each) for each in warnings.filters],
        "pixels": PIL.Image.MAX_IMAGE_PIXELS,
        "logging": (logging.root.handlers[:], logging.root.level, logging.getLogger("vernissage").handlers),
        "environment": dict(os.environ),
        "numpy": (numpy.geterr(), numpy.get_printoptions(), numpy.random.get_state()[1].tolist()),
        "random": random.getstate(),
        "matplotlib": dict(matplotlib.rcParams),
        "signals": signal.getsignal(signal.SIGINT),
        "threads": threading.active_count(),
        "locale": locale.setlocale(locale.LC_ALL),
        "limits": (sys.getrecursionlimit(), sys.excepthook, sys.path[:]),
    }

# What dependencies do on import is theirs, and what floors below do is tested there: they come first.
import alembic.command, fastapi, itsdangerous, jinja2, matplotlib.figure, pyarrow.parquet, scipy.stats, sklearn.manifold
import sqlalchemy, threadpoolctl, uvicorn, vernissage.catalog.pictures, vernissage.workspace.workspace
before = state()
for name in sys.argv[1:]:
    importlib.import_module(name)
after = state()
print([key for key in before if before[key] != after[key]])
"""
ROOMS = ("study", "web", "storage", "analysis")


def modules() -> list[str]:
    found = find_spec("vernissage")
    assert found is not None
    assert found.origin is not None
    root = Path(found.origin).parent
    paths = [path for room in ROOMS for path in sorted((root / room).rglob("*.py")) if "migrations" not in path.parts]
    return [".".join(["vernissage", *path.relative_to(root).with_suffix("").parts]) for path in paths]


def test_importing_changes_nothing_of_the_process() -> None:
    names = modules()
    assert len(names) > 40
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", GUEST, *names], capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.stdout) == ("", "[]\n")


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("vernissage.storage.database", ("alembic", "pyarrow", "matplotlib", "sklearn")),
        ("vernissage.study.opening", ("matplotlib", "fastapi", "alembic", "vernissage.gallery.engines")),
        ("vernissage.study.results", ("matplotlib", "fastapi", "alembic")),
        ("vernissage.web.study.app", ("matplotlib", "uvicorn", "alembic")),
        ("vernissage.web.serving", ("matplotlib", "alembic", "pandas", "sklearn", "scipy.spatial", "scipy.stats")),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(module: str, heavy: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
