"""Small worlds whose right answers are known by construction, over the stand-in index."""

from collections.abc import Mapping, Sequence

import numpy as np
from tests.contracts.stand_in_index import StandInColumns, StandInIndex

from vernissage.encoders.contract import unit_rows
from vernissage.profiles.areas import area_of
from vernissage.profiles.uploads import UploadProfile, UploadsOfModality, uploads_of_modality
from vernissage.values import Modality


def index_of(
    vectors: Sequence[Sequence[float]] | np.ndarray,
    item_ids: Sequence[str] | None = None,
    owners: Mapping[str, str] | None = None,
    *,
    encoder: str = "toy",
) -> StandInIndex:
    """An index over these vectors, scaled to unit length; zeros stay zeros."""
    rows = unit_rows(np.asarray(vectors, dtype=np.float64))
    ids = tuple(item_ids) if item_ids is not None else tuple(f"w{row:05d}" for row in range(len(rows)))
    columns = StandInColumns(dict(owners or {}), {"letter": {item_id: item_id[0] for item_id in ids}})
    return StandInIndex(ids, rows, columns, encoder)


def random_index(n: int, dim: int, seed: int = 0) -> StandInIndex:
    return index_of(np.random.default_rng(seed).standard_normal((n, dim)))


def checkerboard() -> tuple[StandInIndex, StandInIndex]:
    """Sixteen works ``a..d × 0..3``: one index sees only the letter (colour), the other only the digit (theme)."""
    ids = [f"{letter}{digit}" for letter in "abcd" for digit in range(4)]
    colours = [np.eye(4)["abcd".index(item_id[0])] for item_id in ids]
    themes = [np.eye(4)[int(item_id[1])] for item_id in ids]
    return index_of(np.array(colours), ids, encoder="colour"), index_of(np.array(themes), ids, encoder="theme")


THEMES = ("boats", "cats", "dunes")


def uploads_in(
    item_ids: Sequence[str],
    vectors: np.ndarray,
    groups: Sequence[Sequence[int]],
    weights: Sequence[float] | None = None,
) -> UploadsOfModality:
    """Uploads whose areas are these groups of rows."""
    rows = unit_rows(np.asarray(vectors, dtype=np.float64))
    return uploads_of_modality(item_ids, rows, [area_of(rows, list(group)) for group in groups], weights=weights)


def themed_vectors(themes: Sequence[str], modality: Modality, seed: int) -> np.ndarray:
    """Unit rows near the axis of their theme, with the axis of their modality in common: a gap between modalities."""
    rows = 0.1 * np.random.default_rng(seed).standard_normal((len(themes), 8))
    rows[np.arange(len(themes)), [THEMES.index(theme) for theme in themes]] += 1.0
    rows[:, 6 if modality == "image" else 7] += 1.5
    return unit_rows(rows)


def themed_works(each: int = 6, owner: str = "ann", own: int = 2) -> dict[Modality, StandInIndex]:
    """Pictures and texts of three themes; of each theme and modality, ``own`` works belong to ``owner``."""
    names = [f"{theme}-{number:02d}" for theme in THEMES for number in range(each)]
    indexes: dict[Modality, StandInIndex] = {}
    modalities: tuple[Modality, ...] = ("image", "text")
    for seed, modality in enumerate(modalities):
        ids = [f"{modality}-{name}" for name in names]
        vectors = themed_vectors([name[:-3] for name in names], modality, seed)
        owners = {item_id: owner if int(item_id[-2:]) < own else f"other{item_id[-1]}" for item_id in ids}
        indexes[modality] = index_of(vectors, ids, owners)
    return indexes


def themed_profile(
    indexes: Mapping[Modality, StandInIndex], themes: Sequence[str] = ("boats", "cats"), owner: str = "ann"
) -> UploadProfile:
    """What ``owner`` has of ``themes`` in each index, one area a theme, in the order of ``themes``."""
    uploads: dict[Modality, UploadsOfModality] = {}
    for modality, index in indexes.items():
        own = [item_id for item_id in index.item_ids if index.columns.owner_of[item_id] == owner]
        ids = [item_id for theme in themes for item_id in own if theme in item_id]
        groups = [[row for row, item_id in enumerate(ids) if theme in item_id] for theme in themes]
        uploads[modality] = uploads_in(ids, index.vectors_of(ids), groups)
    return UploadProfile(owner, uploads)
