"""Processes that upload, delete and recommend on one workspace at once, and what must be true when they have ended.

Run by hand for longer: python -m tests.workspace.concurrent_people GALLERY --seconds 60 --kills 10 [--database postgresql://…]
"""

import argparse
import os
import random
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.forks import Forks, forks

from vernissage.storage.uploads import get_uploads
from vernissage.values import Allow
from vernissage.workspace.build import build_workspace
from vernissage.workspace.repository import Repository, open_repository
from vernissage.workspace.uploading import Submission, spaces_of

FEWEST = 20
"""What each process does at least, however slowly it starts."""

STOP = "stop"
"""A file beside the workspace that tells them to end."""

_PATIENCE = 60.0
WORDS = ("harbour", "rose", "storm", "bench", "sail", "orchard", "wave", "hedge")


@dataclass(frozen=True)
class Outcome:
    """What they did, from its logs."""

    uploaded: int
    removed: int
    recommended: int
    killed: int
    there: int


def act(workspace: Path, database: str | None, log: Path, owner: str, seed: int) -> None:
    """Upload, delete and recommend until told to stop, and 20 times at least; every line of the log is on the disk before the next action.

    ``+? id`` and ``-? id`` are written before, ``+ id`` and ``- id`` once the change is acknowledged.
    """
    chance = random.Random(seed)
    pictures = sorted((workspace.parent / "gallery" / "images").iterdir())
    repository = open_repository(workspace, database, writing=True)
    mine: list[str] = []
    with log.open("a") as lines:

        def note(line: str) -> None:
            lines.write(f"{line}\n")
            lines.flush()
            os.fsync(lines.fileno())

        number = done = 0
        while not (workspace.parent / STOP).exists() or done < FEWEST:
            done += 1
            draw = chance.random()
            if draw < 0.5 or not mine:
                item_id = f"{owner}-{seed}-{number}"
                number += 1
                picture = chance.choice(pictures) if chance.random() < 0.5 else None
                text = " ".join(chance.sample(WORDS, 3)) if picture is None or chance.random() < 0.5 else ""
                note(f"+? {item_id}")
                repository.upload(owner, [Submission(picture, text=text, id=item_id)])
                note(f"+ {item_id}")
                mine.append(item_id)
            elif draw < 0.75:
                item_id = mine.pop(chance.randrange(len(mine)))
                note(f"-? {item_id}")
                repository.remove([item_id], owner=owner)
                note(f"- {item_id}")
            else:
                repository.refresh()
                _recommend(repository, owner, chance)
                note("r")
    repository.close()


def _recommend(repository: Repository, owner: str, chance: random.Random) -> None:
    for encoder, modality in (("lsa", "text"), ("colour-texture", "image")):
        index = repository.snapshot.index(encoder, modality)
        others = index.count(Allow(not_owner=owner))
        query = index.vectors_of([chance.choice(index.item_ids)])
        [found] = index.search(query, 9, Allow(not_owner=owner))
        if len(found) != min(9, others):
            raise SystemExit(f"{len(found)} works came back, but {others} are others'")
        if any(index.owner_of(item_id) == owner for item_id in found.item_ids):
            raise SystemExit("somebody was recommended their own work")


def run_people(
    workspace: Path,
    database: str | None,
    forked: Forks,
    *,
    people: int = 2,
    seconds: float = 60,
    kills: int = 0,
    seed: int = 0,
) -> Outcome:
    """Let ``people`` processes act at once, kill them ``kills`` times, and check everything at the end."""
    logs = [workspace.parent / f"log-{number}.txt" for number in range(people)]
    for log in logs:
        log.touch()
    chance, killed, starts, sizes = random.Random(seed), 0, [0] * people, [0] * people

    def start(number: int) -> int:
        starts[number] += 1
        sizes[number] = logs[number].stat().st_size
        person = (logs[number], f"person-{number}", 1000 * number + starts[number])
        return forked.start("tests.workspace.concurrent_people:act", workspace, database, *person)

    running = [start(number) for number in range(people)]
    pause = seconds / (kills + 1)
    try:
        # It lives through everything, and is compared at the end.
        reader = open_repository(workspace, database, writing=True)
        for space in spaces_of(reader.workspace):
            reader.snapshot.index(space.encoder, space.modality)
        for _ in range(kills):
            time.sleep(pause * chance.uniform(0.7, 1.0))
            reader.refresh()
            number, deadline = chance.randrange(people), time.monotonic() + _PATIENCE
            while logs[number].stat().st_size == sizes[number] and time.monotonic() < deadline:
                time.sleep(0.01)  # it is killed while it acts
            os.kill(running[number], signal.SIGKILL)
            killed += forked.wait(running[number]) == -signal.SIGKILL
            running[number] = start(number)
        time.sleep(pause)
    finally:
        (workspace.parent / STOP).touch()
    for process in running:
        forked.wait(process)
    outcome = _check(reader, workspace, database, logs, killed)
    reader.close()
    return outcome


