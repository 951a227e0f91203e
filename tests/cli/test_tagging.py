"""The command tag: on workspaces with uploads, and on plain files; whatever goes wrong is one line."""

import csv
import importlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.taggers.colour import ColourTagger

from vernissage.cli.main import main
from vernissage.errors import CollectionError, RequestError
from vernissage.storage.tags import tags_of
from vernissage.storage.uploads import Upload, add_uploads, remove_uploads
from vernissage.taggers.contract import Tags, tagger_key
from vernissage.taggers.words import LexiconTagger
from vernissage.workspace.repository import Repository, open_repository
from vernissage.workspace.tagging import kept_tags, tag_works
from vernissage.workspace.workspace import open_workspace


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str | Path, code: int = 0) -> str:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        return captured.out if code == 0 else captured.err

    return call


def upload(name: str, **fields: Any) -> Upload:
    modality = "image" if fields.get("picture") else "text"
    given = {"title": "", "text": "", "keywords": (), "picture": "", "picture_digest": ""} | fields
    return Upload(name, "ann", modality, datetime(2024, 5, 1, tzinfo=UTC), **given)


@pytest.fixture
def repository(workspace: Path) -> Any:
    opened = open_repository(workspace, writing=True)
    yield opened
    opened.close()


def test_works_of_a_workspace_get_tags_that_stay(run: Any, workspace: Path) -> None:
    first = json.loads(run("tag", workspace, "--tagger", "lexicon", "--json"))
    collection = open_workspace(workspace).collection
    with_words = [item for item in collection if item.title or item.description or item.keywords]
    assert list(first["tags"]) == [item.id for item in with_words]
    assert first["anew"] == len(with_words)
    assert first["method"] == LexiconTagger().method
    some = with_words[0]
    words = "\n".join(filter(None, (some.title, some.description, ", ".join(some.keywords))))
    assert tuple(first["tags"][some.id]) == LexiconTagger().tag_texts([words])[0]
    second = json.loads(run("tag", workspace, "--tagger", "lexicon", "--json"))
    assert second["anew"] == 0
    assert second["tags"] == first["tags"]
    assert json.loads(run("tag", workspace, "-t", "lexicon", "--again", "--json"))["anew"] == len(with_words)
    said = run("tag", workspace, "--tagger", "lexicon")
    assert "by the lexicon of lemminflect" in said
    assert f"{len(with_words)} tagged, 0 of them now" in said


def test_uploads_are_tagged_and_a_removed_one_leaves_no_tags(repository: Repository) -> None:
    tagger = LexiconTagger()
    with repository.database.writing() as connection:
        add_uploads(connection, [upload("u1", text="A boat on a lake."), upload("u2", text="of the")], [])
    found = tag_works(repository, tagger)
    assert found.tags["u1"] == ("boat", "lake")
    assert found.tags["u2"] == ()
    with repository.database.writing() as connection:
        remove_uploads(connection, ["u1"])
    again = tag_works(repository, tagger)
    assert again.anew == 0
    assert "u1" not in again.tags
    with repository.database.reading() as connection:
        assert "u1" not in tags_of(connection, tagger_key(tagger))


def test_an_upload_that_goes_while_it_is_tagged_leaves_no_tags(repository: Repository) -> None:
    class Remover(LexiconTagger):
        def tag_texts(self, texts: Any) -> list[Tags]:
            with repository.database.writing() as connection:
                remove_uploads(connection, ["u1"])
            return super().tag_texts(texts)

    with repository.database.writing() as connection:
        add_uploads(connection, [upload("u1", text="A boat on a lake.")], [])
    assert "u1" not in tag_works(repository, Remover()).tags


