"""From uploads to what a person sees and edits: areas of interest with names and importance."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.area_rules import AreaRule, Coherence
from vernissage.profiles.areas import Area, areas_of_interest
from vernissage.profiles.edits import AreaEdit, EditedAreas, LapsedEdit, apply_edits
from vernissage.profiles.naming import AreaName, WordCounts, name_areas
from vernissage.profiles.reduction import NoProjection, Projection
from vernissage.profiles.uploads import UploadsOfModality, uploads_of_modality
from vernissage.progress import Progress, silent
from vernissage.values import Vectors

NearWords = Callable[[Vectors], Sequence[Sequence[str]]]
"""From the centroid of an area, float32 (dim,), to the words of the works that are nearest to it."""

HALF_LIFE_DAYS = 365.0
"""After a year without uploads an area counts half as much beside the others: people upload for years, and what they
did not come back to for several counts little, but does count."""

_SECONDS_A_DAY = 86_400.0
_OLDEST = 1000.0  # half-lives; 2^-1000 is still above 0, and 0 would mean that the person muted the area


@dataclass(frozen=True)
class Vocabulary:
    """What areas can be named by.

    Attributes:
        words: the words of each upload, as `naming.words_of_work` gives them; empty for a picture without a text.
        background: in how many works of the collection each word stands.
        near: finds words for an area whose uploads have none; None where there are no others' works with words.
        seen: what software makes out in the picture of each upload, see `naming.name_areas`; None without.
    """

    words: Sequence[Sequence[str]]
    background: WordCounts
    near: NearWords | None = None
    seen: Sequence[Sequence[str]] | None = None


@dataclass(frozen=True, eq=False)
class Interests:
    """One modality of a person's uploads as they see it.

    Attributes:
        uploads: in areas, with importance and names.
        naming: where the name of each area comes from.
        lapsed: the person's edits without effect on the uploads that there are now.
        factors: what the edits multiply the importance of each area by: 0 muted, 1 as found.
    """

    uploads: UploadsOfModality
    naming: tuple[AreaName, ...]
    lapsed: tuple[LapsedEdit, ...]
    factors: tuple[float, ...]


def interests(
    item_ids: Sequence[str],
    vectors: Vectors,
    *,
    background: npt.NDArray[np.floating] | None,
    counts: npt.ArrayLike | None = None,
    vocabulary: Vocabulary | None = None,
    times: Sequence[datetime | None] | None = None,
    now: datetime | None = None,
    half_life_days: float | None = HALF_LIFE_DAYS,
    edits: Iterable[AreaEdit] = (),
    rule: AreaRule = Coherence(),  # noqa: B008
    projection: Projection = NoProjection(),  # noqa: B008
    lengths: npt.NDArray[np.floating] | None = None,
    surroundings: npt.NDArray[np.floating] | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Interests:
    """Find the areas of uploads of one modality, apply the person's edits to them, weigh and name them.

    ``vectors`` float32 (n, dim) are unit rows; ``background``, ``rule``, ``projection``, ``surroundings`` and ``seed``
    are those of `areas_of_interest`, ``counts``, ``times``, ``now`` and ``half_life_days`` those of `importance`,
    ``edits`` those of this modality in the order in which they were made. An area's weight is its importance times the
    factor of the edits, so a factor of 2 doubles it and takes nothing from the others. Without a ``vocabulary`` areas
    have the person's names or numbers. Works that the person liked may be among the uploads; see `liked_and_disliked`.
    With ``lengths`` (n,), above 0, rows are brought to these before areas and their centroids are found.

    Raises:
        RequestError: nothing was uploaded, the parts differ in length, or as in the functions named above.
    """
    seen = vectors if lengths is None else vectors * lengths[:, None]
    found = areas_of_interest(
        seen,
        background=background,
        rule=rule,
        projection=projection,
        surroundings=surroundings,
        seed=seed,
        progress=progress,
    )
    edited = apply_edits(found, item_ids, seen, edits)
    share = importance(edited.areas, times, counts=counts, now=now, half_life_days=half_life_days)
    known = vocabulary or Vocabulary([()] * len(item_ids), WordCounts(0, {}))
    if len(known.words) != len(item_ids):
        raise RequestError(
            f"{len(known.words)} lists of words were given for {len(item_ids)} uploads; give one for each"
        )
    naming = _named(edited, known)
    uploads = uploads_of_modality(
        item_ids,
        vectors,
        edited.areas,
        weights=share * edited.factors,
        names=[name.text for name in naming],
        counts=counts,
    )
    return Interests(uploads, naming, edited.lapsed, tuple(edited.factors.tolist()))


def _named(edited: EditedAreas, vocabulary: Vocabulary) -> tuple[AreaName, ...]:
    neighbours = {
        number: vocabulary.near(area.centroid)
        for number, area in enumerate(edited.areas)
        if vocabulary.near is not None
        and not edited.names[number]
        and not any(vocabulary.words[row] for row in area.members)
    }
    return name_areas(
        vocabulary.words,
        [area.members for area in edited.areas],
        vocabulary.background,
        neighbours=neighbours,
        given=edited.names,
        seen=vocabulary.seen,
    )


def importance(
    areas: Sequence[Area],
    times: Sequence[datetime | None] | None = None,
    *,
    counts: npt.ArrayLike | None = None,
    now: datetime | None = None,
    half_life_days: float | None = HALF_LIFE_DAYS,
) -> npt.NDArray[np.float64]:
    """Share of uploads times recency for each area, float64 (areas,), above 0, together 1.

    With d_i = 2^(−age_i / half-life), an exponential decay as in Ding and Li (CIKM 2005, doi 10.1145/1099554.1099689),
    an area has Σ c_i·d_i over its uploads / Σ c_i·d_i over all: its share of the uploads, times the mean d of its
    uploads over the mean d of all. What is of one age keeps its share, however old it is. ``counts`` c, 1 each unless
    given, say how much each upload counts beside the others.

    ``times`` has the time of each upload by row, with its zone; uploads without one, such as works of a collection, do
    not decay (d = 1), nor do those whose time is yet to come. ``half_life_days`` None switches decay off.

    Raises:
        RequestError: the half-life is not above 0, there are times but no ``now``, the times are not one for each
            upload, or a time lacks its zone.
    """
    count = sum(map(len, areas))
    decay = np.ones(count) if times is None else recency(times, now=now, half_life_days=half_life_days)
    if len(decay) != count:
        raise RequestError(f"{len(decay)} times were given for {count} uploads; give one, or None, for each")
    decay = decay if counts is None else decay * np.asarray(counts, dtype=np.float64)
    sums = np.array([decay[list(area.members)].sum() for area in areas], dtype=np.float64)
    weights: npt.NDArray[np.float64] = sums / sums.sum() if count else sums
    return weights


def recency(
    times: Sequence[datetime | None], *, now: datetime | None, half_life_days: float | None = HALF_LIFE_DAYS
) -> npt.NDArray[np.float64]:
    """2^(−age / half-life) of each upload, relative to the most recent one, float64 (n,) in (0, 1].

    Raises:
        RequestError: as in `importance`.
    """
    if half_life_days is None or all(time is None for time in times):
        return np.ones(len(times))
    if not (np.isfinite(half_life_days) and half_life_days > 0):
        raise RequestError(f"the half-life of uploads must be more than 0 days, but is {half_life_days}; 365 is usual")
    if now is None:
        raise RequestError("uploads have times, but it was not told what time it is now; give now=datetime.now(UTC)")
    if any(time is not None and time.tzinfo is None for time in (now, *times)):
        raise RequestError("a time of uploading lacks its zone; give times such as datetime.now(UTC)")
    ages = [0.0 if time is None else max(0.0, (now - time).total_seconds() / _SECONDS_A_DAY) for time in times]
    halvings = (np.array(ages) - min(ages)) / half_life_days
    decay: npt.NDArray[np.float64] = np.exp2(-np.minimum(halvings, _OLDEST))
    return decay
