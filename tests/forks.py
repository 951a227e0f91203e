"""Processes that start in milliseconds, because they are forked off one that has imported what they need.

A new interpreter spends more time on its imports than most of these calls take. Run by `Forks` alone.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NEEDED = (
    "vernissage.cli.main",
    "vernissage.workspace.build",
    "vernissage.workspace.repository",
    "vernissage.profiles.naming",
    *(f"vernissage.encoders.fitted.{name}" for name in ("aligned", "colour_texture", "lda", "lsa")),
    *(f"sklearn.{name}" for name in ("cluster", "decomposition", "linear_model", "model_selection")),
    *("cv2", "pandas", "py3langid", "simplemma"),
)
"""What is imported before anything is forked; what one call alone needs is imported by it."""


class Forks:
    """Calls of functions, each in a process of its own that can be killed; see `forks`."""

    def __init__(self, server: subprocess.Popen[str], folder: Path) -> None:
        self._server, self._folder = server, folder

    def start(self, call: str, *arguments: object, dies_at: int = 0, below: str = "", **options: object) -> int:
        """Begin to call the function ``module:name`` with JSON values and paths, and return the number of its process.

        With ``dies_at`` it is killed before the so-many-th file that it writes in whole gets its name: of those whose
        path holds ``below``.
        """
        asked = {"call": call, "arguments": arguments, "options": options, "dies_at": dies_at, "below": below}
        return int(self._told(asked))

    def wait(self, process: int) -> int:
        """The exit code of a process once it has ended, -9 where it was killed.

        Raises:
            AssertionError: it failed; the message is what it printed.
        """
        code = int(self._told({"wait": process}))
        if code not in (0, -signal.SIGKILL):
            raise AssertionError((self._folder / f"{process}.txt").read_text())
        return code

    def run(self, call: str, *arguments: object, **how: Any) -> int:
        """Start it and wait for its end."""
        return self.wait(self.start(call, *arguments, **how))

    def _told(self, asked: dict[str, object]) -> str:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps(asked, default=lambda path: {"path": str(path)}), file=self._server.stdin, flush=True)
        return self._server.stdout.readline()


@contextmanager
def forks() -> Iterator[Forks]:
    """A process that forks off others as long as the context lasts."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.forks", folder]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            yield Forks(server, Path(folder))
            server.communicate()


def main() -> None:
    """Fork for every call that a line asks for and print the process, or wait for one and print its exit code."""
    for module in NEEDED:
        importlib.import_module(module)
    words = importlib.import_module("vernissage.encoders.fitted.words")
    sea = ["Ships in the harbour before a storm"]
    words.documents_of(sea, words.fitted_language(sea, ()))  # reads lemmas, stop words and how languages are told apart
    for line in sys.stdin:
        asked = json.loads(line, object_hook=lambda found: Path(found["path"]) if "path" in found else found)
        if "wait" in asked:
            print(os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1]), flush=True)
        elif process := os.fork():
            print(process, flush=True)
        else:
            _call(asked)


def _call(asked: dict[str, Any]) -> None:
    """Make one call and end this process, which shares the standard output of the one that it was forked off."""
    with (Path(sys.argv[1]) / f"{os.getpid()}.txt").open("w") as told:
        os.dup2(told.fileno(), 1)
        os.dup2(told.fileno(), 2)
        code = 1
        try:
            if asked["dies_at"]:
                _die_before(asked["dies_at"], asked["below"])
            module, _, name = asked["call"].partition(":")
            getattr(importlib.import_module(module), name)(*asked["arguments"], **asked["options"])
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)


def _die_before(number: int, below: str) -> None:
    replace, times = os.replace, count(1)

    def replaced(source: Any, target: Any, **how: Any) -> None:
        if below in str(target) and next(times) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target, **how)

    os.replace = replaced


if __name__ == "__main__":
    main()
