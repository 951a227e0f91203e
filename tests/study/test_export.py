"""What goes out: who is in it, how cells look, and that the analysis reads it."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.studies import STUDY, study_of, submit, walk

from vernissage.analysis.long_table import check_long_table
from vernissage.analysis.study_answers import analyse
from vernissage.errors import StudyError
from vernissage.storage.database import Database
from vernissage.study.answer_files import read_long_table
from vernissage.study.export import ExportTable, as_csv, as_parquet, export_files, export_tables, write_export
from vernissage.study.participation import Study

NAMES = ("accuracy", "diversity", "novelty", "serendipity")


def populated(database: Database) -> Study:
    study = study_of(database)
    walk(study, "ann", value=4)
    walk(study, "=1+1", value=2)
    walk(study, "cy", pages=4)
    walk(study, "me", flag="preview")
    walk(study, "bot", flag="robot")
    return study


def tables(study: Study, **options: Any) -> dict[str, ExportTable]:
    return {table.name: table for table in export_tables(study.records, **options)}


def test_tables_hold_every_answer_of_real_participants(database: Database) -> None:
    found = tables(populated(database))
    assert list(found) == ["long", "wide", "rankings", "elicitation", "demographics", "screens"]
    long = found["long"]
    assert list(long.columns) == ["participant", "engine", "repetition", *NAMES, "seconds"]
    everyone = [(engine, repetition) for engine in STUDY.engines for repetition in (1, 2)]
    assert [row[1:3] for row in long.rows if row[0] == "ann"] == everyone
    assert {row[3:7] for row in long.rows if row[0] == "ann"} == {(4, 4, 4, 4)}
    assert len(long.rows) == 6 + 6 + 2
    assert {row[0] for table in found.values() for row in table.rows} == {"ann", "=1+1", "cy"}
    assert len(found["rankings"].rows) == 3 * 3 * 3
    assert [row[2] for row in found["rankings"].rows[:3]] == [1, 2, 3]
    assert len(found["elicitation"].rows) == 6
    wide = {row[0]: dict(zip(found["wide"].columns, row, strict=True)) for row in found["wide"].rows}
    assert list(wide["cy"].values()).count(None) == 4 * 5
    assert (wide["=1+1"]["west_2_novelty"], len(wide["ann"])) == (2, 1 + 6 * 5)
    status = {row[0]: row[1:3] for row in found["demographics"].rows}
    assert status == {
        "=1+1": ("finished", "thanks"), "ann": ("finished", "thanks"), "cy": ("under way", "assessment 3 of 6"),
    }  # fmt: skip
    assert [row[1] for row in found["screens"].rows if row[0] == "ann"] == [1, 2, 3, 4, 5, 6]
    assert {row[7:9] for row in found["screens"].rows} == {(STUDY.digest, "c0ffee")}


def test_only_those_who_finished_when_asked(sqlite: Database) -> None:
    found = tables(populated(sqlite), finished_only=True)
    assert {row[0] for table in found.values() for row in table.rows} == {"ann", "=1+1"}


def test_files_are_csv_and_parquet_and_the_analysis_reads_them(sqlite: Database, tmp_path: Path) -> None:
    study = populated(sqlite)
    written = write_export(study.records, tmp_path / "out")
    assert {path.name for path in written} == {path.name for path in (tmp_path / "out").iterdir()}
    long = read_long_table(tmp_path / "out" / "long.csv")
    check_long_table(long, engines=STUDY.engines)
    assert long.variables == NAMES
    assert set(long.participants) == {"ann", "'=1+1", "cy"}
    found = analyse(long)
    assert {row.participant: (row.comparisons, row.excluded) for row in found.exclusions} == {
        "ann": (12, False), "'=1+1": (12, False), "cy": (0, False),
    }  # fmt: skip
    table = pq.read_table(tmp_path / "out" / "long.parquet")
    assert set(table["participant"].to_pylist()) == {"ann", "=1+1", "cy"}
    assert [str(kind) for kind in table.schema.types] == ["string", "string", *["int64"] * 5, "double"]
    record = json.loads((tmp_path / "out" / "study.json").read_text())
    assert (record["definition"]["id"], record["provenances"][0]["definition"]) == ("pilot", STUDY.digest)


def test_equal_answers_give_equal_bytes(sqlite: Database, tmp_path: Path) -> None:
    study = populated(sqlite)
    contents = []
    for name in ("one", "two"):
        files = write_export(study.records, tmp_path / name)
        contents.append([path.read_bytes() for path in files])
    assert contents[0] == contents[1]


def test_files_are_of_one_state(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    study = populated(sqlite)
    opened: list[object] = []

    def reading(database: Database, real: Any = Database.reading) -> Any:
        opened.append(database)
        return real(database)

    monkeypatch.setattr(Database, "reading", reading)
    assert "study.json" in export_files(study.records)
    assert len(opened) == 1  # of two transactions the second can see a participant whom the first did not


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'x", "x=", 'a"b,c', "zwölf\n3"])
def test_no_cell_is_a_formula_and_no_two_become_one(cell: str) -> None:
    table = ExportTable("t", {"a": "text", "b": "number"}, ((cell, -1.5),))
    ((written, number),) = list(csv.reader(io.StringIO(as_csv(table).decode(), newline="")))[1:]
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert written == (f"'{cell}" if cell[0] in "=+-@\t\r'" else cell)
    assert float(number) == -1.5
    assert pq.read_table(io.BytesIO(as_parquet(table)))["a"].to_pylist() == [cell]


def test_nobody_can_be_exported_and_that_is_told(sqlite: Database, tmp_path: Path) -> None:
    study = study_of(sqlite)
    walk(study, "me", flag="preview")
    with pytest.raises(StudyError, match="nobody has taken part"):
        write_export(study.records, tmp_path / "out")
    (tmp_path / "file").write_text("")
    study.register("ann")
    with pytest.raises(StudyError, match="needs a folder"):
        write_export(study.records, tmp_path / "file")
    empty = tables(study)
    assert (empty["long"].rows, len(empty["demographics"].rows)) == ((), 1)
    assert pq.read_table(io.BytesIO(as_parquet(empty["long"]))).num_rows == 0


def test_the_overview_counts_who_fails_the_attention_rule(sqlite: Database) -> None:
    study = study_of(sqlite)
    careful, careless, late = (study.register(name).key or "" for name in ("careful", "careless", "late"))
    for key, second in ((careful, 4), (careless, 5), (late, 3)):
        page = study.page(key)
        for _ in range(STUDY.last_page if key != late else 5):
            page = submit(study, key, page, 3 if page.number < 5 else second)  # type: ignore[union-attr]
    assert study.records.overview().failed == 1
    rows = {row[0]: row[9] for row in tables(study)["demographics"].rows}
    assert rows == {"careful": False, "careless": True, "late": False}
    lenient = study_of(sqlite, id="lenient", attention="none")
    key = walk(lenient, "careless", pages=5, value=1)
    page = lenient.page(key)
    for _ in range(3):
        page = submit(lenient, key, page, 5)
    assert lenient.records.overview().failed == 0
