"""What commands print: progress on standard error, answers on standard output."""

import json
import math
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vernissage import progress as reporting

_PIPED_WIDTH = 140
_SILENT_SECONDS = 2.0


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
        yield _plain_lines()
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

        def report(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield report


def _plain_lines() -> reporting.Progress:
    """Report a step once it has taken two seconds, and then at twice the time before, so that logs stay short."""
    begun: dict[str, float] = {}
    due: dict[str, float] = {}

    def report(step: str, done: int, total: int) -> None:
        now = time.monotonic()
        begun.setdefault(step, now)
        spent = now - begun[step]
        if spent >= due.setdefault(step, _SILENT_SECONDS):
            due[step] = 2 * spent
            note(f"{step}: {done:,} of {total:,} after {spent:.0f} s")

    return report


_CONTROLS = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}
_CONTROLS |= {0x7F: "\u2421", 0x202D: "\ufffd", 0x202E: "\ufffd"} | dict.fromkeys(range(0x80, 0xA0), "\ufffd")


def visible(words: object) -> str:
    """Words without control characters, which could steer a terminal: a picture of each stands in its place."""
    return str(words).translate(_CONTROLS)


def print_json(content: Any) -> None:
    """Print JSON for scripts."""
    print(visible(json.dumps(content, ensure_ascii=False, indent=2)))


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
