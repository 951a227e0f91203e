"""Data sets as the inputs of experiments: options, and what reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.errors import RequestError
from vernissage_lab.cli.experiment_data import CaptionFields, PictureFolder, SkipBad, opened
from vernissage_lab.cli.experiment_options import materials_of

if TYPE_CHECKING:
    from vernissage.progress import Progress
    from vernissage_lab.datasets.captioned import CaptionedSet
    from vernissage_lab.material import Material
    from vernissage_lab.set_encoders import SetEncoder
    from vernissage_lab.tagging import Taggable

__all__ = [
    "CaptionFields",
    "ClassColumn",
    "KindWord",
    "PictureFolder",
    "SkipBad",
    "Source",
    "Weights",
    "WorkSource",
    "checked_encoders",
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

_USUAL = "aligned"


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

    def materials(
        self, folder: Path, seed: int, progress: "Progress", *, query_classes: int, pool: int, tags: bool = False
    ) -> "list[Material]":
        """The works with the vectors of each encoder; what is fitted or encoded for it is kept in ``folder``.

        Whether a data set has classes, noise, and where they are wanted ``tags`` enough, is looked at before anything
        is encoded. With ``raw`` vectors are as long as the encoder's network gives them.

        Raises:
            RequestError: raw vectors of a workspace, which keeps none.
        """
        if self.kind is None and self.raw:
            raise RequestError(
                f"{self.source} is a workspace, which keeps vectors of length 1 alone, and --as-published needs those "
                f"of the network; name a data set and its --kind"
            )
        if self.kind is None:
            self.require_no_set_options()
            return materials_of(self.source, self.encoders)
        from vernissage_lab.suitability import measured_part, require_protocol, require_tags

        checked_encoders(self.encoders or [_USUAL], self.weights)
        found = self.dataset
        require_protocol(measured_part(found), query_classes=query_classes, pool=pool)
        if tags:
            require_tags(measured_part(found))
        return materials_of_set(found, self.encoders, self.weights, folder, seed, progress, raw=self.raw)

    def taggable(self, seed: int) -> "Taggable":
        """The same works as taggers read them."""
        from vernissage.workspace.workspace import open_workspace
        from vernissage_lab.suitability import measured_part
        from vernissage_lab.tagging import taggable_collection, taggable_set

        if self.kind is None:
            workspace = open_workspace(self.source)
            return taggable_collection(workspace.collection, workspace.collection_name)
        return taggable_set(measured_part(self.dataset), seed=seed)

    @cached_property
    def dataset(self) -> "CaptionedSet":
        """The data set of that kind, read once.

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
    *,
    both: bool = False,
    raw: bool = False,
) -> "list[Material]":
    """The part that is measured, by encoders with weights or fitted on the set's training part.

    Without ``encoders``, by ``aligned``. Vectors and models are kept in ``folder``.

    Raises:
        RequestError: see `checked_encoders`.
        EncoderError: vectors as a network gives them are wanted of an encoder without one.
    """
    from vernissage_lab.raw_lengths import in_raw_lengths
    from vernissage_lab.set_material import material_of_set
    from vernissage_lab.suitability import measured_part

    part = measured_part(found)
    names = checked_encoders(encoders or [_USUAL], weights, both=both)
    loaded = (set_encoder(found, name, weights, folder, seed, progress) for name in names)
    return [
        material_of_set(part, in_raw_lengths(by) if raw else by, folder, seed=seed, progress=progress) for by in loaded
    ]


def checked_encoders(names: Sequence[str], weights: Path | None, *, both: bool = False) -> list[str]:
    """The encoders, each once, all looked at before one of them is fitted or encodes.

    Raises:
        RequestError: there is no such encoder, weights are given for one that has none, or it reads pictures or texts
            alone where ``both`` are needed.
    """
    from vernissage.encoders.register import cards

    found = list(dict.fromkeys(names))
    known = cards()
    for name in found:
        if name not in known:
            raise RequestError(f"there is no encoder {name!r}; choose from {', '.join(known)}")
        if weights is not None and not known[name].pretrained:
            raise RequestError(f"{name} is fitted on the data and has no weights; leave --weights out, or name another")
        if both and len(known[name].modalities) < 2:
            able = ", ".join(each for each, encoder in known.items() if len(encoder.modalities) > 1)
            raise RequestError(f"{name} does not read both pictures and texts; choose one that does: {able}")
    return found


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
    """An encoder with weights, or one fitted on a part of the set; if empty, its training part, or else the whole."""
    from vernissage.encoders.register import card
    from vernissage_lab.set_encoders import fit_set_encoder, load_set_encoder

    if card(name).pretrained:
        return load_set_encoder(name, weights=weights, progress=progress)
    return fit_set_encoder(found, name, folder, part=part, seed=seed, progress=progress)
