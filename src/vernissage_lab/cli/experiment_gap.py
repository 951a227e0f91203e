"""The command of the second paper's figures of the gap: experiment run gap."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vernissage.cli.options import AsJson
from vernissage.cli.output import progress_bars
from vernissage_lab.cli.experiment_data import CaptionFields, KindWord, PictureFolder, SkipBad, opened
from vernissage_lab.cli.experiment_options import CellLimit, EncoderWords, OutFolder, RunWish, Seed, run_and_print
from vernissage_lab.cli.experiment_sets import checked_encoders, set_encoder


def gap(
    path: Annotated[Path, typer.Argument(metavar="SET", help="The set's file or folder.")],
    kind: KindWord = "gallery",
    encoder: EncoderWords = None,
    pairs: Annotated[int, typer.Option(help="Works that are measured at most, and as many for the means.")] = 1000,
    pictures: PictureFolder = None,
    caption: CaptionFields = None,
    weights: Annotated[
        Path | None, typer.Option(help="Where the weights of one encoder are; encoders without any are fitted here.")
    ] = None,
    skip_bad: SkipBad = False,
    cells: CellLimit = None,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Draw cosines and maps of pictures and texts, and measure the gap between them before and after closing it.

    What is fitted is fitted on one part of the set, and all is measured on another.

    \b
    Examples:
      vernissage lab experiment run gap openclipart --caption title+keywords
      vernissage lab experiment run gap openclipart --caption title --caption keywords
      vernissage lab experiment run gap dataset_coco.json --kind coco-karpathy --pictures coco -e clip --weights clip
    """
    from vernissage_lab.gap_pairs import gap_pairs
    from vernissage_lab.held_out import in_halves
    from vernissage_lab.recipes.gap import GAP, GapOptions, run_gap

    options = GapOptions(pairs)
    wish = RunWish(out, seed, cells, as_json)
    folder = wish.folder(GAP)
    names = checked_encoders(encoder or ["aligned"], weights, both=True)
    with progress_bars() as progress:
        found = in_halves(opened(kind, path, pictures, caption, skip_bad=skip_bad), seed=seed)
        works = [
            gap_pairs(
                found,
                set_encoder(found, name, weights, folder, seed, progress, part="train"),
                folder,
                pairs=pairs,
                seed=seed,
                progress=progress,
            )
            for name in names
        ]
        run_and_print(GAP, wish, partial(run_gap, works, options), options, progress, [each.material for each in works])


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command()(gap)
