"""A person's areas of interest: how they are asked for, found, called and changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import numpy as np

from vernissage.catalog.item import Item
from vernissage.encoders import register
from vernissage.errors import Kind, RatingsError, RequestError
from vernissage.profiles.area_rules import AreaRule, Coherence, Hdbscan, Silhouette, Ward
from vernissage.profiles.directions import unit
from vernissage.profiles.edits import AreaEdit, LapsedEdit, edit_from_payload, merge, mute, rename, split, weigh
from vernissage.profiles.interests import HALF_LIFE_DAYS, Interests, Vocabulary, interests
from vernissage.profiles.naming import words_of_work
from vernissage.profiles.ratings import Profile, RatedVectors, liked_and_disliked, profile_from_ratings
from vernissage.profiles.reduction import TSNE, NoProjection, PrincipalComponents, Projection
from vernissage.profiles.uploads import UploadProfile, UploadsOfModality
from vernissage.profiles.ward import ward_merges
from vernissage.progress import Progress, silent
from vernissage.values import MODALITIES, Allow, Modality, Vectors
from vernissage.workspace.repository import PersonRecord, Snapshot

KINDS: Mapping[Modality, str] = MappingProxyType({"image": "pictures", "text": "texts"})
"""What works of a modality are called."""

_NAMING_NEIGHBOURS = 12
"""Works near to an area without words of its own from which it is named."""

AREA_RULES: Mapping[str, Callable[[], AreaRule]] = MappingProxyType(
    {"coherence": Coherence, "silhouette": Silhouette, "hdbscan": Hdbscan}
)
"""Every word for how areas are found; ``ward:T`` beside them cuts Ward's tree at the distance T."""

PROJECTIONS: Mapping[str, Callable[[], Projection]] = MappingProxyType(
    {"none": NoProjection, "pca": PrincipalComponents, "tsne": TSNE}
)
"""Every word for what comes before clustering; ``pca:N`` keeps N components."""


@dataclass(frozen=True)
class AreaOptions:
    """How areas are found and weighed, as in `interests`; ``now`` None stands for the time of asking."""

    rule: AreaRule = field(default_factory=Coherence)
    projection: Projection = field(default_factory=NoProjection)
    half_life_days: float | None = HALF_LIFE_DAYS
    seed: int = 0
    now: datetime | None = None


def area_options(
    rule: str = "coherence", projection: str = "none", half_life_days: float | None = None, seed: int = 0
) -> AreaOptions:
    """What words for areas stand for; a half-life of None is the usual one, 0 switches decay off.

    Raises:
        RequestError: one of them is not understood.
    """
    if seed < 0:
        raise RequestError(f"the seed {seed} is negative; give a whole number from 0")
    days = HALF_LIFE_DAYS if half_life_days is None else half_life_days or None
    return AreaOptions(area_rule(rule), area_projection(projection), days, seed)


def area_rule(word: str) -> AreaRule:
    """The rule of that name: ``coherence``, ``ward:5``, ``silhouette``, ``hdbscan``.

    Raises:
        RequestError: there is no such rule, or ``ward`` comes without a positive distance.
    """
    name, colon, value = word.strip().partition(":")
    if name == "ward":
        threshold = _number(value)
        if threshold is None:
            raise RequestError(f"the rule {word!r} names no distance to cut Ward's tree at; give one, as in ward:5")
        return Ward(threshold)
    if name not in AREA_RULES or colon:
        raise RequestError(f"there is no rule {word!r}; choose {', '.join(AREA_RULES)} or ward:T, as in ward:5")
    return AREA_RULES[name]()


def area_projection(word: str) -> Projection:
    """The projection of that name: ``none``, ``pca``, ``pca:20``, ``tsne``.

    Raises:
        RequestError: there is no such projection, or ``pca`` comes with something else than a number of components.
    """
    name, colon, value = word.strip().partition(":")
    if name == "pca" and colon:
        components = _number(value)
        if components is None or components < 1 or not components.is_integer():
            raise RequestError(f"the projection {word!r} names no whole number of components; give one, as in pca:20")
        return PrincipalComponents(int(components))
    if name not in PROJECTIONS or colon:
        raise RequestError(f"there is no projection {word!r}; choose {', '.join(PROJECTIONS)} or pca:N, as in pca:20")
    return PROJECTIONS[name]()


