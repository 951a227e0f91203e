"""Vectors of a captioned set by one encoder: made once, kept below a folder, found again by what they hang on.

vectors/ENCODER.MODALITY-KEY.npy, .json    the vectors and their card; KEY stands for set and encoder
models/ENCODER-KEY/                        what was fitted on the set, as arrays and JSON
building/                                  finished blocks of an encoding under way
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import file_digest
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.encoders.contract import Encoder, EncoderState, Modality
from vernissage.encoders.runtime import Runtime
from vernissage.errors import CollectionError, EncoderError, ProvenanceError
from vernissage.experiments.datasets.captioned import CaptionedSet, DatasetError, ImageEntry
from vernissage.files import digest
from vernissage.progress import Progress, silent
from vernissage.search.vectors import VectorTable, card_file, make_vector_table
from vernissage.workspace.encoding import encode_collection
from vernissage.workspace.pretrained import PRETRAINED, load_pretrained
from vernissage.workspace.recipes import RECIPES, Fitting, Recipe

WHOLE = "whole"


@dataclass(frozen=True, eq=False)
class SetEncoder:
    """An encoder for a set, and what it was fitted on.

    Attributes:
        encoder: loaded or fitted.
        fitted_on: in words, for records and reports; "nothing of this set" for encoders with weights.
        recipe: how it was fitted; None for encoders with weights.
        bases: the encoders that it was made from.
    """

    encoder: Any
    fitted_on: str
    recipe: Recipe | None = None
    bases: Mapping[str, "SetEncoder"] = field(default_factory=dict)

    @property
    def modalities(self) -> frozenset[Modality]:
        """What it reads."""
        found: frozenset[Modality] = self.encoder.modalities
        return found


def load_set_encoder(
    name: str,
    *,
    weights: Path | None = None,
    runtime: Runtime | None = None,
    progress: Progress = silent,
    **options: Any,
) -> SetEncoder:
    """An encoder with weights, by its word.

    Raises:
        EncoderError: see `load_pretrained`.
    """
    encoder = load_pretrained(name, weights, runtime=runtime, options=options, progress=progress)
    return SetEncoder(encoder, "nothing of this set")


def fit_set_encoder(
    found: CaptionedSet,
    name: str,
    folder: Path,
    *,
    part: str = "",
    seed: int = 0,
    topics: int | None = None,
    progress: Progress = silent,
) -> SetEncoder:
    """An encoder that is fitted on a set, or read from ``folder`` where the same fit was made before.

    Every picture is one document for the fit: all its captions, joined. Pictures whose files are missing have no part
    in the fit of an encoder that reads pictures.

    Args:
        found: the set.
        name: lda, lsa, colour-texture or aligned.
        folder: of the experiment.
        part: ``train``, or ``whole``; empty means the training part where the set has one, the whole where not.
        seed: of the fit.
        topics: of lda; chosen by coherence without.
        progress: told of the fit.

    Raises:
        EncoderError: there is no such encoder, or the set is too small for it.
        DatasetError: the set has no training part, or no pictures for an encoder that reads them.
    """
    if name not in RECIPES:
        raise EncoderError(
            f"{name!r} cannot be fitted on a set; choose from {', '.join(RECIPES)}, or load one of "
            f"{', '.join(PRETRAINED)}"
        )
    chosen = part or ("train" if "train" in found.splits else WHOLE)
    fitted_set = found if chosen == WHOLE else found.part(chosen)  # type: ignore[arg-type]  # refuses other words
    on = f"the {'whole' if chosen == WHOLE else f'part {chosen}'} of {found.name}, {len(fitted_set.images)} pictures"
    return _fitted(fitted_set, RECIPES[name], folder, seed, topics, progress, on)


def embedded(
    found: CaptionedSet, by: SetEncoder, modality: Modality, folder: Path, *, progress: Progress = silent
) -> VectorTable:
    """The vectors of a set's pictures, by picture id, or of its captions, by caption id.

    They are kept below ``folder`` and read from there when set and encoder are the same, unless they are damaged; an
    interrupted encoding goes on with its next block. Missing pictures, and contents in which the encoder
    finds nothing, have no row.

    Raises:
        EncoderError: the encoder does not read that modality.
        DatasetError: pictures are to be encoded, and all files are missing.
        CollectionError: a picture cannot be opened; the message names it.
    """
    encoder = by.encoder
    if modality not in by.modalities:
        raise EncoderError(f"{encoder.name} does not read {modality}s; choose an encoder that does")
    stem = folder / "vectors" / f"{encoder.name}.{modality}-{_key(found.fingerprint, encoder.fingerprint)}"
    if (kept := _kept_table(stem)) is not None:
        return kept
    staging = folder / "building" / stem.name
    table = _derived(found, by, modality, folder, progress) or encode_collection(
        encoder,
        modality,
        _pictures(found) if modality == "image" else _captions(found),
        before=None,
        staging=staging,
        whole_batches=by.recipe is None,
        progress=progress,
    )
    whole = VectorTable(table.vectors, replace(table.card, collection=found.fingerprint))
    whole.save(stem)
    shutil.rmtree(staging, ignore_errors=True)
    return whole


def _fitted(
    found: CaptionedSet, recipe: Recipe, folder: Path, seed: int, topics: int | None, progress: Progress, on: str
) -> SetEncoder:
    bases = {base: _fitted(found, RECIPES[base], folder, seed, topics, progress, on) for base in recipe.needs}
    encoders: dict[str, Encoder] = {base: each.encoder for base, each in bases.items()}
    fingerprints = (each.fingerprint for each in encoders.values())
    model = folder / "models" / f"{recipe.name}-{_key(found.fingerprint, str(seed), str(topics), *fingerprints)}"
    encoder = _kept_model(model, recipe, encoders)
    if encoder is None:
        works = _works(found, pictures="image" in recipe.modalities)
        tables = _tables(works, bases, folder / "building" / model.name, progress)
        encoder = recipe.fit(Fitting(works, seed, topics, encoders, tables, progress))
        encoder.state.save(model)
        shutil.rmtree(folder / "building" / model.name, ignore_errors=True)
    return SetEncoder(encoder, on, recipe, MappingProxyType(bases))


def _kept_model(model: Path, recipe: Recipe, encoders: Mapping[str, Encoder]) -> Any | None:
    """The encoder as it was fitted before; None where there is none, or it is damaged."""
    if not (model / "model.json").exists():
        return None
    try:
        return recipe.restore(EncoderState.load(model), encoders)
    except ProvenanceError:
        shutil.rmtree(model)
        return None


def _kept_table(stem: Path) -> VectorTable | None:
    """The vectors as they were made before; None where there are none, or they are damaged."""
    if not card_file(stem).exists():
        return None
    try:
        return VectorTable.load(stem)
    except ProvenanceError:
        card_file(stem).unlink()
        return None


def _tables(
    works: Collection, bases: Mapping[str, SetEncoder], staging: Path, progress: Progress
) -> dict[tuple[str, Modality], VectorTable]:
    """What the encoders that this one is made from make of the works that it is fitted on."""
    return {
        (name, modality): encode_collection(
            base.encoder, modality, works, before=None, staging=staging, progress=progress
        )
        for name, base in bases.items()
        for modality in base.modalities
    }


def _derived(
    found: CaptionedSet, by: SetEncoder, modality: Modality, folder: Path, progress: Progress
) -> VectorTable | None:
    """Vectors that are made of other encoders' vectors, which are kept for themselves."""
    if by.recipe is None or by.recipe.derive is None:
        return None
    tables = {
        (name, modality): embedded(found, base, modality, folder, progress=progress)
        for name, base in by.bases.items()
        if modality in base.modalities
    }
    base, vectors = by.recipe.derive(by.encoder, modality, tables)
    return make_vector_table(
        vectors,
        base.item_ids,
        base.card.contents,
        encoder=by.encoder.name,
        fingerprint=by.encoder.fingerprint,
        modality=modality,
        collection=found.fingerprint,
    )


