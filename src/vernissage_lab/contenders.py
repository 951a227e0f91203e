"""The rules that a hold-out compares, each made anew for a trial."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from vernissage.encoders.contract import TextEncoder
from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.fused import FusionRule
from vernissage.recommenders.local_scaling import csls
from vernissage.recommenders.mean_vector import mean_vector
from vernissage.recommenders.nearest_z_scores import knn3z
from vernissage.recommenders.reciprocal_rank import rrf
from vernissage.recommenders.round_robin import round_robin
from vernissage.recommenders.tag_embedding import TagEmbedding
from vernissage.recommenders.tag_overlap import TagOverlap, Tags
from vernissage.recommenders.upload_baselines import CommonSubjects, RandomWorks
from vernissage.search.live import LiveIndex
from vernissage.values import Modality
from vernissage_lab.listings import Lister, Listing, lister_of, lister_of_rule
from vernissage_lab.trials import Trial, hidden_given_away

RULES: Mapping[str, FusionRule] = MappingProxyType(
    {"knn3z": knn3z, "csls": csls, "round-robin": round_robin, "rrf": rrf, "mean-vector": mean_vector}
)
"""The ways to make one list of uploads."""

BASELINES = ("popularity", "random")
"""What knows nothing of the person."""

Contender = Callable[[Trial], Lister]
"""From a trial to what makes lists in it."""


def contenders_of(
    indexes: Mapping[Modality, LiveIndex],
    tags: Tags,
    *,
    text_encoder: TextEncoder | None = None,
    rules: Mapping[str, FusionRule] = RULES,
    seed: int = 0,
) -> dict[str, Contender]:
    """All that can be compared: the fusion rules, those by tags where works have tags, popularity and chance.

    ``tag-embedding`` needs a text encoder. Without any tags popularity cannot be told either.
    """
    found = {name: _by_rule(rule) for name, rule in rules.items()}
    if any(tags.values()):
        found["tag-overlap"] = lambda trial: lister_of(TagOverlap(tags, trial.indexes), trial.indexes)
        if text_encoder is not None:
            found["tag-embedding"] = _by_tag_vectors(TagEmbedding(tags, indexes, text_encoder))
        found["popularity"] = lambda trial: lister_of(CommonSubjects(tags, trial.indexes), trial.indexes)
    found["random"] = lambda trial: lister_of(RandomWorks(trial.indexes, seed=seed), trial.indexes)
    return found


def _by_rule(rule: FusionRule) -> Contender:
    return lambda trial: lister_of_rule(rule, trial.indexes)


def _by_tag_vectors(whole: TagEmbedding) -> Contender:
    """As `TagEmbedding` over the works of the trial; their tags are embedded once for all trials."""

    def contender(trial: Trial) -> Lister:
        given = hidden_given_away(whole.indexes, trial.split)
        by_vectors = lister_of_rule(knn3z, given)

        def listed(profile: UploadProfile, target: Modality, n: int) -> Listing:
            if not len(given[target]):
                raise RequestError(f"no work of modality {target} has tags that {whole.encoder.name} knows")
            return by_vectors(whole.tag_profile(profile), target, n)

        return listed

    return contender
