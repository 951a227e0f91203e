"""Works of a captioned set with the vectors of their two halves, and which of them an encoder may have seen."""

from pathlib import Path

import numpy as np

from vernissage.errors import RequestError
from vernissage.files import digest
from vernissage.progress import Progress, silent
from vernissage_lab.datasets.captioned import CaptionedSet
from vernissage_lab.recipes.gap import GapPairs
from vernissage_lab.set_encoders import SetEncoder
from vernissage_lab.set_material import material_of_set, other_captions


def gap_pairs(
    found: CaptionedSet, by: SetEncoder, folder: Path, *, pairs: int, seed: int = 0, progress: Progress = silent
) -> GapPairs:
    """At most ``pairs`` works of the training part for the means, and as many others to be measured.

    Works are drawn by a digest of seed and id, so that no more pictures of a large set are encoded than are used;
    those whose picture is missing are passed over. The others are the part ``test`` where there is one.

    Raises:
        RequestError: the encoder does not read both modalities, or the set has no training part or nothing beside it.
        EncoderError, DatasetError, CollectionError: as in `material_of_set`.
    """
    if len(by.modalities) < 2:
        raise RequestError(
            f"{by.encoder.name} does not read both pictures and texts; choose an encoder that does, such as aligned"
        )
    there = [image for image in found.images if image.path is not None] or found.images
    fitting = [image.id for image in there if image.split == "train"]
    others = [image.id for image in there if image.split == "test"] or [
        image.id for image in there if image.split != "train"
    ]
    if not fitting or not others:
        raise RequestError(
            f"{found.name} has {len(fitting)} pictures here to fit on and {len(others)} others to measure; the gap "
            f"needs both"
        )
    measured = _drawn(others, pairs, seed)
    chosen = found.keeping([*_drawn(fitting, pairs, seed), *measured])
    material = material_of_set(chosen, by, folder, seed=seed, progress=progress)
    apart = frozenset(measured)
    seen = np.array([item_id not in apart for item_id in material.item_ids])
    captions = other_captions(found.keeping(measured), by, folder, seed=seed)
    return GapPairs(material, seen, captions, by.fitted_on)


def _drawn(ids: list[str], count: int, seed: int) -> list[str]:
    return sorted(ids, key=lambda each: digest(str(seed).encode(), each.encode()))[:count]
