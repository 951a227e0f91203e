"""Works that stream in while people ask: how soon a server finds what another one was given, and what a folder was.

Two processes of `vernissage serve` share a workspace and a database. First uploads are sent to one of them, and the
other is asked until it recommends them. Then files come into a folder that `vernissage watch` watches, while a client
asks both servers in turns. Some files are such that they head a list once they are found, by which the second
server tells when it found them. Times are wall-clock seconds, of everything at once on this machine.

Run: python benchmarks/streaming.py [--works 10000] [--rate 100] [--pause 0.1]
    [--database postgresql://…] [--plot streaming.svg] [--json]
"""

import argparse
import csv
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np

WORDS = ["ship", "wave", "harbour", "storm", "sail", "fisherman", "beach", "rose", "tree", "bench", "orchard", "hedge"]
HEADING = ["cat", "dog", "horse", "bird", "fish", "meadow", "river", "snow"]
"""Words that no other work has: all orders of them lie in one place."""

ASKED, UPLOADED = 100, 20
_START = [sys.executable, "-c", "from vernissage.cli.main import main; main()"]


def texts(count: int) -> list[str]:
    """Texts of five words each, some of those that head lists among them so that every encoder knows them."""
    random = np.random.default_rng(0)
    common = [" ".join(random.choice(WORDS, 5, replace=False)) for _ in range(count)]
    return [*common, *(f"{word} {other}" for word, other in itertools.permutations(HEADING, 2))]


@contextmanager
def served(workspace: Path, database: Sequence[str]) -> Iterator[str]:
    """The address of a server that lasts as long as the block."""
    command = [*_START, "serve", str(workspace), "--port", "0", *database]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"at (http://\S+/);", line):
                threading.Thread(target=process.stdout.read, daemon=True).start()
                yield f"{found[1]}api/v1"
                return
        raise SystemExit("the server did not start")
    finally:
        process.terminate()
        process.wait()


def recommended(client: httpx.Client, server: str) -> list[str]:
    """What a server recommends to somebody who uploaded the words that head lists."""
    answer = client.get(f"{server}/people/dora/recommendations", params={"limit": ASKED})
    answer.raise_for_status()
    return [each["id"] for each in answer.json()["works"] if not each["key"].startswith("w")]


class Asking(threading.Thread):
    """A client that asks two servers in turns until it is stopped."""

    def __init__(self, servers: Sequence[str], pause: float) -> None:
        super().__init__(daemon=True)
        self.servers, self.pause, self.over = servers, pause, threading.Event()
        self.seconds: list[float] = []
        self.errors: list[str] = []
        self.found: dict[str, float] = {}

    def run(self) -> None:
        with httpx.Client(timeout=30) as client:
            for turn in itertools.count():
                if self.over.wait(self.pause):
                    return
                server, began = self.servers[turn % 2], time.monotonic()
                try:
                    names = recommended(client, server)
                    client.get(f"{server}/search", params={"q": WORDS[turn % len(WORDS)]}).raise_for_status()
                except httpx.HTTPError as error:
                    self.errors.append(str(error))
                    continue
                now = time.monotonic()
                self.seconds.append((now - began) / 2)
                if turn % 2:
                    for name in names:
                        self.found.setdefault(name, now)


