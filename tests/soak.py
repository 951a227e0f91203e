"""A long mixed load on `vernissage serve --workers 2`: nothing fails, memory stays flat, and nothing told is lost.

By itself: ``python -m tests.soak --minutes 10 --plot FOLDER``.
"""

import argparse
import io
import os
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import matplotlib
import numpy as np
import psutil
from PIL import Image

from tests.galleries import toy_gallery
from tests.web.serving import PATIENCE, served
from vernissage.workspace.build import build_workspace

_CLIENTS = 3
_PEOPLE = 5  # of each client, who alone writes for them: what was acknowledged is then what must be there
_MOST_UPLOADS = 6
_SAMPLES_EVERY = 5.0
_WARM_UP = 180  # seconds in which answers and decoded works fill what is kept of them
_MEGABYTES_A_MINUTE = 5  # of two workers, whose answers are kept up to 32 MB each
_COMPARED = 10
_WORKS = [f"w{number:03d}" for number in range(64)]
_SHARES = {"recommend": 20, "similar": 20, "search": 15, "thumbnail": 20, "person": 8, "upload": 5, "rate": 15}
_SHARES |= {"event": 10, "remove": 4, "forget": 1}


@dataclass
class Load:
    """What was asked: seconds of each request by kind, when each ended, what failed, and megabytes by second."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    ends: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, float]] = field(default_factory=list)


class _Client(threading.Thread):
    """Asks one thing after another, and keeps what the server acknowledged."""

    def __init__(self, number: int, address: str, load: Load, until: float) -> None:
        super().__init__()
        self._random, self._load, self._until = np.random.default_rng(number), load, until
        self._http = httpx.Client(base_url=f"{address}/api/v1", timeout=PATIENCE)
        self.ratings: dict[str, dict[str, float]] = {f"p{number}-{each}": {} for each in range(_PEOPLE)}
        self.uploads: dict[str, dict[str, str]] = {person: {} for person in self.ratings}  # upload: its job
        self._last: tuple[str, str] | None = None
        self._picture = ""

    def run(self) -> None:
        kinds, weights = list(_SHARES), np.array(list(_SHARES.values())) / sum(_SHARES.values())
        while time.monotonic() < self._until:
            kind = str(self._random.choice(kinds, p=weights))
            try:
                getattr(self, f"_{kind}")(str(self._random.choice(list(self.ratings))))
            except Exception as error:  # a client that dies silently would lessen the load and hide the failure
                self._load.failures[f"{kind}: {error!r}"[:300]] += 1

    def _ask(self, kind: str, method: str, path: str, **how: Any) -> httpx.Response:
        start = time.monotonic()
        answer = self._http.request(method, path, **how)
        self._load.ends.append(time.monotonic())
        self._load.seconds[kind].append(self._load.ends[-1] - start)
        if not answer.is_success:
            raise RuntimeError(f"{answer.status_code} {answer.text}")
        return answer

    def _work(self) -> str:
        return str(self._random.choice(_WORKS))

    def _recommend(self, _: str) -> None:
        answer = self._ask(
            "recommend", "POST", "/recommendations", json={"ratings": {self._work(): 5}, "limit": 6}
        ).json()
        self._last = answer["recommendation_id"], answer["works"][0]["id"]
        self._picture = answer["works"][0]["thumbnail"]["src"]

    def _similar(self, _: str) -> None:
        self._ask("similar", "GET", f"/works/{self._work()}/similar", params={"limit": 6})

    def _search(self, _: str) -> None:
        self._ask("search", "GET", "/search", params={"q": str(self._random.choice(["ship", "rose", "storm at sea"]))})

    def _thumbnail(self, _: str) -> None:
        if self._picture:
            self._ask("thumbnail", "GET", self._picture)

    def _person(self, person: str) -> None:
        if self._ready(person):
            self._ask("person", "GET", f"/people/{person}/recommendations", params={"limit": 6})

    def _ready(self, person: str) -> str:
        """Their oldest upload where its job is done; before that, nothing is recommended or can be removed."""
        upload, job = next(iter(self.uploads[person].items()), ("", ""))
        return upload if job and self._ask("job", "GET", f"/jobs/{job}").json()["state"] == "done" else ""

    def _rate(self, person: str) -> None:
        work, rating = self._work(), float(self._random.integers(1, 6))
        self._ask("rate", "PUT", f"/people/{person}/ratings/{work}", json={"rating": rating})
        self.ratings[person][work] = rating

    def _event(self, _: str) -> None:
        if self._last:
            event = {"kind": "opened", "recommendation_id": self._last[0], "works": [self._last[1]]}
            self._ask("event", "POST", "/events", json={"events": [event]})

    def _upload(self, person: str) -> None:
        if len(self.uploads[person]) >= _MOST_UPLOADS:
            self._remove(person)
            return
        if self._random.random() < 0.5:
            file = io.BytesIO()
            Image.fromarray(self._random.integers(0, 256, (40, 56, 3), dtype=np.uint8)).save(file, "PNG")
            how: dict[str, Any] = {"files": {"pictures": ("a.png", file.getvalue(), "image/png")}}
        else:
            how = {"files": {"texts": (None, f"a storm at sea {self._random.integers(1 << 40)}")}}
        how["headers"] = {"Idempotency-Key": f"{self._random.integers(1 << 60)}"}
        jobs = [self._ask("upload", "POST", f"/people/{person}/uploads", **how).json()]
        if self._random.random() < 0.2:
            jobs.append(self._ask("repeat", "POST", f"/people/{person}/uploads", **how).json())
        if len({job["id"] for job in jobs}) != 1:
            raise RuntimeError("an upload that was sent twice became two jobs")
        self.uploads[person] |= {each["id"]: jobs[0]["id"] for each in jobs[0]["result"]["uploads"]}

    def _remove(self, person: str) -> None:
        if upload := self._ready(person):
            self._ask("remove", "DELETE", f"/people/{person}/uploads/{upload}")
            del self.uploads[person][upload]

    def _forget(self, person: str) -> None:
        if self.ratings[person] or self.uploads[person]:  # nobody is answered 404
            self._ask("forget", "DELETE", f"/people/{person}")
            self.ratings[person], self.uploads[person] = {}, {}


def _told_on(lines: IO[str] | None) -> None:
    """Write what a server says to standard error, until it is closed."""
    with suppress(ValueError):
        for line in lines or ():
            sys.stderr.write(line)


def soak(folder: Path, minutes: float, plot: Path | None = None) -> str:
    """Load a server on a new toy workspace in ``folder``, check it, and give a table of requests.

    Raises:
        AssertionError: something failed, was lost, or memory grew.
    """
    os.environ["VERNISSAGE_REQUESTS_PER_SECOND"] = "1000000"
    workspace, load = folder / "workspace", Load()
    build_workspace(toy_gallery(folder / "gallery"), workspace)
    with served(workspace, None, "--workers", "2") as (address, process):
        # A pipe that nobody reads would stop a server that has much to say.
        threading.Thread(target=_told_on, args=(process.stdout,), daemon=True).start()
        start = time.monotonic()
        clients = [_Client(number, address, load, start + 60 * minutes) for number in range(_CLIENTS)]
        for client in clients:
            client.start()
        while any(client.is_alive() for client in clients):
            load.memory.append((time.monotonic() - start, _megabytes(process.pid)))
            time.sleep(_SAMPLES_EVERY)
        told = {person: (set(c.uploads[person]), c.ratings[person]) for c in clients for person in c.ratings}
        lost = _until_equal(told, lambda: _state(address, told))
        unencoded = {job for c in clients for uploads in c.uploads.values() for job in uploads.values()}
        late = _until_equal(dict.fromkeys(unencoded, "done"), lambda: _jobs(address, unencoded))
        lists = _lists(address, list(told)[:_COMPARED])
    with served(workspace, None, "--workers", "2") as (address, _):
        anew = _lists(address, list(told)[:_COMPARED])
    later = np.array([each for each in load.memory if each[0] >= min(_WARM_UP, 30 * minutes)])
    slope = float(np.polyfit(later[:, 0] / 60, later[:, 1], 1)[0]) if len(later) > 2 else 0.0
    table = _table(load, slope, 60 * minutes)
    print(table, flush=True)
    if plot:
        _draw(load, start, plot)
    assert not load.failures, load.failures.most_common(5)
    assert not lost, f"not as acknowledged: {lost}"
    assert not late, f"jobs that are not done: {late}"
    other = {each: (lists[each], anew.get(each)) for each in lists if lists[each] != anew.get(each)}
    assert not other, f"a server started anew gives other lists: {other}"
    assert minutes < 6 or slope < _MEGABYTES_A_MINUTE, f"memory grows by {slope:.1f} MB a minute"
    return table


def _megabytes(pid: int) -> float:
    """Anonymous resident memory of a process and its children."""
    total = 0
    for each in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        status = Path(f"/proc/{each.pid}/status").read_text("utf-8")
        total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))
    return total / 1024


def _state(address: str, people: Any) -> dict[str, tuple[set[str], dict[str, float]]]:
    with httpx.Client(base_url=f"{address}/api/v1/people", timeout=PATIENCE) as http:
        return {
            each: (
                {upload["id"] for upload in http.get(f"/{each}/uploads").raise_for_status().json()["uploads"]},
                http.get(f"/{each}/ratings").raise_for_status().json()["ratings"],
            )
            for each in people
        }


def _jobs(address: str, jobs: Iterable[str]) -> dict[str, str]:
    """What became of jobs: an upload has a part in lists once its job is done."""
    with httpx.Client(base_url=f"{address}/api/v1/jobs", timeout=PATIENCE) as http:
        return {each: http.get(f"/{each}").raise_for_status().json()["state"] for each in jobs}


def _until_equal(told: dict[str, Any], look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Who differs, as (told, found), once jobs had a minute to end."""
    deadline = time.monotonic() + PATIENCE
    while (found := look()) != told and time.monotonic() < deadline:
        time.sleep(1)
    return {each: (told[each], found[each]) for each in told if told[each] != found[each]}


