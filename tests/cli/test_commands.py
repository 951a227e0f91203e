"""Every command on the toy gallery, as people and scripts call it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.galleries import toy_row, write_table

from vernissage.cli.main import main
from vernissage.workspace.workspace import open_workspace
from vernissage_lab.baselines import PEERS


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command that must succeed, and return what it printed on standard output."""

    def call(*arguments: str | Path) -> str:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert end.value.code == 0, captured.err
        return captured.out

    return call


def test_recommend_prints_json_for_scripts(run: Any, built: Path) -> None:
    answer = json.loads(run("recommend", built, "--rate", "w000=5", "--rate", "w001=2", "-n", "5", "--json"))
    assert answer["engine"] == "late-zscore"
    assert len(answer["works"]) == 5
    for work in answer["works"]:
        told = {"id", "key", "title", "artist", "year", "description", "medium", "rights", "credit", "link", "band"}
        assert told | {"url", "manifest", "thumbnail", "rank", "score", "reasons"} == work.keys()
        rated, engines = ([each for each in work["reasons"] if each["kind"] == kind] for kind in ("rated", "engine"))
        assert len(rated) + len(engines) == len(work["reasons"])
        assert sum(reason["contribution"] for reason in rated) == pytest.approx(work["score"], abs=1e-6)
        assert sum(engine["contribution"] for engine in engines) == pytest.approx(work["score"], abs=1e-6)
        assert {reason["id"]: reason["weight"] for reason in rated} == {"w000": 1.0, "w001": -0.5}


@pytest.mark.parametrize("engine", ["lda", "lsa", "colour-texture", "late-partial", "late-total", "lsa+colour-texture"])
def test_every_engine_answers(run: Any, built: Path, engine: str) -> None:
    answer = json.loads(run("recommend", built, "--rate", "w000=5", "--engine", engine, "--json"))
    assert answer["engine"] == engine
    assert len(answer["works"]) == 9
    assert "w000" not in {work["id"] for work in answer["works"]}


def test_a_visitor_who_likes_red_seas_gets_red_seas(run: Any, built: Path) -> None:
    # w000, w004, w008 … are red seas, w002 a blue sea, w001 a red garden.
    rated = ["--rate", "w000=5", "--rate", "w004=5", "--rate", "w002=2", "--rate", "w001=1"]
    answer = json.loads(run("recommend", built, *rated, "-n", "9", "--json"))
    assert all(int(work["id"][1:]) % 4 == 0 for work in answer["works"])


def test_options_of_fusions_change_the_answer(run: Any, built: Path) -> None:
    base = ("recommend", built, "--rate", "w000=5", "--rate", "w003=3", "--json", "--engine", "lda+colour-texture")
    answers = {
        run(*base, *more)
        for more in ((), ("--k", "0"), ("--depth", "3"), ("--method", "minmax"), ("--weight", "lda=5"))
    }
    assert len(answers) == 5


def test_filters_and_diversity(run: Any, built: Path) -> None:
    asked = ("recommend", built, "--rate", "w000=5", "--json")
    answer = json.loads(run(*asked, "--where", "year>=1850", "--where", "artist~blue", "-n", "3"))
    assert all(int(work["id"][1:]) >= 50 and "blue" in work["artist"] for work in answer["works"])
    diverse = json.loads(run(*asked, "--diversity", "0.9"))
    assert [work["id"] for work in diverse["works"]] != [work["id"] for work in json.loads(run(*asked))["works"]]


