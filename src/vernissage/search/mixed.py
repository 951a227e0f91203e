"""Pictures and texts of one encoder in one index, in which neither kind crowds out the other."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypedDict, get_args

import numpy as np
import numpy.typing as npt

from vernissage.encoders.centring import Mean
from vernissage.encoders.contract import unit_rows
from vernissage.errors import ProvenanceError, RequestError
from vernissage.rankings import alphabetical, best_rows
from vernissage.search.live import LiveIndex, live_index
from vernissage.search.modality_means import ModalityMeans
from vernissage.search.nearest import checked_count
from vernissage.search.scan import float32_error
from vernissage.search.vectors import VectorTable
from vernissage.values import Modality, Scores

MixedMethod = Literal["means", "zscore", "raw"]
MIXED_METHODS: tuple[MixedMethod, ...] = get_args(MixedMethod)

_BLOCK = 8_192
_ROUNDING = 1e-12
_FLAT = 1e-7
"""Scores of float32 precision that spread by no more than this are all the same."""

Rows = npt.NDArray[np.int64]


class Allowed(TypedDict, total=False):
    """What may come back, as `LiveIndex.search` takes it; ids stand for the work's picture and text alike."""

    exclude: Collection[str]
    among: Collection[str] | None
    exclude_owner: str | None


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
    to mean 0 and deviation 1 within each modality, over all works that are there but the query itself.

    A work that has a picture and a text stands in it twice. The index holds no vectors of its own: it reads two
    snapshots as they are, so what was uploaded is in it, and one for newer snapshots costs a pass over their rows.
    """

    def __init__(self, pictures: LiveIndex, texts: LiveIndex, means: ModalityMeans) -> None:
        """Join two snapshots of one encoder by the means that were fitted for it.

        Raises:
            ProvenanceError: they do not share one space.
        """
        if not pictures.dim == texts.dim == means.dim:
            raise ProvenanceError(
                f"pictures have {pictures.dim} dimensions, texts {texts.dim} and the means of {means.encoder} "
                f"{means.dim}; use snapshots and means of one encoder, or run `vernissage build` again"
            )
        self.means = means
        self._sides: Mapping[Modality, _Side] = {
            "image": _Side(pictures, means.image),
            "text": _Side(texts, means.text),
        }

    def __len__(self) -> int:
        """How many vectors there are."""
        return sum(len(side.index) for side in self._sides.values())

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The works that have a picture or a text here, each once."""
        return tuple(dict.fromkeys(item_id for side in self._sides.values() for item_id in side.index.item_ids))

    def search(
        self,
        query: npt.NDArray[Any],
        modality: Modality,
        k: int,
        *,
        method: MixedMethod = "means",
        exclude: Collection[str] = (),
        among: Collection[str] | None = None,
        exclude_owner: str | None = None,
    ) -> MixedRanking:
        """The ``k`` pictures and texts that go best with a vector of that modality; ties by id, then pictures first.

        Exactly ``k`` come back where so many are allowed, and k + 1 extend k. ``exclude`` and ``among`` name works,
        both their picture and their text. With ``means`` scores are cosines of closed vectors, with ``zscore`` standard
        deviations, with ``raw`` cosines.

        Raises:
            RequestError: k is below 1, there is no such method, or the query is zero, not finite or of another
                dimension.
        """
        allowed: Allowed = {"exclude": exclude, "among": among, "exclude_owner": exclude_owner}
        return self._search(query, modality, k, method, allowed, None)

    def search_like(
        self,
        item_id: str,
        modality: Modality,
        k: int,
        *,
        method: MixedMethod = "means",
        exclude: Collection[str] = (),
        among: Collection[str] | None = None,
        exclude_owner: str | None = None,
    ) -> MixedRanking:
        """`search` by the picture or the text of a work that is there, which is left out itself; its other half is not.

        Raises:
            UnknownItemError: the work has no such vector.
            RequestError: as in `search`.
        """
        allowed: Allowed = {"exclude": exclude, "among": among, "exclude_owner": exclude_owner}
        query = self._sides[modality].index.vectors_of([item_id])[0]
        return self._search(query, modality, k, method, allowed, item_id)

    def _search(
        self,
        query: npt.NDArray[Any],
        modality: Modality,
        k: int,
        method: MixedMethod,
        allowed: Allowed,
        itself: str | None,
    ) -> MixedRanking:
        if method not in MIXED_METHODS:
            raise RequestError(f"there is no method {method!r} for both modalities; choose {', '.join(MIXED_METHODS)}")
        unit, k = self._checked(query), checked_count(k)
        without: dict[Modality, tuple[str, ...]] = {
            each: (itself,) if itself is not None and each == modality else () for each in self._sides
        }
        if method == "means":
            closed = unit_rows((unit - self.means[modality])[None])[0].astype(np.float64)
            return self._closest(closed, k, {each: _within(allowed, ids) for each, ids in without.items()})
        found: list[_Found] = []
        for each, side in self._sides.items():
            ranking = side.index.search(unit, k, **_within(allowed, without[each]))
            centre, spread = side.spread(unit, without[each]) if method == "zscore" else (0.0, 1.0)
            found.append(_Found(each, ranking.item_ids, (ranking.scores - centre) / spread))
        return _best(found, k)

    def _closest(self, query: Scores, k: int, allowed: Mapping[Modality, Allowed]) -> MixedRanking:
        """The best of both sides by closed vectors: a look in float32, then double precision for what remains."""
        looks = {each: side.look(query, allowed[each]) for each, side in self._sides.items()}
        least = np.concatenate([scores - errors for _, scores, errors in looks.values()])
        threshold = float(np.partition(least, len(least) - k)[len(least) - k]) if k < len(least) else -math.inf
        found = []
        for each, (rows, scores, errors) in looks.items():
            side, kept = self._sides[each], rows[scores + errors >= threshold]
            found.append(_Found(each, [side.index.ids[row] for row in kept.tolist()], side.closed_scores(query, kept)))
        return _best(found, k)

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


