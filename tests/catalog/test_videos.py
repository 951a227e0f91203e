"""Frames of videos: one of each scene, within limits, and clear words about files that are none."""

import struct
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from tests.videos import moving, write_video

from vernissage.catalog import pictures, videos
from vernissage.catalog.loading import load_collection
from vernissage.catalog.pictures import UnreadablePictureError, check_picture, open_picture, thumbnail
from vernissage.catalog.sources import folder, views
from vernissage.catalog.videos import evenly, poster, video_frames

RED, GREEN = np.full((48, 64, 3), (220, 30, 30), np.uint8), np.full((48, 64, 3), (30, 160, 60), np.uint8)


def colour(image):
    return "red" if np.asarray(image).mean(axis=(0, 1)).argmax() == 0 else "green"


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    return write_video(tmp_path / "scenes.mp4", [*[RED] * 8, *[GREEN] * 14, *[RED] * 6])


def test_each_scene_gives_its_middle_frame_and_the_longest_one_stands_for_the_video(scenes: Path):
    assert [colour(frame) for frame in video_frames(scenes)] == ["red", "green", "red"]
    assert [colour(frame) for frame in (poster(scenes), open_picture(scenes))] == ["green", "green"]
    assert [colour(frame) for frame in evenly(scenes, 4)] == ["red", "green", "green", "red"]
    assert len(evenly(scenes, 40)) == 40  # more than there are


def test_a_movement_is_no_change_of_scene(tmp_path: Path):
    assert len(video_frames(write_video(tmp_path / "a.webm", moving("red", "circle")))) == 1


def test_of_many_scenes_the_longest_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(videos, "MOST_FRAMES", 2)
    path = write_video(tmp_path / "a.mp4", [*[RED] * 5, *[GREEN] * 20, *[RED] * 20])
    assert [colour(frame) for frame in video_frames(path)] == ["green", "red"]


def test_of_a_long_video_key_frames_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(videos, "_MOST_DECODED", 10)
    path = write_video(tmp_path / "a.mp4", [*[RED] * 12, *[GREEN] * 12])  # mpeg4 has one in twelve
    assert [colour(frame) for frame in video_frames(path)] == ["red", "green"]
    assert len(videos._greys_of(path)) == 2
    monkeypatch.setattr(videos, "_MOST_DECODED", 100)
    monkeypatch.setattr(videos, "_MOST_LOOKED", 20 * 48 * 64)  # fewer pixels than all frames have
    videos._greys.cache_clear()
    assert len(videos._greys_of(path)) == 2


def test_frames_are_reduced_upright_and_thumbnails_are_pictures(tmp_path: Path):
    path = write_video(tmp_path / "a.mp4", [np.zeros((100, 3000, 3), np.uint8)])
    assert poster(path).size == (2048, 68)
    assert poster(path, at_least=50).size == (1500, 50)
    assert thumbnail(path, 60)[:2] == b"\xff\xd8"


def test_equal_files_give_equal_frames(scenes: Path, tmp_path: Path):
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(scenes.read_bytes())
    pairs = zip(video_frames(scenes), video_frames(copy), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


def write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def damaged(path: Path, share: float) -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(60)]
    write_video(path, frames, **({"movflags": "faststart"} if path.suffix == ".mp4" else {}))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


HOSTILE = {
    "text.mp4": (lambda path: path.write_text("a text"), "holds text, not a picture"),
    "list.mp4": (lambda path: path.write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n"), "holds text, not a picture"),
    "empty.webm": (lambda path: path.write_bytes(b""), "is an empty file"),
    "half.mp4": (lambda path: damaged(path, 0.5), "is cut short"),
    "half.webm": (lambda path: damaged(path, 0.5), "is cut short"),
    "head.mp4": (lambda path: damaged(path, 0.01), "is damaged or cut short|has no pictures that move"),
    "sound.mp4": (write_sound, "has no pictures that move"),
    "wide.mov": (
        lambda path: write_video(path, [np.zeros((2, 30_000, 3), np.uint8)], codec="png", pixels="rgb24"),
        "is 30000 × 2 pixels",
    ),
    "missing.mp4": (lambda path: None, "cannot be opened"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_video_says_why(tmp_path: Path, name: str):
    make, why = HOSTILE[name]
    make(tmp_path / name)
    with pytest.raises(UnreadablePictureError, match=f"the video .*{name} ({why}).*"):
        video_frames(tmp_path / name)
    assert check_picture(tmp_path / name).fault


def test_a_video_of_one_pixel_is_one(tmp_path: Path):
    path = write_video(tmp_path / "one.webm", [np.zeros((1, 1, 3), np.uint8)] * 3)
    assert not check_picture(path).fault
    assert poster(path).size == (1, 1)


@pytest.mark.parametrize(
    ("limit", "value", "why"),
    [("_MOST_PACKETS", 2, "takes too long"), ("_PATIENCE", -1.0, "takes too long"), ("MAX_SECONDS", 1, "lasts 0.0 hours"),
     ("MAX_PIXELS", 100, "is 64 × 48 pixels"), ("MAX_BYTES", 10, "more than 10")],
)  # fmt: skip
def test_limits_hold(scenes: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: float, why: str):
    monkeypatch.setattr(videos, limit, value)
    with pytest.raises(UnreadablePictureError, match=why):
        video_frames(scenes)


def test_changed_bytes_never_do_more_than_be_refused(scenes: Path, tmp_path: Path):
    rng, refused = np.random.default_rng(1), 0
    for number in range(40):
        content = bytearray(scenes.read_bytes())
        for place in rng.integers(0, len(content), 30):
            content[place] = rng.integers(0, 256)
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(content)
        refused += bool(check_picture(path).fault)
    assert refused > 10


def test_without_the_extra_videos_are_counted_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_video(tmp_path / "a.mp4", [RED])
    open_picture(tmp_path / "a.mp4").save(tmp_path / "b.png")
    for module in (pictures, folder, views):
        monkeypatch.setattr(module, "PICTURE_SUFFIXES", pictures.PICTURE_SUFFIXES - pictures.VIDEO_SUFFIXES)
    monkeypatch.setitem(sys.modules, "av", None)
    found = load_collection(tmp_path)
    assert found.ids == ("b",)
    hint = "`pip install 'vernissage[video]'` lets MP4 and WebM be read"
    assert f"not read: 1 MP4; {hint}" in found.report.remarks
    videos._greys.cache_clear()
    with pytest.raises(UnreadablePictureError, match=r"is a video \(`pip install"):
        open_picture(tmp_path / "a.mp4")


def test_the_length_that_a_file_claims_is_not_believed(scenes: Path, tmp_path: Path):
    content = scenes.read_bytes()
    place = content.index(b"stts") + 8
    claimed = struct.unpack(">I", content[place + 4 : place + 8])[0]
    assert claimed == 28
    path = tmp_path / "more.mp4"
    path.write_bytes(content[: place + 4] + struct.pack(">I", 2**31 - 1) + content[place + 8 :])
    assert check_picture(path).fault or len(video_frames(path)) <= videos.MOST_FRAMES
