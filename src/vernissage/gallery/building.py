"""Making a workspace: the front door `vernissage.build`."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from vernissage import storage
from vernissage.catalog.collection import Collection
from vernissage.catalog.fetching import FOLDER, FetchedPictures, FetchOptions
from vernissage.catalog.loading import inspect_collection, source_of
from vernissage.catalog.report import USUAL, Tolerance
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.contract import Source
from vernissage.catalog.sources.feed import FeedChanges
from vernissage.catalog.words import is_address
from vernissage.files import as_path
from vernissage.progress import Progress, silent
from vernissage.workspace.build import BuildResult, build_workspace, table_options
from vernissage.workspace.index_choice import tidy_indexes
from vernissage.workspace.repository import open_repository
from vernissage.workspace.settings import BuildOptions
from vernissage.workspace.state import purge_state
from vernissage.workspace.workspace import open_workspace

if TYPE_CHECKING:
    from vernissage.gallery.gallery import Gallery
    from vernissage.storage.database import Database


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
    tolerance: Tolerance = USUAL,
    refit: bool = False,
    table: TableOptions | None = None,
    fetch_pictures: bool | FetchOptions = False,
    works: str | Path | None = None,
    database: str | None = None,
    review: Callable[[Collection, Collection], None] | None = None,
    progress: Progress = silent,
    **asked: Unpack[BuildOptions],
) -> BuildOutcome:
    """Read a collection and make its vectors, or bring a workspace up to date; only what changed is encoded.

    ``source`` is a folder of pictures with or without a table, a table, a web address, or a `Source`. The other
    arguments, all of `BuildOptions` among them, and the errors are those of `build_workspace`; ``database`` is that of
    `open_gallery`, whose uploads are encoded too. ``fetch_pictures`` downloads pictures that are named by addresses, as
    `FetchOptions` says; the records of an address are fetched in any case.
    """
    path = as_path(workspace, "the workspace")
    place = database or path / storage.DATABASE_NAME
    result = build_workspace(
        _source(source),
        path,
        tolerance=tolerance,
        refit=refit,
        table=table,
        review=review,
        superseding=partial(_forget_at, place) if storage.is_there(place) else None,
        fetch=fetching(source, fetch_pictures),
        works=None if works is None else as_path(works, "works"),
        progress=progress,
        **asked,
    )
    # Uploads lack vectors of encoders that are new; pictures that no upload names are deleted.
    with closing(open_repository(path, database)) as repository:
        if not repository.has_database:
            return BuildOutcome(result, None)
        people, swept = repository.snapshot.uploaders(), repository.sweep()
        if not people:
            return BuildOutcome(result, None)
        made = repository.encode_missing(progress)
        return BuildOutcome(result, UploadsOutcome(len(people), sum(people.values()), made, len(swept)))


def change_works(gallery: "Gallery", changes: FeedChanges, *, progress: Progress = silent) -> BuildResult:
    """Build the next state of an open gallery from its works and what a feed brings, and go on with that.

    Nothing of the source that the works were read from is read again, and `build` keeps what feeds brought. Encoders
    stay as `build_workspace` says.

    Raises:
        WorkspaceError: another process is writing to the workspace, or it cannot be written.
        EncoderError, ProvenanceError: as `build_workspace`.
    """
    repository = gallery.repository
    database = repository.existing_database
    forget = partial(_forget_works, database) if database is not None else None
    result = build_workspace(None, gallery.path, superseding=forget, changes=changes, progress=progress)
    gallery.refresh()
    if database is not None:
        repository.encode_missing(progress)
    return result


def _forget_at(place: str | Path, old: Collection, new: Collection) -> None:
    with closing(storage.database.open_database(place)) as database:
        _forget_works(database, old, new)


def _forget_works(database: "Database", old: Collection, new: Collection) -> None:
    """Delete the tags of works that are gone, or are no longer what they were, from the database and its files."""
    with database.reading() as connection:
        tagged = set(storage.tags.tagged_items(connection))
    if not tagged:
        return
    kept = {item.id: item.record_digest for item in new if item.id in tagged}
    gone = [item.id for item in old if item.id in tagged and item.record_digest != kept.get(item.id)]
    if gone:
        with database.writing() as connection:
            storage.tags.forget_tags(connection, gone)
            storage.erasure.intend_erasure(connection, of_person=True)
        # Where another process reads the log, whoever opens it next finishes this.
        storage.erasure.resume_erasures(database, None)


def purge(workspace: str | Path, database: str | None = None) -> None:
    """Delete what only readers of earlier states of a workspace may still need, and the bytes of deleted rows.

    That is files of earlier states and of interrupted builds, tags of works that are gone, and deleted rows in the
    database's files. Readers of an earlier state have to open the workspace again.

    Raises:
        WorkspaceError, ProvenanceError: there is no workspace, it is damaged, or another process is writing to it.
        StorageError: another process reads the database's log, so that deleted rows stay in it; or it cannot be opened.
    """
    path = Path(workspace)
    purge_state(path)
    tidy_indexes(open_workspace(path))
    places = [database] if database else [path / storage.DATABASE_NAME, path / storage.STUDY_DATABASE_NAME]
    for place in filter(storage.is_there, places):
        _purge_database(place, path)


def _purge_database(place: str | Path, path: Path) -> None:
    collection = open_workspace(path).collection
    with closing(storage.database.open_database(place)) as opened:
        with opened.writing() as connection:
            works = [item for item in storage.tags.tagged_items(connection) if item not in collection]
            there = {upload.id for upload in storage.uploads.get_uploads(connection, works)}
            storage.tags.forget_tags(connection, [item for item in works if item not in there])
            storage.erasure.intend_erasure(connection, of_person=True)
        storage.erasure.finish_erasures(opened, path / storage.PICTURES_FOLDER)


def inspect(
    source: str | Path | Source,
    workspace: str | Path,
    *,
    table: TableOptions | None = None,
    fetch_pictures: bool | FetchOptions = False,
    works: str | Path | None = None,
    progress: Progress = silent,
) -> Collection:
    """Read a collection as `build` would; its ``report`` says how it was understood.

    Nothing is written, but for a web address the copy of its records, and pictures where these are asked for.

    Raises:
        CollectionError: there is no collection, or it cannot be read at all.
    """
    path = as_path(workspace, "the workspace")
    there = FetchedPictures(path / FOLDER, fetching(source, fetch_pictures))
    joined = None if works is None else as_path(works, "works")
    return inspect_collection(source_of(_source(source), table_options(path, table), there, joined), progress=progress)


def _source(given: str | Path | Source) -> str | Path | Source:
    if isinstance(given, str | Path):
        return given if isinstance(given, str) and is_address(given) else as_path(given, "the source")
    return given if callable(getattr(given, "records", None)) else as_path(given, "the source")


def fetching(source: str | Path | Source, pictures: bool | FetchOptions) -> FetchOptions | None:
    """How what lies at web addresses is fetched; None where nothing is."""
    if isinstance(pictures, FetchOptions):
        return pictures
    return FetchOptions(pictures=pictures) if pictures or isinstance(_source(source), str) else None
