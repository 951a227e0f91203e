"""Vectors for use elsewhere, and areas of interest of vectors in files: ``vernissage vectors …``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.encoding import encode
from vernissage.cli.options import AreaWords, AsJson, command
from vernissage.cli.output import print_json, print_table, progress_bars, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vernissage.profiles.areas import Area

__all__ = ["areas_of_file", "encode", "vectors"]

_SHOWN = 8

vectors = typer.Typer(
    name="vectors",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Vectors of pictures and texts, for use elsewhere.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def areas_of_file(file: Path, background: Path | None, words: AreaWords, seed: int, *, as_json: bool) -> None:
    """Print the areas of interest of the rows of a file."""
    from vernissage.gallery.areas import area_options
    from vernissage.gallery.vector_files import areas_as_json
    from vernissage.gallery.vector_files import areas_of_file as find

    options = area_options(words.area_rule, words.projection, words.half_life, seed)
    with progress_bars() as progress:
        found, count = find(file, background, options, progress=progress)
    if as_json:
        print_json(areas_as_json(found, count))
    else:
        _print_areas(found, count)


@command
def areas(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .npy file, one row for each upload.")],
    words: AreaWords,
    background: Annotated[
        Path | None,
        typer.Option(help="What will be searched, or the mean of its unit vectors, a .npy file."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal areas, where chance has a part.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Which rows of a file of vectors belong together.

    \b
    Examples:
      vernissage vectors areas uploads.npy --background collection.npy
      vernissage vectors areas uploads.npy --areas ward:5 --projection pca --json
    """
    areas_of_file(file, background, words, seed, as_json=as_json)


def _print_areas(found: "Sequence[Area]", count: int) -> None:
    from vernissage.gallery.vector_files import centroid_norm

    if not found:
        say("There are no uploads, and so no areas.")
        return
    rows = [
        [
            str(place),
            str(len(area)),
            f"{len(area) / count:.0%}",
            str(area.medoid),
            f"{centroid_norm(area):.3f}",
            _rows(area),
        ]
        for place, area in enumerate(found)
    ]
    heads = ["area", "uploads", "share", "medoid", "centroid norm", "rows"]
    print_table(heads, rows, numbers=heads[:-1])
    uploads = f"{count} upload{'s' * (count != 1)}"
    say(f"{uploads} in {len(found)} area{'s' * (len(found) != 1)}")


def _rows(area: "Area") -> str:
    shown = ", ".join(map(str, area.members[:_SHOWN]))
    return shown + (f" and {len(area) - _SHOWN} more" if len(area) > _SHOWN else "")


vectors.command("encode")(encode)
vectors.command("areas")(areas)
