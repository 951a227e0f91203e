"""What jobs do, by their kind: uploads are encoded, works of a feed make the next state, what went is deleted."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from vernissage.catalog.sources.feed import FOLDER, FeedChanges, FeedWork, feed_work
from vernissage.gallery.building import change_works
from vernissage.gallery.gallery import Gallery
from vernissage.progress import Progress
from vernissage.storage.jobs import Job, add_job, unfinished
from vernissage.workspace.state import purge_state

IN_ORDER = ("works",)
"""Kinds of which a later job must not overtake an earlier one; those that wait are done together."""

TOGETHER = ("uploads",)
"""Kinds of which some are done in one go: a page sends each file by itself, and encoders read many at once."""

_WAITING = re.compile(r"([0-9a-z-]{8,40})\.(\d{1,5})\.waiting")
_READ_ON = timedelta(minutes=1)
"""How long files of the state before are kept for requests and servers that still read it."""

Doing = Callable[[Gallery, Sequence[Job], Progress], Sequence[Mapping[str, Any] | None]]
"""Does jobs of one kind, several together, and gives the result of each; None keeps what was written down before."""

After = Callable[[Connection, Gallery, datetime], None]
"""What follows in the transaction that ends jobs."""


def _encode(gallery: Gallery, jobs: Sequence[Job], progress: Progress) -> Sequence[Mapping[str, Any] | None]:
    gallery.repository.encode_missing(progress, [item_id for job in jobs for item_id in job.payload["ids"]])
    return [None] * len(jobs)


def _change_works(gallery: Gallery, jobs: Sequence[Job], progress: Progress) -> Sequence[Mapping[str, Any]]:
    """Make one state of all that waits; a later word on a work takes the place of an earlier one."""
    works: dict[str, FeedWork | None] = {}
    pictures: dict[str, Path] = {}
    for job in jobs:
        told = job.payload["works"]
        works |= {name: None if each is None else feed_work(each) for name, each in told.items()}
        folder, names = gallery.path / FOLDER, job.payload["pictures"]
        pictures |= {each: waiting_picture(folder, job.id, number) for number, each in enumerate(names)}
    wanted = {each for work in works.values() if work is not None for each in work.pictures}
    taken = {each: file for each, file in pictures.items() if each in wanted}
    change_works(gallery, FeedChanges(works, taken), progress=progress)
    state = {"works": len(gallery), "fingerprint": gallery.fingerprint}
    return [
        {"changed": len(told) - gone, "removed": gone} | state
        for told in (job.payload["works"] for job in jobs)
        for gone in [sum(each is None for each in told.values())]
    ]


def _purge(gallery: Gallery, jobs: Sequence[Job], _: Progress) -> Sequence[None]:
    """Delete what only readers of earlier states had needed, works that were removed among it."""
    purge_state(gallery.path)
    return [None] * len(jobs)


def _after_works(connection: Connection, gallery: Gallery, now: datetime) -> None:
    """Delete pictures of jobs that have ended, and note that the files of the state before are to go."""
    sweep_waiting(connection, gallery.path / FOLDER)
    add_job(connection, secrets.token_hex(12), "purge", {}, now, due=now + _READ_ON)


def waiting_picture(folder: Path, job: str, number: int) -> Path:
    """Where a picture lies until its job takes it in."""
    return folder / f"{job}.{number}.waiting"


def sweep_waiting(connection: Connection, folder: Path) -> None:
    """Delete pictures that no job waits with; under the writer's lock, under which they are written."""
    waiting = unfinished(connection)
    for file in folder.glob("*.waiting"):
        named = _WAITING.fullmatch(file.name)
        if named and named[1] not in waiting:
            file.unlink(missing_ok=True)


DOING: Mapping[str, Doing] = MappingProxyType({"uploads": _encode, "works": _change_works, "purge": _purge})
AFTER: Mapping[str, After] = MappingProxyType({"works": _after_works})
