import re
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import pytest

from vernissage.errors import RequestError
from vernissage_lab.recipe import EXPERIMENTS, RECIPES, recipe_of, worded
from vernissage_lab.report import Comparison, ExperimentSection, PublishedBlock, experiment_report
from vernissage_lab.tables import table

SECTION = ExperimentSection(
    title="search-time",
    paper="ZCCR: Table 6",
    what="vanilla against FAISS",
    protocol=("One thread.",),
    notes=("Fewer <queries> than asked for",),
    tables=(table("Times", ("way", "kind", "ms"), (("numpy", "plain", "1.2"),), "medians", words=2),),
    figures=(),
    comparisons=(
        Comparison("FAISS over vanilla", "180 times", "Table 6", "103 times", "another machine"),
        Comparison("Recall drop", "0", "Table 7", "0", ""),
        Comparison("One index or two", "13.81 ms", "Table 1", "", "not measured: needs a million vectors"),
    ),
    provenance=(("Seed", "0"),),
    files=("run/means.csv",),
)


def test_published_values_stand_beside_ours_with_what_parts_them() -> None:
    page = experiment_report([SECTION])
    row = page[page.index("FAISS over vanilla") :]
    assert row.index("180 times") < row.index("103 times") < row.index("another machine") < row.index("Recall drop")
    assert '<td class="words">the same</td>' in row
    assert '<td class="words" colspan="2">not measured: needs a million vectors</td>' in row
    assert "None stands here" not in page


def test_text_is_escaped_and_equal_input_gives_equal_bytes() -> None:
    page = experiment_report([SECTION])
    assert "Fewer &lt;queries&gt; than asked for" in page
    assert experiment_report([SECTION]) == page


def test_words_are_set_apart_from_numbers() -> None:
    page = experiment_report([SECTION])
    assert '<th scope="row" class="words">numpy</th>' in page
    assert '<td class="words">plain</td>' in page
    assert "<td>1.2</td>" in page


def test_blocks_of_published_values_tell_what_differs_before_their_tables() -> None:
    rows = tuple((f"{number}", "a", "1.2") for number in range(25))
    block = PublishedBlock(
        "lsa beside metrics.csv",
        ("Not the same <data>.",),
        (SECTION.tables[0], table("Long", ("way", "kind", "ms"), rows, words=2)),
    )
    page = experiment_report([replace(SECTION, published=(block,))])
    assert page.index("lsa beside metrics.csv") < page.index("Not the same &lt;data&gt;.") < page.index("25 values")
    assert page.count("<details>") == 1  # the short table stands open
    nothing = replace(SECTION, comparisons=())
    assert "None stands here; with --published" in experiment_report([nothing])
    assert "hold nothing that corresponds" in experiment_report([replace(nothing, published=())])
    assert "None stands here" not in experiment_report([replace(nothing, published=(block,))])


def test_each_run_has_its_place_and_none_is_refused() -> None:
    first, second = replace(SECTION, folder="first"), replace(SECTION, folder="second")
    page = experiment_report([first, second, second, replace(SECTION, title="gap", folder="g")])
    titles = re.findall(r'<a href="#run-\d">(.*?)</a>', page)
    assert titles == ["search-time, in first", "search-time, in second", "search-time, in second (2)", "gap"]
    assert page.count('id="run-2"') == 1
    with pytest.raises(RequestError, match="one experiment or more"):
        experiment_report([])


def told(name: str, **given: Any) -> str:
    """What a report tells of a run with these options."""
    options = recipe_of(name).options
    places = {each.name: Path() for each in fields(options) if each.default is MISSING and each.type is not bool}
    return " ".join(EXPERIMENTS[name].told(options(**places, **given).record()))


@pytest.mark.parametrize("name", RECIPES)
def test_every_sentence_on_a_run_is_filled_in_from_its_record(name: str) -> None:
    assert "the record does not tell" not in told(name)
    assert not re.search(r"[{}]", told(name))


PEOPLE = {"users": 17, "query_classes": 6, "pool": 321, "classes": "1,3"}
SEEN = ("17 users", "6 largest classes", "pool of 321 works", "1, 3 ")


@pytest.mark.parametrize(
    ("name", "given", "seen", "gone"),
    [
        ("ablation", PEOPLE | {"points": "4,7"}, (*SEEN, "4, 7 uploads", "at random"), ("dealt to users", "100 users")),
        (
            "ablation",
            PEOPLE | {"as_published": True},
            ("dealt to users once", "6 // M users"),
            ("at random", "17 users", "Vectors here have length 1"),
        ),
        ("ablation", {"clustering": ["hdbscan"]}, ("25 largest",), ("Ward at 5",)),
        ("tags", PEOPLE | {"overlap": ["unique"]}, (*SEEN, "By unique"), ("By mass", "By twice-unique")),
        ("areas", PEOPLE | {"points": 4, "cut": ["coherence"]}, ("17 users", "4 uploads", "321"), ("ward:5",)),
        ("mixed", PEOPLE | {"points": 4}, ("17 users", "4 uploads", "pools of 321"), ("100 users",)),
        ("retrieval", {"pairs": 77}, ("pool of 77 pairs",), ("1,000", "500")),
        ("gap", {"pairs": 77}, ("77 works",), ("1,000",)),
        ("overlap", {"visitors": 31, "n": 5}, ("31 simulated visitors", "5 others"), ("nine others",)),
        ("fusion", {"constants": "0,3"}, ("k = 0, 3;",), ()),
        ("search-time", {"vectors": 0, "small_queries": 8}, ("8 queries",), ("One index and two",)),
        ("search-time", {"vectors": 4000, "k": 50, "small_vectors": 0}, ("best 50 of 4,000",), ("Plain ways and",)),
        (
            "encoding-time",
            {"works": 9, "batch": 4, "threads": 2},
            ("9 works", "batches of 4", "2 thread"),
            ("On a GPU",),
        ),
        ("encoding-time", {"device": ["cuda"]}, ("On a GPU",), ("Untrained",)),
        ("maps", {"works": 60}, ("60 works at most",), ("2,500",)),
    ],
)
def test_what_a_report_tells_follows_the_settings(
    name: str, given: dict[str, Any], seen: tuple[str, ...], gone: tuple[str, ...]
) -> None:
    text = told(name, **given)
    assert [each for each in seen if each not in text] == []
    assert [each for each in gone if each in text] == []


def test_a_record_without_an_option_says_so() -> None:
    [first, *_] = EXPERIMENTS["retrieval"].told({})
    assert first.startswith("A pool of (a number of pairs that the record does not tell) pairs")
    assert [worded(each) for each in ("1,2,5", 12_000, True, [], {}, ["a", 2], "a,2")] == [
        "1, 2, 5", "12,000", "True", "all", "none", "a, 2", "a,2",
    ]  # fmt: skip
