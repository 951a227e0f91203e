import csv
import math
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from tests.pages.reading import HOSTILE, Page

from vernissage.analysis.long_table import LongTable
from vernissage.analysis.study_answers import study_numbers
from vernissage.cli.main import main
from vernissage.pages.study_report import StudyFacts, study_report
from vernissage.pages.study_tables import mean_and_sd, number, p_value, signed, strength

ENGINES = ("clip", "lda", "random")
VARIABLES = ("accuracy", "novelty")


class Cells(HTMLParser):
    """The tables of a page by id: rows of (text, value) cells, with the heading of their group in front."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[tuple[str, str]]]] = {}
        self._rows: list[list[tuple[str, str]]] = []
        self._group, self._text, self._value, self._heading, self._body = "", "", "", False, False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "table":
            self._rows = self.tables.setdefault(values["id"] or "", [])
            self._group = ""
        elif tag == "tbody":
            self._body = True
        elif tag == "tr" and self._body:
            self._heading = values.get("class") == "group"
            if not self._heading:
                self._rows.append([(self._group, "")])
        elif tag in {"td", "th"}:
            self._text, self._value = "", ""
        elif tag == "data":
            self._value = values["value"] or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "tbody":
            self._body = False
        elif tag in {"td", "th"} and self._body:
            if self._heading:
                self._group = self._text.strip()
            else:
                self._rows[-1].append((self._text.strip(), self._value))

    def handle_data(self, data: str) -> None:
        self._text += data


def answers(path: Path, engines: tuple[str, ...] = ENGINES) -> Path:
    """24 people with a clear favourite engine; one clicks anything, one has no second showings, one leaves early."""
    random = np.random.default_rng(2)
    lines = ["participant,engine,repetition," + ",".join(VARIABLES)]
    for who in range(24):
        level = random.normal(0, 0.4)
        for place, engine in enumerate(engines[: 1 if who == 23 else None]):
            first = np.clip(np.rint(3 + level + 0.7 * (place == 0) + random.normal(0, 0.6, 2)), 1, 5).astype(int)
            second = 6 - first if who == 7 else first
            for shown, values in ((1, first), (2, second)):
                if not (who == 22 and shown == 2):
                    lines.append(f"p{who:02d},{engine},{shown},{values[0]},{values[1] if who != 5 else ''}")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def lists(path: Path) -> Path:
    rows = [
        f"p{who:02d},{engine},{rank},w{(who * (place + 1) + rank) % 11}"
        for who in range(24)
        for place, engine in enumerate(ENGINES)
        for rank in range(1, 6)
    ]
    path.write_text("participant,engine,rank,item\n" + "\n".join(rows) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The page and the tables of a small study, made as a user makes them."""
    folder = tmp_path_factory.mktemp("study")
    long, rankings = answers(folder / "long.csv"), lists(folder / "rankings.csv")
    with pytest.raises(SystemExit, match="0"):
        main(["study", "report", str(long), "--rankings", str(rankings), "--out", str(folder / "report"), "--ids"])
    yield folder / "report"
    shutil.rmtree(folder)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def same(cell: tuple[str, str], exact: str, digits: int) -> bool:
    """Whether a cell carries the very digits of the file, and shows them rounded."""
    text, value = cell
    return value == exact and text == ("–" if exact == "NaN" else signed(float(exact), digits))


def test_every_number_of_the_statistics_is_that_of_the_files(made: Path) -> None:
    tables = Cells((made / "report.html").read_text("utf-8")).tables
    contrasts, intervals = rows_of(made / "contrasts.csv"), rows_of(made / "intervals.csv")
    assert len(tables["contrasts"]) == len(contrasts) == 6
    for shown, row, interval in zip(tables["contrasts"], contrasts, intervals, strict=True):
        assert shown[0][0] == row["variable"]
        assert shown[1][0] == f"{row['engine_a']} − {row['engine_b']}"
        for place, (name, digits) in enumerate((("estimate", 3), ("se", 3), ("df", 1), ("statistic", 2)), start=2):
            assert same(shown[place], row[name], digits)
        assert [shown[6][1], shown[7][1]] == [row["p_raw"], row["p_holm"]]
        assert [shown[6][0], shown[7][0]] == [p_value(float(row[name])).text for name in ("p_raw", "p_holm")]
        assert same(shown[8], row["r"], 2)
        assert shown[9][0] == strength(float(row["r"]))
        assert same(shown[10], interval["lower95"], 3)
        assert same(shown[11], interval["upper95"], 3)
    for shown, row in zip(tables["means"], rows_of(made / "emmeans.csv"), strict=True):
        assert (shown[0][0], shown[1][0]) == (row["variable"], row["engine"])
        names = (("emmean", 2), ("se", 3), ("df", 1), ("lower95", 2), ("upper95", 2))
        assert all(same(shown[place], row[name], digits) for place, (name, digits) in enumerate(names, start=2))
    for shown, row in zip(tables["models"], rows_of(made / "varcomp.csv"), strict=True):
        assert [cell[1] for cell in shown[2:6]] == [
            row[name] for name in ("nobs", "n_participants", "var_participant", "var_residual")
        ]
        assert shown[7][1] == row["reml_loglik"]
        assert shown[8][0] == row["status"] == "ok"


