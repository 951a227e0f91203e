"""The frames that stand for a video: one of each scene, decoded within fixed limits. Sound is not read."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.catalog.pictures import (
    MAX_BYTES,
    MAX_SIDE,
    VIDEO_HINT,
    UnreadablePictureError,
    open_picture,
    what_it_is,
)
from vernissage.files import open_regular
from vernissage.values import modality_of_file

MOST_FRAMES = 32
"""Of a video that encoders read."""
MAX_SECONDS = 3 * 3600
MAX_PIXELS = 8192 * 4320
"""Of a frame, which a decoder holds up to seventeen times."""
_MOST_DECODED = 4_000
"""Frames that are looked at; of videos with more only those that stand by themselves (key frames)."""
_MOST_LOOKED = 10**10
"""Pixels of these frames together: half a minute's work."""
_MOST_PACKETS = 2_000_000  # a file can name packets without end, whatever it says of its length
_WHOLE = 0.9
"""Of the frames that a file says it has; fewer are there of one that is cut short."""
_PATIENCE = 120.0
"""Seconds of this thread's work: far more than the limits take, so that only a file made to last meets it."""
_LONGEST = 2048
"""Pixels of the longer side of a frame, at most."""
_SIDE = 32  # pixels; a cut between scenes shows at this size, and noise does not
_AROUND = 12
"""Frames before and after one, to whose differences its own is compared."""
_FLOOR, _DEVIATIONS = 6.0, 3.0
"""A scene begins where a frame differs by more levels of 255 than this, and by so many deviations more than around."""
# The reader is named, because others (playlists) would open what a file names.
_READERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".webm": "webm"}
_BEGINNINGS = (b"ftyp", b"moov", b"mdat", b"wide", b"free")


def video_frames(path: Path, *, at_least: int | None = None) -> list[Image.Image]:
    """The middle frame of each scene in their order, RGB, upright: at least one, of the 32 longest scenes at most.

    A frame is reduced until its shorter side has ``at_least`` pixels and its longer one 2,048 at most.

    Raises:
        UnreadablePictureError: no video, without pictures, cut short, larger than the limits, or PyAV is not there.
    """
    return _frames_at(path, _scenes(path), at_least)


