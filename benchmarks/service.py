"""CPU of the server for each request and requests per second, beside a FAISS loop, a constant answer and Flask.

In one run: `vernissage serve` on works with random vectors of one encoder; a loop over FAISS Flat without any server; a
FastAPI application that always answers with the bytes of a recommendation; and a Flask application behind waitress
that recommends as the papers' released engines do (rows of a similarity matrix, a sort in Python, a data frame) and
answers with ids, titles, artists, years and scores alone. Rows of its matrix are made beforehand for the
works that are rated here, and are not timed. All servers run with one thread for numbers, and the load generator keeps
to one core. Requests differ, but for `again`, which repeats a few. The works have no
pictures, so thumbnails are not measured. Needs psutil, flask and waitress.

Run: python benchmarks/service.py [--works 2000 20000 100000] [--clients 1 16] [--workers 1 2] [--quick]
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import faiss
import numpy as np
import psutil

from opening import ENCODER, make
from vernissage.workspace.workspace import Workspace, open_workspace

DIM, RATED, SHOWN, POOL, AGAIN, PATIENCE = 512, 9, 9, 200, 10, 120.0
Call = tuple[str, str, bytes]
"""Method, address and body."""


def asked(ids: Sequence[str]) -> dict[str, list[Call]]:
    """Requests of each kind, the same in every run; those for works are rated from the first `POOL`."""
    random = np.random.default_rng(2)
    pool, words = ids[:POOL], ("boat", "harbour", "rose", "bridge", "mountain", "child", "storm", "garden")
    bodies = []
    for _ in range(5_000):
        rated = {pool[row]: int(random.integers(2, 6)) for row in random.choice(len(pool), RATED, replace=False)}
        bodies.append(json.dumps({"ratings": rated, "limit": SHOWN, "rule": "linear"}).encode())
    recommend = [("POST", "/api/v1/recommendations", body) for body in bodies]
    queries = [urlencode({"q": f"a {one} and a {two} {n}"}) for n in range(60) for one in words for two in words]
    return {
        "recommend": recommend,
        "again": recommend[:AGAIN],
        "similar": [("GET", f"/api/v1/works/{each}/similar?limit={SHOWN}", b"") for each in ids[:2_000]],
        "search": [("GET", f"/api/v1/search?{each}&limit={SHOWN}", b"") for each in queries],
    }


@contextmanager
def server(*command: str) -> Iterator[tuple[int, psutil.Process, float]]:
    """A server of one's own on a free port: the port, its process, and the seconds until it answered."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    variables["VERNISSAGE_REQUESTS_PER_SECOND"] = "100000"
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, *command, str(port)], env=variables, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                send(http.client.HTTPConnection("127.0.0.1", port), ("GET", "/readyz", b""))
                break
            except ConnectionError:
                if time.monotonic() - began > PATIENCE or process.poll() is not None:
                    raise
                time.sleep(0.02)
        yield port, psutil.Process(process.pid), time.monotonic() - began
    finally:
        process.terminate()
        process.wait(PATIENCE)


def send(connection: http.client.HTTPConnection, call: Call) -> bytes:
    """What a server answers; raises where it refuses."""
    method, address, body = call
    connection.request(method, address, body or None, {"Content-Type": "application/json"} if body else {})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{method} {address} answered {answer.status}: {content[:300]!r}")
    return content


def load(port: int, process: psutil.Process, calls: Sequence[Call], clients: int, seconds: float) -> str:
    """Send requests one after another from so many clients; a line of figures."""
    taken: list[list[float]] = [[] for _ in range(clients)]
    for call in calls[-3:]:
        send(http.client.HTTPConnection("127.0.0.1", port), call)

    def client(number: int) -> None:
        connection, at = http.client.HTTPConnection("127.0.0.1", port), number
        while time.monotonic() < ends:
            started = time.perf_counter()
            send(connection, calls[at % len(calls)])
            taken[number].append(time.perf_counter() - started)
            at += clients

    used, began = cpu_of(process), time.monotonic()
    ends = began + seconds
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed, cpu = time.monotonic() - began, cpu_of(process) - used
    every = 1_000 * np.concatenate([np.array(each) for each in taken])
    p50, p95, p99 = np.percentile(every, (50, 95, 99))
    return (
        f"{1_000 * cpu / len(every):9.2f} ms CPU {len(every) / passed:8.0f}/s  "
        f"p50 {p50:7.1f}  p95 {p95:7.1f}  p99 {p99:7.1f} ms"
    )


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process and its workers."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def faiss_loop(workspace: Workspace, calls: Sequence[Call]) -> str:
    """Exact search for the same ratings, without a server or reasons."""
    table = workspace.table(ENCODER, "image")
    vectors = np.ascontiguousarray(table.vectors)
    index = faiss.IndexFlatIP(DIM)
    index.add(vectors)
    faiss.omp_set_num_threads(1)
    queries = []
    for _, _, body in calls[:100]:
        ratings = json.loads(body)["ratings"]
        rows = table.item_ids.rows(list(ratings))
        queries.append(np.array(list(ratings.values()), dtype=np.float32)[None] @ vectors[rows])
    began = time.process_time()
    for query in queries:
        index.search(query, SHOWN + RATED)
    return f"{1_000 * (time.process_time() - began) / len(queries):9.2f} ms CPU"


