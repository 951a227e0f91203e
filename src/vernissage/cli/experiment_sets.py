"""Data sets as the inputs of experiments: options, and what reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.experiment_data import CaptionFields, PictureFolder, SkipBad, opened
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.experiments.datasets.captioned import CaptionedSet
    from vernissage.experiments.material import Material
    from vernissage.experiments.set_encoders import SetEncoder
    from vernissage.progress import Progress

__all__ = [
    "CaptionFields",
    "ClassColumn",
    "KindWord",
    "PictureFolder",
    "SkipBad",
    "Source",
    "Weights",
    "materials_of_set",
    "opened",
]

Source = Annotated[
    Path, typer.Argument(metavar="SOURCE", help="A workspace, or with --kind the file or folder of a data set.")
]
KindWord = Annotated[
    str | None, typer.Option("--kind", help="Read SOURCE as a data set of this kind; see `experiment data`.")
]
ClassColumn = Annotated[
    str | None, typer.Option("--class-column", help="Galleries: the column of classes; default the group or category.")
]
Weights = Annotated[
    Path | None, typer.Option(help="With --kind: where the encoder's weights are; others are fitted on the data.")
]


def materials_of_set(
    found: "CaptionedSet",
    encoders: Sequence[str] | None,
    weights: Path | None,
    folder: Path,
    seed: int,
    progress: "Progress",
) -> "list[Material]":
    """The test part of a set, or the whole where it has none, by encoders with weights or fitted on its training part.

    Without ``encoders``, by ``aligned``. Vectors and models are kept in ``folder``.

    Raises:
        RequestError: weights are given for an encoder that has none.
    """
    from vernissage.experiments.set_material import material_of_set

    part = found.part("test") if "test" in found.splits else found
    return [
        material_of_set(
            part, _encoder(found, name, weights, folder, seed, progress), folder, seed=seed, progress=progress
        )
        for name in dict.fromkeys(encoders or ["aligned"])
    ]


def _encoder(
    found: "CaptionedSet", name: str, weights: Path | None, folder: Path, seed: int, progress: "Progress"
) -> "SetEncoder":
    from vernissage.experiments.set_encoders import fit_set_encoder, load_set_encoder
    from vernissage.workspace.pretrained import PRETRAINED

    if name in PRETRAINED:
        return load_set_encoder(name, weights=weights, progress=progress)
    if weights is not None:
        raise RequestError(f"{name} is fitted on the data and has no weights; leave --weights out, or name another")
    return fit_set_encoder(found, name, folder, seed=seed, progress=progress)
