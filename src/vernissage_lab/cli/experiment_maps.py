"""The command of the first paper's maps: experiment run maps."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.options import AsJson
from vernissage.cli.output import progress_bars
from vernissage_lab.cli.experiment_options import CellLimit, EncoderWords, OutFolder, RunWish, Seed, run_and_print
from vernissage_lab.cli.experiment_sets import (
    CaptionFields,
    ClassColumn,
    KindWord,
    PictureFolder,
    SkipBad,
    Source,
    Weights,
    WorkSource,
    checked_encoders,
    set_encoder,
)

if TYPE_CHECKING:
    from vernissage.progress import Progress
    from vernissage_lab.recipes.maps import MapWorks


def maps(
    source: Source,
    kind: KindWord = None,
    encoder: EncoderWords = None,
    works: Annotated[int, typer.Option(help="Works on one map at most; others are left out at random.")] = 2500,
    pairs: Annotated[int, typer.Option(help="Works on a map of pictures beside texts at most.")] = 1000,
    pictures: PictureFolder = None,
    caption: CaptionFields = None,
    class_column: ClassColumn = None,
    weights: Weights = None,
    skip_bad: SkipBad = False,
    cells: CellLimit = None,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Draw maps of the works by story group, one for each encoder and modality, and measure how tangled groups are.

    Without --encoder, by all encoders of the workspace, or with --kind by all that need no weights.

    \b
    Examples:
      vernissage lab experiment run maps workspace
      vernissage lab experiment run maps workspace -e lsa -e colour-texture -e aligned
      vernissage lab experiment run maps gallery.csv --kind national-gallery -e lsa
    """
    from vernissage_lab.recipes.maps import MAPS, MapOptions, run_maps

    options = MapOptions(works, pairs)
    wish = RunWish(out, seed, cells, as_json)
    folder = wish.folder(MAPS)
    place = WorkSource(source, kind, encoder, pictures, caption, class_column, weights, skip_bad)
    with progress_bars() as progress:
        chosen = _of_workspace(place, seed, progress) if kind is None else _of_set(place, folder, pairs, seed, progress)
        materials = [each.material for each in chosen]
        run_and_print(MAPS, wish, partial(run_maps, chosen, options), options, progress, materials)


def _of_workspace(place: WorkSource, seed: int, progress: "Progress") -> "list[MapWorks]":
    from vernissage.workspace.workspace import open_workspace
    from vernissage_lab.map_works import map_works_of_workspace

    place.require_no_set_options()
    opened = open_workspace(place.source)
    names = dict.fromkeys(place.encoders or opened.encoder_names)
    return [map_works_of_workspace(opened, name, seed=seed, progress=progress) for name in names]


def _of_set(place: WorkSource, folder: Path, pairs: int, seed: int, progress: "Progress") -> "list[MapWorks]":
    from vernissage.encoders.register import card, names
    from vernissage_lab.map_works import map_works_of_set

    found = place.dataset
    there = any(image.path for image in found.images)
    usual = [name for name in names("fitted") if there or "image" not in card(name).modalities]
    works = []
    for name in checked_encoders(place.encoders or usual, place.weights):
        by = set_encoder(found, name, place.weights, folder, seed, progress)
        works.append(map_works_of_set(found, by, folder, pairs=pairs, seed=seed, progress=progress))
    return works


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command()(maps)
