"""Milvus as the chosen index of a workspace: chosen, built again, audited, mended; and served while it comes and goes."""

import json
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from tests.cli.conftest import Run, run
from tests.galleries import toy_gallery
from tests.milvus_server import free_port, serving
from tests.web.serving import served

import vernissage
from vernissage.cli.main import main
from vernissage.errors import ProvenanceError
from vernissage.search.milvus import connected
from vernissage.workspace.build import build_workspace
from vernissage.workspace.index_choice import KINDS, indexed_table, read_choices
from vernissage.workspace.workspace import open_workspace

__all__ = ["run"]  # a fixture
KEY = "colour-texture.image"


def collections(workspace: Path) -> set[str]:
    settings = read_choices(workspace)[KEY].settings
    names = connected(settings["url"]).call("list_collections")
    return {name for name in names if name.startswith(settings["name"]) and "colour_texture" in name}


def test_a_choice_of_milvus_follows_builds_and_answers_as_the_exact_index(run: Run, tmp_path: Path) -> None:
    gallery, workspace = toy_gallery(tmp_path / "gallery"), tmp_path / "workspace"
    build_workspace(gallery, workspace, encoders=["colour-texture"])
    with vernissage.open(workspace) as opened:
        ids = list(opened.repository.snapshot.collection.ids)
        right = opened.recommend({ids[0]: 5.0, ids[1]: 1.0}, 5, engine="colour-texture").to_dict()
    told = run(
        "index", "use", workspace, "--kind", "milvus", "--url", tmp_path / "milvus.db", "--index", "FLAT", "--json"
    )
    assert json.loads(told)[KEY]["settings"]["index"] == "FLAT"
    with vernissage.open(workspace) as opened:
        assert opened.repository.snapshot.index("colour-texture", "image").card.kind == "milvus"
        assert opened.recommend({ids[0]: 5.0, ids[1]: 1.0}, 5, engine="colour-texture").to_dict() == right
    [before] = collections(workspace)
    gone = min(gallery.rglob("*.png"))
    gone.unlink()
    build_workspace(gallery, workspace, encoders=["colour-texture"])
    assert len(collections(workspace)) == 2  # the one before stays for whoever still searches it
    found = json.loads(run("index", "audit", workspace, "--vectors", KEY, "--json"))
    works = len(open_workspace(workspace).table("colour-texture", "image"))
    assert [(each["kept"], each["works"], each["sampled"], each["sound"]) for each in found] == [
        (works, works, works, True)
    ]
    run("purge", workspace)
    assert len(collections(workspace)) == 1
    assert before not in collections(workspace)


@pytest.fixture
def chosen(run: Run, workspace: Path, tmp_path: Path) -> Path:
    url = tmp_path / "milvus.db"
    run("index", "use", workspace, "--kind", "milvus", "--url", url, "--index", "FLAT", "--vectors", KEY)
    return workspace


def test_what_differs_is_counted_and_mended_by_a_rebuild(
    run: Run, chosen: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = open_workspace(chosen)
    choice, source = read_choices(chosen)[KEY], indexed_table(opened, "colour-texture", "image")
    milvus, name, table = connected(choice.settings["url"]), choice.settings["collection"], source.table
    milvus.call("delete", name, filter="key in [0, 2, 3]")
    rows = [
        (2, table.item_ids[2], table.vectors[5]),
        (3, table.item_ids[4], table.vectors[3]),
        (-7, "stranger", table.vectors[0]),
    ]
    milvus.call("insert", name, [{"key": key, "id": item_id, "vector": vector} for key, item_id, vector in rows])
    with pytest.raises(SystemExit) as end:
        main(["index", "audit", str(chosen), "--json"])
    out, err = capsys.readouterr()
    [found] = json.loads(out)
    counts = {name: found[name] for name in ("missing", "unknown", "repeated", "different", "sound")}
    assert counts == {"missing": 2, "unknown": 2, "repeated": 0, "different": 1, "sound": False}
    assert {"stranger in row -7", f"{table.item_ids[4]} in row 3", table.item_ids[0], table.item_ids[2]} <= set(
        found["examples"]
    )
    assert end.value.code == 4
    assert f"run `vernissage index rebuild {chosen} --vectors {KEY}`" in err.replace("\n", " ")
    with pytest.raises(ProvenanceError, match="index rebuild"):
        open_workspace(chosen).index("colour-texture", "image")
    run("index", "rebuild", chosen)
    assert json.loads(run("index", "audit", chosen, "--json"))[0]["sound"]
    assert read_choices(chosen)[KEY].settings["generation"] == 1
    assert "sampled" in run("index", "audit", chosen)
    run("index", "use", chosen, "--kind", "exact")
    assert "No index keeps anything" in run("index", "audit", chosen)


def test_settings_that_do_not_fit_are_refused_and_what_was_chosen_stays(
    chosen: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_choices(chosen)
    for words, said in (
        (["--kind", "milvus"], "lacks 'url'; give --url"),
        (["--kind", "milvus", "--url", "x.db", "--index", "IVF_RABITQ"], "Milvus Lite, a file, has no others"),
        (["--kind", "milvus", "--url", "http://a:b@127.0.0.1:1"], "holds a password"),
        (["--kind", "milvus", "--url", "x.db", "--build", "M"], "'M=' is no parameter; give a name and a number"),
        (["--kind", "milvus", "--url", "http://127.0.0.1:1"], "does not answer as it should"),
        (["--kind", "exact", "--url", "x.db"], "the exact index has shards alone"),
    ):
        with pytest.raises(SystemExit) as end:
            main(["index", "use", str(chosen), *words])
        assert end.value.code not in (0, 70)
        assert said in " ".join(capsys.readouterr().err.split())
    assert read_choices(chosen) == before
    assert KINDS["exact"].audit is None


def test_a_server_answers_503_in_words_while_milvus_is_gone_and_recovers(
    run: Run, workspace: Path, tmp_path: Path
) -> None:
    folder, port = tmp_path / "served", free_port()
    url = f"http://127.0.0.1:{port}"
    rated = list(open_workspace(workspace).collection.ids)

    def recommend(rated: str) -> httpx.Response:  # another work each time: a server keeps its answers
        asked = {"ratings": {rated: 5}, "engine": "colour-texture", "limit": 2}
        return http.post("/api/v1/recommendations", json=asked)

    milvus = ExitStack()
    milvus.enter_context(serving(folder, port))
    run("index", "use", workspace, "--kind", "milvus", "--url", url, "--index", "FLAT", "--vectors", KEY)
    with served(workspace, None) as (address, _), httpx.Client(base_url=address, timeout=60) as http:
        assert recommend(rated[0]).status_code == 200
        milvus.close()
        refused = recommend(rated[1])
        assert refused.status_code == 503
        assert "try again in some seconds" in refused.text
        assert url not in refused.text  # that is for the log
        with serving(folder, port):
            deadline = time.monotonic() + 30
            while (again := recommend(rated[1])).status_code == 503 and time.monotonic() < deadline:
                time.sleep(0.1)
            assert again.status_code == 200, again.text
