"""How much each area of interest counts: its share of the uploads, of which recent ones count more."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.profiles.area import Area

HALF_LIFE_DAYS = 365.0
"""After a year without uploads an area counts half as much beside the others: people upload for years, and what they
did not come back to for several is hardly heard, but not forgotten."""

_SECONDS_A_DAY = 86_400.0
_OLDEST = 1000.0  # half-lives; 2^-1000 is still above 0, and 0 would mean that the person muted the area


def importance(
    areas: Sequence[Area],
    times: Sequence[datetime | None] | None = None,
    *,
    now: datetime | None = None,
    half_life_days: float | None = HALF_LIFE_DAYS,
) -> npt.NDArray[np.float64]:
    """Share of uploads times recency for each area, float64 (areas,), above 0, together 1.

    With d_i = 2^(−age_i / half-life), an exponential decay as in Ding and Li (CIKM 2005, doi 10.1145/1099554.1099689),
    an area has Σ d_i over its uploads / Σ d_i over all: its share of the uploads, times the mean d of its uploads over
    the mean d of all. What is of one age keeps its share, however old it is.

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
