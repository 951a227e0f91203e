"""Pictures whose files say what their colours mean: all open in sRGB."""

import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms

from vernissage.catalog.pictures import in_srgb, open_picture, thumbnail

Matrix = tuple[tuple[float, float, float], ...]
# Primaries adapted to D50, as scanners and studios use them.
WIDE: Matrix = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
WIDER: Matrix = ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491))
OF_SRGB: Matrix = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))


def fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65_536))


def xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))


def curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IHxx", 1, round(gamma * 256))


def icc(space: bytes, kind: bytes, connection: bytes, tags: Mapping[bytes, bytes]) -> bytes:
    """A colour profile of version 2 with these tags, besides a description and a white point."""
    named = b"Painted for tests\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(named)) + named + bytes(78)
    tags = {b"desc": described, b"cprt": b"text\0\0\0\0CC0\0", b"wtpt": xyz((0.9642, 1, 0.8249)), **tags}
    table, content = b"", b""
    for signature, data in tags.items():
        padded = data + b"\0" * (-len(data) % 4)
        table += signature + struct.pack(">II", 132 + 12 * len(tags) + len(content), len(data))
        content += padded
    head = struct.pack(">I4sI4s4s4s", 132 + len(table) + len(content), b"lcms", 0x02400000, kind, space, connection)
    head += bytes(12) + b"acsp" + bytes(28) + fixed(0.9642) + fixed(1) + fixed(0.8249) + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + content


def rgb_profile(primaries: Matrix, gamma: float) -> bytes:
    colours = {bytes([letter]) + b"XYZ": xyz(each) for letter, each in zip(b"rgb", primaries, strict=True)}
    curves = {bytes([letter]) + b"TRC": curve(gamma) for letter in b"rgb"}
    return icc(b"RGB ", b"mntr", b"XYZ ", colours | curves)


def grey_profile(gamma: float) -> bytes:
    return icc(b"GRAY", b"mntr", b"XYZ ", {b"kTRC": curve(gamma)})


def cmyk_profile() -> bytes:
    """Four inks on paper, by the Lab of their sixteen full mixtures."""
    identity = bytes(range(256))
    mixtures = b""
    for c, m, y, k in np.ndindex(2, 2, 2, 2):
        light = 250 * (1 - 0.35 * c) * (1 - 0.45 * m) * (1 - 0.05 * y) * (1 - 0.9 * k)
        a, b = (128 - 35 * c + 70 * m - 5 * y), (128 - 45 * c - 5 * m + 90 * y)
        mixtures += bytes([int(light), a if not k else 128, b if not k else 128])
    head = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + b"".join(map(fixed, np.eye(3).ravel().tolist()))
    return icc(b"CMYK", b"prtr", b"Lab ", {b"A2B0": head + identity * 4 + mixtures + identity * 3})


def picture(size: int = 24) -> Image.Image:
    """Colours within every space here, without noise that JPEG would change."""
    ramp = np.linspace(40, 200, size)
    planes = np.stack([*np.meshgrid(ramp, ramp), np.full((size, size), 120.0)], axis=-1)
    return Image.fromarray(planes.astype(np.uint8))


def colours(image: Image.Image) -> npt.NDArray[np.int64]:
    return np.asarray(image.convert("RGB")).astype(np.int64)


def apart(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(colours(one) - colours(other)).mean())


def converted(image: Image.Image, profile: bytes, mode: str = "RGB") -> Image.Image:
    """An sRGB picture in the space of a profile."""
    found = ImageCms.profileToProfile(
        image, ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(profile)), outputMode=mode
    )
    assert found is not None
    return found


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp"])
@pytest.mark.parametrize(("primaries", "gamma"), [(WIDE, 2.2), (WIDER, 1.8)])
def test_pictures_of_wide_spaces_look_as_they_did(suffix: str, primaries: Matrix, gamma: float, tmp_path: Path) -> None:
    profile = rgb_profile(primaries, gamma)
    wide, path = converted(picture(), profile), tmp_path / f"a.{suffix}"
    wide.save(path, icc_profile=profile, quality=95)
    assert apart(wide, picture()) > 4
    assert apart(open_picture(path), picture()) < (2.5 if suffix in ("jpg", "webp") else 0.8)
    small = Image.open(io.BytesIO(thumbnail(path, 24)))
    assert "icc_profile" not in small.info
    assert apart(small, picture()) < 3.5
    with Image.open(path) as opened:
        assert apart(in_srgb(opened), picture()) < 2.5


