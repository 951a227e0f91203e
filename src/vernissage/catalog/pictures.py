"""Opening pictures of any kind as sRGB, and telling in plain words why one cannot be opened."""

import io
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import file_digest
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

from vernissage.catalog.host import quiet, quiet_libtiff, return_memory
from vernissage.errors import CollectionError
from vernissage.files import open_regular
from vernissage.values import MODALITY_CARDS, modality_of_file

_T = TypeVar("_T")

VIDEO_SUFFIXES = MODALITY_CARDS["video"].suffixes
PICTURE_SUFFIXES = MODALITY_CARDS["image"].suffixes | (VIDEO_SUFFIXES if find_spec("av") else frozenset())
"""Of the files that can show a work: pictures, and videos where they can be read."""
HEIC_HINT = "`pip install 'vernissage[heic]'` lets HEIC be read"
VIDEO_HINT = "`pip install 'vernissage[video]'` lets MP4 and WebM be read"
MAX_SIDE = 20_000
MAX_PIXELS = 178_956_970
"""A picture of 0.5 GB in RGB, beyond which Pillow too refuses a picture, unless its host has set another limit."""
MAX_BYTES = 2**30
"""Of a picture's file."""
MOST_DECODED = 100_000_000
"""Pixels that are being decoded at a time, by all threads together, but for single pictures of more: 0.3 GB in RGB."""
MOST_WHOLE = 50_000_000
"""Pixels that a picture keeps where fewer are enough."""
_STRIP = 16
"""Rows of the smaller picture that a larger one is reduced to at a time."""

_SPARE = 1.25
"""Times the pixels of a page's picture that a JPEG is decoded to at least; docs/service.md has what it costs."""
_METHOD = 1
"""Of WebP's encoder, 0 (fast) to 6: slower ones take several times as long for few bytes less (docs/service.md)."""

THUMBNAIL_MEDIA_TYPE = "image/jpeg"

# Only formats that hold pixels: Pillow also knows some that start other programs (EPS) or that are not pictures.
_FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "TIFF", "BMP", "DIB", "PPM", "JPEG2000", "AVIF", "HEIF")
_TURNS = "FLIP_LEFT_RIGHT ROTATE_180 FLIP_TOP_BOTTOM TRANSPOSE ROTATE_270 TRANSVERSE ROTATE_90"
_TURNED = dict(enumerate(map(Image.Transpose.__getitem__, _TURNS.split()), start=2))
"""What makes a picture upright, by its orientation in EXIF."""
_ORIENTATION = 0x0112

_COLOURS = {"1": "L", "LA": "L", "La": "L", "P": "RGB", "PA": "RGB", "RGBA": "RGB", "RGBX": "RGB", "RGBa": "RGB"}
"""What a picture's colours are without its transparency, where that is another mode."""
_SPACES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}
_MOST_PROFILE = 2**23
"""Of a colour profile's bytes; large ones of printing presses have two million."""
_SAME = 2
"""Of 255 levels; profiles that are called sRGB differ by so much among themselves."""
# White of 8, 10, 12, 14 and 16 bits: scanners write fewer into files of sixteen.
_LEVELS = (255, 1023, 4095, 16_383, 65_535)
# Words of Pillow's errors where a file ends too early; "cannot load" is a JPEG that ends before its first pixel.
_CUT_SHORT = ("truncated", "eof", "end of file", "cannot load this image")
_HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc")
_BEGINNINGS = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")


class UnreadablePictureError(CollectionError):
    """A file that cannot be opened as a picture or video; ``reason`` completes the sentence "this picture …"."""

    def __init__(self, path: Path, reason: str) -> None:
        kind = MODALITY_CARDS[modality_of_file(path.name)]
        super().__init__(f"the {kind.one} {path} {reason}; export it again as {kind.formats}, or take it out")
        self.path, self.reason = path, reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.reason)  # processes send it to each other


