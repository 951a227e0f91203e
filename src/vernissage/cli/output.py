"""What commands print: progress on standard error, answers on standard output."""

import math
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vernissage import progress as reporting
from vernissage.files import json_text

_PIPED_WIDTH = 140
_SILENT_SECONDS, _LONGEST_SILENCE = 2.0, 8.0


def stdout() -> Console:
    """The console for answers: as wide as the terminal, or wide enough to lose nothing when piped."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
    return Console(width=width, highlight=False, soft_wrap=False)


def stderr() -> Console:
    """The console for everything that is not the answer."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def progress_bars() -> Iterator[reporting.Progress]:
    """Draw one bar for each step that reports; in a pipe or a log, print plain lines for steps that take long."""
    console = stderr()
    if not console.is_terminal:
        with _plain_lines() as report:
            yield report
        return
    from rich import progress as drawn

    columns = (
        drawn.TextColumn("{task.description}"),
        drawn.BarColumn(),
        drawn.MofNCompleteColumn(),
        drawn.TimeElapsedColumn(),
        drawn.TimeRemainingColumn(),
    )
    with drawn.Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, drawn.TaskID] = {}

        def draw(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total or None)
            bars.update(tasks[step], completed=done, total=total or None)

        yield draw


@contextmanager
def _plain_lines() -> Iterator[reporting.Progress]:
    """Say after two seconds what is under way, then less and less often, but at least every ten seconds.

    A thread says it, since a step may take long without reporting.
    """
    started, over = time.monotonic(), threading.Event()
    begun: dict[str, float] = {}
    latest = ""

    def report(step: str, done: int, total: int) -> None:
        nonlocal latest
        begun.setdefault(step, time.monotonic())
        latest = f"{step}: {done:,}" + (f" of {total:,}" if total else " so far")

    def tell() -> None:
        wait = _SILENT_SECONDS
        while not over.wait(wait):
            wait = min(2 * wait, _LONGEST_SILENCE)
            since = max(begun.values(), default=started)
            note(f"{latest or 'working'} after {time.monotonic() - since:.0f} s")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield report
    finally:
        over.set()
        teller.join()


_CONTROLS = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}
_CONTROLS |= {0x7F: "\u2421", 0x202D: "\ufffd", 0x202E: "\ufffd"} | dict.fromkeys(range(0x80, 0xA0), "\ufffd")


def visible(words: object) -> str:
    """Words without control characters, which could steer a terminal: a picture of each stands in its place."""
    return str(words).translate(_CONTROLS)


def print_json(content: Any) -> None:
    """Print JSON for scripts."""
    print(visible(json_text(content)))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[str] = ()) -> None:
    """Print rows under column heads; ``numbers`` names the columns that are set flush right."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        flush = "right" if name in numbers else "left"
        table.add_column(name, justify=flush, no_wrap=flush == "right", overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    stdout().print(table)


def say(*lines: str) -> None:
    """Print lines of the answer, as they are."""
    for line in lines:
        stdout().print(visible(line), markup=False, soft_wrap=True)


def note(*lines: str, kind: str = "") -> None:
    """Print remarks on standard error, each after its ``kind`` (note, warning)."""
    for line in lines:
        stderr().print(visible(f"{kind}: {line}" if kind else line), markup=False)


def readable_size(size: float) -> str:
    """Bytes as a person reads them."""
    units = ("B", "kB", "MB", "GB", "TB")
    power = min(int(math.log10(size) // 3) if size >= 1 else 0, len(units) - 1)
    return f"{size / 1000**power:.{1 if power else 0}f} {units[power]}"
