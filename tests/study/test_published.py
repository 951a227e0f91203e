"""Published values beside those of a study."""

from pathlib import Path

import pytest
from tests.pages.reading import Page

from vernissage.errors import RequestError
from vernissage.study.answer_files import read_long_table
from vernissage.study.published import FIRST_PAPER, MEASURES
from vernissage.study.results import Choices, Report, make_report, source_of_files

STUDY = Path(__file__).parents[1] / "reference" / "studies" / "unbalanced.csv"
HEAD = "measure,variable,engine,other,published\n"


def reported(published: str | Path, rankings: Path | None = None) -> Report:
    return make_report(source_of_files(STUDY, rankings), Choices(), published=str(published))


def beside(path: Path, rows: str, rankings: Path | None = None) -> list[tuple[float | None, float | None]]:
    path.write_text(HEAD + rows)
    return [(row.low, row.high) for row in reported(path, rankings).tables["published.csv"][1]]


def test_the_first_papers_values_stand_beside_ours() -> None:
    made = reported(FIRST_PAPER)
    page = Page(made.page)
    assert "Yilma & Leiva, UMAP 2023" in page.text
    (participants, effects) = made.tables["published.csv"][1]
    assert (participants.low, participants.high, participants.published) == (24, 24, "95")
    sizes = [abs(each.r) for each in made.tables["contrasts.csv"][1]]
    assert (effects.low, effects.high, effects.published) == (min(sizes), max(sizes), "about .28")


def test_rows_name_one_value_or_all_that_they_leave_open(tmp_path: Path) -> None:
    tables = reported(FIRST_PAPER).tables
    contrast = next(each for each in tables["contrasts.csv"][1] if each.variable == "accuracy")
    a, b = contrast.engine_a, contrast.engine_b
    means = {each.engine: each.emmean for each in tables["emmeans.csv"][1] if each.variable == "accuracy"}
    rows = (
        f"r,accuracy,{a},{b},1\nr,accuracy,{b},{a},1\np,accuracy,{b},{a},1\nmean,accuracy,{a},,1\nmean,accuracy,,,1\n"
    )
    assert beside(tmp_path / "own.csv", rows) == [
        (contrast.r, contrast.r),
        (-contrast.r, -contrast.r),
        (contrast.p_holm, contrast.p_holm),
        (means[a], means[a]),
        (min(means.values()), max(means.values())),
    ]


def test_overlap_of_one_engine_is_not_that_of_two_and_what_is_not_known_stays_open(tmp_path: Path) -> None:
    table = read_long_table(STUDY)
    engines, people = sorted(set(table.engines)), sorted(set(table.participants))
    lists = {(who, engine): ("x", engine, who) for who in people for engine in engines}
    rankings = tmp_path / "rankings.csv"
    rows = [
        f"{who},{engine},{rank},{item}" for (who, engine), items in lists.items() for rank, item in enumerate(items, 1)
    ]
    rankings.write_text("\n".join(["participant,engine,rank,item", *rows]))
    wanted = (
        f"IoU,,{engines[0]},,a\nIoU,,{engines[0]},{engines[1]},b\nIoU_sd,,{engines[1]},{engines[0]},c\nminutes,,,,d\n"
    )
    assert beside(tmp_path / "own.csv", wanted, rankings) == [(0.5, 0.5), (0.5, 0.5), (0.0, 0.0), (None, None)]
    assert beside(tmp_path / "own.csv", wanted)[:2] == [(None, None)] * 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "effect,,,,1\n", f"row 2: the measure is 'effect'; choose one of {', '.join(MEASURES)}"),
        (HEAD + "r,,,,\n", "row 2: nothing is published"),
        ("measure,published\nr,1\n", "variable, engine, other is missing"),
    ],
)
def test_a_file_that_cannot_be_read_so_is_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(RequestError, match=message):
        reported(tmp_path / "own.csv")
