"""Pictures and texts of one encoder in one index, in which neither kind crowds out the other."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from vernissage.encoders.centring import Mean
from vernissage.encoders.contract import unit_rows
from vernissage.errors import ProvenanceError, RequestError
from vernissage.rankings import alphabetical, best_rows
from vernissage.search.modality_means import ModalityMeans
from vernissage.values import EVERYTHING, MODALITIES, Allow, Index, Modality, Scores

MixedMethod = Literal["means", "zscore", "raw"]
MIXED_METHODS: tuple[MixedMethod, ...] = get_args(MixedMethod)

_FLAT = 1e-7
"""Scores that spread by no more than this are all the same."""
_ROUNDING = 1e-5
"""How far from 1 the length of a float32 unit vector can be, and more."""
_FIRST_REACH = 128  # candidates at first, so that the bound often decides without a second search
_GROWTH = 4


@dataclass(frozen=True, eq=False)
class MixedRanking:
    """Pictures and texts in order, best first: ids and modalities (n,) and ``scores`` float64 (n,)."""

    item_ids: tuple[str, ...]
    modalities: tuple[Modality, ...]
    scores: Scores

    def __len__(self) -> int:
        return len(self.item_ids)

    def __iter__(self) -> Iterator[tuple[str, Modality, float]]:
        return zip(self.item_ids, self.modalities, self.scores.tolist(), strict=True)


class MixedIndex:
    """Search over the pictures and the texts of one encoder together, by one of three methods.

    Pictures lie nearer to pictures than to the texts that belong to them, and texts to texts, so inner products as
    they are (``raw``) answer with the query's own modality. ``means`` takes the mean of its modality off every vector,
    x' = unit(unit(x) − mean), and off the query. ``zscore`` leaves vectors as they are and brings each query's scores
    to mean 0 and deviation 1 within each modality, over the whole index but for the query itself.

    A work that has a picture and a text is found twice. The index holds no vectors of its own: it asks two indexes of
    unit vectors (rows of zeros stand for works in which the encoder found nothing), and is as exact as these.
    """

    def __init__(self, pictures: Index, texts: Index, means: ModalityMeans, videos: Index | None = None) -> None:
        """Join two indexes, or three, of one encoder by the means that were fitted for it.

        Raises:
            ProvenanceError: the means were fitted to vectors of another encoder, or they do not share one space.
        """
        if not pictures.card.dim == texts.card.dim == means.dim:
            raise ProvenanceError(
                f"pictures have {pictures.card.dim} dimensions, texts {texts.card.dim} and the means of "
                f"{means.encoder} {means.dim}; use indexes and means of one encoder, or run `vernissage build` again"
            )
        for index in (pictures, texts):
            means.require(index.card.fingerprint)
        self.means = means
        self._closed: Mapping[Modality, _ClosedIndex] = {
            "image": _ClosedIndex(pictures, means.image),
            "text": _ClosedIndex(texts, means.text),
            **({"video": _ClosedIndex(videos, means["video"])} if videos is not None else {}),
        }

    def __len__(self) -> int:
        """How many vectors there are."""
        return sum(len(each.index) for each in self._closed.values())

    def search(
        self, query: npt.NDArray[Any], modality: Modality, k: int, *, method: MixedMethod = "zscore",
        allow: Allow = EVERYTHING,
    ) -> MixedRanking:  # fmt: skip
        """The ``k`` pictures and texts that go best with a vector of that modality; ties by id, then pictures first.

        Exactly ``k`` come back where so many are allowed, and k + 1 extend k. ``allow`` is about works, both their
        picture and their text. With ``means`` scores are cosines of closed vectors, with ``zscore`` standard
        deviations, with ``raw`` cosines.

        Raises:
            RequestError: k is below 1, there is no such method, the query is zero, not finite or of another dimension,
                or as in `values.Index.search`.
        """
        return self._search(query, modality, k, method, dict.fromkeys(MODALITIES, allow), None)

    def search_like(
        self, item_id: str, modality: Modality, k: int, *, method: MixedMethod = "zscore", allow: Allow = EVERYTHING
    ) -> MixedRanking:
        """`search` by the picture or the text of a work that is there, which is left out itself; its other half is not.

        Raises:
            UnknownItemError: the work has no such vector.
            RequestError: as in `search`.
        """
        query = self._closed[modality].index.vectors_of([item_id])[0]
        allowed = {**dict.fromkeys(MODALITIES, allow), modality: allow.without([item_id])}
        return self._search(query, modality, k, method, allowed, modality)

    def _search(
        self,
        query: npt.NDArray[Any],
        modality: Modality,
        k: int,
        method: MixedMethod,
        allowed: Mapping[Modality, Allow],
        home: Modality | None,
    ) -> MixedRanking:
        """`search`; ``home`` is the modality in which the query itself is a work's."""
        if method not in MIXED_METHODS:
            raise RequestError(f"there is no method {method!r} for both modalities; choose {', '.join(MIXED_METHODS)}")
        if k < 1:
            raise RequestError(f"{k} works were asked for; ask for 1 or more")
        unit = self._checked(query)
        closed_query = unit_rows((unit - self.means[modality])[None])[0].astype(np.float64)
        ids: list[str] = []
        modalities: list[Modality] = []
        scores: list[Scores] = []
        for each, closed in self._closed.items():
            if method == "means":
                found, own = closed.search(closed_query, k, allowed[each])
            else:
                ranking = closed.index.search(unit[None], k, allowed[each])[0]
                centre, spread = closed.spread(unit, itself=each == home) if method == "zscore" else (0.0, 1.0)
                found, own = ranking.item_ids, (ranking.scores - centre) / spread
            ids += found
            modalities += [each] * len(found)
            scores.append(own)
        together = np.concatenate(scores)
        order = best_rows(together, k, alphabetical(ids))  # which leaves pictures before texts where ids are equal
        chosen = order.tolist()
        return MixedRanking(
            tuple(ids[row] for row in chosen), tuple(modalities[row] for row in chosen), together[order]
        )

    def _checked(self, query: npt.NDArray[Any]) -> Scores:
        """The query as a unit vector in double precision."""
        wide = np.asarray(query, dtype=np.float64)
        if wide.shape != (self.means.dim,) or not np.isfinite(wide).all() or not wide.any():
            raise RequestError(
                f"a query is one vector of {self.means.dim} finite numbers that are not all 0, but this one has the "
                f"shape {wide.shape}; encode a picture or a text with {self.means.encoder}"
            )
        unit: Scores = wide / np.linalg.norm(wide)
        return unit