@dataclass(frozen=True, eq=False)
class PersonAreas:
    """A person's areas of interest, as they see and edit them.

    Attributes:
        items: everything of theirs by id: works of the collection in its order, then uploads, the oldest first.
        by_modality: the areas of each modality of which the encoder found something.
        unread: what the encoder cannot read or found nothing in.
        reads: the modalities that the encoder has vectors of.
        disliked: works that they rated low, by modality.
    """

    owner: str
    encoder: str
    items: Mapping[str, Item]
    by_modality: Mapping[Modality, Interests]
    unread: tuple[str, ...]
    reads: tuple[Modality, ...]
    disliked: Mapping[Modality, RatedVectors] = field(default_factory=dict)

    @property
    def profile(self) -> UploadProfile:
        """What recommenders take."""
        return UploadProfile(
            self.owner, {modality: found.uploads for modality, found in self.by_modality.items()}, self.disliked
        )

    @property
    def lapsed(self) -> tuple[LapsedEdit, ...]:
        """The person's edits that say nothing about what there is now."""
        return tuple(lapsed for found in self.by_modality.values() for lapsed in found.lapsed)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know about these areas, in whole sentences."""
        notes = []
        if self.unread:
            some = ", ".join(self.unread[:5]) + (" …" if len(self.unread) > 5 else "")
            notes.append(f"{self.encoder} finds nothing in {len(self.unread)} of {len(self.items)}: {some}")
        notes += [f"a change of areas ({each.edit.kind}) has lapsed: {each.reason}" for each in self.lapsed]
        return tuple(notes)

    def to_dict(self) -> dict[str, Any]:
        """The areas as JSON values."""
        return {
            "owner": self.owner,
            "encoder": self.encoder,
            "works": len(self.items),
            "areas": [
                self._area(modality, number)
                for modality, found in self.by_modality.items()
                for number in range(len(found.uploads.areas))
            ],
            "unread": list(self.unread),
            "lapsed": [
                {"edit": each.edit.kind, "modality": each.edit.modality, "uploads": list(each.edit.anchors)}
                | {"reason": each.reason}
                for each in self.lapsed
            ],
        }

    def _area(self, modality: Modality, number: int) -> dict[str, Any]:
        found = self.by_modality[modality]
        area, weight = found.uploads.areas[number], float(found.uploads.weights[number])
        return {
            "area": area_key(modality, number),
            "modality": modality,
            "name": found.uploads.names[number],
            "named_by": found.naming[number].by,
            "size": len(area),
            "weight": weight,
            "muted": weight == 0,
            "medoid": found.uploads.item_ids[area.medoid],
            "members": [found.uploads.item_ids[row] for row in area.members],
        }


def found_words(found: "PersonAreas | None") -> str:
    """What the encoder of a person's areas looks at, in words for visitors."""
    if found is None:
        return ""
    return "pictures and texts in one space" if len(found.reads) == 2 else register.engine(found.encoder).words


def find_areas(
    snapshot: Snapshot,
    record: PersonRecord,
    encoder: str,
    options: AreaOptions | None = None,
    *,
    progress: Progress = silent,
) -> PersonAreas:
    """Find a person's areas in the vectors of one encoder, with their edits applied, named and weighed.

    Works that they rated highly join what they own and uploaded, each with its weight under the rule ``signed``. What
    is common to all works (the background) is the mean of the index.

    Raises:
        RequestError: nobody of that name owns, uploaded or rated anything, the encoder found nothing in any of it, or
            the workspace has no such encoder.
    """
    if not record.items and not record.ratings:
        raise snapshot.unknown_person(record.name)
    workspace = snapshot.workspace
    if encoder not in workspace.encoder_names:
        there = ", ".join(workspace.encoder_names) or "none"
        raise RequestError(f"the workspace has no vectors of {encoder!r}; choose from {there}")
    items = {**record.items, **snapshot.items(record.ratings)}
    ratings = {item_id: rating for item_id, rating in record.ratings.items() if item_id in items}
    rated = _weighed(ratings)
    found: dict[Modality, Interests] = {}
    disliked: dict[Modality, RatedVectors] = {}
    for modality in workspace.modalities(encoder):
        index = snapshot.index(encoder, modality)
        own = [item_id for item_id in record.items if item_id in index]
        liked = _NOTHING
        if rated is not None:
            liked, low = liked_and_disliked(rated, index, uploads=own)
            disliked |= {modality: low} if low.item_ids else {}
        if own or liked.item_ids:
            found[modality] = _areas_of_modality(
                snapshot,
                record,
                encoder,
                modality,
                [items[each] for each in own],
                liked,
                options or AreaOptions(),
                progress,
            )
    if not found:
        raise RequestError(_nothing_read(snapshot, record.name, encoder))
    known = {item_id for each in found.values() for item_id in each.uploads.item_ids}
    unread = tuple(item_id for item_id in record.items if item_id not in known)
    return PersonAreas(record.name, encoder, items, found, unread, workspace.modalities(encoder), disliked)


def _weighed(ratings: Mapping[str, float]) -> Profile | None:
    """The ratings as weights; None where there are none, or none that says anything."""
    try:
        return profile_from_ratings(ratings, "signed") if ratings else None
    except RatingsError:  # all ratings are the lowest, which speak for nothing and against nothing in particular
        return None


_NOTHING = RatedVectors((), np.empty((0, 0), dtype=np.float32), np.empty(0))


