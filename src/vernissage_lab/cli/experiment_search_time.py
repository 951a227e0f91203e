"""The command of the second paper's times of searching: experiment run search-time."""

from functools import partial
from typing import Annotated

import typer

from vernissage.cli.options import AsJson
from vernissage.cli.output import progress_bars
from vernissage_lab.cli.experiment_options import CellLimit, OutFolder, RunWish, Seed, run_and_print


def search_time(
    vectors: Annotated[
        int, typer.Option(help="One index of so many against two of half; 0 leaves that out.")
    ] = 1_000_000,
    k: Annotated[int, typer.Option("-k", help="How many of them are asked for.")] = 1000,
    queries: Annotated[int, typer.Option(help="Queries of that comparison.")] = 1000,
    small_vectors: Annotated[int, typer.Option(help="Plain ways against FAISS on so many; 0 leaves that out.")] = 5000,
    small_k: Annotated[int | None, typer.Option(help="How many of those are asked for; default all.")] = None,
    small_queries: Annotated[int, typer.Option(help="Queries of that comparison.")] = 100,
    dim: Annotated[int, typer.Option(help="Dimensions of all vectors.")] = 512,
    warm_up: Annotated[int, typer.Option(help="Queries answered before any is timed.")] = 5,
    cells: CellLimit = None,
    seed: Seed = 0,
    out: OutFolder = None,
    as_json: AsJson = False,
) -> None:
    """Time searches on one thread: one index or two, plain ways or FAISS; and what an exact index loses.

    The full size takes 6.3 GB of memory and about 20 minutes of one core; a cell is 50 queries.

    \b
    Examples:
      vernissage lab experiment run search-time --queries 100
      vernissage lab experiment run search-time --vectors 200000 --queries 200
      vernissage lab experiment run search-time --vectors 0
    """
    from vernissage_lab.recipes.search_time import SEARCH_TIME, SearchTimeOptions, run_search_time

    options = SearchTimeOptions(
        vectors=vectors,
        k=k,
        queries=queries,
        small_vectors=small_vectors,
        small_k=small_vectors if small_k is None else small_k,
        small_queries=small_queries,
        dim=dim,
        warm_up=warm_up,
    )
    wish = RunWish(out, seed, cells, as_json)
    with progress_bars() as progress:
        run_and_print(SEARCH_TIME, wish, partial(run_search_time, options), options, progress)


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("search-time")(search_time)
