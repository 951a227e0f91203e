import re
from dataclasses import replace

import pytest

from vernissage.errors import RequestError
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
