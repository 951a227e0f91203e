"""The sample gallery: pictures, what is said of them, and the factors behind both, written to a folder."""

import io
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
from PIL import Image

from vernissage.errors import RequestError
from vernissage.files import csv_bytes, write_bytes
from vernissage.progress import Progress, silent
from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.palettes import SCENERY, Array, ramps
from vernissage_lab.sample.plan import GROUPS, MOODS, SUBJECTS, Facts, Plan, View, choose_view, imagine, plan_gallery
from vernissage_lab.sample.scenes import city, indoors, land, sea
from vernissage_lab.sample.scenes.air import paint_rain
from vernissage_lab.sample.techniques import TECHNIQUES
from vernissage_lab.sample.words import Words, artist_of, dated, describe, pick

FEWEST, MOST = 8, 999
_ENOUGH_FOR_WORKERS = 32
_LICENCE = "CC0 1.0"
LONG_SIDE = 580

PAINTERS: Mapping[str, Callable[[Canvas, View, Facts], None]] = MappingProxyType(
    {
        "harbour": sea.paint_harbour,
        "open sea": sea.paint_sea,
        "night street": city.paint_street,
        "rooftops": city.paint_rooftops,
        "orchard": land.paint_orchard,
        "harvest": land.paint_harvest,
        "mountains": land.paint_mountains,
        "fruit": indoors.paint_fruit,
        "flowers": indoors.paint_flowers,
        "portrait": indoors.paint_portrait,
        "winter village": land.paint_winter,
        "forest": land.paint_forest,
    }
)
"""What paints each subject as a study, without rain."""


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
    readme = files(__package__).joinpath("README.txt").read_text(encoding="utf-8")
    write_bytes(out / "README.txt", readme.format(count=count, seed=seed).encode())
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
    view = choose_view(rng, plan)
    facts = imagine(rng, plan.subject, view)
    words = describe(plan.subject, view, facts, rng)
    while words.description in told:
        words = describe(plan.subject, view, facts, rng)
    artist, began = artist_of(list(GROUPS).index(plan.group), rng)
    year = dated(began, rng)
    return Work(plan, view, facts, words, artist, year, pick(rng, SCENERY["techniques"][plan.technique]))


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


def paint_picture(work: Work) -> Array:
    """Paint one picture: float32 (height, width, 3), sRGB from 0 to 1, the longer side `LONG_SIDE` pixels."""
    plan, view, subject = work.plan, work.view, SUBJECTS[work.plan.subject]
    wide = LONG_SIDE if view.aspect >= 1 else round(LONG_SIDE * view.aspect)
    high = LONG_SIDE if view.aspect < 1 else round(LONG_SIDE / view.aspect)
    canvas = Canvas(high, wide, np.random.default_rng(plan.seed), ramps(plan.palette, MOODS[view.mood]))
    PAINTERS[plan.subject](canvas, view, work.facts)
    if view.sky in subject.get("rain", ()):
        paint_rain(canvas, subject.get("threads", 220))
    return TECHNIQUES[plan.technique](canvas)


def jpeg(work: Work) -> bytes:
    """Paint one work and return the bytes of its JPEG file."""
    picture = paint_picture(work)
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
