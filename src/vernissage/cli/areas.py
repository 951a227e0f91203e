"""The command that shows which uploads belong together: areas."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.options import AreaRuleWord, DatabasePlace, HalfLife, ProjectionWord
from vernissage.cli.output import print_json, print_table, progress_bars, say
from vernissage.cli.owners import AreaWords
from vernissage.cli.recommending import AsJson
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from vernissage.profiles.area import Area

_SHOWN = 8


def areas(
    workspace: Annotated[Path | None, typer.Argument(help="A workspace; or, without it, --vectors.")] = None,
    owner: Annotated[str | None, typer.Argument(help="Whose areas.")] = None,
    vectors: Annotated[
        Path | None, typer.Option(help="Instead of a workspace: a .npy file, one row for each upload.")
    ] = None,
    background: Annotated[
        Path | None,
        typer.Option(help="For --vectors: what will be searched, or the mean of its unit vectors, a .npy file."),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option("--encoder", "-e", help="Whose vectors; default: clip, aligned … as there are.")
    ] = None,
    rule: AreaRuleWord = "coherence",
    projection: ProjectionWord = "none",
    seed: Annotated[int, typer.Option(help="Equal seeds give equal areas, where chance has a part.")] = 0,
    half_life: HalfLife = None,
    mute: Annotated[
        list[str] | None, typer.Option(metavar="AREA", help="Do not listen to an area, as in --mute image:2; repeat.")
    ] = None,
    unmute: Annotated[list[str] | None, typer.Option(metavar="AREA", help="Listen to it again.")] = None,
    weight: Annotated[
        list[str] | None, typer.Option(metavar="AREA=W", help="Let it count W times as much; 1 as found.")
    ] = None,
    rename: Annotated[list[str] | None, typer.Option(metavar="AREA=NAME", help="Call it by another name.")] = None,
    merge: Annotated[
        list[str] | None, typer.Option(metavar="AREA,AREA", help="Make one area of several of one modality.")
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(metavar="AREA[=ID,ID]", help="Give these uploads an area of their own; without ids, halve it."),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the latest change back.")] = False,
    database: DatabasePlace = None,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures, for a person's areas.")] = None,
) -> None:
    """A person's areas of interest: which of their works and uploads belong together, with names, sizes and examples.

    Pictures and texts have areas of their own, called image:1, image:2 … and text:1 … as they are printed. Changes are
    kept and made again when new uploads arrive; several in one command are all about the areas as they were printed.

    \b
    Examples:
      vernissage areas workspace ann --html areas.html
      vernissage areas workspace ann --mute image:3 --rename "image:1=Sea and ships"
      vernissage areas workspace ann --merge text:1,text:4 --weight image:2=0.5
      vernissage areas workspace ann --undo
      vernissage areas --vectors uploads.npy --background collection.npy
      vernissage areas --vectors uploads.npy --rule ward:5 --projection pca --json
    """
    from vernissage.cli.area_edits import EditWords
    from vernissage.cli.owner_areas import Wish, show_owner_areas

    edits = EditWords(mute or (), unmute or (), weight or (), rename or (), merge or (), split or ())
    words = AreaWords(rule, projection, half_life, seed)
    if vectors is not None:
        if workspace is not None or edits or undo or html is not None or encoder is not None:
            raise RequestError(
                "--vectors goes without a workspace, an encoder, changes and --html; these need a person's uploads"
            )
        _areas_of_file(vectors, background, words, as_json=as_json)
        return
    if workspace is None or owner is None:
        raise RequestError(
            "whose areas? write `vernissage areas WORKSPACE OWNER` (`vernissage owners WORKSPACE` lists people), or "
            "give a file of vectors with --vectors"
        )
    if background is not None:
        raise RequestError("--background is for --vectors; in a workspace it is the mean of what will be searched")
    show_owner_areas(workspace, owner, Wish(encoder, words, edits, undo, as_json, html), database)


def _areas_of_file(vectors: Path, background: Path | None, words: AreaWords, *, as_json: bool) -> None:
    from vernissage.profiles.areas import areas_of_interest
    from vernissage.profiles.coherence import Coherence

    options = words.options()
    if background is None and isinstance(options.rule, Coherence):
        raise RequestError(
            "the rule coherence compares uploads with what will be searched; give those vectors, or the mean of their "
            "unit vectors, with --background FILE.npy, or choose another rule, as in --rule silhouette"
        )
    uploads = read_vectors(vectors)
    if uploads.ndim != 2:
        raise RequestError(f"{vectors} holds an array of shape {uploads.shape}; give one row for each upload")
    mean = None if background is None else _background_mean(background, uploads.shape[1])
    with progress_bars() as progress:
        found = areas_of_interest(
            uploads,
            background=mean,
            rule=options.rule,
            projection=options.projection,
            seed=options.seed,
            progress=progress,
        )
    if as_json:
        print_json(areas_as_json(found, len(uploads)))
    else:
        _print_areas(found, len(uploads))


def read_vectors(path: Path) -> "npt.NDArray[Any]":
    """Read a table of numbers from a .npy file, without unpickling.

    Raises:
        RequestError: the file is missing, is no .npy file, is cut short, or holds something else than finite numbers.
    """
    import numpy as np

    try:
        found = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise RequestError(f"{path} is missing; give a .npy file, as numpy.save writes it") from None
    except (ValueError, EOFError, SyntaxError) as error:
        raise RequestError(f"{path} is no .npy file of numbers, or is cut short; write it with numpy.save") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu" or found.ndim not in {1, 2}:
        what = f"{found.dtype} of shape {found.shape}" if isinstance(found, np.ndarray) else "several arrays"
        raise RequestError(f"{path} holds {what}; give one table of numbers, one row for each work, as a .npy file")
    if found.ndim == 2 and found.shape[1] == 0:
        raise RequestError(f"{path} holds vectors of no dimension; encode the works again")
    if wrong := int((~np.isfinite(np.atleast_2d(found))).any(axis=1).sum()):
        raise RequestError(
            f"{path} holds values that are not finite numbers, in {wrong} of {len(np.atleast_2d(found))} rows; "
            f"encode those works again"
        )
    return found


def areas_as_json(found: "Sequence[Area]", count: int) -> dict[str, Any]:
    """Labels by row (an area's place in the list) and areas, as JSON values."""
    import numpy as np

    labels = np.zeros(count, dtype=np.int64)
    for place, area in enumerate(found):
        labels[list(area.members)] = place
    return {
        "labels": labels.tolist(),
        "areas": [
            {"members": list(area.members), "medoid": area.medoid, "centroid_norm": _norm(area)} for area in found
        ],
    }


def _background_mean(path: Path, dim: int) -> "npt.NDArray[Any]":
    """The mean of unit vectors: computed from a table of vectors; a single row is the mean itself."""
    from vernissage.profiles.directions import mean_direction

    found = read_vectors(path)
    if found.shape[-1] != dim:
        raise RequestError(
            f"the background {path} has {found.shape[-1]} dimensions, the uploads have {dim}; encode both alike"
        )
    if found.size == 0:
        raise RequestError(f"the background {path} holds no vectors; give those of the works that will be searched")
    rows = found.reshape(-1, dim)
    return rows[0] if len(rows) == 1 else mean_direction(rows)


def _print_areas(found: "Sequence[Area]", count: int) -> None:
    if not found:
        say("There are no uploads, and so no areas.")
        return
    rows = [
        [str(place), str(len(area)), f"{len(area) / count:.0%}", str(area.medoid), f"{_norm(area):.3f}", _rows(area)]
        for place, area in enumerate(found)
    ]
    heads = ["area", "uploads", "share", "medoid", "centroid norm", "rows"]
    print_table(heads, rows, numbers=heads[:-1])
    uploads = f"{count} upload{'s' * (count != 1)}"
    say(f"{uploads} in {len(found)} area{'s' * (len(found) != 1)}")


def _rows(area: "Area") -> str:
    shown = ", ".join(map(str, area.members[:_SHOWN]))
    return shown + (f" and {len(area) - _SHOWN} more" if len(area) > _SHOWN else "")


def _norm(area: "Area") -> float:
    import numpy as np

    return float(np.linalg.norm(area.centroid.astype(np.float64)))


def add_commands(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command()(areas)
