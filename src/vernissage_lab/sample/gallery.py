"""The sample gallery: pictures, what is said of them, and the factors behind both, written to a folder."""

import io
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vernissage.errors import RequestError
from vernissage.files import csv_bytes, write_bytes
from vernissage.progress import Progress, silent
from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.painting import SUBJECTS, paint_picture
from vernissage_lab.sample.plan import GROUPS, Plan, plan_gallery
from vernissage_lab.sample.view import Facts, View, choose_view
from vernissage_lab.sample.words import Words, artist_of, dated, describe, pick

FEWEST, MOST = 8, 999
_ENOUGH_FOR_WORKERS = 32
_LICENCE = "CC0 1.0"
_MEDIA = {
    "oil": ("oil on canvas", "oil on panel", "oil on board"),
    "watercolour": ("watercolour on paper", "watercolour on rough paper"),
    "linocut": ("colour linocut on cream paper", "linocut in colours"),
    "ink": ("pen, ink and wash on toned paper", "ink and wash, heightened with white"),
    "pointillism": ("oil on canvas, in points of divided colour", "oil on panel, in dots"),
    "gouache": ("gouache on card", "gouache on paper"),
}
_README = """A sample gallery, painted by Vernissage
=======================================

{count} pictures, painted by a program from the seed {seed}. The artists, places and dates are invented.

images/        the pictures
metadata.csv   what a museum would say of them: title, artist, year, medium, description, keywords, story group
factors.csv    what they were painted from: subject, palette, composition, technique and mood of every picture.
               Recommendations can be checked against it; it must not be read by what is being checked.

Pictures and texts are in the public domain (CC0 1.0): use them as you like.
"""


@dataclass(frozen=True)
class Work:
    """One planned picture with everything that is known before it is painted."""

    plan: Plan
    view: View
    facts: Facts
    words: Words
    artist: str
    year: str
    medium: str


def paint_gallery(out: Path, *, count: int = 240, seed: int = 2023, progress: Progress = silent) -> int:
    """Paint ``count`` pictures into ``out`` with ``metadata.csv``, ``factors.csv`` and ``README.txt``.

    Equal ``count`` and ``seed`` give equal bytes with the same versions of the libraries. The table is written
    last: a folder without ``metadata.csv`` was interrupted. From 32 pictures on, worker processes are started, so a
    script that calls this needs the usual ``if __name__ == "__main__"``.

    Returns:
        The number of pictures.

    Raises:
        RequestError: ``out`` holds files already, ``count`` is not from 8 to 999, or ``seed`` is negative.
        WorkspaceError: the folder cannot be written.
    """
    _check(out, count, seed)
    works = imagine_gallery(count, seed)
    for done, (work, picture) in enumerate(zip(works, _pictures(works), strict=True), start=1):
        write_bytes(out / _file_name(work), picture)
        progress("painting pictures", done, count)
    write_bytes(out / "README.txt", _README.format(count=count, seed=seed).encode())
    write_bytes(out / "factors.csv", _table([_factors(work) for work in works]))
    write_bytes(out / "metadata.csv", _table([_record(work) for work in works]))
    return count


def imagine_gallery(count: int, seed: int) -> tuple[Work, ...]:
    """Plan a gallery and word it; no two descriptions are the same."""
    told: set[str] = set()
    works = []
    for plan in plan_gallery(count, seed):
        work = _imagine(plan, told)
        told.add(work.words.description)
        works.append(work)
    return tuple(works)


def _imagine(plan: Plan, told: set[str]) -> Work:
    rng = np.random.default_rng([*plan.seed, 1])
    subject = SUBJECTS[plan.subject]
    view = choose_view(
        rng, plan.composition, plan.mood, night=subject.night, upright=subject.upright, without=subject.without
    )
    facts = subject.imagine(rng, view)
    words = _unheard(plan, view, facts, told, rng)
    artist, began = artist_of(list(GROUPS).index(plan.group), rng)
    return Work(plan, view, facts, words, artist, dated(began, rng), pick(rng, _MEDIA[plan.technique]))


def _unheard(plan: Plan, view: View, facts: Facts, told: set[str], rng: Rng) -> Words:
    words = describe(plan.subject, view, facts, rng)
    while words.description in told:
        words = describe(plan.subject, view, facts, rng)
    return words


def _check(out: Path, count: int, seed: int) -> None:
    if not FEWEST <= count <= MOST:
        raise RequestError(f"cannot paint {count} pictures; ask for a count from {FEWEST} to {MOST}, such as 240")
    if seed < 0:
        raise RequestError(f"the seed {seed} is negative; choose a whole number from 0 up, such as 2023")
    if out.exists() and not out.is_dir():
        raise RequestError(f"{out} is a file, not a folder; name a new folder for the sample gallery")
    if out.is_dir() and any(out.iterdir()):
        raise RequestError(f"{out} is not empty; name a new folder for the sample gallery, or empty this one first")


def _pictures(works: Sequence[Work]) -> Iterator[bytes]:
    """The JPEG files in order; painted by worker processes when there are enough of them to be worth the start."""
    workers = os.cpu_count() or 1
    if len(works) < _ENOUGH_FOR_WORKERS or workers == 1:
        yield from map(jpeg, works)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        yield from pool.map(jpeg, works, chunksize=4)


def jpeg(work: Work) -> bytes:
    """Paint one work and return the bytes of its JPEG file."""
    plan = work.plan
    picture = paint_picture(plan.subject, plan.palette, plan.technique, work.view, work.facts, plan.seed)
    eight = np.round(picture * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(eight, "RGB").save(file, "JPEG", quality=76, subsampling=2, optimize=True)
    return file.getvalue()


def _file_name(work: Work) -> str:
    return f"images/{work.plan.id}.jpg"


def _record(work: Work) -> dict[str, str]:
    return {
        "id": work.plan.id, "file_name": _file_name(work), "title": work.words.title, "artist": work.artist,
        "year": work.year, "medium": work.medium, "description": work.words.description,
        "keywords": "|".join(work.words.keywords), "group": work.plan.group, "licence": _LICENCE,
    }  # fmt: skip


def _factors(work: Work) -> dict[str, str]:
    names = ("id", "subject", "palette", "composition", "technique", "mood")
    return {name: getattr(work.plan, name) for name in names}


def _table(rows: Sequence[dict[str, str]]) -> bytes:
    return csv_bytes(rows[0], (row.values() for row in rows))
