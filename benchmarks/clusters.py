"""CPU seconds that a build takes to cluster 100,000 works, which works to rate are drawn from: at most 5."""

import time

import numpy as np

from vernissage.encoders.contract import unit_rows
from vernissage.search.vectors import make_vector_table
from vernissage.workspace.clusters import clusters_of

WORKS, DIMS = 100_000, (24, 256, 256, 512, 512, 1280)
"""As many numbers as the vectors of all encoders that a build makes by default."""


def main() -> None:
    """Cluster random vectors, whose structure costs k-means more iterations than that of works."""
    random = np.random.default_rng(0)
    ids = [f"w{number:06d}" for number in range(WORKS)]
    named = {"modality": "text", "fingerprint": "", "collection": ""}
    tables = [
        make_vector_table(
            unit_rows(random.standard_normal((WORKS, dim), dtype=np.float32)), ids, [""] * WORKS, encoder="lsa", **named
        )
        for dim in DIMS
    ]
    started = time.process_time()
    found = clusters_of(tables, ids)
    print(f"{WORKS:,} works: {time.process_time() - started:.2f} s CPU, {int(found[:, 0].max()) + 1} clusters")


if __name__ == "__main__":
    main()
