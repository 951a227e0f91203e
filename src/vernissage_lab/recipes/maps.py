"""`maps`: where each representation places the works of the story groups (first paper, Figs. 5 and 6)."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from vernissage.errors import RequestError
from vernissage.progress import Progress
from vernissage.values import Vectors
from vernissage_lab.analysis.tangle import FEWEST
from vernissage_lab.cells import Cells
from vernissage_lab.material import UNKNOWN, Material, Rows
from vernissage_lab.recipes.contract import Outcome, Recipe
from vernissage_lab.recipes.gap import GapPairs
from vernissage_lab.recipes.maps_rows import drawn_rows, map_of_groups, map_of_pairs, representations
from vernissage_lab.recipes.maps_tables import (
    ALIKE,
    AS_THEY_ARE,
    JOINT,
    PAIRS,
    pictures_of,
    views_of,
)
from vernissage_lab.tidy import Row, Value, by_table, differences, where

STEP = "Drawing maps"
WORKS, MOST_PAIRS = 2_500, 1_000


@dataclass(frozen=True)
class MapOptions:
    """How many works a map shows at most, and how many pairs a map of pictures and texts."""

    works: int = WORKS
    pairs: int = MOST_PAIRS

    def __post_init__(self) -> None:
        """Refuse too few, before anything is encoded."""
        if min(self.works, self.pairs) < FEWEST:
            raise RequestError(
                f"maps of {self.works} works and of {self.pairs} pairs at most are asked for; each must be {FEWEST} or "
                f"more"
            )


@dataclass(frozen=True, eq=False)
class MapWorks:
    """Works by one encoder.

    Attributes:
        material: with groups and vectors.
        pairs: works whose pictures and texts share a space, some of them to fit means on; None where there are none.
        remark: why there are none, where there might be some.
    """

    material: Material
    pairs: GapPairs | None = None
    remark: str = ""


def run_maps(works: Sequence[MapWorks], options: MapOptions, *, seed: int, cells: Cells, progress: Progress) -> Outcome:
    """Place the works of each encoder by its pictures, its texts, and both joined; measure how tangled groups are.

    Returns:
        ``maps``: places of works by t-SNE; ``measures``: what is true of the spaces, beside what chance gives;
        ``differences``: of the share of neighbours of the same group, each representation minus the first joint one, or
        minus the first where none is joint, paired over works.

    Raises:
        RequestError: fewer than 2 groups, or fewer than 21 works.
    """
    grid: list[tuple[dict[str, Value | list[str]], partial[Iterator[Row]]]] = []
    notes: list[str] = []
    for one in works:
        _check(one.material, options.works, seed)
        told = one.material.describe()
        for of, vectors in representations(one.material).items():
            rows = drawn_rows(one.material, vectors, options.works, seed)
            cell = partial(map_of_groups, one.material, of, vectors, rows, seed, progress)
            grid.append(({**told, "of": of, "most": options.works}, cell))
            notes += _remarks(one.material, of, vectors, rows)
        others = int((~one.pairs.fitting).sum()) if one.pairs is not None else 0
        if one.pairs is not None and others < FEWEST:
            name = one.pairs.material.encoder
            notes.append(f"{name}: no map of pictures beside texts, which needs {FEWEST} works, but there are {others}")
        elif one.pairs is not None:
            cell = partial(map_of_pairs, one.pairs, options.pairs, seed, progress)
            grid.append(({**one.pairs.material.describe(), "of": PAIRS, "most": options.pairs}, cell))
            notes.append(_fitted(one.pairs))
        notes += [one.remark] if one.remark else []
    found: list[Row] = []
    for done, (key, cell) in enumerate(grid):
        progress(STEP, done, len(grid))
        found += cells.rows(key, partial(_listed, cell)) or []
    progress(STEP, len(grid), len(grid))
    if cells.skipped:
        notes.append(f"{cells.skipped} cells are left for another run with the same folder and options")
    tables = by_table(found)
    tables["differences"] = _differences(tables.get("maps", ()))
    return Outcome(tables, tuple(dict.fromkeys(notes)))


def _listed(cell: "partial[Iterator[Row]]") -> list[Row]:
    return list(cell())


def _differences(maps: Sequence[Row]) -> list[Row]:
    rows = [
        {**row, "representation": f"{row['encoder']} {row['of']}"}
        for row in where(maps, method=AS_THEY_ARE)
        if not math.isnan(float(row["alike"]))
    ]
    if not rows:
        return []
    reference = ((where(rows, of=JOINT) or rows)[0]["representation"],)
    found = differences(rows, (), ("representation",), reference, "alike", "work")
    return [{**row, "measure": ALIKE} for row in found]


def _check(material: Material, most: int, seed: int) -> None:
    names = material.class_names
    if len(names) < 2:
        what = f"only one group, {names[0]}" if names else "no groups"
        raise RequestError(
            f"{material.name} has {what} among the {len(material)} works that {material.encoder} reads, but maps need "
            f"2 or more; give the collection a column group and build it again, or with --kind name a column of "
            f"classes by --class-column"
        )
    for of, vectors in representations(material).items():
        rows = drawn_rows(material, vectors, most, seed)
        known = material.classes[rows][material.classes[rows] != UNKNOWN]
        if len(known) < FEWEST or not 1 < len(np.unique(known)) < len(known):
            raise RequestError(
                f"{len(known)} works of {material.name} in {len(np.unique(known))} groups have a vector of "
                f"{material.encoder}'s {of}; maps need {FEWEST} works or more, in 2 groups or more but not one each"
            )


def _remarks(material: Material, of: str, vectors: Vectors, rows: Rows) -> Iterator[str]:
    there, name = int(vectors.any(axis=1).sum()), f"{material.encoder}, {of}"
    if len(rows) < there:
        yield f"{name}: a map of {len(rows):,} works, drawn from {there:,}; --works shows more"
    without = int((material.classes[rows] == UNKNOWN).sum())
    if without:
        yield f"{name}: {without:,} of {len(rows):,} works have no group; they are on the map, and not measured"


def _fitted(pairs: GapPairs) -> str:
    return (
        f"{pairs.material.encoder} for the maps of pictures and texts was fitted on {pairs.fitted_on}; means were "
        f"fitted on {int(pairs.fitting.sum()):,} works, and others are shown"
    )


MAPS = Recipe(
    name="maps",
    paper="Yilma & Leiva 2023: Figs. 5 and 6",
    what="maps of the works by story group for each representation, how tangled the groups are, pictures beside texts",
    needs="a workspace with groups, or a data set with classes",
    protocol=(
        (
            "One map by t-SNE for each encoder: of its pictures, of its texts, and of both joined (the mean of both "
            "unit vectors after each kind's own mean was taken off)."
        ),
        (
            "Measured in the space, not on the map: the share of a work's ten nearest others, by cosine, that are of "
            "its group, against the share that groups given at random would have; lift is their ratio. Silhouette by "
            "cosine against ten shuffles of the groups. Standard errors are over works."
        ),
        (
            "How far a map can be trusted: the same share among neighbours on the map, and trustworthiness with ten "
            "neighbours, 1 where whoever is near on the map is near in the space, .5 for a random map."
        ),
        (
            "Pictures and texts of one encoder in one map, before and after the mean of each kind is taken off: of "
            "works that neither the means nor an alignment have seen. Gap: distance of the means; told apart: "
            "five-fold logistic regression, .5 by guessing; own kind: the share of the ten nearest others that are "
            "pictures too, or texts."
        ),
        "The paper's works were the National Gallery's, and its pictures ResNet-50's, CLIP's and BLIP's.",
    ),
    pictures=pictures_of,
    views=views_of,
)
