"""The service under load: CPU of the server a request, requests a second and times, beside three other ways.

Clients on loopback ask in a closed loop from one core, 1 and 16 at once, for recommendations (nine ratings → nine
works; all different, and the same again), similar works, search by words and thumbnails. Beside `vernissage serve`
stand a FAISS loop over the same vectors, in process; a constant answer of equal size by FastAPI; and a minimal Flask
service under waitress that answers as the papers' released engines do: rows of the matrix, made beforehand and given
for free, Python's sort, the same JSON without reasons. Workspaces are written directly (see `opening`).

CPU is user and system time of the server's processes: it is what others on the machine disturb least. Seconds until
/readyz answers and memory after the first tenth and at the end of all requests are printed too.

Run: python benchmarks/service.py [--works 2000 20000 100000] [--workers 1 2] [--requests 300] [--quick]
"""

import argparse
import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import faiss
import numpy as np
from PIL import Image

import opening
from measuring import cpu_seconds
from vernissage.files import digest
from vernissage.gallery.gallery import open_gallery
from vernissage.search.lexical import LexicalIndex
from vernissage.search.moments import Sums, save_moments
from vernissage.search.scan import build_byte_scan
from vernissage.workspace.index_choice import SCANNED_FROM
from vernissage.workspace.workspace import open_workspace

DIM, RATED, SHOWN, POOL, CLIENTS = 512, 9, 9, 60, (1, 16)
PAYLOAD = "VERNISSAGE_BENCHMARK_PAYLOAD"
NOUNS = ("boat", "harbour", "rose", "bridge", "mountain", "child", "storm")
CORES, SEEDS = os.sched_getaffinity(0), count(1)
HEADERS = {"Content-Type": "application/json"}


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    body: bytes = b""


def make(path: Path, works: int) -> None:
    """A workspace with what a build would have prepared: byte scan, moments, index of words, one picture for all."""
    Image.effect_noise((1600, 1200), 64).convert("RGB").save(path / "picture.jpg")
    shown = {"picture": "picture.jpg", "picture_digest": digest((path / "picture.jpg").read_bytes())}
    plain = opening.works
    opening.works = lambda number: (replace(item, **shown) for item in plain(number))
    opening.make(path, works, DIM)
    opening.works = plain
    workspace = open_workspace(path)
    table, stem = workspace.table(opening.ENCODER, "image"), path / "indexes" / f"{opening.ENCODER}.image-benchmark"
    stem.parent.mkdir(exist_ok=True)
    if table.vectors.size >= SCANNED_FROM:
        build_byte_scan(table.vectors, table.card.values).save(stem.with_name(f"{stem.name}.npz"))
        moments = Sums.zero(DIM).plus(table.vectors).moments
        save_moments(stem.with_name(f"{stem.name}.moments.npz"), moments, table.card.values)
    file = path / workspace.manifest.lexicon
    LexicalIndex.of(workspace.collection, workspace.word_counts.language).save(file, file.stem)


