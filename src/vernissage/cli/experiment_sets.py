"""Data sets as the inputs of experiments: options, and what reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
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
    from vernissage.experiments.tagging import Taggable
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
    raw: bool = False

    def materials(self, folder: Path, seed: int, progress: "Progress") -> "list[Material]":
        """The works with the vectors of each encoder; what is fitted or encoded for it is kept in ``folder``.

        With ``raw`` vectors are as long as the encoder's network gives them.

        Raises:
            RequestError: raw vectors of a workspace, which keeps none.
        """
        if self.kind is None and self.raw:
            raise RequestError(
                f"{self.source} is a workspace, which keeps vectors of length 1 alone, and --as-published needs those "
                f"of the network; name a data set and its --kind"
            )
        if self.kind is None:
            return materials_of(self.source, self.encoders)
        return materials_of_set(self._found, self.encoders, self.weights, folder, seed, progress, raw=self.raw)

    def taggable(self, seed: int) -> "Taggable":
        """The same works as taggers read them."""
        from vernissage.experiments.tagging import taggable_collection, taggable_set
        from vernissage.workspace.workspace import open_workspace

        if self.kind is None:
            workspace = open_workspace(self.source)
            return taggable_collection(workspace.collection, workspace.collection_name)
        return taggable_set(measured_part(self._found), seed=seed)

    @cached_property
    def _found(self) -> "CaptionedSet":
        """The data set; read once."""
        return opened(
            str(self.kind), self.source, self.pictures, self.caption, self.class_column, skip_bad=self.skip_bad
        )


def measured_part(found: "CaptionedSet") -> "CaptionedSet":
    """What is measured of a set: its test part, or the whole where it has none."""
    return found.part("test") if "test" in found.splits else found


def materials_of_set(
    found: "CaptionedSet",
    encoders: Sequence[str] | None,
    weights: Path | None,
    folder: Path,
    seed: int,
    progress: "Progress",
    *,
    raw: bool = False,
) -> "list[Material]":
    """The test part of a set, or the whole where it has none, by encoders with weights or fitted on its training part.

    Without ``encoders``, by ``aligned``. Vectors and models are kept in ``folder``.

    Raises:
        RequestError: weights are given for an encoder that has none.
        EncoderError: vectors as a network gives them are wanted of an encoder without one.
    """
    from vernissage.experiments.raw_lengths import in_raw_lengths
    from vernissage.experiments.set_material import material_of_set

    part = measured_part(found)
    names = dict.fromkeys(encoders or ["aligned"])
    loaded = (set_encoder(found, name, weights, folder, seed, progress) for name in names)
    return [
        material_of_set(part, in_raw_lengths(by) if raw else by, folder, seed=seed, progress=progress) for by in loaded
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
