"""The command of the second paper's times of encoding: experiment run encoding-time."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.options import AsJson
from vernissage.cli.output import progress_bars
from vernissage.errors import RequestError
from vernissage_lab.cli.experiment_options import CellLimit, EncoderWords, OutFolder, RunWish, Seed, run_and_print
from vernissage_lab.cli.experiment_sets import CaptionFields, KindWord, PictureFolder, SkipBad, Source, WorkSource
from vernissage_lab.cli.timed_encoders import EncoderWish, contenders_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vernissage.values import Modality
    from vernissage.workspace.workspace import Workspace
    from vernissage_lab.datasets.captioned import CaptionedSet
    from vernissage_lab.encoding_works import TimedWorks
    from vernissage_lab.recipes.contract import Outcome


def encoding_time(
    source: Source,
    kind: KindWord = None,
    encoder: EncoderWords = None,
    untrained: Annotated[
        list[str] | None,
        typer.Option(metavar="CARD", help="A model card's network with random weights, for timing alone; repeat."),
    ] = None,
    works: Annotated[int, typer.Option(help="How many works, drawn at random.")] = 192,
    rounds: Annotated[int, typer.Option(help="Passes over all of them.")] = 3,
    batch: Annotated[int, typer.Option(help="Works at once.")] = 32,
    only: Annotated[str | None, typer.Option(help="image or text; default both, as far as they are there.")] = None,
    device: Annotated[
        list[str] | None, typer.Option(help="cpu, cuda or mps, for encoders with weights; repeat. Default cpu.")
    ] = None,
    backend: Annotated[
        list[str] | None, typer.Option(help="torch, onnx or openvino, for encoders with weights; repeat.")
    ] = None,
    precision: Annotated[
        list[str] | None, typer.Option(help="float32, bfloat16 or float16; onnx: float32 or int8. Repeat.")
    ] = None,
    export: Annotated[
        list[str] | None,
        typer.Option("--onnx", metavar="[NAME=]FOLDER", help="The folder that export-onnx wrote. Repeat."),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option("--weights", metavar="[NAME=]PATH", help="Where an encoder's weights are; else the hub. Repeat."),
    ] = None,
    threads: Annotated[int, typer.Option(help="Of every library, and of decoding a batch.")] = 1,
    warm_up: Annotated[int, typer.Option(help="Works encoded before any is timed, and then one batch.")] = 2,
    draft: Annotated[bool, typer.Option("--draft/--no-draft", help="Decode large JPEGs at a fraction.")] = True,
    pictures: PictureFolder = None,
    caption: CaptionFields = None,
    skip_bad: SkipBad = False,
    cells: CellLimit = None,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Time how long encoders take from a file or a text to a vector, one by one and in batches.

    A cell is one batch of pictures, or all texts, in one round.

    \b
    Examples:
      vernissage lab experiment run encoding-time workspace -e aligned -e minilm --untrained clip-vit-base-patch32
      vernissage lab experiment run encoding-time workspace -e clip --weights clip --backend onnx --onnx clip-onnx
      vernissage lab experiment run encoding-time gallery --kind gallery --untrained resnet50 --device cpu --device cuda
    """
    from vernissage_lab.encoding_bench import EncodingTimeOptions
    from vernissage_lab.encoding_contenders import TimedInput
    from vernissage_lab.recipes.encoding_time import ENCODING_TIME, run_encoding_time

    options = EncodingTimeOptions(rounds=rounds, batch=batch, warm_up=warm_up, threads=threads, draft=draft)
    words = (encoder, untrained, device or ["cpu"], backend or ["torch"], precision or ["float32"], weights, export)
    asked = EncoderWish(*(tuple(dict.fromkeys(each or ())) for each in words))
    asked.check()
    read = _modalities(only)
    place = _place(WorkSource(source, kind, encoder, pictures, caption, None, None, skip_bad))
    wish = RunWish(out, seed, cells, as_json)
    with progress_bars() as progress:
        drawn = _drawn(place, works, seed, read)
        found = contenders_for(asked, place, drawn, options, wish.folder(ENCODING_TIME), progress)

        def compute(seed: int, **how: Any) -> "Outcome":
            return run_encoding_time(drawn, found, options, **how)  # the works were drawn by the seed

        inputs = [TimedInput(drawn, each) for each in found]
        run_and_print(ENCODING_TIME, wish, compute, options, progress, inputs)


def _place(works: WorkSource) -> "Workspace | CaptionedSet":
    if works.kind is not None:
        return works.dataset
    # Only here, so that a data set's works can be timed without the libraries that search.
    from vernissage.workspace.workspace import open_workspace

    works.require_no_set_options()
    return open_workspace(works.source)


def _modalities(only: str | None) -> "tuple[Modality, ...]":
    """What is timed: both, or the one that is named.

    Raises:
        RequestError: another word.
    """
    from vernissage_lab.encoding_works import MODALITIES

    found = tuple(modality for modality in MODALITIES if only in (None, modality))
    if not found:
        raise RequestError(f"--only {only} names no modality; write image or text, or leave it out for both")
    return found


def _drawn(place: "Workspace | CaptionedSet", count: int, seed: int, only: "Sequence[Modality]") -> "TimedWorks":
    """Works of a workspace or a set."""
    from vernissage_lab.datasets.captioned import CaptionedSet
    from vernissage_lab.encoding_works import works_of_collection, works_of_set

    if isinstance(place, CaptionedSet):
        return works_of_set(place, count, seed=seed, only=only)
    return works_of_collection(place.collection, place.collection_name, count, seed=seed, only=only)


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("encoding-time")(encoding_time)
