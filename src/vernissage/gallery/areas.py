"""Areas of interest, of a person or of vectors in a file: how they are asked for, found, called and changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.catalog.item import Item
from vernissage.encoders import register
from vernissage.encoders.contract import Encoder
from vernissage.encoders.raw_lengths import has_raw_lengths
from vernissage.errors import Kind, RatingsError, RequestError
from vernissage.files import open_regular
from vernissage.gallery.engines import ZCCR, require_person_engine
from vernissage.gallery.selecting import KINDS, title_or_text
from vernissage.profiles.area_rules import AreaRule, AsPublished, Coherence, Hdbscan, Silhouette, Ward
from vernissage.profiles.areas import Area, areas_of_interest, surroundings_of
from vernissage.profiles.directions import mean_direction, unit
from vernissage.profiles.edits import AreaEdit, LapsedEdit, edit_from_payload, merge, move, mute, rename, split, weigh
from vernissage.profiles.interests import HALF_LIFE_DAYS, Interests, Vocabulary, interests
from vernissage.profiles.naming import words_of_work
from vernissage.profiles.ratings import NEUTRAL, RatedVectors, liked_and_disliked, profile_from_ratings
from vernissage.profiles.reduction import TSNE, NoProjection, PrincipalComponents, Projection, StandardisedTSNE
from vernissage.profiles.uploads import UploadProfile, UploadsOfModality
from vernissage.profiles.ward import ward_merges
from vernissage.progress import Progress, silent
from vernissage.recommenders.diversity import CANDIDATES
from vernissage.search.exact import ExactIndex
from vernissage.sentences import Sentence
from vernissage.taggers.contract import EXPLAINED
from vernissage.values import MODALITY_CARDS, Index, Modality, Vectors, encoded_as, modality_of_file
from vernissage.workspace.repository import PersonRecord, Snapshot
from vernissage.workspace.uploading import Submission, raw_lengths
from vernissage.workspace.workspace import Workspace

_OF_LENGTH_1 = Sentence(
    "the vectors that are compared have length 1 alone, of which the published cut at a distance of 5 would make one "
    "area; areas are found by coherence"
)
_NAMING_NEIGHBOURS = 12
"""Works near to an area without words of its own from which it is named."""
_ANTICIPATED, _SPARE = 1_000, 20
"""Uploads whose works are looked for together with their surroundings, and works beyond those that lists begin with."""

AREA_RULES: Mapping[str, Callable[[], AreaRule]] = MappingProxyType(
    {"coherence": Coherence, "silhouette": Silhouette, "hdbscan": Hdbscan}
)
"""Every word for how areas are found; ``ward:T`` beside them cuts Ward's tree at the distance T."""

PROJECTIONS: Mapping[str, Callable[[], Projection]] = MappingProxyType(
    {"none": NoProjection, "pca": PrincipalComponents, "tsne": TSNE, "tsne-standardised": StandardisedTSNE}
)
"""Every word for what comes before clustering; ``pca:N`` keeps N components."""


@dataclass(frozen=True)
class AreaOptions:
    """How areas are found and weighed, as in `interests`; ``now`` None stands for the beginning of this day (UTC), so
    that a list stays the same all day.

    With ``raw_lengths`` vectors are clustered as long as the encoder's network gives them, where it has one.
    """

    rule: AreaRule = field(default_factory=Coherence)
    projection: Projection = field(default_factory=NoProjection)
    half_life_days: float | None = HALF_LIFE_DAYS
    seed: int = 0
    now: datetime | None = None
    raw_lengths: bool = False


def area_options(
    rule: str | None = None,
    projection: str | None = None,
    half_life_days: float | None = None,
    seed: int = 0,
    *,
    engine: str | None = None,
) -> AreaOptions:
    """What words for areas stand for; a half-life of None is the usual one, 0 switches decay off.

    Without other words areas are found by ``coherence`` and no projection; by ``engine`` ``zccr`` as D'Asaro et al.
    (2024, section 3) find them: principal components that keep 99 % of the variance, Ward's tree cut at 5 where the
    encoder's network gives vectors of various lengths (`AsPublished`), and no decay.

    Raises:
        RequestError: one of them is not understood.
    """
    if seed < 0:
        raise RequestError(f"the seed {seed} is negative; give a whole number from 0")
    published = require_person_engine(engine) == ZCCR
    usual = None if published else HALF_LIFE_DAYS
    days = usual if half_life_days is None else half_life_days or None
    cut = area_rule(rule) if rule is not None else AsPublished() if published else Coherence()
    before = area_projection(projection or ("pca" if published else "none"))
    return AreaOptions(cut, before, days, seed, raw_lengths=published)