def test_every_number_of_the_answers_and_lists_is_that_of_the_files(made: Path) -> None:
    tables = Cells((made / "report.html").read_text("utf-8")).tables
    for shown, row in zip(tables["distributions"], rows_of(made / "distributions.csv"), strict=True):
        counts = [row[name] for name in ("answers", "ones", "twos", "threes", "fours", "fives", "mean", "sd")]
        assert [shown[0][0], shown[1][0], *(cell[1] for cell in shown[2:])] == [row["variable"], row["engine"], *counts]
        assert int(row["answers"]) == sum(map(int, counts[1:6]))
    for shown, row in zip(tables["agreement"], rows_of(made / "agreement.csv"), strict=True):
        assert (shown[1][0], shown[2][1]) == (row["variable"], row["pairs"])
        assert float(shown[3][1]) == pytest.approx(100 * float(row["identical"]))
        assert float(row["identical"]) == 1.0  # whoever is not excluded answers twice alike
    within = {(row["engine"], row["metric"]): row for row in rows_of(made / "table1.csv")}
    for shown in tables["table1"]:
        for cell, metric in zip(shown[2:4], ("IoU", "RBO"), strict=True):
            row = within[shown[1][0], metric]
            assert cell[1] == f"{row['mean']} {row['sd']}"
            assert shown[4][1] == row["n_pairs"]
    between = {(row["engine_a"], row["engine_b"], row["metric"]): row for row in rows_of(made / "table2.csv")}
    for row_place, shown in enumerate(tables["table2"]):
        for column, cell in enumerate(shown[2:]):
            if row_place != column:
                a, b = sorted((ENGINES[row_place], ENGINES[column]))
                row = between[a, b, "IoU" if row_place < column else "RBO"]
                assert cell[1] == f"{row['mean']} {row['sd']}"


def test_other_choices_stand_beside_the_primary_ones(made: Path) -> None:
    shown = Cells((made / "report.html").read_text("utf-8")).tables["robustness"]
    rows = rows_of(made / "robustness.csv")
    choices = list(dict.fromkeys((row["showings"], row["exclusion"]) for row in rows))
    assert choices == [("mean", "False"), ("first", "True"), ("first", "False")]
    for cells in shown:
        a, b = cells[1][0].split(" − ")
        mine = [row for row in rows if (row["variable"], row["engine_a"], row["engine_b"]) == (cells[0][0], a, b)]
        assert [cell[1] for cell in cells[4:]] == [row[name] for row in mine for name in ("estimate", "p_holm")]
    # Nobody else changes their mind, so that first showings and means are the same once the careless one is out.
    assert {cells[2][1] for cells in shown} == {cells[6][1] for cells in shown}


def test_who_is_left_out_and_why_is_told(made: Path) -> None:
    page = Page((made / "report.html").read_text("utf-8"))
    shown = Cells((made / "report.html").read_text("utf-8")).tables
    assert [cells[1][0] for cells in shown["exclusions"]] == ["p07", "p22"]
    assert [cells[4][0] for cells in shown["exclusions"]] == ["excluded", "kept, unchecked"]
    (broken,) = [row for row in rows_of(made / "exclusions.csv") if row["excluded"] == "True"]
    violations = rows_of(made / "violations.csv")
    assert len(violations) == int(broken["violations"]) == int(shown["exclusions"][0][2][1])
    for row in violations:
        assert (
            f"{row['variable']} of {row['engine']}: {row['first']}, then {row['second']}"
            in shown["exclusions"][0][5][0]
        )
    course = {cells[1][0]: int(cells[2][1]) for cells in shown["course"]}
    assert course == {
        "with answers": 24, "with every answer": 21, "with answers missing": 3,
        "excluded: two answers about one list 2 or more apart": 1, "unchecked: no list answered twice, kept": 1,
        "in the analysis": 23,
    }  # fmt: skip
    assert "1 of 24 participants broke it; 1 of 24 were left out. 1 could not be checked" in page.text


