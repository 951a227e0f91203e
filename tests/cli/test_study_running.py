"""A study from its file to its export, by commands."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.galleries import toy_gallery, toy_row, write_table
from tests.studies import walk

from vernissage.cli.main import main
from vernissage.errors import Kind, StudyError
from vernissage.gallery.engines import STUDIED, make_engine
from vernissage.study.definition import read_definition
from vernissage.study.opening import open_study
from vernissage.study.participation import Study, Visitor
from vernissage.web.credentials import load_or_make_secret
from vernissage.web.study.served import Sessions
from vernissage.workspace.build import build_workspace
from vernissage.workspace.workspace import open_workspace


def opened_study(file: Path, workspace: Path, database: str | None = None) -> AbstractContextManager[Study]:
    return open_study(file, open_workspace(workspace), make_engine, database)


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
    path = tmp_path / "my study.toml"
    assert study("new", path, "--workspace", workspace)[0] == 0
    return path


def test_new_writes_a_file_that_check_accepts(study: Command, workspace: Path, tmp_path: Path) -> None:
    for arguments in (["--workspace", workspace], []):
        path = tmp_path / f"study{len(arguments)}.toml"
        assert study("new", path, *arguments)[0] == 0
        code, out, err = study("check", path, workspace)
        assert (code, "can run on" in out) == (0, True)
        assert "texts.purpose still says 'REPLACE THIS'" in err
        code, _, err = study("new", path)
        assert (code, "is there already" in err) == (Kind.CONFLICT.exit_code, True)


@pytest.mark.parametrize(
    ("encoders", "pictures", "weights", "proposed"),
    [
        (["lda", "colour-texture", "lsa", "aligned"], True, [], ["late-partial", "late-total", "aligned"]),
        (
            ["lda", "colour-texture", "lsa", "aligned"], True, ["clip"],
            ["late-partial", "late-total", "clip", "aligned"],
        ),
        (["lda", "lsa", "colour-texture"], True, ["blip", "clip"], ["late-partial", "late-total", "clip", "blip"]),
        (["lda", "lsa", "tfidf"], False, [], ["late-zscore", "lsa", "tfidf", "lda"]),
        (["colour-texture"], True, ["clip"], ["clip", "late-zscore", "colour-texture"]),
    ],
)  # fmt: skip
def test_new_proposes_the_study_of_the_paper_as_far_as_a_workspace_goes(
    encoders: list[str], pictures: bool, weights: list[str], proposed: list[str], study: Command, tmp_path: Path
) -> None:
    given = {}
    if weights:
        families = pytest.importorskip("tests.encoders.test_families").FAMILIES
        for name in weights:
            (tmp_path / name).mkdir()
            given[name] = families[name].write(tmp_path / name, 1)
    gallery = toy_gallery(tmp_path / "gallery", count=54)
    if not pictures:
        write_table(gallery, [toy_row(number) | {"file_name": ""} for number in range(54)])
    build_workspace(gallery, tmp_path / "ws", encoders=[*encoders, *weights], weights=given)
    code, said, noted = study("new", tmp_path / "study.toml", "--workspace", tmp_path / "ws")
    engines = read_definition(tmp_path / "study.toml").engines
    assert (code, f"Engines: {', '.join(engines)}.\n" in said) == (0, True), said
    # aligned is made with conse where its packages are installed.
    assert [name for name in engines if name != "conse"] == proposed
    lacking = [name for name in STUDIED if name not in proposed]
    assert [name for name in STUDIED if name in noted] == lacking
    assert study("check", tmp_path / "study.toml", tmp_path / "ws")[0] == 0


def test_check_prints_json_for_scripts(study: Command, workspace: Path, file: Path) -> None:
    found = json.loads(study("check", file, workspace, "--json")[1])
    assert found["definition"]["id"] == "my-study"
    assert sorted(slot["of"] for slot in found["elicitation_slots"]) == ["garden", "sea"]
    assert len(found["orders"][0]) == len(found["definition"]["engines"])


def test_check_names_an_engine_that_cannot_be_made(study: Command, workspace: Path, file: Path) -> None:
    text = file.read_text()
    for word, message in (("clipp", "there is no engine 'clipp'"), ("clip", "nothing of 'clip.")):
        file.write_text(text.replace('engines = ["late-partial"', f'engines = ["{word}"'))
        code, out, err = study("check", file, workspace)
        assert (code, out) == (1, "")
        assert f"engines names '{word}', which cannot be made: " in err
        assert message in err or "clip" in err


def test_check_tells_what_has_changed_since_a_study_began(study: Command, workspace: Path, file: Path) -> None:
    with opened_study(file, workspace) as running:
        running.register("ann")
    file.write_text("# the same\n" + file.read_text())
    assert study("check", file, workspace)[0] == 0
    file.write_text(file.read_text().replace("About 15 minutes", "About 20 minutes"))
    code, _, err = study("check", file, workspace)
    assert (code, "the definition (texts.duration) changed" in err) == (Kind.CONFLICT.exit_code, True)


def test_a_study_from_its_file_to_its_export(study: Command, workspace: Path, file: Path, tmp_path: Path) -> None:
    code, _, err = study("status", file, workspace)
    assert (code, "nothing of the study 'my-study'" in err) == (Kind.NOT_FOUND.exit_code, True)
    assert not (workspace / "vernissage.db").exists()
    with opened_study(file, workspace) as running:
        walk(running, "ann")
        walk(running, "bob", pages=4)
        walk(running, "cy")
        walk(running, "me", flag="preview")
    overview = json.loads(study("status", file, workspace, "--json")[1])
    assert (overview["started"], overview["finished"], overview["previews"]) == (3, 2, 1)
    assert "at assessment 3 of 8" in study("status", file, workspace)[1]
    assert study("pause", file, workspace)[0] == 0
    assert study("status", file, workspace)[1].splitlines()[-1].startswith("paused; began 20")
    assert study("resume", file, workspace)[0] == 0
    assert study("mark-dropped", file, workspace, "bob")[0] == 0
    assert study("mark-dropped", file, workspace, "ann")[0] == Kind.CONFLICT.exit_code
    assert study("delete-participant", file, workspace, "cy")[0] == 0
    assert study("delete-participant", file, workspace, "cy")[0] == Kind.NOT_FOUND.exit_code
    assert study("export", file, workspace, "--out", tmp_path / "all")[0] == 0
    assert study("export", file, workspace, "--out", tmp_path / "some", "--finished")[0] == 0
    rows = [len((tmp_path / name / "long.csv").read_text().splitlines()) - 1 for name in ("all", "some")]
    assert rows == [8 + 2, 8]
    code, _, err = study("analyse", tmp_path / "all" / "long.csv", "--out", tmp_path / "analysis")
    assert code == 0, err
    assert (tmp_path / "analysis" / "contrasts.csv").exists()


def test_a_workspace_that_was_built_otherwise_is_refused(gallery: Path, workspace: Path, file: Path) -> None:
    with opened_study(file, workspace) as running:
        running.register("ann")
    build_workspace(gallery, workspace, encoders=["lda"], topics=2)
    with pytest.raises(StudyError, match=r"the workspace's encoders \(lda\) changed"), opened_study(file, workspace):
        pass


def test_a_database_elsewhere(study: Command, workspace: Path, file: Path, database_place: str) -> None:
    with opened_study(file, workspace, database_place) as running:
        walk(running, "ann")
    assert json.loads(study("status", file, workspace, "--database", database_place, "--json")[1])["finished"] == 1
    assert not (workspace / "vernissage.db").exists()


def test_signed_invitations(study: Command, workspace: Path, file: Path) -> None:
    code, out, _ = study("invite", file, workspace, "ann", "b&b", "--address", "https://study.example.org/")
    sessions = Sessions(load_or_make_secret(workspace), "my-study", None)
    expected = [sessions.invitation_code(name) for name in ("ann", "b&b")]
    assert (code, out.splitlines()) == (
        0,
        [
            f"https://study.example.org/?PROLIFIC_PID=ann&invitation={expected[0]}",
            f"https://study.example.org/?PROLIFIC_PID=b%26b&invitation={expected[1]}",
        ],
    )
    code, out, err = study("invite", file, workspace, "{{ID}}")
    assert (code, out) == (1, "")
    assert "'{{ID}}' is no participant's id" in err


def test_status_warns_of_an_id_that_many_come_with(study: Command, workspace: Path, file: Path) -> None:
    with opened_study(file, workspace) as running:
        walk(running, "ann")
        for _ in range(2):
            running.count_visit(Visitor("participant", "ann"))
    code, _, err = study("status", file, workspace)
    assert (code, err) == (0, "warning: ann was opened for the first time in 3 browsers; is it one person?\n")
