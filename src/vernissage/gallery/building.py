"""Making a workspace: the front door `vernissage.build`."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from vernissage.catalog.collection import Collection
from vernissage.catalog.fetching import FOLDER, FetchedPictures, FetchOptions
from vernissage.catalog.loading import inspect_collection, source_of
from vernissage.catalog.report import USUAL, Tolerance
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.contract import Source
from vernissage.encoders.loading import Execution
from vernissage.encoders.runtime.devices import Runtime
from vernissage.progress import Progress, silent
from vernissage.workspace.build import BuildResult, build_workspace, table_options
from vernissage.workspace.repository import open_repository


@dataclass(frozen=True)
class UploadsOutcome:
    """What became of people's uploads when the workspace's encoders changed.

    Attributes:
        people, uploads: how many there are.
        vectors: how many vectors were made anew.
        swept: how many pictures without an upload were deleted.
    """

    people: int
    uploads: int
    vectors: int
    swept: int


@dataclass(frozen=True)
class BuildOutcome:
    """What a build did to the workspace (see `BuildResult`), and to people's uploads; None where there are none."""

    result: BuildResult
    uploads: UploadsOutcome | None


def build(
    source: str | Path | Source,
    workspace: str | Path,
    *,
    encoders: Sequence[str] | None = None,
    seed: int | None = None,
    topics: int | None = None,
    languages: Sequence[str] | None = None,
    weights: Mapping[str, Path] | None = None,
    runtime: Runtime | None = None,
    executions: Mapping[str, Execution] | None = None,
    pairs: int | None = None,
    draft: bool | None = None,
    tolerance: Tolerance = USUAL,
    refit: bool = False,
    table: TableOptions | None = None,
    fetch_pictures: bool | FetchOptions = False,
    database: str | None = None,
    progress: Progress = silent,
) -> BuildOutcome:
    """Read a collection and make its vectors, or bring a workspace up to date; only what changed is encoded.

    ``source`` is a folder of pictures with or without a table, a table, or a `Source`. The other arguments and the
    errors are those of `build_workspace`; ``database`` is that of `open_gallery`, whose uploads are encoded too.
    ``fetch_pictures`` downloads pictures that are named by web addresses, as `FetchOptions` says.
    """
    result = build_workspace(
        Path(source) if isinstance(source, str) else source,
        Path(workspace),
        encoders=encoders,
        seed=seed,
        topics=topics,
        languages=languages,
        weights=weights,
        runtime=runtime,
        executions=executions,
        pairs=pairs,
        draft=draft,
        tolerance=tolerance,
        refit=refit,
        table=table,
        fetch=FetchOptions() if fetch_pictures is True else fetch_pictures or None,
        progress=progress,
    )
    # Uploads lack vectors of encoders that are new; pictures that no upload names are deleted.
    with closing(open_repository(Path(workspace), database)) as repository:
        if not repository.has_database:
            return BuildOutcome(result, None)
        people, swept = repository.snapshot.uploaders(), repository.sweep()
        if not people:
            return BuildOutcome(result, None)
        made = repository.encode_missing(progress)
        return BuildOutcome(result, UploadsOutcome(len(people), sum(people.values()), made, len(swept)))


def inspect(
    source: str | Path | Source,
    workspace: str | Path,
    *,
    table: TableOptions | None = None,
    progress: Progress = silent,
) -> Collection:
    """Read a collection as `build` would; its ``report`` says how it was understood. Nothing is written.

    Raises:
        CollectionError: there is no collection, or it cannot be read at all.
    """
    given = Path(source) if isinstance(source, str) else source
    there = FetchedPictures(Path(workspace) / FOLDER)
    return inspect_collection(source_of(given, table_options(Path(workspace), table), there), progress=progress)
