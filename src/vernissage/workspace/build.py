"""A folder of works becomes a workspace, or brings one up to date; a kill at any moment costs no finished work."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vernissage.catalog.collection import Collection
from vernissage.catalog.loading import load_collection, source_of
from vernissage.catalog.sources.contract import Source
from vernissage.encoders.cards import EncoderCard
from vernissage.encoders.loading import Execution
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import CollectionError, EncoderError, ProvenanceError
from vernissage.progress import Progress, silent
from vernissage.workspace.collection_files import keep_collection
from vernissage.workspace.conversion import convert_locked
from vernissage.workspace.coverage import Coverage, coverage_of
from vernissage.workspace.lock import sole_writer
from vernissage.workspace.making import Building, make_encoder
from vernissage.workspace.manifest import FORMER, Manifest, format_of, is_workspace, located
from vernissage.workspace.means import keep_means
from vernissage.workspace.settings import in_torch, merged_settings, wanted_encoders
from vernissage.workspace.state import check_target, put_in_force, remove_new
from vernissage.workspace.workspace import Workspace, open_workspace


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


def build_workspace(
    source: Path | Source,
    path: Path,
    *,
    encoders: Sequence[str] | None = None,
    seed: int | None = None,
    topics: int | None = None,
    weights: Mapping[str, Path] | None = None,
    runtime: Runtime | None = None,
    executions: Mapping[str, Execution] | None = None,
    pairs: int | None = None,
    draft: bool | None = None,
    skip_bad: bool = False,
    refit: bool = False,
    progress: Progress = silent,
) -> BuildResult:
    """Build the workspace ``path`` from the collection ``source``, or bring it up to date.

    Works that did not change keep their vectors, and encoders stay as they were fitted, unless ``refit`` is set or
    the settings differ. Everything is written beside the old state, which stays in force until one file is replaced
    at the end. After a kill, the same call goes on where it stopped and ends with the same bytes as an undisturbed one.

    Args:
        source: a folder of pictures with or without a table, a table, or any other source.
        path: the workspace's folder.
        encoders: names to build, each of which must succeed, besides those that are there already; None takes those
            of the build before, at first all usual ones that can be fitted (see `EncoderCard.on_request`).
        seed: of every fit; None takes that of the build before, at first 0.
        topics: number of topics; None takes that of the build before, at first chooses by coherence.
        weights: for encoders with weights, where those are; the hub if not named.
        runtime: device and batch size of encoders with weights, and the precision of those that are asked for.
        executions: for encoders with weights that are asked for, another backend than torch, with its export and
            precision; an encoder that is not asked for keeps how it was computed before.
        pairs: for encoders that read pictures and texts together, how many texts with each picture, the most
            promising ones; 0 for all, -1 for none; None takes that of the build before, at first 50.
        draft: whether large JPEGs are decoded at a fraction of their size, no smaller than twice an encoder's input;
            vectors made of whole pictures never mix with others. None takes that of the build before, at first True.
        skip_bad: go on without rows that have problems.
        refit: fit the encoders anew on the collection as it is now.
        progress: told of every step.

    Raises:
        CollectionError: the collection has problems; nothing was built.
        EncoderError: an encoder that was asked for by name cannot be fitted, loaded or computed so.
        ProvenanceError: an export is damaged, or of other weights.
        WorkspaceError: the folder is something else, cannot be written, or somebody else is writing.
    """
    opened = source_of(source)
    check_target(opened.location, path)
    existed = path.exists()
    with sole_writer(path):
        try:
            before = _before(path)
            how = runtime or Runtime()
            settings = merged_settings(
                before,
                encoders,
                weights=weights or {},
                executions=in_torch(encoders or (), how) | dict(executions or {}),
                seed=seed,
                topics=topics,
                pairs=pairs,
                draft=draft,
            )
            wanted = wanted_encoders(settings)
            started = time.perf_counter()
            old = _old_collection(before)
            verified = old.picture_digests() if old else frozenset[str]()
            collection = load_collection(opened, skip_bad=skip_bad, progress=progress, verified=verified)
            building = Building(path, collection, settings, before, len(old) if old else 0, refit, how, progress)
            building.seconds["reading the collection"] = time.perf_counter() - started
            return _build(building, opened, wanted)
        except (CollectionError, EncoderError, ProvenanceError):
            if not existed:
                remove_new(path)
            raise


def _build(building: Building, source: Source, wanted: Sequence[EncoderCard]) -> BuildResult:
    path, before = building.path, building.before
    with building.timed("keeping the collection"):
        known = before.manifest.seals if before else {}
        building.collection, files = keep_collection(building.collection, path, known)
    begun = Manifest(
        source=located(source.location, path) | {"name": source.name},
        folder=located(building.collection.folder, path),
        fingerprint=building.collection.fingerprint,
        settings=building.settings.to_dict(),
        **files,
    )
    if before is None or not before.manifest.complete:
        begun.write(path)
    for card in wanted:
        make_encoder(building, card)
    means = keep_means(building)
    manifest = replace(
        begun,
        models=building.models,
        fingerprints={name: encoder.fingerprint for name, encoder in building.encoders.items()},
        vectors=building.vectors,
        pairs=building.pairs,
        means=means,
        left_out=building.left_out,
        complete=True,
    )
    with building.timed("putting the new state in force"):
        put_in_force(path, manifest, before.manifest if before else None)
    return BuildResult(
        open_workspace(path),
        building.collection,
        building.encoded,
        building.seconds,
        _notes(building),
        tuple(_coverage(building, card) for card in wanted if card.name in building.encoders),
    )


def _coverage(building: Building, card: EncoderCard) -> Coverage:
    tables = {modality: building.tables[card.name, modality] for modality in card.modalities}
    return coverage_of(building.collection, card.name, tables)


def _before(path: Path) -> Workspace | None:
    """The state that is there, converted if it is of format 1."""
    if not is_workspace(path):
        return None
    if format_of(path) == FORMER:
        try:
            convert_locked(path)
        except ProvenanceError:
            return None  # its collection is damaged: all is built anew, beside people's uploads
    return open_workspace(path)


def _old_collection(before: Workspace | None) -> Collection | None:
    """The works of the build before, if they are there and whole."""
    try:
        return before.collection if before is not None else None
    except ProvenanceError:
        return None


def _notes(building: Building) -> tuple[str, ...]:
    notes = [*building.notes, *(f"{name} was left out: {why}" for name, why in building.left_out.items())]
    for encoder in building.encoders.values():
        notes += getattr(encoder, "notes", ())
    added = len(building.collection) - building.works_before
    kept = building.before is not None and building.before.manifest.complete and not building.refit
    if kept and added > building.works_before // 4:
        notes.append(f"The collection has grown by {added} works; `--refit` fits its encoders anew on all of them.")
    return tuple(notes)
