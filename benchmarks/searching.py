"""Exact search against plain NumPy and FAISS's defaults at 100,000 × 512, single queries and batches of 64.

With --words, searches by words instead: opening the index, and looking up, BM25 and cosines fused by z-scores, against
plain NumPy over all works and vectors. CPU time on one thread, contenders in turns.
Every contender must find the same works.

Run: python benchmarks/searching.py [--works 100000] [--dim 512] [--k 10] [--words]
"""

import argparse
import tempfile
import time
from pathlib import Path

import faiss
import numpy as np
from threadpoolctl import threadpool_limits

from measuring import cpu_seconds, megabytes
from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.encoders.contract import unit_rows
from vernissage.gallery.searching import LITERAL, TextSearcher
from vernissage.search.exact import exact_index
from vernissage.search.lexical import LexicalIndex
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import make_vector_table
from vernissage.values import EVERYTHING

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
    parser.add_argument("--words", action="store_true", help="searches by words instead")
    options = parser.parse_args()
    k = options.k
    if options.words:
        with threadpool_limits(1):
            by_words(options.works, options.dim, k)
        return
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


def by_words(works: int, dim: int, k: int) -> None:
    """Print one table: texts of 40 words by Zipf's law, queries of a rare, a common and two words."""
    random = np.random.default_rng(0)
    letters = np.array(list("bcdfghklmnprstvz"))
    spelled = ["".join(word) for word in letters[random.integers(0, 16, (50_000, 8))]]
    drawn = np.minimum(random.zipf(1.2, (works, 40)), len(spelled)) - 1
    collection = Collection(
        (Item(f"{row:07d}", text=" ".join(spelled[word] for word in text)) for row, text in enumerate(drawn)), Path()
    )
    vectors = unit_rows(random.standard_normal((works, dim), dtype=np.float32))
    card = {"encoder": "random", "fingerprint": "", "modality": "text", "collection": ""}
    table = make_vector_table(vectors, list(collection.ids), [""] * works, **card)
    started = time.process_time()
    built = LexicalIndex.of(collection, "en")
    print(f"index of words built in {time.process_time() - started:.1f} s CPU", end=", ")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lexicon.npz"
        built.save(file, "")
        started = time.process_time()
        words = LexicalIndex.load(file, "", works)
        opened = time.process_time() - started
        print(f"{megabytes(file.stat().st_size)}, opened in {1e3 * opened:.0f} ms CPU")
        index = exact_index(table, collection, scan=build_byte_scan(vectors))
        searcher, query = TextSearcher(collection, words, (table, index)), vectors[0] + vectors[1]
        asked = {"rare": spelled[3000], "common": spelled[0], "two": f"{spelled[20]} {spelled[400]}"}

        def ours(text: str) -> list[str]:
            return list(searcher.ranking(searcher.look_up(text), query, EVERYTHING)(k))

        def plain(text: str) -> list[int]:
            literal, near = words.bm25(text.split()), vectors @ query
            both = (
                LITERAL * (literal - literal.mean()) / literal.std() + (1 - LITERAL) * (near - near.mean()) / near.std()
            )
            both += 1e6 * np.all([np.isin(np.arange(works), words.rows_with(word)) for word in text.split()], axis=0)
            best = np.argpartition(-both, k - 1)[:k]
            return best[np.argsort(-both[best])].tolist()  # type: ignore[no-any-return]

        for name, text in asked.items():
            print(f"{name}: identical to NumPy: {list(map(int, ours(text))) == plain(text)}")
        calls = {f"NumPy, {name}": lambda text=text: plain(text) for name, text in asked.items()}
        calls |= {f"ours, {name}": lambda text=text: ours(text) for name, text in asked.items()}
        calls["ours, near spelling"] = lambda: ours(f"{spelled[3000][:-1]}x")
        show("search by words", cpu_seconds(calls, rounds=7), "NumPy, two", 1)


def show(title: str, seconds: dict[str, float], reference: str, queries: int) -> None:
    """Print one table with ratios to the reference."""
    print(f"\n{title} | CPU | times faster than {reference}")
    for name, value in seconds.items():
        print(f"{name} | {1e3 * value / queries:.2f} ms | {seconds[reference] / value:.2f}×")


if __name__ == "__main__":
    main()