def _check(reader: Repository, workspace: Path, database: str | None, logs: Sequence[Path], killed: int) -> Outcome:
    surely, perhaps, owner_of, counts = _told(logs)
    reader.sweep()
    with reader.database.reading() as connection:
        there = {upload.id: upload for upload in get_uploads(connection)}
    _require(surely <= there.keys(), f"acknowledged uploads are lost: {sorted(surely - there.keys())[:5]}")
    _require(there.keys() <= surely | perhaps, f"removed uploads are there: {sorted(there.keys() - surely - perhaps)}")
    wrong = [item_id for item_id, upload in there.items() if upload.owner != owner_of[item_id]]
    _require(not wrong, f"wrong owners: {wrong[:5]}")
    files = {path.name for path in reader.uploads_folder.glob("*")}
    _require(files == {upload.picture for upload in there.values() if upload.picture}, "files and rows differ")
    reader.refresh()
    fresh = open_repository(workspace, database, writing=True)
    _require(fresh.encode_missing() == 0, "uploads lack vectors")
    for space in spaces_of(fresh.workspace):
        _require_equal(reader, fresh, space.encoder, space.modality)
    fresh.close()
    return Outcome(*counts, killed, len(there))


def _told(logs: Sequence[Path]) -> tuple[set[str], set[str], dict[str, str], tuple[int, int, int]]:
    """Ids that must be there, those that may be (the action was cut short), their owners, and how much was done."""
    surely: set[str] = set()
    perhaps: set[str] = set()
    owner_of: dict[str, str] = {}
    done = {"+": 0, "-": 0, "r": 0}
    for number, log in enumerate(logs):
        for line in log.read_text().splitlines():
            kind, _, item_id = line.partition(" ")
            owner_of[item_id] = f"person-{number}"
            done[kind] = done.get(kind, 0) + 1
            if kind in ("+?", "-?"):
                surely.discard(item_id)
                perhaps.add(item_id)
            elif kind in ("+", "-"):
                perhaps.discard(item_id)
                surely.add(item_id) if kind == "+" else None
    return surely, perhaps, owner_of, (done["+"], done["-"], done["r"])


def _require_equal(kept: Repository, fresh: Repository, encoder: str, modality: str) -> None:
    one, other = kept.snapshot.index(encoder, modality), fresh.snapshot.index(encoder, modality)  # type: ignore[arg-type]
    ids = sorted(one.item_ids)
    _require(ids == sorted(other.item_ids), f"{encoder} {modality}: the index holds other works than a fresh one")
    _require(np.array_equal(one.vectors_of(ids), other.vectors_of(ids)), f"{encoder} {modality}: vectors differ")
    _require(all(one.owner_of(item_id) == other.owner_of(item_id) for item_id in ids), "owners differ")
    for item_id in ids[:: max(1, len(ids) // 20)]:
        query = one.vectors_of([item_id])
        _require(one.search(query, 10) == other.search(query, 10), f"{encoder} {modality}: another answer")


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise AssertionError(otherwise)


def main() -> None:
    """Run several."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gallery", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--people", type=int, default=2)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--database")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "gallery").symlink_to(given.gallery.resolve())
        workspace = Path(folder) / "workspace"
        build_workspace(given.gallery, workspace)
        how = {"people": given.people, "seconds": given.seconds, "kills": given.kills}
        with forks() as forked:
            outcome = run_people(workspace, given.database, forked, **how)
    print(outcome)


if __name__ == "__main__":
    main()
