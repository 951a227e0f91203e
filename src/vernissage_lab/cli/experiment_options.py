"""Options that several experiments share, what reads them, and what a run prints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.output import note, print_json, print_table, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.progress import Progress
    from vernissage_lab.material import Material
    from vernissage_lab.recipes.contract import Input, Outcome, Recipe

OutFolder = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help="The folder of the run; default experiments/NAME. Resumable."),
]
EncoderWords = Annotated[
    list[str] | None, typer.Option("--encoder", "-e", help="Whose vectors; repeat. Default: the likeliest to serve.")
]
Seed = Annotated[int, typer.Option(help="Equal seeds give equal results.")]
Users = Annotated[int, typer.Option(help="Simulated users in each cell; the protocol asks for 100 or more.")]
Workers = Annotated[int, typer.Option(help="Processes that compute cells side by side; results are the same.")]
CellLimit = Annotated[int | None, typer.Option("--cells", help="Compute so many cells and stop; run again to go on.")]
QueryClasses = Annotated[int, typer.Option(help="How many of the largest classes are asked for; others are noise.")]
PoolSize = Annotated[int, typer.Option("--pool", help="Works in a pool, as far as there are so many.")]
TaskWords = Annotated[
    list[str] | None, typer.Option("--task", help="text-to-image and so on; repeat. Default: all there are.")
]
ClassNumbers = Annotated[str, typer.Option("--classes", metavar="1,2,…", help="Numbers of interests.")]
PointNumbers = Annotated[str, typer.Option("--points", metavar="5,10,…", help="Uploads in each class.")]


def whole_numbers(text: str, what: str) -> tuple[int, ...]:
    """Numbers from 1 with commas between them.

    Raises:
        RequestError: something else.
    """
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and int(word) > 0 for word in words):
        raise RequestError(f"{what} {text!r} are not whole numbers from 1 with commas between; write them as 1,2,5")
    return tuple(dict.fromkeys(int(word) for word in words))


def materials_of(workspace: Path, encoders: Sequence[str] | None) -> "list[Material]":
    """The works of a workspace with the vectors of each encoder, or of its default one."""
    from vernissage.gallery.person import areas_encoder
    from vernissage.workspace.workspace import open_workspace
    from vernissage_lab.material import material_of_workspace

    opened = open_workspace(workspace)
    return [material_of_workspace(opened, name) for name in dict.fromkeys(encoders or [areas_encoder(opened)])]


@dataclass(frozen=True)
class RunWish:
    """Where a run goes, how far, and how it is told: the options that every experiment has."""

    out: Path | None
    seed: int
    cells: int | None
    as_json: bool

    def folder(self, recipe: "Recipe") -> Path:
        """The folder of the run.

        Raises:
            RequestError: it is a file.
        """
        place = self.out or Path("experiments") / recipe.name
        if place.exists() and not place.is_dir():
            raise RequestError(f"{place} is a file, but a run fills a folder; name another place with --out")
        return place


def run_and_print(
    recipe: "Recipe",
    wish: RunWish,
    compute: "Callable[..., Outcome]",
    options: object,
    progress: "Progress",
    materials: "Sequence[Input]" = (),
) -> None:
    """Run an experiment into its folder, and print its tables, what differs from the protocol, and where all lies.

    ``compute`` is the recipe's function with its inputs and ``options`` filled in; it takes seed, cells and progress.
    """
    from vernissage_lab.running import run_recipe

    folder = wish.folder(recipe)
    found = run_recipe(
        recipe,
        folder,
        lambda cells: compute(seed=wish.seed, cells=cells, progress=progress),
        materials=materials,
        options=options,
        seed=wish.seed,
        most_cells=wish.cells,
    )
    if wish.as_json:
        print_json(dict(found.record))
        return
    for view in recipe.views(found.tables):
        say(view.caption)
        print_table(view.heads, view.rows, numbers=view.heads[view.words :])
        if view.note:
            say(view.note)
        say("")
    for remark in found.record["notes"]:
        note(f"note: {remark}")
    cells = found.record["cells"]
    tables = f"{', '.join(found.tables)} as CSV and Parquet" if found.tables else "no tables yet"
    say(
        f"Written to {folder}: {tables}, {len(found.record['figures'])} figures, "
        f"record.json ({cells['computed']} cells computed, {cells['read']} read)"
    )