def _areas_of_modality(
    snapshot: Snapshot,
    record: PersonRecord,
    encoder: str,
    modality: Modality,
    own: Sequence[Item],
    liked: RatedVectors,
    options: AreaOptions,
    progress: Progress,
) -> Interests:
    index = snapshot.index(encoder, modality)
    ids = [*(item.id for item in own), *liked.item_ids]
    vectors = index.vectors_of(ids)
    items = [*own, *snapshot.items(liked.item_ids).values()]

    def near(centroid: Vectors) -> list[tuple[str, ...]]:
        [nearest] = index.search(centroid[None, :], _NAMING_NEIGHBOURS, Allow(not_owner=record.name))
        return [words_of_work(item) for item in snapshot.items(nearest.item_ids).values()]

    edits = (edit_from_payload(each.kind, each.payload) for each in record.edits)
    return interests(
        ids,
        vectors,
        background=index.moments().mean,
        counts=[*[1.0] * len(own), *liked.weights.tolist()],
        vocabulary=Vocabulary([words_of_work(item) for item in items], snapshot.workspace.word_counts, near),
        times=[record.times.get(item_id) for item_id in ids],
        now=options.now or datetime.now(UTC),
        half_life_days=options.half_life_days,
        edits=[edit for edit in edits if edit.modality == modality],
        rule=options.rule,
        projection=options.projection,
        seed=options.seed,
        progress=progress,
    )


def _nothing_read(snapshot: Snapshot, owner: str, encoder: str) -> str:
    workspace = snapshot.workspace
    reads = " and ".join(KINDS[each] for each in workspace.modalities(encoder))
    others = [name for name in workspace.encoder_names if name != encoder]
    hint = f"choose another encoder ({', '.join(others)})" if others else "upload something else"
    return f"{encoder}, which reads {reads}, finds nothing in what {owner} owns or uploaded; {hint}"


# Changes of areas


def area_key(modality: Modality, number: int) -> str:
    """How an area is called by people: ``image:1`` is the first area of pictures."""
    return f"{modality}:{number + 1}"


def area_place(key: str, profile: UploadProfile) -> tuple[Modality, int]:
    """The area of a key such as ``image:2``; the modality may be left out where there is only one.

    Raises:
        RequestError: the person has no such area; the message names those there are.
    """
    modality, colon, number = key.strip().rpartition(":")
    if not colon and len(profile.by_modality) == 1:
        modality = profile.sources[0]
    for each in MODALITIES:
        areas = len(profile.by_modality[each].areas) if each in profile.by_modality else 0
        if modality == each and number.isdecimal() and 1 <= int(number) <= areas:
            return each, int(number) - 1
    known = ", ".join(
        area_key(source, n) for source in profile.sources for n in range(len(profile.by_modality[source].areas))
    )
    shown = known if len(known) <= 90 else f"{known[:80].rpartition(',')[0]} …"
    raise RequestError(f"there is no area {key.strip()!r}; choose from {shown}", kind=Kind.NOT_FOUND)


@dataclass(frozen=True)
class AreaChanges:
    """Changes that a person wants of their areas, by key; all are about the areas as they are now.

    Attributes:
        mute, unmute: areas not to listen to, and to listen to again.
        weights: how many times as much an area counts; 1 as found.
        names: what an area is called.
        merges: groups of areas of one modality, each of which becomes one.
        splits: areas and the parts that they fall into, as ids of their uploads; without parts Ward's method halves.
    """

    mute: Sequence[str] = ()
    unmute: Sequence[str] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    merges: Sequence[Sequence[str]] = ()
    splits: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any((self.mute, self.unmute, self.weights, self.names, self.merges, self.splits))

    def edits(self, profile: UploadProfile) -> list[AreaEdit]:
        """The edits that these changes stand for.

        Raises:
            RequestError: there is no such area, or a change of it means nothing.
        """
        edits: list[AreaEdit] = [mute(profile, *area_place(key, profile)) for key in self.mute]
        edits += [mute(profile, *area_place(key, profile), muted=False) for key in self.unmute]
        edits += [weigh(profile, *area_place(key, profile), weight) for key, weight in self.weights.items()]
        edits += [rename(profile, *area_place(key, profile), name) for key, name in self.names.items()]
        edits += [_merge(keys, profile) for keys in self.merges]
        return edits + [_split(key, parts, profile) for key, parts in self.splits.items()]


def _merge(keys: Sequence[str], profile: UploadProfile) -> AreaEdit:
    places = [area_place(key, profile) for key in keys]
    if len({modality for modality, _ in places}) > 1:
        raise RequestError(
            f"{','.join(keys)!r} names areas of pictures and of texts, which cannot be one; merge like with like"
        )
    return merge(profile, places[0][0], [number for _, number in places])


def _split(key: str, parts: Sequence[Sequence[str]], profile: UploadProfile) -> AreaEdit:
    modality, number = area_place(key, profile)
    named = [part for part in parts if part]
    return split(profile, modality, number, named or [_smaller_half(profile.by_modality[modality], number)])


def _smaller_half(uploads: UploadsOfModality, number: int) -> list[str]:
    """The smaller of the two groups that Ward's method finds in an area.

    Raises:
        RequestError: the area has one upload only.
    """
    members = uploads.areas[number].members
    if len(members) < 2:
        raise RequestError(f"the area {uploads.names[number]!r} has one upload and cannot be split")
    labels = ward_merges(unit(uploads.vectors[list(members)])).into(2)
    smaller = int(np.argmin(np.bincount(labels)))
    return [uploads.item_ids[row] for row, label in zip(members, labels.tolist(), strict=True) if label == smaller]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
