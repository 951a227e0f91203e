"""The works that an experiment runs on, as its command names them: a workspace, or a data set of some kind."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vernissage.errors import RequestError
from vernissage.gallery.person import areas_encoder
from vernissage.workspace.workspace import Workspace, open_workspace
from vernissage_lab.cells import Cells
from vernissage_lab.datasets.captioned import CaptionedSet
from vernissage_lab.datasets.kinds import open_dataset
from vernissage_lab.material import Material, material_of_set, material_of_workspace, measured_part
from vernissage_lab.recipe import CaptionFields, Options, PictureFolder, SkipBad, Words
from vernissage_lab.set_encoders import USUAL, checked_encoders, in_raw_lengths, set_encoder
from vernissage_lab.users import FEWEST_USERS, POOL, QUERY_CLASSES, UNKNOWN, Protocol, protocol_of


@dataclass(frozen=True)
class SourceOptions(Options):
    """Which works: those of a workspace, or of a data set."""

    source: Path
    kind: str | None = None
    encoder: Words = None
    pictures: PictureFolder = None
    caption: CaptionFields = None
    skip_bad: SkipBad = False

    def of_sets(self) -> dict[str, Any]:
        """The options for which a workspace has no use, as they are written."""
        return {"--pictures": self.pictures, "--caption": self.caption, "--skip-bad": self.skip_bad}

    @cached_property
    def dataset(self) -> CaptionedSet:
        """The data set of that kind, read once.

        Raises:
            RequestError: no kind is given; DatasetError: see `open_dataset`.
        """
        if self.kind is None:
            raise RequestError(f"{self.source} is read as a workspace; name the kind of data set with --kind")
        how: dict[str, Any] = {"captions": self.caption or None, "classes": self.of_sets().get("--class-column")}
        return open_dataset(self.kind, self.source, pictures=self.pictures, skip_bad=self.skip_bad, **how)

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace, opened once. Raises RequestError: an option is given for which a workspace has no use."""
        if useless := [option for option, value in self.of_sets().items() if value]:
            raise RequestError(
                f"{useless[0]} is for data sets, but {self.source} is read as a workspace; name the kind of data set "
                f"with --kind, or leave {useless[0]} out"
            )
        return open_workspace(self.source)


@dataclass(frozen=True)
class WorkOptions(SourceOptions):
    """Which works, by whose vectors."""

    class_column: str | None = None
    weights: Path | None = None

    def of_sets(self) -> dict[str, Any]:
        return {**super().of_sets(), "--class-column": self.class_column, "--weights": self.weights}

    @property
    def names(self) -> list[str]:
        """The encoders of the workspace that are asked for, each once; without any word its default one."""
        return list(dict.fromkeys(self.encoder or [areas_encoder(self.workspace)]))

    def materials(self, cells: Cells, *, both: bool = False, raw: bool = False) -> list[Material]:
        """The works with the vectors of each encoder; what is fitted or encoded for it is kept in the run's folder.

        Of a data set, the part that is measured. With ``raw`` vectors are as long as the encoder's network gives them.

        Raises:
            RequestError: raw vectors of a workspace, which keeps none; or as in `checked_encoders`.
            EncoderError: vectors as a network gives them are wanted of an encoder without one.
        """
        if self.kind is None and raw:
            raise RequestError(
                f"{self.source} is a workspace, which keeps vectors of length 1 alone, and --as-published needs those "
                f"of the network; name a data set and its --kind"
            )
        if self.kind is None:
            return [material_of_workspace(self.workspace, name) for name in self.names]
        return self.materials_of_set(self.dataset, cells, both=both, raw=raw)

    def materials_of_set(
        self, found: CaptionedSet, cells: Cells, *, both: bool = False, raw: bool = False
    ) -> list[Material]:
        """The part of a set that is measured, by encoders with weights or fitted on its training part."""
        folder, how = cells.place, cells.how
        names = checked_encoders(self.encoder or [USUAL], self.weights, both=both)
        loaded = (set_encoder(found, name, folder, weights=self.weights, **how) for name in names)
        part = measured_part(found)
        return [material_of_set(part, in_raw_lengths(by) if raw else by, folder, **how) for by in loaded]


@dataclass(frozen=True)
class UserOptions(WorkOptions):
    """Simulated users of how many interests, and the numbers of the recommendation protocol."""

    classes: str = "1,2,5,10"
    users: int = FEWEST_USERS
    query_classes: int = QUERY_CLASSES
    pool: int = POOL

    def __post_init__(self) -> None:
        self.interests  # noqa: B018, refuses what are no numbers

    @cached_property
    def interests(self) -> tuple[int, ...]:
        """Numbers of interests."""
        return whole_numbers(self.classes, "the classes")

    def protocol(self, material: Material) -> Protocol:
        """The protocol of these numbers on works."""
        return protocol_of(material.classes, **self._protocol)

    def numbers(self) -> dict[str, Any]:
        """What a cell depends on."""
        return {"users": self.users, **self._protocol}

    def require_classes(self) -> None:
        """Refuse a data set whose classes are too few for the protocol, before anything is encoded.

        Raises:
            RequestError: as in `checked_encoders`, nothing beside the classes, or a pool of less than 2.
            DatasetError: fewer classes than asked for.
        """
        if self.kind is None:
            return
        checked_encoders(self.encoder or [USUAL], self.weights)
        found = measured_part(self.dataset)
        found.require_classes(max(1, self.query_classes))
        place = {index: number for number, index in enumerate(found.members)}
        labels = [found.labels.get(image.id) for image in found.images]
        codes = np.array([place[label.index] if label else UNKNOWN for label in labels], dtype=np.int64)
        protocol_of(codes, **self._protocol)

    @property
    def _protocol(self) -> dict[str, int]:
        return {"query_classes": self.query_classes, "pool": self.pool}


def whole_numbers(text: str, what: str, *, least: int = 1) -> tuple[int, ...]:
    """Whole numbers with commas between them, each once.

    Raises:
        RequestError: something else, or a number below ``least``.
    """
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and int(word) >= least for word in words):
        raise RequestError(
            f"{what} {text!r} are not whole numbers from {least} with commas between; write them as 1,2,5"
        )
    return tuple(dict.fromkeys(int(word) for word in words))
