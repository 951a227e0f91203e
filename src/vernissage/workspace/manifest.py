"""What is current in a workspace: one small file whose replacement switches the whole state at once."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vernissage.errors import Kind, WorkspaceError
from vernissage.files import Seal, read_json, write_json

FORMAT = 2
FORMER = 1
"""The format before, which `conversion` converts."""

FILE_NAME = "workspace.json"


@dataclass(frozen=True)
class Manifest:
    """The state of a workspace. Every file that it names is immutable, so a reader's state stays whole.

    Attributes:
        complete: False while the very first build is under way or was interrupted.
        source: the collection's folder or table, absolute, and relative to the workspace.
        folder: the collection's folder, in the same two ways.
        collection: file name of the collection; its fingerprint is ``fingerprint``.
        words: file name of the counts of the collection's words.
        seals: size and SHA-256 of the files of the collection and of its words, by their names.
        settings: what the build was asked for, see `Settings`.
        models: encoder name → folder below ``models``.
        fingerprints: encoder name → its fingerprint.
        vectors: "encoder.modality" → stem below ``vectors``; a modality is any word, so that more of them can come.
        pairs: encoder name → folder below ``pairs``, for encoders that read pictures and texts together.
        means: encoder name → folder below ``means``, for encoders of pictures and texts.
        left_out: encoder name → why it could not be fitted.
        retired: files of the state before, kept so that readers which opened it can still read.
        format: the version of this layout.
    """

    source: Mapping[str, str]
    folder: Mapping[str, str]
    collection: str
    fingerprint: str
    words: str
    seals: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Any]
    models: Mapping[str, str] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    vectors: Mapping[str, str] = field(default_factory=dict)
    pairs: Mapping[str, str] = field(default_factory=dict)
    means: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    retired: tuple[str, ...] = ()
    complete: bool = False
    format: int = FORMAT

    @property
    def files(self) -> frozenset[str]:
        """Every file and folder that this state names, relative to the workspace."""
        models = {f"models/{name}" for name in self.models.values()}
        kinds = ("npy", "rows.parquet", "card.json")
        vectors = {f"vectors/{stem}.{kind}" for stem in self.vectors.values() for kind in kinds}
        indexes = {f"indexes/{stem}{end}" for stem in self.vectors.values() for end in (".npz", ".moments.npz")}
        pairs = {f"pairs/{name}" for name in self.pairs.values()}
        means = {f"means/{name}" for name in self.means.values()}
        return frozenset({self.collection, self.words, *models, *vectors, *indexes, *pairs, *means})

    def seal(self, file: str) -> Seal:
        """Size and SHA-256 of the file of the collection or of its words."""
        return Seal(**self.seals[file])

    def write(self, workspace: Path) -> None:
        """Make this the state of the workspace, at once."""
        write_json(workspace / FILE_NAME, asdict(self) | {"retired": list(self.retired)})


def read_manifest(workspace: Path) -> Manifest:
    """Read the current state.

    Raises:
        WorkspaceError: there is no workspace, or it is of another version.
        ProvenanceError: the file is damaged.
    """
    if not is_workspace(workspace):
        raise WorkspaceError(_no_workspace(workspace), kind=Kind.BAD_REQUEST if workspace.is_file() else Kind.NOT_FOUND)
    content, found = read_json(workspace / FILE_NAME), format_of(workspace)
    if found != FORMAT:
        raise WorkspaceError(
            f"{workspace} is a workspace of format {found}, and this version reads format {FORMAT}; build a new one "
            f"with `vernissage build COLLECTION -o ANOTHER-FOLDER`, or use the version that made it",
            kind=Kind.CONFLICT,
        )
    try:
        return Manifest(**{**content, "retired": tuple(content["retired"])})
    except (TypeError, KeyError) as error:
        raise WorkspaceError(
            f"{workspace / FILE_NAME} lacks or has unknown entries ({error}); delete {workspace} and build it again",
            kind=Kind.CONFLICT,
        ) from error


def format_of(workspace: Path) -> Any:
    """The format of a workspace that is there; None where its manifest names none.

    Raises:
        ProvenanceError: the file is damaged.
    """
    content = read_json(workspace / FILE_NAME)
    return content.get("format") if isinstance(content, dict) else None


def is_workspace(folder: Path) -> bool:
    """Whether a workspace, finished or not, is in the folder."""
    return (folder / FILE_NAME).is_file()


def located(target: Path, workspace: Path) -> dict[str, str]:
    """A path outside the workspace in two ways, so that it is found again when either or both are moved."""
    absolute = target.resolve()
    try:
        relative = Path(os.path.relpath(absolute, workspace.resolve())).as_posix()
    except ValueError:
        relative = ""
    return {"absolute": absolute.as_posix(), "relative": relative}


def found(location: Mapping[str, str], workspace: Path) -> Path:
    """The path that `located` described: where it was, else where it lies from the workspace."""
    absolute = Path(location["absolute"])
    moved = (workspace / location["relative"]).resolve() if location["relative"] else absolute
    return absolute if absolute.exists() or not moved.exists() else moved


def _no_workspace(folder: Path) -> str:
    if not folder.exists():
        return f"there is no workspace {folder}; make one with `vernissage build COLLECTION -o {folder}`"
    if folder.is_file():
        return f"{folder} is a file; name the folder of a workspace that `vernissage build` made"
    return (
        f"{folder} holds no workspace (no {FILE_NAME}); name the folder that `vernissage build COLLECTION -o FOLDER` "
        f"made, or run it, also if a first build was interrupted there"
    )