def test_pictures_in_srgb_keep_every_bit_with_and_without_their_profile(tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    for name, profile in (("none", None), ("srgb", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())):
        noise.save(tmp_path / f"{name}.png", icc_profile=profile)
        assert np.array_equal(colours(open_picture(tmp_path / f"{name}.png")), colours(noise))
    # The name decides nothing: another space may be called sRGB.
    called = rgb_profile(OF_SRGB, 1.0).replace(b"Painted for tests", b"sRGB, but linear.")
    noise.save(tmp_path / "linear.png", icc_profile=called)
    assert apart(open_picture(tmp_path / "linear.png"), noise) > 20


def test_grey_of_another_curve(tmp_path: Path) -> None:
    greys = Image.fromarray(np.arange(0, 256, dtype=np.uint8).reshape(16, 16))
    greys.save(tmp_path / "a.png", icc_profile=grey_profile(1.8))
    opened = colours(open_picture(tmp_path / "a.png"))[..., 0].ravel()
    linear = (np.arange(256) / 255) ** 1.8
    curve_of_srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(opened - 255 * curve_of_srgb).max() < 2
    sixteen = Image.fromarray(np.arange(0, 65_536, 257, dtype=np.uint16).reshape(16, 16))
    sixteen.save(tmp_path / "b.tif", icc_profile=grey_profile(1.8))
    assert np.abs(colours(open_picture(tmp_path / "b.tif"))[..., 0].ravel() - opened).max() <= 1
    greys.save(tmp_path / "c.png", icc_profile=rgb_profile(OF_SRGB, 1.8))  # that of the RGB scanner
    assert np.abs(colours(open_picture(tmp_path / "c.png"))[..., 0].ravel() - opened).max() <= 1


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_four_inks_are_converted_by_their_profile(suffix: str, tmp_path: Path) -> None:
    inks = np.zeros((32, 32, 4), dtype=np.uint8)
    inks[:16, :16, 0], inks[16:, :16, 1], inks[:16, 16:, 2], inks[16:, 16:, 3] = 200, 200, 200, 200
    image, profile = Image.fromarray(inks, "CMYK"), cmyk_profile()
    image.save(tmp_path / f"a.{suffix}", icc_profile=profile, quality=95)
    expected = ImageCms.profileToProfile(
        image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert expected is not None
    assert apart(expected, image) > 10
    assert apart(open_picture(tmp_path / f"a.{suffix}"), expected) < 2
    image.save(tmp_path / f"b.{suffix}", quality=95)
    assert apart(open_picture(tmp_path / f"b.{suffix}"), image) < 2


def test_lab_is_converted_without_a_profile(tmp_path: Path) -> None:
    lab = ImageCms.profileToProfile(
        picture(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    lab.save(tmp_path / "a.tif")
    assert apart(open_picture(tmp_path / "a.tif"), picture()) < 1.5


def test_transparency_is_laid_on_white_after_the_conversion(tmp_path: Path) -> None:
    profile = rgb_profile(WIDER, 1.8)
    layer = converted(picture(), profile)
    layer.putalpha(Image.fromarray(np.repeat(np.array([[255, 0]], dtype=np.uint8), 12, axis=1).repeat(24, axis=0)))
    layer.save(tmp_path / "a.png", icc_profile=profile)
    opened = colours(open_picture(tmp_path / "a.png"))
    assert (opened[:, 12:] == 255).all()
    assert np.abs(opened[:, :12] - colours(picture())[:, :12]).mean() < 1
    palette = converted(picture(), profile).quantize(64)
    palette.save(tmp_path / "b.png", icc_profile=profile)
    assert apart(open_picture(tmp_path / "b.png"), picture()) < 8 < apart(palette, picture())


@pytest.mark.parametrize(
    "profile",
    [
        b"x",
        b"not a profile at all" * 40,
        rgb_profile(WIDE, 2.2)[:200],
        rgb_profile(WIDE, 2.2)[:128] + bytes(400),
        icc(b"RGB ", b"mntr", b"XYZ ", {}),
        cmyk_profile(),  # of another kind of picture
        grey_profile(1.0),
        bytes(2**23 + 1),
    ],
)
def test_a_profile_that_says_nothing_of_the_picture_counts_as_none(profile: bytes, tmp_path: Path) -> None:
    picture().save(tmp_path / "a.tif", icc_profile=profile)
    assert np.array_equal(colours(open_picture(tmp_path / "a.tif")), colours(picture()))


@pytest.mark.parametrize(
    ("highest", "full"), [(200, 255), (255, 255), (900, 1023), (3900, 4095), (12_000, 16_383), (40_000, 65_535)]
)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_scans_in_sixteen_bits_are_scaled_by_the_bits_that_they_use(
    suffix: str, highest: int, full: int, tmp_path: Path
) -> None:
    greys = np.linspace(0, highest, 256).astype(np.uint16).reshape(16, 16)
    Image.fromarray(greys).save(tmp_path / f"a.{suffix}")
    assert np.abs(colours(open_picture(tmp_path / f"a.{suffix}"))[..., 0] - greys / full * 255).max() <= 0.5


def png_in_sixteen_bits(values: npt.NDArray[np.uint16]) -> bytes:
    """Colours (height, width, 3 or 4) as a PNG file, which Pillow does not write."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    blocks = (
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part)) for kind, part in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(blocks)


def tiff_in_sixteen_bits(values: npt.NDArray[np.uint16], order: str) -> bytes:
    """Colours (height, width, 3) as a TIFF file in the byte order ``<`` or ``>``."""
    height, width, _ = values.shape
    pixels = values.astype(f"{order}u2").tobytes()
    entries = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, 122 + len(pixels)), (259, 3, 1, 1), (262, 3, 1, 2),
               (273, 4, 1, 122), (277, 3, 1, 3), (278, 3, 1, height), (279, 4, 1, len(pixels))]  # fmt: skip
    packed = [
        struct.pack(f"{order}HHI", tag, kind, count)
        + (struct.pack(f"{order}HH", value, 0) if (kind, count) == (3, 1) else struct.pack(f"{order}I", value))
        for tag, kind, count, value in entries
    ]
    mark = {"<": b"II", ">": b"MM"}[order]
    head = mark + struct.pack(f"{order}HIH", 42, 8, len(entries)) + b"".join(packed) + bytes(4)
    return head + pixels + struct.pack(f"{order}HHH", 16, 16, 16)


@pytest.mark.parametrize(
    ("highest", "full"), [(255, 255), (900, 1023), (3900, 4095), (12_000, 16_383), (40_000, 65_535)]
)
@pytest.mark.parametrize("kind", ["png", "png with transparency", "tiff <", "tiff >"])
def test_colour_in_sixteen_bits_is_scaled_as_grey_is(kind: str, highest: int, full: int, tmp_path: Path) -> None:
    values = np.linspace(0, highest, 16 * 16 * 3).astype(np.uint16).reshape(16, 16, 3)
    clear = np.concatenate([values, np.full((16, 16, 1), 65_535, dtype=np.uint16)], axis=2)
    raw = (
        tiff_in_sixteen_bits(values, kind[-1])
        if "tiff" in kind
        else png_in_sixteen_bits(clear if "with" in kind else values)
    )
    (tmp_path / "a").write_bytes(raw)
    shown = colours(open_picture(tmp_path / "a"))
    assert np.abs(shown - values / full * 255).max() <= (1 if full == 65_535 else 0.5)
