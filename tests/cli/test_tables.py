"""Tables as museums export them, from the command line."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from tests.catalog.museum_shapes import SHAPES, WORKS
from tests.galleries import paint

from vernissage import answer_schema
from vernissage.cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; its exit code, and what it printed on standard output and as errors on one line."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, " ".join(captured.err.split())

    return call


def write(folder: Path, text: str, name: str = "metadata.csv") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


OBJECTS = "nr,wie,was\n" + "".join(f"{n},Boats at sea {n},oil on wood {n}\n" for n in range(6))


def test_named_columns_are_kept_and_used_again(run: Run, tmp_path: Path) -> None:
    works, out = write(tmp_path / "works", OBJECTS), tmp_path / "w"
    code, _, error = run("build", works, "-o", out, "-e", "lsa")
    assert (code, out.exists()) == (1, False)
    assert "--column 'title=wie'" in error
    code, printed, _ = run("build", works, "-o", out, "-e", "lsa", "--column", "title=wie", "--column", "id=nr")
    assert code == 0
    assert 'wie → title (as you said), such as "Boats at sea 0"' in printed
    assert json.loads((out / "table.json").read_text())["columns"] == {"title": "wie", "id": "nr"}
    code, printed, _ = run("build", works, "-o", out, "--json")
    assert json.loads(printed)["report"]["columns"]["wie"] == "title"
    assert json.loads(printed)["encoded"] == {"lsa.text": 0}


def test_a_dry_run_says_how_a_table_is_understood_and_builds_nothing(run: Run, tmp_path: Path) -> None:
    works, mapping = write(tmp_path / "works", OBJECTS), tmp_path / "m.json"
    mapping.write_text('{"title": "wie"}')
    code, printed, _ = run("build", works, "-o", tmp_path / "w", "--dry-run", "--mapping", mapping)
    assert code == 0
    assert "wie → title (as you said)" in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.json", "works"]
    code, printed, error = run("build", works, "-o", tmp_path / "w", "--dry-run")
    assert (code, "kept under their own names" in printed) == (1, True)
    assert "--column 'title=wie'" in error
    mapping.write_text('{"title": 3}')
    code, _, error = run("build", works, "-o", tmp_path / "w", "--mapping", mapping)
    assert (code, "does not say how a table is read" in error) == (1, True)


def test_a_museums_mapping_is_kept_and_used_again(run: Run, tmp_path: Path) -> None:
    place, out = SHAPES["cleveland"].write(tmp_path / "dump"), tmp_path / "w"
    code, printed, _ = run("build", place, "-o", out, "-e", "lsa", "--mapping", "cleveland")
    assert code == 0
    assert 'share_license_status → licence (the mapping cleveland), such as "CC0 1.0"' in printed
    assert json.loads((out / "table.json").read_text())["mapping"] == "cleveland"
    code, printed, _ = run("build", place, "-o", out, "--json")
    assert (code, json.loads(printed)["encoded"]) == (0, {"lsa.text": 0})
    _, printed, _ = run("recommend", out, "--rate", "2=5", "-n", "20", "--where", "licence~CC0", "--json")
    assert {work["id"] for work in json.loads(printed)["works"]} == {str(w.number) for w in WORKS if w.free} - {"2"}


def test_mappings_are_listed_and_printed_to_start_from(run: Run, tmp_path: Path) -> None:
    code, printed, _ = run("mappings", "--json")
    assert (code, json.loads(printed)["nga"]["museum"]) == (0, "National Gallery of Art, Washington")
    _, printed, _ = run("mappings", "moma")
    mapping = tmp_path / "ours.toml"
    mapping.write_text(printed, "utf-8")
    (tmp_path / "a.json").write_text('[{"ObjectID": 7, "Title": "Boats at sea"}]')
    code, printed, _ = run("build", tmp_path / "a.json", "-o", tmp_path / "w", "--mapping", mapping, "--dry-run")
    assert (code, 'such as "Boats at sea"' in printed) == (0, True)
    code, _, error = run("build", tmp_path / "a.json", "-o", tmp_path / "w", "--mapping", "louvre")
    assert (code, "there is no mapping louvre; name one of aic" in error) == (1, True)
    assert not (tmp_path / "w").exists()


def test_administration_stays_out_of_texts_unless_asked_for(run: Run, tmp_path: Path) -> None:
    rows = "".join(f"{n},Boat {n},property of the state,Paris,Ministry\n" for n in range(4))
    works = write(tmp_path / "works", f"id,title,legal_status,culture,held_by\n{rows}")
    out = tmp_path / "w"
    assert "columns that feed the texts: title, culture" in run("build", works, "-o", out, "-e", "lsa")[1]
    code, printed, _ = run("info", out, "--text-of", "1")
    assert (code, printed.splitlines()[0]) == (0, "Boat 1. Paris")
    assert "culture: Paris\nnot in the text: held_by, legal_status" in printed
    run("build", works, "-o", out, "--text-column", "held_by", "--text-column=-culture")
    told = json.loads(run("info", out, "--text-of", "1", "--json")[1])
    assert (told["text"], told["from"]) == ("Boat 1. Ministry", {"title": "Boat 1", "held_by": "Ministry"})
    code, _, error = run("build", works, "-o", out, "--text-column", "nothing")
    assert (code, "names 'nothing', but there is no such column (columns: id, title" in error) == (1, True)


def test_all_pictures_of_a_work_are_told(run: Run, tmp_path: Path) -> None:
    views = "".join(f"{n},Boat {n},{n}{side}.png\n" for n in range(4) for side in "ab")
    works, out = write(tmp_path / "works", f"id,title,file\n{views}4,Hat,0a.png\n"), tmp_path / "w"
    for number in range(8):
        paint(works / f"{number // 2}{'ab'[number % 2]}.png", number)
    code, printed, _ = run("build", works, "-o", out, "-e", "colour-texture")
    assert code == 0
    assert "9 rows, 5 works kept, 5 with a picture (9 pictures), 5 with a text" in printed
    assert "with a picture: 5 (9 pictures), with a text: 5" in run("info", out)[1]
    assert json.loads(run("info", out, "--json")[1])["all_pictures"] == 9
    assert "pictures, the leading one first: 1a.png, 1b.png" in run("info", out, "--text-of", "1")[1]
    assert json.loads(run("info", out, "--text-of", "4", "--json")[1])["pictures"] == ["0a.png"]
    found = json.loads(run("similar", out, "0", "--engine", "colour-texture", "--json")[1])
    jsonschema.validate(found, answer_schema())
    pictures = {work["id"]: work.get("pictures") for work in found["works"]}
    assert pictures == {
        "1": ["1a.png", "1b.png"],
        "2": ["2a.png", "2b.png"],
        "3": ["3a.png", "3b.png"],
    }  # 4 shows what 0 does


def test_rows_left_out_are_listed_and_the_build_goes_on(run: Run, tmp_path: Path) -> None:
    works = write(tmp_path / "works", "id,title\n" + "".join(f"{n % 9},Boats at sea {n}\n" for n in range(11)))
    code, printed, _ = run("build", works, "-o", tmp_path / "w", "-e", "lsa")
    assert (code, "rows left out: 2" in printed) == (0, True)
    assert len((tmp_path / "w" / "rejected.csv").read_text("utf-8-sig").splitlines()) == 3
    for word, expected in (("--max-rejected=1", 1), ("--max-rejected=20%", 0), ("--strict", 1), ("--skip-bad", 0)):
        code, _, error = run("build", works, "-o", tmp_path / "w", word)
        assert code == expected, error
    code, _, error = run("build", works, "-o", tmp_path / "w", "--max-rejected", "many")
    assert (code, "is no number; write 20 (rows) or 10% (of all)" in error) == (1, True)


def test_a_table_without_words_or_rows_stops_a_build_and_a_dry_run(run: Run, tmp_path: Path) -> None:
    numbers = write(tmp_path / "numbers", "a,b,c\n1,2,3.5\n2,5,3.5\n")
    empty, keywords = write(tmp_path / "empty", "id,title\n"), write(tmp_path / "tags", "id,tags\n1,sea\n2,horse\n")
    for more in ([], ["--dry-run"]):
        code, _, error = run("build", numbers, "-o", tmp_path / "w", *more)
        assert (code, "its cells are numbers and keys alone (columns: a, b, c)" in error) == (1, True)
        code, _, error = run("build", empty, "-o", tmp_path / "w", *more)
        assert (code, "has no row with a work in it" in error) == (1, True)
    assert not (tmp_path / "w").exists()
    assert run("build", keywords, "-o", tmp_path / "w", "--dry-run")[0] == 0


def test_words_are_found_where_no_encoder_could_be_made(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wordllama", None)  # which knows all words
    works = write(tmp_path / "works", "id,title\n1,Untitled\n2,Untitled\n3,Portrait\n")
    code, _, error = run("build", works, "-o", tmp_path / "w")
    assert (code, "No encoder could be made, so nothing is recommended; search finds words" in error) == (0, True)
    for query, ids in (("PORTRAIT", ["3"]), ("portrat", ["3"]), ("untitled", ["1", "2"]), ("ships", [])):
        code, printed, _ = run("search", tmp_path / "w", query, "--json")
        assert (code, [work["id"] for work in json.loads(printed)["works"]]) == (0, ids)


def test_languages_of_texts_are_said_by_an_option_or_a_column(run: Run, tmp_path: Path) -> None:
    rows = "".join(
        f"{n},{word},{word} am Hafen,de\n" for n, word in enumerate(("Schiffe", "Boote", "Schiffe", "Bäume"))
    )
    works = write(tmp_path / "works", f"id,title,description,language\n{rows}")
    for more, expected in (
        ([], "de"),
        (["--language", "fr"], "fr"),
        (["--language", "de", "--language", "en"], "de+en"),
    ):
        assert run("build", works, "-o", tmp_path / "w", "-e", "lsa", *more)[0] == 0
        (model,) = (tmp_path / "w" / "models").glob("lsa-*") if not more else [_latest(tmp_path / "w")]
        assert json.loads((model / "model.json").read_text())["settings"]["language"] == expected
    code, _, error = run("build", works, "-o", tmp_path / "w", "--language", "xx")
    assert (code, "there is no dictionary of lemmas for the language 'xx'" in error) == (1, True)


def _latest(workspace: Path) -> Path:
    """The folder of the model in force."""
    return workspace / "models" / str(json.loads((workspace / "workspace.json").read_text())["models"]["lsa"])
