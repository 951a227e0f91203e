import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from vernissage.errors import ProvenanceError, RequestError
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.recipe import (
    About,
    Options,
    Outcome,
    Picture,
    Published,
    Recipe,
    Record,
    Run,
    RunOptions,
    Tables,
    read_run,
    run_recipe,
)
from vernissage_lab.report import section_of
from vernissage_lab.tables import Table, table


def drawn(tables: Tables) -> dict[str, Picture]:
    return {"dots": Picture(Figure((2, 2)), f"{len(tables['values'])} dots")}


def told(tables: Tables) -> list[Table]:
    return [table("Values", ("number", "square"), ((str(r["number"]), str(r["square"])) for r in tables["values"]))]


def square_of_3(tables: Tables, record: Record) -> str:
    return str(tables["values"][3]["square"]) if record["options"]["count"] == 4 else ""


@dataclass(frozen=True)
class Count(Options):
    count: int = 4
    names: tuple[str, ...] | None = None
    where: Path = Path("somewhere")


def compute(options: Count, cells: Cells) -> Outcome:
    parts = [
        Part({"number": number}, lambda n=number: [{"number": n, "square": n * n}])  # type: ignore[misc]
        for number in range(options.count)
    ]
    rows = [row for some in rows_of(parts, cells, "Multiplying") for row in some]
    return Outcome({"values": rows, "empty": []}, ("only whole numbers",))


SQUARES = Recipe(
    about=About("squares", "none", "numbers times themselves", "nothing", ("Multiply.",)),
    options=Count,
    compute=compute,
    pictures=drawn,
    views=told,
    published=(
        Published("square of 3", "9", "Euclid", "four numbers", square_of_3),
        Published(
            "square of 3 by hand",
            "9",
            "Euclid",
            "four numbers",
            square_of_3,
            lambda record: f"by a machine, seed {record['seed']}",
        ),
    ),
)


def run(folder: Path, count: int = 4, most: int | None = None) -> Run:
    return run_recipe(SQUARES, Count(count), RunOptions(cells=most, seed=7, out=folder))


def test_a_run_is_read_back_as_it_was(tmp_path: Path) -> None:
    made = run(tmp_path)
    again = read_run(tmp_path)
    assert again.tables == made.tables == {"values": [{"number": n, "square": n * n} for n in range(4)]}
    assert again.record["options"] == {"count": 4}
    assert again.record["seed"] == 7
    assert again.record["cells"] == {"computed": 4, "read": 0, "left": 0}
    assert (tmp_path / "dots.png").is_file()
    assert not (tmp_path / "empty.csv").exists()


def test_a_run_that_was_stopped_says_what_is_left(tmp_path: Path) -> None:
    part = run(tmp_path, most=3)
    assert part.record["cells"] == {"computed": 3, "read": 0, "left": 1}
    assert part.record["notes"] == [
        "only whole numbers",
        "1 cells are left for another run with the same folder and options",
    ]
    assert run(tmp_path).record["cells"] == {"computed": 1, "read": 3, "left": 0}


def test_numbers_below_the_least_are_refused_by_the_options_word() -> None:
    with pytest.raises(RequestError, match="--count 0 cannot be; give 1 or more"):
        Count(0).require(count=1)


def test_other_seeds_are_other_cells(tmp_path: Path) -> None:
    run(tmp_path)
    other = run_recipe(SQUARES, Count(), RunOptions(seed=8, out=tmp_path))
    assert other.record["cells"]["read"] == 0
    assert run(tmp_path).record["cells"] == {"computed": 0, "read": 4, "left": 0}


def test_a_section_tells_the_published_value_and_ours(tmp_path: Path) -> None:
    run(tmp_path)
    section = section_of(SQUARES, read_run(tmp_path), "squares-run")
    first, second = section.comparisons
    assert (first.published, first.ours, first.difference) == ("9", "9", "")
    assert (second.ours, second.difference) == ("9", "by a machine, seed 7")
    assert section.files == ("squares-run/values.csv",)
    assert section.figures[0].alt == "4 dots"
    assert ("Seed", "7") in section.provenance
    assert section.notes == ("only whole numbers",)


def test_a_run_that_is_not_what_was_published_says_what_it_takes(tmp_path: Path) -> None:
    run(tmp_path, count=5)
    for comparison in section_of(SQUARES, read_run(tmp_path), "squares-run").comparisons:
        assert (comparison.ours, comparison.difference) == ("", "not measured: needs four numbers")


def test_a_folder_of_another_experiment_is_left_alone(tmp_path: Path) -> None:
    run(tmp_path)
    record = json.loads((tmp_path / "record.json").read_text())
    (tmp_path / "record.json").write_text(json.dumps(record | {"experiment": "cubes"}))
    with pytest.raises(RequestError, match="holds the experiment cubes; choose another folder"):
        run(tmp_path)


def test_damaged_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="holds no experiment"):
        read_run(tmp_path)
    run(tmp_path)
    (tmp_path / "values.parquet").write_bytes(b"nothing")
    with pytest.raises(RequestError, match="missing or damaged"):
        read_run(tmp_path)
    (tmp_path / "record.json").write_text("[]")
    with pytest.raises(ProvenanceError, match="no record of an experiment"):
        read_run(tmp_path)