def poster(path: Path, *, at_least: int | None = None) -> Image.Image:
    """The middle frame of the longest scene, see `video_frames`."""
    greys = _greys_of(path)
    longest = max(_bounds(greys), key=lambda scene: (scene[1] - scene[0], -scene[0]))
    return _frames_at(path, [sum(longest) // 2], at_least)[0]


def evenly(path: Path, count: int, *, at_least: int | None = None) -> list[Image.Image]:
    """So many frames at equal distances, the middle ones of equal parts; those of short videos stand several times."""
    total = len(_greys_of(path))
    places = [(2 * part + 1) * total // (2 * count) for part in range(count)]
    found = dict(zip(sorted(set(places)), _frames_at(path, sorted(set(places)), at_least), strict=True))
    return [found[place] for place in places]


def clip_of(path: Path, count: int, *, at_least: int | None = None) -> list[Image.Image]:
    """`evenly` of a video; of a picture so many times the same."""
    if modality_of_file(path.name) == "video":
        return evenly(path, count, at_least=at_least)
    return [open_picture(path, at_least=at_least)] * count


def _scenes(path: Path) -> list[int]:
    longest = sorted(_bounds(_greys_of(path)), key=lambda scene: (scene[0] - scene[1], scene[0]))[:MOST_FRAMES]
    return sorted((start + end) // 2 for start, end in longest)


def _bounds(greys: npt.NDArray[np.uint8]) -> list[tuple[int, int]]:
    """First and last frame of each scene of (n, pixels) levels of grey."""
    differences = np.abs(np.diff(greys.astype(np.int16), axis=0)).mean(axis=1)
    cuts = []
    for place, difference in enumerate(differences):
        around = np.concatenate([differences[max(0, place - _AROUND) : place], differences[place + 1 :][:_AROUND]])
        usual = around.mean() + _DEVIATIONS * around.std() if len(around) else 0.0
        if difference > max(_FLOOR, usual):
            cuts.append(place + 1)
    return list(zip([0, *cuts], [each - 1 for each in [*cuts, len(greys)]], strict=True))


def _greys_of(path: Path) -> npt.NDArray[np.uint8]:
    """Small grey frames of a video, uint8 (n, 1024)."""
    try:
        told = path.stat()
    except OSError as error:
        raise UnreadablePictureError(path, f"cannot be opened ({error.strerror})") from error
    return _greys(path, (told.st_size, told.st_mtime_ns))


@lru_cache(maxsize=16)  # several encoders and the page read the same videos, each 4 MB at most here
def _greys(path: Path, _: tuple[int, int]) -> npt.NDArray[np.uint8]:
    found: list[npt.NDArray[np.uint8]] = []

    def take(__: int, frame: Any) -> bool:
        found.append(frame.reformat(_SIDE, _SIDE, "gray", interpolation="AREA").to_ndarray().ravel())
        return True

    _read(path, take)
    return np.stack(found)


def _frames_at(path: Path, places: Sequence[int], at_least: int | None) -> list[Image.Image]:
    """The frames of a video at these rising places."""
    found: list[Image.Image] = []

    def take(place: int, frame: Any) -> bool:
        if place == places[len(found)]:
            found.append(_picture(frame, at_least))
        return len(found) < len(places)

    _read(path, take)
    if len(found) < len(places):
        raise UnreadablePictureError(path, "has changed while it was read")
    return found


def _picture(frame: Any, at_least: int | None) -> Image.Image:
    shorter, longer = sorted((frame.width, frame.height))
    scale = min(1.0, _LONGEST / longer, (at_least or shorter) / shorter)
    width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
    image: Image.Image = frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA").to_image()
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image


def _read(path: Path, take: Callable[[int, Any], bool]) -> None:
    """Call ``take`` with each frame of a video, or each key frame where there are many, until it says no.

    Raises:
        UnreadablePictureError: see `video_frames`.
    """
    try:
        import av
    except ImportError:
        raise UnreadablePictureError(path, f"is a video ({VIDEO_HINT})") from None
    try:
        with (
            open_regular(path, MAX_BYTES) as file,
            av.open(file, "r", format=_READERS[path.suffix.lower()], metadata_errors="replace") as container,
        ):
            stream = _video_stream(path, container)
            seen = _take_frames(path, container.demux(stream), take)
            if seen is not None and _is_cut_short(container, stream, *seen):
                raise UnreadablePictureError(path, f"is cut short, or damaged: {seen[0]} of its frames can be read")
    except UnreadablePictureError:
        raise
    except MemoryError:
        raise UnreadablePictureError(path, "needs more memory than there is") from None
    except Exception as error:
        # FFmpeg meets arbitrary bytes here, and PyAV raises errors of many kinds on some of them.
        raise UnreadablePictureError(path, _fault(path, error)) from error


def _take_frames(path: Path, packets: Iterable[Any], take: Callable[[int, Any], bool]) -> tuple[int, float] | None:
    """How many frames all packets have and the second of the last one; None where not all of them were taken."""
    count, looked, last, until = 0, 0, 0.0, time.thread_time() + _PATIENCE
    for number, packet in enumerate(packets):
        if number > _MOST_PACKETS or time.thread_time() > until:
            raise UnreadablePictureError(path, "takes too long to read")
        for frame in packet.decode():
            if frame.width * frame.height > MAX_PIXELS:
                raise UnreadablePictureError(path, f"has frames of {frame.width} × {frame.height} pixels, too many")
            if not take(count, frame):
                return None
            count, looked, last = count + 1, looked + frame.width * frame.height, frame.time or last
            if count == _MOST_DECODED or looked > _MOST_LOOKED:
                return None
    return count, last


def _is_cut_short(container: Any, stream: Any, count: int, last: float) -> bool:
    """Whether fewer frames are there than a file says: in MP4 by their number, in WebM by their time."""
    if not count or stream.codec_context.skip_frame != "DEFAULT":
        return not count
    if stream.frames:
        return bool(count < _WHOLE * stream.frames)
    return not container.streams.audio and bool(last < _WHOLE * (container.duration or 0) / 1e6 - 1)


def _video_stream(path: Path, container: Any) -> Any:
    """The first stream of pictures, within the limits, set to decode all frames or the key frames."""
    streams = [stream for stream in container.streams.video if stream.codec_context is not None]
    if not streams:
        raise UnreadablePictureError(path, "has no pictures that move (only sound, or nothing)")
    stream, seconds = streams[0], (container.duration or 0) / 1e6
    width, height = stream.width, stream.height
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise UnreadablePictureError(path, f"is {width} × {height} pixels, more than {MAX_PIXELS:,} in all")
    if seconds > MAX_SECONDS:
        raise UnreadablePictureError(path, f"lasts {seconds / 3600:.1f} hours, more than {MAX_SECONDS // 3600}")
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    frames = stream.frames or seconds * float(stream.average_rate or 0)
    if frames > _MOST_DECODED or frames * width * height > _MOST_LOOKED:
        stream.codec_context.skip_frame = "NONKEY"
    return stream


def _fault(path: Path, error: Exception) -> str:
    try:
        with open_regular(path, MAX_BYTES) as file:
            start = file.read(12)
    except OSError as own:
        return f"cannot be opened ({own.strerror})"
    if start[4:8] in _BEGINNINGS or start.startswith(b"\x1aE\xdf\xa3"):
        return f"is damaged or cut short ({str(error).partition(':')[0]})"
    return what_it_is(path)
