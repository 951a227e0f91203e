"""Recommending by one query against the papers' way, at 2,368, 20,000 and 100,000 works.

The papers' way, as the authors' released engines do it: ids looked up in a data frame, rows of a precomputed
similarity matrix for the nine rated works, weighted and added, a sort of all works in Python, ids looked up again. Its
matrix is built beforehand and not timed; beyond 20,000 works, where it would not fit, only the rows that are needed
are made beforehand and given for free. Both must show identical lists to 500 random visitors.

Run: python benchmarks/recommending.py [--works 2368 20000 100000]
"""

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from measuring import cpu_seconds, megabytes
from vernissage.encoders.contract import unit_rows
from vernissage.profiles.ratings import Profile, profile_from_ratings
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import make_vector_table
from vernissage.workspace.index_choice import SCANNED_FROM

DIM, VISITORS, RATED, SHOWN, TIMED = 512, 500, 9, 9, 25
MATRIX_UP_TO = 20_000


def index_of(works: int) -> ExactIndex:
    """Random unit vectors with an index as a workspace would open it."""
    vectors = unit_rows(np.random.default_rng(0).standard_normal((works, DIM), dtype=np.float32))
    ids = [f"work-{number:07d}" for number in range(works)]
    card = {"encoder": "random", "fingerprint": "", "modality": "image", "collection": ""}
    table = make_vector_table(vectors, ids, [""] * works, **card)
    return exact_index(table, scan=build_byte_scan(vectors) if vectors.size >= SCANNED_FROM else None)


def visitors(works: int) -> list[Profile]:
    """Random visitors: nine random works, rated 1 to 5 at random but not all 1."""
    random = np.random.default_rng(1)
    people: list[Profile] = []
    while len(people) < VISITORS:
        rows = random.choice(works, RATED, replace=False).tolist()
        stars = random.integers(1, 6, RATED).tolist()
        if max(stars) > 1:
            rated = {f"work-{row:07d}": star for row, star in zip(rows, stars, strict=True)}
            people.append(profile_from_ratings(rated, "linear"))
    return people


def papers_way(rows_of: Callable[[list[int]], np.ndarray], frame: pd.DataFrame) -> Callable[[Profile], list[str]]:
    """The steps of the authors' released engines, with two of their rules mended so that lists can be compared.

    Each rated id is found by comparing a data frame's whole column; the matrix rows are weighted, added and divided by
    their number; all rows are sorted in Python by a key function; ids are looked up one by one in the data frame.
    Mended: rated works are left out (the authors' can come back), and weights are those of the profile.
    """

    def recommend(profile: Profile) -> list[str]:
        rated = [frame.loc[frame["id"] == item_id].index[0] for item_id in profile.item_ids]
        similarities = rows_of(rated)
        scores = np.sum(np.multiply(profile.weights.reshape(-1, 1), similarities), axis=0) / len(rated)
        scores[rated] = -np.inf
        best = sorted(range(len(scores)), key=lambda row: scores[row], reverse=True)[:SHOWN]
        return [str(frame.iloc[row].id) for row in best]

    return recommend


def compare(works: int) -> list[str]:
    """One row of the table: times, their ratio, memory, and how many lists are identical."""
    index = index_of(works)
    ours = RatingWeightedSimilarity(index)
    people = visitors(works)
    frame = pd.DataFrame({"id": index.item_ids, "title": [f"Untitled {row}" for row in range(works)]})
    vectors = index.vectors_of(index.item_ids)
    if works <= MATRIX_UP_TO:
        matrix = vectors @ vectors.T
        theirs, held = papers_way(lambda rated: matrix[rated], frame), matrix.nbytes
    else:
        made: dict[tuple[int, ...], np.ndarray] = {}

        def rows_of(rated: list[int]) -> np.ndarray:
            key = tuple(rated)
            if key not in made:
                made.clear()
                made[key] = vectors[rated] @ vectors.T
            return made[key]

        theirs, held = papers_way(rows_of, frame), works * works * 4
    same = sum(list(ours.recommend(profile, SHOWN).ranking.item_ids) == theirs(profile) for profile in people)
    first = people[:TIMED] if works <= MATRIX_UP_TO else people[:1] * 5
    seconds = cpu_seconds(
        {
            "ours": lambda: [ours.recommend(profile, SHOWN) for profile in first],
            "theirs": lambda: [theirs(profile) for profile in first],
        }
    )
    scan = vectors.nbytes * (1.25 if vectors.size >= SCANNED_FROM else 1)
    return [
        f"{works:,}",
        f"{1e3 * seconds['theirs'] / len(first):.2f} ms",
        f"{1e3 * seconds['ours'] / len(first):.3f} ms",
        f"{seconds['theirs'] / seconds['ours']:.1f}×",
        f"{same} of {VISITORS}",
        megabytes(held),
        megabytes(scan),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, nargs="+", default=[2_368, 20_000, 100_000])
    heads = ["works", "papers' way", "one query", "ratio", "identical top nine", "matrix", "vectors and index"]
    print(" | ".join(heads))
    with threadpool_limits(1):
        for works in parser.parse_args().works:
            print(" | ".join(compare(works)), flush=True)


if __name__ == "__main__":
    main()
