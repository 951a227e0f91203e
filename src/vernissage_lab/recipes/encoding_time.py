"""`encoding-time`: how long it takes to make a vector of a picture or a text (Table 5)."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vernissage.catalog.collection import Collection
from vernissage.catalog.pictures import open_picture
from vernissage.cli.building import weights_by_name
from vernissage.encoders.loading import load_pretrained
from vernissage.encoders.register import card, cards
from vernissage.encoders.runtime.devices import Runtime, import_torch
from vernissage.errors import RequestError
from vernissage.files import digest
from vernissage.values import ENCODED, Modality
from vernissage.workspace.encoding import TEXT_BLOCK, decoded_side
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.datasets.captioned import CaptionedSet, one_caption_each
from vernissage_lab.figures import TimeLine, time_figure
from vernissage_lab.recipe import EXPERIMENTS, Outcome, Picture, Recipe, Tables, Words
from vernissage_lab.set_encoders import USUAL, fit_set_encoder
from vernissage_lab.tables import Row, Table, parts, table, where
from vernissage_lab.timing import CLOCKS, Timed, column, medians, on_threads, spread, timed, where_timed
from vernissage_lab.untrained import ARCHITECTURES, load_untrained, require_architecture
from vernissage_lab.works import SourceOptions

Entry = tuple[str, Path | None, str]
"""Id, picture file, text; None and an empty text stand for what is not there."""


@dataclass(frozen=True)
class TimedWorks:
    """Drawn works.

    Attributes:
        name, fingerprint: of the data that they were drawn from.
        seed: that they were drawn by.
        wanted: how many were asked for.
        pictures, texts: those of the drawn works; the same works where all have both.
        all_texts: of the whole data, of which vocabularies can be made.
    """

    name: str
    fingerprint: str
    seed: int
    wanted: int
    pictures: tuple[Path, ...]
    texts: tuple[str, ...]
    all_texts: tuple[str, ...]

    def items(self, modality: Modality) -> tuple[Path, ...] | tuple[str, ...]:
        """What encoders of that modality read, work by work."""
        return self.pictures if modality == "image" else self.texts

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What there is to be read."""
        return tuple(modality for modality in ENCODED if self.items(modality))


def works_of_collection(collection: Collection, name: str, count: int, *, seed: int) -> TimedWorks:
    """``count`` works of a collection, as `drawn_works`."""
    entries = [(item.id, collection.picture_path(item), item.text) for item in collection]
    return drawn_works(entries, count, name=name, fingerprint=collection.fingerprint, seed=seed)


def works_of_set(found: CaptionedSet, count: int, *, seed: int) -> TimedWorks:
    """``count`` pictures of a set, each with one of its captions, as `drawn_works`."""
    text_of = {caption.image_id: caption.text for caption in one_caption_each(found, seed=seed).captions}
    entries = [(image.id, image.path, text_of.get(image.id, "")) for image in found.images]
    return drawn_works(entries, count, name=found.name, fingerprint=found.fingerprint, seed=seed)


def drawn_works(entries: Sequence[Entry], count: int, *, name: str, fingerprint: str, seed: int) -> TimedWorks:
    """At most ``count`` works that have a picture and as many that have a text, drawn by seed and id alone.

    Raises:
        RequestError: fewer than one work is asked for, or nothing can be read.
    """
    if count < 1:
        raise RequestError(f"{count} works were asked for; time 1 or more, such as 192")
    drawn = sorted(entries, key=lambda entry: (digest(str(seed).encode(), entry[0].encode()), entry[0]))
    pictures = [path for _, path, _ in drawn if path is not None]
    texts = [text for _, _, text in drawn if text.strip()]
    if not pictures and not texts:
        raise RequestError(f"{name} has no pictures and no texts to be encoded; name a source that has some")
    told = tuple(text for _, _, text in entries if text.strip())
    return TimedWorks(name, fingerprint, seed, count, tuple(pictures[:count]), tuple(texts[:count]), told)


@dataclass(frozen=True)
class Loaded:
    """An encoder in memory, and how many numbers were fitted or trained for it."""

    encoder: Any
    parameters: int


