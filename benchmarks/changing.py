"""An index that changes at 100,000 × 512: leaving out a person's own works, and one work that comes or goes.

Leaving out: inside the search, against searching for k and all own works and dropping them, and against asking for
twice as many until k are left; for owners of 1 %, 50 % and 99 % of the works, spread at random and, as real people's
works are, in a corner of the space that the query comes from. The three use the same exact search, byte scan included,
and must give the same lists. Beside them, plain NumPy over all works. Changing: one snapshot to the next, against
making the index anew from the table. CPU time on one thread, contenders in turns.

Run: python benchmarks/changing.py [--works 100000] [--dim 512]
"""

import argparse
from collections.abc import Callable
from itertools import count

import numpy as np
from threadpoolctl import threadpool_limits

from measuring import cpu_seconds, peak_bytes
from vernissage.encoders.contract import unit_rows
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.scan import ByteScan, build_byte_scan
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.values import Allow, Ranking, Vectors

K, QUERIES, BATCH = 10, 5, 64
SHARES = (0.01, 0.5, 0.99)


def works_of(vectors: Vectors) -> VectorTable:
    """The vectors as a table."""
    ids = [f"work-{row:07d}" for row in range(len(vectors))]
    card = {"encoder": "random", "fingerprint": "", "modality": "image", "collection": ""}
    return make_vector_table(vectors, ids, [""] * len(ids), **card)


def dropped(index: ExactIndex, own: set[str], query: np.ndarray, reach: int) -> Ranking:
    """Search for ``reach`` works, then drop the person's own and keep ten."""
    [found] = index.search(query, reach)
    kept = [place for place, item_id in enumerate(found.item_ids) if item_id not in own][:K]
    return Ranking(tuple(found.item_ids[place] for place in kept), found.scores[kept])


def doubling(index: ExactIndex, own: set[str], query: np.ndarray) -> Ranking:
    """Ask for twice as many until ten are left."""
    reach = 2 * K
    while len(found := dropped(index, own, query, reach)) < K and reach < len(index):
        reach *= 2
    return found


def numpy_best(vectors: Vectors, allowed: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Plain NumPy: one matrix-vector product, own works out, a partial sort, a sort of the ten."""
    scores = np.where(allowed, vectors @ query.astype(np.float32), -np.inf)
    best = np.argpartition(-scores, K)[:K]
    return best[np.argsort(-scores[best])]


def filtering(table: VectorTable, scan: ByteScan, queries: np.ndarray, owned: np.ndarray) -> list[str]:
    """Columns of one row of the first table: times, and how many lists are the same."""
    own = {item_id for item_id, mine in zip(table.item_ids, owned, strict=True) if mine}
    index = exact_index(table, owners=dict.fromkeys(own, "me"), scan=scan)
    ways: dict[str, Callable[[np.ndarray], Ranking]] = {
        "inside": lambda query: index.search(query, K, Allow(not_owner="me"))[0],
        "then": lambda query: dropped(index, own, query, K + len(own)),
        "doubling": lambda query: doubling(index, own, query),
    }
    same = sum(len({way(query).item_ids for way in ways.values()}) == 1 for query in queries)
    runs: dict[str, Callable[[], object]] = {
        name: lambda way=way: [way(query) for query in queries]  # type: ignore[misc]
        for name, way in ways.items()
    }
    runs["numpy"] = lambda: [numpy_best(table.vectors, ~owned, query) for query in queries]
    seconds = cpu_seconds(runs, rounds=3)
    many = np.concatenate([queries] * (BATCH // QUERIES + 1))[:BATCH]
    batch = cpu_seconds({"batch": lambda: index.search(many, K, Allow(not_owner="me"))}, rounds=3)["batch"]
    times = [f"{1e3 * seconds['inside'] / QUERIES:.2f} ms"]
    times += [f"{seconds[name] / seconds['inside']:.1f}×" for name in ("numpy", "then", "doubling")]
    return [*times, f"{1e3 * batch / BATCH:.2f} ms", f"{same} of {QUERIES}"]


def show_filtering(table: VectorTable, scan: ByteScan, random: np.random.Generator) -> None:
    """Print the first table."""
    print("owner of | inside | NumPy takes | search, then drop | doubling | inside, each of 64 | same lists")
    corner = random.standard_normal(table.dim)
    nearest = np.argsort(-(table.vectors @ corner.astype(np.float32)))
    for share in SHARES:
        owns = int(share * len(table))
        for where, rows in (("spread", random.permutation(len(table))[:owns]), ("around the query", nearest[:owns])):
            owned = np.zeros(len(table), dtype=bool)
            owned[rows] = True
            queries = corner + 0.1 * random.standard_normal((QUERIES, table.dim))
            print(" | ".join([f"{share:.0%}, {where}", *filtering(table, scan, queries, owned)]), flush=True)


def show_changing(table: VectorTable, scan: ByteScan, new: Vectors) -> None:
    """Print the second table: CPU time, how many times less than making the index anew, and new memory."""
    index = exact_index(table, owners=dict.fromkeys(table.item_ids, "somebody"), scan=scan)
    ids = [f"new-{number}" for number in range(len(new))]
    newest = index.add(ids, new, ["me"] * len(new))
    print()
    names, leaving = (f"one-{number}" for number in count()), iter(ids)

    def add() -> None:
        nonlocal newest
        newest = newest.add([next(names)], new[:1], ["me"])

    def remove() -> None:
        nonlocal newest
        newest = newest.remove([next(leaving)])

    def search() -> Ranking:
        return newest.search(new[0], K, Allow(not_owner="me"))[0]

    def anew() -> ExactIndex:
        return exact_index(table, scan=build_byte_scan(table.vectors, "anew"))

    runs: dict[str, Callable[[], object]] = {
        "add one work": add,
        "add one work and search": lambda: (add(), search()),
        "remove one work": remove,
        "remove one work and search": lambda: (remove(), search()),
        "search": search,
        "make anew": anew,
    }
    print(f"same answer as a new index: {search() == anew().search(new[0], K)[0]}")
    show_times(runs)


def show_times(runs: dict[str, Callable[[], object]]) -> None:
    """Print CPU time, its ratio to the last run, and new memory."""
    seconds = cpu_seconds(runs, rounds=7)
    print("change | CPU | times less than making anew | new memory")
    for name, run in runs.items():
        ratio = seconds["make anew"] / seconds[name]
        print(f"{name} | {1e3 * seconds[name]:.3f} ms | {ratio:,.0f}× | {peak_bytes(run) / 1e3:,.1f} kB")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    table = works_of(unit_rows(random.standard_normal((options.works, options.dim), dtype=np.float32)))
    scan = build_byte_scan(table.vectors, table.card.values)
    with threadpool_limits(1):
        show_filtering(table, scan, random)
        show_changing(table, scan, unit_rows(random.standard_normal((100, options.dim), dtype=np.float32)))


if __name__ == "__main__":
    main()
