"""Simulated visitors: a taste over hidden labels, a few noisy ratings, and what they would truly like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import stats

from vernissage.analysis.coverage import covering_rows
from vernissage.errors import RequestError
from vernissage.gallery.selecting import one_of
from vernissage.search.joint import side_by_side
from vernissage.workspace.clusters import NEAREST, clusters_of, members_of
from vernissage.workspace.workspace import Workspace
from vernissage_lab.tastes import UNKNOWN, Labels

Affinities = npt.NDArray[np.float64]
"""How much a visitor likes each work, float64 (n,) in [0, 1]."""

CATEGORY_CONCENTRATION = 0.5
"""Of the Dirichlet draw over a facet's categories: below 1, so that a few are liked and most are not."""

FACET_CONCENTRATION = 2.0
"""Of the Dirichlet draw over the facets: above 1, so that most visitors care about several, unequally."""

NOISE_SD = 0.5
"""Standard deviation of a rating's noise, in stars, before rounding.

People who rate the same film twice differ by a root mean square of 0.557 to 0.816 stars (Amatriain, Pujol & Oliver,
UMAP 2009, doi 10.1007/978-3-642-02247-0_24); divided by √2 that is 0.39 to 0.58 for one rating.
"""

RELEVANT_SHARE = 0.1
"""A work is relevant when it is among this share of the candidates, by the visitor's true affinity."""

ELICITATIONS = ("central", "group", "random", "farthest")
"""Ways to choose the works that visitors rate."""

FEWEST_GROUPS, MOST_GROUPS = 4, 12
RATED_WITHOUT_GROUPS = 9
_TRIES = 100


@dataclass(frozen=True, eq=False)
class Visitor:
    """One simulated person.

    Attributes:
        ratings: 1 to 5 by work id: all that an engine learns.
        affinities: the truth, for the works of the labels, (n,).
        importances: how much each facet counts; they add up to 1.
        redrawn: how often the draw was repeated because all ratings were equal.
    """

    ratings: Mapping[str, float]
    affinities: Affinities
    importances: Affinities
    redrawn: int


@dataclass(frozen=True)
class Elicitation:
    """How works are chosen for rating: one at random from each of these strata of rows, told in words."""

    strata: tuple[tuple[int, ...], ...]
    words: str


def elicitation(groups: Sequence[str]) -> Elicitation:
    """One work from each group, as in Yilma & Leiva (UMAP 2023): nine works, one from each of nine story groups.

    That holds for 4 to 12 groups; works without a group are then not rated. Otherwise one work from each ninth of the
    works in their order, which spreads the nine over the collection without any knowledge of it.

    Args:
        groups: the group of each work in order, empty without one, (n,).

    Raises:
        RequestError: fewer works than ratings.
    """
    names = sorted({group for group in groups if group})
    if FEWEST_GROUPS <= len(names) <= MOST_GROUPS:
        return Elicitation(
            tuple(tuple(np.flatnonzero(np.array(groups) == name).tolist()) for name in names), "each group"
        )
    if len(groups) < 2 * RATED_WITHOUT_GROUPS:
        raise RequestError(f"{len(groups)} works are too few to rate nine and rank the rest; use 18 or more")
    ninths = np.array_split(np.arange(len(groups)), RATED_WITHOUT_GROUPS)
    return Elicitation(tuple(tuple(part.tolist()) for part in ninths), "each ninth")


def elicitation_by(way: str, workspace: Workspace, candidates: Sequence[str]) -> Elicitation:
    """The same by one of `ELICITATIONS`, for works of a workspace.

    ``central``: one of the eight works nearest to the centre of each of nine clusters; ``group``: one of each group;
    ``random``: any; ``farthest``: the same nine for everybody, medoids of k-centre clusters, by all representations.

    Raises:
        RequestError: there is no such way, or too few works.
    """
    one_of(ELICITATIONS, way, "way to choose works to rate")
    if way == "group":
        groups = dict(zip(workspace.collection.ids, workspace.collection.texts("group"), strict=True))
        return elicitation([groups[each] for each in candidates])
    if len(candidates) < 2 * RATED_WITHOUT_GROUPS:
        elicitation([""] * len(candidates))  # raises, and says how many are needed
    if way == "random":
        order = np.random.default_rng(0).permutation(len(candidates))
        ninths = np.array_split(order, RATED_WITHOUT_GROUPS)
        return Elicitation(tuple(tuple(part.tolist()) for part in ninths), "each of nine random ninths")
    if way == "farthest":
        rows = covering_rows(side_by_side(workspace.fused_tables, candidates), RATED_WITHOUT_GROUPS)
        return Elicitation(tuple((row,) for row in rows), "each of nine k-centre clusters: its medoid")
    places = {item_id: row for row, item_id in enumerate(candidates)}
    members = members_of(candidates, clusters_of(workspace.fused_tables, candidates))
    strata = tuple(tuple(places[each] for each in own[:NEAREST]) for own in members)
    return Elicitation(strata, f"the {NEAREST} works nearest to the centre of each of nine clusters")


