"""Tags of an experiment's works: found once, kept in the run's folder, joined with what works have of their own."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.galleries import toy_gallery
from tests.lab.separable import separable
from tests.taggers.colour import ColourTagger

from vernissage.errors import CollectionError, RequestError
from vernissage.taggers.contract import Tags, tagger_key
from vernissage.taggers.words import LexiconTagger
from vernissage.workspace.build import build_workspace
from vernissage.workspace.tagging import words_to_tag
from vernissage_lab.datasets.captioned import CaptionedSet
from vernissage_lab.datasets.classified import read_classified
from vernissage_lab.datasets.kinds import open_dataset
from vernissage_lab.recipes.tags import (
    FoundTags,
    Taggable,
    tag_works,
    taggable_collection,
    taggable_set,
    tags_digest,
    told_by,
    with_tags,
)

COUNT = 40


@pytest.fixture
def gallery(tmp_path: Path) -> CaptionedSet:
    toy_gallery(tmp_path / "gallery", count=COUNT)
    return open_dataset("gallery", tmp_path / "gallery", captions=("title", "description"))


@pytest.fixture
def works(gallery: CaptionedSet) -> Taggable:
    return taggable_set(gallery, seed=0)


def test_texts_and_pictures_get_the_tags_that_the_tagger_finds_in_them(works: Taggable, tmp_path: Path) -> None:
    lexicon = LexiconTagger()
    found = tag_works(works, lexicon, tmp_path)
    assert (found.modality, found.by) == ("text", told_by(lexicon))
    assert lexicon.method in found.by
    assert tagger_key(lexicon) in found.by
    assert found.tags == dict(zip(works.texts, lexicon.tag_texts(list(works.texts.values())), strict=True))
    seen = tag_works(works, ColourTagger(), tmp_path)
    assert seen.modality == "image"
    assert len(seen.tags) == len(works.pictures) == COUNT
    assert set(seen.tags.values()) <= {("red",), ("green",), ("blue",)}
    assert len(set(seen.tags.values())) > 1


def test_an_interrupted_tagging_goes_on_where_it_stopped(works: Taggable, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        tag_works(works, ColourTagger(stop_after=16), tmp_path)
    told: list[tuple[str, int, int]] = []
    rest = ColourTagger()
    found = tag_works(works, rest, tmp_path, progress=lambda *step: told.append(step))
    assert rest.seen == COUNT - 16
    assert told[0] == ("Tagging with colour", 0, COUNT - 16)
    assert told[-1][1:] == (COUNT - 16, COUNT - 16)
    once_more = ColourTagger()
    assert tag_works(works, once_more, tmp_path) == found
    assert once_more.seen == 0
    assert tag_works(works, ColourTagger(), tmp_path / "other") == found


def test_another_tagger_or_other_works_are_read_anew(works: Taggable, gallery: CaptionedSet, tmp_path: Path) -> None:
    tag_works(works, ColourTagger(), tmp_path)
    other = ColourTagger(fingerprint="g")
    tag_works(works, other, tmp_path)
    assert other.seen == COUNT
    some = taggable_set(gallery.keeping(list(works.pictures)[:5]), seed=0)
    again = ColourTagger()
    tag_works(some, again, tmp_path)
    assert again.seen == 5
    lexicon = LexiconTagger()
    drawn = [tag_works(taggable_set(gallery, seed=seed), lexicon, tmp_path).tags for seed in (0, 1)]
    assert drawn[0] != drawn[1]  # another seed draws other captions


def test_damaged_files_are_made_again(works: Taggable, tmp_path: Path) -> None:
    found = tag_works(works, ColourTagger(), tmp_path)
    first, second, *_ = sorted((tmp_path / "tags").glob("*/*.json"))
    lost = len(json.loads(first.read_text())["tags"]) + len(json.loads(second.read_text())["tags"])
    first.write_text("{")
    second.write_text('["no tags"]')
    again = ColourTagger()
    assert tag_works(works, again, tmp_path) == found
    assert again.seen == lost


def test_a_picture_that_cannot_be_opened_keeps_what_was_done(works: Taggable, tmp_path: Path) -> None:
    last = list(works.pictures.values())[-1]
    kept = last.read_bytes()
    last.write_bytes(kept[:40])
    with pytest.raises(CollectionError, match=last.name):
        tag_works(works, ColourTagger(), tmp_path)
    last.write_bytes(kept)
    rest = ColourTagger()
    tag_works(works, rest, tmp_path)
    assert rest.seen == COUNT - 32


def test_sets_without_pictures_have_none_to_tag(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_text("id,caption,class_index\n1,A man rides a horse,3\n2,Two dogs,4\n")
    works = taggable_set(read_classified(tmp_path / "set.csv"), seed=0)
    assert tag_works(works, LexiconTagger(), tmp_path).tags == {"1": ("man", "ride", "horse"), "2": ("dog",)}
    with pytest.raises(
        RequestError, match="colour reads pictures, but set has none here; name their folder with --pic"
    ):
        tag_works(works, ColourTagger(), tmp_path)
    with pytest.raises(RequestError, match="lexicon reads texts, but set has none here; choose a tagger of pictures"):
        tag_works(replace(works, texts={}), LexiconTagger(), tmp_path)


def test_works_of_a_workspace_are_read_as_the_command_tag_reads_them(tmp_path: Path) -> None:
    toy_gallery(tmp_path / "gallery", count=COUNT)
    collection = build_workspace(tmp_path / "gallery", tmp_path / "workspace", encoders=["lsa"]).collection
    works = taggable_collection(collection, "gallery")
    assert works.texts == {item.id: words_to_tag(item, uploaded=False) for item in collection}
    assert set(works.pictures) == {item.id for item in collection if item.picture}


def found(modality: Any, by: str, **tags: Tags) -> FoundTags:
    return FoundTags(modality, by, tags)


def test_found_tags_take_the_place_of_a_materials_own() -> None:
    material = separable()
    joined = with_tags(
        material,
        [found("image", "objects", w000000=("boat", "sea")), found("image", "caption", w000000=("sail", "sea"))],
        own="keywords",
    )
    assert joined.tags["image"]["w000000"] == ("boat", "sea", "sail")
    assert joined.tags["image"]["w000001"] == ()
    assert joined.tags["text"] == material.tags["text"]
    assert joined.tagged_by == {"text": "keywords", "image": "objects; caption"}
    assert joined.describe()["tags"] == {"text": "keywords", "image": "objects; caption"}
    assert "tags" not in material.describe()
    assert with_tags(replace(material, tags={}), [], own="keywords").tagged_by == {}


def test_equal_tags_have_equal_digests() -> None:
    material = separable()
    assert tags_digest(material) == tags_digest(separable())
    assert tags_digest(material) != tags_digest(with_tags(material, [found("text", "x", w000000=("boat",))], own=""))
    assert tags_digest(replace(material, tags={"text": {"w000000": ("a", "b")}})) != tags_digest(
        replace(material, tags={"text": {"w000000": ("a b",)}})
    )
