"""Which kind of index serves an encoder's vectors, as `index.json` beside the manifest says, and how each is opened."""

import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vernissage.errors import ProvenanceError, RequestError
from vernissage.files import digest, read_json, write_json
from vernissage.progress import Progress, silent
from vernissage.search.approximate import (
    ApproximateRows,
    ApproximateSettings,
    Effort,
    InvertedLists,
    build_inverted_lists,
    usual_efforts,
    usual_lists,
)
from vernissage.search.candidates import Candidates, KeptPlace, KeptRows, SelectiveCandidates
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.joint import JOINT
from vernissage.search.moments import load_moments
from vernissage.search.scan import ByteScan, build_byte_scan
from vernissage.shapes import misfit
from vernissage.values import Columns, Modality, Moments, WritableIndex
from vernissage.workspace.index_audit import IndexAudit, audited
from vernissage.workspace.state import INDEX_CHOICES, LISTS, STAGING, sole_writer

if TYPE_CHECKING:
    from vernissage.search.vectors import VectorTable
    from vernissage.workspace.workspace import Workspace

_MOST_SHARDS = 64

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

    @property
    def workspace(self) -> Path:
        """The workspace's folder."""
        return self.stem.parent.parent

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
        audit: compares what is kept with the table; None where nothing is kept but files that are read with digests.
        anew: from the settings in force, those with which `prepare` makes everything once more beside what serves.
        tidy: deletes what is kept elsewhere of other states of the table.
    """

    prepare: Callable[[IndexedTable, Mapping[str, Any], Progress], Mapping[str, Any]]
    open: Callable[[IndexedTable, Mapping[str, Any]], WritableIndex]
    audit: Callable[[IndexedTable, Mapping[str, Any]], IndexAudit] | None = None
    anew: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    tidy: Callable[[IndexedTable, Mapping[str, Any]], None] | None = None


def _prepare_exact(_: IndexedTable, settings: Mapping[str, Any], __: Progress) -> Mapping[str, Any]:
    if others := sorted(settings.keys() - {"shards"}):
        raise RequestError(f"the exact index has shards alone, but {', '.join(others)} was given; leave that out")
    shards = settings.get("shards", 1)
    if not isinstance(shards, int) or not 1 <= shards <= _MOST_SHARDS:
        raise RequestError(f"shards are threads of one search, from 1 to {_MOST_SHARDS}, but {shards!r} was given")
    return dict(settings)


def _open_exact(source: IndexedTable, settings: Mapping[str, Any]) -> WritableIndex:
    return exact_over(source, shards=_prepare_exact(source, settings, silent).get("shards", 1))


def exact_over(
    source: IndexedTable, candidates: Candidates | SelectiveCandidates | None = None, shards: int = 1
) -> ExactIndex:
    """The exact index; over large tables with a byte scan and moments, read or made anew."""
    table = source.table
    if table.vectors.size < SCANNED_FROM:
        return exact_index(table, source.columns, candidates=candidates)
    try:
        scan = ByteScan.load(source.file(".npz"), table.vectors, table.card.values)
    except ProvenanceError:
        scan = build_byte_scan(table.vectors, table.card.values)
    moments = source.moments()
    return exact_index(table, source.columns, scan=scan, moments=moments, candidates=candidates, shards=shards)


def _prepare_approximate(source: IndexedTable, settings: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Sort the table into lists, unless that was done; what `tune` found for them is kept, else usual efforts are."""
    table, place = source.table, source.file(LISTS)
    wanted = int(_approximate(settings).get("lists") or usual_lists(len(table)))
    if len(table) and _lists(source, wanted) is None:
        staging = source.workspace / STAGING / "lists"
        build_inverted_lists(table.vectors, table.card.values, staging, wanted, progress).save(place)
        shutil.rmtree(staging, ignore_errors=True)
    usual = [asdict(each) for each in usual_efforts(wanted, len(table))]
    return {"efforts": usual, **settings, "lists": wanted}


def _lists(source: IndexedTable, count: int) -> InvertedLists | None:
    """The lists that are kept of a table; None where there are none, or they are damaged or others."""
    with suppress(ProvenanceError):
        found = InvertedLists.load(source.file(LISTS), source.table.vectors, source.table.card.values)
        return found if len(found.centroids) == count else None
    return None


