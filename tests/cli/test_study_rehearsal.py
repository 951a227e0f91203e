"""A study rehearsed, planned and reported by commands."""

import csv
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import fmean, stdev

import pytest
from tests.pages.reading import Page

from vernissage.cli.main import main
from vernissage.errors import Kind, RequestError
from vernissage.study.answer_files import pace_sentences

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def study(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command of a study; returns its exit code, and what it printed on both streams."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["study", *(str(argument) for argument in arguments)])
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture
def file(study: Command, workspace: Path, tmp_path: Path) -> Path:
    path = tmp_path / "pilot.toml"
    assert study("new", path, "--workspace", workspace)[0] == 0
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


@pytest.mark.long
def test_a_rehearsal_goes_from_the_first_page_to_the_report(
    study: Command, workspace: Path, file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "rehearsal"
    rehearse = ("simulate", file, workspace, "-p", "12", "--seed", "3", "--out", out, "--database", tmp_path / "no.db")
    code, said, noted = study(*rehearse)
    assert code == 0
    assert re.search(r"12 simulated people: \d+ finished, \d+ left, \d+ clicked anything", said)
    assert "tastes over group, artist" in noted
    assert not (workspace / "vernissage.db").exists()
    assert not (tmp_path / "no.db").exists()
    assert json.loads((out / "simulation.json").read_text())["seed"] == 3
    assert {row["participant"][:12] for row in rows_of(out / "long.csv")} == {"simulated-3-"}

    code, said, noted = study(
        "report", out / "long.csv", "--rankings", out / "rankings.csv", "--out", tmp_path / "page"
    )
    assert code == 0
    assert "Every participant is simulated" in noted
    page = Page((tmp_path / "page" / "report.html").read_text("utf-8"))
    assert "Every participant is simulated" in page.text
    assert "The recommendations match my personal preferences and interests." in page.text
    assert "seed 3" in page.text
    assert "began 12" in page.text
    rows = [row for row in rows_of(out / "demographics.csv") if row["finished"]]
    times = [[datetime.fromisoformat(row[name]) for name in ("consented", "finished")] for row in rows]
    minutes = [(ended - began).total_seconds() / 60 for began, ended in times]
    assert f"mean {fmean(minutes):.1f} minutes, standard deviation {stdev(minutes):.1f}, median" in page.text
    assert "Seconds from a list's appearance to its answers, first showings: median" in page.text
    for name in said.split(": ")[1].strip().split(", "):
        assert (tmp_path / "page" / name).is_file()

    code, _, _ = study(
        "report", "--study", file, "-w", workspace, "--database", out / "rehearsal.db", "-o", tmp_path / "db"
    )
    assert code == 0
    for name in ("contrasts.csv", "table1.csv", "exclusions.csv"):
        assert (tmp_path / "db" / name).read_bytes() == (tmp_path / "page" / name).read_bytes()

    code, _, noted = study(*rehearse)
    assert (code, "from an earlier rehearsal" in noted) == (Kind.CONFLICT.exit_code, True)


def test_robots_are_in_the_database_and_in_no_report(study: Command, workspace: Path, file: Path) -> None:
    code, said, _ = study("simulate", file, workspace, "-p", "3", "--effect", "late-total=1", "--dropouts", "0")
    assert (code, "3 finished" in said, "no export holds them" in said) == (0, True, True)
    assert json.loads(study("status", file, workspace, "--json")[1])["robots"] == 3
    code, _, noted = study("report", "--study", file, "--workspace", workspace)
    assert (code, "nobody has taken part" in noted.lower()) == (Kind.CONFLICT.exit_code, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--effect", "lda"), "'lda' is not ENGINE=POINTS; engines are late-partial,"),
        (("--effect", "clip=1"), "'clip=1' is not ENGINE=POINTS"),
        (("--effect", "late-total=1", "--by", "group"), "either by tastes, --by, or by --effect"),
        (("--careless", "2"), "share of careless is 2"),
        (("--known", "1.5"), "a share of works from 0 to 1"),
        (("--by", "colour"), "the collection has no facet 'colour'"),
        (("--participants", "0"), "0 simulated participants"),
    ],
)
def test_what_cannot_be_simulated_is_one_line(
    study: Command, workspace: Path, file: Path, options: tuple[str, ...], message: str
) -> None:
    code, _, noted = study("simulate", file, workspace, *options)
    assert code == 1
    assert message in noted.strip().splitlines()[-1]


def test_statements_that_tastes_say_nothing_about_need_effects(study: Command, workspace: Path, file: Path) -> None:
    file.write_text(file.read_text().replace('name = "novelty"', 'name = "calm"'))
    code, _, noted = study("simulate", file, workspace, "-p", "2")
    assert (code, "the study asks for calm; give --effect" in noted) == (1, True)
    assert study("simulate", file, workspace, "-p", "2", "--effect", "late-total=1")[0] == 0


def test_power_prints_and_writes_the_same_shares(study: Command, tmp_path: Path) -> None:
    table, figure = tmp_path / "power.csv", tmp_path / "power.png"
    code, said, _ = study("power", "--simulations", "60", "--out", table, "--figure", figure)
    assert code == 0
    assert "60 simulated studies of 95 participants and 4 engines" in said
    assert "Answers rounded to 1 to 5" in said
    rows = rows_of(table)
    assert [(row["engine_a"], row["engine_b"]) for row in rows] == [
        ("1", "2"),
        ("1", "3"),
        ("1", "4"),
        ("2", "3"),
        ("2", "4"),
        ("3", "4"),
    ]
    for row in rows:
        assert f"{float(row['found']):.3f}" in next(
            line for line in said.splitlines() if line.startswith(f"{row['engine_a']} − {row['engine_b']}")
        )
    assert figure.stat().st_size > 10_000
    found = json.loads(study("power", "--simulations", "60", "--json")[1])
    assert [each["found"] for each in found["result"]["contrasts"]] == [float(row["found"]) for row in rows]


def test_power_finds_a_number_of_participants(study: Command, tmp_path: Path) -> None:
    options = ("--find", ".8", "--effects", "0,.8", "--simulations", "100", "--no-rounding", "--showings", "1")
    code, said, _ = study("power", *options, "--out", tmp_path / "power.csv", "--figure", tmp_path / "power.svg")
    assert code == 0
    assert "are the fewest that find every true difference with 0.8" in said
    assert "not rounded" in said
    found = {int(row["participants"]): float(row["found"]) for row in rows_of(tmp_path / "power.csv")}
    fewest = min(size for size, share in found.items() if share >= 0.8)
    assert f"studies of {fewest} participants" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--find", ".8", "--participants", "9"), "leave one out"),
        (("--effects", "0,x"), "write them as 0,0,.2,.4"),
        (("--effects", "0,1", "--engines", "3"), "2 effects were given for 3 engines"),
        (("--effects", "0,1", "--effect-size", ".3"), "from --effects or from --effect-size"),
        (("--effect-size", "1.2"), "lies between -1 and 1"),
        (("--figure", "power.bmp", "--simulations", "5"), "power.bmp"),
    ],
)
def test_power_that_cannot_be_computed_is_one_line(study: Command, options: tuple[str, ...], message: str) -> None:
    code, _, noted = study("power", *options)
    assert (code, message in noted.strip().splitlines()[-1]) == (1, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "from LONG.csv or from --study STUDY.toml"),
        (("LONG", "--study", "study.toml"), "give one of them"),
        (("--study", "study.toml"), "name its --workspace"),
        (("LONG", "--showings", "last"), "showings are mean, first, all"),
        (("missing.csv",), "missing.csv"),
        (("LONG", "--variable", "calm"), "has no column calm"),
    ],
)
def test_a_report_that_cannot_be_made_is_one_line_and_writes_nothing(
    study: Command, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    long = tmp_path / "long.csv"
    long.write_text("participant,engine,repetition,liking\np,a,1,3\np,b,1,4\n")
    given = [str(long) if option == "LONG" else option for option in options]
    code, _, noted = study("report", *given, "--out", tmp_path / "report")
    assert (code, message in noted.strip().splitlines()[-1]) == (1, True)
    assert not (tmp_path / "report").exists()


def test_the_pace_of_answers_is_told(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    rows = [
        f"p{place},a,{1 + place // 5},3,{seconds}" for place, seconds in enumerate((2, 10, 20, 30, 40, 4, 5, "", 6))
    ]
    path.write_text("\n".join(["participant,engine,repetition,liking,seconds", *rows]))
    (told,) = pace_sentences(path)
    assert "first showings: median 20.0, middle half 10.0 to 30.0, 1 of 5 below 5; " in told
    assert "second showings: median 5.0, middle half 4.5 to 5.5, 1 of 3 below 5." in told
    path.write_text("participant,engine,repetition,liking,seconds\np,a,1,3,soon\n")
    with pytest.raises(RequestError, match="row 2: seconds is 'soon'"):
        pace_sentences(path)
    path.write_text("participant,engine,repetition,liking\np,a,1,3\n")
    assert pace_sentences(path) == ()


@pytest.mark.parametrize(("attention", "options", "excluded"), [("none", (), 0), ("none", ("--exclude",), 1), ("repeated-showings", (), 1), ("repeated-showings", ("--no-exclude",), 0)])  # fmt: skip
def test_who_is_left_out_follows_the_study_unless_told(
    study: Command, tmp_path: Path, attention: str, options: tuple[str, ...], excluded: int
) -> None:
    answers = [
        f"{who},{engine},{shown},{2 + shown * (who == 'p')}" for who in "pqr" for engine in "ab" for shown in (1, 2)
    ]
    answers = [line.replace("p,a,2,4", "p,a,2,1") for line in answers]
    (tmp_path / "long.csv").write_text("\n".join(["participant,engine,repetition,liking", *answers]))
    (tmp_path / "study.json").write_text(json.dumps({"definition": {"attention": attention}, "provenances": []}))
    assert study("report", tmp_path / "long.csv", "--out", tmp_path / "report", *options)[0] == 0
    found = [row for row in rows_of(tmp_path / "report" / "exclusions.csv") if row["excluded"] == "True"]
    assert len(found) == excluded


def test_a_record_beside_the_answers_that_is_none_is_refused(study: Command, tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text("participant,engine,repetition,liking\np,a,1,3\nq,b,1,4\n")
    (tmp_path / "study.json").write_text("[]")
    code, _, noted = study("report", tmp_path / "long.csv", "--out", tmp_path / "report")
    assert (code, "is not what `study export` writes" in noted) == (1, True)