# Pillow warns of damaged EXIF data, without which a picture is shown as stored, and of sizes that are checked here.
_quietly = quiet("PIL")


@dataclass(frozen=True, slots=True)
class PictureCheck:
    """SHA-256 of a picture file, and why it cannot be used (empty when it can)."""

    digest: str
    fault: str = ""


def open_picture(path: Path, *, at_least: int | None = None) -> Image.Image:
    """Open a picture in sRGB, upright as its EXIF says, transparency laid on white, the first frame of several.

    Colours are converted by the embedded profile, of RGB, CMYK, grey or Lab, unless it is sRGB itself; a damaged one
    counts as none. Without one, RGB and grey are taken for sRGB, and of CMYK black and inks are taken from white.

    With ``at_least`` a large JPEG is decoded at a half, a quarter or an eighth of its size, as long as both sides keep
    at least so many pixels: up to four times faster. In 16 bits the range in use becomes 0 to 255: that of 8,
    10, 12, 14 or 16 bits, the fewest that hold the highest value (of colour in PNG and TIFF to 50 million pixels).

    Other pictures of more than 50 million pixels are then averaged over squares of pixels, as far as ``at_least`` lets.
    Of a video it is the frame that stands for it, see `videos.poster`.

    Raises:
        UnreadablePictureError: no picture, cut short, or larger than 20,000 pixels on a side or 179 million in all.
    """

    if path.suffix.lower() in VIDEO_SUFFIXES:
        from vernissage.catalog.videos import poster

        return poster(path, at_least=at_least)

    def finish(image: Image.Image, orientation: int) -> Image.Image:
        with _quietly:
            rgb = _reduced_rgb(image, path, at_least)
        if orientation in _TURNED:
            rgb = rgb.transpose(_TURNED[orientation])
        rgb.info = {}  # else a comment or a profile of the file would go into every thumbnail
        return rgb

    return _decode(path, at_least, finish)


def open_as_stored(path: Path, *, at_least: int | None = None) -> Image.Image:
    """Open a picture as its file holds it: not turned, nothing converted, the first frame of several.

    ``at_least`` and Raises: see `open_picture`.
    """
    return _decode(path, at_least, lambda image, _: image)


def decoded_pixels(path: Path, *, at_least: int | None = None) -> int:
    """How many pixels `open_picture` will decode, told from the beginning of the file; 0 where it tells nothing."""
    try:
        with _quietly, open_regular(path, MAX_BYTES) as file, Image.open(file, formats=formats()) as image:
            if at_least is not None:
                image.draft(None, (at_least, at_least))
            return image.width * image.height
    except Exception:
        # Pillow raises errors of many kinds on arbitrary bytes; opening the picture will tell this one in plain words.
        return 0


def small_picture(path: Path, size: int) -> Image.Image:
    """The picture reduced to fit into a square of ``size`` pixels, never enlarged.

    Raises:
        UnreadablePictureError: see `open_picture`.
    """
    image = open_picture(path, at_least=2 * size)
    image.thumbnail((size, size), Image.Resampling.LANCZOS)
    return image


def thumbnail(path: Path, size: int) -> bytes:
    """`small_picture` as JPEG; equal files give equal bytes."""
    return _written(small_picture(path, size), "jpg")


def reduced_pictures(path: Path, sides: Collection[int], kind: Literal["jpg", "webp"]) -> dict[int, bytes]:
    """The picture fitted into squares of so many pixels on a side, never enlarged, for pages: one decoding for all.

    Each is made from the next larger one, so equal files give equal bytes for equal ``sides`` alone.

    Raises:
        UnreadablePictureError: see `open_picture`.
    """
    found, largest, own = dict[int, bytes](), max(sides), picture_size(path) or (1, 1)
    image = open_picture(path, at_least=ceil(_SPARE * largest * min(own) / max(own)))
    for side in sorted(sides, reverse=True):
        image.thumbnail((side, side), Image.Resampling.BICUBIC)  # from the next larger one, which is as good
        found[side] = _written(image, kind)
    return found


