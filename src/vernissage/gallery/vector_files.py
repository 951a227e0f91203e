"""Areas of interest of vectors in files, without a workspace."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.gallery.areas import AreaOptions
from vernissage.profiles.area_rules import Coherence
from vernissage.profiles.areas import Area, areas_of_interest
from vernissage.profiles.directions import mean_direction
from vernissage.progress import Progress, silent


def areas_of_file(
    vectors: Path, background: Path | None, options: AreaOptions, *, progress: Progress = silent
) -> tuple[Sequence[Area], int]:
    """The areas of the rows of a .npy file, and how many rows there are.

    ``background`` is a .npy file of the vectors that will be searched, or of the mean of their unit vectors.

    Raises:
        RequestError: a file cannot be read, they do not fit together, or the rule needs a background and has none.
    """
    if background is None and isinstance(options.rule, Coherence):
        raise RequestError(
            "the rule coherence compares uploads with what will be searched; give those vectors, or the mean of their "
            "unit vectors, with --background FILE.npy, or choose another rule, as in --areas silhouette"
        )
    uploads = read_vectors(vectors)
    if uploads.ndim != 2:
        raise RequestError(f"{vectors} holds an array of shape {uploads.shape}; give one row for each upload")
    mean = None if background is None else _background_mean(background, uploads.shape[1])
    found = areas_of_interest(
        uploads,
        background=mean,
        rule=options.rule,
        projection=options.projection,
        seed=options.seed,
        progress=progress,
    )
    return found, len(uploads)


def read_vectors(path: Path) -> npt.NDArray[Any]:
    """Read a table of numbers from a .npy file, without unpickling.

    Raises:
        RequestError: the file is missing, is no .npy file, is cut short, or holds something else than finite numbers.
    """
    try:
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
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


def areas_as_json(found: Sequence[Area], count: int) -> dict[str, Any]:
    """Labels by row (an area's place in the list) and areas, as JSON values."""
    labels = np.zeros(count, dtype=np.int64)
    for place, area in enumerate(found):
        labels[list(area.members)] = place
    return {
        "labels": labels.tolist(),
        "areas": [
            {"members": list(area.members), "medoid": area.medoid, "centroid_norm": centroid_norm(area)}
            for area in found
        ],
    }


def centroid_norm(area: Area) -> float:
    """The length of an area's centroid."""
    return float(np.linalg.norm(area.centroid.astype(np.float64)))


def _background_mean(path: Path, dim: int) -> npt.NDArray[Any]:
    """The mean of unit vectors: computed from a table of vectors; a single row is the mean itself."""
    found = read_vectors(path)
    if found.shape[-1] != dim:
        raise RequestError(
            f"the background {path} has {found.shape[-1]} dimensions, the uploads have {dim}; encode both alike"
        )
    if found.size == 0:
        raise RequestError(f"the background {path} holds no vectors; give those of the works that will be searched")
    rows = found.reshape(-1, dim)
    return rows[0] if len(rows) == 1 else mean_direction(rows)
