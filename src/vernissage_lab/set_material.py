"""A captioned set as material: a picture and one of its captions a row."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from vernissage.encoders.contract import TextEncoder
from vernissage.progress import Progress, silent
from vernissage.values import MODALITIES, Modality, Vectors
from vernissage_lab.datasets.captioned import CaptionedSet, Label, one_caption_each
from vernissage_lab.embedding import embedded, paired
from vernissage_lab.material import Material, material_of
from vernissage_lab.raw_lengths import RawLengths
from vernissage_lab.set_encoders import SetEncoder


def material_of_set(
    found: CaptionedSet, by: SetEncoder, folder: Path, *, seed: int = 0, progress: Progress = silent
) -> Material:
    """Pictures, and one caption of each drawn once by ``seed``, with the vectors of an encoder.

    Vectors are kept below ``folder`` (see `embedded`). A work whose picture is missing or whose caption holds no known
    word is left out where the encoder reads that modality. Classes are the set's labels; two of one name are told apart
    by their index.

    Raises:
        EncoderError, DatasetError, CollectionError: as in `embedded`.
    """
    drawn = one_caption_each(found, seed=seed)
    modalities: tuple[Modality, ...] = tuple(each for each in MODALITIES if each in by.modalities)
    ids, vectors = paired(drawn, {each: embedded(found, by, each, folder, progress=progress) for each in modalities})
    caption_of = {caption.image_id: caption.id for caption in drawn.captions}
    labels = [found.labels.get(image_id) for image_id in ids]
    material = material_of(
        vectors,
        [_numbered(label) if label else "" for label in labels],
        item_ids=ids,
        name=found.name,
        fingerprint=found.fingerprint,
        encoder=by.encoder.name,
        encoder_fingerprint=by.encoder.fingerprint,
        tags={
            "image": found.image_tags,
            "text": {image_id: found.text_tags.get(caption_of[image_id], ()) for image_id in ids},
        },
        text_encoder=by.encoder if isinstance(by.encoder, TextEncoder) else None,
        variant=by.variant,
    )
    shown = _class_names(found)
    return replace(
        material,
        class_names=tuple(shown[name] for name in material.class_names),
        unit=not isinstance(by.encoder, RawLengths),
    )


def _numbered(label: Label) -> str:
    return f"{label.index} {label.label}"


def _class_names(found: CaptionedSet) -> dict[str, str]:
    """What each numbered class is called: its label, with the number where two classes share it."""
    shared = {name for name, count in Counter(found.class_names.values()).items() if count > 1}
    return {_numbered(each): _numbered(each) if each.label in shared else each.label for each in found.labels.values()}


def other_captions(found: CaptionedSet, by: SetEncoder, folder: Path, *, seed: int = 0) -> tuple[Vectors, Vectors]:
    """The vectors of two captions of each picture that has two: float32 (n, dim) each, of the drawn one and another."""
    drawn = {caption.image_id: caption.id for caption in one_caption_each(found, seed=seed).captions}
    table = embedded(found, by, "text", folder)
    pairs = [
        (drawn[image_id], next(each.id for each in captions if each.id != drawn[image_id]))
        for image_id, captions in found.captions_of.items()
        if len(captions) > 1
    ]
    known = [pair for pair in pairs if pair[0] in table.row_of and pair[1] in table.row_of]
    if not known:
        empty = np.empty((0, table.dim), dtype=np.float32)
        return empty, empty
    first, second = ([pair[side] for pair in known] for side in (0, 1))
    return table.vectors[table.rows(first)], table.vectors[table.rows(second)]
