"""`encoding-time`: how long it takes to make a vector of a picture or a text (Table 5)."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from vernissage.encoders.runtime.devices import import_torch
from vernissage.errors import RequestError
from vernissage.progress import Progress
from vernissage.workspace.encoding import TEXT_BLOCK
from vernissage_lab.cells import Cells
from vernissage_lab.encoding_bench import EncodingBench, EncodingTimeOptions, Turn, measured
from vernissage_lab.encoding_contenders import EncodingContender
from vernissage_lab.encoding_works import TimedWorks
from vernissage_lab.recipes.contract import Outcome, Recipe
from vernissage_lab.recipes.encoding_time_tables import pictures_of, tables_of, views_of
from vernissage_lab.records import machine, versions
from vernissage_lab.tidy import Row

STEP = "Timing encoders"

PROTOCOL = (
    (
        "Works are drawn at random. Every contender makes the vectors of the same works, once one by one, as the "
        "paper's code does, and once in batches, as this software builds its tables; both from the file on: a "
        "picture is decoded, prepared and encoded. Decoding is told apart; files are in the system's cache."
    ),
    (
        f"A batch of pictures is decoded and then encoded at once. Texts are handed over all together, up to "
        f"{TEXT_BLOCK:,}: networks sort them by length and take a batch of them at once."
    ),
    (
        "Contenders take turns, beginning with another one each time, after each has warmed up on some works and one "
        "batch. A turn is one batch of pictures or all texts, one by one and then at once."
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
    bench = EncodingBench(works, able, options)
    turns, rows = bench.turns(), list[Row]()
    for place, turn in enumerate(turns):
        progress(STEP, place, len(turns))
        rows += cells.rows(_key(bench, turn), partial(measured, bench, turn, place)) or []
    progress(STEP, len(turns), len(turns))
    return Outcome(tables_of(rows), tuple(_remarks(works, contenders, able, cells)))


def _key(bench: EncodingBench, turn: Turn) -> dict[str, Any]:
    """Times of another machine, of other libraries, or in other company are other times."""
    works = bench.works
    return {
        "contenders": [{**each.described(), "made_of": each.made_of} for each in bench.contenders],
        "data": [works.fingerprint, len(works.pictures), len(works.texts)],
        "options": {name: value for name, value in vars(bench.options).items() if name != "rounds"},
        "versions": versions(),
        "machine": machine(),
        "round": turn.round,
        "modality": turn.modality,
        "first": turn.works.start,
        "last": turn.works.stop,
    }


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
