"""Small worlds whose right answers are known by construction."""

from collections.abc import Sequence

import numpy as np

from vernissage.encoders.contract import unit_rows
from vernissage.profiles.area import Area
from vernissage.profiles.uploads import UploadedSide, UploadProfile, uploaded_side
from vernissage.search.exact import ExactIndex
from vernissage.search.live import LiveIndex, live_index
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.values import Modality


def table_of(
    vectors: Sequence[Sequence[float]] | np.ndarray, item_ids: Sequence[str] | None = None, *, encoder: str = "toy"
) -> VectorTable:
    rows = unit_rows(np.asarray(vectors, dtype=np.float64))
    ids = list(item_ids) if item_ids is not None else [f"w{row:05d}" for row in range(len(rows))]
    return make_vector_table(
        rows, ids, [""] * len(ids), encoder=encoder, fingerprint="f", modality="text", collection="c"
    )


def random_index(n: int, dim: int, seed: int = 0) -> ExactIndex:
    return ExactIndex(table_of(np.random.default_rng(seed).standard_normal((n, dim))))


def checkerboard() -> tuple[ExactIndex, ExactIndex]:
    """Sixteen works ``a..d × 0..3``: one index sees only the letter (colour), the other only the digit (theme)."""
    ids = [f"{letter}{digit}" for letter in "abcd" for digit in range(4)]
    colours = [np.eye(4)["abcd".index(item_id[0])] for item_id in ids]
    themes = [np.eye(4)[int(item_id[1])] for item_id in ids]
    return (
        ExactIndex(table_of(np.array(colours), ids, encoder="colour")),
        ExactIndex(table_of(np.array(themes), ids, encoder="theme")),
    )


THEMES = ("boats", "cats", "dunes")


def area_of(rows: Sequence[int], vectors: np.ndarray) -> Area:
    members = np.array(sorted(rows))
    own = vectors[members]
    return Area(tuple(members.tolist()), int(members[np.argmax(own @ own.sum(axis=0))]), own.mean(axis=0))


def side_of(
    item_ids: Sequence[str],
    vectors: np.ndarray,
    groups: Sequence[Sequence[int]],
    weights: Sequence[float] | None = None,
) -> UploadedSide:
    rows = unit_rows(np.asarray(vectors, dtype=np.float64))
    return uploaded_side(item_ids, rows, [area_of(group, rows) for group in groups], weights=weights)


def themed_vectors(themes: Sequence[str], modality: Modality, seed: int) -> np.ndarray:
    """Unit rows near the axis of their theme, with the axis of their modality in common: a gap between modalities."""
    rows = 0.1 * np.random.default_rng(seed).standard_normal((len(themes), 8))
    rows[np.arange(len(themes)), [THEMES.index(theme) for theme in themes]] += 1.0
    rows[:, 6 if modality == "image" else 7] += 1.5
    return unit_rows(rows)


def themed_works(each: int = 6, owner: str = "ann", own: int = 2) -> dict[Modality, LiveIndex]:
    """Pictures and texts of three themes; of each theme and modality, ``own`` works belong to ``owner``."""
    names = [f"{theme}-{number:02d}" for theme in THEMES for number in range(each)]
    indexes: dict[Modality, LiveIndex] = {}
    modalities: tuple[Modality, ...] = ("image", "text")
    for seed, modality in enumerate(modalities):
        ids = [f"{modality}-{name}" for name in names]
        vectors = themed_vectors([name[:-3] for name in names], modality, seed)
        owners = {item_id: owner if int(item_id[-2:]) < own else f"other{item_id[-1]}" for item_id in ids}
        indexes[modality] = live_index(table_of(vectors, ids), owners)
    return indexes


def themed_profile(
    indexes: dict[Modality, LiveIndex], themes: Sequence[str] = ("boats", "cats"), owner: str = "ann"
) -> UploadProfile:
    """What ``owner`` has of ``themes`` in each index, one area a theme, in the order of ``themes``."""
    sides: dict[Modality, UploadedSide] = {}
    for modality, index in indexes.items():
        own = [index.ids[row] for row in index.rows_of_owner(owner)]
        ids = [item_id for theme in themes for item_id in own if theme in item_id]
        groups = [[row for row, item_id in enumerate(ids) if theme in item_id] for theme in themes]
        sides[modality] = side_of(ids, index.vectors_of(ids), groups)
    return UploadProfile(owner, sides)
