"""Pictures and texts of one encoder in one index, in which neither kind crowds out the other."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from vernissage.encoders.centring import Mean
from vernissage.encoders.contract import unit_rows
from vernissage.errors import ProvenanceError, RequestError
from vernissage.rankings import alphabetical, best_rows
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.modality_means import ModalityMeans
from vernissage.search.vectors import VectorTable
from vernissage.values import EVERYTHING, Allow, Columns, Modality, Scores, Vectors

MixedMethod = Literal["means", "zscore", "raw"]
MIXED_METHODS: tuple[MixedMethod, ...] = get_args(MixedMethod)

_BLOCK = 8_192
_ROUNDING = 1e-12
_FLAT = 1e-7
"""Scores of float32 precision that spread by no more than this are all the same."""

Rows = npt.NDArray[np.int64]


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
    to mean 0 and deviation 1 within each modality, over all works that are there but the query itself, whatever a
    request leaves out.

    A work that has a picture and a text stands in it twice. The index holds no vectors of its own: it reads two
    snapshots as they are, so what was uploaded is in it, and one for newer snapshots costs a pass over their rows.
    """

    def __init__(self, pictures: ExactIndex, texts: ExactIndex, means: ModalityMeans) -> None:
        """Join two snapshots of one encoder by the means that were fitted for it.

        Raises:
            ProvenanceError: they do not share one space.
        """
        if not pictures.card.dim == texts.card.dim == means.dim:
            raise ProvenanceError(
                f"pictures have {pictures.card.dim} dimensions, texts {texts.card.dim} and the means of "
                f"{means.encoder} {means.dim}; use snapshots and means of one encoder, or run `vernissage build` again"
            )
        self.means = means
        self._modalities: Mapping[Modality, _OneModality] = {
            "image": _OneModality(pictures, means.image),
            "text": _OneModality(texts, means.text),
        }

    def __len__(self) -> int:
        """How many vectors there are."""
        return sum(len(each.index) for each in self._modalities.values())

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The works that have a picture or a text here, each once."""
        return tuple(dict.fromkeys(item_id for each in self._modalities.values() for item_id in each.index.item_ids))

    def search(
        self,
        query: npt.NDArray[Any],
        modality: Modality,
        k: int,
        *,
        method: MixedMethod = "means",
        allow: Allow = EVERYTHING,
    ) -> MixedRanking:
        """The ``k`` pictures and texts that go best with a vector of that modality; ties by id, then pictures first.

        Exactly ``k`` come back where so many are allowed, and k + 1 extend k. ``allow`` names works, both their picture
        and their text. With ``means`` scores are cosines of closed vectors, with ``zscore`` standard deviations, with
        ``raw`` cosines.

        Raises:
            RequestError: k is below 1, there is no such method, or the query is zero, not finite or of another
                dimension.
        """
        return self._search(query, modality, k, method, allow, None)

    def search_like(
        self,
        item_id: str,
        modality: Modality,
        k: int,
        *,
        method: MixedMethod = "means",
        allow: Allow = EVERYTHING,
    ) -> MixedRanking:
        """`search` by the picture or the text of a work that is there, which is left out itself; its other half is not.

        Raises:
            UnknownItemError: the work has no such vector.
            RequestError: as in `search`.
        """
        query = self._modalities[modality].index.vectors_of([item_id])[0]
        return self._search(query, modality, k, method, allow, item_id)

    def _search(
        self,
        query: npt.NDArray[Any],
        modality: Modality,
        k: int,
        method: MixedMethod,
        allow: Allow,
        itself: str | None,
    ) -> MixedRanking:
        if method not in MIXED_METHODS:
            raise RequestError(f"there is no method {method!r} for both modalities; choose {', '.join(MIXED_METHODS)}")
        if k < 1:
            raise RequestError(f"{k} works were asked for; ask for 1 or more")
        unit = self._checked(query)
        without = allow if itself is None else allow.without([itself])
        allowed: dict[Modality, Allow] = {each: without if each == modality else allow for each in self._modalities}
        if method == "means":
            closed = unit_rows((unit - self.means[modality])[None])[0].astype(np.float64)
            return self._closest(closed, k, allowed)
        found: list[_Found] = []
        for each, one in self._modalities.items():
            [ranking] = one.index.search(unit[None, :], k, allowed[each])
            left_out = unit if itself is not None and each == modality else None
            centre, spread = one.spread(unit, left_out) if method == "zscore" else (0.0, 1.0)
            found.append(_Found(each, ranking.item_ids, (ranking.scores - centre) / spread))
        return _best(found, k)

    def _closest(self, query: Scores, k: int, allowed: Mapping[Modality, Allow]) -> MixedRanking:
        """The best of both modalities by closed vectors: in float32, then in double precision for what remains."""
        every = [
            (modality, rows)
            for modality, one in self._modalities.items()
            for rows in one.closed_rows(query, allowed[modality])
        ]
        least = np.concatenate([each.scores - each.errors for _, each in every]) if every else np.empty(0)
        threshold = float(np.partition(least, len(least) - k)[len(least) - k]) if k < len(least) else -math.inf
        found = []
        for modality, each in every:
            kept = each.scores + each.errors >= threshold
            ids = [each.ids[row] for row in each.rows[kept].tolist()]
            found.append(_Found(modality, ids, each.precise(query, kept)))
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
    pictures: VectorTable, texts: VectorTable, means: ModalityMeans, columns: Columns | None = None
) -> MixedIndex:
    """The mixed index over two tables of one encoder, and what is known of their works beside the vectors.

    Raises:
        ProvenanceError: the means were fitted to vectors of another encoder, or the tables share no space.
    """
    for table in (pictures, texts):
        means.require(table.card.fingerprint)
    return MixedIndex(exact_index(pictures, columns), exact_index(texts, columns), means)


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
    scores = np.concatenate([each.scores for each in found]) if found else np.empty(0)
    order = best_rows(scores, k, alphabetical(ids))
    chosen = order.tolist()
    return MixedRanking(tuple(ids[row] for row in chosen), tuple(modalities[row] for row in chosen), scores[order])


@dataclass(frozen=True, eq=False)
class _ClosedRows:
    """Rows that may come back, their scores by closed vectors, and how far off each can be, float64 (n,)."""

    vectors: Vectors
    ids: Sequence[str]
    mean: Mean
    lengths: Scores
    rows: Rows
    scores: Scores
    errors: Scores

    def precise(self, query: Scores, kept: npt.NDArray[np.bool_]) -> Scores:
        """⟨query, x − mean⟩/‖x − mean‖ in double precision for some of the rows; 0 where x is the mean itself."""
        rows = self.rows[kept]
        scores = np.empty(len(rows))
        for start in range(0, len(rows), _BLOCK):
            some = slice(start, start + _BLOCK)
            scores[some] = np.einsum("ij,j->i", self.vectors[rows[some]] - self.mean, query)
        lengths = self.lengths[rows]
        return np.divide(scores, lengths, out=np.zeros(len(rows)), where=lengths > 0)


class _OneModality:
    """One modality of a mixed index: a snapshot, and what its mean does to its rows."""

    def __init__(self, index: ExactIndex, mean: Mean) -> None:
        self.index = index
        self._mean = mean
        self._known_lengths: dict[int, Scores] = {}

    def closed_rows(self, query: Scores, allow: Allow) -> list[_ClosedRows]:
        """The rows that may come back, part by part of the index."""
        found = []
        for number, (part, excluded) in enumerate(self.index.blocks(allow)):
            rows = np.flatnonzero(~excluded)
            products = (part.vectors @ query.astype(np.float32)).astype(np.float64)[rows]
            whole = self._lengths(number, part.vectors)
            lengths = whole[rows]
            inverse = np.divide(1.0, lengths, out=np.zeros(len(rows)), where=lengths > 0)
            error = part.error * math.sqrt(query @ query) + _ROUNDING
            scores = (products - query @ self._mean) * inverse
            found.append(_ClosedRows(part.vectors, part.ids, self._mean, whole, rows, scores, error * inverse))
        return found

    def spread(self, query: Scores, left_out: Scores | None) -> tuple[float, float]:
        """Mean and deviation of the scores of all works but one whose vector is ``left_out``; 1 where all are equal."""
        moments = self.index.moments()
        [mean], [deviation] = moments.of_scores(query)
        count, square = moments.count, deviation**2 + mean**2
        if left_out is not None and count > 1:
            own = float(query @ left_out)
            mean, square = (count * mean - own) / (count - 1), (count * square - own**2) / (count - 1)
        deviation = math.sqrt(max(0.0, square - mean**2))
        return float(mean), deviation if deviation > _FLAT else 1.0

    def _lengths(self, number: int, vectors: Vectors) -> Scores:
        """‖x − mean‖ of every row of a part."""
        if number not in self._known_lengths:
            lengths = np.empty(len(vectors))
            for start in range(0, len(vectors), _BLOCK):
                rest = vectors[start : start + _BLOCK] - self._mean
                lengths[start : start + _BLOCK] = np.sqrt(np.einsum("ij,ij->i", rest, rest))
            self._known_lengths[number] = lengths
        return self._known_lengths[number]
