"""The command that shows which uploads belong together: areas."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.output import print_json, print_table, progress_bars, say
from vernissage.cli.recommending import AsJson
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from vernissage.profiles.area import Area

_SHOWN = 8


def areas(
    vectors: Annotated[Path, typer.Option(help="The uploads' vectors: a .npy file, one row for each upload.")],
    background: Annotated[
        Path | None,
        typer.Option(help="The vectors that will be searched, or the mean of their unit vectors: a .npy file."),
    ] = None,
    rule: Annotated[
        str, typer.Option(help="coherence, ward:T (cut at distance T), silhouette or hdbscan.")
    ] = "coherence",
    projection: Annotated[
        str, typer.Option(help="Before clustering: none, pca (99 % of the variance), pca:N (N components) or tsne.")
    ] = "none",
    seed: Annotated[int, typer.Option(help="Equal seeds give equal areas, where chance has a part.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Areas of interest: which uploads belong together, the largest area first, by the rows of a file of vectors.

    \b
    Examples:
      vernissage areas --vectors uploads.npy --background collection.npy
      vernissage areas --vectors uploads.npy --rule ward:5 --projection pca --json
    """
    from vernissage.cli.area_rules import area_projection, area_rule
    from vernissage.profiles.areas import areas_of_interest
    from vernissage.profiles.coherence import Coherence

    by, seen_by = area_rule(rule), area_projection(projection)
    if seed < 0:
        raise RequestError(f"the seed {seed} is negative; give a whole number from 0")
    if background is None and isinstance(by, Coherence):
        raise RequestError(
            "the rule coherence compares uploads with what will be searched; give those vectors, or the mean of their "
            "unit vectors, with --background FILE.npy, or choose another rule, as in --rule silhouette"
        )
    uploads = read_vectors(vectors)
    if uploads.ndim != 2:
        raise RequestError(f"{vectors} holds an array of shape {uploads.shape}; give one row for each upload")
    mean = None if background is None else _background_mean(background, uploads.shape[1])
    with progress_bars() as progress:
        found = areas_of_interest(uploads, background=mean, rule=by, projection=seen_by, seed=seed, progress=progress)
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