def _written(image: Image.Image, kind: Literal["jpg", "webp"]) -> bytes:
    target = io.BytesIO()
    if kind == "webp":
        image.save(target, "WEBP", quality=80, method=_METHOD)
    else:
        image.save(target, "JPEG", quality=82, optimize=True, progressive=True)
    return target.getvalue()


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture, upright, told from the beginning of the file; None where it tells nothing."""
    try:
        with _quietly, open_regular(path, MAX_BYTES) as file, Image.open(file, formats=formats()) as image:
            turned = _orientation(image) >= 5
            return (image.height, image.width) if turned else image.size
    except Exception:
        return None  # as in `decoded_pixels`


def check_picture(path: Path, verified: AbstractSet[str] = frozenset()) -> PictureCheck:
    """Hash a picture or video file and decode it to its end, unless its SHA-256 is among the ``verified`` ones."""
    try:
        with open_regular(path, MAX_BYTES) as file:
            found = file_digest(file, "sha256").hexdigest()
        if found not in verified and path.suffix.lower() in VIDEO_SUFFIXES:
            open_picture(path, at_least=1)  # which looks at every frame first
        elif found not in verified:
            # An eighth of the size costs a third of the time and still reads every byte of the file.
            _decode(path, 1, lambda *_: None)
    except UnreadablePictureError as error:
        return PictureCheck("", error.reason)
    except OSError as error:
        return PictureCheck("", _cannot_be_read(path, error))
    return PictureCheck(found)


class _Decoding:
    """How many pixels all threads together may be decoding at a time; a picture of more is decoded alone."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._changed = threading.Condition()

    @contextmanager
    def of(self, pixels: int) -> Iterator[None]:
        """Wait until so many more may be decoded, and hold them while the block runs."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._held + pixels <= self._most)
            self._held += pixels
        try:
            yield
        finally:
            with self._changed:
                self._held -= pixels
                self._changed.notify_all()


_decoding = _Decoding(MOST_DECODED)


def _decode(path: Path, at_least: int | None, finish: Callable[[Image.Image, int], _T]) -> _T:
    """What ``finish`` makes of the decoded picture as its file holds it, and of its EXIF orientation (1 without one).

    It is called while the picture's pixels count among those that are being decoded.
    """
    try:
        with _quietly, open_regular(path, MAX_BYTES) as file, Image.open(file, formats=formats()) as image:
            width, height = image.size
            if max(width, height) > MAX_SIDE:
                raise UnreadablePictureError(path, f"is {width} × {height} pixels, more than {MAX_SIDE:,} on a side")
            if width * height > MAX_PIXELS:
                raise UnreadablePictureError(path, f"is {width} × {height} pixels, more than {MAX_PIXELS:,} in all")
            if at_least is not None:
                image.draft(None, (at_least, at_least))
            return _finished(image, finish, path)
    except UnreadablePictureError:
        raise
    except Image.DecompressionBombError:
        # Pillow refuses from twice its own limit on, which the host may have lowered.
        most = min(MAX_PIXELS, 2 * (Image.MAX_IMAGE_PIXELS or MAX_PIXELS))
        raise UnreadablePictureError(path, f"has more than {most:,} pixels") from None
    except UnidentifiedImageError:
        raise UnreadablePictureError(path, what_it_is(path)) from None
    except MemoryError:
        raise UnreadablePictureError(path, "needs more memory than there is") from None
    except Exception as error:
        # Pillow's readers meet arbitrary bytes here, and raise nearly every kind of error on some of them.
        raise UnreadablePictureError(path, _cannot_be_read(path, error)) from error


def _finished(image: Image.Image, finish: Callable[[Image.Image, int], _T], path: Path) -> _T:
    pixels = image.width * image.height
    with _decoding.of(pixels):
        with quiet_libtiff:
            lower = _lower_bytes(image) if pixels <= MOST_WHOLE else []
            image.load()
            scaled = _brightened(image, lower, path) if lower else image
        made = finish(scaled, _orientation(image))
        if made is not image:
            image.close()  # lets go of its pixels before others are decoded
            if pixels > MOST_WHOLE:
                return_memory()
        return made


def _lower_bytes(image: Image.Image) -> list[Any]:
    """What to decode for the lower bytes of colour in 16 bits, of which Pillow keeps the upper ones; else empty."""
    tiles = []
    for tile in image.tile if isinstance(image, ImageFile.ImageFile) else ():
        args = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        raw = args[0] if args and isinstance(args[0], str) else ""
        if image.mode not in {"RGB", "RGBA"} or raw[:-1] != f"{image.mode};16":
            return []
        order = raw[-1] if raw[-1] in "LB" else sys.byteorder[0].upper()
        args = (f"{raw[:-1]}{'B' if order == 'L' else 'L'}", *args[1:])
        tiles.append(tile._replace(args=args if isinstance(tile.args, tuple) else args[0]))
    return tiles


def _brightened(image: Image.Image, lower: list[Any], path: Path) -> Image.Image:
    """Colour in 16 bits of which fewer are used, scaled as grey is; a decoded picture that uses all stays as it is."""
    upper = np.asarray(image)
    if upper[..., :3].max(initial=0) > _LEVELS[-2] >> 8:
        return image
    with open_regular(path, MAX_BYTES) as file, Image.open(file, formats=formats()) as again:
        again.tile = lower
        again.load()
        values = upper[..., :3] * np.uint16(256) + np.asarray(again)[..., :3]
    full = next(level for level in _LEVELS if level >= values.max(initial=0))
    colours = (values * np.float32(255 / full) + np.float32(0.5)).astype(np.uint8)
    scaled = Image.fromarray(np.concatenate([colours, upper[..., 3:]], axis=2))
    scaled.info = image.info
    return scaled


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        # Damaged EXIF data, which raises errors of many kinds, says nothing about the pixels.
        return 1
    return value if isinstance(value, int) else 1


def _reduced_rgb(image: Image.Image, path: Path, at_least: int | None) -> Image.Image:
    """The picture in sRGB; a very large one in strips, averaged, so that no second one of its size is in memory."""
    factor = min(image.size) // at_least if at_least and image.width * image.height > MOST_WHOLE else 1
    if factor < 2 or image.mode in {"I", "F"} or image.mode.startswith("I;16"):  # whose range is that of the whole
        return _rgb(image, path)
    width, height = (-(-side // factor) for side in image.size)
    small = Image.new("RGB", (width, height))
    for top in range(0, height, _STRIP):
        box = (0, top * factor, image.width, min(image.height, (top + _STRIP) * factor))
        small.paste(_rgb(image.crop(box), path).reduce(factor), (0, top))
    return small


def in_srgb(image: Image.Image) -> Image.Image:
    """An open picture of any mode in sRGB, see `open_picture`; what its file says is in ``image.info``.

    Raises:
        ValueError: its mode cannot be converted.
    """
    if image.mode == "RGB" and not image.info.keys() & {"transparency", "icc_profile"}:
        return image
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        image, image.info = _eight_bits(image), image.info
    if (converted := _by_profile(image)) is not None:
        if image.has_transparency_data:
            converted.putalpha(image.convert("RGBA").getchannel("A"))
        image = converted
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _rgb(image: Image.Image, path: Path) -> Image.Image:
    try:
        return in_srgb(image)
    except ValueError:
        raise UnreadablePictureError(path, f"uses the colour mode {image.mode}, not RGB, CMYK or grey") from None


def _by_profile(image: Image.Image) -> Image.Image | None:
    """The colours in sRGB by the picture's profile; None where they are so already or nothing says otherwise."""
    mode, profile = _COLOURS.get(image.mode, image.mode), image.info.get("icc_profile")
    if mode != "LAB" and not (isinstance(profile, bytes) and 0 < len(profile) <= _MOST_PROFILE):
        return None
    found = _to_srgb(b"" if mode == "LAB" else profile, mode)
    if found is None:
        return None
    transform, given = found
    colours = image if image.mode == mode else image.convert(mode)
    return ImageCms.applyTransform(colours if mode == given else colours.convert(given), transform)


