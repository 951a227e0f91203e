"""How many participants a study needs: studies are simulated, and analysed as real ones are.

A simulated answer is mean + engine + participant + impression + showing, each of the last three normal and drawn anew,
rounded to the scale of 1 to 5. The participant's part is the same in all of their answers, the impression in both
showings of one list, and the showing's part in one answer alone. What is analysed is the mean over showings.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vernissage.analysis.balanced import balanced_contrasts
from vernissage.analysis.long_table import HIGHEST, LOWEST
from vernissage.errors import RequestError, StudyError
from vernissage.progress import Progress, silent

if TYPE_CHECKING:
    from vernissage.pages.study_figures import PowerPoint

FloatArray = npt.NDArray[np.float64]

SIGNIFICANT = 0.05
MOST_PARTICIPANTS = 5_000
_NUMBERS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Population:
    """Whom simulated studies are about.

    Attributes:
        effects: by how much each engine is above or below ``mean``, in points of the scale.
        participant_sd: of what a participant adds to all of their answers.
        residual_sd: of what they add to both answers about one engine's list, their impression of it.
        showing_sd: of what they add to one answer alone.
        repetitions: how often each list is judged, 1 or 2.
        rounded: whether answers are rounded to 1, 2, 3, 4 or 5, as people's are.
    """

    effects: tuple[float, ...]
    mean: float = 3.0
    participant_sd: float = 0.6
    residual_sd: float = 0.6
    showing_sd: float = 0.3
    repetitions: int = 2
    rounded: bool = True

    @property
    def within_sd(self) -> float:
        """√(residual² + showing²/repetitions): σ of the model for means over showings, before rounding."""
        return math.hypot(self.residual_sd, self.showing_sd / math.sqrt(self.repetitions))


@dataclass(frozen=True)
class ContrastPower:
    """How often one pair of engines was found different.

    Attributes:
        engine_a, engine_b: numbers of the engines, from 1.
        difference: what it truly is, before rounding.
        expected_r: the effect size that goes with it; see `effect_size_of_difference`.
        estimate, mean_r: the means of the estimated differences and effect sizes.
        found: the share of studies with a Holm p below .05 and the sign of the true difference, if there is one.
        se: the Monte-Carlo standard error of that share.
    """

    engine_a: int
    engine_b: int
    difference: float
    expected_r: float
    estimate: float
    mean_r: float
    found: float
    se: float


@dataclass(frozen=True)
class _Size:
    participants: int
    simulations: int


@dataclass(frozen=True)
class Power(_Size):
    """What simulated studies of one size found; ``any_found`` is the share with any contrast below .05."""

    contrasts: tuple[ContrastPower, ...]
    any_found: float
    any_se: float

    @property
    def least(self) -> ContrastPower:
        """The true difference that is found least often; any contrast where none is true."""
        true = [each for each in self.contrasts if each.difference]
        return min(true or self.contrasts, key=lambda each: each.found)


def difference_of_effect_size(r: float, engines: int, within_sd: float) -> float:
    """The difference of two engines' means that gives the effect size ``r`` in a large study.

    r² = t²/(t² + df) with t = d/√(2σ²/n) and df = (n − 1)(k − 1) tends to d²/(d² + 2(k − 1)σ²), whatever n is; so
    d = σ·√(2(k − 1))·r/√(1 − r²), with σ from `Population.within_sd`.

    Raises:
        StudyError: r is not between −1 and 1.
    """
    if not -1 < r < 1:
        raise StudyError(f"an effect size r lies between -1 and 1, but {r:g} was given; the paper's are about .28")
    return within_sd * math.sqrt(2 * (engines - 1)) * r / math.sqrt(1 - r * r)


def effect_size_of_difference(difference: float, engines: int, within_sd: float) -> float:
    """The inverse of `difference_of_effect_size`; 1 or −1 without any variance within participants."""
    scale = math.hypot(difference, within_sd * math.sqrt(2 * (engines - 1)))
    return difference / scale if scale else 0.0


def power(
    population: Population, participants: int, *, simulations: int = 1000, seed: int = 0, progress: Progress = silent
) -> Power:
    """Simulate studies with that many participants left after exclusions, and count what they find.

    Equal arguments give equal results. Each study has a random stream of its own whose participants come one after
    another, so that a larger study is the smaller one and more.

    Raises:
        StudyError: an argument that describes no study.
    """
    _check(population, participants, simulations)
    numbers = participants * (1 + len(population.effects) * (1 + population.repetitions))
    at_once = max(1, min(100, _NUMBERS_AT_ONCE // numbers))
    pieces = []
    with threadpool_limits(1):
        for first in range(0, simulations, at_once):
            count = min(at_once, simulations - first)
            answers = simulated_answers(population, participants, range(first, first + count), seed)
            pieces.append(balanced_contrasts(answers))
            progress(f"simulating {participants} participants", first + count, simulations)
    estimates, p_holm, r = (
        np.concatenate(each) for each in zip(*((one.estimates, one.p_holm, one.r) for one in pieces), strict=True)
    )
    any_found = float((p_holm < SIGNIFICANT).any(axis=1).mean())
    rows = [
        _row(population, pair, estimates[:, place], p_holm[:, place], r[:, place])
        for place, pair in enumerate(pieces[0].pairs)
    ]
    return Power(participants, simulations, tuple(rows), any_found, _error(any_found, simulations))


@dataclass(frozen=True)
class PowerRow(ContrastPower, _Size):
    """One contrast of one size of study, as a row of a table."""


def power_rows(results: Sequence[Power]) -> list[PowerRow]:
    """Every contrast of every size."""
    return [PowerRow(each.participants, each.simulations, **vars(row)) for each in results for row in each.contrasts]


def find_participants(
    population: Population, wanted: float, *, simulations: int = 1000, seed: int = 0, progress: Progress = silent
) -> tuple[Power, tuple[Power, ...]]:
    """The smallest study in which every true difference is found with at least the share ``wanted``, by bisection.

    Returns that study, and all that were tried, by size. Shares are estimates: see their standard errors.

    Raises:
        StudyError: there is no true difference, ``wanted`` is no share, or 5,000 participants are too few.
    """
    if not 0 < wanted < 1:
        raise StudyError(f"the share to reach lies between 0 and 1, but {wanted:g} was given; .8 is usual")
    if len(set(population.effects)) < 2:
        raise StudyError("no two engines differ, so that no number of participants finds a difference; give effects")
    tried: dict[int, Power] = {}

    def enough(size: int) -> bool:
        tried[size] = power(population, size, simulations=simulations, seed=seed, progress=progress)
        return tried[size].least.found >= wanted

    low, high = 1, 8
    while not enough(high):
        if high >= MOST_PARTICIPANTS:
            raise StudyError(
                f"{MOST_PARTICIPANTS:,} participants find the smallest difference with {tried[high].least.found:.2f} "
                f"only; give larger effects, or leave the smallest out"
            )
        low, high = high, min(2 * high, MOST_PARTICIPANTS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return tried[high], tuple(tried[size] for size in sorted(tried))


def simulated_answers(population: Population, participants: int, studies: Sequence[int], seed: int) -> FloatArray:
    """Participants' means over showings in each of the ``studies``, float64 (S, n, k)."""
    k, m = len(population.effects), population.repetitions
    draws = np.stack(
        [np.random.default_rng([seed, study]).standard_normal((participants, 1 + k + k * m)) for study in studies]
    )
    people = population.participant_sd * draws[:, :, :1]
    impressions = population.residual_sd * draws[:, :, 1 : k + 1]
    showings = population.showing_sd * draws[:, :, k + 1 :].reshape(*draws.shape[:2], m, k)
    latent = population.mean + np.array(population.effects) + people + impressions
    answers = latent[:, :, None, :] + showings
    if population.rounded:
        answers = np.clip(np.rint(answers), LOWEST, HIGHEST)
    means: FloatArray = answers.mean(axis=2)
    return means


