"""Pictures of every kind, and files that are none."""

import hashlib
import io
import struct
import subprocess
import sys
import threading
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vernissage.catalog import pictures
from vernissage.catalog.pictures import UnreadablePictureError, check_picture, open_picture, reduced_pictures, thumbnail

RED, WHITE = (255, 0, 0), (255, 255, 255)


def noise(width: int = 64, height: int = 48) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header promises a size that its data does not have."""
    target = io.BytesIO()
    Image.new("1", (1, 1)).save(target, "PNG")
    raw = bytearray(target.getvalue())
    raw[16:24] = struct.pack(">II", width, height)
    raw[29:33] = struct.pack(">I", zlib.crc32(raw[12:29]))
    return bytes(raw)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F", "HSV"])
def test_every_colour_mode_opens_as_rgb(mode: str, tmp_path: Path) -> None:
    suffix = {"CMYK": "tif", "YCbCr": "jpg", "I": "tif", "F": "tif"}.get(mode, "png")
    image = Image.new("RGB" if mode == "HSV" else mode, (3, 2))
    opened = open_picture(saved(image, tmp_path / f"a.{suffix}"))
    assert (opened.mode, opened.size) == ("RGB", (3, 2))


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "tif", "bmp", "ppm"])
def test_every_common_format_opens_and_is_verified(suffix: str, tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (1, 1), RED), tmp_path / f"a.{suffix}")
    assert open_picture(path).size == (1, 1)
    check = check_picture(path)
    assert (check.digest, check.fault) == (hashlib.sha256(path.read_bytes()).hexdigest(), "")


def test_sixteen_bits_keep_their_greys(tmp_path: Path) -> None:
    greys = np.array([[0, 257 * 100, 65_535]], dtype=np.uint16)
    opened = open_picture(saved(Image.fromarray(greys), tmp_path / "a.png"))
    assert np.asarray(opened)[0, :, 0].tolist() == [0, 100, 255]


def test_floating_point_keeps_its_greys(tmp_path: Path) -> None:
    greys = np.array([[0.0, 0.2, 1.0, np.nan]], dtype=np.float32)
    opened = open_picture(saved(Image.fromarray(greys), tmp_path / "a.tif"))
    assert np.asarray(opened)[0, :, 0].tolist() == [0, 51, 255, 0]


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    layer = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    layer.putpixel((0, 0), (255, 0, 0, 255))
    opened = open_picture(saved(layer, tmp_path / "a.png"))
    assert [opened.getpixel((x, 0)) for x in (0, 1)] == [RED, WHITE]


def test_a_transparent_colour_of_a_palette_becomes_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([0, 0, 255, 255, 0, 0])
    image.putpixel((1, 0), 1)
    opened = open_picture(saved(image, tmp_path / "a.gif", transparency=0))
    assert [opened.getpixel((x, 0)) for x in (0, 1)] == [WHITE, RED]


def test_of_an_animation_the_first_frame_counts(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, (0, 0, 255))]
    path = saved(frames[0], tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert open_picture(path).getpixel((0, 0)) == RED
    assert check_picture(path).fault == ""


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, "tl"), (2, "tr"), (3, "br"), (4, "bl"), (5, "tl"), (6, "tr"), (7, "br"), (8, "bl")]
)
def test_pictures_stand_upright_as_their_exif_says(orientation: int, corner: str, tmp_path: Path) -> None:
    image = Image.new("RGB", (6, 4), WHITE)
    image.putpixel((0, 0), RED)
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_picture(saved(image, tmp_path / "a.png", exif=exif))
    assert opened.size == ((6, 4) if orientation <= 4 else (4, 6))
    x = 0 if corner[1] == "l" else opened.width - 1
    y = 0 if corner[0] == "t" else opened.height - 1
    assert opened.getpixel((x, y)) == RED


def with_damaged_exif(folder: Path) -> Path:
    return saved(Image.new("RGB", (6, 4), RED), folder / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\xff\xffrubbish")


def test_damaged_exif_does_not_spoil_a_picture(tmp_path: Path) -> None:
    path = with_damaged_exif(tmp_path)
    assert open_picture(path).size == (6, 4)
    assert check_picture(path).fault == ""


def test_a_large_jpeg_is_decoded_at_a_reduced_scale_that_keeps_enough_pixels(tmp_path: Path) -> None:
    path = saved(noise(1600, 1200), tmp_path / "a.jpg")
    assert open_picture(path, at_least=224).size == (400, 300)
    assert open_picture(path, at_least=1000).size == (1600, 1200)
    assert open_picture(path).size == (1600, 1200)


def test_a_thumbnail_fits_into_its_square_and_is_the_same_every_time(tmp_path: Path) -> None:
    path = saved(noise(400, 200), tmp_path / "a.png", comment="not for the page")
    small = thumbnail(path, 100)
    with Image.open(io.BytesIO(small)) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (100, 50), "RGB")
    assert small == thumbnail(path, 100)
    with Image.open(io.BytesIO(thumbnail(path, 1000))) as image:
        assert image.size == (400, 200)


@pytest.mark.parametrize("sides", [[320, 640, 3000], [320]])  # decoded whole, and at a half
@pytest.mark.parametrize("kind", ["jpg", "webp"])
def test_sizes_made_of_one_decoding_look_like_the_picture(sides: list[int], kind: Any, tmp_path: Path) -> None:
    across, down = np.meshgrid(np.arange(1600), np.arange(900))
    whole = Image.fromarray((127 + 60 * (np.sin(across / 15) + np.cos(down / 9))).astype(np.uint8)).convert("RGB")
    made = reduced_pictures(saved(whole, tmp_path / "wide.jpg", quality=95), sides, kind)
    assert made == reduced_pictures(tmp_path / "wide.jpg", sides[::-1], kind)
    for side, expected in zip(sides, [(320, 180), (640, 360), (1600, 900)], strict=False):
        with Image.open(io.BytesIO(made[side])) as image:
            assert image.size == expected
            wanted = np.asarray(whole.resize(expected, Image.Resampling.LANCZOS), dtype=float)
            assert np.sqrt(np.mean((np.asarray(image.convert("RGB")) - wanted) ** 2)) < 6


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_jpeg_is_found(options: dict[str, bool], share: float, tmp_path: Path) -> None:
    path = saved(noise(), tmp_path / "a.jpg", **options)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    assert check_picture(path).fault == "is cut short"


@pytest.mark.parametrize("suffix", ["png", "gif", "webp", "tif", "bmp"])
def test_other_truncated_pictures_are_found(suffix: str, tmp_path: Path) -> None:
    path = saved(noise(), tmp_path / f"a.{suffix}")
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    assert check_picture(path).fault
    with pytest.raises(UnreadablePictureError, match=r"a\."):
        open_picture(path)


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "is an empty file (0 bytes)"),
        (b"this is a text\nnamed .jpg", "holds text, not a picture"),
        (b"<!DOCTYPE html><html>404</html>", "is a web page, not a picture"),
        (b"<svg xmlns='x'></svg>", "is a drawing in SVG"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "is a PostScript drawing"),
        (b"\xff\xd8\xff\xe0\0", "is cut short"),
        (b"\x01\x02\x03\x04", "is not a picture"),
        (png_of_size(20_001, 1), "is 20001 × 1 pixels, more than 20,000 on a side"),
        (png_of_size(14_000, 14_000), "178,956,970"),
        (png_of_size(19_999, 19_999), "178,956,970"),
    ],
)
def test_what_is_no_picture_is_told_in_plain_words(raw: bytes, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(raw)
    assert fault in check_picture(path).fault
    with pytest.raises(UnreadablePictureError) as error:
        open_picture(path)
    assert len(str(error.value).splitlines()) == 1


def test_heic_is_read_where_its_extra_is_installed(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    image = Image.new("RGB", (64, 48), RED)
    heif.from_pillow(image).save(tmp_path / "a.heic", quality=95)
    assert check_picture(tmp_path / "a.heic").fault == ""
    opened = open_picture(tmp_path / "a.heic")
    assert (opened.size, opened.mode) == ((64, 48), "RGB")
    assert np.abs(np.asarray(opened).astype(int) - RED).max() < 12
    (tmp_path / "b.heic").write_bytes((tmp_path / "a.heic").read_bytes()[:200])
    assert check_picture(tmp_path / "b.heic").fault


def test_without_its_extra_heic_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PICTURE_SUFFIXES", pictures.PICTURE_SUFFIXES - {".heic", ".heif"})
    monkeypatch.setattr(pictures, "formats", lambda: ("JPEG", "PNG"))
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0")
    fault = check_picture(tmp_path / "a.heic").fault
    assert fault == "is in Apple's HEIC format (`pip install 'vernissage[heic]'` lets HEIC be read)"


def test_a_folder_and_a_missing_file_are_no_pictures(tmp_path: Path) -> None:
    assert check_picture(tmp_path).fault == "is a folder"
    assert check_picture(tmp_path / "none.jpg").fault == "cannot be opened (No such file or directory)"


def test_a_verified_picture_is_hashed_and_not_decoded_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"no picture")
    known = hashlib.sha256(b"no picture").hexdigest()
    assert check_picture(path, frozenset({known})).fault == ""
    assert check_picture(path, frozenset({"0" * 64})).fault == "holds text, not a picture"


IMPORTED = """
import sys, warnings
import numpy, openpyxl, PIL.Image, pyarrow.parquet
before = PIL.Image.MAX_IMAGE_PIXELS, list(warnings.filters), numpy.geterr()
import vernissage, vernissage.catalog.pictures, vernissage.catalog.ahead, vernissage.catalog.loading
assert (PIL.Image.MAX_IMAGE_PIXELS, list(warnings.filters), numpy.geterr()) == before
"""


def test_importing_changes_nothing_of_its_host() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", IMPORTED], check=True)


def test_opening_in_many_threads_leaves_the_hosts_filters_and_limit(tmp_path: Path) -> None:
    path, before = with_damaged_exif(tmp_path), list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(lambda _: open_picture(path).size, range(64)))
    assert set(sizes) == {(6, 4)}
    assert list(warnings.filters) == before
    with pytest.raises(UserWarning, match="EXIF"), Image.open(path) as image:
        image.getexif()


def test_a_hosts_own_limit_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(noise(100, 50), tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4_000)  # from which on Pillow warns; it refuses twice as many
    assert open_picture(path).size == (100, 50)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2_000)
    assert check_picture(path).fault == "has more than 4,000 pixels"


def test_no_more_pixels_are_decoded_at_a_time_than_the_budget_and_a_larger_picture_alone() -> None:
    decoding, held, most = pictures._Decoding(100), [0], [0]
    lock = threading.Lock()

    def decode(pixels: int) -> None:
        with decoding.of(pixels):
            with lock:
                held[0] += pixels
                most[0] = max(most[0], held[0] if held[0] != 250 else 0)
            time.sleep(0.01)
            with lock:
                held[0] -= pixels

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decode, [60, 40, 30, 250, 90, 10, 250, 20] * 3))
    assert 60 <= most[0] <= 100


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "LA", "CMYK"])
def test_a_very_large_picture_is_averaged_as_far_as_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    noise(301, 203).convert(mode).save(path)
    whole = pictures.open_picture(path, at_least=40)
    assert whole.size == (301, 203)
    monkeypatch.setattr(pictures, "MOST_WHOLE", 60_000)
    small = pictures.open_picture(path, at_least=40)
    assert small.size == (61, 41)  # 203 / 40 = 5 times smaller, the last row and column of what is left
    np.testing.assert_array_equal(np.asarray(small), np.asarray(whole.reduce(5)))
    assert pictures.open_picture(path).size == (301, 203)
