"""Lists for everybody against the bare matrix products that they need, one thread, CPU time.

    python benchmarks/everyone.py [--visitors 20000] [--works 100000] [--dim 512] [--workspace WORKSPACE] [--json]

Vectors are those of `embeddings.py`. Visitors have rated nine works each; every list has nine works with reasons and is
written to Parquet. Beside it, of the same run: the product of as many float32 queries with all vectors, in blocks of
256, without choosing anything. With a workspace, its default engine's rate is printed too.
"""

import argparse
import json
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from embeddings import Embeddings
from vernissage.gallery.everyone import ListOptions, lists_for_everyone
from vernissage.workspace.build import build_workspace
from vernissage.workspace.workspace import open_workspace

RATED, BLOCK, ENGINE = 9, 256, "made-here"


def build(folder: Path, vectors: np.ndarray) -> Path:
    """A workspace of ready-made vectors."""
    size = len(vectors)
    flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    names = [f"w{number:07d}" for number in range(size)]
    columns = {"provider": ["here"] * size, "depiction_id": names, "subject_id": names, "model": [ENGINE] * size}
    table = pa.table(columns | {"embeddings": flat.cast(pa.list_(pa.float32())), "created": [1_790_000_000] * size})
    (folder / "source").mkdir()
    pq.write_table(table, folder / "source" / "vectors.parquet", row_group_size=10_000)
    build_workspace(folder / "source" / "vectors.parquet", folder / "workspace")
    return folder / "workspace"


def ratings_file(path: Path, ids: list[str], visitors: int, random: np.random.Generator) -> Path:
    """Random ratings of all visitors, as Parquet."""
    rows = random.integers(len(ids), size=visitors * RATED)
    person = np.repeat(np.arange(visitors), RATED)
    rating = random.integers(1, 6, size=len(rows)).astype(np.float64)
    columns = {"person": pa.array(person).cast(pa.string()), "id": pa.array(ids).take(pa.array(rows)), "rating": rating}
    pq.write_table(pa.table(columns), path)
    return path


def measured(workspace: Path, ratings: Path, lists: Path, engine: str | None) -> tuple[int, float]:
    """People, and CPU seconds of their lists."""
    before = time.process_time()
    made = lists_for_everyone(workspace, lists, ratings, ListOptions(engine=engine))
    return made.people, time.process_time() - before


def bare_products(vectors: np.ndarray, visitors: int, random: np.random.Generator) -> float:
    """CPU seconds of the products of so many queries with all vectors."""
    queries = random.standard_normal((BLOCK, vectors.shape[1]), dtype=np.float32)
    before = time.process_time()
    for start in range(0, visitors, BLOCK):
        queries[: visitors - start] @ vectors.T
    return time.process_time() - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=20_000)
    parser.add_argument("--works", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    random = np.random.default_rng(0)
    with TemporaryDirectory() as name:
        folder = Path(name)
        vectors = Embeddings(asked.dim).rows(asked.works, seed=1)
        workspace = build(folder, vectors)
        ids = list(open_workspace(workspace).collection.ids)
        ratings = ratings_file(folder / "ratings.parquet", ids, asked.visitors, random)
        products = bare_products(vectors, asked.visitors, random)
        people, seconds = measured(workspace, ratings, folder / "lists", ENGINE)
        found = {"everyone_ratio": seconds / products, "products_s": products, "lists_s": seconds}
        found["lists_a_second"] = people / seconds
        if asked.workspace is not None:
            ids = list(open_workspace(asked.workspace).collection.ids)
            ratings = ratings_file(folder / "others.parquet", ids, 1_000, random)
            people, seconds = measured(asked.workspace, ratings, folder / "default", None)
            found["default_lists_a_second"] = people / seconds
    load = os.getloadavg()[0]
    print(json.dumps(found) if asked.json else "\n".join(f"{key:24} {value:10.2f}" for key, value in found.items()))
    if not asked.json:
        print(f"load {load:.1f}")


if __name__ == "__main__":
    main()
