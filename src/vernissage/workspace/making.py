"""Fitting encoders and making their vectors, each found again where an interrupted build has left it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vernissage.catalog.collection import Collection
from vernissage.encoders.cards import EncoderCard
from vernissage.encoders.contract import Encoder, EncoderState
from vernissage.encoders.loading import load_executed, restore
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import digest
from vernissage.progress import Progress
from vernissage.search.exact import exact_index
from vernissage.search.moments import save_moments
from vernissage.search.pairs import PairScorer, build_pair_matrix
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import VectorTable, card_file, make_vector_table
from vernissage.values import Modality
from vernissage.workspace.encoding import encode_collection
from vernissage.workspace.material import content_of, material_of
from vernissage.workspace.settings import Settings, stored_execution
from vernissage.workspace.state import STAGING
from vernissage.workspace.workspace import SCANNED_FROM, Workspace


@dataclass
class Building:
    """A build under way."""

    path: Path
    collection: Collection
    settings: Settings
    before: Workspace | None
    works_before: int
    refit: bool
    runtime: Runtime
    progress: Progress
    encoders: dict[str, Encoder] = field(default_factory=dict)
    tables: dict[tuple[str, Modality], VectorTable] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    vectors: dict[str, str] = field(default_factory=dict)
    pairs: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    encoded: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the seconds that the block takes to those of ``step``."""
        started = time.perf_counter()
        yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - started


def make_encoder(building: Building, card: EncoderCard) -> None:
    """Fit or find one encoder and make its vectors; where it cannot be fitted and nobody named it, say why."""
    try:
        with building.timed(f"fitting {card.name}"):
            encoder, folder = _fitted(building, card)
    except EncoderError as error:
        if building.settings.is_named(card.name):
            raise
        building.left_out[card.name] = str(error)
        return
    building.encoders[card.name] = encoder
    building.models[card.name] = folder
    for modality in card.modalities:
        with building.timed(f"encoding with {card.name}"):
            _encoded(building, card, encoder, modality)
    if card.reads_pairs and isinstance(encoder, PairScorer) and building.settings.pairs >= 0:
        with building.timed(f"reading pairs with {card.name}"):
            _paired(building, encoder)


def _fitted(building: Building, card: EncoderCard) -> tuple[Encoder, str]:
    """The encoder and the name of its folder: as fitted before, as left by an interrupted build, or fitted now."""
    for base in card.needs:
        if base not in building.encoders:
            raise EncoderError(f"{card.name} needs {base}, which is not there: {_why_not(building, base)}")
    kept = _kept_model(building, card)
    name = kept or _model_name(building, card)
    folder = building.path / "models" / name
    if (folder / "model.json").exists() and (kept or not card.pretrained):
        try:
            return restore(card.name, EncoderState.load(folder), [building.encoders[base] for base in card.needs]), name
        except ProvenanceError:
            if not card.pretrained:
                raise
            building.notes.append(
                f"{card.name} is not what it was in the build before (other weights, another export, or a damaged "
                f"model); it was loaded as it is now, and works whose vectors that changes are encoded anew"
            )
    encoder = _made(building, card)
    if card.pretrained:
        name = f"{card.name}-{encoder.fingerprint[:12]}"
        folder = building.path / "models" / name
    if card.illustrate is not None:
        folder.mkdir(parents=True, exist_ok=True)
        card.illustrate(encoder, folder)
    encoder.state.save(folder)
    return encoder, name


def _made(building: Building, card: EncoderCard) -> Any:
    """The encoder, fitted on the collection or loaded with its weights."""
    settings = building.settings
    if card.fit is None:
        place, execution = settings.weights[card.name], settings.executions[card.name]
        weights = Path(place) if place else None
        return load_executed(card.name, weights, building.runtime, execution, progress=building.progress)
    material = material_of(
        card,
        building.collection,
        building.encoders,
        building.tables,
        seed=settings.seed,
        topics=settings.topics,
        draft=settings.draft,
        progress=building.progress,
    )
    return card.fit(material)


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
    if any(old.get(key) != new[key] for key in ("seed", "topics")):
        return None
    if "image" in card.modalities and building.settings.draft != old.get("draft", True):
        return None
    if any(building.models[base] != before.manifest.models.get(base) for base in card.needs):
        return None
    return before.manifest.models[card.name]