def pool(workspace: Path) -> list[str]:
    """The works that are rated, spread over the collection."""
    ids = open_workspace(workspace).collection.ids
    return [ids[row] for row in range(0, len(ids), len(ids) // POOL)][:POOL]


def ratings(rated: Sequence[str], drawn: random.Random) -> Iterator[dict[str, int]]:
    """What one visitor after the other rates."""
    while True:
        yield {item_id: drawn.randint(2, 5) for item_id in drawn.sample(rated, RATED)}


def requests_of(workspace: Path) -> dict[str, Iterator[Asked]]:
    """Endless requests by what they ask for; each call begins others, so that no answer is known already."""
    ids, seed, root = open_workspace(workspace).collection.ids, next(SEEDS), "/api/v1"
    with open_gallery(workspace, writing=False) as gallery:
        picture = gallery[ids[0]].picture_digest[:32]
    drawn = random.Random(seed)
    recommended = ratings(pool(workspace), drawn)
    one = next(recommended)

    def recommending(given: Callable[[], dict[str, int]]) -> Iterator[Asked]:
        while True:
            body = json.dumps({"ratings": given(), "limit": SHOWN}).encode()
            yield Asked("POST", f"{root}/recommendations", body)

    def one_of(row: int) -> str:
        return ids[(seed * 577 + row * 37) % len(ids)]

    return {
        "recommend": recommending(lambda: next(recommended)),
        "recommend again": recommending(lambda: one),
        "similar": (Asked("GET", f"{root}/works/{one_of(row)}/similar?limit={SHOWN}") for row in count()),
        "search": (Asked("GET", f"{root}/search?q={'+'.join(drawn.sample(NOUNS, 2))}+{seed}-{row}") for row in count()),
        "thumbnail": (Asked("GET", f"{root}/thumbnails/{picture}/320.jpg") for _ in count()),
    }


# Servers


@contextmanager
def running(command: Sequence[str], **environment: str) -> Iterator[tuple[subprocess.Popen[str], int, float]]:
    """A server as a process, its port, and the seconds until /readyz answered."""
    began = time.perf_counter()
    told = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=told)
    os.sched_setaffinity(process.pid, CORES)
    try:
        assert process.stdout is not None
        line = next((line for line in process.stdout if re.search(r"http://\S+:\d+", line)), "")
        found = re.search(r"http://\S+:(\d+)", line)
        assert found, "the server did not start"
        port = int(found[1])
        threading.Thread(target=process.stdout.read, daemon=True).start()
        while not ready(port):
            time.sleep(0.02)
        yield process, port, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(60)


def ready(port: int) -> bool:
    """Whether a server answers."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False


def processes(root: int) -> list[int]:
    """A process and all below it (Linux)."""
    found = [root]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def cpu_of(root: int) -> float:
    """CPU seconds of a process and all below it."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in processes(root)]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def memory_of(root: int) -> float:
    """Megabytes of a process and all below it that are no mapped files."""
    lines = [Path(f"/proc/{pid}/status").read_text() for pid in processes(root)]
    return sum(int(found[1]) for each in lines if (found := re.search(r"RssAnon:\s+(\d+)", each))) / 1000


def serve_constant() -> None:
    """The answer of a file, by FastAPI."""
    import uvicorn
    from fastapi import FastAPI, Response

    app, content = FastAPI(), Path(os.environ[PAYLOAD]).read_bytes()

    @app.post("/api/v1/recommendations")
    def constant() -> Response:
        return Response(content, media_type="application/json")

    @app.get("/readyz")
    def readyz() -> str:
        return "ok"

    with listening() as listener:
        uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])


def serve_flask(workspace: Path) -> None:
    """The papers' way: rows of the matrix by Python's sort, under a production server."""
    import pandas as pd
    from flask import Flask, jsonify, request
    from waitress import serve

    opened = open_workspace(workspace)
    vectors = np.asarray(opened.table(opening.ENCODER, "image").vectors)
    rows = {item_id: vectors @ vectors[opened.collection.ids.row(item_id)] for item_id in pool(workspace)}
    frame = pd.DataFrame([{"id": item.id, "title": item.title, "artist": item.artist, "year": item.year,
                           "description": item.description} for item in opened.collection])  # fmt: skip
    app = Flask(__name__)

    @app.post("/api/v1/recommendations")
    def recommend() -> Any:
        given = request.get_json()["ratings"]
        rated = [int(frame.loc[frame["id"] == item_id].index[0]) for item_id in given]
        weights = np.array(list(given.values()), dtype=float) / 5
        scores = np.sum(weights[:, None] * np.stack([rows[item_id] for item_id in given]), axis=0) / len(rated)
        scores[rated] = -np.inf
        best = sorted(range(len(scores)), key=lambda row: scores[row], reverse=True)[:SHOWN]
        return jsonify(works=[{**frame.iloc[row].to_dict(), "score": float(scores[row])} for row in best])

    @app.get("/readyz")
    def readyz() -> str:
        return "ok"

    with listening() as listener:
        serve(app, sockets=[listener], threads=4, _quiet=True)


