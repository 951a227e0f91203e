"""Vectors of a captioned set by one encoder: made once, kept below a folder, found again by what they hang on.

vectors/ENCODER.MODALITY-KEY.npy, .json    the vectors and their card; KEY stands for set and encoder
models/ENCODER-KEY/                        what was fitted on the set, as arrays and JSON
building/                                  finished blocks of an encoding under way
"""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vernissage.errors import EncoderError, ProvenanceError
from vernissage.progress import Progress, silent
from vernissage.search.vectors import VectorTable, card_file, make_vector_table
from vernissage.values import Modality, Vectors
from vernissage.workspace.encoding import encode_collection
from vernissage_lab.datasets.captioned import CaptionedSet, DatasetError
from vernissage_lab.datasets.works import captions_as_works, pictures_as_works
from vernissage_lab.set_encoders import SetEncoder, key_of


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
    caption_of = {caption.image_id: caption.id for caption in found.captions}
    key_in: dict[Modality, dict[str, str]] = {
        "image": {image.id: image.id for image in found.images},
        "text": caption_of,
    }
    there = tuple(
        image.id for image in found.images if all(key_in[each][image.id] in tables[each].row_of for each in tables)
    )
    if not there:
        raise DatasetError(f"no picture of {found.name} has vectors in every table; check which pictures are missing")
    rows = {each: table.rows([key_in[each][image_id] for image_id in there]) for each, table in tables.items()}
    return there, {each: tables[each].vectors[rows[each]] for each in tables}


def _kept_table(stem: Path) -> VectorTable | None:
    """The vectors as they were made before; None where there are none, or they are damaged."""
    if not card_file(stem).exists():
        return None
    try:
        return VectorTable.load(stem)
    except ProvenanceError:
        card_file(stem).unlink()
        return None


def _derived(
    found: CaptionedSet, by: SetEncoder, modality: Modality, folder: Path, progress: Progress
) -> VectorTable | None:
    """Vectors that are made of other encoders' vectors, which are kept for themselves."""
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
