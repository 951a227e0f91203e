"""Opening a workspace of a million works × 512: seconds, and memory beside the vectors, which stay in their file.

The workspace is written directly, with random vectors, titles and artists, into a temporary folder that is removed at
the end (2.4 GB). Each opening is a process of its own, after one that warms the system's cache. The aims: at most 2
seconds and 400 MB.

Run: python benchmarks/opening.py [--works 1000000] [--dim 512] [--keep FOLDER]
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.encoders.contract import unit_rows
from vernissage.search.vectors import VectorCard, write_table
from vernissage.workspace.collection_files import keep_collection
from vernissage.workspace.state import Manifest, is_workspace, located
from vernissage.workspace.workspace import open_workspace

BLOCK = 10_000
ENCODER, FINGERPRINT = "clip", "0123456789abcdef"
RUNS = 3


def works(count: int) -> Iterator[Item]:
    """Works with titles, artists, years and short descriptions, their ids in no order."""
    random = np.random.default_rng(0)
    nouns = ("boat", "harbour", "rose", "bridge", "mountain", "child", "storm", "garden", "street", "river")
    for start in range(0, count, BLOCK):
        draws = random.integers(0, 10, (BLOCK, 8))
        for number in range(start, min(count, start + BLOCK)):
            words = [nouns[place] for place in draws[number - start]]
            title, artist = f"{words[0].title()} and {words[1]} {number}", f"Painter {number * 7919 % 50_021}"
            description = f"A {words[2]} near a {words[3]}, with a {words[4]}, a {words[5]} and a {words[6]}."
            yield Item(
                f"museum-{number * 7919 % 10_000_019:08d}",
                title,
                artist,
                str(1500 + number % 500),
                description=description,
                group=words[7],
                text=f"{title}. {artist}. {description}",
            )


def make(path: Path, count: int, dim: int) -> None:
    """Write the workspace by the writers that a build uses."""
    collection, files = keep_collection(Collection(works(count), path), path, {})
    random = np.random.default_rng(1)
    sizes = [min(BLOCK, count - start) for start in range(0, count, BLOCK)]
    blocks = (unit_rows(random.standard_normal((size, dim), dtype=np.float32)) for size in sizes)
    contents = [f"{row:064x}" for row in range(count)]
    card = VectorCard(ENCODER, FINGERPRINT, "image", collection.fingerprint, collection.ids, contents, "")
    stem = f"{ENCODER}.image-benchmark"
    write_table(path / "vectors" / stem, blocks, dim, card)
    Manifest(
        source=located(path, path),
        folder=located(path, path),
        fingerprint=collection.fingerprint,
        settings={},
        models={ENCODER: "none"},  # nothing is encoded here
        fingerprints={ENCODER: FINGERPRINT},
        vectors={f"{ENCODER}.image": stem},
        complete=True,
        **files,
    ).write(path)


def resident() -> tuple[float, float]:
    """Megabytes of this process in memory: of mapped vectors, and of everything else (Linux)."""
    vectors, total, mapped = 0.0, 0.0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            mapped = line.endswith(".npy")
        elif line.startswith("Rss:"):
            megabytes = int(line.split()[1]) / 1000
            total += megabytes
            vectors += megabytes * mapped
    return vectors, total - vectors


def opened(path: Path) -> None:
    """Open once, take what a recommendation needs, and print seconds and memory."""
    before = resident()[1]
    started = time.perf_counter()
    workspace = open_workspace(path)
    table = workspace.table(ENCODER, "image")
    middle = len(table) // 2
    found = workspace.collection[table.item_ids[middle]]
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    titles = [workspace.collection[table.item_ids[row]].title for row in range(0, len(table), len(table) // 9)]
    again = time.perf_counter() - started
    print(
        f"open {seconds:.2f} s (with the work {found.title!r}); {len(titles)} titles from all over "
        f"{1000 * again:.0f} ms; {resident()[1]:.0f} MB resident beside the vectors, of which {before:.0f} MB before"
    )


def main() -> None:
    """Make the workspace and open it some times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--keep", type=Path, help="make the workspace here, use it again, and let it be")
    parser.add_argument("--opened", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.opened:
        opened(options.opened)
        return
    with TemporaryDirectory(prefix="vernissage-opening-") as temporary:
        path = options.keep or Path(temporary)
        if not is_workspace(path):
            started = time.perf_counter()
            make(path, options.works, options.dim)
            print(f"{options.works:,} works × {options.dim} written in {time.perf_counter() - started:.0f} s")
        for _ in range(RUNS):
            subprocess.run([sys.executable, __file__, "--opened", str(path)], check=True)


if __name__ == "__main__":
    main()
