"""Running `vernissage serve` as its users do: as a process of its own, which can be killed."""

import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60.0
_START = "from vernissage.cli.main import main; main()"


@contextmanager
def served(
    workspace: Path, study: Path | None, *options: str, port: int = 0, descriptors: int | None = None
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The address of a server that lasts as long as the block, unless it is killed before; and its process.

    ``descriptors`` is how many files it may open.
    """
    words = ["serve", workspace, *(["--study", study] if study else []), "--port", port, *options]
    command = [sys.executable, "-c", _START, *map(str, words)]
    if descriptors is not None:
        command = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh", *command]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield _address(process), process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
        if process.stdout:
            process.stdout.close()


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    said, deadline = "", time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 0.2)[0]:
            line = process.stdout.readline()
            said += line
            found = re.search(r"at (http://\S+/);", line)
            if found:
                return found[1].rstrip("/")
            if not line:
                break
    raise RuntimeError(f"the server did not start: {said}")


def run_command(*words: str | Path) -> str:
    """What another command prints."""
    command: Sequence[str] = [sys.executable, "-c", _START, *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