def power_points(
    population: Population, found: Power, tried: Sequence[Power] = (), *, seed: int = 0, progress: Progress = silent
) -> "list[PowerPoint]":
    """The points of a figure of power around the size that was ``found``; those ``tried`` are among them."""
    from vernissage.pages.study_figures import PowerPoint
    from vernissage.pages.study_tables import signed

    top = min(max(found.participants * 1.6, 20), MOST_PARTICIPANTS)
    sizes = {max(4, round(top * (step / 16) ** 1.5)) for step in range(1, 17)} - {each.participants for each in tried}
    results = {each.participants: each for each in (*tried, found) if each.participants <= top}
    for size in sorted(sizes):
        results[size] = power(population, size, simulations=found.simulations, seed=seed, progress=progress)
    return [
        PowerPoint(f"{row.engine_a} − {row.engine_b} ({signed(row.difference)})", size, row.found, row.se)
        for size in sorted(results)
        for row in results[size].contrasts
    ]


def _row(
    population: Population, pair: tuple[int, int], estimates: FloatArray, p_holm: FloatArray, r: FloatArray
) -> ContrastPower:
    """What all studies, (S,), say of one pair of engines; r is 0 in studies without residuals."""
    a, b = pair
    true = population.effects[a] - population.effects[b]
    found = (p_holm < SIGNIFICANT) & ((true == 0) | (np.sign(estimates) == np.sign(true)))
    share = float(found.mean())
    return ContrastPower(
        engine_a=a + 1,
        engine_b=b + 1,
        difference=true,
        expected_r=effect_size_of_difference(true, len(population.effects), population.within_sd),
        estimate=float(estimates.mean()),
        mean_r=float(np.nan_to_num(r).mean()),
        found=share,
        se=_error(share, len(found)),
    )


