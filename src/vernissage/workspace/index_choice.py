"""Which kind of index serves an encoder's vectors, as `index.json` beside the manifest says, and how each is opened."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vernissage.errors import ProvenanceError, RequestError
from vernissage.files import read_json, write_json
from vernissage.progress import Progress, silent
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.moments import load_moments, save_moments
from vernissage.search.scan import ByteScan, build_byte_scan
from vernissage.shapes import misfit
from vernissage.values import Columns, Modality, Moments, WritableIndex
from vernissage.workspace.state import INDEX_CHOICES, LISTS, STAGING, sole_writer

if TYPE_CHECKING:
    from vernissage.search.vectors import VectorTable
    from vernissage.workspace.workspace import Workspace

SCANNED_FROM = 1_000_000
"""Tables of at least so many numbers get a byte scan: below, one pass over float32 is as fast."""


@dataclass(frozen=True)
class IndexChoice:
    """A kind of index, a word of `KINDS`, with settings of its own as JSON values."""

    kind: str = "exact"
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class IndexedTable:
    """The vectors that an index is over.

    Attributes:
        table: with its card.
        columns: what is known of works beside their vectors.
        stem: path of what is kept of indexes over this table: its name stands for the table's bytes, and files named
            ``stem`` and an ending of `Manifest.files` live as long as the table.
    """

    table: "VectorTable"
    columns: Columns
    stem: Path

    @property
    def key(self) -> str:
        """``ENCODER.MODALITY``."""
        return f"{self.table.card.encoder}.{self.table.card.modality}"

    def file(self, ending: str) -> Path:
        """A file that is kept of indexes over this table."""
        return self.stem.with_name(f"{self.stem.name}{ending}")

    def moments(self) -> Moments | None:
        """The moments that the build kept; None where it kept none, so that they are computed when asked for."""
        with suppress(ProvenanceError):
            return load_moments(self.file(".moments.npz"), self.table.dim, self.table.card.values)
        return None


@dataclass(frozen=True)
class IndexKind:
    """How one kind of index is prepared and opened.

    Attributes:
        prepare: makes what opening needs, where it is not there yet, and returns the settings to keep.
        open: the first snapshot over a table; raises `ProvenanceError` where what `prepare` made does not fit.
    """

    prepare: Callable[[IndexedTable, Mapping[str, Any], Progress], Mapping[str, Any]]
    open: Callable[[IndexedTable, Mapping[str, Any]], WritableIndex]


def _prepare_exact(source: IndexedTable, settings: Mapping[str, Any], _: Progress) -> Mapping[str, Any]:
    """Write what an index over a large table would else have to compute, unless it is there."""
    if settings:
        raise RequestError(f"the exact index has no settings, but {', '.join(settings)} was given; leave that out")
    _keep_scan(source)
    return {}


def _keep_scan(source: IndexedTable) -> None:
    table, scan, moments = source.table, source.file(".npz"), source.file(".moments.npz")
    if table.vectors.size >= SCANNED_FROM:
        if not scan.exists():
            build_byte_scan(table.vectors, table.card.values).save(scan)
        if not moments.exists():
            save_moments(moments, exact_index(table).moments(), table.card.values)


def open_exact(source: IndexedTable, _: Mapping[str, Any] = MappingProxyType({})) -> ExactIndex:
    """The exact index; over large tables with a byte scan and moments, read or made anew."""
    table = source.table
    if table.vectors.size < SCANNED_FROM:
        return exact_index(table, source.columns)
    try:
        scan = ByteScan.load(source.file(".npz"), table.vectors, table.card.values)
    except ProvenanceError:
        scan = build_byte_scan(table.vectors, table.card.values)
    return exact_index(table, source.columns, scan=scan, moments=source.moments())


def _prepare_approximate(source: IndexedTable, settings: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Sort the table into lists, unless that was done; what `tune` found for them is kept, else usual efforts are."""
    from vernissage.search.approximate import InvertedLists, build_inverted_lists, usual_efforts, usual_lists

    _keep_scan(source)
    table, place, found = source.table, source.file(LISTS), None
    wanted = int(_checked(settings).get("lists") or usual_lists(len(table)))
    if len(table):
        with suppress(ProvenanceError):
            found = InvertedLists.load(place, table.vectors, table.card.values)
        if found is None or len(found.centroids) != wanted:
            staging = source.stem.parent.parent / STAGING / "lists"
            made = build_inverted_lists(table.vectors, table.card.values, staging, lists=wanted, progress=progress)
            made.save(place)
            shutil.rmtree(staging, ignore_errors=True)
    return {"efforts": [asdict(each) for each in usual_efforts(wanted)], **settings, "lists": wanted}


