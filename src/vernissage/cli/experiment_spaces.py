"""The experiments on encoders of pictures and texts: experiment run retrieval, gap."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.experiment_data import CaptionFields, PictureFolder, SkipBad
from vernissage.cli.experiment_options import CellLimit, EncoderWords, OutFolder, Seed, run_and_print
from vernissage.cli.output import progress_bars
from vernissage.cli.recommending import AsJson
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vernissage.experiments.datasets.captioned import CaptionedSet
    from vernissage.experiments.material import Material
    from vernissage.experiments.set_encoders import SetEncoder
    from vernissage.progress import Progress

Source = Annotated[
    Path, typer.Argument(metavar="SOURCE", help="A workspace, or with --kind the file or folder of a data set.")
]
KindWord = Annotated[
    str | None, typer.Option("--kind", help="Read SOURCE as a data set of this kind; see `experiment data`.")
]
Weights = Annotated[
    Path | None, typer.Option(help="With --kind: where the encoder's weights are; else it is fitted on one half.")
]
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
      vernissage experiment run retrieval workspace -e aligned
      vernissage experiment run retrieval dataset_coco.json --kind coco-karpathy --pictures coco -e clip --weights clip
      vernissage experiment run retrieval openclipart --kind gallery --caption title+keywords -e aligned
    """
    from vernissage.experiments.recipes.retrieval import RETRIEVAL, RetrievalOptions, run_retrieval

    options = RetrievalOptions(pairs)
    folder = out or Path("experiments/retrieval")
    with progress_bars() as progress:
        if kind is None:
            materials = unseen(source, encoder, seed, progress)
        else:
            found = _set(kind, source, pictures, caption, seed, skip_bad=skip_bad)
            materials = [_material(found, name, weights, folder, seed, progress)[0] for name in _named(encoder)]
        run_and_print(
            RETRIEVAL,
            folder,
            lambda kept: run_retrieval(materials, options, seed=seed, cells=kept, progress=progress),
            materials=materials,
            options=options,
            seed=seed,
            most_cells=cells,
            as_json=as_json,
        )


def unseen(workspace: Path, encoders: "Sequence[str] | None", seed: int, progress: "Progress") -> "list[Material]":
    """The works of a workspace that each encoder has not been fitted on as pairs."""
    from vernissage.experiments.held_out import unseen_material
    from vernissage.workspace.profiling import default_encoder
    from vernissage.workspace.workspace import open_workspace

    opened = open_workspace(workspace)
    names = dict.fromkeys(encoders or [default_encoder(opened)])
    return [unseen_material(opened, name, seed=seed, progress=progress) for name in names]


def _named(encoders: "Sequence[str] | None") -> "list[str]":
    return list(dict.fromkeys(encoders or ["aligned"]))


def _set(
    kind: str, path: Path, pictures: Path | None, caption: list[str] | None, seed: int, *, skip_bad: bool
) -> "CaptionedSet":
    from vernissage.cli.experiment_data import opened
    from vernissage.experiments.held_out import in_halves

    return in_halves(opened(kind, path, pictures, caption, skip_bad=skip_bad), seed=seed)


def _material(
    found: "CaptionedSet", name: str, weights: Path | None, folder: Path, seed: int, progress: "Progress"
) -> "tuple[Material, SetEncoder]":
    """The part that is measured: the test part, by an encoder with weights or one fitted on the training part."""
    from vernissage.experiments.set_encoders import fit_set_encoder, load_set_encoder
    from vernissage.experiments.set_material import material_of_set
    from vernissage.workspace.pretrained import PRETRAINED

    if name in PRETRAINED:
        by = load_set_encoder(name, weights=weights, progress=progress)
    elif weights is not None:
        raise RequestError(f"{name} is fitted on the data and has no weights; leave --weights out, or name another")
    else:
        by = fit_set_encoder(found, name, folder, part="train", seed=seed, progress=progress)
    return material_of_set(found.part("test"), by, folder, seed=seed, progress=progress), by


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command()(retrieval)
