"""Keeping a workspace up with its source: what changed is taken over, and what looks like an accident is not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vernissage.catalog.collection import Collection
from vernissage.catalog.fetching import FOLDER, FetchedPictures, FetchOptions
from vernissage.catalog.loading import source_of
from vernissage.catalog.report import USUAL, Tolerance
from vernissage.catalog.sources.contract import RemoteSource, Source
from vernissage.errors import CollectionError, Kind, RequestError
from vernissage.files import as_path
from vernissage.gallery.building import BuildOutcome, build, fetching
from vernissage.progress import Progress, silent
from vernissage.workspace.build import table_options
from vernissage.workspace.state import found, read_manifest
from vernissage.workspace.workspace import Workspace

_SHOWN = 10
MOST_CHANGED = 0.1
"""The share of the works beyond which a change is told apart from everyday ones."""


@dataclass(frozen=True)
class Difference:
    """What became of the works since the state before.

    Attributes:
        before: how many works there were.
        added, changed, removed: ids of those that are new, said or shown otherwise, and gone, in their order.
    """

    before: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @classmethod
    def between(cls, old: Collection, new: Collection) -> "Difference":
        """What tells two collections apart, by all that is known of each work."""
        was = {item.id: item.record_digest for item in old}
        now = {item.id: item.record_digest for item in new}
        changed = tuple(name for name, told in now.items() if was.get(name, told) != told)
        return cls(len(was), _lacking(was, now), changed, _lacking(now, was))

    @property
    def share(self) -> float:
        """Of the works before, how many were added, changed or removed."""
        return (len(self.added) + len(self.changed) + len(self.removed)) / max(1, self.before)


def _lacking(known: dict[str, str], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in known)


@dataclass(frozen=True)
class SyncOutcome:
    """What a sync did.

    Attributes:
        difference: what became of the works.
        most: the share beyond which a change is `alarming`.
        built: what the build did; None where the source had not changed, so that none was needed.
    """

    difference: Difference
    most: float
    built: BuildOutcome | None = None

    @property
    def alarming(self) -> bool:
        """Whether a larger share of the works changed than does every day."""
        return self.difference.share > self.most

    def lines(self) -> list[str]:
        """The counts in words."""
        if self.built is None:
            return [f"The source has not changed since it was last read: {self.difference.before} works."]
        told, result = self.difference, self.built.result
        parts = {"added": told.added, "changed": told.changed, "removed": told.removed}
        counts = ", ".join(f"{len(ids)} {word}" for word, ids in parts.items())
        encoded = ", ".join(f"{count} with {key}" for key, count in result.encoded.items() if count) or "nothing"
        shown = [f"{word}: {', '.join(ids[:_SHOWN])}{' …' * (len(ids) > _SHOWN)}" for word, ids in parts.items() if ids]
        report = result.collection.report
        bad = report.rejected if report else ()
        left = [f"rows left out: {len(bad)} (rejected.csv lists them), the first: {bad[0].line()}"] if bad else []
        return [f"{len(result.collection)} works: {counts}; encoded anew: {encoded}.", *shown, *left, *result.notes]

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON values."""
        told = {
            name: list(value) if isinstance(value, tuple) else value for name, value in vars(self.difference).items()
        }
        encoded = dict(self.built.result.encoded) if self.built else {}
        return told | {"share": self.difference.share, "alarming": self.alarming, "encoded": encoded}


def sync(
    workspace: str | Path,
    source: Source | None = None,
    *,
    most: float = MOST_CHANGED,
    remove: bool = False,
    tolerance: Tolerance = USUAL,
    fetch_pictures: bool | FetchOptions = False,
    database: str | None = None,
    progress: Progress = silent,
) -> SyncOutcome:
    """Bring a workspace up to date with what it was built from: encode what is new, and take out what is gone.

    A source on the web is asked for what has changed. Where its fingerprint is the one of the last time, nothing is
    built. Encoders stay as they were fitted, with the settings of the builds before. The new state takes over at its
    end, so that an interruption costs nothing and is gone on with.

    Args:
        workspace: its folder.
        source: a source in Python that the workspace was built from; else it is known by the workspace.
        most: the share of works that may be gone, and beyond which the outcome is `alarming`.
        remove: let more be gone.
        tolerance, fetch_pictures, database, progress: as `build` takes them.

    Raises:
        CollectionError: more works are gone than ``most`` lets; nothing was changed. Else as `build`.
        RequestError: the workspace does not know a source that can be read again, or ``most`` is no share.
    """
    path = as_path(workspace, "the workspace")
    if not 0 <= most <= 1:
        raise RequestError(f"{most} is no share of the works; give a number between 0 and 1")
    manifest = read_manifest(path)
    opened = source or _known_source(path, manifest.source, fetch_pictures)
    if isinstance(opened, RemoteSource):
        opened.changes(progress)
    pictures = fetch_pictures.pictures if isinstance(fetch_pictures, FetchOptions) else fetch_pictures
    if manifest.complete and not pictures and opened.fingerprint() == manifest.source.get("fingerprint"):
        return SyncOutcome(Difference(len(Workspace(path, manifest).collection)), most)
    differences: list[Difference] = []

    def review(old: Collection, new: Collection) -> None:
        differences.append(found := Difference.between(old, new))
        if len(found.removed) > most * found.before and not remove:
            raise CollectionError(
                f"{opened.name} lacks {len(found.removed)} of the {found.before} works of {path} (the first: "
                f"{found.removed[0]}), more than {most:.0%}; nothing was changed: look at the source, or let them go "
                f"with --yes",
                kind=Kind.CONFLICT,
            )

    built = build(
        opened,
        path,
        tolerance=tolerance,
        database=database,
        review=review,
        progress=progress,
    )
    return SyncOutcome(next(iter(differences), Difference(0, tuple(built.result.collection.ids))), most, built)


def _known_source(path: Path, told: Mapping[str, str], fetch_pictures: bool | FetchOptions) -> Source:
    """What the workspace was built from, opened again."""
    if "class" in told:
        raise RequestError(
            f"{path} was built from a source in Python ({told['class']}), which cannot be opened by its name; call "
            f"vernissage.sync(workspace, source), or build again"
        )
    given = told.get("address") or found(told, path)
    joined = {name: told.get(f"works {name}", "") for name in ("absolute", "relative")}
    works = found(joined, path) if joined["absolute"] else None
    for each in (given, works):
        if isinstance(each, Path) and not each.exists():
            raise CollectionError(
                f"there is no {each}, which {path} was built from; put it there again, or run `vernissage build` with "
                f"its new place"
            )
    fetched = FetchedPictures(path / FOLDER, fetching(given, fetch_pictures))
    return source_of(given, table_options(path, None), fetched, works)
