"""A person's areas of interest from what is theirs in a workspace: their works in the collection and their uploads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.profiles.areas import AreaRule
from vernissage.profiles.coherence import Coherence
from vernissage.profiles.editing import LapsedEdit
from vernissage.profiles.edits import AreaEdit, edit_from_payload
from vernissage.profiles.importance import HALF_LIFE_DAYS
from vernissage.profiles.interests import Interests, Vocabulary, interests
from vernissage.profiles.naming import words_of_work
from vernissage.profiles.reduction import NoProjection, Projection
from vernissage.profiles.uploads import UploadProfile
from vernissage.progress import Progress, silent
from vernissage.values import MODALITIES, Modality, Vectors
from vernissage.workspace.holdings import Holdings
from vernissage.workspace.workspace import Workspace

OF_BOTH = ("clip", "albef", "dual", "blip", "blip2", "aligned")
"""Encoders of pictures and texts in one space, the likeliest to serve first; BLIP's by its contrastive vectors."""

OF_ONE = ("minilm", "sentence", "lsa", "tfidf", "resnet50", "colour-texture", "lda")
"""Encoders of texts or of pictures alone, which serve one task each."""

_NEIGHBOURS = 12


@dataclass(frozen=True)
class AreaOptions:
    """How areas are found and weighed, as in `interests`; ``now`` None stands for the time of asking."""

    rule: AreaRule = field(default_factory=Coherence)
    projection: Projection = field(default_factory=NoProjection)
    half_life_days: float | None = HALF_LIFE_DAYS
    seed: int = 0
    now: datetime | None = None


@dataclass(frozen=True, eq=False)
class OwnerInterests:
    """A person's areas of interest, as they see and edit them.

    Attributes:
        items: everything of theirs by id: works of the collection in its order, then uploads, the oldest first.
        sides: the areas of each modality of which the encoder found something.
        unread: what the encoder cannot read or found nothing in.
    """

    owner: str
    encoder: str
    items: Mapping[str, Item]
    sides: Mapping[Modality, Interests]
    unread: tuple[str, ...]

    @property
    def profile(self) -> UploadProfile:
        """What recommenders take."""
        return UploadProfile(self.owner, {modality: found.side for modality, found in self.sides.items()})

    @property
    def lapsed(self) -> tuple[LapsedEdit, ...]:
        """The person's edits that say nothing about what there is now."""
        return tuple(lapsed for found in self.sides.values() for lapsed in found.lapsed)


def owner_interests(
    holdings: Holdings, owner: str, encoder: str, options: AreaOptions | None = None, *, progress: Progress = silent
) -> OwnerInterests:
    """Find a person's areas in the vectors of one encoder, with their edits applied, named and weighed.

    What is common to all works (the background) is the mean of the index as of the last refresh.

    Raises:
        RequestError: nobody of that name owns or uploaded anything, the encoder found nothing in any of it, or the
            workspace has no such encoder.
    """
    options = options or AreaOptions()
    items = {item.id: item for item in holdings.owned(owner)}
    found = {}
    for modality in holdings.workspace.modalities(encoder) or MODALITIES:
        index = holdings.index(encoder, modality)
        ids = [item_id for item_id in items if item_id in index]
        if ids:
            found[modality] = _side(
                holdings, owner, encoder, modality, [items[each] for each in ids], options, progress
            )
    if not found:
        raise RequestError(_nothing_read(holdings.workspace, owner, encoder))
    known = {item_id for each in found.values() for item_id in each.side.item_ids}
    return OwnerInterests(owner, encoder, items, found, tuple(each for each in items if each not in known))


def default_encoder(workspace: Workspace) -> str:
    """The encoder that areas are found with unless another is asked for: one of both modalities where there is one.

    Raises:
        RequestError: the workspace has no vectors.
    """
    both = [name for name in OF_BOTH if len(workspace.modalities(name)) == 2]
    alone = [name for name in (*OF_ONE, *workspace.encoder_names) if workspace.modalities(name)]
    if not both and not alone:
        raise RequestError(f"{workspace.path} has no vectors; run `vernissage build` again to make some")
    return both[0] if both else alone[0]


def _side(
    holdings: Holdings,
    owner: str,
    encoder: str,
    modality: Modality,
    items: Sequence[Item],
    options: AreaOptions,
    progress: Progress,
) -> Interests:
    ids = [item.id for item in items]
    times = holdings.upload_times(owner)
    return interests(
        ids,
        holdings.index(encoder, modality).vectors_of(ids),
        background=holdings.background(encoder, modality),
        vocabulary=_vocabulary(holdings, owner, encoder, modality, items),
        times=[times.get(item_id) for item_id in ids],
        now=options.now or datetime.now(UTC),
        half_life_days=options.half_life_days,
        edits=_edits(holdings, owner, modality),
        rule=options.rule,
        projection=options.projection,
        seed=options.seed,
        progress=progress,
    )


def _edits(holdings: Holdings, owner: str, modality: Modality) -> list[AreaEdit]:
    kept = [edit_from_payload(each.kind, each.payload) for each in holdings.edits(owner)]
    return [edit for edit in kept if edit.modality == modality]


def _vocabulary(holdings: Holdings, owner: str, encoder: str, modality: Modality, items: Sequence[Item]) -> Vocabulary:
    index = holdings.index(encoder, modality)

    def near(centroid: Vectors) -> list[tuple[str, ...]]:
        found = index.search(centroid, _NEIGHBOURS, exclude_owner=owner)
        return [words_of_work(item) for item in holdings.items(found.item_ids).values()]

    return Vocabulary([words_of_work(item) for item in items], holdings.word_counts, near)


def _nothing_read(workspace: Workspace, owner: str, encoder: str) -> str:
    reads = " and ".join({"image": "pictures", "text": "texts"}[each] for each in workspace.modalities(encoder))
    others = [name for name in workspace.encoder_names if name != encoder]
    hint = f"choose another encoder ({', '.join(others)})" if others else "upload something else"
    return f"{encoder}, which reads {reads}, finds nothing in what {owner} owns or uploaded; {hint}"
