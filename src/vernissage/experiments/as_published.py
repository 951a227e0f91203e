"""What the second paper's released code does otherwise than its text, for whoever wants its numbers again.

github.com/fedasaro62/ZCCR-Exp, zccr.py. The rest of an experiment as published is in `simulated_users` (users are
dealt the classes) and in `raw_lengths` (vectors as the network gives them). Its HDBSCAN, which joins regions nearer
than 5 and drops noise, is not offered: scikit-learn's fails with current versions of NumPy where it is to join regions.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.profiles.reduction import TSNE, tsne_plane
from vernissage.progress import Progress

Floats = npt.NDArray[np.float64]

COMPONENTS = 50
"""So many principal components are kept, where there are more."""


@dataclass(frozen=True)
class StandardisedTSNE:
    """A plane by t-SNE from a random start, after every dimension was given mean 0 and variance 1.

    Fewer than four rows are only standardised; the perplexity is that of `TSNE`.
    """

    keeps_distances = False

    def apply(self, rows: Floats, *, seed: int, progress: Progress) -> Floats:
        spread = rows.std(axis=0)
        standard: Floats = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)
        if len(rows) < 4 or rows.shape[1] < 2:
            return standard
        return tsne_plane(standard, perplexity=TSNE().perplexity, start="random", seed=seed)