def test_the_page_is_complete_in_itself_and_says_what_was_found(made: Path) -> None:
    page = Page((made / "report.html").read_text("utf-8"))
    assert len(page.all("img")) == 4
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in page.all("img"))
    assert all(len(image["alt"]) > 60 for image in page.all("img"))
    assert not [each for each in page.all("a") if not each["href"].startswith("#")]
    assert "clip above lda by" in page.text
    assert "fitted by restricted maximum likelihood (REML)" in page.text
    assert "SHA-256 of long.csv" in page.text
    assert "showings=all" not in page.text


def test_equal_input_gives_equal_bytes_and_ids_are_hidden_unless_asked_for(tmp_path: Path) -> None:
    long = answers(tmp_path / "long.csv")
    for name in ("one", "two"):
        with pytest.raises(SystemExit, match="0"):
            main(["study", "report", str(long), "--out", str(tmp_path / name), "--showings", "all"])
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
        assert b"p07" not in path.read_bytes()
    page = Page((tmp_path / "one" / "report.html").read_text("utf-8"))
    assert "showings=all counts both answers about one list as independent, which they are not" in page.text
    assert "table1" not in Cells((tmp_path / "one" / "report.html").read_text("utf-8")).tables


def test_no_name_can_run_anything() -> None:
    random = np.random.default_rng(0)
    engines = [f"{HOSTILE}{number}" for number in range(2)]
    names = [(f"{HOSTILE}{who}", engine, shown) for who in range(6) for engine in engines for shown in (1, 2)]
    table = LongTable(
        [who for who, _, _ in names],
        [engine for _, engine, _ in names],
        [shown for _, _, shown in names],
        {HOSTILE: random.integers(1, 6, len(names)).astype(float)},
    )
    rankings = {(who, engine): ("a", "b") for who, engine, _ in names}
    facts = StudyFacts(
        {HOSTILE: HOSTILE}, (HOSTILE,) * 5, ((HOSTILE, 1),), (HOSTILE,), ((HOSTILE, HOSTILE),), (HOSTILE,), (HOSTILE,)
    )
    page = Page(study_report(study_numbers(table, rankings, exclude=False), facts, title=HOSTILE))
    assert page.all("script") == []
    assert [image for image in page.all("img") if not image["src"].startswith("data:image/svg+xml")] == []
    assert page.text.count(HOSTILE) > 20


@pytest.mark.parametrize(
    ("ratings", "words"),
    [
        ({"p": (3, 3), "q": (3, 3)}, "No test: no residual is left"),
        ({"p": (3, 4)}, "No test: the answers cannot tell the two variances apart"),
        ({"p": (3,), "q": (4,)}, "No test: one engine: its mean alone"),
        ({"p": (math.nan, math.nan)}, "No test: no answers"),
        ({}, "0 participants judged"),
    ],
)
def test_studies_that_allow_no_test_have_a_page_that_says_so(ratings: dict[str, tuple[float, ...]], words: str) -> None:
    rows = [(who, "ab"[place], value) for who, values in ratings.items() for place, value in enumerate(values)]
    table = LongTable(
        [who for who, _, _ in rows], [engine for _, engine, _ in rows], [1] * len(rows),
        {"liking": np.array([value for _, _, value in rows], dtype=float)},
    )  # fmt: skip
    assert words in Page(study_report(study_numbers(table), StudyFacts(), title="Tiny")).text


def test_cells_show_what_a_person_reads() -> None:
    assert [number(value, 2).text for value in (-0.126, -0.001, 3.14159, math.nan)] == ["−0.13", "0.00", "3.14", "–"]
    assert number(-0.126).value == "-0.126"
    assert [p_value(value).text for value in (0.0499, 0.0004, 1e-300, 1.0)] == ["0.050", "< 0.001", "< 0.001", "1.000"]
    assert [p_value(value, strong=True).strong for value in (0.0499, 0.05, math.nan)] == [True, False, False]
    assert mean_and_sd(0.25, math.nan).text == "0.250 ± –"
    assert [strength(r) for r in (-0.5, 0.3, -0.29, 0.1, 0.0, math.nan)] == [
        "large",
        "medium",
        "small",
        "small",
        "negligible",
        "",
    ]