@lru_cache(maxsize=8)
def _to_srgb(profile: bytes, mode: str) -> tuple[ImageCms.ImageCmsTransform, str] | None:
    """What converts a mode's colours to sRGB, and the mode that it takes; None of damaged, foreign and sRGB ones."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile) if profile else ImageCms.createProfile("LAB"))
        given = _SPACES.get(source.profile.xcolor_space.strip(), "")
        if given != mode and (mode, given) != ("L", "RGB"):  # grey pictures may have the profile of their RGB scanner
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), given, "RGB")
        if given not in ("L", "RGB"):
            return transform, given
        steps = np.arange(0, 256, 15, dtype=np.uint8)
        levels = np.stack(np.meshgrid(*[steps] * len(given), indexing="ij"), axis=-1).reshape(1, -1, len(given))
        probe = Image.fromarray(levels if given == "RGB" else levels[..., 0])
        moved = np.asarray(ImageCms.applyTransform(probe, transform)).astype(int) - np.asarray(probe.convert("RGB"))
        return (transform, given) if np.abs(moved).max() > _SAME else None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, or in floating point, as 8 bits; the range becomes 0–255.

    It ends at 1, 255 or 65,535 of floating point, at the first of `_LEVELS` of whole numbers, or at the highest value.
    """
    values = np.nan_to_num(np.asarray(image).astype(np.float64), posinf=0.0, neginf=0.0)
    highest = float(values.max(initial=0.0))
    if image.mode == "F":
        full = 1.0 if highest <= 1 else 255.0 if highest <= 255 else max(highest, 65_535.0)
    else:
        full = next((level for level in _LEVELS if level >= highest), highest)
    return Image.fromarray(np.clip(np.floor(values / full * 255 + 0.5), 0, 255).astype(np.uint8))


