"""The command experiment run tags: where tags come from, and sets without pictures."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.galleries import toy_gallery

from vernissage.cli.main import main
from vernissage.taggers.contract import tagger_key
from vernissage.taggers.words import LexiconTagger
from vernissage.workspace.build import build_workspace
from vernissage_lab.tables import read_table, where

SMALL = ("--classes", 1, "--points", 3, "--users", 3, "--query-classes", 1)

LABELS = ("boat", "horse", "dog", "castle")
WORDS = {
    "boat": ("sail", "sea", "wind"),
    "horse": ("ride", "field", "saddle"),
    "dog": ("bark", "ball", "leash"),
    "castle": ("tower", "moat", "king"),
}

COMMAND = ("experiment", "run", "tags")


@pytest.fixture
def classified(tmp_path: Path) -> Path:
    """A table of 48 captions in four classes, in the layout that the authors published; no picture is there."""
    lines = []
    for number in range(48):
        label = LABELS[number % 4]
        first, second, third = WORDS[label]
        caption = f"A {label} with a {first} and a {second if number % 3 else third} number {number}"
        lines.append(f'{number},"{caption}",{number % 4},{label},"{label},{first},thing","{label},{second},thing"')
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "table.csv"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    toy_gallery(folder / "gallery", count=60)
    return folder / "gallery"


@pytest.fixture
def workspace(gallery: Path, tmp_path: Path) -> Path:
    build_workspace(gallery, tmp_path / "workspace", encoders=["lsa"])
    return tmp_path / "workspace"


@pytest.mark.parametrize("encoder", ["lsa", "lda"])
def test_a_classified_table_without_pictures_is_compared_by_its_tags(
    run: Any, classified: Path, tmp_path: Path, encoder: str
) -> None:
    ask = ("--kind", "classified", "-e", encoder, *SMALL, "-o", tmp_path / "out")
    rules = ("--overlap", "mass", "--overlap", "twice-unique")
    record = json.loads(run(classified, *ask, *rules, "--json"))
    values = read_table(tmp_path / "out", "values")
    assert {(row["task"], row["method"]) for row in values} == {
        (f"{source}-to-{target}", method)
        for source in ("image", "text")
        for target in ("image", "text")
        for method in ("tag-overlap", "tag-overlap:twice-unique", "tag-embedding")
    } | {("text-to-text", "areas")}
    assert all(row["recall"] == 1 for row in where(values, method="tag-overlap", task="image-to-text"))
    assert record["inputs"][0]["tags"] == {"image": "the set's own", "text": "the set's own"}
    assert record["options"]["rules"] == ["mass", "twice-unique"]
    assert any(f"{encoder} has vectors of texts alone, so areas are left out" in note for note in record["notes"])
    run(tmp_path / "out", "-o", tmp_path / "page.html", words=("experiment", "report"))
    page = (tmp_path / "page.html").read_text()
    assert "Tags of images" in page
    assert "tag-overlap:twice-unique" in page


def test_bert_reads_tags_from_a_folder_of_weights_and_the_report_says_so(
    run: Any, classified: Path, tmp_path: Path
) -> None:
    from tests.encoders.tiny_models import write_bert_folder

    write_bert_folder(tmp_path / "bert", [*LABELS, *sorted(set().union(*WORDS.values())), "a", "with", "thing"])
    ask = ("--kind", "classified", "-e", "sentence", "--weights", tmp_path / "bert", *SMALL, "-o", tmp_path / "out")
    record = json.loads(run(classified, *ask, "--json"))
    given = record["inputs"][0]
    assert (given["encoder"], given["encoder_variant"]) == ("sentence", "bert, 2 layers of 16")
    values = where(read_table(tmp_path / "out", "values"), method="tag-embedding")
    assert {row["task"] for row in values} == {"image-to-image", "image-to-text", "text-to-image", "text-to-text"}
    assert sum(row["recall"] for row in values) > 0
    by = f"tag-embedding reads tags by sentence (bert, 2 layers of 16), fingerprint {given['encoder_fingerprint']}"
    assert f"table: {by}" in record["notes"]
    run(tmp_path / "out", "-o", tmp_path / "page.html", words=("experiment", "report"))
    assert by in (tmp_path / "page.html").read_text()


def test_a_set_is_tagged_and_an_interrupted_run_reads_no_caption_twice(
    run: Any, classified: Path, tmp_path: Path
) -> None:
    table = tmp_path / "dull.csv"  # the texts' own tags are those of no class
    table.write_text("\n".join(line.rpartition(',"')[0] + ',"thing"' for line in classified.read_text().splitlines()))
    ask = (table, "--kind", "classified", "-e", "lsa", *SMALL, "--tagger", "lexicon", "-o", tmp_path / "out")
    run(*ask, "--cells", 0)
    kept = {path: path.read_bytes() for path in (tmp_path / "out" / "tags").rglob("*.json")}
    assert kept
    record = json.loads(run(*ask, "--json"))
    assert {path: path.read_bytes() for path in (tmp_path / "out" / "tags").rglob("*.json")} == kept
    lexicon = LexiconTagger()
    by = f"{lexicon.method} ({tagger_key(lexicon)})"
    assert record["inputs"][0]["tags"] == {"image": "the set's own", "text": by}
    assert f"dull: tags of its texts: {by}" in record["notes"]
    assert record["cells"] == {"computed": 1, "read": 0, "left": 0}
    found = where(read_table(tmp_path / "out", "values"), method="tag-overlap", task="text-to-text")
    run(*ask[:-4], "-o", tmp_path / "own")  # without --tagger
    own = where(read_table(tmp_path / "own", "values"), method="tag-overlap", task="text-to-text")
    assert sum(row["recall"] for row in own) < sum(row["recall"] for row in found) == 3


def test_stored_tags_of_a_workspace_are_those_that_the_command_tag_found(
    run: Any, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = (workspace, *SMALL, "--json")
    assert "no tags are kept" in run(*ask, "--tags", "stored", code=1)
    with pytest.raises(SystemExit):
        main(["tag", str(workspace), "--tagger", "lexicon"])
    capsys.readouterr()
    found = json.loads(run(*ask, "--tagger", "lexicon", "-o", tmp_path / "found"))
    key = tagger_key(LexiconTagger())
    for word, name in (("stored", key), ("lexicon", "lexicon"), (key, key)):
        stored = json.loads(run(*ask, "--tags", word, "-o", tmp_path / word))
        assert stored["inputs"][0]["tags"] == {"text": f"kept, by {name}"}
        assert stored["tables"] == found["tables"]
    assert "no work of gallery has tags" in run(*ask, "--tags", "keywords", code=1)


def test_pictures_are_tagged_by_models_given_with_weights(run: Any, gallery: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tests.taggers.tiny_models import save_captioner, save_detector

    blip, detr = save_captioner(tmp_path / "blip", seed=2), save_detector(tmp_path / "detr")
    ask = (gallery, "--kind", "gallery", "--class-column", "artist", "-e", "lsa", *SMALL, "--json")
    pictures = ("--tagger", "objects", "--tagger", "caption")
    weights = ("--tagger-weights", f"objects={detr}", "--tagger-weights", f"caption={blip}")
    record = json.loads(run(*ask, "--tagger", "lexicon", *pictures, *weights, "-o", tmp_path / "out"))
    told = record["inputs"][0]["tags"]
    assert told["image"].startswith("objects")
    assert "; captions by BLIP" in told["image"]
    assert "lexicon of lemminflect" in told["text"]
    assert {path.name.split("-")[0] for path in (tmp_path / "out" / "tags").iterdir()} == {
        "lexicon",
        "objects",
        "caption",
    }
    assert {row["task"] for row in read_table(tmp_path / "out", "values")} == {
        "image-to-image",
        "image-to-text",
        "text-to-image",
        "text-to-text",
    }
    assert "write objects=PATH or caption=PATH" in run(*ask, *pictures, "--tagger-weights", blip, code=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tagger", "magic"), "there is no tagger 'magic'; choose from words, lexicon"),
        (("--tagger", "caption"), "the tagger caption reads pictures, but table has none here; name their folder with"),
        (("--tagger", "lexicon", "--tagger-weights", "x"), "no tagger that has some"),
        (("--tags", "stored"), "a data set keeps no tags"),
        (("--tags", "keywords", "--tags", "stored"), "exclude each other"),
        (("--overlap", "thrice"), "no rule 'thrice' for common tags; choose from mass, unique, twice-unique"),
        (("--task", "text-to-sound"), "no task 'text-to-sound' with lsa; choose from image-to-image"),
    ],
)
def test_bad_words_are_told_in_one_line(
    run: Any, classified: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    ask = ("--kind", "classified", "-e", "lsa", *SMALL, "-o", tmp_path / "out")
    told = run(classified, *ask, *arguments, code=1)
    assert message in told
    assert told.count("\n") == 1


def test_tags_that_a_workspace_does_not_have_are_told_in_one_line(run: Any, workspace: Path) -> None:
    assert "there are no tags 'magic'; choose keywords, stored, or a tagger's" in run(
        workspace, "--tags", "magic", code=1
    )
    told = run(workspace, "--tags", "lexicon", code=1)
    assert "no tags are kept" in told
    assert "--tagger lexicon" in told
