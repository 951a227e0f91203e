"""Reading pictures ahead of whoever works on them: several at once, in order, and never more than memory allows."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from vernissage.catalog.pictures import MOST_WHOLE, decoded_pixels

MOST_PIXELS = MOST_WHOLE
"""What a batch decodes to at most, but for single pictures that are larger: 0.2 GB."""

_BATCHES_AHEAD = 2
_T = TypeVar("_T")


def picture_batches(
    paths: Iterable[Path], batch_size: int, *, at_least: int | None = None, most_pixels: int = MOST_PIXELS
) -> Iterator[list[Path]]:
    """Picture files in order, in batches of ``batch_size`` that end early where their pixels come to too many.

    Args:
        paths: of the files; only their beginnings are read.
        batch_size: pictures in a batch, at most.
        at_least: how large JPEGs will be decoded, see `open_picture`.
        most_pixels: of a batch when decoded; a picture of more is a batch of its own.
    """
    batch: list[Path] = []
    held = 0
    for path in paths:
        pixels = decoded_pixels(path, at_least=at_least)
        if batch and (len(batch) == batch_size or held + pixels > most_pixels):
            yield batch
            batch, held = [], 0
        batch.append(path)
        held += pixels
    if batch:
        yield batch


@contextmanager
def read_ahead(
    batches: Iterable[Sequence[Callable[[], _T]]], *, ahead: int = _BATCHES_AHEAD, threads: int | None = None
) -> Iterator[Iterator[list[_T]]]:
    """What the functions return, batch by batch in their order, while threads call those of the next batches.

    At most ``ahead`` batches are under way or ready beside the one that was taken. An error comes out where its
    function stands in the order. Leaving the block, by an error or Ctrl-C too, calls no further function.

    Args:
        batches: functions that may run side by side, such as those that decode a picture.
        ahead: batches, at least 1.
        threads: that call them; None means one for each core.
    """
    pool = ThreadPoolExecutor(threads or usable_cores(), thread_name_prefix="read-ahead")
    try:
        yield _in_order(pool, iter(batches), ahead)
    finally:
        pool.shutdown(cancel_futures=True)


def pictures_ahead(
    paths: Iterable[Path], batch_size: int, opened: Callable[[Path], _T], *, at_least: int | None = None
) -> AbstractContextManager[Iterator[list[_T]]]:
    """What ``opened`` makes of picture files, in the batches of `picture_batches`, as `read_ahead` reads them."""
    batches = picture_batches(paths, batch_size, at_least=at_least)
    return read_ahead([partial(opened, path) for path in batch] for batch in batches)


def _in_order(
    pool: ThreadPoolExecutor, batches: Iterator[Sequence[Callable[[], _T]]], ahead: int
) -> Iterator[list[_T]]:
    started: deque[list[Future[_T]]] = deque()
    while True:
        for batch in islice(batches, ahead + 1 - len(started)):
            started.append([pool.submit(read) for read in batch])
        if not started:
            return
        results = [future.result() for future in started[0]]
        started.popleft()
        yield results
        del results  # else two batches would be held beside those ahead


def usable_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
