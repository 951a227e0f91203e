"""One list for a person of many uploads, knn3z and csls, against a bare search of the same uploads.

Vectors lie in clusters, uploads are near some of them. The local densities of csls are those within a work's cluster,
given beforehand, because comparing all pairs of a million works is no part of an answer. CPU time on one thread,
contenders in turns.

Run: python benchmarks/uploads.py [--works 100000] [--dim 512] [--uploads 200]
"""

import argparse
import time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from measuring import cpu_seconds
from vernissage.encoders.contract import unit_rows
from vernissage.profiles.areas import areas_of_interest
from vernissage.profiles.uploads import UploadProfile, uploads_of_modality
from vernissage.recommenders.upload_rules import Candidates, csls, knn3z, weighted_uploads
from vernissage.search.exact import NEIGHBOURS, exact_index
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import make_vector_table
from vernissage.values import EVERYTHING, Density

IN_CLUSTER, INTERESTS, SHOWN, SPREAD = 500, 8, 9, 1.2


def density_by_cluster(vectors: np.ndarray, cluster: np.ndarray, ids: list[str]) -> Density:
    """The mean cosine of each work to its nearest others, which lie in its own cluster."""
    found, row_of = np.zeros(len(vectors)), {item_id: row for row, item_id in enumerate(ids)}
    for rows in np.split(np.argsort(cluster, kind="stable"), np.cumsum(np.bincount(cluster))[:-1]):
        cosines = vectors[rows] @ vectors[rows].T
        np.fill_diagonal(cosines, -1)
        found[rows] = np.partition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:].mean(axis=1)
    weighted = (found.astype(np.float32) @ vectors).astype(np.float64) / len(ids)
    numbers = float(found.mean()), float(found.var()), float(found.min())
    return Density(*numbers, weighted, lambda some: found[[row_of[item_id] for item_id in some]])


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, usual in (("works", 100_000), ("dim", 512), ("uploads", 200)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    centres = random.standard_normal((max(1, options.works // IN_CLUSTER), options.dim), dtype=np.float32)
    cluster = np.arange(options.works) % len(centres)

    def near(own: np.ndarray) -> Any:
        found = random.standard_normal((len(own), options.dim), dtype=np.float32)
        found *= SPREAD
        found += centres[own]
        return unit_rows(found)

    vectors, queries = (
        near(cluster),
        near(random.integers(0, len(centres), INTERESTS)[np.arange(options.uploads) % INTERESTS]),
    )
    ids = [f"{row:07d}" for row in range(options.works)]
    card: dict[str, Any] = {"encoder": "random", "fingerprint": "", "modality": "image", "collection": ""}
    index = exact_index(make_vector_table(vectors, ids, [""] * len(ids), **card), scan=build_byte_scan(vectors))
    names = [f"u{row:04d}" for row in range(options.uploads)]
    areas = areas_of_interest(queries, background=vectors.mean(axis=0))
    uploads = weighted_uploads(UploadProfile("", {"image": uploads_of_modality(names, queries, areas)}))
    with threadpool_limits(1):
        started = time.process_time()
        index.__dict__["_density"] = density_by_cluster(vectors, cluster, ids)
        print(f"densities within clusters: {time.process_time() - started:.1f} s CPU; {len(areas)} areas of interest")
        candidates = Candidates(index, EVERYTHING)
        taken = cpu_seconds(
            {
                "one matrix product": lambda: queries @ vectors.T,
                "bare search of all uploads": lambda: index.search(queries, SHOWN + 1),
                "knn3z": lambda: knn3z(uploads, candidates, SHOWN),
                "csls": lambda: csls(uploads, candidates, SHOWN),
            },
            rounds=3,
        )
    print(f"{options.uploads} uploads, {options.works:,} works, {options.dim} dimensions")
    for name, seconds in taken.items():
        ratio = seconds / taken["bare search of all uploads"]
        print(f"{name:28} {1e3 * seconds:9.1f} ms CPU, {ratio:5.2f} times a bare search")


if __name__ == "__main__":
    main()
