"""What the second paper's released code does otherwise than its text, for whoever wants its numbers again.

github.com/fedasaro62/ZCCR-Exp, zccr.py. The rest of an experiment as published is in `simulated_users` (users are
dealt the classes) and in `raw_lengths` (vectors as the network gives them). Its HDBSCAN, which joins regions nearer
than 5 and drops noise, is not offered: scikit-learn's fails with current versions of NumPy where it is to join regions.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.profiles.reduction import TSNE, PrincipalComponents, tsne_plane
from vernissage.progress import Progress

Floats = npt.NDArray[np.float64]

COMPONENTS = 50
"""So many principal components are kept, where there are more."""


@dataclass(frozen=True)
class StandardisedTSNE:
    """A plane by t-SNE from a random start, of vectors whose dimensions were given mean 0 and variance 1.

    Before it they are reduced to `COMPONENTS` where there are more. The perplexity is that of `TSNE`, of fewer than
    four rows no plane is drawn. Its results are called ``tsne (pca)``.
    """

    keeps_distances = False

    def apply(self, rows: Floats, *, seed: int, progress: Progress) -> Floats:
        spread = rows.std(axis=0)
        standard: Floats = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)
        reduced = PrincipalComponents(COMPONENTS).apply(standard, seed=seed, progress=progress)
        if len(reduced) < 4 or reduced.shape[1] < 2:
            return reduced
        return tsne_plane(reduced, perplexity=TSNE().perplexity, start="random", seed=seed)
