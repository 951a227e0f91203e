"""Works for maps: with groups, and where an encoder reads both, pictures and texts that it has not seen together."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from vernissage.encoders.fitted.aligned import FEWEST_PAIRS
from vernissage.progress import Progress, silent
from vernissage.search.modality_means import fitting_half
from vernissage.workspace.workspace import Workspace
from vernissage_lab.datasets.captioned import CaptionedSet
from vernissage_lab.gap_pairs import gap_pairs
from vernissage_lab.held_out import in_halves, refitted_material
from vernissage_lab.material import Material, material_of_workspace
from vernissage_lab.recipes.gap import GapPairs
from vernissage_lab.recipes.maps import MapWorks
from vernissage_lab.set_encoders import SetEncoder, fit_set_encoder
from vernissage_lab.set_material import material_of_set
from vernissage_lab.suitability import measured_part

_ALIGNED = "aligned"


def map_works_of_workspace(
    workspace: Workspace, encoder: str, *, seed: int = 0, progress: Progress = silent
) -> MapWorks:
    """The works of a workspace by its own vectors; for pictures beside texts, ``aligned`` is fitted anew on one half.

    Raises:
        RequestError: as in `material_of_workspace`.
    """
    material = material_of_workspace(workspace, encoder)
    if len(material.modalities) < 2:
        return MapWorks(material)
    fitting = fitting_half(material.item_ids, seed)
    if encoder != _ALIGNED:
        return MapWorks(material, _pairs(material, fitting, "nothing of these works"))
    if fitting.sum() < FEWEST_PAIRS:
        return MapWorks(material, remark=_too_few(encoder, len(fitting)))
    anew, fitting = refitted_material(workspace, encoder, seed=seed, progress=progress)
    return MapWorks(material, _pairs(anew, fitting, f"one half of {material.name}, {fitting.sum():,} works"))


def map_works_of_set(
    found: CaptionedSet, by: SetEncoder, folder: Path, *, pairs: int, seed: int = 0, progress: Progress = silent
) -> MapWorks:
    """The test part of a set, or the whole where it has none; for pictures beside texts as in `gap_pairs`.

    Raises:
        EncoderError, DatasetError, CollectionError: as in `material_of_set`.
    """
    material = material_of_set(measured_part(found), by, folder, seed=seed, progress=progress)
    if len(material.modalities) < 2:
        return MapWorks(material)
    halves, name = in_halves(found, seed=seed), by.encoder.name
    if by.card is not None:
        if halves.splits.get("train", 0) < FEWEST_PAIRS:
            return MapWorks(material, remark=_too_few(name, len(found.images)))
        by = fit_set_encoder(halves, name, folder, part="train", seed=seed, progress=progress)
    return MapWorks(material, gap_pairs(halves, by, folder, pairs=pairs, seed=seed, progress=progress))


def _pairs(material: Material, fitting: npt.NDArray[np.bool_], fitted_on: str) -> GapPairs:
    none = material.vectors["text"][:0]
    return GapPairs(material, fitting, (none, none), fitted_on)


def _too_few(encoder: str, works: int) -> str:
    return (
        f"{encoder}: no map of pictures beside texts, because half of {works} works are too few to fit it anew; it "
        f"takes {FEWEST_PAIRS}"
    )
