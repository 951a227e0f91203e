"""Every figure of speed at a million works, of one run, beside FAISS Flat and plain NumPy on one thread.

    python benchmarks/million.py [--works 1000000] [--dim 512] [--json] [--plot growth.png]

Vectors are those of `embeddings.py`. CPU time, the least of several rounds in which contenders take turns; of shards
and of processes wall time. Ratios travel; times do not. What a part needs is in memory, or in a folder that is removed
at the end. ``--only exact above`` measures some of the parts: exact, approximate, above, growth, workspace.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import faiss
import numpy as np
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

from embeddings import Embeddings, Rows
from vernissage.profiles.ratings import Profile, profile_from_ratings
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.exact import exact_index
from vernissage.search.scan import build_byte_scan
from vernissage.search.vectors import VectorTable, make_vector_table

BATCH, RATED, SHOWN = 64, 9, 9
UPLOADS, INTERESTS = 200, 8
LONGEST = 1_800
"""Seconds after which a process is given up."""
CORRELATION = 0.4
"""Share of what encoders have in common: their scores then have a rank correlation of about .3."""
RECALL = 0.99
PARTS = ("exact", "approximate", "above", "growth", "workspace")

Figures = dict[str, float]


def least(contenders: Mapping[str, Callable[[], Any]], rounds: int = 5, *, wall: bool = False) -> Figures:
    """The least seconds of each contender, called in turns after one call to warm up."""
    clock = time.perf_counter if wall else time.process_time
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for contender in contenders.values():
        contender()
    for _ in range(rounds):
        for name, contender in contenders.items():
            started = clock()
            contender()
            taken[name].append(clock() - started)
    return {name: min(values) for name, values in taken.items()}


def table_of(vectors: Rows, encoder: str = "made") -> VectorTable:
    """Vectors with ids, without contents."""
    ids = [f"{row:07d}" for row in range(len(vectors))]
    card = {"encoder": encoder, "fingerprint": "", "modality": "image", "collection": ""}
    return make_vector_table(vectors, ids, [""] * len(ids), **card)


def numpy_best(vectors: Rows, query: Rows, k: int) -> Any:
    """Plain NumPy: one matrix-vector product, a partial sort, a sort of the best."""
    scores = vectors @ query
    best = np.argpartition(-scores, k - 1)[:k]
    return best[np.argsort(-scores[best])]


def exact(table: VectorTable, queries: Rows) -> Figures:
    """Single queries, a batch, and two threads on the same vectors."""
    vectors = table.vectors
    scan = build_byte_scan(vectors)
    index = exact_index(table, scan=scan)
    halves = exact_index(table, scan=scan, shards=2)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    query = queries[0]
    same = [index.search(each, 1_000)[0] == halves.search(each, 1_000)[0] for each in queries[:8]]
    expected = [int(row) for row in numpy_best(vectors, query, 10)]
    if not all(same) or [int(each) for each in index.search(query, 10)[0].item_ids] != expected:
        raise SystemExit("the exact index, its shards and NumPy do not find the same works")
    single = least(
        {
            "flat": lambda: flat.search(queries[:1], 10),
            "flat1000": lambda: flat.search(queries[:1], 1_000),
            "numpy": lambda: numpy_best(vectors, query, 10),
            "exact": lambda: index.search(query, 10),
            "exact1000": lambda: index.search(query, 1_000),
            "read": lambda: scan.codes.reshape(-1).view(np.uint64).max(),
        },
        rounds=7,
    )
    batch = least({"numpy": lambda: queries @ vectors.T, "ours": lambda: index.search(queries, 10)}, rounds=3)
    flat_batch = least({"flat": lambda: flat.search(queries, 10)}, rounds=1)
    sides = least({"one": lambda: index.search(query, 10), "two": lambda: halves.search(query, 10)}, 9, wall=True)
    bandwidth = scan.codes.nbytes / single["read"]
    return {
        "flat_ms": 1e3 * single["flat"],
        "numpy_ms": 1e3 * single["numpy"],
        "exact_ms": 1e3 * single["exact"],
        "exact_ratio": single["flat"] / single["exact"],
        "exact1000_ms": 1e3 * single["exact1000"],
        "exact1000_ratio": single["flat1000"] / single["exact1000"],
        "batch64_ratio": flat_batch["flat"] / batch["ours"],
        "batch64_numpy_ratio": batch["numpy"] / batch["ours"],
        "shards_ratio": sides["one"] / sides["two"],
        "bandwidth_gb_s": bandwidth / 1e9,
        "exact_of_bandwidth": scan.codes.nbytes / single["exact"] / bandwidth,
        "flat_of_bandwidth": vectors.nbytes / single["flat"] / bandwidth,
    }


def approximate(table: VectorTable, queries: Rows) -> Figures:
    """Recall and time of the approximate index, of which as little is read as brings a recall of .99."""
    from vernissage.search.approximate import ApproximateRows, Effort, build_inverted_lists, usual_lists

    count = usual_lists(len(table))
    with TemporaryDirectory(prefix="vernissage-million-") as staging:
        started = time.process_time()
        lists = build_inverted_lists(table.vectors, table.card.values, Path(staging), count)
        built = time.process_time() - started
    scan, truth = build_byte_scan(table.vectors), exact_index(table)
    figures = {"build_cpu_s": built, "bytes_per_work": lists.nbytes / len(table)}
    for k in (10, 100):
        right = [{*each.item_ids} for each in truth.search(queries, k)]
        for probes, times in product([2**power for power in range(count.bit_length())], (4, 8, 16, 32, 64, 128)):
            source = ApproximateRows(lists, [Effort(k, probes, times * k)])
            index = exact_index(table, scan=scan, candidates=source)
            found = [{*index.search(query, k)[0].item_ids} for query in queries]
            recall = float(np.mean([len(one & other) / k for one, other in zip(right, found, strict=True)]))
            if recall >= RECALL:
                break
        taken = least({"all": lambda i=index, k=k: [i.search(query, k) for query in queries]}, rounds=3)["all"]
        figures |= {f"recall{k}": recall, f"approximate{k}_ms": 1e3 * taken / len(queries)}
    return figures


def above(table: VectorTable) -> Figures:
    """What recommenders add to one exact search: titles and reasons are of the `gallery`, measured in `workspace`."""
    works, dim = table.vectors.shape
    index = exact_index(table, scan=build_byte_scan(table.vectors))
    profile = profile_of(table)
    alone = RatingWeightedSimilarity(index)
    query = alone.scored(profile).query
    engines, spread = [], []
    for number in range(3):
        own = np.empty((works, dim), dtype=np.float32)
        Embeddings(dim, seed=number + 10).fill(own)
        own *= np.float32((1 - CORRELATION) ** 0.5)
        for start in range(0, works, 65_536):
            own[start : start + 65_536] += np.float32(CORRELATION**0.5) * table.vectors[start : start + 65_536]
            own[start : start + 65_536] /= np.linalg.norm(own[start : start + 65_536], axis=1, keepdims=True)
        mixed = exact_index(table_of(own, f"made{number}"), scan=build_byte_scan(own))
        mixed.moments()
        engines.append(RatingWeightedSimilarity(mixed))
        spread.append(own[:5_000] @ engines[-1].scored(profile).query.astype(np.float32))
    fused = LateFusion(engines, method="zscore", name="late-zscore")
    taken = least(
        {
            "search": lambda: index.search(query, SHOWN + 1),
            "recommend": lambda: alone.recommend(profile, SHOWN).explanations,
            "zscore": lambda: fused.recommend(profile, SHOWN).explanations,
        }
    )
    return {
        "engine_ratio": taken["recommend"] / taken["search"],
        "zscore_ratio": taken["zscore"] / taken["search"],
        "rank_correlation": float(spearmanr(spread[0], spread[1]).statistic),
    }


def profile_of(table: VectorTable) -> Profile:
    """Nine ratings of works from all over the table."""
    rows = np.random.default_rng(3).choice(len(table), RATED, replace=False).tolist()
    return profile_from_ratings({table.item_ids[row]: 1 + place % 5 for place, row in enumerate(rows)}, "signed")


def growth(table: VectorTable, queries: Rows) -> tuple[Figures, dict[int, Figures]]:
    """Milliseconds of one exact query and of FAISS Flat from 10⁴ works on, and the exponent of works in the former."""
    sizes = [size for size in (10_000, 30_000, 100_000, 300_000, 1_000_000) if size <= len(table)]
    taken: dict[int, Figures] = {}
    for size in sizes:
        part = table_of(table.vectors[:size])
        index, flat = exact_index(part, scan=build_byte_scan(part.vectors)), faiss.IndexFlatIP(table.dim)
        flat.add(part.vectors)
        taken[size] = least(
            {"exact": lambda i=index: i.search(queries[0], 10), "flat": lambda f=flat: f.search(queries[:1], 10)}
        )
    slope = np.polyfit(np.log(sizes), np.log([taken[size]["exact"] for size in sizes]), 1)[0] if sizes[1:] else np.nan
    return {"growth_exponent": float(slope)}, taken


def plot(path: Path, taken: Mapping[int, Figures]) -> None:
    """Milliseconds by works, both on logarithmic scales."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4))
    for name, label in (("flat", "FAISS Flat"), ("exact", "exact index")):
        axes.loglog(list(taken), [1e3 * each[name] for each in taken.values()], marker="o", label=label)
    axes.set(xlabel="works", ylabel="milliseconds of one core")
    axes.legend()
    figure.savefig(path, dpi=120)


