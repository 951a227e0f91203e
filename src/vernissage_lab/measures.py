"""What one list is worth to one simulated visitor."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from vernissage_lab.analysis.ranking_metrics import (
    intra_list_diversity,
    ndcg,
    novelty,
    precision,
    recall,
)
from vernissage_lab.labels import Labels
from vernissage_lab.visitors import Visitor, relevant

ShownRows = npt.NDArray[np.int64]
"""Rows of the works of one list, best first."""

METRICS: Mapping[str, str] = MappingProxyType(
    {
        "ndcg": "how well the order serves the visitor: 1 is the best possible order (Järvelin & Kekäläinen 2002)",
        "recall": "share of the visitor's relevant works that are shown",
        "precision": "share of the places that hold a relevant work",
        "coverage": "share of the candidates that some visitor is shown; grows with the number of visitors",
        "diversity": "mean share of labels in which two works of a list differ",
        "novelty": "mean share of labels in which a shown work differs from those that the visitor liked",
    }
)
"""What is measured, in the order of the table."""

_Judge = Callable[[ShownRows], dict[str, float]]


def judge_of(visitor: Visitor, labels: Labels, n: int) -> _Judge:
    """How any list is judged for that visitor: a function from its rows to every metric but coverage.

    Gains are the true affinities and the relevant works the best tenth by them, both among the works that were not
    rated. Diversity and novelty use the labels, which are the same for every engine. A list of one work has
    diversity 0, an empty one 0 in everything.
    """
    rated = np.array([labels.row_of[item_id] for item_id in visitor.ratings], dtype=np.int64)
    free = np.ones(len(labels.item_ids), dtype=bool)
    free[rated] = False
    gains = np.where(free, visitor.affinities, 0.0)
    wanted = np.zeros(len(free), dtype=bool)
    wanted[free] = relevant(visitor.affinities[free])
    liking = np.array([(rating - 1) / 4 for rating in visitor.ratings.values()])

    def judge(shown: ShownRows) -> dict[str, float]:
        return {
            "ndcg": ndcg(shown, gains, n),
            "recall": recall(shown, wanted, n),
            "precision": precision(shown, wanted, n),
            "diversity": intra_list_diversity(labels.distances(shown, shown)) if len(shown) > 1 else 0.0,
            "novelty": novelty(labels.distances(shown, rated), liking) if len(shown) else 0.0,
        }

    return judge
