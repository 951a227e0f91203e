"""People: what they upload, rate and change, and what they are recommended."""

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.galleries import paint, toy_row, write_table

from vernissage.catalog.dates import year_number
from vernissage.errors import RatingsError, RequestError, StorageError
from vernissage.gallery import areas as areas_module
from vernissage.gallery.areas import AreaChanges, area_key, area_options
from vernissage.gallery.building import build
from vernissage.gallery.gallery import Gallery, open_gallery
from vernissage.values import Vectors
from vernissage.workspace.build import build_workspace
from vernissage.workspace.uploading import Submission


@pytest.fixture
def toy(peopled: Path) -> Gallery:
    return open_gallery(peopled)


def test_others_works_come_with_reasons_that_add_up(toy: Gallery) -> None:
    answer = toy.person("ann").recommend(6, per_area=True)
    owned = {item.id for item in toy.collection if item.owner == "ann"}
    whole = [each for each in answer.lists if not each.area]
    assert [each.target for each in whole] == ["image", "text"]
    for each in whole:
        assert len(each.works) == 6
        for work in each.works:
            assert work.id not in owned
            assert sum(r.contribution for r in work.of_kind("upload")) == pytest.approx(work.score, abs=1e-9)
            assert [r.contribution for r in work.of_kind("area")] == [work.score]
    assert len(set(answer.ids)) == len(answer) == 6
    assert answer.areas is not None
    unmuted = {area_key(each, n) for each, of in answer.areas.by_modality.items() for n in of.uploads.unmuted}
    assert {reason.id for work in answer for reason in work.of_kind("area")} == unmuted  # each has a place
    assert toy.person("ann").recommend(7).ids[:6] == answer.ids
    by_area = [each for each in answer.lists if each.area]
    assert {each.task for each in by_area} == {"image-to-text", "image-to-image", "text-to-text", "text-to-image"}
    assert all(len(each.works) == 6 for each in by_area)


@pytest.mark.parametrize("fusion", ["knn3z", "csls", "round-robin", "rrf", "mean-vector"])
def test_filters_and_caps_hold_for_people_too(toy: Gallery, fusion: str) -> None:
    ann = toy.person("ann")
    asked = {"fusion": fusion, "where": "year>=1810", "exclude": ["w041"], "per": {"owner": 3}}
    answer, more = (ann.recommend(n, task="text-to-text", **asked) for n in (5, 6))  # type: ignore[arg-type]
    assert answer.ids == more.ids[:5]
    owners = [work.item.owner for work in more]
    assert max(map(owners.count, owners)) <= 3
    assert all((year_number(work.item.year) or 0) >= 1810 and work.id != "w041" for work in more)


def test_zccr_as_published_has_lists_of_its_areas(toy: Gallery) -> None:
    ann = toy.person("ann")
    answer = ann.recommend(4, engine="zccr")
    parts = ann.recommend(
        4, fusion="round-robin", areas=area_options(projection="pca", half_life_days=0), per_area=True
    )
    assert [(each.task, each.area, [*each.works]) for each in answer.lists] == [
        (each.task, each.area, [*each.works]) for each in parts.lists
    ]
    assert {each.task for each in answer.lists if each.area} == {
        f"{source}-to-{target}" for source in ("image", "text") for target in ("image", "text")
    }
    assert answer.to_dict()["engine"] == "zccr"
    assert answer.to_dict()["fusion"] == "round-robin"
    [note] = [each for each in answer.notes if "published" in each]
    assert note.startswith("the vectors that are compared have length 1 alone")
    medoids = ann.recommend(
        4, engine="zccr", query="medoid", fusion="rrf", areas=area_options("ward:0.2", engine="zccr")
    )
    assert medoids.to_dict()["fusion"] == "rrf"
    assert len(medoids.lists) > len(answer.lists)
    assert not [each for each in medoids.notes if "published" in each]


