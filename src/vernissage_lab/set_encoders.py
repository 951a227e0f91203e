"""Encoders for a captioned set, loaded or fitted on a part of it, and its vectors: kept below the folder of a run.

vectors/ENCODER.MODALITY-KEY.*    vectors and their card; KEY stands for set and encoder
models/ENCODER-KEY/               what was fitted on the set, as arrays and JSON
building/                         finished blocks of an encoding under way
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PIL import Image

from vernissage.encoders.contract import Encoder, EncoderState
from vernissage.encoders.fitted.aligned import FEWEST_PAIRS
from vernissage.encoders.loading import load_pretrained, restore
from vernissage.encoders.register import EncoderCard, card, cards, names
from vernissage.errors import EncoderError, ProvenanceError, RequestError
from vernissage.files import digest
from vernissage.progress import Progress, silent
from vernissage.search.vectors import VectorTable, card_file, make_vector_table
from vernissage.values import Modality, Vectors
from vernissage.workspace.encoding import encode_collection, material_of
from vernissage_lab.datasets.captioned import CaptionedSet, DatasetError
from vernissage_lab.datasets.works import captions_as_works, pictures_as_works, whole_works

WHOLE = "whole"
USUAL = "aligned"
"""What a set is encoded by where nothing is named."""

SCALED_IN_PRINT = frozenset({"albef"})
"""Encoders whose vectors the second paper's released code scales to length 1 itself, before it clusters them."""


@dataclass(frozen=True, eq=False)
class SetEncoder:
    """An encoder for a set, and what it was fitted on.

    Attributes:
        encoder: loaded or fitted.
        fitted_on: in words, for records and reports; "nothing of this set" for encoders with weights.
        card: of an encoder that was fitted; None for encoders with weights.
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


def checked_encoders(words: Sequence[str], weights: Path | None, *, both: bool = False) -> list[str]:
    """The encoders, each once, all looked at before one of them is fitted or encodes.

    Raises:
        RequestError: there is no such encoder, weights are given for one that has none, or it reads pictures or texts
            alone where ``both`` are needed.
    """
    found, known = list(dict.fromkeys(words)), cards()
    for name in found:
        if name not in known:
            raise RequestError(f"there is no encoder {name!r}; choose from {', '.join(known)}")
        if weights is not None and not known[name].pretrained:
            raise RequestError(f"{name} is fitted on the data and has no weights; leave --weights out, or name another")
        if both and len(known[name].modalities) < 2:
            able = ", ".join(each for each, encoder in known.items() if len(encoder.modalities) > 1)
            raise RequestError(f"{name} does not read both pictures and texts; choose one that does: {able}")
    return found


def set_encoder(
    found: CaptionedSet,
    name: str,
    folder: Path,
    *,
    weights: Path | None = None,
    part: str = "",
    seed: int = 0,
    progress: Progress = silent,
) -> SetEncoder:
    """An encoder with weights, or one fitted on a part of the set (see `fit_set_encoder`).

    Raises:
        EncoderError: there is no such encoder, or as in `load_pretrained` and `fit_set_encoder`.
    """
    if not card(name).pretrained:
        return fit_set_encoder(found, name, folder, part=part, seed=seed, progress=progress)
    return SetEncoder(load_pretrained(name, weights, progress=progress), "nothing of this set")


def fit_set_encoder(
    found: CaptionedSet, name: str, folder: Path, *, part: str = "", seed: int = 0, progress: Progress = silent
) -> SetEncoder:
    """An encoder that is fitted on a set, or read from ``folder`` where the same fit was made before.

    Every picture is one document for the fit: all its captions, joined. Pictures whose files are missing have no part
    in the fit of an encoder that reads pictures.

    Args:
        name: lda, lsa, tfidf, colour-texture or aligned.
        part: ``train``, or ``whole``; empty means the training part where the set has one, the whole where not.

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
    if card(name).derived_from and len(fitted_set.images) < FEWEST_PAIRS:
        raise EncoderError(
            f"{name} is fitted on {FEWEST_PAIRS} works or more, but {found.name} has {len(fitted_set.images)} for it; "
            f"take a larger set, or an encoder with weights"
        )
    on = f"the {'whole' if chosen == WHOLE else f'part {chosen}'} of {found.name}, {len(fitted_set.images)} works"
    return _fitted(fitted_set, card(name), folder, seed, progress, on)


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
    stem = folder / "vectors" / f"{encoder.name}.{modality}-{key_of(found.fingerprint, encoder.fingerprint)}"
    if (kept := _kept_table(stem)) is not None:
        return kept
    staging = folder / "building" / stem.name
    table = _derived(found, by, modality, folder, progress) or encode_collection(
        encoder,
        modality,
        pictures_as_works(found) if modality == "image" else captions_as_works(found),
        before=None,
        staging=staging,
        whole_batches=by.card is None,
        progress=progress,
    )
    whole = VectorTable(table.vectors, replace(table.card, collection=found.fingerprint))
    whole.save(stem)
    shutil.rmtree(staging, ignore_errors=True)
    return whole


