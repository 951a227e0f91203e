"""Works and encoders side by side: turns, single calls, and how far their vectors are apart."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from vernissage.catalog.pictures import open_picture
from vernissage.values import Modality, Vectors
from vernissage.workspace.encoding import TEXT_BLOCK, decoded_side
from vernissage_lab.encoding_contenders import EncodingContender, Loaded, apart
from vernissage_lab.encoding_works import TimedWorks
from vernissage_lab.tidy import Row
from vernissage_lab.timing import Timed, on_threads, timed

ONE, BATCH = "one by one", "batch"


@dataclass(frozen=True)
class EncodingTimeOptions:
    """How is timed.

    Attributes:
        rounds: passes over all works.
        batch: works at once.
        warm_up: works that every contender encodes one by one before any is timed, and then one batch; 0 leaves both
            out.
        threads: of every library, and of decoding a batch.
        draft: whether large JPEGs are decoded at a fraction, as `vernissage build` does.
    """

    rounds: int = 3
    batch: int = 32
    warm_up: int = 2
    threads: int = 1
    draft: bool = True


@dataclass(frozen=True)
class _Task:
    """One contender on one modality."""

    contender: EncodingContender
    loaded: Loaded
    modality: Modality
    threads: int
    draft: bool

    @cached_property
    def open(self) -> Callable[[Path], Any]:
        return partial(open_picture, at_least=decoded_side(self.loaded.encoder) if self.draft else None)

    def read(self, items: Sequence[Any]) -> tuple[Timed, Timed]:
        """Decode items and encode what came out, both timed; texts need no decoding."""
        watch = partial(timed, cpu=time.process_time, settled=self.contender.settled)
        if self.modality == "text":
            return Timed(0.0, 0.0, None), watch(lambda: self.loaded.encoder.encode_texts(items))
        decoded = watch(lambda: self._opened(items))
        return decoded, watch(lambda: self.loaded.encoder.encode_images(decoded.answer))

    def _opened(self, paths: Sequence[Path]) -> list[Any]:
        if self.threads == 1 or len(paths) == 1:
            return [self.open(path) for path in paths]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(self.open, paths))

    def at_once(self, items: Sequence[Any], batch: int) -> int:
        """How many of these pass through together: networks take a batch, encoders without one all."""
        return len(items) if self.contender.weights == "fitted" else min(batch, len(items))

    def tokens(self, items: Sequence[Any]) -> int:
        """How many tokens the texts are for this encoder; 0 for those that have none."""
        if self.modality == "image" or not hasattr(self.loaded.encoder, "token_ids"):
            return 0
        return sum(map(len, self.loaded.encoder.token_ids(items)))


@dataclass(frozen=True)
class Turn:
    """Works of one modality in one round, which all contenders encode before the next ones come."""

    round: int
    modality: Modality
    works: range


@dataclass(frozen=True)
class EncodingBench:
    """Works and contenders."""

    works: TimedWorks
    contenders: tuple[EncodingContender, ...]
    options: EncodingTimeOptions

    @cached_property
    def tasks(self) -> list[_Task]:
        """Every contender on every modality that it reads, loaded and warmed up when the first cell needs them."""
        found = []
        for contender in self.contenders:
            loaded = contender.load()
            found += [
                _Task(contender, loaded, modality, self.options.threads, self.options.draft)
                for modality in self.works.modalities
                if modality in contender.modalities
            ]
        with on_threads(self.options.threads):
            for task in found:
                self._warm_up(task)
        return found

    def _warm_up(self, task: _Task) -> None:
        items = self.works.items(task.modality)
        for item in items[: self.options.warm_up]:
            task.read([item])
        if self.options.warm_up:
            task.read(items[: self._size(task.modality)])

    def turns(self) -> "list[Turn]":
        """All that is timed, in order: in each round the pictures batch by batch, and the texts."""
        found = []
        for number in range(self.options.rounds):
            for modality in self.works.modalities:
                total, size = len(self.works.items(modality)), self._size(modality)
                blocks = [range(start, min(start + size, total)) for start in range(0, total, size)]
                found += [Turn(number, modality, block) for block in blocks]
        return found

    def _size(self, modality: Modality) -> int:
        return self.options.batch if modality == "image" else TEXT_BLOCK


def measured(bench: EncodingBench, turn: Turn, place: int) -> list[Row]:
    """Every task on the works of a turn; its rows stand in the order of contenders, whoever began."""
    tasks = [task for task in bench.tasks if task.modality == turn.modality]
    found: dict[int, list[tuple[Row, Vectors]]] = {}
    with on_threads(bench.options.threads):
        for number in ((place + step) % len(tasks) for step in range(len(tasks))):
            found[number] = list(_calls(tasks[number], bench, turn))
    return _compared([call for number in range(len(tasks)) for call in found[number]])


def _calls(task: _Task, bench: EncodingBench, turn: Turn) -> Iterator[tuple[Row, Vectors]]:
    """Each work by itself, then all at once: a row without comparison, and the vectors that came out."""
    items = bench.works.items(turn.modality)[turn.works.start : turn.works.stop]
    alone = [(ONE, number, [item]) for number, item in zip(turn.works, items, strict=True)]
    for way, first, some in [*alone, (BATCH, turn.works.start, list(items))]:
        decoded, encoded = task.read(some)
        row: Row = {
            **task.contender.described(),
            "dim": int(task.loaded.encoder.dim),
            "parameters": task.loaded.parameters,
            "modality": turn.modality,
            "way": way,
            "at_once": task.at_once(some, bench.options.batch),
            "round": turn.round,
            "first": first,
            "works": len(some),
            "tokens": task.tokens(some),
            "decode_cpu_ms": decoded.cpu_ms,
            "decode_wall_ms": decoded.wall_ms,
            "encode_cpu_ms": encoded.cpu_ms,
            "encode_wall_ms": encoded.wall_ms,
        }
        yield row, encoded.answer


def _compared(calls: Sequence[tuple[Row, Vectors]]) -> list[Row]:
    """The rows with how far each vector is from that of the same encoder's first contender, one by one."""
    reference: dict[tuple[Any, ...], Any] = {}
    for row, vectors in calls:
        if row["way"] == ONE:
            reference.setdefault((row["encoder"], row["modality"], row["first"]), vectors[0])
    rows: list[Row] = []
    for row, vectors in calls:
        first = int(row["first"])
        same = [reference[row["encoder"], row["modality"], first + place] for place in range(len(vectors))]
        rows.append({**row, "apart": max(apart(one, other) for one, other in zip(vectors, same, strict=True))})
    return rows
