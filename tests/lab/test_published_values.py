"""Published values that the recipes bring along: ours stands beside them only where the run is what they are about."""

from dataclasses import replace
from typing import Any

import pytest
from tests.lab.test_retrieval import pairs

from vernissage_lab.cells import Cells
from vernissage_lab.material import Material
from vernissage_lab.recipe import Tables
from vernissage_lab.recipes.retrieval import RECIPE as RETRIEVAL
from vernissage_lab.recipes.retrieval import run_retrieval
from vernissage_lab.recipes.search_time import RECIPE as SEARCH_TIME
from vernissage_lab.recipes.search_time import SearchTimeOptions
from vernissage_lab.tables import estimate, where


def measured(material: Material) -> tuple[Tables, dict[str, Any]]:
    outcome = run_retrieval([material], 1_000, Cells())
    return outcome.tables, {"inputs": [material.describe()], "options": {"pairs": 1_000}}


def told(tables: Tables, record: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """What each published value has beside it, where there is something."""
    return {
        each.what.partition(":")[0]: (ours, each.difference(record))
        for each in RETRIEVAL.published
        if (ours := each.ours(tables, record))
    }


def named(count: int = 1_000, data: str = "MSCOCO", encoder: str = "clip", variant: str = "ViT-B/32") -> Material:
    return replace(pairs(count, blur=0.4, encoder=encoder), name=data, variant=variant)


def test_retrieval_brings_24_published_values() -> None:
    unimodal, mixed = RETRIEVAL.published[:8], RETRIEVAL.published[8:]
    values = [value for each in unimodal for value in each.value.split(" / ")]
    assert len(values) == 24
    assert {each.value for each in mixed} == {"zeros"}
    assert [each.what for each in mixed] == [f"mixed space, {each.what}" for each in unimodal]
    assert all(0.5 < float(value) < 1 for value in values)
    by_what = {each.what.partition(":")[0]: each.value for each in RETRIEVAL.published}
    assert by_what["text → image, CLIP ViT-B/32, MSCOCO"] == ".513 / .816 / .904"
    assert by_what["image → text, ALBEF, Flickr30k"] == ".635 / .872 / .921"


def test_clip_on_mscoco_stands_beside_clip_on_mscoco_alone() -> None:
    tables, record = measured(named(data="MSCOCO (Karpathy split)", variant="ViT-B/32, prompt 'This is {}'"))
    found = told(tables, record)
    here = {"text → image, CLIP ViT-B/32, MSCOCO", "image → text, CLIP ViT-B/32, MSCOCO"}
    assert set(found) == here | {f"mixed space, {each}" for each in here}
    mixed = where(tables["means"], space="mixed", task="text-to-image")
    assert found["mixed space, text → image, CLIP ViT-B/32, MSCOCO"][0] == " / ".join(
        estimate(where(mixed, measure=f"recall@{depth}")[0]) for depth in (1, 5, 10)
    )
    ours, difference = found["text → image, CLIP ViT-B/32, MSCOCO"]
    rows = where(tables["means"], space="unimodal", task="text-to-image")
    assert ours == " / ".join(estimate(where(rows, measure=f"recall@{depth}")[0]) for depth in (1, 5, 10))
    assert "drawn anew" in difference
    assert "This is" not in difference


@pytest.mark.parametrize(
    "other",
    [
        {"data": "openclipart"},
        {"data": "coco_classified_tags"},  # a part of the set, and another pool
        {"variant": "ViT-L/14"},
        {"variant": ""},
        {"encoder": "aligned", "variant": ""},
        {"count": 900},
    ],
)
def test_another_set_encoder_or_pool_has_nothing_beside_it(other: dict[str, Any]) -> None:
    assert told(*measured(named(**other))) == {}


def test_what_parts_the_protocols_comes_from_the_record() -> None:
    found = told(*measured(named(data="Flickr30k")))
    assert "captions there begin with 'This is'" in found["image → text, CLIP ViT-B/32, Flickr30k"][1]
    assert "stand in the pool twice" in found["image → text, CLIP ViT-B/32, Flickr30k"][1]
    albef = told(*measured(named(encoder="albef", variant="")))
    here = {"text → image, ALBEF, MSCOCO", "image → text, ALBEF, MSCOCO"}
    assert set(albef) == here | {f"mixed space, {each}" for each in here}
    assert "This is" not in albef["image → text, ALBEF, MSCOCO"][1]
    assert "drawn anew" not in albef["image → text, ALBEF, MSCOCO"][1]


def times(queries: int = 1_000, **changes: int) -> tuple[Tables, dict[str, Any]]:
    """Tables of made-up times, and the record of a run with these sizes."""
    common = {"comparison": "vanilla or FAISS", "drop_1": 0.0, "drop_5": 0.0, "drop_10": -0.01}
    tables: Tables = {
        "welch": [
            {
                "contender": "FAISS flat",
                "measure": "wall_ms",
                "one_mean": 160.0,
                "two_mean": 152.0,
                "t": 9.5,
                "p": 2e-20,
            }
        ],
        "summary": [
            {**common, "contender": "FAISS flat", "cpu_median_ms": 2.0},
            {**common, "contender": "loop, Python sort by tensor", "cpu_median_ms": 170.0},
            {**common, "contender": "exact index, float32", "cpu_median_ms": 9.0},
        ],
    }
    return tables, {"options": {**SearchTimeOptions(queries=queries).record(), **changes}}


def test_times_stand_beside_the_published_ones_where_the_sizes_are_the_papers() -> None:
    tables, record = times()
    ours = [each.ours(tables, record) for each in SEARCH_TIME.published]
    assert [each.value for each in SEARCH_TIME.published] == [
        "13.81 against 14.49 ms, 1.05 times",
        "−38.93, p 0",
        "180",
        "0",
    ]
    assert ours == [
        "160.00 against 152.00 ms, .95 times",
        "+9.50, p 2e-20",
        "85.00 (loop, Python sort by tensor)",
        "-0.01",
    ]
    assert "queries" not in SEARCH_TIME.published[0].difference(record)
    assert "1,000 queries there, 60 here" in SEARCH_TIME.published[0].difference(times(queries=60)[1])


def test_other_sizes_have_nothing_beside_the_published_times() -> None:
    fewer, small = times(vectors=20_000), times(small_k=10)
    assert [bool(each.ours(*fewer)) for each in SEARCH_TIME.published] == [False, False, True, True]
    assert [bool(each.ours(*small)) for each in SEARCH_TIME.published] == [True, True, False, False]
    assert [bool(each.ours({}, times()[1])) for each in SEARCH_TIME.published] == [False] * 4
