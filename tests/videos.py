"""Short videos of moving shapes, written with PyAV, and a collection of them and of pictures whose answers are known."""

import csv
from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Frame = npt.NDArray[np.uint8]
COLOURS = {"red": (214, 40, 40), "green": (30, 150, 60), "blue": (30, 80, 200), "yellow": (240, 200, 30)}
SHAPES = ("circle", "square", "triangle")
SIZE = (160, 120)


def shape(colour: str, kind: str, at: tuple[int, int], *, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture of one shape on white."""
    image = Image.new("RGB", size, "white")
    draw, (x, y), side = ImageDraw.Draw(image), at, 50
    if kind == "circle":
        draw.ellipse([x, y, x + side, y + side], COLOURS[colour])
    elif kind == "square":
        draw.rectangle([x, y, x + side, y + side], COLOURS[colour])
    else:
        draw.polygon([(x + side // 2, y), (x, y + side), (x + side, y + side)], COLOURS[colour])
    return image


def moving(colour: str, kind: str, frames: int = 18) -> list[Frame]:
    """Frames in which a shape crosses the picture."""
    return [np.asarray(shape(colour, kind, (5 + 5 * time, 35))) for time in range(frames)]


def write_video(
    path: Path,
    frames: Iterable[Frame],
    *,
    codec: str = "mpeg4",
    pixels: str = "yuv420p",
    rate: int = 12,
    **options: str,
) -> Path:
    """Write frames (height, width, 3) as MP4 or WebM, as the name says."""
    frames = list(frames)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libvpx" if path.suffix == ".webm" else codec, rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixels
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def video_collection(folder: Path, pictures: int = 4) -> Path:
    """A folder with twelve videos, one for each colour and shape, and so many pictures of each; metadata.csv says what."""
    rows = []
    for colour in COLOURS:
        for kind in SHAPES:
            name = f"{colour}-{kind}"
            write_video(folder / f"{name}.mp4", moving(colour, kind))
            rows.append((f"v-{name}", f"{name}.mp4", f"A {colour} {kind} that moves", "Mary Motion"))
            for number in range(pictures):
                file = f"{name}-{number}.png"
                shape(colour, kind, (10 + 25 * number, 10 + 15 * number)).save(folder / file)
                rows.append((f"p-{name}-{number}", file, f"{colour.capitalize()} {kind} no. {number}", "Paul Paint"))
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("id", "file", "title", "artist"), *rows])
    return folder