# A workspace


def make_source(folder: Path, works: int, dim: int) -> None:
    """A table of works, and arrays of vectors of their pictures and texts as museums publish them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    nouns = np.array(
        ["boat", "harbour", "rose", "bridge", "mountain", "child", "storm", "garden", "street", "river", "horse"]
    )
    drawn = nouns[random.integers(0, len(nouns), (works, 4))]
    ids = [f"museum-{number * 7919 % 10_000_019:08d}" for number in range(works)]
    columns = {
        "id": ids,
        "title": [f"{first} and {second} {number}" for number, (first, second, *_) in enumerate(drawn.tolist())],
        "artist": [f"Painter {number * 7919 % 50_021}" for number in range(works)],
        "year": [str(1500 + number % 500) for number in range(works)],
        "description": [
            f"A {third} near a {fourth}, number {number}."
            for number, (_, _, third, fourth) in enumerate(drawn.tolist())
        ],
    }
    (folder / "vectors").mkdir()
    for seed, modality in enumerate(("image", "text")):
        stem = folder / "vectors" / modality
        out = np.lib.format.open_memmap(stem.with_suffix(".npy"), "w+", np.float32, (works, dim))
        Embeddings(dim, seed=seed).fill(out)
        stem.with_suffix(".ids.txt").write_text("\n".join(ids))
        card = {"model": "made", "modality": modality}
        stem.with_suffix(".card.json").write_text(json.dumps(card))
    pictures = np.load(folder / "vectors" / "image.npy", mmap_mode="r")
    owner = np.full(works, "", dtype=object)
    for row in random.choice(works, INTERESTS, replace=False).tolist():  # what she uploaded is about a few things
        near = pictures @ pictures[row]
        owner[np.argpartition(-near, UPLOADS // INTERESTS)[: UPLOADS // INTERESTS]] = "ann"
    pq.write_table(pa.table(columns | {"owner": owner.tolist()}), folder / "works.parquet")


def watched(command: Sequence[str], until: Callable[[], bool] | None = None) -> tuple[float, float]:
    """Seconds and peak anonymous megabytes of a process, to its end or ``until`` something is so (Linux)."""
    started, peak = time.perf_counter(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not (until and until()):
            if time.perf_counter() - started > LONGEST:
                process.kill()
                raise SystemExit(f"{' '.join(command)} was not ready after {LONGEST} s")
            found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
            peak = max(peak, int(found[1]) if found else 0)
            time.sleep(0.02)
        if until is None and process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        process.terminate()
    return time.perf_counter() - started, peak / 1024


def workspace(folder: Path, works: int, dim: int, port: int = 8765) -> Figures:
    """Building, opening and serving a workspace, and answers of its gallery."""
    import vernissage

    make_source(folder, works, dim)
    command, place = [sys.executable, "-m", "vernissage"], str(folder / "workspace")
    source = [str(folder / "vectors"), "--works", str(folder / "works.parquet")]
    built, build_mb = watched([*command, "build", *source, "-o", place])

    def answers() -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as reply:
                return bool(reply.status == 200)
        except (URLError, OSError):
            return False

    started, serve_mb = watched([*command, "serve", place, "--port", str(port)], answers)
    with vernissage.open(place) as gallery:
        engine = gallery.encoders[0]
        index = gallery.snapshot.workspace.index(engine, "image")
        ids = [gallery.collection.ids[row] for row in range(0, works, works // RATED)][:RATED]
        ratings = {item_id: 1 + place % 5 for place, item_id in enumerate(ids)}
        query = RatingWeightedSimilarity(index).scored(profile_from_ratings(ratings, "signed")).query
        taken = least(
            {
                "search": lambda: index.search(query, SHOWN + 1),
                "recommend": lambda: gallery.recommend(ratings, SHOWN, engine=engine),
                "uploads": lambda: gallery.person("ann").recommend(SHOWN),
            },
            rounds=3,
        )
    return {
        "workspace_s": built,
        "start_s": started,
        "recommend_ratio": taken["recommend"] / taken["search"],
        "uploads_ms": 1e3 * taken["uploads"],
        "peak_mb": max(build_mb, serve_mb),
    }


def everyone() -> Figures:
    """`everyone.py`, of which the ratio is taken."""
    ran = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("everyone.py")), "--json"], capture_output=True, check=True
    )
    return {"everyone_ratio": json.loads(ran.stdout)["everyone_ratio"]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", nargs="+", choices=[*PARTS, "everyone"], default=[*PARTS, "everyone"])
    parser.add_argument("--plot", type=Path, help="where the growth is drawn, as PNG or SVG")
    options = parser.parse_args()
    found: dict[str, Any] = {"works": options.works, "dim": options.dim}
    with threadpool_limits(1), TemporaryDirectory(prefix="vernissage-million-") as temporary:
        faiss.omp_set_num_threads(1)
        if {*options.only} - {"workspace", "everyone"}:
            made = Embeddings(options.dim)
            file = Path(temporary) / "vectors.npy"
            vectors = np.lib.format.open_memmap(file, "w+", np.float32, (options.works, options.dim))
            made.fill(vectors)
            table, queries = table_of(np.asarray(vectors)), made.rows(BATCH, seed=10**9)
            for part in (exact, approximate):
                if part.__name__ in options.only:
                    found |= part(table, queries)
            if "above" in options.only:
                found |= above(table)
            if "growth" in options.only:
                figures, taken = growth(table, queries)
                found |= figures | {"growth_ms": {size: 1e3 * each["exact"] for size, each in taken.items()}}
                if options.plot:
                    plot(options.plot, taken)
        if "workspace" in options.only:
            found |= workspace(Path(temporary), options.works, options.dim)
        if "everyone" in options.only:
            found |= everyone()
    found["load"] = round(os.getloadavg()[0], 1)
    if options.json:
        print(json.dumps(found))
    else:
        print(
            "\n".join(
                f"{name:22} {value:.4g}" if isinstance(value, float) else f"{name:22} {value}"
                for name, value in found.items()
            )
        )


if __name__ == "__main__":
    main()