def put(folder: Path, count: int, rate: float) -> dict[str, float]:
    """Rename so many files into a folder, evenly at a rate; when, for those that head lists."""
    orders, given, began = itertools.permutations(HEADING), {}, time.monotonic()
    next(orders)  # the words of dora herself, of which others would be copies
    every = max(1, count // (ASKED // 2))
    rows = texts(count)
    for number in range(count):
        name, heads = f"{number:06d}.txt", number % every == 0
        (folder / f".{name}").write_text(" ".join(next(orders)) if heads else f"{rows[number]} {number}")
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        (folder / f".{name}").rename(folder / name)
        if heads:
            given[name] = time.monotonic()
    return given


def measured(works: int, rate: float, pause: float, database: Sequence[str], folder: Path) -> dict[str, Any]:
    """What came of both parts."""
    table = folder / "gallery" / "works.csv"
    table.parent.mkdir()
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "description"), *((f"w{n}", each) for n, each in enumerate(texts(2_000)))])
    workspace, incoming = folder / "workspace", folder / "incoming"
    incoming.mkdir()
    subprocess.run([*_START, "build", str(table), "-o", str(workspace), "--encoder", "lsa"], check=True)
    upload = [*_START, "person", "upload", str(workspace), "dora", "--text", " ".join(HEADING), *database]
    subprocess.run(upload, check=True)
    with ExitStack() as stack:
        first, second = (stack.enter_context(served(workspace, database)) for _ in range(2))
        client = stack.enter_context(httpx.Client(timeout=30))
        recommended(client, first)
        before, delays = set(recommended(client, second)), []
        for words in itertools.islice(itertools.permutations(HEADING), 10_000, 10_000 + UPLOADED):
            began, sent = time.monotonic(), {"texts": [" ".join(words)], "shared": "true"}
            client.post(f"{first}/people/eve/uploads", data=sent).raise_for_status()
            delays.append(_new(client, second, before, began))
        asking = Asking((first, second), pause)
        asking.start()
        command = [*_START, "watch", str(workspace), str(incoming), "--owner", "newsroom", *database]
        watch = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        told = watch.stderr
        assert told is not None
        (incoming / "first.txt").write_text(WORDS[0])
        while " in all" not in told.readline():  # imports and encoders are loaded by then
            pass
        began = time.monotonic()
        lines: list[tuple[float, int]] = []

        def follow() -> None:
            for line in told:
                for count in re.findall(r"(\d+) in all", line):
                    lines.append((time.monotonic() - began, int(count) - 1))  # noqa: PERF401  # as they come

        threading.Thread(target=follow, daemon=True).start()
        given = put(incoming, works, rate)
        while (not lines or lines[-1][1] < works) and watch.poll() is None and time.monotonic() - began < 540:
            time.sleep(0.05)
        time.sleep(3)
        asking.over.set()
        asking.join()
        watch.terminate()
        watch.wait()
    fresh = [(given[name] - began, asking.found[name] - given[name]) for name in given if name in asking.found]
    return {
        "works": works,
        "rate": rate,
        "host_s": delays,
        "taken": lines,
        "fresh": fresh,
        "lost": len(given) - len(fresh),
    } | {
        "asked": 2 * len(asking.seconds),
        "errors": asking.errors,
        "answer_s": asking.seconds,
        "load": os.getloadavg()[0],
    }


def _new(client: httpx.Client, server: str, before: set[str], since: float) -> float:
    """Seconds until a server recommends something that it did not before, which joins ``before``."""
    while not (new := set(recommended(client, server)) - before):
        if time.monotonic() - since > 60:
            raise SystemExit("nothing new was recommended for a minute")
        time.sleep(0.01)
    before |= new
    return time.monotonic() - since


def draw(found: dict[str, Any], place: Path) -> None:
    """Plot how many were taken in and how long each that is seen took."""
    import matplotlib.pyplot as plt

    figure, (upper, lower) = plt.subplots(2, 1, sharex=True, figsize=(7, 5))
    upper.plot([0, found["works"] / found["rate"]], [0, found["works"]], "--", label="put into the folder")
    upper.step(
        [0, *(x for x, _ in found["taken"])], [0, *(y for _, y in found["taken"])], where="post", label="taken in"
    )
    upper.set_ylabel("works")
    upper.legend()
    lower.plot(*zip(*found["fresh"], strict=True), "o", markersize=3)
    lower.set_ylabel("seconds until\nanother server finds it")
    lower.set_xlabel("seconds")
    lower.set_ylim(bottom=0)
    figure.tight_layout()
    figure.savefig(place)


def main() -> None:
    """Print one table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=100.0, help="files a second")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between two questions of the client")
    parser.add_argument("--database")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        place = ["--database", options.database] if options.database else []
        found = measured(options.works, options.rate, options.pause, place, Path(name))
    if options.plot:
        draw(found, options.plot)
    if options.json:
        print(json.dumps(found))
        return

    def told(values: Sequence[float]) -> str:
        return f"median {np.median(values):.2f} s, 95 % {np.quantile(values, 0.95):.2f} s, longest {max(values):.2f} s"

    ended = found["taken"][-1]
    print(f"upload on one server until another recommends it: {told(found['host_s'])}")
    print(f"file put into the folder until a server recommends it: {told([each for _, each in found['fresh']])}")
    rate = ended[1] / ended[0]
    print(f"taken in: {ended[1]} works in {ended[0]:.1f} s, {rate:.0f} a second; never seen: {found['lost']}")
    print(f"asked meanwhile: {found['asked']} times, {len(found['errors'])} errors, {told(found['answer_s'])}")
    print(f"load {found['load']:.1f}")


if __name__ == "__main__":
    main()