def test_ratings_come_from_tables_and_json(run: Any, built: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\ufeffitem,rating\nw000,5\n\nw001,2\n", encoding="utf-8")
    (tmp_path / "b.json").write_text('{"w000": 5, "w001": 2}')
    (tmp_path / "c.json").write_text('[{"id": "w000", "rating": 5}, {"id": "w001", "rating": 2}]')
    answers = {
        run("recommend", built, "--ratings", tmp_path / name, "--json") for name in ("a.csv", "b.json", "c.json")
    }
    answers.add(run("recommend", built, "--rate", "w000=5", "--rate", "w001=2", "--json"))
    assert len(answers) == 1


def test_people_see_titles_reasons_and_terms(run: Any, built: Path, tmp_path: Path) -> None:
    page = tmp_path / "for-you.html"
    printed = run("recommend", built, "--rate", "w000=5", "-n", "2", "--explain", "--html", page)
    assert "because you rated" in printed
    assert "together" in printed
    assert page.read_text().startswith("<!doctype html>")


def test_similar_and_search(run: Any, built: Path) -> None:
    near = json.loads(run("similar", built, "w000", "-n", "4", "--engine", "colour-texture", "--json"))
    assert all(int(work["id"][1:]) // 2 % 2 == 0 for work in near["works"])  # the same colour
    assert "Like " in run("similar", built, "w000")
    found = json.loads(run("search", built, "a lighthouse in the storm", "--json"))
    assert all(int(work["id"][1:]) % 2 == 0 for work in found["works"])  # seas
    assert json.loads(run("search", built, "rose", "--pictures", "--json"))["within"] == "pictures"


def test_topics_tell_the_themes_apart(run: Any, built: Path) -> None:
    content = json.loads(run("topics", built, "--json", "--words", "3", "--works", "2"))
    for topic in content["topics"]:
        assert len(topic["words"]) == 3
        assert len({int(item_id[1:]) % 2 for item_id in topic["works"]}) == 1  # two seas or two gardens


def test_the_coherence_curve_is_drawn_where_numbers_were_compared(run: Any, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    write_table(tmp_path / "texts", [toy_row(number) | {"file_name": ""} for number in range(130)])
    run("build", tmp_path / "texts", "-o", tmp_path / "ws", "--encoder", "lda")
    printed = run("topics", tmp_path / "ws", "--curve", tmp_path / "curve.png")
    assert "chosen by coherence" in printed
    assert "among 4, 6" in printed
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_maps(run: Any, built: Path, tmp_path: Path) -> None:
    assert "64 works drawn" in run("map", built, "-o", tmp_path / "map.png", "--html", tmp_path / "map.html")
    assert "64 works drawn" in run("map", built, "-o", tmp_path / "map.svg", "--encoder", "lda+lsa", "--by", "artist")
    page = (tmp_path / "map.html").read_text("utf-8")
    assert len(page) > 10_000
    network = "efficientnet-lite0" in open_workspace(built).encoder_names
    assert (" by forms and motifs and colours and textures" if network else " by colours and textures") in page
    assert (tmp_path / "map.svg").read_text().lstrip().startswith("<?xml")


def test_evaluate(run: Any, built: Path, tmp_path: Path) -> None:
    asked = ("evaluate", built, "--visitors", "20", "-n", "5", "--by", "group", "--by", "artist")
    printed = run(*asked, "--plot", tmp_path / "plot.png")
    assert "nDCG@5" in printed
    assert (tmp_path / "plot.png").exists()
    ways = (
        "--elicitation",
        "group",
        "--elicitation",
        "central",
        "--elicitation",
        "random",
        "--elicitation",
        "farthest",
    )
    content = json.loads(run(*asked, "--json", "--engine", "lda", "--engine", "colour-texture", *ways[:4]))
    assert content["protocol"]["rated_works"] == "one at random from each ninth"
    assert [row["rated works"] for row in content["elicitations"]] == ["group", "central"]
    assert {name.partition(" on ")[0] for name in content["references"]} >= set(PEERS)
    assert "late-zscore by which works" in run(*asked, "--engine", "lda", *ways[2:])
    means = {row["engine"]: row["mean"] for row in content["rows"] if row["metric"] == "ndcg"}
    assert means["lda"] > means["random"]
    assert means["labels"] > means["most-average"]
    fused = (*asked, "--json", "--engine", "lda+colour-texture", "--engine", "late-total", "--method")
    found = [json.loads(run(*fused, method)) for method in ("rrf", "minmax", "zscore")]
    told = [
        {
            name: [row["mean"] for row in each["rows"] if row["engine"] == name]
            for name in ("lda+colour-texture", "late-total")
        }
        for each in found
    ]
    assert len({str(each["lda+colour-texture"]) for each in told}) == 3  # the method is that of engines joined by +
    assert len({str(each["late-total"]) for each in told}) == 1


def test_info_and_build_tell_what_is_there(run: Any, gallery: Path, built: Path, tmp_path: Path) -> None:
    content = json.loads(run("info", built, "--json"))
    assert content["works"] == content["pictures"] == content["texts"] == 64
    assert content["groups"] == {"garden": 32, "sea": 32}
    assert all(each["coverage"] == 1 for each in content["vectors"])
    printed = run("info", built)
    assert "complete" in printed
    assert "how much each counts" not in printed  # two groups of one kind each teach no weights
    outcome = json.loads(run("build", gallery, "-o", tmp_path / "ws", "--encoder", "lsa", "--json"))
    assert outcome["encoded"] == {"lsa.text": 64}
    report = tmp_path / "report.json"
    assert "encoded anew: 0 with lsa.text" in run("build", gallery, "-o", tmp_path / "ws", "--report", report)
    assert json.loads(report.read_text())["rows"] == 64


def test_info_tells_what_each_representation_counts_and_why(run: Any, built: Path, tmp_path: Path) -> None:
    place = tmp_path / "ws"
    shutil.copytree(built, place)
    whole = json.loads((place / "workspace.json").read_text())
    weight = {"weight": 1.625, "spread": 0.5, "own": 0.25, "agreement": 0.125, "owners": None, "why": "repeats others"}
    whole["weights"] = {"lsa": weight, "lda": {**weight, "owners": 0.75}}
    (place / "workspace.json").write_text(json.dumps(whole))
    assert json.loads(run("info", place, "--json"))["weights"] == whole["weights"]
    lines = run("info", place).partition("how much each counts:")[2].splitlines()
    assert lines[2].split() == ["lsa", "1.62", "0.50", "0.25", "0.12", "repeats", "others"]
    assert lines[3].split() == ["lda", "1.62", "0.50", "0.25", "0.12", "0.75", "repeats", "others"]


def test_sample_paints_a_gallery_that_builds(run: Any, tmp_path: Path) -> None:
    assert "Painted 8 pictures" in run("sample", tmp_path / "gallery", "--count", "8")
    assert "8 works" in run("build", tmp_path / "gallery", "-o", tmp_path / "ws")


@pytest.mark.parametrize(
    "command",
    [
        *("build", "info", "recommend", "similar", "search", "topics", "map", "serve", "lab sample", "lab evaluate"),
        *("person upload", "person rate", "person list", "person areas", "person edit", "person remove"),
        *("person export", "vectors encode", "vectors areas", "encoders tag", "encoders export"),
    ],
)
def test_every_command_explains_itself_by_example(run: Any, command: str) -> None:
    assert f"vernissage {command} " in run(*command.split(), "--help")


def test_version(run: Any) -> None:
    assert run("--version").startswith("vernissage 0.")
