"""A folder of works becomes a workspace, or brings one up to date; a kill at any moment costs no finished work.

Models, vectors, means and pairs lie under names that stand for all that they depend on, so that each is found again
where an interrupted build has left it.
"""

import codecs
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar, Unpack

from vernissage.catalog.collection import Collection
from vernissage.catalog.documents import FOLDER as DOCUMENTS
from vernissage.catalog.fetching import FOLDER as FETCHED
from vernissage.catalog.fetching import FetchedPictures, FetchOptions
from vernissage.catalog.loading import load_collection, source_of
from vernissage.catalog.report import USUAL, CollectionReport, Tolerance
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.contract import RemoteSource, Source
from vernissage.catalog.sources.feed import FedSource, FeedChanges, StateSource, Works, keep_feed, read_feed
from vernissage.catalog.sources.published import PublishedSource
from vernissage.catalog.sources.remote import RemoteTable
from vernissage.encoders.contract import Encoder, EncoderState
from vernissage.encoders.fitted.words import WordEncoder, columns_of, content_words
from vernissage.encoders.loading import load_executed, restore
from vernissage.encoders.register import EncoderCard, card_of, cards
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import CollectionError, EncoderError, Kind, ProvenanceError, RequestError, WorkspaceError
from vernissage.files import Seal, csv_bytes, digest, read_array, seal_of, write_array, write_bytes
from vernissage.folding import folded
from vernissage.progress import Progress, silent
from vernissage.search.joint import JOINT, write_joint
from vernissage.search.joint import REVISION as JOINT_REVISION
from vernissage.search.lexical import LexicalIndex
from vernissage.search.modality_means import ModalityMeans, fit_modality_means
from vernissage.search.pairs import PairScorer, build_pair_matrix
from vernissage.search.vectors import VectorTable, card_file, merged
from vernissage.values import ENCODED, MODALITY_CARDS, Modality, encoded_as, readable
from vernissage.workspace import clusters
from vernissage.workspace.collection_files import keep_collection, read_word_counts
from vernissage.workspace.copies import COMPARED_BY, REVISION, Copies, find_copies
from vernissage.workspace.coverage import Coverage, coverage_of
from vernissage.workspace.encoding import contents_of, derived_table, encode_collection, keep_index, material_of
from vernissage.workspace.importing import carry_over, import_vectors
from vernissage.workspace.index_choice import SCANNED_FROM, follow_build
from vernissage.workspace.measures import Measures, tables_of
from vernissage.workspace.settings import BuildOptions, Settings, merged_settings, stored_execution, wanted_encoders
from vernissage.workspace.state import (
    OPTIONS_NAME,
    STAGING,
    Manifest,
    check_target,
    found,
    is_workspace,
    located,
    put_in_force,
    read_manifest,
    sole_writer,
)
from vernissage.workspace.workers import ALONE, Workers, workers_of
from vernissage.workspace.workspace import Workspace

_PATIENCE = 1.0
"""Seconds that a build waits for another writer: a process that opens the workspace may be deleting old files."""

_MANY = 20_000
"""Works from which every step is told of; of fewer, those that report nothing end before anybody would read it."""

REJECTED_NAME = "rejected.csv"

_T = TypeVar("_T")


@dataclass(frozen=True)
class BuildResult:
    """What a build did.

    Attributes:
        workspace: the new state, opened.
        collection: the works as they were read, with their report.
        encoded: "encoder.modality" → how many works were encoded anew.
        seconds: step → how long it took, in order.
        notes: what a person should know, in whole sentences.
        coverage: for each encoder, which works its vectors leave out, and why.
    """

    workspace: Workspace
    collection: Collection
    encoded: Mapping[str, int]
    seconds: Mapping[str, float]
    notes: tuple[str, ...]
    coverage: tuple[Coverage, ...]


