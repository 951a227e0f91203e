"""Published values beside a run: which of the authors' files belong to which experiment."""

from collections.abc import Callable, Mapping

from vernissage_lab.pages.experiment_report import PublishedBlock
from vernissage_lab.published.folder import PublishedFolder
from vernissage_lab.published.recommending import beside_ablation, beside_tags
from vernissage_lab.published.retrieving import beside_retrieval
from vernissage_lab.published.timing import beside_search_time
from vernissage_lab.running import Run
from vernissage_lab.tidy import Row

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