@dataclass(frozen=True)
class EncodingMethod:
    """An encoder and where it is computed.

    Attributes:
        encoder: its word; of untrained ones the model card's, after the word untrained.
        weights: fitted on the collection, trained by others, or untrained: random.
        modalities: what it reads.
        made_of: fingerprint of what was fitted, or where weights lie.
        load: makes it, when the first work is timed.
    """

    encoder: str
    weights: Literal["fitted", "trained", "untrained"]
    modalities: frozenset[Modality]
    made_of: str
    load: Callable[[], Loaded]
    device: str = "cpu"

    @property
    def name(self) -> str:
        """The encoder, and the device where that is not the CPU; unique among those that are compared."""
        return self.encoder if self.device == "cpu" else f"{self.encoder}, {self.device}"

    def described(self) -> dict[str, str]:
        """The columns of tables that say what it is."""
        return {"contender": self.name, "encoder": self.encoder, "weights": self.weights, "device": self.device}

    def input(self, works: TimedWorks) -> Mapping[str, Any]:
        """What a record says of this method on these works."""
        return {
            "data": works.name,
            "data_fingerprint": works.fingerprint,
            "encoder": self.name,
            "encoder_fingerprint": self.made_of,
            "works": max(len(works.pictures), len(works.texts)),
            "weights": self.weights,
        }

    def settled(self) -> None:
        """Return when the device has done all that it was told to."""
        kind = self.device.partition(":")[0]
        if kind == "cuda":
            import_torch().cuda.synchronize(self.device)
        elif kind == "mps":
            import_torch().mps.synchronize()


def fitted_method(name: str, encoder: Any, bases: Iterable[Any] = ()) -> EncodingMethod:
    """An encoder that was fitted on the collection; ``bases`` are those that it is made from."""
    count = sum(int(values.size) for each in (encoder, *bases) for values in each.state.arrays.values())
    loaded = Loaded(encoder, count)
    return EncodingMethod(name, "fitted", encoder.modalities, encoder.fingerprint, lambda: loaded)


STEP = "Timing encoders"
ONE, BATCH = "one by one", "batch"
NOUNS = {"image": "Pictures", "text": "Texts"}
_WARM_UP = 2
"""Works that an encoder reads before any is timed, and then a batch: networks allocate and choose kernels at first."""


@dataclass(frozen=True)
class EncodingTimeOptions(SourceOptions):
    """Which encoders, where they are computed, and how is timed."""

    untrained: Words = None
    works: int = 192
    rounds: int = 3
    batch: int = 32
    device: Words = None
    weights: Words = None
    threads: int = 1

    def __post_init__(self) -> None:
        self.require(rounds=1, batch=1, threads=1)
        for model in self.untrained or ():
            require_architecture(model)
        known = cards()
        for name in self.encoder or ():
            if name not in known:
                raise RequestError(f"there is no encoder {name!r}; choose from {', '.join(known)}")
        named = {name for name in self.encoder or () if known[name].pretrained}
        for word in self.weights or ():
            name, sign, _ = word.partition("=")
            if not named or (sign and name not in named):
                raise RequestError(
                    f"--weights {word} is for no encoder that is asked for: untrained networks and fitted encoders "
                    f"take none; leave it out, or ask for one with weights, as in -e clip"
                )

    @property
    def runtimes(self) -> list[Runtime]:
        """Where networks are computed."""
        return [Runtime(device, batch_size=self.batch) for device in dict.fromkeys(self.device or ["cpu"])]


def compute(options: EncodingTimeOptions, cells: Cells) -> Outcome:
    """Time how long encoders take from a file or a text to a vector, one by one and in batches.

    Without any word for encoders: all of a workspace, aligned of a data set. A cell is one batch of pictures, or all
    texts, in one round.

    \b
    Examples:
      vernissage lab experiment run encoding-time workspace -e aligned -e minilm --untrained clip-vit-base-patch32
      vernissage lab experiment run encoding-time gallery --kind gallery --untrained resnet50 --device cpu --device cuda
    """
    if options.kind is None:
        there = options.workspace
        works = works_of_collection(there.collection, there.collection_name, options.works, seed=cells.seed)
    else:
        works = works_of_set(options.dataset, options.works, seed=cells.seed)
    return run_encoding_time(works, _methods(options, works, cells), options, cells)


def _methods(options: EncodingTimeOptions, works: TimedWorks, cells: Cells) -> list[EncodingMethod]:
    """Every encoder that is asked for, on every device; fitted ones of a set are fitted for it."""
    usual = () if options.untrained else options.workspace.encoder_names if options.kind is None else (USUAL,)
    names = list(dict.fromkeys(options.encoder or usual))
    found: list[EncodingMethod] = []
    for name in names:
        found += _trained(name, options, names) if card(name).pretrained else [_fitted(name, options, cells)]
    return [*found, *_untrained(options, works)]