def _model_name(building: Building, card: EncoderCard) -> str:
    """A folder name that stands for everything the fit depends on."""
    parts = [card.name, str(building.settings.seed), str(building.settings.topics)]
    parts += [building.encoders[base].fingerprint for base in card.needs]
    for modality in card.modalities:
        parts += [modality, *_contents(building, modality)]
    return f"{card.name}-{digest(*(part.encode() for part in parts))[:12]}"


def _contents(building: Building, modality: Modality) -> list[str]:
    return [content_of(item, modality, draft=building.settings.draft) for item in building.collection]


def _encoded(building: Building, card: EncoderCard, encoder: Encoder, modality: Modality) -> None:
    key = f"{card.name}.{modality}"
    whole = modality == "image" and not building.settings.draft
    parts = [encoder.fingerprint, building.collection.fingerprint, *(["decoded whole"] if whole else [])]
    identity = digest(*(part.encode() for part in parts))[:12]
    stem = building.path / "vectors" / f"{key}-{identity}"
    old = _old_table(building, card.name, modality)
    table = (
        _table_there(stem)
        or _derived(building, card, encoder, modality)
        or encode_collection(
            encoder,
            modality,
            building.collection,
            stem=stem,
            before=old,
            staging=building.path / STAGING,
            whole_batches=card.pretrained,
            draft=building.settings.draft,
            progress=building.progress,
        )
    )
    if not card_file(stem).exists():
        table.save(stem)
        table = VectorTable.load(stem)
    if table.vectors.size >= SCANNED_FROM:
        _keep_index(building.path / "indexes", stem.name, table)
    building.tables[card.name, modality] = table
    building.vectors[key] = stem.name
    known = set(old.card.contents) if old is not None and old.card.fingerprint == encoder.fingerprint else set()
    building.encoded[key] = sum(content not in known for content in table.card.contents)


def _keep_index(folder: Path, name: str, table: VectorTable) -> None:
    """What an index over a large table would else have to compute."""
    scan, moments = folder / f"{name}.npz", folder / f"{name}.moments.npz"
    if not scan.exists():
        build_byte_scan(table.vectors, table.card.values).save(scan)
    if not moments.exists():
        save_moments(moments, exact_index(table).moments(), table.card.values)


def _paired(building: Building, scorer: PairScorer) -> None:
    """Read pictures and texts together, in blocks that an interrupted build finds again."""
    most = building.settings.pairs or None
    depends = [scorer.fingerprint, building.collection.fingerprint, str(most)]
    depends += [] if building.settings.draft else ["decoded whole"]
    identity = digest(*(part.encode() for part in depends))[:12]
    folder = f"{scorer.name}-{identity}"
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


def _table_there(stem: Path) -> VectorTable | None:
    """The table that an interrupted build has finished, if it is whole."""
    if not card_file(stem).exists():
        return None
    try:
        return VectorTable.load(stem)
    except ProvenanceError:
        card_file(stem).unlink()
        return None


def _derived(building: Building, card: EncoderCard, encoder: Encoder, modality: Modality) -> VectorTable | None:
    if card.derive is None:
        return None
    base = building.tables[card.derived_from[modality], modality]
    return make_vector_table(
        card.derive(encoder, modality, base.vectors),
        base.item_ids,
        base.card.contents,
        encoder=encoder.name,
        fingerprint=encoder.fingerprint,
        modality=modality,
        collection=building.collection.fingerprint,
    )


def _old_table(building: Building, encoder: str, modality: Modality) -> VectorTable | None:
    """The vectors in force, if they are there and whole; damaged ones are simply encoded again."""
    stem = building.before.manifest.vectors.get(f"{encoder}.{modality}") if building.before else None
    try:
        return VectorTable.load(building.path / "vectors" / stem) if stem else None
    except ProvenanceError:
        return None


def _why_not(building: Building, base: str) -> str:
    return building.left_out.get(base, "it was not built")
