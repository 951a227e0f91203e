"""The command sample."""

import time
from pathlib import Path
from typing import Annotated

import typer

from vernissage.cli.output import progress_bars, say


def sample(
    out: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    count: Annotated[int, typer.Option("--count", "-n", help="How many pictures to paint.")] = 240,
    seed: Annotated[int, typer.Option(help="Equal seeds paint equal galleries, byte for byte.")] = 2023,
) -> None:
    """Paint a sample gallery: pictures in eight story groups, with texts and the hidden factors behind them.

    \b
    Example:
      vernissage lab sample gallery
      vernissage build gallery -o workspace
    """
    from vernissage_lab.sample import paint_gallery

    started = time.perf_counter()
    with progress_bars() as progress:
        painted = paint_gallery(out, count=count, seed=seed, progress=progress)
    say(f"Painted {painted} pictures into {out} in {time.perf_counter() - started:.1f} s.")
    say(f"Next: vernissage build {out} -o workspace")
