"""Works that an encoder has not been fitted on: what retrieval and the gap are measured on."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import ImageEncoder, TextEncoder
from vernissage.encoders.fitted.aligned import FEWEST_PAIRS, fit_aligned
from vernissage.encoders.register import card
from vernissage.errors import RequestError
from vernissage.progress import Progress, silent
from vernissage.search.modality_means import fitting_half
from vernissage.workspace.workspace import Workspace
from vernissage_lab.datasets.captioned import CaptionedSet
from vernissage_lab.material import Material, material_of_workspace

if TYPE_CHECKING:
    from vernissage.values import Modality, Vectors


def unseen_material(workspace: Workspace, encoder: str, *, seed: int = 0, progress: Progress = silent) -> Material:
    """The works of a workspace; for ``aligned`` one half, after it was fitted anew on the other.

    The encoders below it, of pictures and of texts alone, stay as they were fitted: on all works, but on no pairs.

    Raises:
        RequestError: the encoder does not read both modalities, or half of the works are too few to fit it anew.
    """
    material = material_of_workspace(workspace, encoder)
    if len(material.modalities) < 2:
        raise RequestError(f"{encoder} reads {material.modalities[0]}s alone; choose an encoder of both modalities")
    if encoder != "aligned":
        return material
    anew, fitting = refitted_material(workspace, encoder, seed=seed, progress=progress)
    rows = np.flatnonzero(~fitting)
    return replace(
        anew,
        item_ids=tuple(anew.item_ids[row] for row in rows),
        vectors={modality: vectors[rows] for modality, vectors in anew.vectors.items()},
        classes=anew.classes[rows],
    )


def refitted_material(
    workspace: Workspace, encoder: str, *, seed: int = 0, progress: Progress = silent
) -> tuple[Material, npt.NDArray[np.bool_]]:
    """All works of a workspace by an alignment that is fitted anew on one half of them, and which these are: bool (n,).

    Raises:
        RequestError: half of the works are too few.
    """
    material = material_of_workspace(workspace, encoder)
    names = card("aligned").needs
    readers = workspace.encoder(names[0]), workspace.encoder(names[1])
    if not isinstance(readers[0], ImageEncoder) or not isinstance(readers[1], TextEncoder):
        raise RequestError(f"aligned needs {names[0]} for pictures and {names[1]} for texts; build it again")
    fitting = fitting_half(material.item_ids, seed)
    if fitting.sum() < FEWEST_PAIRS:
        raise RequestError(
            f"{fitting.sum()} works are half of what there is, and fitting aligned anew needs {FEWEST_PAIRS}; "
            f"measuring on works that it was fitted on would say nothing"
        )
    tables = workspace.table(names[0], "image"), workspace.table(names[1], "text")
    images, texts = (table.vectors[table.rows(material.item_ids)] for table in tables)
    model = fit_aligned(images[fitting], texts[fitting], readers[0], readers[1], seed=seed, progress=progress)
    vectors: dict[Modality, Vectors] = {"image": model.project_images(images), "text": model.project_texts(texts)}
    return replace(material, encoder_fingerprint=model.fingerprint, vectors=vectors), fitting


def in_halves(found: CaptionedSet, *, seed: int = 0) -> CaptionedSet:
    """A set without a split, with one half of its pictures as ``train`` and the other as ``test``, drawn by seed."""
    if "train" in found.splits:
        return found
    fitting = fitting_half([image.id for image in found.images], seed)
    images = [
        replace(image, split="train" if chosen else "test") for image, chosen in zip(found.images, fitting, strict=True)
    ]
    return replace(found, images=tuple(images))
