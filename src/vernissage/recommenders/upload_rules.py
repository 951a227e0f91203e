"""Rules that make one list of works from single uploads: knn3z, csls, rrf, round robin, and the mean vector."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile, UploadsOfModality
from vernissage.rankings import PRECISION, best_of, nth_largest, reciprocal_ranks, total
from vernissage.recommenders.area_searches import Seed, area_seeds, require_uploads
from vernissage.recommenders.contract import first_ids
from vernissage.values import Allow, Density, Index, Modality, Ranking, Scores, Vectors

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_FASTER = 4
"""How many times as many works are read for an upload where the first did not decide."""
_ENOUGH = 100
"""Works of each list after which an approximate index is asked no further: what it has missed could not be told."""
_LOOKED_UP = 64
"""Works that are looked up at once."""
_AT_ONCE = 1 << 22
"""Similarities that are held at once: 32 MiB."""
_QUERIES_AT_ONCE = 64
_KEPT = 2_048
"""Longer lists are not kept for the next that asks: few do, and each would weigh as much as the vectors of a work."""
_ROUNDING = 1e-12
"""How far matrix products of unit vectors in double precision can be off."""


@dataclass(frozen=True, slots=True)
class AreaOfInterest:
    """An area that is not muted: the modality of its uploads, its number among theirs, its name and weight.

    The weight says how many uploads it stands for: those that it has, times what recency and the person make of it. A
    picture with words is half an upload as a picture and half as a text, so that areas of pictures and texts compare.
    """

    source: Modality
    number: int
    name: str
    weight: float


@dataclass(frozen=True, eq=False)
class WeightedUploads:
    """What a list is made of: uploads of both modalities, each with its area and weight, and then disliked works.

    Uploads stand in an order of their own (modality, then id), and so do disliked works, so that no answer depends on
    the order of uploading. A work with a picture and a text stands here for each. Uploads of muted areas, and those in
    which the encoder found nothing, are absent.

    Attributes:
        item_ids: the uploads and disliked works, (m,).
        sources: the modality of each vector, (m,).
        vectors: float32 (m, dim), unit rows.
        weights: float64 (m,): above 0, and 1 where an upload counts as any other; below 0 for disliked works.
        area_of: int64 (m,), the place of each upload's area in ``areas``; −1 for disliked works.
        areas: those of the highest weight first, then pictures before texts, then the smaller number.
        seeds: float32 (areas, dim), what stands for each area in a search, of unit length or zero.
    """

    item_ids: tuple[str, ...]
    sources: tuple[Modality, ...]
    vectors: Vectors
    weights: Floats
    area_of: Rows
    areas: tuple[AreaOfInterest, ...]
    seeds: Vectors

    def __len__(self) -> int:
        return len(self.item_ids)

    @cached_property
    def liked(self) -> int:
        """How many of them, the first ones, are no disliked works."""
        return int(np.count_nonzero(self.area_of >= 0))

    def of_area(self, area: int) -> "WeightedUploads":
        """The uploads of one area of ``areas`` by its place, and the disliked works."""
        rows = np.flatnonzero((self.area_of == area) | (self.area_of < 0))
        return WeightedUploads(
            tuple([self.item_ids[row] for row in rows]),
            tuple([self.sources[row] for row in rows]),
            self.vectors[rows],
            self.weights[rows],
            np.minimum(self.area_of[rows], 0),
            (self.areas[area],),
            self.seeds[[area]],
        )


def weighted_uploads(profile: UploadProfile, seed: Seed = "centroid") -> WeightedUploads:
    """Gather the uploads of the areas that are not muted, and the disliked works.

    Raises:
        RequestError: nothing was uploaded, every area is muted, the encoder found nothing in any upload, or the
            vectors of pictures and texts have different dimensions.
    """
    require_uploads(profile)
    by_modality = [(source, profile.by_modality[source]) for source in profile.sources]
    disliked = [(source, profile.disliked[source]) for source in sorted(profile.disliked)]
    tables = [uploads.vectors for _, uploads in by_modality] + [works.vectors for _, works in disliked]
    if len({table.shape[1] for table in tables}) > 1:
        raise RequestError(
            "pictures and texts have vectors of different dimensions, so they cannot be compared with the same works; "
            "use one encoder that reads both, or give the pictures or the texts alone"
        )
    times = Counter(item_id for _, uploads in by_modality for item_id in uploads.item_ids)
    areas = [
        AreaOfInterest(source, number, uploads.names[number], _weight(uploads, number, times))
        for source, uploads in by_modality
        for number in uploads.unmuted
    ]
    areas.sort(key=lambda area: (-area.weight, area.source, area.number))
    place = {(area.source, area.number): at for at, area in enumerate(areas)}
    rows = [
        (source, each.item_ids[row], each.vectors[row], each.emphasis[area] * each.counts[row], place[source, area])
        for source, each in by_modality
        for row, area in _counting(each)
    ]
    if not rows:
        raise RequestError(
            f"every area of {profile.owner or 'this person'} is muted, or the encoder found nothing in its uploads; "
            f"give an area weight again or choose another encoder"
        )
    rows += [
        (source, each.item_ids[row], each.vectors[row], -each.weights[row], -1)
        for source, each in disliked
        for row in sorted(range(len(each.item_ids)), key=each.item_ids.__getitem__)
    ]
    sources, ids, vectors, weights, area_of = zip(*rows, strict=True)
    seeds = {source: area_seeds(uploads, seed) for source, uploads in by_modality}
    return WeightedUploads(
        ids,
        sources,
        np.stack(vectors),
        np.array(weights, dtype=np.float64),
        np.array(area_of, dtype=np.int64),
        tuple(areas),
        np.stack([seeds[area.source][area.number] for area in areas]),
    )


def _weight(uploads: UploadsOfModality, number: int, times: Mapping[str, int]) -> float:
    """The weight of an area among those of all modalities; ``times`` says in how many of them each upload stands."""
    parts = [uploads.counts[row] / times[uploads.item_ids[row]] for row in uploads.areas[number].members]
    return float(uploads.emphasis[number] * sum(parts))


def _counting(uploads: UploadsOfModality) -> list[tuple[int, int]]:
    """The rows and areas of uploads that have a vector and stand in an unmuted area, in the order of their ids."""
    counting = uploads.vectors.any(axis=1) & (uploads.weights[uploads.area_of] > 0)
    rows = sorted(np.flatnonzero(counting).tolist(), key=uploads.item_ids.__getitem__)
    return [(row, int(uploads.area_of[row])) for row in rows]


@dataclass(frozen=True, eq=False)
class Candidates:
    """The works of an index that may come back: what a list is chosen from."""

    index: Index
    allow: Allow
    _lists: dict[bytes, Ranking] = field(default_factory=dict, init=False, repr=False)
    """The longest list that was read for each query: areas of interest ask for what all uploads together ask for."""

    @cached_property
    def _count(self) -> int:
        return self.index.count(self.allow)

    def __len__(self) -> int:
        return self._count

    def search(self, queries: npt.NDArray[np.floating], k: int) -> list[Ranking]:
        """The ``k`` works nearest to each of ``queries`` (m, dim), or all where fewer are there."""
        k, keys = min(k, len(self)), [query.tobytes() for query in queries]
        if k > _KEPT:
            return self.index.search(queries, k, self.allow)
        new = [place for place, key in enumerate(keys) if len(self._lists.get(key, ())) < k]
        if new:
            found = self.index.search(queries[new], k, self.allow)
            self._lists.update(zip((keys[place] for place in new), found, strict=True))
        return [self._lists[key].head(k) for key in keys]

    def cosines(self, vectors: Vectors, item_ids: Sequence[str]) -> Floats:
        """Cosines of works to unit ``vectors`` (m, dim) in double precision, float64 (p, m).

        Each is summed by itself, so that works with equal vectors have equal cosines, wherever they stand.
        """
        wide = vectors.astype(np.float64)
        found = np.empty((len(item_ids), len(vectors)))
        for part, works in self.blocks(item_ids, len(vectors)):
            found[part] = np.einsum("pd,md->pm", works, wide)
        return found

    def blocks(self, item_ids: Sequence[str], width: int) -> Iterator[tuple[slice, Floats]]:
        """The vectors of works, float64 (b, dim), so many at a time that ``width`` numbers for each can be held."""
        step = max(1, _AT_ONCE // max(width, self.index.card.dim))
        for start in range(0, len(item_ids), step):
            part = slice(start, start + step)
            yield part, self.index.vectors_of(item_ids[part]).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Fused:
    """The answer of a rule.

    Attributes:
        ranking: the best works; higher scores are better, ties by id.
        parts: what each upload adds to the scores of some works, ranked or not: from ids (p,) to float64 (p, m). Their
            sum over the uploads is the score, the same for works with the same vector.
    """

    ranking: Ranking
    parts: Callable[[Sequence[str]], Floats]


class FusionRule(Protocol):
    """A rule is one function: what uploads make of the candidates. More results extend fewer."""

    def __call__(self, uploads: WeightedUploads, candidates: Candidates, n: int) -> Fused:
        """The ``n`` best candidates, ``n`` from 1 to as many as there are."""
        ...


def knn3z(uploads: WeightedUploads, candidates: Candidates, n: int) -> Fused:
    """The mean of a work's three highest weighted z-scores to single uploads, less those to disliked works.

    z = (cosine − mean) / deviation over all works of the index, whatever is allowed, upload by upload: so uploads that
    resemble everything, or works of the other modality, which lie apart, count no more than others. Each z is
    multiplied by the weight of its upload. With fewer than three uploads it is the mean of what there is.

    With disliked works d of weights v, the score is less (1/k) Σ v_d · max(0, z_d) over the k = min(3, disliked) of
    them for which v·z is highest: a work is pushed away by what it resembles as it is drawn by what it resembles.
    """
    return _nearest_z_scores(uploads, candidates, n, nearest=3)


def csls(uploads: WeightedUploads, candidates: Candidates, n: int) -> Fused:
    """The mean of a work's two highest weighted z-scores, as `knn3z`, but over similarities that are locally scaled.

    The scaled similarity is cosine − r / 2, r being the work's mean cosine to its ten nearest works (`Density`). A
    work in a crowd is near to everybody's uploads, and a work that few resemble has to be really meant: cross-domain
    similarity local scaling (Conneau et al., ICLR 2018, arXiv:1710.04087, with their ten neighbours); its other half,
    the density around the upload, is the same for all works and drops out of z. Meant for whole collections: in a
    sample of works what is crowded depends on the sample. The answer tells no z-scores, which would be of other
    similarities than it shows.
    """
    # Lists by cosine are not in the order of these z-scores: short ones seldom decide, and longer ones are read anew.
    return _nearest_z_scores(uploads, candidates, n, nearest=2, density=candidates.index.density(), first=_FASTER**2)


@dataclass(frozen=True, eq=False)
class _ZScores:
    """Mean and deviation over the whole index of similarities to each upload, float64 (m,); no deviation is 0.

    Similarities are cosines or, given a density, cosines that are locally scaled.
    """

    means: Floats
    deviations: Floats
    density: Density | None

    @classmethod
    def over(cls, index: Index, vectors: Vectors, density: Density | None) -> "_ZScores":
        means, deviations = index.moments().of_scores(vectors)
        if density is not None:
            products = vectors.astype(np.float64) @ density.weighted - means * density.mean
            deviations = np.sqrt(np.maximum(deviations**2 + density.variance / 4 - products, 0.0))
            means = means - density.mean / 2
        return cls(means, np.where(deviations > PRECISION, deviations, 0.0), density)

    def similarities(self, cosines: Floats, item_ids: Sequence[str]) -> Floats:
        """Cosines (p, m) of works, scaled by their density."""
        return cosines if self.density is None else cosines - self.density.of(item_ids)[:, None] / 2

    def highest_z(self, upload: int, cosines: Scores) -> Scores:
        """The highest z-scores to one upload that works of these cosines (p,) can have."""
        if not self.deviations[upload]:
            return np.zeros_like(cosines)
        highest = cosines if self.density is None else cosines - self.density.lowest / 2
        z: Scores = (highest - self.means[upload]) / self.deviations[upload]
        return z

    def z(self, similarities: Floats) -> Floats:
        """(similarity − mean) / deviation of float64 (p, m); 0 for an upload to which all works are equally similar."""
        z = np.zeros_like(similarities)
        np.divide(similarities - self.means, self.deviations, out=z, where=self.deviations > 0)
        return z


@dataclass(frozen=True, eq=False)
class _NearestScores:
    """What works score by the ``nearest`` highest weighted z-scores of uploads, less those of disliked works."""

    uploads: WeightedUploads
    candidates: Candidates
    scale: _ZScores
    nearest: int

    def parts(self, item_ids: Sequence[str]) -> Floats:
        """What each upload adds to the scores of works, float64 (p, m)."""
        cosines = self.candidates.cosines(self.uploads.vectors, item_ids)
        (drawing, most), (pushing, least) = self._weighted(cosines, item_ids)
        return np.concatenate([_highest_shares(drawing, most), -_highest_shares(pushing, least)], axis=1)

    def nearly(self, item_ids: Sequence[str]) -> list[float]:
        """Scores by matrix products, whose last digits depend on what is scored beside a work."""
        found, wide = np.empty(len(item_ids)), self.uploads.vectors.astype(np.float64)
        for part, works in self.candidates.blocks(item_ids, len(self.uploads)):
            (drawing, most), (pushing, least) = self._weighted(works @ wide.T, item_ids[part])
            found[part] = np.partition(drawing, -most)[:, -most:].mean(axis=1)
            if least:
                found[part] -= np.partition(pushing, -least)[:, -least:].mean(axis=1)
        return found.tolist()

    def _weighted(self, cosines: Floats, item_ids: Sequence[str]) -> tuple[tuple[Floats, int], tuple[Floats, int]]:
        """The weighted z-scores of uploads and of disliked works, each with how many of its extremes count."""
        found = self.scale.z(self.scale.similarities(cosines, item_ids)) * self.uploads.weights
        liked = self.uploads.liked
        pushing = np.minimum(found[:, liked:], 0.0)
        return (found[:, :liked], min(self.nearest, liked)), (-pushing, min(self.nearest, len(self.uploads) - liked))


def _nearest_z_scores(
    uploads: WeightedUploads,
    candidates: Candidates,
    n: int,
    *,
    nearest: int,
    density: Density | None = None,
    first: int = 1,
) -> Fused:
    """The mean of the ``nearest`` highest weighted z-scores (see `knn3z`), by Fagin's threshold algorithm.

    Each upload reads a list of works by cosine. A work in no list has at most the z-scores at the ends of the lists,
    which go on while these could still be the highest of a work among the best (doi 10.1016/S0022-0000(03)00026-6).
    Where all uploads count for every work, their mean is linear in it, and one list by that mean takes the place of
    theirs. ``first`` times as many works as the answer has are read at once. No length changes the answer.
    """
    scale = _ZScores.over(candidates.index, uploads.vectors, density)
    scoring = _NearestScores(uploads, candidates, scale, nearest)
    liked, weights = uploads.liked, uploads.weights
    factors = np.divide(np.abs(weights), scale.deviations, out=np.zeros(len(uploads)), where=scale.deviations > 0)
    largest = float(factors.max())
    seen: dict[str, float] = {}

    def look_up(item_ids: Iterable[str]) -> float:
        """Score works that were not seen yet, and tell the n-th highest score of all."""
        new = [item_id for item_id in item_ids if item_id not in seen]
        seen.update(zip(new, scoring.nearly(new), strict=True))
        return nth_largest(list(seen.values()), n)

    queries: npt.NDArray[np.floating] = uploads.vectors[:liked]
    offset = 0.0
    if linear := density is None and 1 < liked <= nearest:
        nearest, shares = 1, factors[:liked] / liked
        queries, offset = (shares @ queries.astype(np.float64))[None], float(shares @ scale.means[:liked])
    lists = [Ranking((), np.empty(0))] * len(queries)
    reading, length, slack = np.arange(len(queries)), first * (n + 1), PRECISION * largest
    # Where the lists together would be much longer than one of all works, that one is read.
    while length * len(reading) < _FASTER * len(candidates):
        for upload, found in zip(reading.tolist(), candidates.search(queries[reading], length), strict=True):
            lists[upload] = found
        rated = [
            each.scores - offset if linear else scale.highest_z(upload, each.scores) * weights[upload]
            for upload, each in enumerate(lists)
        ]
        ids, shown = _shown(lists, rated, nearest)
        ends = np.array([each[-1] for each in rated])
        unseen = np.sort(ends)[-nearest:]
        promising = np.argsort(-np.maximum(shown, 0).sum(axis=1), kind="stable")[: max(n, _LOOKED_UP)]
        least = look_up(ids[row] for row in promising.tolist())
        if least > unseen.mean() + slack or (not candidates.index.card.exact and _FASTER * length > _ENOUGH):
            # A work has at most the best of what lists show of it and of what they end with.
            both = np.concatenate([shown, np.broadcast_to(unseen, (len(ids), len(unseen)))], axis=1)
            bounds = np.sort(both)[:, -len(unseen) :].mean(axis=1)
            least = look_up(ids[row] for row in np.flatnonzero(bounds + slack >= least).tolist())
            break
        reading = np.flatnonzero(ends + slack >= least)
        length *= _FASTER
    else:
        least = look_up(candidates.search(uploads.vectors[:1], len(candidates))[0].item_ids)
    near = [item_id for item_id, score in seen.items() if score >= least - _ROUNDING * largest]
    return Fused(best_of(near, total(scoring.parts(near).T), n), scoring.parts)


def _shown(lists: Sequence[Ranking], rated: Sequence[Scores], count: int) -> tuple[list[str], Floats]:
    """The works that lists show and, of what the lists rate each, the ``count`` highest: float64 (p, count)."""
    row_of: dict[str, int] = {}
    rows = [[row_of.setdefault(item_id, len(row_of)) for item_id in each.item_ids] for each in lists]
    highest = np.full((len(row_of), count), -np.inf)
    for own, scores in zip(rows, rated, strict=True):
        highest[own] = np.sort(np.concatenate([highest[own], scores[:, None]], axis=1))[:, 1:]
    return list(row_of), highest


def _highest_shares(values: Floats, count: int) -> Floats:
    """The ``count`` highest of each row of float64 (p, m), divided by their number; 0 in the place of all others."""
    kept = np.zeros_like(values)
    if count:
        chosen = np.argsort(-values, axis=1, kind="stable")[:, :count]
        np.put_along_axis(kept, chosen, np.take_along_axis(values, chosen, axis=1) / count, axis=1)
    return kept


def rrf(uploads: WeightedUploads, candidates: Candidates, n: int, *, k: float = 0, list_length: int = 1_000) -> Fused:
    """The sum of weight / (k + rank) over the uploads, ranks from 1 in the works nearest to each.

    Cormack, Clarke and Büttcher, SIGIR 2009, doi 10.1145/1571941.1572114. Works that are equally near share the mean
    of their reciprocal ranks (`reciprocal_ranks`). A work beyond the first ``list_length`` of an upload gets nothing
    from it; works that no list ranks have 0 and come last, by id. k = 0: a work that is next to one upload outweighs
    one that is half near to many. Other constants are ``partial(rrf, k=60)``.

    Raises:
        RequestError: k is negative or not finite, the lists are shorter than 1, or works are disliked.
    """
    if not (np.isfinite(k) and k >= 0):
        raise RequestError(f"the constant k of reciprocal-rank fusion must be 0 or more, but is {k}")
    _require_lists(uploads, list_length, "rrf")
    row_of: dict[str, int] = {}
    lists: list[tuple[Rows, Scores]] = []
    for start in range(0, len(uploads), _QUERIES_AT_ONCE):
        for found in candidates.search(uploads.vectors[start : start + _QUERIES_AT_ONCE], list_length + 1):
            ranks, values = reciprocal_ranks(found.scores, k, cut=len(found) > list_length, floor=PRECISION)
            ranked = found.item_ids[: int(np.count_nonzero(ranks))]
            rows = np.array([row_of.setdefault(item_id, len(row_of)) for item_id in ranked], dtype=np.int64)
            lists.append((rows, values[: len(rows)] * uploads.weights[len(lists)]))
    scores = np.zeros(len(row_of))
    for rows, values in lists:
        scores[rows] += values

    def parts(item_ids: Sequence[str]) -> Floats:
        places = np.full(len(row_of) + 1, -1)
        places[[row_of.get(item_id, -1) for item_id in item_ids]] = np.arange(len(item_ids))
        places[-1] = -1
        found = np.zeros((len(item_ids), len(uploads)))
        for upload, (rows, values) in enumerate(lists):
            wanted = places[rows] >= 0
            found[places[rows[wanted]], upload] = values[wanted]
        return found

    least = nth_largest(scores, n) - _ROUNDING * float(scores.max(initial=0.0))
    near = [item_id for item_id, row in row_of.items() if scores[row] >= least]
    return Fused(_filled(best_of(near, total(parts(near).T), n), candidates, n), parts)


def round_robin(uploads: WeightedUploads, candidates: Candidates, n: int, *, list_length: int = 1_000) -> Fused:
    """In each round every area, the weightiest first, brings the work nearest to its seed that is not there yet.

    The score is 1 / place in the list; it belongs to the uploads of the area that brought the work, in equal parts.
    Each area has ``list_length`` works to bring; those that no area brings have 0 and come last, by id.

    Raises:
        RequestError: the lists are shorter than 1, or works are disliked.
    """
    _require_lists(uploads, list_length, "round-robin")
    searching = np.flatnonzero(uploads.seeds.any(axis=1))
    found = candidates.search(uploads.seeds[searching], min(n, list_length)) if len(searching) else []
    brought_by = _in_turns(dict(zip(searching.tolist(), (each.item_ids for each in found), strict=True)), n)
    score_of = {item_id: 1.0 / place for place, item_id in enumerate(brought_by, start=1)}

    def parts(item_ids: Sequence[str]) -> Floats:
        own = uploads.area_of == np.array([brought_by.get(item_id, -2) for item_id in item_ids])[:, None]
        scores = np.array([score_of.get(item_id, 0.0) for item_id in item_ids])
        return np.where(own, (scores / np.maximum(own.sum(axis=1), 1))[:, None], 0.0)

    return Fused(_filled(Ranking(tuple(score_of), np.array(list(score_of.values()))), candidates, n), parts)


def _in_turns(lists: dict[int, tuple[str, ...]], n: int) -> dict[str, int]:
    """The first ``n`` works in the order in which the lists bring them, and which list brought each."""
    taken: dict[str, int] = {}
    turns = {number: iter(ids) for number, ids in lists.items()}
    while turns and len(taken) < n:
        for number in list(turns):
            item_id = next((each for each in turns[number] if each not in taken), None)
            if item_id is None:
                del turns[number]
            elif len(taken) < n:
                taken[item_id] = number
    return taken


def mean_vector(uploads: WeightedUploads, candidates: Candidates, n: int) -> Fused:
    """The weighted mean of a work's cosines to all uploads: its inner product with their mean vector, in one query.

    The baseline that a fusion must beat. Disliked works count with their negative weights (Rocchio).
    """
    shares = uploads.weights / np.abs(uploads.weights).sum()
    query = np.einsum("m,md->d", shares, uploads.vectors.astype(np.float64))
    ranking = candidates.search(query[None], n)[0]
    return Fused(ranking, lambda item_ids: candidates.cosines(uploads.vectors, item_ids) * shares)


def _require_lists(uploads: WeightedUploads, list_length: int, name: str) -> None:
    if list_length < 1:
        raise RequestError(f"the lists of a fusion must hold 1 work or more, but are to hold {list_length}")
    if uploads.liked < len(uploads):
        raise RequestError(
            f"{name} goes by places in lists, which works that were rated low have none in; choose knn3z or csls, or "
            f"leave those ratings out"
        )


def _filled(ranking: Ranking, candidates: Candidates, n: int) -> Ranking:
    """The ranking with works of score 0 after it, by id, until there are ``n``."""
    if len(ranking) >= n:
        return ranking
    rest = first_ids(candidates.index, n - len(ranking), candidates.allow.without(ranking.item_ids))
    return Ranking((*ranking.item_ids, *rest), np.pad(ranking.scores, (0, len(rest))))