def _open_approximate(source: IndexedTable, settings: Mapping[str, Any]) -> WritableIndex:
    """The index over lists that were made before; the exact one never takes its place unasked."""
    from vernissage.search.approximate import ApproximateIndex, Effort, InvertedLists

    table, efforts = source.table, [Effort(**each) for each in _checked(settings)["efforts"]]
    if not len(table):
        return open_exact(source)
    try:
        lists = InvertedLists.load(source.file(LISTS), table.vectors, table.card.values)
    except ProvenanceError as error:
        again = f"vernissage index use {source.stem.parent.parent} --vectors {source.key}"
        raise ProvenanceError(
            f"the approximate index of {source.key} cannot be opened: {str(error).partition(';')[0]}; make it anew "
            f"with `{again} --kind approximate`, or go back with --kind exact"
        ) from error
    return ApproximateIndex(open_exact(source), lists, efforts)


def _checked(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings of the approximate index, of the types that they need. Raises RequestError: they are not."""
    from vernissage.search.approximate import ApproximateSettings

    if wrong := misfit(dict(settings), ApproximateSettings, "settings of the approximate index"):
        raise RequestError(f"{wrong}; choose it again with `vernissage index use` or `vernissage tune`")
    return settings


KINDS: Mapping[str, IndexKind] = MappingProxyType(
    {
        "exact": IndexKind(_prepare_exact, open_exact),
        "approximate": IndexKind(_prepare_approximate, _open_approximate),
    }
)
"""Every kind of index by the word for it."""


def read_choices(workspace: Path) -> dict[str, IndexChoice]:
    """What is chosen for each ``ENCODER.MODALITY``; what is not named is exact.

    Raises:
        ProvenanceError: the file is damaged, or names a kind that this version does not know.
    """
    place = workspace / INDEX_CHOICES
    if not place.exists():
        return {}
    content = read_json(place)
    wrong = misfit(content, Mapping[str, IndexChoice], INDEX_CHOICES)
    unknown = [] if wrong else [each["kind"] for each in content.values() if each.get("kind", "exact") not in KINDS]
    if wrong or unknown:
        why = wrong or f"there is no kind of index {unknown[0]!r}; there are {', '.join(KINDS)}"
        raise ProvenanceError(f"{place}: {why}; delete it, and the exact index serves until `vernissage index use`")
    return {key: IndexChoice(**each) for key, each in content.items()}


def open_index(workspace: "Workspace", encoder: str, modality: Modality, columns: Columns) -> WritableIndex:
    """The index that is chosen over those vectors.

    Raises:
        ProvenanceError: what that kind needs is missing or belongs to other vectors; the message says what to run.
    """
    choice = workspace.index_choices.get(f"{encoder}.{modality}", IndexChoice())
    return KINDS[choice.kind].open(indexed_table(workspace, encoder, modality, columns), choice.settings)


def indexed_table(
    workspace: "Workspace", encoder: str, modality: Modality, columns: Columns | None = None
) -> IndexedTable:
    """The vectors of an encoder and modality, as kinds of indexes read them."""
    table, named = workspace.table(encoder, modality), f"{encoder}.{modality}"
    stem = workspace.path / "indexes" / workspace.manifest.vectors.get(named, named)
    return IndexedTable(table, workspace.collection if columns is None else columns, stem)


def require_vectors(workspace: "Workspace", keys: Sequence[str]) -> tuple[str, ...]:
    """The same keys, or all that there are where none is named. Raises RequestError: there are no such vectors."""
    there = workspace.manifest.vectors
    if missing := [key for key in keys if key not in there]:
        raise RequestError(f"the workspace has no vectors {missing[0]}; it has {', '.join(there) or 'none'}")
    return tuple(keys or there)


def keep_index(workspace: Path, source: IndexedTable, progress: Progress) -> None:
    """Make what the index that is chosen for a table needs, as a build does for tables that are new."""
    choice = read_choices(workspace).get(source.key, IndexChoice())
    KINDS[choice.kind].prepare(source, choice.settings, progress)


def use_index(
    workspace: "Workspace", choice: IndexChoice, keys: Sequence[str] = (), progress: Progress = silent
) -> dict[str, IndexChoice]:
    """Prepare a kind of index and choose it, at once for all ``keys`` (``ENCODER.MODALITY``), or for all vectors.

    Until the last of them is prepared, what was chosen before serves on.

    Returns:
        What is chosen now, for every key that is not exact.

    Raises:
        RequestError: there is no such kind, the workspace has no such vectors, or the settings do not fit the kind.
        WorkspaceError: another process is writing, or there is no room.
    """
    if choice.kind not in KINDS:
        raise RequestError(f"there is no kind of index {choice.kind!r}; choose {', '.join(KINDS)}")
    keys, there = require_vectors(workspace, keys), workspace.manifest.vectors
    with sole_writer(workspace.path):
        chosen = {key: each for key, each in read_choices(workspace.path).items() if key in there}
        for key in keys:
            encoder, _, modality = key.rpartition(".")
            source = indexed_table(workspace, encoder, modality)
            kept = KINDS[choice.kind].prepare(source, choice.settings, progress)
            chosen[key] = IndexChoice(choice.kind, kept)
        chosen = {key: each for key, each in chosen.items() if each != IndexChoice()}
        write_json(workspace.path / INDEX_CHOICES, {key: asdict(each) for key, each in chosen.items()})
    return chosen