def test_an_interrupted_tagging_goes_on_where_it_stopped(repository: Repository) -> None:
    count = sum(bool(item.picture) for item in repository.workspace.collection)
    with pytest.raises(KeyboardInterrupt):
        tag_works(repository, ColourTagger(stop_after=8), batch_size=4)
    rest = ColourTagger()
    found = tag_works(repository, rest, batch_size=4)
    assert rest.seen == found.anew == count - 8
    assert len(found.tags) == count
    other = ColourTagger(fingerprint="g")
    whole = tag_works(repository, other, batch_size=7)
    assert other.seen == count
    assert whole.tags == found.tags
    assert len(set(whole.tags.values())) > 1


def test_kept_tags_are_found_by_the_taggers_name(repository: Repository) -> None:
    with pytest.raises(RequestError, match="no tags are kept.*--tagger colour"):
        kept_tags(repository, "colour")
    found = tag_works(repository, ColourTagger())
    words = tag_works(repository, LexiconTagger())
    assert kept_tags(repository, "colour") == found.tags
    assert kept_tags(repository, "lexicon") == words.tags
    tag_works(repository, ColourTagger(fingerprint="g"))
    with pytest.raises(RequestError, match="choose from colour-f, colour-g"):
        kept_tags(repository, "colour")
    assert kept_tags(repository, "colour-g") == found.tags
    with pytest.raises(RequestError, match="no tags by 'colou' are kept"):
        kept_tags(repository, "colou")


def test_a_picture_that_cannot_be_opened_keeps_what_was_done(repository: Repository) -> None:
    pictured = [item for item in repository.workspace.collection if item.picture]
    path = repository.snapshot.picture_path(pictured[5])
    assert path is not None
    kept = path.rename(path.with_suffix(".kept"))  # others share the gallery
    path.write_bytes(kept.read_bytes()[:40])
    try:
        with pytest.raises(CollectionError, match=path.name):
            tag_works(repository, ColourTagger(), batch_size=1)
    finally:
        kept.replace(path)
    rest = ColourTagger()
    tag_works(repository, rest)
    assert rest.seen == len(pictured) - 5


def test_a_picture_upload_whose_file_is_gone_is_passed_over(repository: Repository) -> None:
    with repository.database.writing() as connection:
        add_uploads(connection, [upload("u1", picture=f"{'0' * 32}.png", picture_digest="0" * 64)], [])
    found = tag_works(repository, ColourTagger())
    assert "u1" not in found.tags
    assert found.tags


