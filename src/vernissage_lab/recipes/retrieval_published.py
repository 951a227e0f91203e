"""What was published of finding the other half, by CLIP and ALBEF on MSCOCO and Flickr30k."""

from collections.abc import Iterator, Mapping
from functools import partial

from vernissage_lab.analysis.gap_retrieval import DEPTHS
from vernissage_lab.facets import arrow
from vernissage_lab.published.names import DATA, MODELS, PROMPT, is_model, is_whole
from vernissage_lab.readable import estimate, short
from vernissage_lab.recipes.contract import Published, Record, Tables
from vernissage_lab.tidy import where

POOL = 1_000
_SOURCE = "ZCCR, retrieval/results/metrics.csv of the authors' repository, by FAISS"
_RECALL: Mapping[tuple[str, str, str], tuple[float, float, float]] = {
    ("clip", "coco", "text-to-image"): (0.513, 0.816, 0.904),
    ("clip", "coco", "image-to-text"): (0.528, 0.805, 0.888),
    ("clip", "flickr30k", "text-to-image"): (0.599, 0.849, 0.900),
    ("clip", "flickr30k", "image-to-text"): (0.582, 0.851, 0.918),
    ("albef", "coco", "text-to-image"): (0.668, 0.929, 0.969),
    ("albef", "coco", "image-to-text"): (0.691, 0.918, 0.969),
    ("albef", "flickr30k", "text-to-image"): (0.609, 0.862, 0.923),
    ("albef", "flickr30k", "image-to-text"): (0.635, 0.872, 0.921),
}
"""Recall@1, @5 and @10 in a pool of 1,000 pairs, by model, data and task."""


def _ours(tables: Tables, record: Record, *, model: str, data: str, task: str) -> str:
    if not any(is_whole(each, DATA[data]) and is_model(each, MODELS[model]) for each in record["inputs"]):
        return ""
    rows = where(tables.get("means", ()), encoder=MODELS[model].encoder, space="unimodal", task=task)
    found = [row for depth in DEPTHS for row in where(rows, measure=f"recall@{depth}")]
    if len(found) < len(DEPTHS) or any(row["n"] != POOL for row in found):
        return ""
    return " / ".join(estimate(row) for row in found)


def _parted(record: Record, *, model: str, data: str, task: str) -> str:
    told = ["pairs from all parts of the set there"]
    if data == "flickr30k":
        told.append("they are drawn caption by caption there, so that a picture can stand in the pool twice")
    if task == "text-to-image":
        told.append("for each depth a caption is drawn anew there, once for all here")
    variants = [str(each.get("encoder_variant", "")) for each in record["inputs"]]
    if model == "clip" and not any(PROMPT in each for each in variants):
        told.append("captions there begin with 'This is'")
    return "; ".join(told)


def _published() -> Iterator[Published]:
    for (model, data, task), recall in _RECALL.items():
        yield Published(
            what=f"{arrow(task)}, {MODELS[model].name}, {DATA[data].name}: recall @1 / @5 / @10",
            value=" / ".join(short(each) for each in recall),
            source=_SOURCE,
            needs=f"{DATA[data].name}, {MODELS[model].name} and a pool of {POOL:,} pairs",
            ours=partial(_ours, model=model, data=data, task=task),
            difference=partial(_parted, model=model, data=data, task=task),
        )


PUBLISHED = tuple(_published())