@dataclass(frozen=True, eq=False)
class _ClosedIndex:
    """One modality of a mixed index: its index, and the mean m that is taken off its vectors."""

    index: Index
    mean: Mean

    def spread(self, query: Scores, *, itself: bool) -> tuple[float, float]:
        """Mean and deviation of the scores of all works, less the query if it is one; 1 where all are equal."""
        moments = self.index.moments()
        means, deviations = moments.of_scores(query)
        mean, square = float(means[0]), float(means[0] ** 2 + deviations[0] ** 2)
        if itself and moments.count > 1:  # a unit vector's score with itself is 1
            mean, square = ((each * moments.count - 1) / (moments.count - 1) for each in (mean, square))
        deviation = math.sqrt(max(0.0, square - mean**2))
        return mean, deviation if deviation > _FLAT else 1.0

    def search(self, query: Scores, k: int, allow: Allow) -> tuple[Sequence[str], Scores]:
        """Works among which are the ``k`` allowed ones of the highest ⟨q, x − m⟩/‖x − m‖, and these scores.

        Candidates are the works of the highest ⟨q, x⟩, in growing numbers, until k of them are above all that others
        can score.
        """
        reach = max(_FIRST_REACH, _GROWTH * k)
        while True:
            candidates = self.index.search(query[None], reach, allow)[0]
            scores = self._scores(query, candidates.item_ids)
            if len(candidates) < reach:
                return candidates.item_ids, scores
            bound = self._bound(query, float(candidates.scores[-1]))
            if float(np.partition(scores, len(scores) - k)[len(scores) - k]) > bound:
                return candidates.item_ids, scores
            reach *= _GROWTH

    def _bound(self, query: Scores, highest: float) -> float:
        """What works with ⟨q, x⟩ up to ``highest`` score at most: by the least ‖x − m‖ or, below 0, by the greatest.

        A work of zeros scores −⟨q, m⟩/‖m‖.
        """
        offset, length_of_mean = float(query @ self.mean), math.sqrt(self.mean @ self.mean)
        least, greatest = self._lengths
        length = least if highest > offset else greatest
        bound = (highest - offset) / length + _ROUNDING if length > 0 else math.inf
        return max(bound, -offset / length_of_mean if length_of_mean > 0 else 0.0) if highest >= 0 else bound

    def _scores(self, query: Scores, item_ids: Sequence[str]) -> Scores:
        """⟨q, x − m⟩/‖x − m‖ in double precision for each work; 0 where x is the mean itself."""
        rest = self.index.vectors_of(item_ids) - self.mean
        lengths = np.sqrt(np.einsum("ij,ij->i", rest, rest))
        scores: Scores = np.einsum("ij,j->i", rest, query)
        np.divide(scores, lengths, out=scores, where=lengths > 0)
        scores[lengths == 0] = 0.0
        return scores

    @cached_property
    def _lengths(self) -> tuple[float, float]:
        """The least and the greatest ‖x − m‖ of unit vectors x here: ‖x − m‖² = 1 − 2⟨x, m⟩ + ‖m‖²."""
        ends = self.index.search(np.stack([self.mean, -self.mean]), 1)
        highest, lowest = (sign * float(end.scores[0]) for sign, end in zip((1, -1), ends, strict=True))
        least, greatest = (1 - 2 * product + float(self.mean @ self.mean) for product in (highest, lowest))
        return math.sqrt(max(0.0, least - _ROUNDING)), math.sqrt(max(0.0, greatest) + _ROUNDING)
