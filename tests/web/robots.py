"""Robots that take part in a study over HTTP, many at a time: `python -m tests.web.robots --participants 200`.

They send no flag: to the server they are participants like all others. Without --workspace a toy gallery is built.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from tests.galleries import toy_gallery
from tests.web.serving import run_command, served
from tests.web.walking import Walker, loaded_by, steady

from vernissage.storage.database import open_database
from vernissage.study.definition import definition_template, read_definition
from vernissage.study.export import export_tables
from vernissage.study.records import StudyRecords
from vernissage.workspace.build import build_workspace

ENGINES = ("lda", "lsa", "colour-texture", "late-total")


@dataclass(frozen=True)
class Load:
    """How a server did.

    Attributes:
        completed: how many robots saw the last page.
        pages: seconds of each page, from the request to the last byte, redirects included; ``pictures`` likewise.
        firsts: engine → how many began with it.
        rows: of the long table; ``distinct`` of them (participant, engine, repetition).
    """

    completed: int
    seconds: float
    pages: Sequence[float]
    pictures: Sequence[float]
    firsts: dict[str, int]
    rows: int
    distinct: int

    def __str__(self) -> str:
        p50, p95, p99 = (1000 * float(np.quantile(self.pages, share)) for share in (0.5, 0.95, 0.99))
        pictures = 1000 * float(np.quantile(self.pictures, 0.95)) if self.pictures else 0.0
        return (
            f"{self.completed} completed in {self.seconds:.1f} s; {len(self.pages)} pages, median {p50:.0f} ms, "
            f"p95 {p95:.0f} ms, p99 {p99:.0f} ms, slowest {1000 * max(self.pages):.0f} ms; {len(self.pictures)} pictures, "
            f"p95 {pictures:.0f} ms; first engines {self.firsts}; {self.rows} rows, {self.distinct} distinct"
        )


class _Timed(httpx.Client):
    """A client that notes how long each request took."""

    def __init__(self, address: str) -> None:
        super().__init__(base_url=address, timeout=60)
        self.pages: list[float] = []
        self.pictures: list[float] = []

    def request(self, method: str, url: httpx.URL | str, **options: object) -> httpx.Response:
        begun = time.perf_counter()
        answer = super().request(method, url, **options)  # type: ignore[arg-type]
        (self.pictures if "/pictures/" in str(url) else self.pages).append(time.perf_counter() - begun)
        return answer


def run_robots(address: str, study: Path, database: str | Path, *, participants: int, at_once: int) -> Load:
    """Let robots take part, so many at once, and look at what is kept afterwards."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        clients = list(pool.map(lambda number: _take_part(address, number), range(participants)))
    seconds = time.perf_counter() - begun
    opened = open_database(database)
    try:
        records = StudyRecords(opened, read_definition(study))
        overview = records.overview()
        long = next(table for table in export_tables(records) if table.name == "long")
    finally:
        opened.close()
    return Load(
        overview.finished,
        seconds,
        [each for client in clients for each in client.pages],
        [each for client in clients for each in client.pictures],
        dict(overview.first_engines),
        len(long.rows),
        len(Counter(row[:3] for row in long.rows)),
    )


def _take_part(address: str, number: int) -> _Timed:
    name = f"robot-{number:04}"
    with _Timed(address) as client:
        walker = Walker(client, steady(name))
        page, seen = walker.begin(f"?PROLIFIC_PID={name}"), set[str]()
        while page.url.path != "/study/thanks":
            # As a browser does: each picture once, the small ones.
            shown = [each for each in loaded_by(page) if each.endswith("thumbnail.jpg") and each not in seen]
            for picture in shown:
                assert walker.get(picture).status_code == 200
            seen.update(shown)
            page = walker.send(page)
            assert page.status_code == 200, page.text
    return client


def study_with_robots(
    folder: Path, database: str | None, *, workspace: Path | None = None, participants: int, at_once: int
) -> Load:
    """Serve a study of a workspace (default: ``workspace`` in the folder) and let robots take part.

    ``database`` is where answers are kept, a URL or a file; None: a file in the folder.
    """
    workspace = workspace or folder / "workspace"
    study = folder / "study.toml"
    study.write_text(definition_template(study.name, name="robots", engines=ENGINES, asked=9), "utf-8")
    place = database or str(folder / "answers.db")
    print(run_command("study", "check", study, workspace))
    with served(workspace, study, "--database", place) as (address, _):
        return run_robots(address, study, place, participants=participants, at_once=at_once)


def main() -> None:
    parser = argparse.ArgumentParser(description="Let robots take part in a study.")
    parser.add_argument("--participants", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--workspace", type=Path, help="a workspace with lda, lsa and colour-texture; default: a toy")
    parser.add_argument("--database", help="a PostgreSQL URL; default: SQLite")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace = given.workspace or folder / "workspace"
        if given.workspace is None:
            build_workspace(toy_gallery(folder / "gallery"), workspace)
        load = study_with_robots(
            folder, given.database, workspace=workspace, participants=given.participants, at_once=given.at_once
        )
    print(load)


if __name__ == "__main__":
    main()
