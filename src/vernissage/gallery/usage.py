"""What became of works that a service recommended: opened of shown by engine and place, coverage, splits of engines."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import numpy as np

from vernissage import storage
from vernissage.analysis.mixed_effects import (
    Contrast,
    ContrastInterval,
    cells_of,
    contrast_intervals,
    fit_mixed_effects,
    pairwise_contrasts,
)
from vernissage.analysis.shares import Share, clustered_share, share_contrasts
from vernissage.errors import Kind, RequestError
from vernissage.gallery.gallery import Gallery
from vernissage.storage.events import Counts

OPENED = "opened per shown"
_K = TypeVar("_K")


@dataclass(frozen=True)
class EngineUsage:
    """Of one engine: answers, those without works, what became of their works, and how many different works there were.

    ``opened_share`` is opened of shown; ``works_shown`` and ``works_opened`` are works of the collection as it is now.
    """

    engine: str
    answers: int
    empty: int
    shown: int
    opened: int
    kept: int
    hidden: int
    opened_share: Share
    works_shown: int
    works_opened: int


@dataclass(frozen=True)
class PlaceUsage:
    """What became of the works at one place of the lists of an engine."""

    engine: str
    position: int
    shown: int
    opened: int
    opened_share: Share


@dataclass(frozen=True)
class SplitUsage:
    """How engines differ in what was opened of what they showed.

    Attributes:
        split_by: ``visitor``: contrasts of shares, clustered by visitor; ``session``: of visitors' own shares, paired
            by the mixed-effects model.
        visitors: how many count; ``several`` of them met more than one engine.
        unnamed: works shown in the split whose visitors' pseudonyms are erased, so that they do not count here.
    """

    split_by: str
    visitors: int
    several: int
    unnamed: int
    contrasts: tuple[Contrast, ...]
    intervals: tuple[ContrastInterval, ...]


@dataclass(frozen=True)
class Usage:
    """All of it; ``engines`` has a row for all together first where there are several."""

    collection: str
    works: int
    first: datetime
    last: datetime
    engines: tuple[EngineUsage, ...]
    places: tuple[PlaceUsage, ...]
    splits: tuple[SplitUsage, ...]


ALL = "all engines"


def measure(gallery: Gallery) -> Usage:
    """What the events say that a service of this workspace was sent.

    Raises:
        RequestError: there are none.
    """
    database = gallery.repository.existing_database
    if database is None:
        raise _nothing(gallery)
    with database.reading() as connection:
        found = storage.events.recorded(connection)
    if found.first is None or found.last is None:
        raise _nothing(gallery)
    names = list(found.lists)
    here = {name: {each for each in works if each in gallery.collection} for name, works in found.works.items()}

    def used(name: str, engines: list[str]) -> EngineUsage:
        rows = [each for each in found.counts if each.engine in engines]
        shown = {item for each in engines for item in here.get(each, ())}
        opened = {item for each in engines for item in here.get(each, ()) if found.works[each][item]}
        sums: dict[str, Any] = {kind: sum(getattr(each, kind) for each in rows) for kind in storage.events.EVENT_KINDS}
        sums |= {"works_shown": len(shown), "works_opened": len(opened)}
        answers, empty = (sum(counts[each] for each in engines) for counts in (found.lists, found.empty))
        return EngineUsage(name, answers, empty, opened_share=_share(rows), **sums)

    everything = [used(ALL, names)] if len(names) > 1 else []
    engines = [used(name, [name]) for name in names]
    places = [
        PlaceUsage(name, place, sum(each.shown for each in rows), sum(each.opened for each in rows), _share(rows))
        for (name, place), rows in _grouped(found.counts, lambda each: (each.engine, each.position)).items()
    ]
    splits = [_split(name, rows) for name, rows in _grouped(found.counts, lambda each: each.split).items() if name]
    told = gallery.name, len(gallery), found.first, found.last
    return Usage(*told, (*everything, *engines), tuple(places), tuple(splits))


def _nothing(gallery: Gallery) -> RequestError:
    told = "no events were sent to a service of this workspace; docs/measuring.md tells how pages send them"
    return RequestError(f"{gallery.path}: {told}", kind=Kind.NOT_FOUND)


def _grouped(rows: Iterable[Counts], key: Callable[[Counts], _K]) -> dict[_K, list[Counts]]:
    groups: dict[_K, list[Counts]] = {}
    for each in rows:
        groups.setdefault(key(each), []).append(each)
    return groups


def _per_cluster(rows: Iterable[Counts]) -> dict[str, tuple[int, int]]:
    """Opened and shown works of each cluster."""
    sums: dict[str, tuple[int, int]] = {}
    for each in rows:
        opened, shown = sums.get(each.cluster, (0, 0))
        sums[each.cluster] = opened + each.opened, shown + each.shown
    return sums


def _share(rows: Iterable[Counts]) -> Share:
    counts = np.array(list(_per_cluster(rows).values()), dtype=np.float64).reshape(-1, 2)
    return clustered_share(counts[:, 0], counts[:, 1])


def _split(name: str, rows: list[Counts]) -> SplitUsage:
    named = [each for each in rows if each.named]
    unnamed = sum(each.shown for each in rows if not each.named)
    engines = _grouped(named, lambda each: each.engine)
    met = Counter(cluster for of in engines.values() for cluster in _per_cluster(of))
    visitors = {cluster: number for number, cluster in enumerate(sorted(met))}
    if name == "visitor":
        contrasts = share_contrasts(OPENED, {engine: _share(of) for engine, of in engines.items()})
    else:
        # One value of each visitor and engine, as the means over showings of a study.
        cells = [
            (visitors[cluster], place, opened / shown)
            for place, of in enumerate(engines.values())
            for cluster, (opened, shown) in sorted(_per_cluster(of).items())
        ]
        people, columns = np.array([each[:2] for each in cells], dtype=np.int64).reshape(-1, 2).T
        values = np.array([each[2] for each in cells], dtype=np.float64)
        fitted = fit_mixed_effects(cells_of(people, columns, values)) if cells else None
        contrasts = pairwise_contrasts(OPENED, tuple(engines), fitted) if fitted else ()
    several = sum(count > 1 for count in met.values())
    return SplitUsage(name, len(visitors), several, unnamed, contrasts, contrast_intervals(contrasts))
