"""Simulated people with tastes, who judge the lists of a study by the works in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from vernissage.catalog.collection import Collection
from vernissage.errors import RequestError
from vernissage.study.simulation import Showing, SimulatedPerson, on_scale
from vernissage_lab.tastes import Labels, labels_from_collection
from vernissage_lab.visitors import NOISE_SD, draw_taste

FloatArray = npt.NDArray[np.float64]

JUDGED = ("accuracy", "diversity", "novelty", "serendipity")
"""The statements that these people can judge."""


@dataclass(frozen=True)
class TasteModel:
    """How people with tastes answer.

    A work is liked as much as its rank by the person's own taste tells (`simulate_visitors`), q from 0 to 1; a person
    knows a work already with probability ``known``. Of a list they perceive
    accuracy = mean q; diversity = share of pairs of works with different labels, the mean over facets;
    novelty = share of unknown works; serendipity = share of works that are unknown and liked, q above .7.
    An answer is 1 + 4·perceived + level of the person + impression of the list + this showing, the last three normal,
    to the nearest of 1 to 5; the impression is the same in both showings.

    Attributes:
        labels: of the works, from which tastes are made.
        known: the probability that a person knows a work.
        participant_sd, residual_sd, showing_sd: in points, of level, impression and showing.
    """

    labels: Labels
    known: float = 0.25
    participant_sd: float = 0.5
    residual_sd: float = 0.5
    showing_sd: float = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.known <= 1 or min(self.participant_sd, self.residual_sd, self.showing_sd) < 0:
            raise RequestError("simulated people know a share of works from 0 to 1, and deviations are 0 or more")

    def __call__(self, random: np.random.Generator) -> SimulatedPerson:
        """Somebody new."""
        return _Person(self, random)


def tastes(
    collection: Collection, facets: Sequence[str] | None, statements: Sequence[str], parameters: Mapping[str, float]
) -> tuple[TasteModel, tuple[str, ...]]:
    """People with tastes over the works of a collection, and the facets that they go by.

    Found by `study simulate` through the entry-point group ``vernissage.simulated_people``.

    Raises:
        RequestError: the study asks for a statement that such people cannot judge, or as in `labels_from_collection`.
    """
    if other := [name for name in statements if name not in JUDGED]:
        raise RequestError(
            f"people with tastes can judge {', '.join(JUDGED)}, but the study asks for {other[0]}; give --effect "
            f"ENGINE=POINTS"
        )
    labels = labels_from_collection(collection, facets)
    return TasteModel(labels, **parameters), tuple(labels.facets)


class _Person:
    def __init__(self, model: TasteModel, random: np.random.Generator) -> None:
        self._model, self._random = model, random
        _, affinities = draw_taste(model.labels, random)
        self._liking: FloatArray = (stats.rankdata(affinities) - 0.5) / len(affinities)
        self._knows = random.random(len(affinities)) < model.known
        self._levels = model.participant_sd * random.standard_normal(len(JUDGED))
        self._impressions: dict[tuple[str, ...], FloatArray] = {}

    def rate(self, works: Sequence[str]) -> Mapping[str, int]:
        noise = NOISE_SD * self._random.standard_normal(len(works))
        stars = 1 + 4 * self._liking[self._rows(works)] + noise
        return {work: on_scale(float(star)) for work, star in zip(works, stars, strict=True)}

    def judge(self, showing: Showing) -> Mapping[str, int]:
        model, random = self._model, self._random
        if showing.works not in self._impressions:
            self._impressions[showing.works] = model.residual_sd * random.standard_normal(len(JUDGED))
        values = 1 + 4 * self._perceived(showing.works) + self._levels + self._impressions[showing.works]
        values = values + model.showing_sd * random.standard_normal(len(JUDGED))
        return {name: on_scale(float(value)) for name, value in zip(JUDGED, values, strict=True)}

    def _perceived(self, works: Sequence[str]) -> FloatArray:
        rows = self._rows(works)
        liking, new = self._liking[rows], ~self._knows[rows]
        return np.array([liking.mean(), self._variety(rows), new.mean(), np.mean(new & (liking > 0.7))])

    def _variety(self, rows: Sequence[int]) -> float:
        codes = self._model.labels.codes[rows]
        pairs = np.triu_indices(len(rows), 1)
        return float(np.mean(codes[pairs[0]] != codes[pairs[1]])) if len(rows) > 1 else 0.0

    def _rows(self, works: Sequence[str]) -> list[int]:
        return [self._model.labels.row_of[work] for work in works]