def _error(share: float, simulations: int) -> float:
    return math.sqrt(share * (1 - share) / simulations)


def _check(population: Population, participants: int, simulations: int) -> None:
    checks = [
        (2 <= participants <= MOST_PARTICIPANTS, f"{participants} participants; give 2 to {MOST_PARTICIPANTS:,}"),
        (1 <= simulations <= 100_000, f"{simulations} simulations; give 1 to 100,000"),
        (2 <= len(population.effects) <= 12, f"{len(population.effects)} engines; give 2 to 12"),
        (population.repetitions in (1, 2), f"{population.repetitions} showings of a list; give 1 or 2"),
        (all(map(math.isfinite, (*population.effects, population.mean))), "an effect that is no finite number"),
    ]
    for name in ("participant_sd", "residual_sd", "showing_sd"):
        value = getattr(population, name)
        checks.append((0 <= value < math.inf, f"{name} {value:g}; give 0 or more"))
    for good, what in checks:
        if not good:
            raise StudyError(f"power was asked for {what}")


def with_effects(
    population: Population, effects: Sequence[float] = (), effect_size: float | None = None, engines: int | None = None
) -> Population:
    """The same people with engines that differ: by ``effects`` in points, or by an effect size.

    Without effects there are ``engines`` (4) equal ones but for the last, which is above each other one by the effect
    size r (.28).

    Raises:
        RequestError: both are given, or another number of engines than effects.
    """
    if not effects:
        count = 4 if engines is None else engines
        size = 0.28 if effect_size is None else effect_size
        ahead = difference_of_effect_size(size, count, population.within_sd)
        return replace(population, effects=(*[0.0] * (count - 1), ahead))
    if effect_size is not None:
        raise RequestError("differences come from --effects or from --effect-size; give one of them")
    if engines is not None and engines != len(effects):
        raise RequestError(f"{len(effects)} effects were given for {engines} engines; give one for each engine")
    return replace(population, effects=tuple(effects))
