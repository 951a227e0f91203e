"""The experiment on encoders of pictures and texts: experiment run retrieval."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.options import AsJson
from vernissage.cli.output import progress_bars
from vernissage_lab.cli.experiment_options import CellLimit, EncoderWords, OutFolder, RunWish, Seed, run_and_print
from vernissage_lab.cli.experiment_sets import (
    CaptionFields,
    KindWord,
    PictureFolder,
    SkipBad,
    Source,
    Weights,
    WorkSource,
    materials_of_set,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vernissage.progress import Progress
    from vernissage_lab.material import Material

Pairs = Annotated[int, typer.Option(help="Pairs in the pool.")]


def retrieval(
    source: Source,
    kind: KindWord = None,
    encoder: EncoderWords = None,
    pairs: Pairs = 1000,
    pictures: PictureFolder = None,
    caption: CaptionFields = None,
    weights: Weights = None,
    skip_bad: SkipBad = False,
    cells: CellLimit = None,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Measure how pictures find their texts and texts their pictures, each kind alone and both in one index.

    \b
    Examples:
      vernissage lab experiment run retrieval workspace -e aligned
      vernissage lab experiment run retrieval dataset_coco.json --kind coco-karpathy --pictures coco -e clip
      vernissage lab experiment run retrieval openclipart --kind gallery --caption title+keywords -e aligned
    """
    from vernissage_lab.held_out import in_halves
    from vernissage_lab.recipes.retrieval import RETRIEVAL, RetrievalOptions, run_retrieval

    options = RetrievalOptions(pairs)
    wish = RunWish(out, seed, cells, as_json)
    folder = wish.folder(RETRIEVAL)
    place = WorkSource(source, kind, encoder, pictures, caption, None, weights, skip_bad)
    with progress_bars() as progress:
        if kind is None:
            place.require_no_set_options()
            materials = unseen(source, encoder, seed, progress)
        else:
            found = in_halves(place.dataset, seed=seed)
            materials = materials_of_set(found, encoder, weights, folder, seed, progress, both=True)
        run_and_print(RETRIEVAL, wish, partial(run_retrieval, materials, options), options, progress, materials)


def unseen(workspace: Path, encoders: "Sequence[str] | None", seed: int, progress: "Progress") -> "list[Material]":
    """The works of a workspace that each encoder has not been fitted on as pairs."""
    from vernissage.gallery.person import areas_encoder
    from vernissage.workspace.workspace import open_workspace
    from vernissage_lab.held_out import unseen_material

    opened = open_workspace(workspace)
    names = dict.fromkeys(encoders or [areas_encoder(opened)])
    return [unseen_material(opened, name, seed=seed, progress=progress) for name in names]


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command()(retrieval)
