"""Areas of interest by the coherence rule at 50, 500, 5,000 and 20,000 uploads: CPU time, memory, growth, exactness.

Uploads are made so that answers are not trivial: 512 dimensions; one direction common to all (length .6), one of forty
interests (length .55, sizes by Zipf's law, orthogonal but for chance), noise of length .6, and a tenth of the uploads
that belong to no interest. Two uploads of one interest have a mean cosine of .65, of two interests .35; against
the background, .44 and 0.

Each size runs in a process of its own with one thread; memory is the peak of that process less what it held before.
With --exact, the cut of Ward's tree is compared with SciPy's tree over all pairs (two minutes and 3 GB at 20,000).

Run: python benchmarks/areas.py [--uploads 50 500 5000 20000] [--exact]
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from measuring import megabytes
from vernissage.profiles.area_rules import Coherence, particular_directions
from vernissage.profiles.areas import areas_of_interest
from vernissage.profiles.ward import ward_merges

DIM, INTERESTS, COMMON, OWN, NOISE, STRAY = 512, 40, 0.6, 0.55, 0.6, 0.1


def profile(uploads: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Unit vectors, the background's mean, and each upload's interest (−1: none)."""
    random = np.random.default_rng(0)
    common = random.standard_normal(DIM)
    common *= COMMON / np.linalg.norm(common)
    centres = random.standard_normal((INTERESTS, DIM)) / math.sqrt(DIM) * OWN
    shares = 1 / np.arange(1, INTERESTS + 1)
    interests = random.choice(INTERESTS, uploads, p=shares / shares.sum())
    interests[random.random(uploads) < STRAY] = -1
    rows = random.standard_normal((uploads, DIM), dtype=np.float32) * np.float32(NOISE / math.sqrt(DIM))
    rows += common.astype(np.float32)
    rows[interests >= 0] += centres[interests[interests >= 0]].astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    mean = common / math.sqrt(COMMON**2 + OWN**2 + NOISE**2)
    return rows, mean, interests


def held() -> float:
    """The memory that this process holds now, in bytes, where the system tells; else the most it has held."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * resource.getpagesize() if statm.exists() else peak()


def peak() -> float:
    """The most memory that this process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(uploads: int) -> dict[str, float]:
    """CPU seconds and peak memory of the coherence rule, and how well the planted interests are found."""
    vectors, background, interests = profile(uploads)
    areas_of_interest(vectors[:50], background=background)  # what is loaded once is not counted
    repeats = max(1, 1000 // uploads)
    before, started = held(), time.process_time()
    for _ in range(repeats):
        areas = areas_of_interest(vectors, background=background)
    taken = (time.process_time() - started) / repeats
    labels = np.empty(uploads, dtype=np.int64)
    for place, area in enumerate(areas):
        labels[list(area.members)] = place
    planted = interests >= 0
    found = adjusted_rand_score(interests[planted], labels[planted])
    return {"seconds": taken, "bytes": peak() - before, "areas": len(areas), "found": found}


def exactness(uploads: int) -> dict[str, float]:
    """Adjusted Rand of the cut of our tree against SciPy's, and what SciPy's costs."""
    vectors, background, _ = profile(uploads)
    particular = particular_directions(vectors, background)
    cut = Coherence().cut
    ours = ward_merges(particular, below=cut).below(cut)
    before, started = held(), time.process_time()
    tree = linkage(particular, "ward")
    taken = time.process_time() - started
    reference = fcluster(tree, np.nextafter(cut, 0), "distance")
    return {
        "seconds": taken,
        "bytes": peak() - before,
        "agreement": adjusted_rand_score(reference, ours),
        "clusters": float(reference.max()),
        "ours": float(ours.max() + 1),
    }


def in_its_own_process(what: str, uploads: int) -> dict[str, Any]:
    """Measure in a fresh process, so that no other measurement's memory counts."""
    ran = subprocess.run([sys.executable, __file__, "--one", what, str(uploads)], capture_output=True, check=True)
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def compare(sizes: list[int], *, exact: bool) -> None:
    """Print a table with the growth from each size to the next, and the comparison with SciPy."""
    print(
        "coherence, one thread\n\n| uploads | CPU | growth | peak memory | areas | adjusted Rand to what was planted |"
    )
    print("|---|---|---|---|---|---|")
    last: tuple[int, float] | None = None
    for uploads in sizes:
        one = in_its_own_process("areas", uploads)
        growth = f"n^{math.log(one['seconds'] / last[1]) / math.log(uploads / last[0]):.2f}" if last else "–"
        last = (uploads, one["seconds"])
        cost = f"{one['seconds']:.3f} s | {growth} | {megabytes(one['bytes'])}"
        print(f"| {uploads:,} | {cost} | {one['areas']} | {one['found']:.3f} |", flush=True)
    for uploads in sizes if exact else []:
        one = in_its_own_process("exact", uploads)
        print(
            f"\n{uploads:,}: SciPy's Ward {one['seconds']:.3f} s, {megabytes(one['bytes'])}, {one['clusters']:.0f} "
            f"clusters at the cut, ours {one['ours']:.0f}; adjusted Rand {one['agreement']:.4f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, nargs="+", default=[50, 500, 5_000, 20_000])
    parser.add_argument("--exact", action="store_true", help="compare with SciPy's tree")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        with threadpool_limits(1):
            print(json.dumps({"areas": measure, "exact": exactness}[arguments.one[0]](int(arguments.one[1]))))
        return
    compare(sorted(arguments.uploads), exact=arguments.exact)


if __name__ == "__main__":
    main()
