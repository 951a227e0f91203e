import csv
import io
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vernissage import files
from vernissage.errors import ProvenanceError, WorkspaceError
from vernissage.files import (
    array_bytes,
    csv_bytes,
    digest,
    json_text,
    open_parquet,
    read_array,
    read_arrays,
    read_json,
    seal_of,
    write_array,
    write_bytes,
    write_json,
    write_together,
    writing,
)  # fmt: skip


def test_a_failed_write_leaves_the_old_file_and_no_remains(tmp_path: Path) -> None:
    target = tmp_path / "card.json"
    write_json(target, {"state": "old"})
    with pytest.raises(RuntimeError), writing(target) as file:
        file.write(b"half")
        raise RuntimeError
    assert read_json(target) == {"state": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["card.json"]


def test_equal_contents_give_equal_bytes(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"x": 1, "é": [2]})
    write_json(tmp_path / "b", {"é": [2], "x": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_files_get_the_usual_permissions(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"")
    (tmp_path / "b").write_bytes(b"")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)


def test_a_secret_is_its_owners_and_the_first_one_stays(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        with writing(tmp_path / "secret", secret=True, replace=False) as file:
            file.write(content)
    assert (tmp_path / "secret").read_bytes() == b"first"
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_several_files_are_written_all_or_none(tmp_path: Path) -> None:
    write_together({tmp_path / "a": b"old", tmp_path / "b": b"old"})
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(WorkspaceError, match="taken"):
        write_together({tmp_path / "a": b"new", tmp_path / "b": b"new", tmp_path / "taken" / "c": b"new"})
    assert [(tmp_path / name).read_text() for name in "ab"] == ["old", "old"]
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "taken"}


def test_a_table_has_all_digits_and_no_formula() -> None:
    cells = ["=1+1", "+1", "-x", "@x", "\tx", "\rx", "'x", "plain"]
    plain, reversible = (
        csv_bytes(["a", "b"], [[cell, -0.5] for cell in cells], reversible=each).decode() for each in (False, True)
    )
    assert plain == "a,b\n" + "".join(f"{cell},-0.5\n" for cell in [*(f"'{cell}" for cell in cells[:6]), *cells[6:]])
    found = [row[0] for row in csv.reader(io.StringIO(reversible, newline=""))][1:]
    assert found == [*(f"'{cell}" for cell in cells[:7]), *cells[7:]]
    assert csv_bytes(["x", "y"], [[0.1 + 0.2, None], [-1, float("nan")]]) == b"x,y\n0.30000000000000004,\n-1,NaN\n"


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(WorkspaceError, match="cannot write .*taken"):
        write_bytes(tmp_path / "taken" / "card.json", b"")


def test_python_objects_are_never_unpickled(tmp_path: Path) -> None:
    trap = tmp_path / "opened"

    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(trap),)

    np.save(tmp_path / "evil.npy", np.array([Payload()], dtype=object), allow_pickle=True)
    with pytest.raises(ProvenanceError, match="damaged"):
        read_array(tmp_path / "evil.npy")
    assert not trap.exists()


def test_missing_and_cut_files_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ProvenanceError, match="is missing; run `vernissage build` again"):
        read_json(tmp_path / "none.json")
    write_array(tmp_path / "rows.npy", np.arange(100.0))
    whole = (tmp_path / "rows.npy").read_bytes()
    for damaged in (whole[:-8], whole.replace(b"(100,)", b"(100,((")):
        (tmp_path / "rows.npy").write_bytes(damaged)
        with pytest.raises(ProvenanceError, match="damaged"):
            read_array(tmp_path / "rows.npy")


@pytest.mark.parametrize("read", [read_array, read_arrays, open_parquet, seal_of, read_json])
def test_a_pipe_among_the_files_is_refused_and_not_waited_for(read: Callable[[Path], Any], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "vectors")
    with pytest.raises(WorkspaceError, match="vectors cannot be read: it is no regular file but a pipe or a device"):
        read(tmp_path / "vectors")


def test_a_seal_knows_the_bytes_of_small_files_and_the_size_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    seal = seal_of(path)
    seal.require(path)
    for damage in (b"abd", b"ab", b"abcd"):
        path.write_bytes(damage)
        with pytest.raises(ProvenanceError, match="is damaged"):
            seal.require(path)
    monkeypatch.setattr(files, "SMALL", 2)
    path.write_bytes(b"abd")
    seal.require(path)
    with pytest.raises(ProvenanceError, match="its bytes are not those"):
        seal.require(path, whole=True)
    with pytest.raises(ProvenanceError, match="is missing"):
        seal.require(tmp_path / "none")


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_digests_tell_apart_how_parts_are_divided(one: list[bytes], other: list[bytes]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)


def test_array_bytes_know_shape_and_type() -> None:
    row = np.arange(6, dtype=np.float32)
    assert array_bytes(row) != array_bytes(row.reshape(2, 3))
    assert array_bytes(np.zeros(2, np.int32)) != array_bytes(np.zeros(2, np.float32))
    assert array_bytes(row.astype(">f4")) == array_bytes(row)


def test_json_has_no_nan_no_infinity_and_no_negative_zero() -> None:
    written = json_text({"a": [float("nan"), -0.0, 1.5], "b": {"c": float("inf"), "d": (True, None, "NaN")}})
    assert json.loads(written) == {"a": [None, 0.0, 1.5], "b": {"c": None, "d": [True, None, "NaN"]}}
    assert "-0" not in written
