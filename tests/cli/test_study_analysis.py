"""The command study analyse: its tables, its summary, and one line for everything that is wrong with its files."""

import csv
import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from vernissage.cli.main import main

STUDIES = Path(__file__).parents[1] / "reference" / "studies"
LONG = "participant,engine,repetition,accuracy\n"
RANKS = "participant,engine,rank,item\n"
TABLES = ["contrasts.csv", "emmeans.csv", "exclusions.csv", "varcomp.csv"]
COLUMNS = {
    "contrasts.csv": "variable,engine_a,engine_b,estimate,se,df,statistic,p_raw,p_holm,r,status",
    "emmeans.csv": "variable,engine,emmean,se,df,lower95,upper95",
    "varcomp.csv": "variable,var_participant,var_residual,reml_loglik,nobs,n_participants,singular,status",
    "exclusions.csv": "participant,comparisons,violations,excluded",
    "table1.csv": "engine,metric,n_pairs,mean,sd",
    "table2.csv": "engine_a,engine_b,pairing,metric,n_pairs,mean,sd",
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Analyse a file of ``tmp_path`` into ``out``; returns what was printed, or the error."""
    monkeypatch.chdir(tmp_path)

    def call(long: str | Path, *options: str | Path, code: int = 0) -> str:
        with pytest.raises(SystemExit) as end:
            main(["study", "analyse", str(long), "--out", "out", *map(str, options)])
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        return captured.err if code else captured.out

    return call


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rankings_for(long: Path, path: Path) -> Path:
    """A list of five works of ten for each participant and engine."""
    chance = random.Random(1)
    pairs = sorted({(row["participant"], row["engine"]) for row in rows_of(long)})
    lines = [
        f"{participant},{engine},{rank},w{item}\n"
        for participant, engine in pairs
        for rank, item in enumerate(chance.sample(range(10), 5), start=1)
    ]
    path.write_text(RANKS + "".join(lines))
    return path


def test_the_tables_have_the_columns_and_all_rows(run: Any, tmp_path: Path) -> None:
    long = STUDIES / "balanced.csv"
    printed = run(long, "--rankings", rankings_for(long, tmp_path / "ranks.csv"))
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == sorted(COLUMNS)
    for name, columns in COLUMNS.items():
        assert (out / name).read_text().splitlines()[0] == columns
    counts = {name: len(rows_of(out / name)) for name in COLUMNS}
    assert counts == {
        "contrasts.csv": 4 * 3,
        "emmeans.csv": 4 * 3,
        "varcomp.csv": 4,
        "exclusions.csv": 12,
        "table1.csv": 3 * 2,
        "table2.csv": 3 * 2,
    }
    contrast = rows_of(out / "contrasts.csv")[0]
    assert (contrast["variable"], contrast["engine_a"], contrast["engine_b"]) == ("accuracy", "engine-a", "engine-b")
    t, df = float(contrast["statistic"]), float(contrast["df"])
    assert float(contrast["r"]) == pytest.approx(math.copysign(math.sqrt(t * t / (t * t + df)), t))
    assert "ICC" in printed
    assert "engine-a − engine-b" in printed
    assert "IoU above the diagonal, RBO below" in printed


def test_without_rankings_there_are_four_tables(run: Any, tmp_path: Path) -> None:
    run(STUDIES / "tiny.csv")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == TABLES


@pytest.mark.parametrize("showings", ["mean", "first", "all"])
def test_shuffled_rows_give_the_same_bytes(run: Any, tmp_path: Path, showings: str) -> None:
    long = STUDIES / "unbalanced.csv"
    ranks = rankings_for(long, tmp_path / "ranks.csv")
    printed, tables = [], []
    for seed in (0, 1):
        for source, name in ((long, "long.csv"), (ranks, "lists.csv")):
            header, *rows = source.read_text().splitlines(keepends=True)
            random.Random(seed).shuffle(rows)
            (tmp_path / name).write_text(header + "".join(rows))
        printed.append(run("long.csv", "--rankings", "lists.csv", "--showings", showings))
        tables.append({path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()})
    assert printed[0] == printed[1]
    assert tables[0] == tables[1]
    assert len(tables[0]) == 6


def test_json_is_what_the_tables_hold(run: Any, tmp_path: Path) -> None:
    content = json.loads(run(STUDIES / "singular.csv", "--json"))
    assert content["showings"] == "mean"
    assert "Satterthwaite" in content["method"]
    table = rows_of(tmp_path / "out" / "varcomp.csv")
    assert [row["singular"] for row in table] == [str(row["singular"]) for row in content["varcomp"]]
    assert "True" in [row["singular"] for row in table]
    for row in content["varcomp"]:
        assert row["icc"] == pytest.approx(row["var_participant"] / (row["var_participant"] + row["var_residual"]))
    first = rows_of(tmp_path / "out" / "contrasts.csv")[0]
    assert float(first["p_holm"]) == content["contrasts"][0]["p_holm"]


def test_numbers_that_are_missing_are_nan_in_tables_and_null_in_json(run: Any, tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text(LONG + "p,a,1,3\np,b,1,4\n")
    content = json.loads(run("long.csv", "--json"))
    assert content["contrasts"][0]["estimate"] == -1
    assert content["contrasts"][0]["p_holm"] is None
    (row,) = rows_of(tmp_path / "out" / "contrasts.csv")
    assert (row["estimate"], row["p_holm"], row["status"]) == ("-1.0", "NaN", "not estimable")


def test_excluded_participants_are_named_and_left_out_everywhere(run: Any, tmp_path: Path) -> None:
    rows = [f"p{n},{e},1,{1 + (n + (e == 'b')) % 4}\n" for n in range(6) for e in "ab"]
    (tmp_path / "long.csv").write_text(LONG + "".join(rows) + "p0,a,2,5\np1,a,2,2\n")
    ranks = rankings_for(tmp_path / "long.csv", tmp_path / "ranks.csv")
    printed = run("long.csv", "--rankings", ranks)
    assert "6, 1 excluded (p0), 4 unchecked (p2, p3, p4, p5)" in printed
    assert [row["n_pairs"] for row in rows_of(tmp_path / "out" / "table1.csv")] == ["10"] * 4
    assert rows_of(tmp_path / "out" / "varcomp.csv")[0]["n_participants"] == "5"
    printed = run("long.csv", "--rankings", ranks, "--no-exclude")
    assert "none excluded" in printed
    assert "kept although two showings differ by 2 or more: p0" in printed
    assert [row["n_pairs"] for row in rows_of(tmp_path / "out" / "table1.csv")] == ["15"] * 4


def test_all_pairs_of_lists_are_compared_by_name(run: Any, tmp_path: Path) -> None:
    long = STUDIES / "tiny.csv"
    ranks = rankings_for(long, tmp_path / "ranks.csv")
    run(long, "--rankings", ranks, "--pairing", "all-pairs")
    rows = rows_of(tmp_path / "out" / "table2.csv")
    assert [(row["pairing"], row["n_pairs"]) for row in rows] == [("all pairs", "9")] * 2
    run(long, "--rankings", ranks)
    rows = rows_of(tmp_path / "out" / "table2.csv")
    assert [(row["pairing"], row["n_pairs"]) for row in rows] == [("same participant", "3")] * 2


def test_counting_every_showing_is_printed_with_a_warning(run: Any) -> None:
    warning = "showings=all counts both answers about one list as independent, which they are not"
    assert warning in run(STUDIES / "tiny.csv", "--showings", "all")
    assert warning in json.loads(run(STUDIES / "tiny.csv", "--showings", "all", "--json"))["warnings"][0]
    assert warning not in run(STUDIES / "tiny.csv", "--showings", "first")


@pytest.mark.parametrize(
    ("long", "status"),
    [
        ("", "no data"),
        ("p,a,1,1\np,a,2,5\nq,b,1,5\nq,b,2,1\n", "no data"),
        ("p,a,1,\nq,b,1,\n", "no data"),
        ("p,a,1,3\nq,b,1,4\n", "not estimable"),
        ("p,a,1,3\nq,a,1,4\n", "one engine"),
        ("p,a,1,3\np,b,1,3\nq,a,1,3\nq,b,1,3\n", "degenerate"),
    ],
)
def test_studies_at_the_edge_are_tables_with_a_status(run: Any, tmp_path: Path, long: str, status: str) -> None:
    (tmp_path / "long.csv").write_text(LONG + long)
    printed = run("long.csv")
    assert status in printed
    assert [row["status"] for row in rows_of(tmp_path / "out" / "varcomp.csv")] == [status]
    assert {row["status"] for row in rows_of(tmp_path / "out" / "contrasts.csv")} <= {status}
    assert len(rows_of(tmp_path / "out" / "exclusions.csv")) == len({line[0] for line in long.splitlines()})


def test_spreadsheets_tables_are_read(run: Any, tmp_path: Path) -> None:
    text = '\ufeffParticipant;Engine;Repetition;Accuracy;Seconds\r\n" p1 ";a;1.0;3.0;12,5\r\n;;;;\r\n"p;2";b;1;;9\r\n'
    (tmp_path / "long.csv").write_text(text, encoding="utf-8")
    run("long.csv")
    assert [row["participant"] for row in rows_of(tmp_path / "out" / "exclusions.csv")] == ["p1", "p;2"]
    assert rows_of(tmp_path / "out" / "varcomp.csv")[0]["nobs"] == "1"


def test_names_that_a_spreadsheet_would_run_are_made_safe(run: Any, tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text(LONG + "=1+1,@a,1,3\n=1+1,-b,1,4\n")
    run("long.csv")
    (row,) = rows_of(tmp_path / "out" / "contrasts.csv")
    assert (row["engine_a"], row["engine_b"], row["estimate"]) == ("'-b", "'@a", "1.0")
    assert rows_of(tmp_path / "out" / "exclusions.csv")[0]["participant"] == "'=1+1"


def test_variables_may_be_named(run: Any, tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text("participant,engine,repetition,accuracy,remark,fun\np,a,1,3,nice,4\n")
    error = run("long.csv", code=1)
    assert "long.csv, row 2: remark is 'nice', which is no number" in error
    assert "--variable" in error
    content = json.loads(run("long.csv", "--variable", "fun", "--variable", "Accuracy", "--json"))
    assert [row["variable"] for row in content["varcomp"]] == ["fun", "accuracy"]
    assert "has no column joy" in run("long.csv", "--variable", "joy", code=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            "long.csv needs the columns participant, engine, repetition, but participant, engine, repetition is missing",
        ),
        ("participant,engine,accuracy\np,a,3\n", "but repetition is missing; its first row has participant, engine"),
        ("participant,engine,repetition\np,a,1\n", "has no column of ratings beside participant, engine, repetition"),
        ("participant,engine,repetition,fun,Fun\np,a,1,3,3\n", "has two columns fun"),
        (LONG + "p,a,1\n", "long.csv, row 2 has 3 cells, but the header has 4"),
        (LONG + "p,a,1,3,4\n", "row 2 has 5 cells"),
        (LONG + "p,a,1,3\n\np,a,1,4\n", "row 4: participant 'p' has rated engine 'a', showing 1, already in row 2"),
        (LONG + "p,a,1,good\n", "row 2: accuracy is 'good', which is no number"),
        (LONG + "p,a,1,nan\n", "row 2: accuracy is 'nan'"),
        (LONG + "p,a,1,1e0\n", "row 2: accuracy is '1e0'"),
        (LONG + "p,a,1,٣\n", "row 2: accuracy is '٣'"),
        (LONG + "p,a,1,3.5\n", "row 2: accuracy is 3.5, but ratings are the integers 1 to 5"),
        (LONG + "p,a,1,3\np,b,1,6\n", "row 3: accuracy is 6"),
        (LONG + "p,a,1,-1\n", "row 2: accuracy is -1"),
        (LONG + "p,a,3,3\n", "row 2: the repetition is 3"),
        (LONG + "p,a,1.5,3\n", "row 2: the repetition is 1.5; write 1 or 2"),
        (LONG + "p,a,,3\n", "row 2: repetition is blank, which is no number"),
        (LONG + "p,,1,3\n", "row 2: the engine is blank"),
        (LONG + " ,a,1,3\n", "row 2: the participant is blank"),
        (LONG + 'p,a,1,"3\n', "is no table that can be read"),
    ],
)
def test_what_is_wrong_with_the_answers_is_one_line_and_nothing_is_written(
    run: Any, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "long.csv").write_text(text, encoding="utf-8")
    error = run("long.csv", code=1)
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RANKS + "p,a,1,x\n", "long.csv, row 3: the engine 'b' is not in ranks.csv, which has a"),
        (RANKS + "p,a,1,x\np,a,1,y\n", "ranks.csv, row 3: rank 1 is twice in the list of 'p' by 'a'"),
        (RANKS + "p,a,1,x\np,a,2,x\n", "row 3: item 'x' is twice in the list"),
        (RANKS + "p,a,1,x\np,a,3,y\n", "the list of 'p' by 'a' has no rank 2"),
        (RANKS + "p,a,0,x\n", "row 2: the rank is 0"),
        (RANKS + "p,a,first,x\n", "row 2: rank is 'first', which is no number"),
        (RANKS + "p,a,1,\n", "row 2: participant, engine or item is blank"),
        ("participant,engine,item\np,a,x\n", "but rank is missing"),
    ],
)
def test_what_is_wrong_with_the_rankings_is_one_line_and_nothing_is_written(
    run: Any, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "long.csv").write_text(LONG + "p,a,1,3\np,b,1,4\n")
    (tmp_path / "ranks.csv").write_text(text)
    error = run("long.csv", "--rankings", "ranks.csv", code=1)
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "out").exists()


def test_options_that_are_not_understood_are_one_line(run: Any, tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text(LONG + "p,a,1,3\np,b,1,4\n")
    (tmp_path / "ranks.csv").write_text(RANKS + "p,a,1,x\np,b,1,x\n")
    assert "mean, first, all, but 'last'" in run("long.csv", "--showings", "last", code=1)
    assert "'some'" in run("long.csv", "--rankings", "ranks.csv", "--pairing", "some", code=1)
    assert "row 3: the engine 'b' is unknown; choose from a" in run("long.csv", "--engine", "a", code=1)
    assert "missing.csv cannot be read: No such file" in run("missing.csv", code=1)
    assert "cannot be read: Is a directory" in run(tmp_path, code=1)
    (tmp_path / "latin.csv").write_bytes((LONG + "é,a,1,3\n").encode("latin-1"))
    assert "latin.csv is not in UTF-8" in run("latin.csv", code=1)
    assert not (tmp_path / "out").exists()


def test_tables_are_all_written_or_none(run: Any, tmp_path: Path) -> None:
    (tmp_path / "out" / "varcomp.csv").mkdir(parents=True)
    assert "varcomp.csv is a folder" in run(STUDIES / "tiny.csv", code=1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["varcomp.csv"]
    (tmp_path / "out" / "varcomp.csv").rmdir()
    (tmp_path / "out").rmdir()
    (tmp_path / "out").write_text("a file")
    assert "out is there already" in run(STUDIES / "tiny.csv", code=1)
    assert (tmp_path / "out").read_text() == "a file"


def test_lists_without_answers_count_and_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "long.csv").write_text(LONG + "p,a,1,3\nq,a,1,4\n")
    (tmp_path / "ranks.csv").write_text(RANKS + "p,a,1,x\nq,a,1,x\nr,a,1,y\nr,b,1,y\n")
    with pytest.raises(SystemExit):
        main(
            [
                "study",
                "analyse",
                str(tmp_path / "long.csv"),
                "-o",
                str(tmp_path / "out"),
                "--rankings",
                str(tmp_path / "ranks.csv"),
            ]
        )
    error = capsys.readouterr().err
    assert "lists without a row of answers by the same participant count: 1 (r)" in error
    assert "there are lists, but no answers, of the engine b" in error
    assert rows_of(tmp_path / "out" / "table1.csv")[0]["n_pairs"] == "3"
