"""Published values beside a run: which of the authors' files belong to which experiment."""

from collections.abc import Callable, Mapping

from vernissage.experiments.published.folder import PublishedFolder
from vernissage.experiments.published.recommending import beside_ablation, beside_tags
from vernissage.experiments.published.retrieving import beside_retrieval
from vernissage.experiments.published.timing import beside_search_time
from vernissage.experiments.running import Run
from vernissage.experiments.tidy import Row
from vernissage.pages.experiment_report import PublishedBlock

_READERS: Mapping[str, Callable[[Run, PublishedFolder], tuple[list[PublishedBlock], list[Row]]]] = {
    "ablation": beside_ablation,
    "tags": beside_tags,
    "retrieval": beside_retrieval,
    "search-time": beside_search_time,
}


def beside(run: Run, folder: PublishedFolder) -> tuple[list[PublishedBlock], list[Row]]:
    """What the report sets beside a run, and the published values for its figures; both empty where there are none.

    Raises:
        RequestError, DatasetError: a file that belongs to this experiment is missing or damaged.
    """
    reader = _READERS.get(run.recipe)
    return reader(run, folder) if reader else ([], [])