def _fitted(name: str, options: EncodingTimeOptions, cells: Cells) -> EncodingMethod:
    by = fit_set_encoder(options.dataset, name, cells.place, **cells.how) if options.kind is not None else None
    there = by.workspace if by is not None and by.workspace is not None else options.workspace
    bases = [there.encoder(base) for base in card(name).needs if base in there.manifest.models]
    return fitted_method(name, there.encoder(name), bases)


def _trained(name: str, options: EncodingTimeOptions, names: Sequence[str]) -> Iterator[EncodingMethod]:
    """An encoder with weights on each device. Raises EncoderError: the device is not there."""
    known = card(name)
    weights = weights_by_name(options.weights or (), names).get(name)
    if weights is None and options.kind is None:
        built_with = options.workspace.manifest.settings.get("weights", {}).get(name)
        weights = Path(built_with) if built_with else None

    def load(runtime: Runtime) -> Loaded:
        encoder = load_pretrained(name, weights, runtime=runtime)
        return Loaded(encoder, encoder.parameters)

    place = str(weights or ("its own weights" if known.bundled else known.models[0].name))
    for runtime in options.runtimes:
        reads, device = frozenset(known.modalities), runtime.resolved_device()
        yield EncodingMethod(name, "trained", reads, place, partial(load, runtime), device)


def _untrained(options: EncodingTimeOptions, works: TimedWorks) -> Iterator[EncodingMethod]:
    """The networks of model cards with random weights; good for timing alone.

    Raises:
        EncoderError: a card's network cannot be made without a download, or the device is not there.
    """

    def load(model: str, runtime: Runtime) -> Loaded:
        encoder = load_untrained(model, works.all_texts, runtime=runtime, seed=works.seed)
        return Loaded(encoder, encoder.parameters)

    made_of = f"random weights, seed {works.seed}"
    for model in dict.fromkeys(options.untrained or ()):
        for runtime in options.runtimes:
            reads, making = ARCHITECTURES[model].modalities, partial(load, model, runtime)
            yield EncodingMethod(f"untrained {model}", "untrained", reads, made_of, making, runtime.resolved_device())


@dataclass(frozen=True)
class _Task:
    """One method on one modality."""

    method: EncodingMethod
    loaded: Loaded
    modality: Modality
    options: EncodingTimeOptions

    def read(self, items: Sequence[Any]) -> tuple[Timed, Timed]:
        """Decode items and encode what came out, both timed; texts need no decoding."""
        watch = partial(timed, cpu=time.process_time, settled=self.method.settled)
        if self.modality == "text":
            return Timed(0.0, 0.0, None), watch(lambda: self.loaded.encoder.encode_texts(items))
        decoded = watch(lambda: self._opened(items))
        return decoded, watch(lambda: self.loaded.encoder.encode_images(decoded.answer))

    def _opened(self, paths: Sequence[Path]) -> list[Any]:
        opened = partial(open_picture, at_least=decoded_side(self.loaded.encoder, draft=True))
        if self.options.threads == 1 or len(paths) == 1:
            return [opened(path) for path in paths]
        with ThreadPoolExecutor(self.options.threads) as pool:
            return list(pool.map(opened, paths))

    def at_once(self, items: Sequence[Any]) -> int:
        """How many of these pass through together: networks take a batch, encoders without one all."""
        return len(items) if self.method.weights == "fitted" else min(self.options.batch, len(items))


@dataclass(frozen=True)
class _Turn:
    """Works of one modality in one round, which all methods encode before the next ones come."""

    place: int
    round: int
    modality: Modality
    works: range


