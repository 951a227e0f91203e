"""Shares of trials that succeeded, such as works opened of works shown, where trials of one visitor go together.

The share is a ratio of two sums over clusters, whose variance is that of the linearised ratio, m/(m − 1)·Σ(o_i −
p·s_i)²/(Σs_i)² (Cochran, *Sampling Techniques*, 1977, section 6.3; for experiments on websites Deng and others, KDD
2018, doi 10.1145/3219819.3219919). The interval is Wilson's at the number of independent trials with that variance, by
Student's t with m − 1 degrees of freedom, which stays within 0 and 1 (Dean and Pagano, Survey Methodology 41, 2015).
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from vernissage.analysis.mixed_effects import Contrast
from vernissage.analysis.multiple_comparisons import effect_size, holm_adjusted, two_sided_p


@dataclass(frozen=True)
class Share:
    """A share of trials.

    Attributes:
        estimate: from 0 to 1; NaN without a trial. ``se`` is its standard error, NaN with fewer than two clusters.
        lower95, upper95: its 95 % interval; NaN where there is no error.
        clusters: how many there are, m.
    """

    estimate: float
    se: float
    lower95: float
    upper95: float
    clusters: int


def clustered_share(successes: npt.ArrayLike, trials: npt.ArrayLike) -> Share:
    """The share of ``trials`` that were ``successes``; both have a count for each cluster, float64 (m,)."""
    o, s = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    m, total = len(s), float(s.sum())
    if total == 0:
        return Share(math.nan, math.nan, math.nan, math.nan, m)
    p = float(o.sum()) / total
    if m < 2:
        return Share(p, math.nan, math.nan, math.nan, m)
    variance = m / (m - 1) * float(np.sum((o - p * s) ** 2)) / total**2
    # Where all clusters are alike, none says how far others may be: each then counts as one trial.
    n = p * (1 - p) / variance if variance > 0 and 0 < p < 1 else float(m)
    t = float(special.stdtrit(m - 1, 0.975)) ** 2
    centre = (p + t / (2 * n)) / (1 + t / n)
    half = math.sqrt(t * p * (1 - p) / n + t**2 / (4 * n**2)) / (1 + t / n)
    return Share(p, math.sqrt(variance), max(0.0, centre - half), min(1.0, centre + half), m)


def share_contrasts(variable: str, shares: Mapping[str, Share]) -> tuple[Contrast, ...]:
    """The difference of each pair of independent ``shares``, in their order, with Welch's degrees of freedom.

    NaN where a share has no error.
    """
    found = list[Contrast]()
    for (name_a, a), (name_b, b) in itertools.combinations(shares.items(), 2):
        parts, freedoms = np.array([a.se, b.se]) ** 2, np.array([a.clusters, b.clusters]) - 1.0
        error = math.sqrt(parts.sum())
        if not error > 0:
            found.append(Contrast(variable, name_a, name_b, a.estimate - b.estimate, status="not estimable"))
            continue
        df = float(parts.sum() ** 2 / np.sum(parts**2 / freedoms))
        t = (a.estimate - b.estimate) / error
        p, r = float(two_sided_p(t, df)), float(effect_size(t, df))
        found.append(Contrast(variable, name_a, name_b, a.estimate - b.estimate, error, df, t, p, p, r, "ok"))
    adjusted = holm_adjusted([each.p_raw for each in found])
    return tuple(replace(each, p_holm=float(p)) for each, p in zip(found, adjusted, strict=True))