def _key(*parts: str) -> str:
    return digest(*(part.encode() for part in parts))[:12]


def _captions(found: CaptionedSet) -> Collection:
    return Collection([Item(caption.id, text=caption.text) for caption in found.captions], Path())


def _pictures(found: CaptionedSet) -> Collection:
    return Collection([_pictured(image, "") for image in _there(found)], Path())


def _works(found: CaptionedSet, *, pictures: bool) -> Collection:
    """The pictures, each with all its captions as one text; with ``pictures``, those alone whose files are there."""
    images = _there(found) if pictures else found.images
    texts = {image.id: "\n".join(caption.text for caption in found.captions_of[image.id]) for image in images}
    if pictures:
        return Collection([_pictured(image, texts[image.id]) for image in images], Path())
    return Collection([Item(image.id, text=texts[image.id]) for image in images], Path())


def _there(found: CaptionedSet) -> Sequence[ImageEntry]:
    there = [image for image in found.images if image.path is not None]
    if not there:
        raise DatasetError(
            f"{found.name} has none of its {len(found.images)} pictures here; name their folder with --pictures, or "
            f"choose tasks and encoders of texts alone"
        )
    return there


def _pictured(image: ImageEntry, text: str) -> Item:
    path = str(image.path)
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (mypy needs the plain type for file_digest)
            found = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CollectionError(
            f"the picture {path} cannot be read ({error.strerror}); put it back, or open the set anew without it"
        ) from error
    return Item(image.id, picture=path, picture_digest=found, text=text)