def ready() -> dict[str, str]:
    """That a server answers."""
    return {}


def serve_constant(answer: str, port: int) -> None:
    """A FastAPI application that knows one answer."""
    import uvicorn
    from fastapi import Body, FastAPI, Response

    app, content = FastAPI(), Path(answer).read_bytes()
    app.add_api_route("/readyz", ready)

    def constant(ratings: dict[str, int] = Body(embed=True)) -> Response:  # noqa: ARG001, B008  (is parsed, as there)
        return Response(content, media_type="application/json")

    app.add_api_route("/api/v1/recommendations", constant, methods=["POST"])
    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def serve_flask(place: str, port: int) -> None:
    """The papers' engines behind a production WSGI server."""
    import pandas as pd
    import waitress
    from flask import Flask, jsonify, request

    workspace = open_workspace(Path(place))
    table, app = workspace.table(ENCODER, "image"), Flask("papers")
    frame = pd.DataFrame([(each.id, each.title, each.artist, each.year) for each in workspace.collection.items])
    frame.columns = pd.Index(["id", "title", "artist", "year"])
    row_of, ids = {each: row for row, each in enumerate(frame["id"])}, list(table.item_ids)
    order = [row_of[each] for each in ids]
    pool = list(workspace.collection.ids[:POOL])
    matrix = dict(zip(pool, table.vectors[table.item_ids.rows(pool)] @ table.vectors.T, strict=True))

    def recommend() -> object:
        ratings = request.get_json()["ratings"]
        scores = sum(rating * matrix[each] for each, rating in ratings.items()) / len(ratings)
        ranked = sorted(enumerate(scores), key=lambda pair: pair[1], reverse=True)
        best = [(place, score) for place, score in ranked[: SHOWN + RATED] if ids[place] not in ratings][:SHOWN]
        works = [frame.iloc[order[place]].to_dict() | {"score": float(score)} for place, score in best]
        return jsonify({"works": works})

    app.add_url_rule("/readyz", view_func=ready)
    app.add_url_rule("/api/v1/recommendations", view_func=recommend, methods=["POST"])
    waitress.serve(app, host="127.0.0.1", port=port, threads=4)


def compare(count: int, folder: Path, clients: Sequence[int], workers: Sequence[int], seconds: float) -> None:
    """Print the figures of a collection of so many works."""
    place, answer = folder / f"works-{count}", folder / "answer.json"
    make(place, count, DIM)
    workspace = open_workspace(place)
    calls = asked(list(workspace.collection.ids[:2_000]))
    print(f"{count:,} works × {DIM}")
    print(f"  {'FAISS loop':28}{faiss_loop(workspace, calls['recommend'])}", flush=True)
    for number in workers:
        options = ["serve", str(place), "--workers", str(number), "--port"]
        with server("-c", "from vernissage.cli.main import main; main()", *options) as (port, process, began):
            print(f"  ready after {began:.1f} s; {number} worker(s)")
            answer.write_bytes(send(http.client.HTTPConnection("127.0.0.1", port), calls["recommend"][0]))
            for kind, some in calls.items():
                for many in clients:
                    print(f"  {kind:14}{many:3} client(s)   {load(port, process, some, many, seconds)}", flush=True)
            memory = sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
            print(f"  memory {memory / 1e6:,.0f} MB", flush=True)
    for name, given in (("constant", answer), ("flask", place)):
        with server(__file__, f"--{name}", str(given)) as (port, process, _):
            for many in clients:
                print(f"  {name:14}{many:3} client(s)   {load(port, process, calls['recommend'], many, seconds)}")


def main() -> None:
    """Serve one of the others, or compare all."""
    if sys.argv[1] in ("--constant", "--flask") if len(sys.argv) == 4 else False:
        (serve_constant if sys.argv[1] == "--constant" else serve_flask)(sys.argv[2], int(sys.argv[3]))
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--works", type=int, nargs="+", default=[2_000, 20_000, 100_000])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=10.0, help="Of each measurement.")
    parser.add_argument("--quick", action="store_true", help="2,000 and 20,000 works, one worker, 2 seconds each.")
    given = parser.parse_args()
    if given.quick:
        given.works, given.workers, given.seconds = [2_000, 20_000], [1], 2.0
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with TemporaryDirectory() as folder:
        for count in given.works:
            compare(count, Path(folder), given.clients, given.workers, given.seconds)


if __name__ == "__main__":
    main()
