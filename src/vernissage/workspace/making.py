"""Fitting encoders and making their vectors, each found again where an interrupted build has left it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vernissage.catalog.collection import Collection
from vernissage.encoders.contract import Encoder, EncoderState
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import digest
from vernissage.progress import Progress
from vernissage.search.pairs import PairScorer, build_pair_matrix
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import VectorTable, card_file, make_vector_table
from vernissage.values import Modality
from vernissage.workspace.encoding import encode_collection
from vernissage.workspace.recipes import Fitting, Recipe, content_of
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


def make_encoder(building: Building, recipe: Recipe) -> None:
    """Fit or find one encoder and make its vectors; where it cannot be fitted and nobody named it, say why."""
    try:
        with building.timed(f"fitting {recipe.name}"):
            encoder, folder = _fitted(building, recipe)
    except EncoderError as error:
        if building.settings.is_named(recipe.name):
            raise
        building.left_out[recipe.name] = str(error)
        return
    building.encoders[recipe.name] = encoder
    building.models[recipe.name] = folder
    for modality in recipe.modalities:
        with building.timed(f"encoding with {recipe.name}"):
            _encoded(building, recipe, encoder, modality)
    if recipe.pretrained and isinstance(encoder, PairScorer) and building.settings.pairs >= 0:
        with building.timed(f"reading pairs with {recipe.name}"):
            _paired(building, encoder)


def _fitted(building: Building, recipe: Recipe) -> tuple[Encoder, str]:
    """The encoder and the name of its folder: as fitted before, as left by an interrupted build, or fitted now."""
    for base in recipe.needs:
        if base not in building.encoders:
            raise EncoderError(f"{recipe.name} needs {base}, which is not there: {_why_not(building, base)}")
    kept = _kept_model(building, recipe)
    name = kept or _model_name(building, recipe)
    folder = building.path / "models" / name
    if (folder / "model.json").exists() and (kept or not recipe.pretrained):
        try:
            return recipe.restore(EncoderState.load(folder), building.encoders), name
        except ProvenanceError:
            if not recipe.pretrained:
                raise
            building.notes.append(
                f"{recipe.name} is not what it was in the build before (other weights, another export, or a damaged "
                f"model); it was loaded as it is now, and works whose vectors that changes are encoded anew"
            )
    encoder = recipe.fit(
        Fitting(
            building.collection,
            building.settings.seed,
            building.settings.topics,
            building.encoders,
            building.tables,
            building.progress,
            building.settings.draft,
        )
    )
    if recipe.pretrained:
        name = f"{recipe.name}-{encoder.fingerprint[:12]}"
        folder = building.path / "models" / name
    if recipe.illustrate is not None:
        folder.mkdir(parents=True, exist_ok=True)
        recipe.illustrate(encoder, folder)
    encoder.state.save(folder)
    return encoder, name


def _kept_model(building: Building, recipe: Recipe) -> str | None:
    """The model in force, if it may stay: same settings, same base encoders, and no refit was asked for."""
    before = building.before
    if building.refit or before is None or recipe.name not in before.manifest.models:
        return None
    old, new = before.manifest.settings, building.settings.to_dict()
    if recipe.pretrained:
        same = building.settings.weights[recipe.name] == old.get("weights", {}).get(recipe.name)
        same &= building.settings.executions[recipe.name] == stored_execution(old, recipe.name)
        return before.manifest.models[recipe.name] if same else None
    if any(old.get(key) != new[key] for key in ("seed", "topics")):
        return None
    if "image" in recipe.modalities and building.settings.draft != old.get("draft", True):
        return None
    if any(building.models[base] != before.manifest.models.get(base) for base in recipe.needs):
        return None
    return before.manifest.models[recipe.name]


def _model_name(building: Building, recipe: Recipe) -> str:
    """A folder name that stands for everything the fit depends on."""
    parts = [recipe.name, str(building.settings.seed), str(building.settings.topics)]
    parts += [building.encoders[base].fingerprint for base in recipe.needs]
    for modality in recipe.modalities:
        parts += [modality, *_contents(building, modality)]
    return f"{recipe.name}-{digest(*(part.encode() for part in parts))[:12]}"


def _contents(building: Building, modality: Modality) -> list[str]:
    return [content_of(item, modality, draft=building.settings.draft) for item in building.collection]


def _encoded(building: Building, recipe: Recipe, encoder: Encoder, modality: Modality) -> None:
    key = f"{recipe.name}.{modality}"
    whole = modality == "image" and not building.settings.draft
    parts = [encoder.fingerprint, building.collection.fingerprint, *(["decoded whole"] if whole else [])]
    identity = digest(*(part.encode() for part in parts))[:12]
    stem = building.path / "vectors" / f"{key}-{identity}"
    old = _old_table(building, recipe.name, modality)
    table = (
        _table_there(stem)
        or _derived(building, recipe, encoder, modality)
        or encode_collection(
            encoder,
            modality,
            building.collection,
            before=old,
            staging=building.path / STAGING,
            whole_batches=recipe.pretrained,
            draft=building.settings.draft,
            progress=building.progress,
        )
    )
    if not card_file(stem).exists():
        table.save(stem)
    if table.vectors.size >= SCANNED_FROM and not (scan := building.path / "indexes" / f"{stem.name}.npz").exists():
        build_byte_scan(table.vectors, table.card.values).save(scan)
    building.tables[recipe.name, modality] = table
    building.vectors[key] = stem.name
    known = set(old.card.contents) if old is not None and old.card.fingerprint == encoder.fingerprint else set()
    building.encoded[key] = sum(content not in known for content in table.card.contents)


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


def _derived(building: Building, recipe: Recipe, encoder: Encoder, modality: Modality) -> VectorTable | None:
    if recipe.derive is None:
        return None
    base, vectors = recipe.derive(encoder, modality, building.tables)
    return make_vector_table(
        vectors,
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
