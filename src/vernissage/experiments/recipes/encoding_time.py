"""`encoding-time`: how long it takes to make a vector of a picture or a text (Table 5)."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from vernissage.catalog.pictures import open_picture
from vernissage.encoders.contract import Modality, Vectors
from vernissage.encoders.runtime import import_torch
from vernissage.errors import RequestError
from vernissage.experiments.cells import Cells
from vernissage.experiments.encoding_contenders import EncodingContender, Loaded, apart
from vernissage.experiments.encoding_works import TimedWorks
from vernissage.experiments.recipes.contract import Outcome, Recipe
from vernissage.experiments.recipes.encoding_time_tables import (
    BATCH,
    ONE,
    pictures_of,
    tables_of,
    views_of,
)
from vernissage.experiments.records import machine, versions
from vernissage.experiments.tidy import Row
from vernissage.experiments.timing import Timed, on_threads, timed
from vernissage.progress import Progress
from vernissage.workspace.recipes import decoded_side

STEP = "Timing encoders"

PROTOCOL = (
    (
        "Works are drawn at random. Every contender makes the vectors of the same works, once one by one, as the "
        "paper's code does, and once in batches, as this software builds its tables; both from the file on: a "
        "picture is decoded, prepared and put through the network. Decoding is told apart; files are in the system's "
        "cache."
    ),
    (
        "A turn is one batch of works, one by one and at once; contenders take turns, beginning with another one each "
        "time, after each has warmed up on some works and one batch."
    ),
    (
        "CPU time is that of the whole process, all threads together; median and 95th percentile over all calls and "
        "rounds, of a batch divided by its works. Times differ from run to run and from machine to machine: compare "
        "the ratios."
    ),
    (
        "On a GPU the clocks are read after all work on it has ended, and the processor waits meanwhile: there its "
        "time means little, and the clock's counts."
    ),
    (
        "Untrained: the published architecture with random weights, for weights change no speed; with a vocabulary "
        "made of the data's own texts, in which nearly every word is one token, where the published ones cut rare "
        "words in pieces. Good for timing and nothing else."
    ),
    (
        "Apart: the largest difference, in any number of any vector, from the vectors that the first contender of the "
        "same encoder makes one by one."
    ),
)


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

    def tokens(self, items: Sequence[Any]) -> int:
        """How many tokens the texts are for this encoder; 0 for those that have none."""
        if self.modality == "image" or not hasattr(self.loaded.encoder, "token_ids"):
            return 0
        return sum(map(len, self.loaded.encoder.token_ids(items)))


@dataclass(frozen=True)
class _Bench:
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
            task.read(items[: self.options.batch])

    def blocks(self) -> list[range]:
        """The works batch by batch."""
        total, size = max(map(len, (self.works.pictures, self.works.texts))), self.options.batch
        return [range(start, min(start + size, total)) for start in range(0, total, size)]


def run_encoding_time(
    works: TimedWorks,
    contenders: Sequence[EncodingContender],
    options: EncodingTimeOptions,
    *,
    cells: Cells,
    progress: Progress,
) -> Outcome:
    """Time every contender on the same works, one by one and in batches, side by side.

    All contenders are held in memory together. Times differ from run to run; works and vectors do not.

    Returns:
        ``times``: one row for each call; ``summary``: one for each contender, modality and way.

    Raises:
        RequestError: options that cannot be, or no contender reads what there is.
    """
    _check(options)
    able = tuple(each for each in contenders if each.modalities.intersection(works.modalities))
    if not able:
        there = " and ".join(f"{modality}s" for modality in works.modalities)
        raise RequestError(f"there are {there} to be encoded, which none of the encoders reads; name another with -e")
    bench = _Bench(works, able, options)
    cell_options = [(number, block) for number in range(options.rounds) for block in bench.blocks()]
    rows: list[Row] = []
    for turn, (number, block) in enumerate(cell_options):
        progress(STEP, turn, len(cell_options))
        rows += cells.rows(_key(bench, number, block), partial(_measured, bench, number, block, turn)) or []
    progress(STEP, len(cell_options), len(cell_options))
    return Outcome(tables_of(rows), tuple(_remarks(works, contenders, able, cells)))


def _key(bench: _Bench, number: int, block: range) -> dict[str, Any]:
    """Times of another machine, of other libraries, or in other company are other times."""
    works = bench.works
    return {
        "contenders": [{**each.described(), "made_of": each.made_of} for each in bench.contenders],
        "data": [works.fingerprint, len(works.pictures), len(works.texts)],
        "options": {name: value for name, value in vars(bench.options).items() if name != "rounds"},
        "versions": versions(),
        "machine": machine(),
        "round": number,
        "first": block.start,
        "last": block.stop,
    }


def _measured(bench: _Bench, number: int, block: range, turn: int) -> list[Row]:
    """Every task on one batch of works; its rows stand in the order of contenders, whoever began."""
    found: dict[int, list[tuple[Row, Vectors]]] = {}
    tasks = bench.tasks
    with on_threads(bench.options.threads):
        for place in ((turn + step) % len(tasks) for step in range(len(tasks))):
            found[place] = _calls(tasks[place], bench.works, number, block)
    return _compared([call for place in range(len(tasks)) for call in found[place]])


def _calls(task: _Task, works: TimedWorks, number: int, block: range) -> list[tuple[Row, Vectors]]:
    """Each work by itself, then all at once: a row without comparison, and the vectors that came out."""
    items = works.items(task.modality)[block.start : block.stop]
    calls = [(ONE, block.start + place, [item]) for place, item in enumerate(items)]
    calls += [(BATCH, block.start, list(items))] if items else []
    found = []
    for way, first, some in calls:
        decoded, encoded = task.read(some)
        row: Row = {
            **task.contender.described(),
            "dim": int(task.loaded.encoder.dim),
            "parameters": task.loaded.parameters,
            "modality": task.modality,
            "way": way,
            "round": number,
            "first": first,
            "works": len(some),
            "tokens": task.tokens(some),
            "decode_cpu_ms": decoded.cpu_ms,
            "decode_wall_ms": decoded.wall_ms,
            "encode_cpu_ms": encoded.cpu_ms,
            "encode_wall_ms": encoded.wall_ms,
        }
        found.append((row, encoded.answer))
    return found


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


def _check(options: EncodingTimeOptions) -> None:
    least = {"rounds": 1, "batch": 1, "warm_up": 0, "threads": 1}
    for name, lowest in least.items():
        given = getattr(options, name)
        if given < lowest:
            raise RequestError(f"--{name.replace('_', '-')} {given} cannot be; give {lowest} or more")


def _remarks(
    works: TimedWorks, contenders: Sequence[EncodingContender], able: Sequence[EncodingContender], cells: Cells
) -> Iterator[str]:
    for each in able:
        if each.weights == "untrained":
            words = " and a vocabulary made of these texts" if works.texts and "text" in each.modalities else ""
            yield f"{each.name} has random weights{words}: for timing alone"
    for modality, words in (("image", "pictures"), ("text", "texts")):
        count = len(works.pictures if modality == "image" else works.texts)
        reading = any(modality in each.modalities for each in contenders)
        if reading and not count:
            yield f"{works.name} has no {words} here, or they were left out: the other modality alone is timed"
        elif reading and count < works.wanted:
            yield f"{count} {words} are timed, all that there are; {works.wanted} were asked for"
    left = [each.name for each in contenders if each not in able]
    if left:
        yield f"left out, because they read nothing that there is: {', '.join(left)}"
    for device in dict.fromkeys(each.device for each in able if each.device.startswith("cuda")):
        name = import_torch().cuda.get_device_name(device)
        yield f"{device} is {name}: its times are the clock's, read after all its work had ended"
    if cells.skipped:
        yield f"{cells.skipped} cells are left for another run with the same folder and options"


ENCODING_TIME = Recipe(
    name="encoding-time",
    paper="ZCCR: Table 5",
    what="how long encoding takes, one by one and in batches, from file to vector",
    needs="a workspace, or a data set of pictures with captions; works with either alone",
    protocol=PROTOCOL,
    pictures=pictures_of,
    views=views_of,
)