@dataclass
class Building:
    """A build under way."""

    path: Path
    collection: Collection
    settings: Settings
    before: Workspace | None
    works_before: int
    progress: Progress
    refit: bool = False
    runtime: Runtime = field(default_factory=Runtime)
    workers: Workers = ALONE
    encoders: dict[str, Encoder] = field(default_factory=dict)
    tables: dict[tuple[str, Modality], VectorTable] = field(default_factory=dict)
    joint: dict[str, VectorTable] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    vectors: dict[str, str] = field(default_factory=dict)
    pairs: dict[str, str] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    former_texts: Sequence[str] = ()
    encoded: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    source: Mapping[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    asked: frozenset[str] = frozenset()
    outdated: list[str] = field(default_factory=list)

    def is_named(self, encoder: str) -> bool:
        """Whether somebody asked for that encoder by name, now or before, so that it may not be left out."""
        return encoder in self.asked or self.settings.is_named(encoder)

    @cached_property
    def lacking(self) -> tuple[Modality, ...]:
        """The modalities that no work has."""
        return tuple(each for each in ENCODED if each not in encoded_as(self.collection.modalities))

    def kinds(self, card: EncoderCard) -> tuple[Modality, ...]:
        """Of what an encoder makes vectors: what it reads itself, and what is read alike where a work has it."""
        there = {*card.modalities, *self.collection.modalities}
        return tuple(each for each in readable(card.modalities) if each in there)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the seconds that the block takes to those of ``step``, which is told of where it takes long."""
        started, told = time.perf_counter(), len(self.collection) >= _MANY
        if told:
            self.progress(step, 0, 1)
        yield
        if told:
            self.progress(step, 1, 1)
        self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - started


def build_workspace(
    source: str | Path | Source | None,
    path: Path,
    *,
    tolerance: Tolerance = USUAL,
    refit: bool = False,
    table: TableOptions | None = None,
    review: Callable[[Collection, Collection], None] | None = None,
    superseding: Callable[[Collection, Collection], None] | None = None,
    fetch: FetchOptions | None = None,
    changes: FeedChanges | None = None,
    works: Path | None = None,
    progress: Progress = silent,
    **asked: Unpack[BuildOptions],
) -> BuildResult:
    """Build the workspace ``path`` from the collection ``source``, or bring it up to date.

    Works that did not change keep their vectors, and encoders stay as they were fitted, unless ``refit`` is set or
    the settings differ. Everything is written beside the old state, which stays in force until one file is replaced
    at the end. After a kill, the same call goes on where it stopped and ends with the same bytes as an undisturbed one.

    Args:
        source: a folder of pictures with or without a table, a table, a web address, or any other source; None for the
            works that the workspace has, as they were read. What feeds brought lies over either.
        path: the workspace's folder.
        tolerance: how many rows may be left out, which ``rejected.csv`` then lists.
        refit: fit the encoders anew on the collection as it is now.
        table: how a folder's table is read, on top of what was said in the builds before.
        review: called with the works of the state before and those that were read, before anything is made of these;
            what it raises ends the build.
        superseding: called with the works of the state before and those of the new one, just before that takes over:
            whoever keeps things of works elsewhere forgets those that are gone.
        fetch: how what lies at web addresses is fetched; None fetches nothing, but uses what builds before fetched.
        changes: what a feed brings now.
        works: for a ``source`` of vectors that were made elsewhere, a folder or table whose works are joined by ids.
        progress: told of every step.
        asked: which encoders, and how they are fitted and computed.

    Raises:
        CollectionError: the collection has problems; nothing was built.
        EncoderError: an encoder that was asked for by name cannot be fitted, loaded or computed so.
        ProvenanceError: an export is damaged, or of other weights.
        WorkspaceError: the folder is something else, cannot be written, or somebody else is writing; or no worker is
            there.
    """
    if unknown := sorted(asked.keys() - BuildOptions.__annotations__.keys()):
        raise TypeError(f"a build has no option {unknown[0]!r}")
    options = table_options(path, table)
    if fetch is not None and not isinstance(source, str | Path):
        raise RequestError("pictures are fetched for folders, tables and web addresses; another source fetches its own")
    fetched = FetchedPictures(path / FETCHED, fetch)
    opened = None if source is None else source_of(source, options, fetched, works)
    published = opened if isinstance(opened, PublishedSource) else None
    if opened is not None:
        check_target(None if isinstance(opened, RemoteSource) and opened.address else opened.location, path)
    existed = path.exists()
    with workers_of(asked.get("workers")) as workers, sole_writer(path, patience=_PATIENCE):
        try:
            before = _before(path)
            settings = merged_settings(before, asked)
            old = _unless_damaged(lambda: before.collection) if before else None
            base = opened or _state_source(path, before)
            told = "" if isinstance(base, RemoteSource) else base.fingerprint()  # first, or a change now is overlooked
            opened, fed = _with_feeds(base, path, changes, fetched)
            building = _begun(path, opened, settings, before, old, tolerance, progress)
            if review is not None and old is not None:
                review(old, building.collection)
            building.refit, building.asked = refit, frozenset(asked.get("encoders") or ())
            building.runtime, building.workers = asked.get("runtime") or Runtime(), workers
            building.source = _described(base, building, told or base.fingerprint())
            manifest = _made_manifest(building, published)
            # Written first: a kill in between must not leave what the state before said of works that are gone.
            options.save(path / OPTIONS_NAME)
            _list_rejected(path / REJECTED_NAME, building.collection.report, read=source is not None)
            if changes is not None:
                keep_feed(path, fed)
            if superseding is not None and old is not None:
                superseding(old, building.collection)
            result = _put_in_force(building, manifest)
            _keep_fetched(fetched, result.collection, base)
            return result
        except (CollectionError, EncoderError, ProvenanceError):
            if not existed:
                _remove_all_but(path, FETCHED)
            raise


def _begun(
    path: Path,
    opened: Source,
    settings: Settings,
    before: Workspace | None,
    old: Collection | None,
    tolerance: Tolerance,
    progress: Progress,
) -> Building:
    """Read the works; pictures of the ``old`` ones are not looked into again where their bytes are the same."""
    started = time.perf_counter()
    verified = old.picture_digests() if old else frozenset[str]()
    collection = load_collection(opened, tolerance=tolerance, progress=progress, verified=verified)
    building = Building(path, collection, settings, before, len(old) if old else 0, progress)
    building.seconds["reading the collection"] = time.perf_counter() - started
    building.former_texts = _former_texts(old, collection) if old else ()
    return building


def _with_feeds(
    base: Source, path: Path, changes: FeedChanges | None, fetched: FetchedPictures
) -> tuple[Source, Works]:
    """A source with what feeds brought over it, now or before; and all of that."""
    works = read_feed(path) | dict(changes.works if changes else {})
    if not works:
        return base, works
    laid = FedSource(base, works, fetched)
    laid.take_in(changes.pictures if changes else {})
    return laid, works


def _keep_fetched(fetched: FetchedPictures, works: Collection, source: Source) -> None:
    """Delete pictures of works that are gone, and copies of other remote sources that the workspace was built from."""
    if fetched.folder.exists():
        fetched.keep_only(works)
    if not isinstance(source, StateSource):
        kept = source.documents.folder if isinstance(source, RemoteTable) else None
        for copy in (fetched.folder / DOCUMENTS).glob("*"):
            if copy != kept:
                shutil.rmtree(copy)


def _state_source(path: Path, before: Workspace | None) -> Source:
    """The works as the workspace has them.

    Raises:
        WorkspaceError: it has none yet.
        ProvenanceError: they are damaged.
    """
    if before is None or not before.manifest.complete:
        told = f"{path} has no works yet; build it with `vernissage build COLLECTION -o {path}`"
        raise WorkspaceError(told, kind=Kind.NOT_FOUND)
    source = before.manifest.source
    return StateSource(before.collection, source["name"], found(source, path))


def _remove_all_but(path: Path, kept: str) -> None:
    """Remove what a first build has made, but for the pictures that were fetched, and the folder if there are none."""
    for entry in path.iterdir():
        if entry.name != kept:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    if not any(path.iterdir()):
        path.rmdir()


def _list_rejected(path: Path, report: CollectionReport | None, *, read: bool) -> None:
    """Every row that the state leaves out, with its reason; without any, no file is left once a source was read."""
    if not read:
        return
    if report is None or not report.rejected:
        path.unlink(missing_ok=True)
        return
    rows = ((each.row or "", each.id, each.file, each.kind, each.what, each.way_out) for each in report.rejected)
    write_bytes(path, codecs.BOM_UTF8 + csv_bytes(("row", "id", "file", "kind", "reason", "way out"), rows))


def table_options(path: Path, given: TableOptions | None) -> TableOptions:
    """How a table is read for the workspace: as is said now, else as its ``table.json`` keeps from earlier builds.

    Raises:
        CollectionError: the file was edited into something else.
    """
    kept = TableOptions.load(path / OPTIONS_NAME) if (path / OPTIONS_NAME).exists() else TableOptions()
    return (given or TableOptions()).over(kept)


def _before(path: Path) -> Workspace | None:
    return Workspace(path, read_manifest(path)) if is_workspace(path) else None


def _unless_damaged(load: Callable[[], _T]) -> _T | None:
    """What earlier builds have left, if it is there and whole; what is damaged is simply made anew."""
    try:
        return load()
    except ProvenanceError:
        return None


def _described(source: Source, building: Building, fingerprint: str) -> dict[str, str]:
    """What the manifest keeps of a source, so that it can be read again and asked whether it has changed."""
    if isinstance(source, StateSource) and building.before is not None:
        return dict(building.before.manifest.source)
    told, kind = {"name": source.name, "fingerprint": fingerprint}, type(source)
    told |= {"address": source.address} if isinstance(source, RemoteSource) and source.address else {}
    told |= {} if kind.__module__.startswith("vernissage.") else {"class": kind.__name__}
    if isinstance(source, PublishedSource) and source.base is not None:
        told |= {f"works {name}": place for name, place in located(source.base.location, building.path).items()}
    return located(source.location, building.path) | told


def _made_manifest(building: Building, published: PublishedSource | None) -> Manifest:
    """The new state, all of whose files are there; vectors that the source brings take the place of former ones."""
    path, before = building.path, building.before
    if published is not None:
        published.forget_words()
    with building.timed("keeping the collection"):
        known = before.manifest.seals if before else {}
        building.collection, files = keep_collection(building.collection, path, known, building.settings.languages)
    begun = Manifest(
        source=building.source,
        folder=located(building.collection.folder, path),
        fingerprint=building.collection.fingerprint,
        settings=building.settings.to_dict(),
        **files,
    )
    if before is None or not before.manifest.complete:
        begun.write(path)
    if published is not None:
        import_vectors(building, published.vectors)
    else:
        carry_over(building)
    for card in _wanted(building):
        _make_encoder(building, card)
    means = _keep_means(building)
    with building.timed("joining pictures and texts"):
        joint = _keep_joint(building)
    with building.timed("indexing words"):
        _keep_lexicon(building, begun)
    measured = _measured(building)
    return replace(
        begun,
        **measured | {"seals": {**begun.seals, **measured["seals"]}},
        models=building.models,
        fingerprints={name: encoder.fingerprint for name, encoder in building.encoders.items()},
        vectors=building.vectors,
        dims={".".join(key): table.dim for key, table in building.tables.items()},
        joint=joint,
        pairs=building.pairs,
        means=means,
        imported=building.imported,
        left_out=building.left_out,
        complete=True,
    )


def _wanted(building: Building) -> list[EncoderCard]:
    """The encoders to make; beside vectors that were made elsewhere only those that were named.

    Raises:
        EncoderError: one was named of which there are such vectors.
    """
    if both := sorted(building.asked & building.encoders.keys()):
        raise EncoderError(
            f"there are vectors of {both[0]} already, which were made elsewhere; leave --encoder {both[0]} out, or the "
            f"file of those vectors"
        )
    wanted = wanted_encoders(building.settings, usual=not building.imported)
    return [card for card in wanted if card.name not in building.encoders]


def _put_in_force(building: Building, manifest: Manifest) -> BuildResult:
    path, before = building.path, building.before
    follow_build(Workspace(path, manifest), building.progress)
    with building.timed("putting the new state in force"):
        put_in_force(path, manifest, before.manifest if before else None)
    coverage = (
        coverage_of(
            building.collection,
            name,
            {kind: table for (at, kind), table in building.tables.items() if at == name},
            imported=f"{name}.image" in building.imported or f"{name}.text" in building.imported,
        )
        for name in building.encoders
        if not card_of(name).internal
    )
    new = Workspace(path, read_manifest(path))  # no reader that a takedown would have to wait for
    if new.manifest.retired:
        building.notes.append(
            f"Another process still reads the state before, so {len(new.manifest.retired)} of its files stay until the "
            f"workspace is next opened after that has ended; `vernissage purge {path}` deletes them at once."
        )
    notes = (*_notes(building), *filter(None, [new.copies.sentence(new.collection)]))
    return BuildResult(new, building.collection, building.encoded, building.seconds, notes, tuple(coverage))


def _kept_array(building: Building, kind: str, parts: Sequence[object], make: Callable[[], Any]) -> tuple[str, Seal]:
    """The name and the seal of an array, found before or made now; ``parts`` are what it depends on."""
    name = f"{kind}-{digest(*[str(part).encode() for part in parts])[:12]}.npy"
    known = building.before.manifest.seals.get(name) if building.before else None
    try:
        Seal(**known or {"size": -1, "sha256": ""}).require(building.path / name, whole=True)
    except ProvenanceError:
        write_array(building.path / name, make())
    return name, seal_of(building.path / name)


def _measured(building: Building) -> dict[str, Any]:
    """What is measured of all works, as entries of the manifest; arrays in files of their own, with their seals."""
    works, seed, vectors = building.collection, building.settings.seed, building.vectors
    with building.timed("comparing works"):
        table = building.tables.get((COMPARED_BY, "image"))
        parts: tuple[object, ...] = (REVISION, works.fingerprint, vectors.get(f"{COMPARED_BY}.image", ""))
        copies, seal = _kept_array(building, "copies", parts, lambda: find_copies(works, table, building.progress))
        seals = {copies: asdict(seal)}
    once = Copies(works.ids, read_array(building.path / copies))
    measures = Measures(works, once, building.tables, building.joint, building.pairs)
    grouped = ""
    if fused := measures.fused:
        with building.timed("clustering works"):
            stems = [stem for key, stem in vectors.items() if key.rpartition(".")[0] in fused]
            parts = (clusters.REVISION, seed, works.fingerprint, copies, *stems)
            grouped, seal = _kept_array(building, "clusters", parts, lambda: measures.clusters(seed))
            seals[grouped] = asdict(seal)
    with building.timed("weighing representations"):
        weights = measures.weights()
    with building.timed("measuring scores of random works"):
        bands = measures.bands({name: each.weight for name, each in weights.items()})
    return {
        "copies": copies,
        "clusters": grouped,
        "weights": {name: asdict(weight) for name, weight in weights.items()},
        "bands": {name: {kind: asdict(each) for kind, each in kinds.items()} for name, kinds in bands.items()},
        "seals": seals,
    }


def _notes(building: Building) -> tuple[str, ...]:
    notes, left_out = list(building.notes), dict(building.left_out)
    for name in [name for name, card in cards().items() if card.internal]:
        left_out.pop(name, None)
    for modality in building.lacking:
        # One line in place of one for each encoder that had nothing to read, and for each that is made of those.
        readers = [name for name, card in cards().items() if modality in card.modalities]
        if idle := [name for name in readers if left_out.pop(name, "")]:
            notes.append(
                f"The collection has no {MODALITY_CARDS[modality].many}, so {', '.join(idle)} could not be made."
            )
    notes += [f"{name} was left out: {why}" for name, why in left_out.items()]
    if not building.encoders:
        notes.append("No encoder could be made, so nothing is recommended; search finds words as they stand.")
    if building.outdated:
        notes.append(
            f"An earlier version had fitted {', '.join(building.outdated)} in another way; fitted anew, with all that "
            f"is made of them."
        )
    for encoder in building.encoders.values():
        notes += getattr(encoder, "notes", ())
    added = len(building.collection) - building.works_before
    kept = building.before is not None and building.before.manifest.complete and not building.refit
    if kept and added > building.works_before // 4:
        notes.append(f"The collection has grown by {added} works; `--refit` fits its encoders anew on all of them.")
    return tuple(dict.fromkeys(notes))


def _make_encoder(building: Building, card: EncoderCard) -> None:
    """Fit or find one encoder and make its vectors; where it cannot be fitted and nobody named it, say why."""
    if card.for_other_languages and not building.is_named(card.name) and not _is_foreign(building):
        return
    try:
        with building.timed(f"fitting {card.name}"):
            encoder, folder = _fitted(building, card)
    except EncoderError as error:
        if building.is_named(card.name):
            raise
        building.left_out[card.name] = str(error)
        return
    building.encoders[card.name] = encoder
    building.models[card.name] = folder
    for modality in building.kinds(card):
        with building.timed(f"encoding with {card.name}"):
            _encoded(building, card, encoder, modality)
    if card.reads_pairs and isinstance(encoder, PairScorer) and building.settings.pairs >= 0:
        with building.timed(f"reading pairs with {card.name}"):
            _paired(building, encoder)


def _is_foreign(building: Building) -> bool:
    """Whether most texts are in another language than English, as an encoder of words has found."""
    words = [each for each in building.encoders.values() if isinstance(each, WordEncoder)]
    return bool(words) and not words[0].language.startswith("en")


def _require_material(building: Building, card: EncoderCard) -> None:
    """Check that there is something to fit an encoder on.

    Raises:
        EncoderError: no work has a modality that it is fitted on, or none of the encoders that it is made of was built.
    """
    fitted = building.before is not None and card.name in building.before.manifest.models  # on works that are gone
    if lacking := [
        MODALITY_CARDS[each].many
        for each in building.lacking
        if each in card.modalities and not (card.pretrained or fitted)
    ]:
        raise EncoderError(
            f"{card.name} needs {' and '.join(MODALITY_CARDS[each].many for each in card.modalities)}, and no work has "
            f"{lacking[0]}; add some to the collection, or choose another encoder"
        )
    if made := [
        base for base in card.needs if f"{base}.image" in building.imported or f"{base}.text" in building.imported
    ]:
        raise EncoderError(f"{card.name} needs {made[0]} itself, and here are only vectors of it, made elsewhere")
    for bases in card.derived_from.values():
        if not any(base in building.encoders for base in bases):
            why = building.left_out.get(bases[-1], "it was not built")
            if cards()[bases[-1]].internal:
                raise EncoderError(why)
            raise EncoderError(f"{card.name} needs {' or '.join(bases)}, which is not there: {why}")


def _fitted(building: Building, card: EncoderCard) -> tuple[Encoder, str]:
    """The encoder and the name of its folder: as fitted before, as left by an interrupted build, or fitted now."""
    _require_material(building, card)
    there = [base for base in card.needs if base in building.encoders]
    kept = _kept_model(building, card)
    name = kept or _model_name(building, card)
    folder = building.path / "models" / name
    there_already = (folder / "model.json").exists() and bool(kept or not card.pretrained)
    if there_already:
        try:
            state = EncoderState.load(folder)
        except ProvenanceError:
            if kept and not card.pretrained:
                raise
        else:
            try:
                bases = [building.encoders[base] for base in there]
                return restore(card.name, state, bases, runtime=building.runtime), name
            except ProvenanceError:  # whole, but another version made it
                building.outdated += [card.name] * (not card.pretrained)
        if kept and card.pretrained:
            building.notes.append(
                f"{card.name} is not what it was in the build before (other weights, another export, or a damaged "
                f"model); it was loaded as it is now, and works whose vectors that changes are encoded anew"
            )
    encoder = _made(building, card)
    if card.pretrained or there_already:  # the state before may name that folder, so its files stay as they are
        name = f"{card.name}-{encoder.fingerprint[:12]}"
        folder = building.path / "models" / name
    encoder.state.save(folder)
    return encoder, name


def _made(building: Building, card: EncoderCard) -> Any:
    """The encoder, fitted on the collection or loaded with its weights."""
    settings = building.settings
    if card.fit is None:
        place, execution = settings.weights[card.name], settings.executions[card.name]
        weights = Path(place) if place else None
        return load_executed(card.name, weights, building.runtime, execution, progress=building.progress)
    return card.fit(
        material_of(card, building.collection, building.encoders, building.tables, settings, building.progress)
    )


def _kept_model(building: Building, card: EncoderCard) -> str | None:
    """The model in force, if it may stay: same settings, same base encoders, and no refit was asked for."""
    before = building.before
    if building.refit or before is None or card.name not in before.manifest.models:
        return None
    old, new = before.manifest.settings, building.settings.to_dict()
    if card.pretrained:
        same = building.settings.weights[card.name] == old.get("weights", {}).get(card.name)
        same &= building.settings.executions[card.name] == stored_execution(old, card.name)
        return before.manifest.models[card.name] if same else None
    decisive = ("weights",) if card.internal else ("seed", "topics", "languages")
    if any(old.get(key) != new.get(key) for key in decisive):
        return None
    if "image" in card.modalities and not card.internal and building.settings.draft != old.get("draft", True):
        return None
    if any(building.models.get(base) != before.manifest.models.get(base) for base in card.needs):
        return None
    return None if _knows_gone_words(building, before.manifest.models[card.name]) else before.manifest.models[card.name]


def _former_texts(old: Collection, new: Collection) -> list[str]:
    """The texts of works that are gone, and the former ones of those whose text has changed."""
    now = dict(zip(new.ids, new.texts("text"), strict=True))
    return [text for item_id, text in zip(old.ids, old.texts("text"), strict=True) if text != now.get(item_id)]


def _knows_gone_words(building: Building, folder: str) -> bool:
    """Whether an encoder knows words that no text has any more: a takedown takes those out of its model too."""
    if (
        not building.former_texts
        or (state := _unless_damaged(lambda: EncoderState.load(building.path / "models" / folder))) is None
    ):
        return False
    known, language = columns_of(state.settings.get("vocabulary", ())), state.settings.get("language", "en")
    gone = {key for text in building.former_texts for key in map(folded, content_words(text, language)) if key in known}
    texts = building.collection.texts("text") if gone else ()
    everything = folded("\n".join(texts))
    if not (gone := {word for word in gone if word not in everything}):  # most stand elsewhere, which is seen at once
        return False
    for text in texts:
        gone -= set(map(folded, content_words(text, language)))
    return bool(gone)


def _model_name(building: Building, card: EncoderCard) -> str:
    """A folder name that stands for everything the fit depends on."""
    parts = [str(building.settings.seed), str(building.settings.topics), *building.settings.languages]
    parts += [building.encoders[base].fingerprint for base in card.needs if base in building.encoders]
    for modality in building.kinds(card):
        parts.append(modality)
        found = (contents_of(item, modality, draft=building.settings.draft) for item in building.collection)
        # Fits read leading pictures alone, but vectors of other encoders are pooled from all pictures.
        parts += ("".join(contents if card.needs else contents[:1]) for contents in found)
    if "text" in card.modalities:
        parts += building.collection.texts("artist")
    return f"{card.name}-{_identity(card.name, *parts)}"


def _identity(*parts: str) -> str:
    """12 hexadecimal digits that stand for what a file or folder depends on."""
    return digest(*(part.encode() for part in parts))[:12]


def _encoded(building: Building, card: EncoderCard, encoder: Encoder, modality: Modality) -> None:
    key = f"{card.name}.{modality}"
    whole = modality != "text" and not building.settings.draft
    parts = [encoder.fingerprint, building.collection.fingerprint, *(["decoded whole"] if whole else [])]
    stem = building.path / "vectors" / f"{key}-{_identity(*parts)}"
    former = building.before.manifest.vectors.get(key) if building.before else None
    old = _unless_damaged(lambda: VectorTable.load(stem.with_name(former))) if former else None
    there = _unless_damaged(lambda: VectorTable.load(stem)) if card_file(stem).exists() else None
    if there is None:
        card_file(stem).unlink(missing_ok=True)
    table = (
        there
        or derived_table(card, encoder, modality, building.tables)
        or encode_collection(
            encoder,
            modality,
            building.collection,
            stem=stem,
            before=old,
            staging=building.path / STAGING,
            whole_batches=card.pretrained,
            draft=building.settings.draft,
            workers=building.workers,
            progress=building.progress,
        )
    )
    if not card_file(stem).exists():
        table.save(stem)
        table = VectorTable.load(stem)
    if not card.internal:
        keep_index(building.path / "indexes", stem, table)
    building.tables[card.name, modality] = table
    building.vectors[key] = stem.name
    known = set(old.card.contents) if old is not None and old.card.fingerprint == encoder.fingerprint else set()
    if not card.internal:
        building.encoded[key] = sum(content not in known for content in table.card.contents)


def _paired(building: Building, scorer: PairScorer) -> None:
    """Read pictures and texts together, in blocks that an interrupted build finds again."""
    most = building.settings.pairs or None
    depends = [scorer.fingerprint, building.collection.fingerprint, str(most)]
    depends += [] if building.settings.draft else ["decoded whole"]
    folder = f"{scorer.name}-{_identity(*depends)}"
    if not any(item.picture and item.text for item in building.collection):
        building.left_out[f"pairs of {scorer.name}"] = "no work has both a picture and a text"
        return
    build_pair_matrix(
        scorer,
        building.collection,
        folder=building.path / "pairs" / folder,
        pairs=most,
        text_vectors=building.tables[scorer.name, "text"],
        draft=building.settings.draft,
        progress=building.progress,
    )
    building.pairs[scorer.name] = folder


def _keep_means(building: Building) -> dict[str, str]:
    """For every encoder of pictures and texts the folder below ``means`` that holds the means of its modalities.

    They let both share an index. They stay as they were fitted, as encoders do, until the encoder or the seed changes
    or ``refit`` is set, so that vectors closed by them stay comparable. An encoder for which none can be fitted is
    noted among those left out.
    """
    folders: dict[str, str] = {}
    for name in building.encoders:
        if {(name, "image"), (name, "text")} <= building.tables.keys():
            with building.timed("fitting the means of modalities"):
                try:
                    folders[name] = _means(building, name)
                except RequestError as error:
                    building.left_out[f"means of {name}"] = str(error)
    return folders


def _keep_joint(building: Building) -> dict[str, str]:
    """The stems of joint vectors, one for each work, of large tables of pictures and texts; with their index."""
    stems: dict[str, str] = {}
    for name in [name for name in building.encoders if not card_of(name).internal]:
        tables = tables_of(building.tables, name)
        if len(encoded_as(tables)) < 2 or max(each.vectors.size for each in tables.values()) < SCANNED_FROM:
            continue
        parts = [JOINT_REVISION, *(building.vectors[f"{name}.{modality}"] for modality in tables)]
        stem = building.path / "vectors" / f"{name}.{JOINT}-{_identity(*parts)}"
        table = _unless_damaged(partial(VectorTable.load, stem))
        if table is None:
            write_joint(stem, tables)
            table = VectorTable.load(stem)
        keep_index(building.path / "indexes", stem, table)
        building.joint[name], stems[name] = table, stem.name
    return stems


def _keep_lexicon(building: Building, manifest: Manifest) -> None:
    file = building.path / manifest.lexicon
    works = building.collection
    if _unless_damaged(lambda: LexicalIndex.load(file, file.stem, len(works))) is None:
        counts = read_word_counts(building.path / manifest.words, manifest.seal(manifest.words))
        LexicalIndex.of(works, counts.language).save(file, file.stem)


def _means(building: Building, name: str) -> str:
    home, seed = building.path / "means", building.settings.seed
    former = building.before.manifest.means.get(name) if building.before and not building.refit else None
    kept = _unless_damaged(lambda: ModalityMeans.load(home / former)) if former else None
    if (
        former
        and kept is not None
        and (kept.encoder_fingerprint, kept.seed) == (building.encoders[name].fingerprint, seed)
    ):
        return former
    seen = merged([building.tables[name, each] for each in readable(["image"]) if (name, each) in building.tables])
    means = fit_modality_means(seen, building.tables[name, "text"], seed=seed)
    folder = f"{name}-{means.fingerprint[:12]}"
    if _unless_damaged(lambda: ModalityMeans.load(home / folder)) is None:
        means.save(home / folder)
    return folder
