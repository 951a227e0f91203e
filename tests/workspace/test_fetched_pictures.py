"""Pictures from web addresses in a workspace: built, kept, used again without the network, and taken down."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.catalog.picture_server import PictureServer, png, serving

import vernissage
from vernissage.catalog.fetching import name_of
from vernissage.catalog.web_client import FetchOptions
from vernissage.cli.main import main
from vernissage.gallery.answer import Answer

HERE = FetchOptions(private_hosts=True, rate=200)


def table(folder: Path, server: PictureServer, numbers: range) -> Path:
    folder.mkdir(exist_ok=True)
    titles = ("A boat at sea", "Boats in the harbour", "The sea at night", "A harbour at night")
    records = [{"id": str(n), "title": titles[n], "images": [{"url": f"{server.base}/{n}.png"}]} for n in numbers]
    (folder / "metadata.json").write_text(json.dumps(records))
    return folder


def run(*arguments: str | Path) -> int:
    """Run a command, and return its exit code."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


def similar(workspace: Path) -> Answer:
    with vernissage.open(workspace) as gallery:
        return gallery.similar("0", n=2, show_copies=True)  # the server has one picture for all


def test_a_build_fetches_the_next_one_does_not_and_what_leaves_the_table_is_deleted(tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    with serving() as server:
        source = table(tmp_path / "works", server, range(4))
        outcome = vernissage.build(source, workspace, encoders=["colour-texture", "lsa"], fetch_pictures=HERE)
        assert sorted(item.picture[:10] for item in outcome.result.collection) == ["fetched://"] * 4
        assert outcome.result.encoded["colour-texture.image"] == 4
        answer = similar(workspace)
        assert answer.to_dict()["works"][0]["picture_link"] == f"{server.base}/{answer.ids[0]}.png"
        assert "data:image/jpeg" in answer._repr_html_()
        work = answer.works[0]
        several = replace(work, item=replace(work.item, further_pictures=(("sub/back.png", ""),))).to_dict(1)[
            "pictures"
        ]
        assert several[1] == "sub/back.png"
        assert (workspace / several[0]).read_bytes() == answer.picture_path(work.item).read_bytes()  # type: ignore[union-attr]
        asked = server.asked.total()
        vernissage.build(source, workspace, fetch_pictures=HERE)
        assert server.asked.total() == asked
        table(source, server, range(3))
    again = vernissage.build(source, workspace).result.collection  # no server any more, and no option
    assert all(item.picture for item in again)
    assert len(list((workspace / "fetched").iterdir())) == 3


def test_without_fetching_pages_and_answers_hold_the_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as server:
        source, workspace = table(tmp_path / "works", server, range(3)), tmp_path / "w"
        assert run("build", source, "-o", workspace, "-e", "lsa") == 0
        assert "3 web addresses, not files: kept as links" in capsys.readouterr().out
        assert not server.asked
    assert f'href="{server.base}/1.png" rel="noopener noreferrer"' in similar(workspace)._repr_html_()
    page = tmp_path / "page.html"
    assert run("recommend", workspace, "--rate", "0=5", "-n", "2", "--html", page) == 0
    assert f'<a href="{server.base}/1.png" rel="noopener noreferrer">' in page.read_text()
    assert run("info", workspace) == 0
    assert "with the web address of a picture: 3" in capsys.readouterr().out


def test_hosts_of_this_machine_are_refused_by_the_command_unless_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as server:
        source, workspace = table(tmp_path / "works", server, range(2)), tmp_path / "w"
        command = ["build", source, "-o", workspace, "-e", "lsa", "--fetch-pictures"]
        assert run(*command) == 1
        assert "on a private network or this machine" in " ".join(capsys.readouterr().err.split())
        assert not server.asked
        assert not workspace.exists()
        assert run(*command, "--allow-private-hosts") == 0
    assert [file.read_bytes() for file in (workspace / "fetched").iterdir()] == [png()] * 2


def test_what_a_failed_first_build_has_fetched_is_used_by_the_next(tmp_path: Path) -> None:
    with serving() as server:
        source, workspace = table(tmp_path / "works", server, range(2)), tmp_path / "w"
        with pytest.raises(vernissage.EncoderError):
            vernissage.build(source, workspace, encoders=["lda"], topics=999, fetch_pictures=HERE)
        assert [entry.name for entry in workspace.iterdir()] == ["fetched"]
        asked = server.asked.total()
        vernissage.build(source, workspace, encoders=["lsa"], fetch_pictures=HERE)
        assert server.asked.total() == asked


def test_all_addresses_of_a_work_are_fetched_and_forgotten_with_it(tmp_path: Path) -> None:
    workspace, source = tmp_path / "w", tmp_path / "works"
    source.mkdir()

    def build(*rows: str) -> dict[str, list[str]]:
        (source / "metadata.csv").write_text("\n".join(["id,title,image,sequence", *rows]))
        built = vernissage.build(source, workspace, encoders=["colour-texture"], fetch_pictures=HERE).result
        return {item.id: [path for path, _ in item.pictures] for item in built.collection}

    with serving() as server:
        at = [f"{server.base}/{number}.png" for number in range(4)]
        first = build(f"1,Boats,{at[0]},2", f"1,Boats,{at[1]},1", f"2,Sea,{at[2]}|{at[3]},")
        names = {address: f"fetched://{name_of(address)}" for address in at}
        assert first == {"1": [names[at[1]], names[at[0]]], "2": [names[at[2]], names[at[3]]]}
        with vernissage.open(workspace) as gallery:
            work = gallery.snapshot.collection["1"]
            assert work.picture_link == at[1]
            shown = [replace(work, picture=name) for name, _ in work.pictures]
            paths = [gallery.snapshot.collection.picture_path(each) for each in shown]
            assert [path is not None and path.is_file() for path in paths] == [True, True]
        assert build(f"1,Boats,{at[0]},2", f"2,Sea,{at[2]},") == {"1": [names[at[0]]], "2": [names[at[2]]]}
    assert {file.name for file in (workspace / "fetched").iterdir()} == {name_of(at[0]), name_of(at[2])}