def test_zccr_cuts_vectors_as_long_as_a_network_gives_them(toy: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network stands in for `aligned`: every picture is 20 long, every text .01 for each word."""

    class Network:
        name, preprocessing = "aligned", None
        dim, modalities, fingerprint = 3, frozenset({"image", "text"}), "stand-in"

        def image_features(self, images: list[object]) -> Vectors:
            return np.full((len(images), 3), 20 / np.sqrt(3), dtype=np.float32)

        def text_features(self, texts: list[str]) -> Vectors:
            return np.array([[0, 0.01 * len(text.split()), 0] for text in texts], dtype=np.float32)

    ann = toy.person("ann")
    usual = ann.areas()
    monkeypatch.setattr(areas_module, "_with_raw_lengths", lambda workspace, name: Network())
    answer = ann.recommend(2, engine="zccr")
    assert answer.areas is not None
    found = answer.areas.by_modality
    assert len(found["image"].uploads.areas) > len(usual.by_modality["image"].uploads.areas)
    assert len(found["text"].uploads.areas) == 1  # so short that nothing is 5 apart
    longest = max(float(np.linalg.norm(area.centroid)) for area in found["image"].uploads.areas)
    assert 15 < longest < 20.001
    assert np.linalg.norm(found["image"].uploads.vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert not [each for each in answer.notes if "published" in each]
    monkeypatch.setattr(Network, "text_features", None)
    ann.recommend(2, engine="zccr", areas=area_options("hdbscan", engine="zccr"))  # goes by directions: nothing is read


def test_zccr_answers_for_one_upload_and_for_equal_ones(toy: Gallery) -> None:
    dora = toy.person("dora")
    for count in (1, 3):
        dora.upload([Submission(text="A storm, a sail", id=f"s{count}{number}") for number in range(count)])
        for projection in ("none", "pca", "tsne-standardised"):
            asked = area_options("ward:5", projection, engine="zccr")
            answer = dora.recommend(3, engine="zccr", areas=asked)
            assert [(each.area, len(each.works)) for each in answer.lists if each.area] == [
                ("text:1", 3),
                ("text:1", 3),
            ]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"engine": "lda"}, "no engine 'lda' for what a person uploaded; choose zccr, or leave it out"),
        ({"engine": "zccr", "fusion": "tag-overlap"}, "tag-overlap goes by tags, and zccr by areas"),
        ({"engine": "zccr", "areas": area_options(projection="tsne", engine="zccr")}, "t-SNE keeps no distances"),
        ({"engine": "zccr", "encoder": "clip"}, "no vectors of 'clip'"),
    ],
)
def test_what_zccr_cannot_do_is_told(toy: Gallery, given: dict[str, Any], meant: str) -> None:
    with pytest.raises(RequestError, match=meant):
        toy.person("ann").recommend(3, **given)
    with pytest.raises(RequestError, match="zccr is for what --owner uploaded; choose from lda"):
        toy.recommend({"w000": 5}, engine="zccr")


def test_uploads_count_from_the_moment_they_are_kept(toy: Gallery, tmp_path: Path) -> None:
    paint(tmp_path / "boat.png", 0)
    dora = toy.person("dora")
    uploads, new = dora.upload([Submission(tmp_path / "boat.png", title="Ship 0"), Submission(text="A storm, a sail")])
    assert new == {each.id for each in uploads} == set(dora.uploads)
    found = dora.recommend(4)
    assert {work.item.group for work in found.lists[0].works} == {"sea"}
    assert dora.upload(Submission(text="A storm, a sail"))[1] == frozenset()
    dora.remove(uploads[1].id)
    assert dora.uploads == (uploads[0].id,)


def test_ratings_are_kept_and_join_the_uploads(toy: Gallery) -> None:
    dora = toy.person("dora")
    dora.rate("w000", 5)
    dora.rate({"w004": 4, "w001": 1})
    assert dora.ratings == {"w000": 5, "w004": 4, "w001": 1}
    with pytest.raises(RatingsError, match="ratings go from 1 to 5"):
        dora.rate("w002", 9)
    answer = dora.recommend(6)
    assert not {"w000", "w004", "w001"} & set(answer.ids)
    assert {work.item.group for work in answer.works[:4]} == {"sea"}
    for nothing in (None, ()):
        with pytest.raises(RatingsError, match="number" if nothing is None else "is \\(\\)"):
            dora.rate("w001", nothing)  # type: ignore[arg-type]
    assert dora.ratings["w001"] == 1
    dora.unrate("w001")
    assert "w001" not in dora.ratings


def test_who_only_dislikes_is_told_what_to_do(toy: Gallery) -> None:
    toy.person("gina").rate({"w000": 1, "w001": 2})
    assert {"owner": "gina", "works": 0, "uploads": 0, "ratings": 2} in toy.people()
    with pytest.raises(RequestError, match="every work a low rating.*; rate a work higher, or upload something"):
        toy.person("gina").recommend(3)


def test_paths_are_taken_as_text_too(toy: Gallery, tmp_path: Path) -> None:
    paint(tmp_path / "boat.png", 0)
    eve = toy.person("eve")
    eve.upload(str(tmp_path / "boat.png"))
    eve.upload([Submission(str(tmp_path / "boat.png"), title="A boat")])  # type: ignore[arg-type]
    assert eve.export(str(tmp_path / "eve.zip"))["uploads"] == 2
    with pytest.raises(RequestError, match="upload takes a Submission or the path of a picture, .*, but 3 was given"):
        eve.upload(3)  # type: ignore[arg-type]


def test_areas_are_changed_and_changed_back(toy: Gallery) -> None:
    ann = toy.person("ann")
    before = ann.areas().to_dict()["areas"]
    after = ann.edit(AreaChanges(mute=["image:1"], names={"text:1": "Mine"}, weights={"text:2": 2.0}))
    changed = {area["area"]: area for area in after.to_dict()["areas"]}
    assert changed["image:1"]["muted"]
    assert changed["text:1"]["name"] == "Mine"
    assert [ann.undo() for _ in range(3)] == ["rename", "weight", "mute"]
    assert ann.areas().to_dict()["areas"] == before
    with pytest.raises(RequestError, match="nothing to undo"):
        ann.undo()
    with pytest.raises(RequestError, match="there is no area 'image:9'"):
        ann.edit(AreaChanges(mute=["text:1", "image:9"]))
    assert ann.areas().to_dict()["areas"] == before


def test_a_persons_archive_holds_everything_and_deletion_nothing(toy: Gallery, tmp_path: Path) -> None:
    paint(tmp_path / "boat.png", 0)
    dora = toy.person("dora")
    dora.upload([Submission(tmp_path / "boat.png", title="Ship"), Submission(text="A rose in the garden")])
    dora.rate("w001", 5)
    assert dora.export(tmp_path / "dora.zip") == {"uploads": 2, "ratings": 1, "changes of areas": 0}
    with zipfile.ZipFile(tmp_path / "dora.zip") as archive:
        content = json.loads(archive.read("person.json"))
        assert content["ratings"] == {"w001": 5}
        [picture] = [each["picture"] for each in content["uploads"] if each["picture"]]
        assert archive.read(picture) == (tmp_path / "boat.png").read_bytes()
    with pytest.raises(StorageError, match="is there already"):
        dora.export(tmp_path / "dora.zip")
    dora.delete()
    assert (dora.uploads, dora.ratings) == ((), {})
    with pytest.raises(StorageError, match="nothing is kept"):
        dora.export(tmp_path / "again.zip")


def test_words_for_areas_are_checked() -> None:
    for words in (("magic",), ("ward",), ("coherence", "pca:half"), ("coherence", "none", None, -1)):
        with pytest.raises(RequestError):
            area_options(*words)  # type: ignore[arg-type]
    assert area_options("ward:2", "pca:20", 0).half_life_days is None


def test_no_list_is_made_of_rounding(tmp_path: Path) -> None:
    rows = [toy_row(number) | {"file_name": ""} for number in range(30)]
    odd = {"id": "odd", "title": "Quorf", "artist": "Blint", "year": "", "description": "Zwerk vlom of grundle."}
    (tmp_path / "gallery").mkdir()
    write_table(tmp_path / "gallery", [*rows, rows[0] | odd])
    build_workspace(tmp_path / "gallery", tmp_path / "workspace", encoders=["lsa"])
    with open_gallery(tmp_path / "workspace") as gallery:
        dan = gallery.person("dan")
        dan.rate("odd", 5)
        answer = dan.recommend(3, encoder="lsa")
        assert answer.works == ()
        assert "lsa finds no texts that resemble what dan owns, uploaded or rated" in answer.notes
        nothing = dan.recommend(3, encoder="lsa", where="year>=3000")
        assert nothing.notes == (
            "no texts fit what was asked; loosen the conditions, or choose another engine or encoder",
        )
        dan.rate("w000", 5)
        assert len(dan.recommend(3, encoder="lsa")) == 3


def test_areas_of_a_german_collection_are_named_in_german(tmp_path: Path) -> None:
    subjects = ("Schiffe liegen im Hafen vor der Stadt", "Pferde stehen auf der Weide hinter dem Dorf")
    rows = [(f"b{n}", f"Die {subjects[n % 2]}", "Emil Hafenmeister", "berta" if n < 8 else "") for n in range(16)]
    table = tmp_path / "works" / "metadata.csv"
    table.parent.mkdir()
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "title", "artist", "owner"), *rows])
    for _ in range(2):  # a build again finds the counts of words, without asking for the language anew
        build(table, tmp_path / "workspace", encoders=["lsa"])
        with open_gallery(tmp_path / "workspace") as gallery:
            assert gallery.snapshot.workspace.word_counts.language == "de"
            names = " ".join(area["name"] for area in gallery.person("berta").areas().to_dict()["areas"])
            assert {"schiff", "pferd"} & set(names.replace(",", "").split())
            assert not {"die", "der", "emil", "hafenmeister", "schiffe", "pferde"} & set(names.split())