@cache
def formats() -> tuple[str, ...]:
    """The formats that are read, as Pillow names them."""
    Image.init()
    if ".heic" in PICTURE_SUFFIXES:
        import pillow_heif

        pillow_heif.register_heif_opener()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _cannot_be_read(path: Path, error: Exception) -> str:
    if path.is_dir():
        return "is a folder"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be opened ({error.strerror})"
    if any(word in str(error).lower() for word in _CUT_SHORT):
        return "is cut short"
    return f"is damaged ({' '.join(str(error).split()) or type(error).__name__})"


def what_it_is(path: Path) -> str:
    """Why a file that no reader knows is not a picture, told from its first bytes."""
    with open_regular(path) as file:
        start = file.read(512)
    if not start:
        return "is an empty file (0 bytes)"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    guesses = {
        "is a PDF": start.startswith(b"%PDF"),
        "is a PostScript drawing": start.startswith(b"%!PS"),
        "is a Photoshop file": start.startswith(b"8BPS"),
        "is a ZIP archive": start.startswith(b"PK\x03\x04"),
        "is a web page, not a picture": text.startswith((b"<!doctype html", b"<html")),
        "is a drawing in SVG": b"<svg" in text,
        f"is in Apple's HEIC format{'' if '.heic' in PICTURE_SUFFIXES else f' ({HEIC_HINT})'}": start[4:12] in _HEIC,
        f"is a video ({VIDEO_HINT})": start[4:8] == b"ftyp" or start.startswith(b"\x1aE\xdf\xa3"),
        "is cut short": start.startswith(_BEGINNINGS),
        "holds text, not a picture": all(byte >= 32 or byte in b"\t\r\n\f" for byte in start),
    }
    return next((words for words, right in guesses.items() if right), "is not a picture")