def simulate_visitors(labels: Labels, chosen: Elicitation, count: int, *, seed: int = 0) -> list[Visitor]:
    """Draw ``count`` visitors; each has a random stream of its own, so more visitors extend fewer.

    1. Taste. Facet importances are Dirichlet(2); preferences over a facet's categories Dirichlet(0.5), divided by
       the largest, so that the favourite has 1.
    2. Affinity of a work = Σ_facets importance · preference of its category, in [0, 1]. An unknown category counts
       as the visitor's mean over the works that have one: neither for nor against.
    3. Ratings. q = mid-rank quantile of the affinity over all works, in [0, 1]: each visitor uses the whole scale.
       Rating = round(1 + 4q + ε), ε normal with standard deviation 0.5, held within 1 to 5.

    Somebody whose ratings are all equal tells nothing, and is drawn anew (taste, works and noise).

    Raises:
        RequestError: no visitors are asked for, or a hundred draws in a row give equal ratings.
    """
    if count < 1:
        raise RequestError(f"{count} visitors were asked for; ask for 1 or more")
    return [_visitor(labels, chosen, np.random.default_rng([seed, number])) for number in range(count)]


def relevant(affinities: Affinities, share: float = RELEVANT_SHARE) -> npt.NDArray[np.bool_]:
    """The works whose affinity reaches that of the last of the best ``share``, rounded up, with all ties: bool (n,)."""
    place = int(np.ceil(share * len(affinities)))
    return np.asarray(affinities >= np.partition(affinities, -place)[-place])


def draw_taste(labels: Labels, random: np.random.Generator) -> tuple[Affinities, Affinities]:
    """Steps 1 and 2 of `simulate_visitors`: how much each facet counts, and the affinity of each work."""
    importances = random.dirichlet(np.full(len(labels.facets), FACET_CONCENTRATION))
    return importances, _affinities(labels, importances, random)


def _visitor(labels: Labels, chosen: Elicitation, random: np.random.Generator) -> Visitor:
    for redrawn in range(_TRIES):
        importances, affinities = draw_taste(labels, random)
        rows = [int(random.choice(stratum)) for stratum in chosen.strata]
        stars = _ratings(affinities, random)[rows]
        if np.ptp(stars) > 0:
            ratings = {labels.item_ids[row]: float(star) for row, star in zip(rows, stars, strict=True)}
            return Visitor(MappingProxyType(ratings), affinities, importances, redrawn)
    raise RequestError(
        f"{_TRIES} visitors in a row gave {len(chosen.strata)} equal ratings; the labels hardly tell works apart, "
        f"choose others"
    )


def _affinities(labels: Labels, importances: Affinities, random: np.random.Generator) -> Affinities:
    total: Affinities = np.zeros(len(labels.item_ids))
    for number, facet in enumerate(labels.facets):
        preferences = random.dirichlet(np.full(len(labels.categories[facet]), CATEGORY_CONCENTRATION))
        preferences /= preferences.max()
        codes = labels.codes[:, number]
        known = codes != UNKNOWN
        liking = preferences[codes]
        liking[~known] = liking[known].mean() if known.any() else 0.0
        total += importances[number] * liking
    return total


def _ratings(affinities: Affinities, random: np.random.Generator) -> Affinities:
    quantiles = (stats.rankdata(affinities) - 0.5) / len(affinities)
    noise = random.normal(0, NOISE_SD, len(affinities))
    stars: Affinities = np.clip(np.rint(1 + 4 * quantiles + noise), 1, 5)
    return stars
