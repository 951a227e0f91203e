"""The commands of the papers' experiments: vernissage lab experiment …; options of a run are those of its recipe."""

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import fill
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import typer

from vernissage.cli.groups import SETTINGS, LazyGroup, as_command
from vernissage.cli.options import AsJson
from vernissage.cli.output import note, print_json, progress_bars, say
from vernissage.cli.output import print_table as print_rows
from vernissage.errors import RequestError
from vernissage.files import write_bytes
from vernissage_lab.recipe import (
    EXPERIMENTS,
    RECIPES,
    About,
    CaptionFields,
    PictureFolder,
    Recipe,
    RunOptions,
    SkipBad,
    read_run,
    recipe_of,
    run_recipe,
)
from vernissage_lab.tables import print_table, table


class _Recipes(LazyGroup):
    """A command for each recipe, made of the class of its options."""

    sections: ClassVar[Mapping[str, Mapping[str, str]]] = MappingProxyType({"Experiments": RECIPES})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return as_command(_run_command(recipe_of(cmd_name)), cmd_name) if cmd_name in RECIPES else None


_SHARED: dict[str, Any] = {
    "no_args_is_help": True,
    "add_completion": False,
    "rich_markup_mode": None,
    "context_settings": SETTINGS,
}
experiment = typer.Typer(
    name="experiment", help="The experiments of the papers, one command each, with a record of every run.", **_SHARED
)
run = typer.Typer(name="run", cls=_Recipes, help="Run one experiment into a folder.", **_SHARED)
experiment.add_typer(run)


@run.callback()
def _run() -> None:
    pass


def _run_command(recipe: Recipe) -> Callable[..., None]:
    """Run the recipe into its folder, and print its tables, what differs from the protocol, and where all lies."""

    def call(options: Any, run: RunOptions, as_json: AsJson = False) -> None:
        with progress_bars() as progress:
            found = run_recipe(recipe, options, run, progress)
        if as_json:
            print_json(dict(found.record))
            return
        for view in recipe.views(found.tables) if found.tables else ():
            print_table(view)
            say("")
        for remark in found.record["notes"]:
            note(f"note: {remark}")
        cells = found.record["cells"]
        tables = f"{', '.join(found.tables)} as CSV and Parquet" if found.tables else "no tables yet"
        say(
            f"Written to {run.folder(recipe.name)}: {tables}, {len(found.record['figures'])} figures, "
            f"record.json ({cells['computed']} cells computed, {cells['read']} read)"
        )

    call.__doc__ = recipe.compute.__doc__
    call.__annotations__["options"] = recipe.options
    return call


@experiment.command("list")
def list_experiments(as_json: AsJson = False) -> None:
    """List every table and figure of both papers with the command that recomputes it, and what it needs.

    \b
    Example:
      vernissage lab experiment list
    """
    found = sorted(EXPERIMENTS.values(), key=_order)
    if as_json:
        names = ("name", "command", "paper", "what", "needs")
        print_json([{name: {**vars(each), "command": _command(each)}[name] for name in names} for each in found])
        return
    for beginning, heading in _HEADINGS.items():
        rows = [
            (fill(_part(each), _WIDEST), f"vernissage {_command(each)}\n{each.what}\nneeds {each.needs}")
            for each in found
            if _beginning(each) == beginning
        ]
        print_table(table(heading, ("part", "command"), rows, words=2))
        say("")
    say("Options are told by --help, data sets by `vernissage lab experiment data`")


@experiment.command()
def report(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER…", help="Folders that `vernissage lab experiment run` wrote.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="HTML", help="The page.")] = Path("experiments.html"),
    published: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A clone of the second paper's repository, whose values stand beside ours."),
    ] = None,
) -> None:
    """Write one page with the tables, figures and records of experiments, published values beside ours.

    \b
    Examples:
      vernissage lab experiment report experiments/ablation experiments/tags -o experiments.html
      vernissage lab experiment report experiments/ablation --published ZCCR-Exp
    """
    from vernissage_lab.published.folder import PublishedFolder
    from vernissage_lab.report import experiment_report, section_of

    theirs = PublishedFolder(published) if published is not None else None
    sections = []
    for folder in folders:
        found = read_run(folder)
        if found.recipe not in RECIPES:
            raise RequestError(f"{folder} holds the experiment {found.recipe!r}, which this version does not know")
        sections.append(section_of(recipe_of(found.recipe), found, folder.name, theirs))
    write_bytes(out, experiment_report(sections).encode())
    say(f"Written: {out}")


