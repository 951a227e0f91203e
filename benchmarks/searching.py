"""Exact search against plain NumPy and FAISS's defaults at 100,000 × 512, single queries and batches of 64.

CPU time on one thread, contenders in turns. Every contender must find the same works.

Run: python benchmarks/searching.py [--works 100000] [--dim 512] [--k 10]
"""

import argparse

import faiss
import numpy as np
from threadpoolctl import threadpool_limits

from measuring import cpu_seconds, megabytes
from vernissage.encoders.contract import unit_rows
from vernissage.search.exact import exact_index
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import make_vector_table

BATCH = 64


def numpy_best(vectors: np.ndarray, query: np.ndarray, k: int) -> list[int]:
    """Plain NumPy: one matrix-vector product, a partial sort, a sort of the best."""
    scores = vectors @ query
    best = np.argpartition(-scores, k - 1)[:k]
    return best[np.argsort(-scores[best])].tolist()  # type: ignore[no-any-return]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--k", type=int, default=10)
    options = parser.parse_args()
    k = options.k
    random = np.random.default_rng(0)
    vectors = unit_rows(random.standard_normal((options.works, options.dim), dtype=np.float32))
    queries = unit_rows(random.standard_normal((BATCH, options.dim), dtype=np.float32))
    ids = [f"{row:07d}" for row in range(options.works)]
    card = {"encoder": "random", "fingerprint": "", "modality": "image", "collection": ""}
    table = make_vector_table(vectors, ids, [""] * options.works, **card)
    scan = build_byte_scan(vectors)
    plain, scanned = exact_index(table), exact_index(table, scan=scan)
    flat = faiss.IndexFlatIP(options.dim)
    flat.add(vectors)
    faiss.omp_set_num_threads(1)
    with threadpool_limits(1):
        expected = [numpy_best(vectors, query, k) for query in queries]
        found = [[int(item_id) for item_id in scanned.search(query, k)[0].item_ids] for query in queries]
        batched = [[int(item_id) for item_id in ranking.item_ids] for ranking in plain.search(queries, k)]
        print(f"identical to NumPy: single {found == expected}, batch {batched == expected}")
        single = cpu_seconds(
            {
                "NumPy": lambda: numpy_best(vectors, queries[0], k),
                "FAISS flat": lambda: flat.search(queries[:1], k),
                "exact, float32": lambda: plain.search(queries[0], k),
                "exact, byte scan": lambda: scanned.search(queries[0], k),
            },
            rounds=15,
        )
        batch = cpu_seconds(
            {
                "FAISS flat, default": lambda: flat.search(queries, k),
                "NumPy, one matrix product": lambda: queries @ vectors.T,
                "exact, batch": lambda: plain.search(queries, k),
            },
            rounds=5,
        )
    show("single query", single, "NumPy", 1)
    show(f"batch of {BATCH}, per query", batch, "FAISS flat, default", BATCH)
    print(f"memory: vectors {megabytes(vectors.nbytes)}, byte scan {megabytes(vectors.size)} more")


def show(title: str, seconds: dict[str, float], reference: str, queries: int) -> None:
    """Print one table with ratios to the reference."""
    print(f"\n{title} | CPU | times faster than {reference}")
    for name, value in seconds.items():
        print(f"{name} | {1e3 * value / queries:.2f} ms | {seconds[reference] / value:.2f}×")


if __name__ == "__main__":
    main()
