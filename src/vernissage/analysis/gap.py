"""How far apart an encoder keeps pictures and texts."""

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError


def modality_gap(pictures: npt.NDArray[np.float32], texts: npt.NDArray[np.float32]) -> float:
    """‖mean unit picture − mean unit text‖, from 0 (one cloud) to 2 (opposite points).

    Liang et al., *Mind the Gap*, NeurIPS 2022, arXiv 2203.02053, section 2. ``pictures`` (n, dim) and ``texts``
    (m, dim) are unit rows of one encoder.

    Raises:
        RequestError: one side is empty, or the dimensions differ.
    """
    if not len(pictures) or not len(texts):
        raise RequestError(
            f"the gap needs both, but there are {len(pictures)} pictures and {len(texts)} texts; choose another encoder"
        )
    if pictures.shape[1] != texts.shape[1]:
        raise RequestError(
            f"pictures have {pictures.shape[1]} dimensions and texts {texts.shape[1]}; the gap needs one space"
        )
    difference = pictures.mean(axis=0, dtype=np.float64) - texts.mean(axis=0, dtype=np.float64)
    return float(np.linalg.norm(difference))
