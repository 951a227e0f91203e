"""Which area and which uploads speak for a recommended work."""

import numpy as np
import numpy.typing as npt

from vernissage.recommenders.fused import Fused
from vernissage.recommenders.pool import Places, Pool
from vernissage.recommenders.upload_contract import NearUpload, UploadReason
from vernissage.recommenders.voices import Voices
from vernissage.values import Scores

_WORKS_AT_ONCE = 64


def speaking_areas(fused: Fused, voices: Voices, pool: Pool, places: Places) -> npt.NDArray[np.int64]:
    """The area that speaks most for each work, as its place in ``voices.heard``: int64 (p,).

    That is the area whose uploads' parts of the score add up to most, of those with any part in it; where no upload
    has one, the area of the most similar upload. Ties go to the area of higher importance.
    """
    found = np.empty(len(places), dtype=np.int64)
    for start in range(0, len(places), _WORKS_AT_ONCE):
        some = places[start : start + _WORKS_AT_ONCE]
        parts, cosines = fused.parts(some), pool.precise(voices.vectors, some)
        found[start : start + len(some)] = _areas(parts, cosines, voices)
    return found


def reasons(
    fused: Fused, voices: Voices, pool: Pool, places: Places, areas: npt.NDArray[np.int64], *, most: int = 3
) -> tuple[UploadReason, ...]:
    """Why each work at ``places`` is recommended, under the area given for it; at most ``most`` uploads are listed.

    Uploads with a part in the score come first, those with the largest part before others, then the more similar.
    """
    found: list[UploadReason] = []
    for start in range(0, len(places), _WORKS_AT_ONCE):
        some = places[start : start + _WORKS_AT_ONCE]
        parts, cosines, scores = fused.parts(some), pool.precise(voices.vectors, some), fused.at(some)
        z = fused.standard.z_scores(cosines) if fused.standard else None
        for line, item_id in enumerate(pool.ids(some)):
            listed = _listed(parts[line], cosines[line], most)
            near = tuple(
                NearUpload(
                    voices.item_ids[voice],
                    voices.sources[voice],
                    float(cosines[line, voice]),
                    float(parts[line, voice]),
                    float(voices.weights[voice]),
                    float(z[line, voice]) if z is not None else None,
                )
                for voice in listed
            )
            score = float(scores[line])
            rest = score - sum(upload.contribution for upload in near)
            found.append(UploadReason(item_id, score, voices.heard[areas[start + line]], near, rest))
    return tuple(found)


def _listed(parts: Scores, cosines: Scores, most: int) -> list[int]:
    order = np.lexsort([-cosines, -parts, parts == 0])
    with_part = int(np.count_nonzero(parts))
    chosen: list[int] = order[: min(most, with_part or most)].tolist()
    return chosen


def _areas(parts: Scores, cosines: Scores, voices: Voices) -> npt.NDArray[np.int64]:
    said = np.zeros((len(parts), len(voices.heard)))
    spoke = np.zeros(said.shape, dtype=bool)
    for area in range(len(voices.heard)):
        own = voices.areas == area
        said[:, area] = parts[:, own].sum(axis=1)
        spoke[:, area] = (parts[:, own] != 0).any(axis=1)
    loudest = np.where(spoke, said, -np.inf).argmax(axis=1)
    nearest = voices.areas[cosines.argmax(axis=1)]
    found: npt.NDArray[np.int64] = np.where(spoke.any(axis=1), loudest, nearest)
    return found
