"""Data sets as the inputs of experiments: options, and what reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.experiment_data import CaptionFields, PictureFolder, SkipBad, opened
from vernissage.cli.experiment_options import materials_of
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
    "WorkSource",
    "materials_of_set",
    "opened",
    "set_encoder",
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


@dataclass(frozen=True)
class WorkSource:
    """Works for an experiment: a workspace, or with ``kind`` a data set; see the options of these names."""

    source: Path
    kind: str | None
    encoders: Sequence[str] | None
    pictures: Path | None
    caption: list[str] | None
    class_column: str | None
    weights: Path | None
    skip_bad: bool

    def materials(self, folder: Path, seed: int, progress: "Progress") -> "list[Material]":
        """The works with the vectors of each encoder; what is fitted or encoded for it is kept in ``folder``."""
        if self.kind is None:
            self.require_no_set_options()
            return materials_of(self.source, self.encoders)
        return materials_of_set(self.dataset(), self.encoders, self.weights, folder, seed, progress)

    def dataset(self) -> "CaptionedSet":
        """The data set of that kind.

        Raises:
            RequestError: no kind is given; DatasetError: see `open_dataset`.
        """
        if self.kind is None:
            raise RequestError(f"{self.source} is read as a workspace; name the kind of data set with --kind")
        return opened(self.kind, self.source, self.pictures, self.caption, self.class_column, skip_bad=self.skip_bad)

    def require_no_set_options(self) -> None:
        """Refuse options that a workspace has no use for.

        Raises:
            RequestError: one of them is given.
        """
        given = {
            "--pictures": self.pictures is not None,
            "--caption": bool(self.caption),
            "--class-column": self.class_column is not None,
            "--weights": self.weights is not None,
            "--skip-bad": self.skip_bad,
        }
        for option, there in given.items():
            if there:
                raise RequestError(
                    f"{option} is for data sets, but {self.source} is read as a workspace; name the kind of data set "
                    f"with --kind, or leave {option} out"
                )


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
            part, set_encoder(found, name, weights, folder, seed, progress), folder, seed=seed, progress=progress
        )
        for name in dict.fromkeys(encoders or ["aligned"])
    ]


def set_encoder(
    found: "CaptionedSet",
    name: str,
    weights: Path | None,
    folder: Path,
    seed: int,
    progress: "Progress",
    *,
    part: str = "",
) -> "SetEncoder":
    """An encoder with weights, or one that is fitted on a part of the set (its training part, or the whole, if empty).

    Raises:
        RequestError: weights are given for an encoder that has none.
    """
    from vernissage.experiments.set_encoders import fit_set_encoder, load_set_encoder
    from vernissage.workspace.recipes import RECIPES

    if name not in RECIPES:
        return load_set_encoder(name, weights=weights, progress=progress)
    if weights is not None:
        raise RequestError(f"{name} is fitted on the data and has no weights; leave --weights out, or name another")
    return fit_set_encoder(found, name, folder, part=part, seed=seed, progress=progress)
