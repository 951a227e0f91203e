"""From uploads to what a person sees and edits: areas of interest with names and importance."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.areas import AreaRule, areas_of_interest
from vernissage.profiles.coherence import Coherence
from vernissage.profiles.editing import EditedAreas, LapsedEdit, apply_edits
from vernissage.profiles.edits import AreaEdit
from vernissage.profiles.importance import HALF_LIFE_DAYS, importance
from vernissage.profiles.naming import AreaName, WordCounts, name_areas
from vernissage.profiles.reduction import NoProjection, Projection
from vernissage.profiles.uploads import UploadedSide, uploaded_side
from vernissage.progress import Progress, silent
from vernissage.values import Vectors

NearWords = Callable[[Vectors], Sequence[Sequence[str]]]
"""From the centroid of an area, float32 (dim,), to the words of the works that are nearest to it."""


@dataclass(frozen=True)
class Vocabulary:
    """What areas can be named by.

    Attributes:
        words: the words of each upload, as `naming.words_of_work` gives them; empty for a picture without a text.
        background: in how many works of the collection each word stands.
        near: finds words for an area whose uploads have none; None where there are no others' works with words.
    """

    words: Sequence[Sequence[str]]
    background: WordCounts
    near: NearWords | None = None


@dataclass(frozen=True, eq=False)
class Interests:
    """One modality of a person's uploads as they see it.

    Attributes:
        side: the uploads in areas, with importance and names.
        naming: where the name of each area comes from.
        lapsed: the person's edits that say nothing about the uploads that there are now.
    """

    side: UploadedSide
    naming: tuple[AreaName, ...]
    lapsed: tuple[LapsedEdit, ...]


def interests(
    item_ids: Sequence[str],
    vectors: Vectors,
    *,
    background: npt.NDArray[np.floating] | None,
    vocabulary: Vocabulary | None = None,
    times: Sequence[datetime | None] | None = None,
    now: datetime | None = None,
    half_life_days: float | None = HALF_LIFE_DAYS,
    edits: Iterable[AreaEdit] = (),
    rule: AreaRule = Coherence(),  # noqa: B008
    projection: Projection = NoProjection(),  # noqa: B008
    seed: int = 0,
    progress: Progress = silent,
) -> Interests:
    """Find the areas of uploads of one modality, apply the person's edits to them, weigh and name them.

    ``vectors`` float32 (n, dim) are unit rows; ``background``, ``rule``, ``projection`` and ``seed`` are those of
    `areas_of_interest`, ``times``, ``now`` and ``half_life_days`` those of `importance`, ``edits`` those of this
    modality in the order in which they were made. An area's weight is its importance times the person's wish, so a
    wish of 2 doubles its say and takes nothing from the others. Without a ``vocabulary`` areas have the person's names
    or numbers.

    Raises:
        RequestError: nothing was uploaded, the parts differ in length, or as in the functions named above.
    """
    found = areas_of_interest(
        vectors, background=background, rule=rule, projection=projection, seed=seed, progress=progress
    )
    edited = apply_edits(found, item_ids, vectors, edits)
    weights = importance(edited.areas, times, now=now, half_life_days=half_life_days) * edited.wishes
    known = vocabulary or Vocabulary([()] * len(item_ids), WordCounts(0, {}))
    if len(known.words) != len(item_ids):
        raise RequestError(
            f"{len(known.words)} lists of words were given for {len(item_ids)} uploads; give one for each"
        )
    naming = _named(edited, known)
    side = uploaded_side(item_ids, vectors, edited.areas, weights=weights, names=[name.text for name in naming])
    return Interests(side, naming, edited.lapsed)


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
    )