def area_rule(word: str) -> AreaRule:
    """The rule of that name: ``coherence``, ``ward:5``, ``silhouette``, ``hdbscan``.

    Raises:
        RequestError: there is no such rule, or ``ward`` comes without a positive distance.
    """
    name, colon, value = word.strip().partition(":")
    if name == "ward":
        return Ward(
            _number(value, f"the rule {word!r} names no distance to cut Ward's tree at; give one, as in ward:5")
        )
    if name not in AREA_RULES or colon:
        raise RequestError(f"there is no rule {word!r}; choose {', '.join(AREA_RULES)} or ward:T, as in ward:5")
    return AREA_RULES[name]()


def area_projection(word: str) -> Projection:
    """The projection of that name: ``none``, ``pca``, ``pca:20``, ``tsne``, ``tsne-standardised``.

    Raises:
        RequestError: there is no such projection, or ``pca`` comes with something else than a number of components.
    """
    name, colon, value = word.strip().partition(":")
    if name == "pca" and colon:
        wrong = f"the projection {word!r} names no whole number of components; give one, as in pca:20"
        components = _number(value, wrong)
        if components < 1 or not components.is_integer():
            raise RequestError(wrong)
        return PrincipalComponents(int(components))
    if name not in PROJECTIONS or colon:
        raise RequestError(f"there is no projection {word!r}; choose {', '.join(PROJECTIONS)} or pca:N, as in pca:20")
    return PROJECTIONS[name]()


