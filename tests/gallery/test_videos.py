"""Videos as the third modality: works and uploads of a collection whose answers are known by construction."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.videos import COLOURS, SHAPES, moving, shape, video_collection, write_video

import vernissage
from vernissage import Gallery, Submission
from vernissage.catalog.videos import video_frames
from vernissage.errors import RequestError
from vernissage.pages.visitor.areas import areas_file
from vernissage.search.vectors import pooled
from vernissage.workspace.checking import check_workspace
from vernissage.workspace.encoding import contents_of
from vernissage.workspace.tagging import tag_pictures, tag_works
from vernissage.workspace.uploading import spaces_of

ENCODERS = ["colour-texture", "efficientnet-lite0", "efficientnet-lite0-pooled", "wordllama", "lsa", "conse", "aligned"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    (folder / "works").mkdir()
    write_video(folder / "mine.webm", moving("red", "circle"))
    vernissage.build(video_collection(folder / "works"), folder / "workspace", encoders=ENCODERS)
    return folder


@pytest.fixture(scope="module")
def gallery(built: Path):
    with vernissage.open(built / "workspace", writing=True) as opened:
        shape("blue", "square", (60, 30)).save(built / "mine.png")
        opened.person("ann").upload(
            [
                Submission(built / "mine.webm", id="film"),
                Submission(built / "mine.png", id="sheet"),
                Submission(text="a green triangle", id="note"),
            ]
        )
        yield opened


def first(answer, target=None):
    works = answer.works if target is None else next(each.works for each in answer.lists if each.target == target)
    return works[0].id


def test_every_encoder_of_pictures_has_vectors_of_the_videos(gallery: Gallery):
    workspace = gallery.snapshot.workspace
    for name in ("colour-texture", "efficientnet-lite0", "aligned"):
        assert "video" in workspace.modalities(name)
        assert len(workspace.table(name, "video")) == len(COLOURS) * len(SHAPES)
        assert not any(item_id.startswith("v-") for item_id in workspace.table(name, "image").item_ids)
    assert workspace.modalities("lsa") == ("text",)


def test_a_video_has_the_mean_of_its_frames_as_a_work_has_that_of_its_pictures(gallery: Gallery):
    workspace = gallery.snapshot.workspace
    encoder, item = workspace.encoder("colour-texture"), gallery["v-red-circle"]
    frames = video_frames(workspace.collection.picture_path(item), at_least=768)
    expected = pooled(encoder.encode_images(frames), np.zeros(len(frames), np.intp))
    found = workspace.table("colour-texture", "video").vectors_of([item.id])
    assert np.array_equal(found, expected)
    assert contents_of(item, "image") == ()
    assert contents_of(item, "video") == (item.picture_digest,)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("video-to-video", "v-red-circle"), ("video-to-image", "p-red-circle"), ("video-to-text", "red"),
        ("image-to-video", "v-blue-square"), ("image-to-image", "p-blue-square"), ("text-to-video", "v-green-triangle"),
        ("text-to-image", "green"), ("text-to-text", "green-triangle"), ("image-to-text", "blue"),
    ],
)  # fmt: skip
def test_every_task_finds_what_was_uploaded(gallery: Gallery, task: str, expected: str):
    assert expected in first(gallery.person("ann").recommend(3, task=task))


def test_one_answer_has_a_list_of_each_modality_and_areas_of_each(gallery: Gallery):
    answer = gallery.person("ann").recommend(4, per_area=True)
    assert [each.target for each in answer.lists if not each.area] == ["image", "text", "video"]
    assert {each.area for each in answer.lists if each.area} == {"image:1", "text:1", "video:1"}
    assert all(
        work.item.picture.endswith(".mp4") for each in answer.lists if each.target == "video" for work in each.works
    )
    told = json.dumps(answer.to_dict())
    assert '"video:1"' in told


def test_each_list_begins_with_what_each_upload_is_about(gallery: Gallery):
    answer = gallery.person("ann").recommend(3)
    for target in ("image", "video"):
        found = " ".join(work.id for each in answer.lists if each.target == target for work in each.works)
        assert all(name in found for name in ("blue-square", "green-triangle", "red-circle"))
    names = {reason.title for work in answer.works for reason in work.reasons if reason.id == "film"}
    assert any(name.startswith("your video of ") for name in names)


def test_pages_show_poster_frames(gallery: Gallery):
    answer = gallery.person("ann").recommend(3, per_area=True)
    page = areas_file(answer.areas, gallery.snapshot.picture_path, title="Shapes", answer=answer)
    for size in ("1 picture", "1 text", "1 video"):
        assert f'-size">{size}' in page
    assert page.split('id="all"')[1].split("</section>")[0].count("data:image/jpeg;base64,") >= 3


def test_search_finds_videos_by_words_by_a_picture_and_by_a_video(gallery: Gallery, built: Path):
    assert first(gallery.search("blue triangle", 3, within="videos")).startswith("v-blue")
    assert first(gallery.search(built / "mine.png", 3, within="videos")) == "v-blue-square"
    assert first(gallery.search(built / "mine.webm", 3, within="videos")) == "v-red-circle"
    assert first(gallery.search(built / "mine.webm", 3)).startswith("p-red-circle")
    kinds = {work.modality for work in gallery.search("red circle", 60, within="mixed").works}
    assert kinds == {"image", "text", "video"}
    with pytest.raises(RequestError, match="videos"):
        gallery.search("red", within="films")


def test_ratings_recommend_across_modalities(gallery: Gallery):
    found = [work.id for work in gallery.similar("v-green-square", 8).works]
    assert any(item_id.startswith("p-green-square") for item_id in found)
    assert any(item_id.startswith("v-") for item_id in found)


def test_uploads_of_videos_work_where_no_work_is_one(built: Path, tmp_path: Path):
    (tmp_path / "works").mkdir()
    for kind in SHAPES:
        for colour in COLOURS:
            shape(colour, kind, (40, 30)).save(tmp_path / "works" / f"{colour} {kind}.png")
    vernissage.build(tmp_path / "works", tmp_path / "workspace", encoders=["colour-texture"])
    with vernissage.open(tmp_path / "workspace", writing=True) as opened:
        workspace = opened.snapshot.workspace
        assert workspace.modalities("colour-texture") == ("image",)
        assert {space.modality for space in spaces_of(workspace)} == {"image", "video"}
        bo = opened.person("bo")
        bo.upload(Submission(built / "mine.webm", title="Mine"))
        answer = bo.recommend(3)
        assert "red circle" in first(answer, "image")
        assert next(iter(answer.areas.by_modality)) == "video"
        opened.person("cy").upload(tmp_path / "works" / "red circle.png")
        assert opened.person("cy").recommend(2, task="image-to-video").works[0].item.owner == "bo"
        bo.delete()
        assert opened.snapshot.modalities("colour-texture") == ("image",)


def test_what_a_network_sees_in_videos_is_known_like_that_in_pictures(gallery: Gallery):
    assert gallery.snapshot.seen(["v-red-circle", "p-red-circle-0", "film", "note"]).keys() == {
        "v-red-circle", "p-red-circle-0", "film",
    }  # fmt: skip


class Frames:
    """A tagger that says how many frames it was given, and how many of them differ."""

    name, fingerprint, method, frames, size = "frames", "1", "counting", 6, 32

    def tag_clips(self, clips):
        return [(str(len(clip)), str(len({frame.tobytes() for frame in clip}))) for clip in clips]


def test_a_tagger_of_clips_reads_frames_of_videos_and_a_picture_as_one_that_stands_still(gallery: Gallery):
    tags = tag_works(gallery.repository, Frames(), batch_size=8).tags
    assert tags["v-blue-circle"] == tags["film"] == ("6", "6")
    assert tags["p-blue-circle-0"] == tags["sheet"] == ("6", "1")


def test_the_workspace_is_whole_and_is_diagnosed(gallery: Gallery, built: Path):
    assert not check_workspace(built / "workspace").faults
    assert {gap.encoder for gap in gallery.diagnose().gaps} == {"aligned", "conse"}


def test_a_collection_of_videos_alone_is_searched_by_words_and_by_likeness(built: Path, tmp_path: Path):
    (tmp_path / "works").mkdir()
    for film in (built / "works").glob("*-circle.mp4"):
        (tmp_path / "works" / film.name).write_bytes(film.read_bytes())
    (tmp_path / "works" / "sound.mp4").write_bytes(b"no video")
    found = vernissage.build(tmp_path / "works", tmp_path / "workspace", encoders=["colour-texture"]).result
    [problem] = found.collection.report.problems
    assert "the video sound.mp4 holds text, not a picture" in problem.what
    with vernissage.open(tmp_path / "workspace") as opened:
        assert len(opened.similar("red-circle", 9).works) == 3
        assert first(opened.search(built / "mine.webm", 2, within="videos")) == "red-circle"


def test_a_second_build_encodes_the_changed_video_alone(built: Path):
    assert not any(vernissage.build(built / "works", built / "workspace", encoders=ENCODERS).result.encoded.values())
    write_video(built / "works" / "red-circle.mp4", moving("red", "circle", frames=9))
    again = vernissage.build(built / "works", built / "workspace", encoders=ENCODERS).result.encoded
    assert {key: count for key, count in again.items() if count} == {
        f"{name}.video": 1 for name in ENCODERS if "lsa" not in name and "wordllama" not in name
    }


class NamesColours:
    """A tagger of pictures: the brightest channel."""

    name, fingerprint, method, size = "colours", "f", "the brightest channel", 32

    def tag_images(self, images):
        means = (np.asarray(image).mean(axis=(0, 1)) for image in images)
        return [(("red", "green", "blue")[int(mean.argmax())],) for mean in means]


def test_taggers_of_pictures_see_every_scene_of_a_video(tmp_path: Path):
    scenes = [np.full((64, 96, 3), colour, np.uint8) for colour in ((200, 30, 30), (30, 30, 200)) for _ in range(12)]
    film = write_video(tmp_path / "film.mp4", scenes)
    shape("red", "square", (60, 30)).save(tmp_path / "sheet.png")
    places = [("film", film), ("sheet", tmp_path / "sheet.png")]
    [sheet] = NamesColours().tag_images([shape("red", "square", (60, 30))])
    for batch_size in (1, 2):
        found = {}
        for batch in tag_pictures(NamesColours(), places, batch_size):
            found |= batch
        assert found == {"film": ("red", "blue"), "sheet": sheet}