@contextmanager
def listening() -> Iterator[Any]:
    """A socket at a free port, which is printed."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print(f"at http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        yield listener


# Load


def load(port: int, asked: Iterator[Asked], number: int, clients: int) -> tuple[list[float], float]:
    """Seconds of each of so many requests by clients in a closed loop, and of all together."""
    turn, took, failed = threading.Lock(), list[float](), list[object]()
    waiting = iter([next(asked) for _ in range(number)])

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            with turn:
                each = next(waiting, None)
            if each is None:
                return
            began = time.perf_counter()
            connection.request(each.method, each.path, each.body or None, HEADERS)
            answer = connection.getresponse()
            content = answer.read()
            took.append(time.perf_counter() - began)
            if answer.status != 200:
                failed.append((each, answer.status, content[:200]))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[0]
    assert len(took) == number, "a client ended early"
    return took, time.perf_counter() - began


def measured(name: str, process: int, port: int, asked: Iterator[Asked], number: int, clients: int) -> float:
    """Print one row of the table; CPU seconds a request."""
    load(port, asked, max(2, number // 10), clients)
    before = cpu_of(process)
    took, whole = load(port, asked, number, clients)
    cpu = (cpu_of(process) - before) / number
    p50, p95, p99 = (1000 * float(np.quantile(took, each)) for each in (0.5, 0.95, 0.99))
    print(
        f"| {name} | {clients} | {number / whole:.0f} | {p50:.1f} | {p95:.1f} | {p99:.1f} | {1000 * cpu:.2f} |",
        flush=True,
    )
    return cpu


def compare(workspace: Path, works: int, workers: Sequence[int], number: int) -> None:
    """The table of one size, and the ratios."""
    print(f"\n{works:,} works\n\n| | clients | requests/s | p50 ms | p95 ms | p99 ms | CPU ms a request |")
    print("|---|---|---|---|---|---|---|")
    cpu, starts, memory = dict[str, float](), list[str](), list[str]()
    with TemporaryDirectory() as folder:
        payload = Path(folder) / "payload.json"
        for several in workers:
            command = [sys.executable, "-c", "from vernissage.cli.main import main; main()", "serve", str(workspace)]
            command += ["--port", "0", "--workers", str(several), "--requests-per-second", "1000000"]
            with running(command) as (process, port, seconds):
                starts.append(f"{seconds:.1f} s with {several}")
                early = 0.0
                for clients in CLIENTS:
                    for name, asked in requests_of(workspace).items():
                        found = measured(f"{name}, workers {several}", process.pid, port, asked, number, clients)
                        cpu.setdefault(name, found)
                        early = early or memory_of(process.pid)
                memory.append(f"{early:.0f} → {memory_of(process.pid):.0f} MB with {several}")
                if several == workers[0]:
                    connection = http.client.HTTPConnection("127.0.0.1", port)
                    connection.request(*next(requests_of(workspace)["recommend"]), HEADERS)
                    payload.write_bytes(connection.getresponse().read())
        for name in ("constant", "flask"):
            command = [sys.executable, __file__, "--as", name, "--workspace", str(workspace)]
            with running(command, **{PAYLOAD: str(payload)}) as (process, port, _):
                for clients in CLIENTS:
                    asked = requests_of(workspace)["recommend"]
                    few = number if name == "constant" else max(20, number // 4)
                    found = measured(name, process.pid, port, asked, few, clients)
                    cpu.setdefault(name, found)
    vectors = np.ascontiguousarray(open_workspace(workspace).table(opening.ENCODER, "image").vectors)
    flat = faiss.IndexFlatIP(DIM)
    flat.add(vectors)
    faiss.omp_set_num_threads(1)
    search = cpu_seconds({"faiss": lambda: [flat.search(vectors[row : row + 1], SHOWN + RATED) for row in range(20)]})
    cpu["faiss"] = search["faiss"] / 20
    print(f"\nFAISS flat, in process: {1000 * cpu['faiss']:.2f} ms. Start until /readyz: {', '.join(starts)} workers.")
    print(f"Memory that is no file, after the first requests and the last: {', '.join(memory)} workers.")
    goal = cpu["faiss"] + 2 * cpu["constant"]
    print(f"recommend / (FAISS + 2 x constant): {cpu['recommend'] / goal:.2f}")
    print(f"Flask / recommend: {cpu['flask'] / cpu['recommend']:.2f}")


def main() -> None:
    """Make the workspaces and print a table for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, nargs="+", default=[2_000, 20_000, 100_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--quick", action="store_true", help="2,000 works, one worker, 150 requests of each kind")
    parser.add_argument("--as", dest="role", choices=("constant", "flask"), help=argparse.SUPPRESS)
    parser.add_argument("--workspace", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        serve_constant() if options.role == "constant" else serve_flask(options.workspace)
        return
    os.sched_setaffinity(0, {min(CORES)})
    sizes, workers, number = options.works, options.workers, options.requests
    if options.quick:
        sizes, workers, number = [2_000], [1], 150
    for works in sizes:
        with TemporaryDirectory(prefix="vernissage-service-") as folder:
            make(Path(folder), works)
            compare(Path(folder), works, workers, number)


if __name__ == "__main__":
    main()