def test_texts_of_a_file_without_a_workspace(run: Any, tmp_path: Path) -> None:
    texts = tmp_path / "texts.csv"
    texts.write_text('id,text\na,"A man riding a horse"\n=b,of\n')
    said = run("tag", "--texts", texts, "--tagger", "lexicon", "--out", tmp_path / "tags.csv")
    assert "2 tagged" in said
    assert "1 without any tag" in said
    with (tmp_path / "tags.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["tags"]) for row in rows] == [("a", "man|ride|horse"), ("'=b", "")]
    assert {row["method"] for row in rows} == {LexiconTagger().method}
    assert {row["tagger"] for row in rows} == {tagger_key(LexiconTagger())}
    run("tag", "--texts", texts, "--tagger", "lexicon", "--out", tmp_path / "tags.json")
    record = json.loads((tmp_path / "tags.json").read_text())
    assert record["tags"] == {"a": ["man", "ride", "horse"], "=b": []}
    assert record["fingerprint"] == LexiconTagger().fingerprint


def test_pictures_of_a_folder_by_models_given_with_weights(run: Any, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tests.taggers.tiny_models import pictures, save_captioner, save_detector

    from vernissage.taggers.pictures import load_captioner, load_objects
    from vernissage.taggers.words import load_words

    blip, detr = save_captioner(tmp_path / "blip", seed=2), save_detector(tmp_path / "detr")
    (tmp_path / "pictures").mkdir()
    for number, picture in enumerate(pictures()):
        picture.save(tmp_path / f"pictures/{number}.png")
    ask = ("tag", "--images", tmp_path / "pictures", "--json")
    objects = json.loads(run(*ask, "--tagger", "objects", "--weights", detr, "--above", "0.6"))["tags"]
    expected = load_objects(detr, above=0.6).tag_images(pictures())
    assert {name: tuple(found) for name, found in objects.items()} == {f"{n}.png": t for n, t in enumerate(expected)}
    captions = json.loads(run(*ask, "--tagger", "caption", "--weights", blip))
    known = load_words().tag_texts(load_captioner(blip).captions(pictures()))
    assert [tuple(found) for found in captions["tags"].values()] == known
    both = ("--weights", f"objects={detr}", "--weights", f"caption={blip}")
    scene = json.loads(run(*ask, "--tagger", "scene", *both, "--batch-size", "1"))["tags"]
    assert all(set(load_objects(detr).tag_images([p])[0]) <= set(scene[f"{n}.png"]) for n, p in enumerate(pictures()))
    assert "hold" in scene["2.png"]
    assert "write objects=PATH or caption=PATH" in run(*ask, "--tagger", "scene", "--weights", blip, code=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name one of these to tag"),
        (("--images", "x", "--texts", "y"), "name one of these to tag"),
        (("--texts", "TEXTS", "--tagger", "magic"), "no tagger 'magic'; choose from words, lexicon"),
        (("--texts", "TEXTS", "--tagger", "caption"), "reads pictures, but texts were given"),
        (("--images", "x", "--tagger", "words"), "choose from caption, objects, scene"),
        (("--texts", "TEXTS", "--weights", "x"), "has no weights"),
        (("--texts", "TEXTS", "--above", "0.5"), "detects no objects"),
        (("--texts", "TEXTS", "--again"), "--again is for workspaces"),
        (("--texts", "TEXTS", "--out", "tags.xlsx"), "end the name in .csv or .json"),
        (("--texts", "nowhere.txt"), "cannot be read"),
        (
            ("--images", "x", "--tagger", "objects", "--model", "yolo"),
            "has no model 'yolo'; choose from rtdetr_v2_r18vd",
        ),
    ],
)
def test_bad_arguments_are_told_in_one_line(run: Any, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "texts.txt").write_text("a boat\n")
    told = run("tag", *(str(tmp_path / "texts.txt") if word == "TEXTS" else word for word in arguments), code=1)
    assert message in told
    assert told.count("\n") == 1
    assert not list(tmp_path.glob("*.db"))


def test_a_workspace_that_is_not_there_is_told(run: Any) -> None:
    assert "there is no workspace nowhere" in run("tag", "nowhere", code=3)


def test_missing_weights_and_pictures_are_told_in_one_line(run: Any, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    ask = ("tag", "--images", tmp_path, "--tagger", "objects")
    assert "there are no weights at" in run(*ask, "--weights", tmp_path / "nothing", code=1)
    assert "config.json is missing" in run(*ask, "--weights", tmp_path, code=1)


def test_models_that_are_not_here_are_told_with_what_needs_none(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    hub = importlib.import_module("huggingface_hub")
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    told = run("tag", "--images", tmp_path, "--tagger", "caption", code=1)
    assert "Salesforce/blip-image-captioning-base --revision refs/pr/50" in told
    assert "not pinned" in told
    assert "the tagger words reads texts and needs no download" in told
    assert told.count("\n") == 1


def test_a_file_that_is_no_database_is_left_alone(run: Any, workspace: Path, tmp_path: Path) -> None:
    other = tmp_path / "letter.db"
    other.write_text("Dear Ann, this is no database but a letter.\n" * 50)
    before = other.read_bytes()
    assert "is not a database of Vernissage" in run("tag", workspace, "--database", other, code=6)
    assert other.read_bytes() == before


def test_the_database_is_named_by_the_environment(
    run: Any, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERNISSAGE_DATABASE", str(tmp_path / "people.db"))
    assert json.loads(run("tag", workspace, "-t", "lexicon", "--json"))["anew"] > 0
    assert (tmp_path / "people.db").exists()
    assert not (workspace / "vernissage.db").exists()