@experiment.command()
def data(
    kind: Annotated[str | None, typer.Argument(help="The kind of set; without, all kinds are listed.")] = None,
    path: Annotated[Path | None, typer.Argument(help="Its file or folder.")] = None,
    pictures: PictureFolder = None,
    caption: CaptionFields = None,
    classes: Annotated[
        str | None, typer.Option(help="Galleries: the column of classes; default the group or category.")
    ] = None,
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
    from vernissage_lab.datasets.kinds import KINDS, open_dataset

    if kind is None:
        kinds = [(word, each.what, each.source) for word, each in KINDS.items()]
        if as_json:
            print_json([dict(zip(("kind", "what", "source"), each, strict=True)) for each in kinds])
            return
        print_rows(["kind", "what", "official source"], kinds)
        note("Nothing is downloaded for you: get the set from its source, and name its file")
        return
    if path is None:
        raise RequestError(f"no path is given; name the file or folder: vernissage lab experiment data {kind} PATH")
    found = open_dataset(kind, path, pictures=pictures, skip_bad=skip_bad, captions=caption or None, classes=classes)
    if as_json:
        print_json(described(found))
        return
    for line in description_lines(found):
        say(line)


@experiment.command()
def classify(
    path: Annotated[Path, typer.Argument(metavar="SET", help="The set's file or folder.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the classified set: .csv.")],
    kind: Annotated[
        str, typer.Option(help="coco-karpathy, coco, flickr30k, flickr8k, classified, national-gallery or gallery.")
    ] = "gallery",
    weights: Annotated[
        Path | None, typer.Option(help="Folder or file of ResNet-50's weights; else the hub's cache or the hub.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="efficientnet-lite0 (default without --weights) or resnet50, the second paper's.")
    ] = None,
    pictures: PictureFolder = None,
    at_least: Annotated[float, typer.Option(help="From this probability on, a class is taken for true.")] = 0.9,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures at once.")] = 32,
    caption: CaptionFields = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Classify a set's pictures and keep those whose class is certain, as a table that `data` can read.

    By EfficientNet-Lite0, which needs no download, or by the ResNet-50 of the second paper. Interrupted, the same
    command goes on where it stopped.

    \b
    Examples:
      vernissage lab experiment classify dataset_coco.json --kind coco-karpathy --pictures coco -o coco_classified.csv
      vernissage lab experiment classify openclipart --out classified.csv
      vernissage lab experiment classify openclipart --weights resnet50-0676ba61.pth --out classified.csv
    """
    from vernissage.encoders.loading import load_pretrained
    from vernissage.encoders.runtime.devices import Runtime
    from vernissage_lab.datasets.captioned import described
    from vernissage_lab.datasets.classified import write_classified
    from vernissage_lab.datasets.classifying import LiteClassifier
    from vernissage_lab.datasets.classifying import classify as classified
    from vernissage_lab.datasets.kinds import open_dataset

    chosen = by or ("efficientnet-lite0" if weights is None else "resnet50")
    if chosen not in _CLASSIFIERS or (chosen != "resnet50" and weights is not None):
        raise RequestError(
            f"classes are told by {' or '.join(_CLASSIFIERS)}, and --weights are those of resnet50, but --by {chosen} "
            f"was given{' with --weights' if weights is not None else ''}"
        )
    if out.suffix.lower() != ".csv":
        raise RequestError(f"a classified set cannot be written as {out.suffix or out.name!r}; end the name in .csv")
    found = open_dataset(kind, path, pictures=pictures, skip_bad=skip_bad, captions=caption or None)
    building = out.with_name(f"{out.name}.building")
    with progress_bars() as progress:
        runtime = Runtime(device, batch_size=batch_size)
        lite = chosen != "resnet50"
        model = LiteClassifier() if lite else load_pretrained("resnet50", weights, runtime=runtime, progress=progress)
        whole = classified(found, model, at_least=at_least, batch_size=batch_size, building=building, progress=progress)
    write_classified(whole, out)
    shutil.rmtree(building, ignore_errors=True)
    if as_json:
        known = {"out": str(out), "by": chosen, "classifier": model.fingerprint, "at_least": at_least}
        print_json(known | described(whole))
        return
    for remark in whole.remarks:
        say(remark)
    largest = list(whole.members.items())[:10]
    rows = [(str(index), whole.class_names[index], str(len(ids))) for index, ids in largest]
    print_rows(["class", "label", "pictures"], rows, numbers=["class", "pictures"])
    if len(whole.members) > len(largest):
        say(f"and {len(whole.members) - len(largest)} smaller classes")
    say(f"Written: {out}, by {_CLASSIFIERS[chosen]} with fingerprint {model.fingerprint}")


_LITE = "EfficientNet-Lite0 in place of the second paper's ResNet-50"
_CLASSIFIERS = {"efficientnet-lite0": _LITE, "resnet50": "resnet50"}
_FIRST, _SECOND, _OPEN = "Yilma & Leiva 2023: ", "ZCCR: ", "left open by "
_HEADINGS = {
    _FIRST: "Yilma & Leiva, Together Yet Apart, UMAP 2023 (doi 10.1145/3565472.3592964)",
    _SECOND: "D'Asaro et al., ZCCR, ESWA 258, 2024 (doi 10.1016/j.eswa.2024.125108)",
    _OPEN: "What both left open",
}
_WIDEST = 20
"""Letters of the column that names figures and tables, so that 80 are enough for both."""


def _part(about: About) -> str:
    """Figures and tables, without the paper."""
    return about.paper.removeprefix(_beginning(about))


def _beginning(about: About) -> str:
    return next((beginning for beginning in _HEADINGS if about.paper.startswith(beginning)), _OPEN)


def _order(about: About) -> tuple[int, bool, bool, int]:
    """Papers in their order; what stands in for people last; figures before tables, by number."""
    part = _part(about)
    number = re.search(r"\d+", part)
    simulated = "simulated" in part or "without participants" in part
    paper = list(_HEADINGS).index(_beginning(about))
    return paper, simulated, not part.startswith("Fig"), int(number.group()) if number else 0


def _command(about: About) -> str:
    return f"lab experiment run {about.name}" if about.protocol else about.name
