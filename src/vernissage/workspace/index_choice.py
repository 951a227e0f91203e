"""Which kind of index serves an encoder's vectors, as `index.json` beside the manifest says, and how each is opened."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vernissage.errors import ProvenanceError, RequestError
from vernissage.files import read_json, write_json
from vernissage.progress import Progress, silent
from vernissage.search.exact import exact_index
from vernissage.search.moments import load_moments
from vernissage.search.scan import ByteScan, build_byte_scan
from vernissage.shapes import misfit
from vernissage.values import Columns, Modality, Moments, WritableIndex
from vernissage.workspace.state import INDEX_CHOICES, sole_writer

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

    def moments(self) -> Moments | None:
        """The moments that the build kept; None where it kept none, so that they are computed when asked for."""
        with suppress(ProvenanceError):
            place = self.stem.with_name(f"{self.stem.name}.moments.npz")
            return load_moments(place, self.table.dim, self.table.card.values)
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


def _prepare_exact(_: IndexedTable, settings: Mapping[str, Any], __: Progress) -> Mapping[str, Any]:
    if settings:
        raise RequestError(f"the exact index has no settings, but {', '.join(settings)} was given; leave that out")
    return {}


def _open_exact(source: IndexedTable, _: Mapping[str, Any]) -> WritableIndex:
    """The exact index; over large tables with a byte scan and moments, read or made anew."""
    table = source.table
    if table.vectors.size < SCANNED_FROM:
        return exact_index(table, source.columns)
    try:
        scan = ByteScan.load(source.stem.with_name(f"{source.stem.name}.npz"), table.vectors, table.card.values)
    except ProvenanceError:
        scan = build_byte_scan(table.vectors, table.card.values)
    return exact_index(table, source.columns, scan=scan, moments=source.moments())


KINDS: Mapping[str, IndexKind] = MappingProxyType({"exact": IndexKind(_prepare_exact, _open_exact)})
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
    there = workspace.manifest.vectors
    if missing := [key for key in keys if key not in there]:
        raise RequestError(f"the workspace has no vectors {missing[0]}; it has {', '.join(there) or 'none'}")
    with sole_writer(workspace.path):
        chosen = {key: each for key, each in read_choices(workspace.path).items() if key in there}
        for key in keys or there:
            encoder, _, modality = key.rpartition(".")
            source = indexed_table(workspace, encoder, modality)
            kept = KINDS[choice.kind].prepare(source, choice.settings, progress)
            chosen[key] = IndexChoice(choice.kind, kept)
        chosen = {key: each for key, each in chosen.items() if each != IndexChoice()}
        write_json(workspace.path / INDEX_CHOICES, {key: asdict(each) for key, each in chosen.items()})
    return chosen
