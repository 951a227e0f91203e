"""The commands for the experiments' data sets: experiment data, experiment classify."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.options import AsJson
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage_lab.datasets.captioned import CaptionedSet

KindWord = Annotated[
    str,
    typer.Option("--kind", help="coco-karpathy, coco, flickr30k, flickr8k, classified, national-gallery or gallery."),
]
PictureFolder = Annotated[
    Path | None, typer.Option("--pictures", help="The folder below which the pictures lie; else beside the file.")
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out captions without pictures, pictures without captions; count them.")
]
CaptionFields = Annotated[
    list[str] | None,
    typer.Option("--caption", help="Galleries: fields of one caption, as title+keywords; repeat for several captions."),
]
ClassColumn = Annotated[
    str | None, typer.Option("--classes", help="Galleries: the column of classes; default the group or category.")
]


def data(
    kind: Annotated[str | None, typer.Argument(help="The kind of set; without, all kinds are listed.")] = None,
    path: Annotated[Path | None, typer.Argument(help="Its file or folder.")] = None,
    pictures: PictureFolder = None,
    caption: CaptionFields = None,
    classes: ClassColumn = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Read a captioned set and print what it holds: counts, split, classes, missing pictures, fingerprint.

    \b
    Examples:
      vernissage lab experiment data
      vernissage lab experiment data coco-karpathy dataset_coco.json --pictures coco
      vernissage lab experiment data flickr30k flickr30k/results.csv
      vernissage lab experiment data gallery openclipart --caption title+keywords --json
    """
    from vernissage_lab.datasets.captioned import described, description_lines

    if kind is None:
        _print_kinds(as_json)
        return
    if path is None:
        raise RequestError(f"no path is given; name the file or folder: vernissage lab experiment data {kind} PATH")
    found = opened(kind, path, pictures, caption, classes, skip_bad=skip_bad)
    if as_json:
        print_json(described(found))
        return
    for line in description_lines(found):
        say(line)


def classify(
    path: Annotated[Path, typer.Argument(metavar="SET", help="The set's file or folder.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the classified set: .csv.")],
    kind: KindWord = "gallery",
    weights: Annotated[
        Path | None, typer.Option(help="Folder or file of ResNet-50's weights; else the hub's cache or the hub.")
    ] = None,
    pictures: PictureFolder = None,
    at_least: Annotated[float, typer.Option(help="From this probability on, a class is taken for true.")] = 0.9,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures at once.")] = 32,
    caption: CaptionFields = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Classify a set's pictures by ResNet-50 and keep those whose class is certain, as a table that `data` can read.

    Interrupted, the same command goes on where it stopped.

    \b
    Examples:
      vernissage lab experiment classify dataset_coco.json --kind coco-karpathy --pictures coco -o coco_classified.csv
      vernissage lab experiment classify openclipart --weights resnet50-0676ba61.pth --out classified.csv
    """
    from vernissage.encoders.loading import load_pretrained
    from vernissage.encoders.runtime.devices import Runtime
    from vernissage_lab.datasets.captioned import described
    from vernissage_lab.datasets.classified import write_classified
    from vernissage_lab.datasets.classifying import classify

    if out.suffix.lower() != ".csv":
        raise RequestError(f"a classified set cannot be written as {out.suffix or out.name!r}; end the name in .csv")
    found = opened(kind, path, pictures, caption, None, skip_bad=skip_bad)
    building = out.with_name(f"{out.name}.building")
    with progress_bars() as progress:
        runtime = Runtime(device, batch_size=batch_size)
        model = load_pretrained("resnet50", weights, runtime=runtime, progress=progress)
        whole = classify(found, model, at_least=at_least, batch_size=batch_size, building=building, progress=progress)
    write_classified(whole, out)
    shutil.rmtree(building, ignore_errors=True)
    if as_json:
        print_json({"out": str(out), "classifier": model.fingerprint, "at_least": at_least, **described(whole)})
        return
    _print_classes(whole)
    say(f"Written: {out}, by resnet50 with fingerprint {model.fingerprint}")


def opened(
    kind: str,
    path: Path,
    pictures: Path | None = None,
    caption: list[str] | None = None,
    classes: str | None = None,
    *,
    skip_bad: bool = False,
) -> "CaptionedSet":
    """The set that the options name; options of galleries are passed on only where they are given.

    Raises:
        DatasetError: see `open_dataset`.
    """
    from vernissage_lab.datasets.kinds import open_dataset

    given: dict[str, Any] = {"captions": tuple(caption) if caption else None, "classes": classes}
    options = {key: value for key, value in given.items() if value is not None}
    return open_dataset(kind, path, pictures=pictures, skip_bad=skip_bad, **options)


def _print_kinds(as_json: bool) -> None:
    from vernissage_lab.datasets.kinds import KINDS

    if as_json:
        print_json([{"kind": kind.word, "what": kind.what, "source": kind.source} for kind in KINDS.values()])
        return
    print_table(["kind", "what", "official source"], [[kind.word, kind.what, kind.source] for kind in KINDS.values()])
    note("Nothing is downloaded for you: get the set from its source, and name its file")


def _print_classes(found: "CaptionedSet") -> None:
    for remark in found.remarks:
        say(remark)
    largest = list(found.members.items())[:10]
    print_table(
        ["class", "label", "pictures"],
        [[str(index), found.class_names[index], str(len(ids))] for index, ids in largest],
        numbers=["class", "pictures"],
    )
    if len(found.members) > len(largest):
        say(f"and {len(found.members) - len(largest)} smaller classes")


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command()(data)
    app.command()(classify)
