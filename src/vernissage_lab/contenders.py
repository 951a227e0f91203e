"""The rules that a hold-out compares, each made anew for a trial."""

from collections.abc import Callable, Mapping, Sequence

from vernissage.encoders.contract import TextEncoder
from vernissage.errors import RequestError
from vernissage.gallery.person import FUSION_RULES
from vernissage.profiles.uploads import UploadProfile
from vernissage.recommenders.baselines import CommonSubjects, RandomWorks
from vernissage.recommenders.tags import TagEmbedding, TagOverlap, Tags
from vernissage.recommenders.upload_rules import FusionRule, knn3z
from vernissage.recommenders.uploads import UploadFusion
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.vectors import make_vector_table
from vernissage.values import Modality, Vectors
from vernissage_lab.listings import Lister, Listing, lister_of
from vernissage_lab.trials import Trial, hidden_given_away, listed_works

RULES: Mapping[str, FusionRule] = FUSION_RULES
"""The ways to make one list of uploads."""

BASELINES = ("popularity", "random")
"""What knows nothing of the person."""

Contender = Callable[[Trial], Lister]
"""From a trial to what makes lists in it."""


def contenders_of(
    indexes: Mapping[Modality, ExactIndex],
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
        found["tag-overlap"] = lambda trial: lister_of(TagOverlap(tags, trial.works))
        if text_encoder is not None:
            found["tag-embedding"] = _by_tag_vectors(
                TagEmbedding(tags, listed_works(indexes), text_encoder, _index_of_tags)
            )
        found["popularity"] = lambda trial: lister_of(CommonSubjects(tags, trial.works))
    found["random"] = lambda trial: lister_of(RandomWorks(trial.works, seed=seed))
    return found


def _by_rule(rule: FusionRule) -> Contender:
    return lambda trial: lister_of(UploadFusion(trial.indexes, rule=rule))


def _index_of_tags(item_ids: Sequence[str], vectors: Vectors, owners: Sequence[str]) -> ExactIndex:
    table = make_vector_table(
        vectors, item_ids, [""] * len(item_ids), encoder="tags", fingerprint="", modality="text", collection=""
    )
    return exact_index(table, owners=dict(zip(item_ids, owners, strict=True)))


def _by_tag_vectors(whole: TagEmbedding) -> Contender:
    """As `TagEmbedding` over the works of the trial; their tags are embedded once for all trials."""

    def contender(trial: Trial) -> Lister:
        indexes = {each: index for each, index in whole.indexes.items() if isinstance(index, ExactIndex)}
        given = hidden_given_away(indexes, trial.split)
        by_vectors = lister_of(UploadFusion(given, rule=knn3z))

        def listed(profile: UploadProfile, target: Modality, n: int) -> Listing:
            if not len(given[target]):
                raise RequestError(f"no work of modality {target} has tags that {whole.encoder.name} knows")
            return by_vectors(whole.tag_profile(profile), target, n)

        return listed

    return contender