def paired(
    found: CaptionedSet, tables: Mapping[Modality, VectorTable]
) -> tuple[tuple[str, ...], dict[Modality, Vectors]]:
    """Ids of the pictures that have a row in every table, and those rows side by side.

    Args:
        found: a set with one caption for each picture, see `one_caption_each`.
        tables: what `embedded` made of it.

    Returns:
        Picture ids (n,), in the set's order, and for each modality float32 (n, dim).

    Raises:
        DatasetError: a picture has several captions, or none has a row in every table.
    """
    if len(found.captions) != len(found.images):
        raise DatasetError(
            f"{found.name} has {len(found.captions)} captions of {len(found.images)} pictures, and pairs need one "
            f"each; draw them with one_caption_each"
        )
    key_in: dict[Modality, dict[str, str]] = {
        "image": {image.id: image.id for image in found.images},
        "text": {caption.image_id: caption.id for caption in found.captions},
    }
    there = tuple(
        image.id for image in found.images if all(key_in[each][image.id] in tables[each].row_of for each in tables)
    )
    if not there:
        raise DatasetError(f"no picture of {found.name} has vectors in every table; check which pictures are missing")
    rows = {each: table.rows([key_in[each][image_id] for image_id in there]) for each, table in tables.items()}
    return there, {each: tables[each].vectors[rows[each]] for each in tables}


def key_of(*parts: str) -> str:
    """12 hexadecimal digits that stand for these parts."""
    return digest(*(part.encode() for part in parts))[:12]


class RawLengths:
    """An encoder whose vectors were not scaled to length 1; for clustering alone, since searches need unit vectors."""

    def __init__(self, encoder: Any) -> None:
        """Take the vectors of ``encoder`` as its network gives them, before they are scaled.

        Raises:
            EncoderError: it has none: its vectors are made with length 1.
        """
        if not all(hasattr(encoder, f"{modality}_features") for modality in encoder.modalities):
            raise EncoderError(
                f"{encoder.name} has no vectors but those of length 1; take an encoder with a network, such as minilm "
                f"or clip, for an experiment as published"
            )
        self._encoder = encoder
        self.preprocessing = getattr(encoder, "preprocessing", None)
        self.name: str = encoder.name
        self.dim: int = encoder.dim
        self.modalities: frozenset[Modality] = encoder.modalities
        self.variant = str(getattr(encoder, "variant", ""))
        # Another one than the encoder's: these vectors must not be taken for its.
        self.fingerprint = digest(b"raw lengths", encoder.fingerprint.encode())[:16]

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Float32 (n, dim), of any length."""
        found: Vectors = self._encoder.image_features(images)
        return found if found.ndim == 2 else found[:, 0]  # of several queries that look at a picture, the first

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Float32 (n, dim), of any length."""
        found: Vectors = self._encoder.text_features(texts)
        return found


def in_raw_lengths(by: SetEncoder) -> SetEncoder:
    """The same encoder, its vectors not scaled, unless the second paper's released code scales them as well.

    Raises:
        EncoderError: its vectors are made with length 1.
    """
    if by.encoder.name in SCALED_IN_PRINT:
        return by
    return SetEncoder(RawLengths(by.encoder), by.fitted_on, by.card, by.bases)


def _fitted(
    found: CaptionedSet, fitted: EncoderCard, folder: Path, seed: int, progress: Progress, on: str
) -> SetEncoder:
    bases = {base: _fitted(found, card(base), folder, seed, progress, on) for base in fitted.needs}
    encoders: dict[str, Encoder] = {base: each.encoder for base, each in bases.items()}
    fingerprints = (each.fingerprint for each in encoders.values())
    model = folder / "models" / f"{fitted.name}-{key_of(found.fingerprint, str(seed), *fingerprints)}"
    encoder = _kept_model(model, fitted, encoders)
    if encoder is None:
        works = whole_works(found, pictures="image" in fitted.modalities)
        staging = folder / "building" / model.name
        tables = {
            (name, modality): encode_collection(
                base.encoder, modality, works, before=None, staging=staging, progress=progress
            )
            for name, base in bases.items()
            for modality in base.modalities
        }
        material = material_of(fitted, works, encoders, tables, seed=seed, progress=progress)
        encoder = fitted.fit(material)  # type: ignore[misc]  # it is one of those that are fitted
        encoder.state.save(model)
        shutil.rmtree(staging, ignore_errors=True)
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


def _kept_table(stem: Path) -> VectorTable | None:
    """The vectors as they were made before; None where there are none, or they are damaged."""
    if not card_file(stem).exists():
        return None
    try:
        return VectorTable.load(stem, whole=True)
    except ProvenanceError:
        card_file(stem).unlink()
        return None


def _derived(
    found: CaptionedSet, by: SetEncoder, modality: Modality, folder: Path, progress: Progress
) -> VectorTable | None:
    """Vectors that are made of another encoder's vectors, which are kept for themselves."""
    if by.card is None or by.card.derive is None:
        return None
    base = embedded(found, by.bases[by.card.derived_from[modality]], modality, folder, progress=progress)
    return make_vector_table(
        by.card.derive(by.encoder, modality, base.vectors),
        base.item_ids,
        base.card.contents,
        encoder=by.encoder.name,
        fingerprint=by.encoder.fingerprint,
        modality=modality,
        collection=found.fingerprint,
    )