def mixed_index(
    pictures: VectorTable, texts: VectorTable, means: ModalityMeans, owners: Mapping[str, str] | None = None
) -> MixedIndex:
    """The mixed index over two tables of one encoder, and who owns their works, where that is known.

    Raises:
        ProvenanceError: the means were fitted to vectors of another encoder, or the tables share no space.
    """
    for table in (pictures, texts):
        means.require(table.card.fingerprint)
    return MixedIndex(live_index(pictures, owners or {}), live_index(texts, owners or {}), means)


@dataclass(frozen=True, eq=False)
class _Found:
    """Candidates of one modality with their scores, in any order."""

    modality: Modality
    item_ids: Sequence[str]
    scores: Scores


def _best(found: Sequence[_Found], k: int) -> MixedRanking:
    """The best ``k`` of all candidates; ties by id, then in the order of the modalities."""
    ids = [item_id for each in found for item_id in each.item_ids]
    modalities = [each.modality for each in found for _ in each.item_ids]
    scores = np.concatenate([each.scores for each in found])
    order = best_rows(scores, k, alphabetical(ids))
    chosen = order.tolist()
    return MixedRanking(tuple(ids[row] for row in chosen), tuple(modalities[row] for row in chosen), scores[order])


def _within(allowed: Allowed, without: tuple[str, ...]) -> Allowed:
    """The same, without some works more."""
    return {**allowed, "exclude": (*allowed["exclude"], *without)}


class _Side:
    """One modality of a mixed index: a snapshot, and what its mean does to its rows."""

    def __init__(self, index: LiveIndex, mean: Mean) -> None:
        self.index = index
        self._mean = mean

    def look(self, query: Scores, allowed: Allowed) -> tuple[Rows, Scores, Scores]:
        """The rows that may come back, their scores by closed vectors, and how far off each can be."""
        rows = np.flatnonzero(~self.index.barred(**allowed))
        products = (self.index.vectors @ query.astype(np.float32)).astype(np.float64)[rows]
        lengths = self._lengths[rows]
        inverse = np.divide(1.0, lengths, out=np.zeros(len(rows)), where=lengths > 0)
        error = self._error * math.sqrt(query @ query) + _ROUNDING
        return rows, (products - query @ self._mean) * inverse, error * inverse

    def closed_scores(self, query: Scores, rows: Rows) -> Scores:
        """⟨query, x − mean⟩/‖x − mean‖ in double precision for each of ``rows``; 0 where x is the mean itself."""
        scores = np.empty(len(rows))
        for start in range(0, len(rows), _BLOCK):
            some = slice(start, start + _BLOCK)
            scores[some] = np.einsum("ij,j->i", self.index.vectors[rows[some]] - self._mean, query)
        lengths = self._lengths[rows]
        return np.divide(scores, lengths, out=np.zeros(len(rows)), where=lengths > 0)

    def spread(self, query: Scores, without: Collection[str]) -> tuple[float, float]:
        """Mean and deviation of the scores of all works that are there, of float32 precision; 1 where all are equal."""
        scores = (self.index.vectors @ query.astype(np.float32)).astype(np.float64)
        scores = scores[~self.index.barred(exclude=without)]
        if not len(scores):
            return 0.0, 1.0
        deviation = float(scores.std())
        return float(scores.mean()), deviation if deviation > _FLAT else 1.0

    @cached_property
    def _lengths(self) -> Scores:
        """‖x − mean‖ of every row."""
        vectors = self.index.vectors
        lengths = np.empty(len(vectors))
        for start in range(0, len(vectors), _BLOCK):
            rest = vectors[start : start + _BLOCK] - self._mean
            lengths[start : start + _BLOCK] = np.sqrt(np.einsum("ij,ij->i", rest, rest))
        return lengths

    @cached_property
    def _error(self) -> float:
        return float32_error(self.index.vectors)