def _open_approximate(source: IndexedTable, settings: Mapping[str, Any]) -> WritableIndex:
    """The index over lists that were made before; the exact one never takes its place unasked."""
    efforts = [Effort(**each) for each in _approximate(settings)["efforts"]]
    if not len(source.table):
        return exact_over(source)
    try:
        lists = InvertedLists.load(source.file(LISTS), source.table.vectors, source.table.card.values)
    except ProvenanceError as error:
        raise ProvenanceError(
            f"the approximate index of {source.key} cannot be opened: {str(error).partition(';')[0]}; make it anew "
            f"with `vernissage index use {source.workspace} --vectors {source.key} --kind approximate`, or go back "
            f"with --kind exact"
        ) from error
    return exact_over(source, ApproximateRows(lists, efforts))


def _approximate(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings of the approximate index, of the types that they need. Raises RequestError: they are not."""
    if wrong := misfit(dict(settings), ApproximateSettings, "settings of the approximate index"):
        raise RequestError(f"{wrong}; choose it again with `vernissage index use` or `vernissage tune`")
    return settings


def _kept_elsewhere(kind: str, rows_of: "Callable[[Mapping[str, Any], VectorTable], KeptRows]") -> IndexKind:
    """A kind whose rows are kept elsewhere, where settings say."""

    def kept(source: IndexedTable, settings: Mapping[str, Any]) -> KeptRows:
        given = {name: value for name, value in settings.items() if name != _SERVED}
        if wrong := misfit(given, KeptPlace, f"the choice of {kind}"):
            raise RequestError(f"{wrong}; give --url, its address, and perhaps --index")
        return rows_of(given, source.table)

    def prepare(source: IndexedTable, settings: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
        """Load the table; what serves now stays until the next time, for whoever still searches it."""
        place = f"{platform.node()} {source.workspace.resolve()}"  # no two workspaces drop each other's collections
        chosen = {"name": f"vernissage_{digest(place.encode())[:8]}", **settings}
        if "://" not in str(chosen.get("url", "://")):
            chosen["url"] = str(Path(str(chosen["url"])).resolve())
        rows, before = kept(source, chosen), read_choices(source.workspace).get(source.key, IndexChoice())
        rows.drop_others(str(before.settings.get(_SERVED, "")))
        rows.fill(progress)
        return {**chosen, _SERVED: rows.name}

    def opened(source: IndexedTable, settings: Mapping[str, Any]) -> WritableIndex:
        return exact_over(source, kept(source, settings).require())

    def audit(source: IndexedTable, settings: Mapping[str, Any]) -> IndexAudit:
        rows = kept(source, settings)
        return audited(kind, source.table, rows.ids(), rows.vectors_of)

    def anew(settings: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**settings, "generation": settings.get("generation", 0) + 1}

    def tidy(source: IndexedTable, settings: Mapping[str, Any]) -> None:
        kept(source, settings).drop_others()

    return IndexKind(prepare, opened, audit, anew, tidy)


def _milvus_rows(settings: Mapping[str, Any], table: "VectorTable") -> KeptRows:
    from vernissage.search.milvus import MilvusPlace, MilvusRows, connected

    place = MilvusPlace(**settings)
    return MilvusRows(connected(place.url), place, table)


def _pgvector_rows(settings: Mapping[str, Any], table: "VectorTable") -> KeptRows:
    from vernissage.storage.vector_index import PgvectorPlace, PgvectorRows, connected

    place = PgvectorPlace(**settings)
    return PgvectorRows(connected(place.url), place, table)


_SERVED = "collection"
"""The setting that names the collection which serves since `use_index`."""

KINDS: Mapping[str, IndexKind] = MappingProxyType(
    {
        "exact": IndexKind(_prepare_exact, _open_exact),
        "approximate": IndexKind(_prepare_approximate, _open_approximate),
        "milvus": _kept_elsewhere("milvus", _milvus_rows),
        "pgvector": _kept_elsewhere("pgvector", _pgvector_rows),
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
    """The vectors of an encoder and modality, or its joint ones, as kinds of indexes read them."""
    table = workspace.joint_table(encoder) if modality == JOINT else workspace.table(encoder, modality)
    named = f"{encoder}.{modality}"
    stem = workspace.path / "indexes" / workspace.manifest.searched.get(named, named)
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
    return _choose(workspace, dict.fromkeys(require_vectors(workspace, keys), choice), progress)


def audit_indexes(workspace: "Workspace", keys: Sequence[str] = ()) -> list[IndexAudit]:
    """Compare what indexes keep with the tables, for ``keys`` or all vectors whose index keeps something.

    Raises:
        RequestError: the workspace has no such vectors.
        WorkspaceError: what keeps them does not answer.
    """
    audits = {key: KINDS[choice.kind].audit for key, choice in _chosen(workspace, keys).items()}
    return [audit(*_kept(workspace, key)) for key, audit in audits.items() if audit is not None]


def tidy_indexes(workspace: "Workspace") -> None:
    """Delete what indexes keep elsewhere of states that are no longer in force."""
    for key, choice in _chosen(workspace, ()).items():
        if (tidy := KINDS[choice.kind].tidy) is not None:
            tidy(*_kept(workspace, key))


def rebuild_indexes(
    workspace: "Workspace", keys: Sequence[str] = (), progress: Progress = silent
) -> dict[str, IndexChoice]:
    """Make what indexes keep anew from the tables, for ``keys`` or all vectors that are not exact; see `use_index`."""
    there = _chosen(workspace, keys)
    new = {key: IndexChoice(each.kind, KINDS[each.kind].anew(each.settings)) for key, each in there.items()}
    return _choose(workspace, {key: each for key, each in new.items() if each != IndexChoice()}, progress)


def follow_build(workspace: "Workspace", progress: Progress) -> None:
    """Prepare what is chosen for the vectors of a state that is about to come in force; the caller is the sole writer.

    Until it is in force, what serves the state before serves on.
    """
    wanted = {key: each for key, each in workspace.index_choices.items() if key in workspace.manifest.searched}
    if wanted:
        _choose_alone(workspace, wanted, progress)


def _chosen(workspace: "Workspace", keys: Sequence[str]) -> dict[str, IndexChoice]:
    return {key: workspace.index_choices.get(key, IndexChoice()) for key in require_vectors(workspace, keys)}


def _kept(workspace: "Workspace", key: str) -> tuple[IndexedTable, Mapping[str, Any]]:
    """The vectors of ``ENCODER.MODALITY``, and the settings of the index over them."""
    encoder, _, modality = key.rpartition(".")
    return indexed_table(workspace, encoder, modality), workspace.index_choices.get(key, IndexChoice()).settings


def require_vectors(workspace: "Workspace", keys: Sequence[str]) -> Sequence[str]:
    """The same keys, or all that are searched where none is named. Raises RequestError: there are no such vectors."""
    there = workspace.manifest.searched
    if missing := [key for key in keys if key not in there]:
        raise RequestError(f"the workspace has no vectors {missing[0]}; it has {', '.join(there) or 'none'}")
    return keys or tuple([key for key in there if key.rpartition(".")[0] in workspace.encoder_names])


def _choose(workspace: "Workspace", wanted: Mapping[str, IndexChoice], progress: Progress) -> dict[str, IndexChoice]:
    """Prepare what is wanted for each key, and then choose all of it at once."""
    with sole_writer(workspace.path):
        return _choose_alone(workspace, wanted, progress)


def _choose_alone(
    workspace: "Workspace", wanted: Mapping[str, IndexChoice], progress: Progress
) -> dict[str, IndexChoice]:
    prepared = {}
    for key, choice in wanted.items():
        kept = KINDS[choice.kind].prepare(_kept(workspace, key)[0], choice.settings, progress)
        prepared[key] = IndexChoice(choice.kind, kept)
    return choose_prepared(workspace, prepared)


def choose_prepared(workspace: "Workspace", prepared: Mapping[str, IndexChoice]) -> dict[str, IndexChoice]:
    """Choose at once what is prepared; the caller is the sole writer. Returns what is chosen for all but exact ones."""
    there = workspace.manifest.searched
    chosen = {key: each for key, each in read_choices(workspace.path).items() if key in there}
    chosen |= prepared
    chosen = {key: each for key, each in chosen.items() if each != IndexChoice()}
    write_json(workspace.path / INDEX_CHOICES, {key: asdict(each) for key, each in chosen.items()})
    return chosen
