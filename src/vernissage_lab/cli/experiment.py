"""The commands of the papers' experiments: vernissage lab experiment …"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.options import AsJson
from vernissage.cli.output import say
from vernissage.errors import RequestError
from vernissage_lab.cli import (
    experiment_areas,
    experiment_data,
    experiment_encoding_time,
    experiment_gap,
    experiment_maps,
    experiment_mixed,
    experiment_recommending,
    experiment_search_time,
    experiment_spaces,
    experiment_visitors,
)
from vernissage_lab.cli.experiment_list import listed, print_listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vernissage_lab.recipes.contract import Recipe

experiment = typer.Typer(
    name="experiment",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The experiments of the papers, one command each, with a record of every run.",
)
run = typer.Typer(name="run", no_args_is_help=True, rich_markup_mode=None, help="Run one experiment into a folder.")


def recipes() -> "Mapping[str, Recipe]":
    """Every experiment that there is, by its word."""
    from vernissage_lab.recipes.ablation import ABLATION
    from vernissage_lab.recipes.areas import AREAS_RECIPE
    from vernissage_lab.recipes.encoding_time import ENCODING_TIME
    from vernissage_lab.recipes.fusion import FUSION
    from vernissage_lab.recipes.gap import GAP
    from vernissage_lab.recipes.maps import MAPS
    from vernissage_lab.recipes.mixed import MIXED
    from vernissage_lab.recipes.overlap import OVERLAP
    from vernissage_lab.recipes.retrieval import RETRIEVAL
    from vernissage_lab.recipes.search_time import SEARCH_TIME
    from vernissage_lab.recipes.tags import TAGS
    from vernissage_lab.recipes.weighting import WEIGHTING

    known = (
        ABLATION,
        TAGS,
        RETRIEVAL,
        WEIGHTING,
        FUSION,
        AREAS_RECIPE,
        MIXED,
        OVERLAP,
        SEARCH_TIME,
        GAP,
        ENCODING_TIME,
        MAPS,
    )
    return {recipe.name: recipe for recipe in known}


@experiment.command("list")
def list_experiments(as_json: AsJson = False) -> None:
    """List every table and figure of both papers with the command that recomputes it, and what it needs.

    \b
    Example:
      vernissage lab experiment list
    """
    print_listed(listed(recipes().values()), as_json=as_json)


@experiment.command()
def report(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER…", help="Folders that `experiment run` wrote.")],
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
    from vernissage.files import write_bytes
    from vernissage_lab.pages.experiment_report import experiment_report
    from vernissage_lab.published.folder import PublishedFolder
    from vernissage_lab.reporting import section_of
    from vernissage_lab.running import read_run

    known = recipes()
    theirs = PublishedFolder(published) if published is not None else None
    sections = []
    for folder in folders:
        found = read_run(folder)
        if found.recipe not in known:
            raise RequestError(f"{folder} holds the experiment {found.recipe!r}, which this version does not know")
        sections.append(section_of(known[found.recipe], found, folder.name, theirs))
    write_bytes(out, experiment_report(sections).encode())
    say(f"Written: {out}")


for module in (
    experiment_recommending,
    experiment_visitors,
    experiment_areas,
    experiment_mixed,
    experiment_search_time,
    experiment_encoding_time,
    experiment_spaces,
    experiment_gap,
    experiment_maps,
):
    module.add_commands(run)
experiment.add_typer(run)
experiment_data.add_commands(experiment)
