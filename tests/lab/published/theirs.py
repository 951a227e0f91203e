"""Small files in the authors' format, and runs to set beside them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vernissage_lab.published.folder import PublishedFolder
from vernissage_lab.recipe import Run
from vernissage_lab.tables import Row

ZCCR = "results/zccr_metrics.csv"
ZCCR_HEADER = (
    "task,model,dataset,n_seeds,n_points_per_cluster,proj,clustering,cluster distance,representative,k,"
    "pool size,recall,map"
)
ZCCR_LINES = (
    "txt2txt,clip,flickr30k,2,5,pca,agglomerative,5,centroid,10,1000,0.83,0.4",
    "txt2txt,clip,coco,2,5,pca,agglomerative,5,centroid,10,1000,0.92,0.5",
    "txt2txt,albef,flickr30k,2,5,pca,agglomerative,5,centroid,10,1000,0.79,0.4",
    "txt2txt,clip,flickr30k,2,5,tsne (pca),hdbscan,5,medoid,10,1000,0.12,0.1",
    "txt2txt,clip,flickr30k,2,5,tsne,hdbscan,5,medoid,10,1000,0.99,0.1",
    "txt2txt,clip,flickr30k,1,5,None,agglomerative,5,centroid,10,1000,0.52,0.3",
)
TAGS_HEADER = "task,dataset,tokenization,n_seeds,n_points_per_class,pool size,recall,map"
CLASSIFIED = (
    '10,"A dog runs .",151,dog,"dog,run","dog,run"\n11,"A cat sits .",281,cat,"cat","cat,sit"\n'
    '12,"A dog sits .",151,dog,"dog","dog,sit"\n'
)


def write(folder: Path, file: str, header: str, *lines: str) -> PublishedFolder:
    """One file of a clone."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((header, *lines, "")), "utf-8")
    return PublishedFolder(folder)


def zccr(folder: Path, *lines: str) -> PublishedFolder:
    """A clone with results of ZCCR."""
    return write(folder, ZCCR, ZCCR_HEADER, *(lines or ZCCR_LINES))


def given(**changes: Any) -> dict[str, Any]:
    """An input as a record tells of it."""
    known = {"data": "clips", "data_fingerprint": "c", "encoder": "lsa", "encoder_fingerprint": "e", "works": 1976}
    return {**known, "modalities": ["text"], "classes": 70, **changes}


def mean_rows(place: Mapping[str, Any], **measures: float) -> list[Row]:
    """Rows of means for one place."""
    return [{**place, "measure": name, "mean": mean, "se": 0.05, "n": 20} for name, mean in measures.items()]


def ablation_run(
    *configurations: tuple[str, str, str],
    inputs: Sequence[Mapping[str, Any]] = (),
    classes: int = 2,
    notes: Sequence[str] = (),
    **options: Any,
) -> Run:
    """A run of `ablation` with these projections, clusterings and seeds, each with recall per seed .7 in 21 works."""
    chosen = list(inputs) or [given()]
    rows: list[Row] = []
    for each in chosen:
        for projection, clustering, seed in configurations:
            place = {"encoder": each["encoder"], "task": "text-to-text", "classes": classes, "points": 5}
            place |= {"projection": projection, "clustering": clustering, "seed": seed}
            rows += mean_rows(place, recall=0.3, recall_per_seed=0.7, shown=21.0, areas=2.1)
    usual = {"users": 20, "query_classes": 25, "pool": 1000, "clusterings": {}}
    projections = {"none": "NoProjection()", "pca": "PrincipalComponents(keep=0.99)", "tsne": "TSNE(perplexity=30.0)"}
    record = {
        "experiment": "ablation",
        "inputs": chosen,
        "notes": list(notes),
        "options": {"projections": projections, **usual, **options},
    }
    return Run("ablation", record, {"means": rows})


def tags_run(*methods: str, inputs: Sequence[Mapping[str, Any]] = ()) -> Run:
    """A run of `tags` with recall .3 in one list, and .7 per seed."""
    chosen = list(inputs) or [given()]
    rows: list[Row] = []
    for each in chosen:
        for method in methods:
            place = {"encoder": each["encoder"], "task": "text-to-text", "classes": 2, "points": 5, "method": method}
            rows += mean_rows(place, recall=0.3, recall_per_seed=0.7, shown=21.0)
    options = {"users": 20, "query_classes": 25, "pool": 1000}
    return Run("tags", {"experiment": "tags", "inputs": chosen, "notes": [], "options": options}, {"means": rows})