def _lists(address: str, people: list[str]) -> dict[str, list[str]]:
    """The works for each; why there are none for whoever has nothing, or nothing that speaks for any work."""
    with httpx.Client(base_url=f"{address}/api/v1/people", timeout=PATIENCE) as http:
        answers = {each: http.get(f"/{each}/recommendations?limit=12") for each in people}
    assert all(each.status_code in {200, 400, 404} for each in answers.values()), answers
    content = {each: answer.json() for each, answer in answers.items()}
    return {
        each: [work["id"] for work in told["works"]] if "works" in told else [told["detail"]]
        for each, told in content.items()
    }


def _table(load: Load, slope: float, seconds: float) -> str:
    lines = [f"{'kind':10} {'requests':>9} {'p50 ms':>8} {'p95 ms':>8}"]
    for kind, times in sorted(load.seconds.items()):
        middle, high = np.percentile(times, [50, 95]) * 1000
        lines.append(f"{kind:10} {len(times):9,} {middle:8.1f} {high:8.1f}")
    every = np.concatenate(list(load.seconds.values()))
    lines.append(f"{'all':10} {len(every):9,} {np.median(every) * 1000:8.1f} {np.percentile(every, 95) * 1000:8.1f}")
    lines.append(f"{len(every) / seconds:.1f} requests/s, {load.failures.total()} failures, {slope:+.2f} MB a minute")
    return "\n".join(lines)


def _draw(load: Load, start: float, folder: Path) -> None:
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (above, below) = plt.subplots(2, sharex=True, figsize=(8, 5))
    above.plot(*zip(*load.memory, strict=True))
    above.set_ylabel("RssAnon of all processes [MB]")
    counts, edges = np.histogram(np.array(load.ends) - start, np.arange(0, load.memory[-1][0] + 10, 5))
    below.step(edges[:-1], counts / 5, where="post")
    below.set(xlabel="seconds", ylabel="requests/s")
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "soak.png")
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--plot", type=Path, help="folder for soak.png")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        soak(Path(name), asked.minutes, asked.plot)