@dataclass(frozen=True)
class _Bench:
    """Works and methods side by side."""

    works: TimedWorks
    methods: tuple[EncodingMethod, ...]
    options: EncodingTimeOptions

    @cached_property
    def tasks(self) -> list[_Task]:
        """Every method on every modality that it reads, loaded and warmed up when the first cell needs them."""
        found = []
        for method in self.methods:
            loaded, reads = method.load(), [each for each in self.works.modalities if each in method.modalities]
            found += [_Task(method, loaded, modality, self.options) for modality in reads]
        with on_threads(self.options.threads):
            for task in found:
                self._warm_up(task)
        return found

    def _warm_up(self, task: _Task) -> None:
        items = self.works.items(task.modality)
        for item in items[:_WARM_UP]:
            task.read([item])
        task.read(items[: self._size(task.modality)])

    def turns(self) -> Iterator[_Turn]:
        """All that is timed, in order: in each round the pictures batch by batch, and the texts."""
        place = 0
        for number in range(self.options.rounds):
            for modality in self.works.modalities:
                total, size = len(self.works.items(modality)), self._size(modality)
                for start in range(0, total, size):
                    yield _Turn(place, number, modality, range(start, min(start + size, total)))
                    place += 1

    def _size(self, modality: Modality) -> int:
        return self.options.batch if modality == "image" else TEXT_BLOCK

    def part(self, turn: _Turn) -> Part:
        """A cell: times of another machine, of other libraries, or beside other methods are other times."""
        works, options = self.works, self.options
        key = {
            "contenders": [{**each.described(), "made_of": each.made_of} for each in self.methods],
            "data": [works.fingerprint, len(works.pictures), len(works.texts)],
            "options": {name: getattr(options, name) for name in ("batch", "threads")},
        }
        key |= where_timed() | {"round": turn.round, "modality": turn.modality}
        key |= {"first": turn.works.start, "last": turn.works.stop}
        return Part(key, partial(self.measured, turn))

    def measured(self, turn: _Turn) -> list[Row]:
        """Every task on the works of a turn; its rows stand in the order of methods, whoever began."""
        tasks = [task for task in self.tasks if task.modality == turn.modality]
        found: dict[int, list[Row]] = {}
        with on_threads(self.options.threads):
            for number in ((turn.place + step) % len(tasks) for step in range(len(tasks))):
                found[number] = list(_calls(tasks[number], self.works, turn))
        return [row for number in range(len(tasks)) for row in found[number]]


def _calls(task: _Task, works: TimedWorks, turn: _Turn) -> Iterator[Row]:
    """Each work by itself, then all at once."""
    items = works.items(turn.modality)[turn.works.start : turn.works.stop]
    alone = [(ONE, number, [item]) for number, item in zip(turn.works, items, strict=True)]
    for way, first, some in [*alone, (BATCH, turn.works.start, list(items))]:
        decoded, encoded = task.read(some)
        row: dict[str, Any] = task.method.described() | {"dim": int(task.loaded.encoder.dim)}
        row |= {"parameters": task.loaded.parameters, "modality": turn.modality, "way": way}
        row |= {"at_once": task.at_once(some), "round": turn.round, "first": first, "works": len(some)}
        row |= {"decode_cpu_ms": decoded.cpu_ms, "decode_wall_ms": decoded.wall_ms}
        yield row | {"encode_cpu_ms": encoded.cpu_ms, "encode_wall_ms": encoded.wall_ms}


def run_encoding_time(
    works: TimedWorks, methods: Sequence[EncodingMethod], options: EncodingTimeOptions, cells: Cells
) -> Outcome:
    """Time every method on the same works, one by one and in batches, side by side.

    All are held in memory together. Times differ from run to run; works and vectors do not.

    Returns:
        ``times``: one row for each call; ``summary``: one for each method, modality and way.

    Raises:
        RequestError: no encoder reads what there is.
    """
    able = tuple(each for each in methods if each.modalities.intersection(works.modalities))
    if not able:
        there = " and ".join(f"{modality}s" for modality in works.modalities)
        raise RequestError(f"there are {there} to be encoded, which none of the encoders reads; name another with -e")
    bench = _Bench(works, able, options)
    found = rows_of([bench.part(turn) for turn in bench.turns()], cells, STEP, threads=True)
    rows = [row for some in found for row in some]
    return Outcome(tables_of(rows), tuple(_remarks(works, methods, able)), tuple(each.input(works) for each in methods))


def _remarks(works: TimedWorks, methods: Sequence[EncodingMethod], able: Sequence[EncodingMethod]) -> Iterator[str]:
    for each in able:
        if each.weights == "untrained":
            words = " and a vocabulary made of these texts" if works.texts and "text" in each.modalities else ""
            yield f"{each.name} has random weights{words}: for timing alone"
    for modality, noun in NOUNS.items():
        count = len(works.items("image" if modality == "image" else "text"))
        reading = any(modality in each.modalities for each in methods)
        if reading and not count:
            yield f"{works.name} has no {noun.lower()} here: the other modality alone is timed"
        elif reading and count < works.wanted:
            yield f"{count} {noun.lower()} are timed, all that there are; {works.wanted} were asked for"
    left = [each.name for each in methods if each not in able]
    if left:
        yield f"left out, because they read nothing that there is: {', '.join(left)}"
    for device in dict.fromkeys(each.device for each in able if each.device.startswith("cuda")):
        name = import_torch().cuda.get_device_name(device)
        yield f"{device} is {name}: its times are the clock's, read after all its work had ended"


_OF_METHOD = ("contender", "encoder", "weights", "device", "dim", "parameters")
_ROW = ("modality", "contender", "way")
RATES = {"works_per_cpu_second": "cpu", "works_per_second": "wall"}
"""Columns of works per second, and the clock that each is measured by."""


