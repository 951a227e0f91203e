"""One list for each modality from all areas of interest, with reasons."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from vernissage.errors import UnknownItemError
from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.area_seeds import Seed, require_one_space
from vernissage.recommenders.diversity import check_diversity, marginal_order
from vernissage.recommenders.fused import Fused, FusionRule, best
from vernissage.recommenders.nearest_z_scores import knn3z
from vernissage.recommenders.pool import Places, Pool, chosen_from
from vernissage.recommenders.quota import check_quota, with_quota
from vernissage.recommenders.upload_contract import UploadAnswer, UploadReason
from vernissage.recommenders.upload_reasons import reasons, speaking_areas
from vernissage.recommenders.voices import Voices, voices_of
from vernissage.search.live import LiveIndex
from vernissage.values import Modality, Ranking

_FEWEST_TO_CHOOSE_FROM = 100


class UploadFusion:
    """The fused list of works of one modality: uploads of both modalities speak, areas explain.

    ``rule`` is one function (see `FusionRule`): `knn3z`, `round_robin`, `rrf`, `mean_vector`, or another. With
    ``diversity`` above 0 the list is re-ranked by maximal marginal relevance (`marginal_order`), with ``at_least``
    above 0 each unmuted area gets so many places (`with_quota`); either chooses among the rule's first works, ten
    times as many as are asked for and at least a hundred. Scores stay those of the rule, so that reasons add up.
    """

    def __init__(
        self,
        indexes: Mapping[Modality, LiveIndex],
        *,
        rule: FusionRule = knn3z,
        name: str = "knn3z",
        seed: Seed = "centroid",
        diversity: float = 0.0,
        at_least: int = 0,
    ) -> None:
        """Recommend from ``indexes``, all of one encoder, whose vectors lie in one space.

        Raises:
            RequestError: a diversity outside 0 to 1, or a quota below 0.
        """
        check_diversity(diversity)
        check_quota(at_least)
        self.indexes = indexes
        self.rule = rule
        self.name = name
        self.seed: Seed = seed
        self.diversity = diversity
        self.at_least = at_least

    def recommend(
        self, profile: UploadProfile, target: Modality, n: int, *, among: Collection[str] | None = None
    ) -> Ranking:
        """The ``n`` best works of modality ``target`` (see `UploadRecommender.recommend`)."""
        return self.answer(profile, target, n, among=among).ranking

    def answer(
        self, profile: UploadProfile, target: Modality, n: int, *, among: Collection[str] | None = None
    ) -> UploadAnswer:
        """The ``n`` best works of modality ``target``, and why each of them.

        Raises:
            RequestError: nothing was uploaded or all of it is muted, n is below 1, there is no index of that
                modality, or uploads and works lie in different spaces.
        """
        voices, pool = self._heard(profile, target, n, among)
        if not len(pool):
            return UploadAnswer(target, Ranking((), np.empty(0)), ())
        fused = self.rule(voices, pool)
        places, areas = self._chosen(fused, voices, pool, n)
        why = reasons(fused, voices, pool, places, areas)
        scores = np.array([reason.score for reason in why])
        return UploadAnswer(target, Ranking(pool.ids(places), scores), why)

    def explain(
        self, profile: UploadProfile, target: Modality, item_ids: Sequence[str], *, most: int = 3
    ) -> tuple[UploadReason, ...]:
        """Why each of ``item_ids`` has its score, with at most ``most`` uploads for each.

        Raises:
            UnknownItemError: a work is not there, or is the person's own.
            RequestError: as in `answer`.
        """
        voices, pool = self._heard(profile, target, 1, None)
        unknown = [item_id for item_id in item_ids if item_id not in pool.place_of]
        if unknown:
            raise UnknownItemError(
                f"{', '.join(unknown[:5])}: no work of modality {target} that {profile.owner or 'this person'} could "
                f"be shown (unknown, or their own); explain works that were recommended"
            )
        if not item_ids:
            return ()
        fused = self.rule(voices, pool)
        places = np.array([pool.place_of[item_id] for item_id in item_ids], dtype=np.int64)
        return reasons(fused, voices, pool, places, speaking_areas(fused, voices, pool, places), most=most)

    def _heard(
        self, profile: UploadProfile, target: Modality, n: int, among: Collection[str] | None
    ) -> tuple[Voices, Pool]:
        voices = voices_of(profile, self.seed)
        pool = chosen_from(self.indexes, profile, target, n, among)
        require_one_space(pool.index, target, voices.vectors, profile.sources[0])
        return voices, pool

    def _chosen(self, fused: Fused, voices: Voices, pool: Pool, n: int) -> tuple[Places, Places]:
        """The places of the works to show and the area under which each is shown."""
        if not self.diversity and not self.at_least:
            places, _ = best(fused, pool, n)
            return places, speaking_areas(fused, voices, pool, places)
        places, scores = best(fused, pool, max(10 * n, _FEWEST_TO_CHOOSE_FROM))
        if self.diversity:
            places = places[marginal_order(pool.vectors(places), scores, len(places), self.diversity)]
        areas = speaking_areas(fused, voices, pool, places)
        own = _own_searches(voices, pool, n) if self.at_least else []
        return with_quota(places, areas, own, n, self.at_least)


def _own_searches(voices: Voices, pool: Pool, n: int) -> list[Places]:
    """What each area finds by its seed; nothing where the seed is zero, because its uploads cancel each other."""
    nothing = np.empty(0, dtype=np.int64)
    found = pool.search(voices.seeds, n)
    return [places if seed.any() else nothing for seed, places in zip(voices.seeds, found, strict=True)]
