"""Long tables of simulated studies for mixed_effects.R and the tests: run once, the files are kept.

    python tests/reference/simulate_studies.py && Rscript tests/reference/mixed_effects.R

A rating is 3 + the engine's effect + the participant's deviation + the list's deviation + noise of the showing, rounded
to 1 … 5. Every variable has its own share of participants' variance.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "studies"
VARIABLES = ("accuracy", "diversity", "novelty", "serendipity")


@dataclass(frozen=True)
class Plan:
    """A study: its size, what is missing, and the spread of its parts."""

    participants: int
    engines: int
    missing_cells: float = 0.0
    missing_showings: float = 0.0
    missing_answers: float = 0.0
    participant_sd: tuple[float, ...] = (0.8, 0.5, 0.3, 1.2)
    list_sd: float = 0.6
    showing_sd: float = 0.3
    effect: float = 0.3
    scale: tuple[int, int] = (1, 5)


PLANS = {
    "paper": Plan(95, 4, effect=0.15),
    "balanced": Plan(12, 3),
    "unbalanced": Plan(24, 4, missing_cells=0.2, missing_showings=0.25, missing_answers=0.1),
    "sparse": Plan(20, 5, missing_cells=0.6, missing_showings=0.3),
    "singular": Plan(10, 4, participant_sd=(0.0, 0.0, 0.0, 0.0), list_sd=1.0, missing_cells=0.1),
    "tiny": Plan(3, 2, list_sd=0.9),
    "many-engines": Plan(12, 8, missing_cells=0.15, missing_showings=0.1, effect=0.1),
    "ties": Plan(16, 4, scale=(3, 4), missing_showings=0.2),
    "strong": Plan(30, 3, participant_sd=(1.6, 1.4, 1.2, 1.0), list_sd=0.2, effect=0.9, missing_cells=0.1),
}


def rows(plan: Plan, seed: int) -> list[list[str | int]]:
    """One row for each showing: participant, engine, repetition, and a rating or a blank for each variable."""
    random = np.random.default_rng(seed)
    size = len(VARIABLES)
    effects = plan.effect * random.normal(size=(plan.engines, size))
    people = random.normal(size=(plan.participants, size)) * plan.participant_sd
    table: list[list[str | int]] = []
    for person, engine in np.ndindex(plan.participants, plan.engines):
        middle = 3 + effects[engine] + people[person] + plan.list_sd * random.normal(size=size)
        cell, second = random.random(2)
        for repetition in (1, 2):
            ratings = np.clip(np.rint(middle + plan.showing_sd * random.normal(size=size)), *plan.scale).astype(int)
            blank = random.random(size) < plan.missing_answers
            if cell < plan.missing_cells or (repetition == 2 and second < plan.missing_showings):
                continue
            answers = ["" if empty else int(rating) for rating, empty in zip(ratings, blank, strict=True)]
            table.append([f"p{person:02}", f"engine-{chr(97 + engine)}", repetition, *answers])
    return table


def main() -> None:
    """Write all studies."""
    FOLDER.mkdir(exist_ok=True)
    for seed, (name, plan) in enumerate(PLANS.items(), start=2023):
        with (FOLDER / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["participant", "engine", "repetition", *VARIABLES])
            writer.writerows(rows(plan, seed))


if __name__ == "__main__":
    main()
