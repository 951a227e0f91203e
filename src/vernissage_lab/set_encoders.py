"""Encoders for a captioned set: loaded with their weights, or fitted on a part of the set that is named."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vernissage.catalog.collection import Collection
from vernissage.encoders.cards import EncoderCard
from vernissage.encoders.contract import Encoder, EncoderState
from vernissage.encoders.fitted.aligned import FEWEST_PAIRS
from vernissage.encoders.loading import load_pretrained, restore
from vernissage.encoders.register import card, names
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import digest
from vernissage.progress import Progress, silent
from vernissage.search.vectors import VectorTable
from vernissage.values import Modality
from vernissage.workspace.encoding import encode_collection, material_of
from vernissage_lab.datasets.captioned import CaptionedSet
from vernissage_lab.datasets.works import whole_works

WHOLE = "whole"
_ALIGNED = "aligned"


@dataclass(frozen=True, eq=False)
class SetEncoder:
    """An encoder for a set, and what it was fitted on.

    Attributes:
        encoder: loaded or fitted.
        fitted_on: in words, for records and reports; "nothing of this set" for encoders with weights.
        card: of the encoder that was fitted; None for encoders with weights.
        bases: the encoders that it was made from.
    """

    encoder: Any
    fitted_on: str
    card: EncoderCard | None = None
    bases: Mapping[str, "SetEncoder"] = field(default_factory=dict)

    @property
    def modalities(self) -> frozenset[Modality]:
        """What it reads."""
        found: frozenset[Modality] = self.encoder.modalities
        return found

    @property
    def variant(self) -> str:
        """Which of the models that share the encoder's name; empty where the encoder does not say."""
        return str(getattr(self.encoder, "variant", ""))


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
        name: lda, lsa, tfidf, colour-texture or aligned.
        folder: of the experiment.
        part: ``train``, or ``whole``; empty means the training part where the set has one, the whole where not.
        seed: of the fit.
        topics: of lda; chosen by coherence without.
        progress: told of the fit.

    Raises:
        EncoderError: there is no such encoder, or the set is too small for it.
        DatasetError: the set has no training part, or no pictures for an encoder that reads them.
    """
    if name not in names("fitted"):
        raise EncoderError(
            f"{name!r} cannot be fitted on a set; choose from {', '.join(names('fitted'))}, or load one of "
            f"{', '.join(names('pretrained'))}"
        )
    chosen = part or ("train" if "train" in found.splits else WHOLE)
    fitted_set = found if chosen == WHOLE else found.part(chosen)  # type: ignore[arg-type]  # refuses other words
    if name == _ALIGNED and len(fitted_set.images) < FEWEST_PAIRS:
        raise EncoderError(
            f"{name} is fitted on {FEWEST_PAIRS} works or more, but {found.name} has {len(fitted_set.images)} for it; "
            f"take a larger set, or an encoder with weights"
        )
    on = f"the {'whole' if chosen == WHOLE else f'part {chosen}'} of {found.name}, {len(fitted_set.images)} works"
    return _fitted(fitted_set, card(name), folder, seed, topics, progress, on)


def _fitted(
    found: CaptionedSet, fitted: EncoderCard, folder: Path, seed: int, topics: int | None, progress: Progress, on: str
) -> SetEncoder:
    bases = {base: _fitted(found, card(base), folder, seed, topics, progress, on) for base in fitted.needs}
    encoders: dict[str, Encoder] = {base: each.encoder for base, each in bases.items()}
    fingerprints = (each.fingerprint for each in encoders.values())
    model = folder / "models" / f"{fitted.name}-{key_of(found.fingerprint, str(seed), str(topics), *fingerprints)}"
    encoder = _kept_model(model, fitted, encoders)
    if encoder is None:
        works = whole_works(found, pictures="image" in fitted.modalities)
        tables = _tables(works, bases, folder / "building" / model.name, progress)
        material = material_of(fitted, works, encoders, tables, seed=seed, topics=topics, progress=progress)
        encoder = fitted.fit(material)  # type: ignore[misc]  # it is one of those that are fitted
        encoder.state.save(model)
        shutil.rmtree(folder / "building" / model.name, ignore_errors=True)
    return SetEncoder(encoder, on, fitted, MappingProxyType(bases))


def _kept_model(model: Path, fitted: EncoderCard, encoders: Mapping[str, Encoder]) -> Any | None:
    """The encoder as it was fitted before; None where there is none, or it is damaged."""
    if not (model / "model.json").exists():
        return None
    try:
        return restore(fitted.name, EncoderState.load(model), [encoders[base] for base in fitted.needs])
    except ProvenanceError:
        shutil.rmtree(model)
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


def key_of(*parts: str) -> str:
    """12 hexadecimal digits that stand for these parts."""
    return digest(*(part.encode() for part in parts))[:12]