def tables_of(rows: Sequence[Row]) -> Tables:
    """``times``: the rows of calls; ``summary``: one row for each modality, method and way."""
    return {"times": rows, "summary": [_summarised(calls) for _, calls in parts(rows, *_ROW)]} if rows else {}


def _summarised(rows: Sequence[Row]) -> Row:
    """Milliseconds are for one work; a batch counts as one call."""
    first, works = rows[0], column(rows, "works")
    decoding, encoding = (
        {clock: column(rows, f"{step}_{clock}_ms") for clock in CLOCKS} for step in ("decode", "encode")
    )
    whole = {clock: decoding[clock] + encoding[clock] for clock in CLOCKS}
    found: dict[str, str | int | float] = {name: first[name] for name in (*_OF_METHOD, "modality", "way")}
    found["at_once"] = max(row["at_once"] for row in rows)
    found["works"] = len({row["first"] + place for row in rows for place in range(row["works"])})
    found["calls"] = len(rows)
    for clock in CLOCKS:
        found |= spread(clock, whole[clock] / works)
    for step, taken in (("decode", decoding), ("encode", encoding)):
        found |= {f"{step}_{clock}_median_ms": float(np.median(taken[clock] / works)) for clock in CLOCKS}
    for name, clock in RATES.items():
        found[name] = 1e3 * float(works.sum() / whole[clock].sum())
    return found


def pictures_of(tables: Tables) -> Mapping[str, Picture]:
    """One figure: pictures and texts, every method's median and 95th percentile, one by one and in batches."""
    lines = [_line(row) for row in tables.get("summary", ())]
    caption = (
        "Milliseconds for one work on a logarithmic scale. Mark: median; bar: to the 95th percentile; number: the "
        "processor's median,\non a GPU the clock's. Upright stroke: decoding the picture alone. Encoders in turns."
    )
    alt = "Median milliseconds for one work: " + "; ".join(
        f"{line.panel}, {line.name} {(line.wall if line.told == 'wall' else line.cpu)[0]:.3g}" for line in lines
    )
    return {"encoding-time": Picture(time_figure(lines, title="How long encoding takes", caption=caption), alt)}


def _line(row: Row) -> TimeLine:
    told: Literal["wall", "CPU"] = "wall" if row["device"] != "cpu" else "CPU"
    decoding = row[f"decode_{told.lower()}_median_ms"]
    panel = "Pictures, from file to vector" if row["modality"] == "image" else "Texts, to vectors"
    return TimeLine(panel, f"{row['contender']}, {_way(row)}", *medians(row), part=decoding or None, told=told)


def _way(row: Row) -> str:
    return ONE if row["way"] == ONE else f"{row['at_once']} at once"


def views_of(tables: Tables) -> list[Table]:
    """A table for pictures and one for texts."""
    rows, found = tables.get("summary", ()), []
    for (modality,), mine in parts(rows, "modality"):
        decoded = modality == "image"
        on_gpu = any(row["device"] != "cpu" for row in mine)
        heads = ("encoder", "way", "CPU", *(("decoding",) if decoded else ()), "clock", "per CPU s", "per s", "gain")
        body = (_time_row(row, where(mine, contender=row["contender"], way=ONE)[0], decoded) for row in mine)
        note = (
            f"milliseconds for one work, median (95th percentile){', decoding the median of its CPU' * decoded}; works "
            f"per second of CPU and of the clock; gain: {'clock on a GPU, else ' * on_gpu}CPU, over one by one"
        )
        caption = f"{NOUNS[modality]}: {max(row['works'] for row in mine)} works"
        found.append(table(caption, heads, body, note, words=2))
    return found


def _time_row(row: Row, alone: Row, decoded: bool) -> tuple[str, ...]:
    rate = "works_per_second" if row["device"] != "cpu" else "works_per_cpu_second"
    cpu, wall = (f"{_digits(median)} ({_digits(late)})" for median, late in medians(row))
    decoding = (_digits(row["decode_cpu_median_ms"]),) if decoded else ()
    rates = (_digits(row[name]) for name in RATES)
    return (row["contender"], _way(row), cpu, *decoding, wall, *rates, f"{row[rate] / alone[rate]:.2f}")


def _digits(value: float) -> str:
    """Three significant digits, as in 128, 12.8, 1.28, 0.13."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


RECIPE = Recipe(EXPERIMENTS["encoding-time"], EncodingTimeOptions, compute, pictures_of, views_of)
