"""Tables in one folder: all are new, or all are as they were."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from vernissage.cli.study_results import write_tables
from vernissage.errors import WorkspaceError


@dataclass(frozen=True)
class Named:
    name: str
    value: float


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """What a full disk does to large files: writing beyond ``size`` bytes fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_numbers_keep_all_digits_and_text_is_quoted(tmp_path: Path) -> None:
    rows = [Named('a "b", c', 0.1 + 0.2), Named("é", float("nan")), Named("@x", -1.0)]
    write_tables(tmp_path / "new", {"a.csv": (Named, rows)})
    assert (tmp_path / "new" / "a.csv").read_text(encoding="utf-8") == (
        'name,value\n"a ""b"", c",0.30000000000000004\né,NaN\n\'@x,-1.0\n'
    )


def test_where_one_table_cannot_be_written_all_stay_as_they_were(tmp_path: Path) -> None:
    small, large = [Named("old", 1.0)], [Named("x" * 100, float(number)) for number in range(200)]
    write_tables(tmp_path, {"a.csv": (Named, small), "b.csv": (Named, small)})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    new = [Named("new", 2.0)]
    with no_file_larger_than(4096), pytest.raises(WorkspaceError, match="cannot write"):
        write_tables(tmp_path, {"a.csv": (Named, new), "b.csv": (Named, large), "c.csv": (Named, new)})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    write_tables(tmp_path, {"a.csv": (Named, new), "b.csv": (Named, large), "c.csv": (Named, new)})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv", "c.csv"]
    assert (tmp_path / "a.csv").read_text() == "name,value\nnew,2.0\n"