def _number(text: str, wrong: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RequestError(wrong) from None


@dataclass(frozen=True, eq=False)
class PersonAreas:
    """A person's areas of interest, as they see and edit them.

    Attributes:
        items: everything of theirs by id: works of the collection in its order, then uploads, the oldest first.
        by_modality: the areas of each modality of which the encoder found something.
        unread: what the encoder cannot read or found nothing in.
        reads: the modalities that the encoder has vectors of.
        disliked: works that they rated low, by modality.
        language: of the collection's texts, as in `content_words`.
        times: when each upload was made or uploaded.
    """

    owner: str
    encoder: str
    items: Mapping[str, Item]
    by_modality: Mapping[Modality, Interests]
    unread: tuple[str, ...]
    reads: tuple[Modality, ...]
    disliked: Mapping[Modality, RatedVectors] = field(default_factory=dict)
    language: str = "en"
    times: Mapping[str, datetime] = field(default_factory=dict)

    def called(self, item_id: str) -> str:
        """What to call something of theirs: its title, how its text begins, or what it is and when it was uploaded."""
        item, time = self.items[item_id], self.times.get(item_id)
        file, kind = PurePath(item.picture).name or item_id, MODALITY_CARDS[modality_of_file(item.picture)].one
        if time is None:
            return title_or_text(item, file)
        told, month = "your {kind} of {day} {month} {year}", f"{time:%B}"
        kept = {"day": time.day, "month": month, "number": time.month, "year": time.year}
        return title_or_text(item, Sentence(told, kind=Sentence(kind), **kept))

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
        some = (*self.unread[:5], *("…" for _ in self.unread[5:6]))
        told = "{encoder} finds nothing in {unread} of {all}: {some}"
        nothing = Sentence(told, encoder=self.encoder, unread=len(self.unread), all=len(self.items), some=some)
        told = "a change of areas ({kind}) has lapsed: {reason}"
        lapsed = [Sentence(told, kind=each.edit.kind, reason=each.reason) for each in self.lapsed]
        seen = [EXPLAINED] if any(n.by == "pictures" for each in self.by_modality.values() for n in each.naming) else []
        return (*([nothing] if self.unread else []), *lapsed, *seen)

    def by_software(self, modality: Modality, number: int) -> str:
        """The name of an area if software made it from what pictures seem to show; else nothing."""
        name = self.by_modality[modality].naming[number]
        return name.text if name.by == "pictures" else ""

    def to_dict(self) -> dict[str, Any]:
        """The areas as JSON values."""
        areas: list[dict[str, Any]] = []
        for modality, found in self.by_modality.items():
            uploads = found.uploads
            for number, area in enumerate(uploads.areas):
                weight = float(uploads.weights[number])
                known: dict[str, Any] = {"area": area_key(modality, number), "modality": modality}
                known |= {"name": uploads.names[number], "named_by": found.naming[number].by, "size": len(area)}
                known |= {"weight": weight, "muted": weight == 0, "medoid": uploads.item_ids[area.medoid]}
                areas.append(known | {"members": [uploads.item_ids[row] for row in area.members]})
        lapsed = [
            {"edit": each.edit.kind, "modality": each.edit.modality, "uploads": list(each.edit.anchors)}
            | {"reason": each.reason}
            for each in self.lapsed
        ]
        content = {"owner": self.owner, "encoder": self.encoder, "works": len(self.items), "areas": areas}
        return content | {"unread": list(self.unread), "lapsed": lapsed}


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
    is common to all works (the background) is the mean of the index, for a few videos that of the pictures.

    Raises:
        RequestError: nobody of that name owns, uploaded or rated anything, the encoder found nothing in any of it, or
            the workspace has no such encoder.
    """
    if not record.items and not record.ratings:
        raise snapshot.unknown_person(record.name)
    workspace, asked = snapshot.workspace, options or AreaOptions()
    if encoder not in workspace.encoder_names:
        there = ", ".join(workspace.encoder_names) or "none"
        raise RequestError(f"the workspace has no vectors of {encoder!r}; choose from {there}")
    reads = snapshot.modalities(encoder)
    hidden = snapshot.withheld() if record.ratings else frozenset()
    shown = [item_id for item_id in record.ratings if item_id in record.items or item_id not in hidden]
    items = {**record.items, **snapshot.items(shown)}
    ratings = {item_id: rating for item_id, rating in record.ratings.items() if item_id in items}
    try:
        rated = profile_from_ratings(ratings, "signed") if ratings else None
    except RatingsError:  # all ratings are the lowest, which speak for nothing and against nothing in particular
        rated = None
    found: dict[Modality, Interests] = {}
    disliked: dict[Modality, RatedVectors] = {}
    for modality in reads:
        index = snapshot.index(encoder, modality)
        counts = {item_id: 1.0 for item_id in record.items if item_id in index}
        if rated is not None:
            liked, low = liked_and_disliked(rated, index, uploads=list(counts))
            disliked |= {modality: low} if low.item_ids else {}
            counts |= zip(liked.item_ids, liked.weights.tolist(), strict=True)
        if counts:
            found[modality] = _interests_in(snapshot, record, encoder, modality, items, counts, asked, progress)
    if not found and not record.items and max(ratings.values(), default=0) < NEUTRAL:
        raise RequestError(
            f"{record.name} has uploaded nothing and given every work a low rating, so nothing says what to look for; "
            f"rate a work higher, or upload something"
        )
    if not found and snapshot.waiting(encoder, record.times):
        told = (
            f"what {record.name} uploaded is yet to be read by {encoder}; ask again in a moment, once its job is done"
        )
        raise RequestError(told, kind=Kind.CONFLICT)
    if not found:
        kinds = " and ".join(KINDS[each] for each in reads)
        others = ", ".join(name for name in workspace.encoder_names if name != encoder)
        hint = f"choose another encoder ({others})" if others else "upload something else"
        raise RequestError(
            f"{encoder}, which reads {kinds}, finds nothing in what {record.name} owns or uploaded; {hint}"
        )
    known = {item_id for each in found.values() for item_id in each.uploads.item_ids}
    unread = tuple(item_id for item_id in record.items if item_id not in known)
    language = workspace.word_counts.language
    return PersonAreas(record.name, encoder, items, found, unread, reads, disliked, language, record.times)


def _interests_in(
    snapshot: Snapshot,
    record: PersonRecord,
    encoder: str,
    modality: Modality,
    items: Mapping[str, Item],
    counts: Mapping[str, float],
    asked: AreaOptions,
    progress: Progress,
) -> Interests:
    """The areas of one modality: ``counts`` says of which works, and how much each counts."""
    ids, index, known = list(counts), snapshot.index(encoder, modality), snapshot.workspace.word_counts
    words = [words_of_work(items[item_id], known.language) for item_id in ids]
    wordless = [item_id for item_id, own in zip(ids, words, strict=True) if not own]
    seen = snapshot.seen(wordless) if MODALITY_CARDS[modality].pictured else {}
    near = partial(_words_near, snapshot, index, record.name)
    vectors = index.vectors_of(ids)
    edits = [edit_from_payload(each.kind, each.payload) for each in record.edits]
    return interests(
        ids,
        vectors,
        # A handful of videos has no mean worth taking off; that of the pictures lies in the same space.
        background=max(index, snapshot.index(encoder, *encoded_as([modality])), key=len).moments().mean,
        counts=list(counts.values()),
        vocabulary=Vocabulary(words, known, near, [seen.get(item_id, ()) for item_id in ids]),
        times=[record.times.get(item_id) for item_id in ids],
        # By the day: ages in seconds would give every request other weights, and now and then another order.
        now=asked.now or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0),
        half_life_days=asked.half_life_days,
        edits=[edit for edit in edits if edit.modality == modality],
        rule=asked.rule,
        projection=asked.projection,
        lengths=_raw_lengths(snapshot, encoder, modality, [items[item_id] for item_id in ids], asked),
        # The published system knows nothing of surroundings.
        surroundings=None if asked.raw_lengths else _around(snapshot, encoder, modality, vectors, record.name),
        seed=asked.seed,
        progress=progress,
    )


def published_notes(workspace: Workspace, encoder: str, options: AreaOptions) -> list[str]:
    """What a person should know where areas cannot be found as published with the vectors of this encoder."""
    if not isinstance(options.rule, AsPublished) or _with_raw_lengths(workspace, encoder) is not None:
        return []
    return [_OF_LENGTH_1]


def _with_raw_lengths(workspace: Workspace, name: str) -> Encoder | None:
    """The encoder, if its network gives vectors of various lengths; those that are fitted have none."""
    found = workspace.encoder(name) if register.card_of(name).pretrained else None
    return found if found is not None and has_raw_lengths(found) else None


def _raw_lengths(
    snapshot: Snapshot, name: str, modality: Modality, works: Sequence[Item], asked: AreaOptions
) -> npt.NDArray[np.float64] | None:
    """How long the encoder's network gives the vectors of works; None where no rule asks for it or it has none."""
    wanted = asked.raw_lengths and isinstance(asked.rule, Ward | AsPublished)
    encoder = _with_raw_lengths(snapshot.workspace, name) if wanted else None
    if encoder is None:
        return None
    given = [Submission(snapshot.picture_path(item), text=item.text) for item in works]
    return raw_lengths(snapshot.workspace, encoder, modality, given)


def _around(
    snapshot: Snapshot, encoder: str, modality: Modality, vectors: Vectors, owner: str
) -> npt.NDArray[np.float64] | None:
    """What other people's works of the other modality have in particular around each vector; None without any."""
    read = encoded_as([modality])
    others = [each for each in snapshot.workspace.modalities(encoder) if encoded_as([each]) != read]
    if not others:
        return None
    index, allow = snapshot.index(encoder, others[0]), snapshot.others(owner)
    if isinstance(index, ExactIndex) and len(vectors) <= _ANTICIPATED:
        index.anticipate(vectors, CANDIDATES + _SPARE, allow)  # as lists of works will be asked for next
    return surroundings_of(vectors, index, allow)


def _words_near(snapshot: Snapshot, index: Index, owner: str, centroid: Vectors) -> list[tuple[str, ...]]:
    """The words of other people's works next to an area that has none of its own."""
    [nearest] = index.search(centroid[None, :], _NAMING_NEIGHBOURS, snapshot.others(owner))
    language = snapshot.workspace.word_counts.language
    return [words_of_work(item, language) for item in snapshot.items(nearest.item_ids).values()]


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
    known = [area_key(each, n) for each in profile.sources for n in range(len(profile.by_modality[each].areas))]
    if f"{modality}:{number}" in known:
        return modality, int(number) - 1
    listed = ", ".join(known)
    shown = listed if len(listed) <= 90 else f"{listed[:80].rpartition(',')[0]} …"
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
        moves: areas by the ids of uploads that are to be in them.
    """

    mute: Sequence[str] = ()
    unmute: Sequence[str] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    merges: Sequence[Sequence[str]] = ()
    splits: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    moves: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any((self.mute, self.unmute, self.weights, self.names, self.merges, self.splits, self.moves))

    def edits(self, profile: UploadProfile) -> list[AreaEdit]:
        """The edits that these changes stand for.

        Raises:
            RequestError: there is no such area, or a change of it means nothing.
        """
        edits: list[AreaEdit] = [mute(profile, *area_place(key, profile)) for key in self.mute]
        edits += [mute(profile, *area_place(key, profile), muted=False) for key in self.unmute]
        edits += [weigh(profile, *area_place(key, profile), weight) for key, weight in self.weights.items()]
        edits += [rename(profile, *area_place(key, profile), name) for key, name in self.names.items()]
        for keys in self.merges:
            modalities, numbers = zip(*[area_place(key, profile) for key in keys], strict=True)
            if len(set(modalities)) > 1:
                both = f"{','.join(keys)!r} names areas of pictures and of texts"
                raise RequestError(f"{both}, which cannot be one; merge like with like")
            edits.append(merge(profile, modalities[0], numbers))
        for key, parts in self.splits.items():
            modality, number = area_place(key, profile)
            named = [part for part in parts if part] or [_smaller_half(profile.by_modality[modality], number)]
            edits.append(split(profile, modality, number, named))
        for item_id, key in self.moves.items():
            modality, number = area_place(key, profile)
            edits.append(move(profile, modality, item_id, number))
        return edits


def _smaller_half(uploads: UploadsOfModality, number: int) -> list[str]:
    """The smaller of the two groups that Ward's method finds in an area.

    Raises:
        RequestError: the area has one upload only.
    """
    members = uploads.areas[number].members
    if len(members) < 2:
        told = "the area “{name}” has one upload and cannot be split"
        raise RequestError(Sentence(told, name=uploads.names[number]))
    labels = ward_merges(unit(uploads.vectors[list(members)])).into(2)
    smaller = int(np.argmin(np.bincount(labels)))
    return [uploads.item_ids[row] for row, label in zip(members, labels.tolist(), strict=True) if label == smaller]


# Areas of vectors in files, without a workspace


def areas_of_file(
    vectors: Path, background: Path | None, options: AreaOptions, *, progress: Progress = silent
) -> tuple[Sequence[Area], int]:
    """The areas of the rows of a .npy file, and how many rows there are.

    ``background`` is a .npy file of the vectors that will be searched, or of the mean of their unit vectors.

    Raises:
        RequestError: a file cannot be read, they do not fit together, or the rule needs a background and has none.
    """
    if background is None and isinstance(options.rule, Coherence):
        raise RequestError(
            "the rule coherence compares uploads with what will be searched; give those vectors, or the mean of their "
            "unit vectors, with --background FILE.npy, or choose another rule, as in --areas silhouette"
        )
    uploads = _read_vectors(vectors)
    if uploads.ndim != 2:
        raise RequestError(f"{vectors} holds an array of shape {uploads.shape}; give one row for each upload")
    found = areas_of_interest(
        uploads,
        background=None if background is None else _background_mean(background, uploads.shape[1]),
        rule=options.rule,
        projection=options.projection,
        seed=options.seed,
        progress=progress,
    )
    return found, len(uploads)


def _read_vectors(path: Path) -> npt.NDArray[Any]:
    """Read a table of numbers from a .npy file, without unpickling.

    Raises:
        RequestError: the file is missing, is no .npy file, is cut short, or holds something else than finite numbers.
    """
    try:
        with open_regular(path) as file:
            found = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise RequestError(f"{path} is missing; give a .npy file, as numpy.save writes it") from None
    except (ValueError, EOFError, SyntaxError) as error:
        raise RequestError(f"{path} is no .npy file of numbers, or is cut short; write it with numpy.save") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu" or found.ndim not in {1, 2}:
        what = f"{found.dtype} of shape {found.shape}" if isinstance(found, np.ndarray) else "several arrays"
        raise RequestError(f"{path} holds {what}; give one table of numbers, one row for each work, as a .npy file")
    if found.ndim == 2 and found.shape[1] == 0:
        raise RequestError(f"{path} holds vectors of no dimension; encode the works again")
    if wrong := int((~np.isfinite(np.atleast_2d(found))).any(axis=1).sum()):
        raise RequestError(
            f"{path} holds values that are not finite numbers, in {wrong} of {len(np.atleast_2d(found))} rows; "
            f"encode those works again"
        )
    return found


def areas_as_json(found: Sequence[Area], count: int) -> dict[str, Any]:
    """Labels by row (an area's place in the list) and areas, as JSON values."""
    labels = np.zeros(count, dtype=np.int64)
    for place, area in enumerate(found):
        labels[list(area.members)] = place
    return {
        "labels": labels.tolist(),
        "areas": [
            {"members": list(area.members), "medoid": area.medoid}
            | {"centroid_norm": float(np.linalg.norm(area.centroid.astype(np.float64)))}
            for area in found
        ],
    }


def _background_mean(path: Path, dim: int) -> npt.NDArray[Any]:
    """The mean of unit vectors: computed from a table of vectors; a single row is the mean itself."""
    found = _read_vectors(path)
    if found.shape[-1] != dim:
        raise RequestError(
            f"the background {path} has {found.shape[-1]} dimensions, the uploads have {dim}; encode both alike"
        )
    if found.size == 0:
        raise RequestError(f"the background {path} holds no vectors; give those of the works that will be searched")
    rows = found.reshape(-1, dim)
    return rows[0] if len(rows) == 1 else mean_direction(rows)
