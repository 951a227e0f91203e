"""Pictures as the models were trained on them: resized, cropped, scaled; exact to the original authors' code.

All resizing is Pillow's, with its antialiasing: resizing tensors gives vectors far from the original code's.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.runtime.weights import read_object, said_in
from vernissage.errors import EncoderError

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Pixels = npt.NDArray[np.float32]
"""float32 of shape (3, height, width)."""

Values = npt.NDArray[np.uint8]
"""sRGB, uint8 of shape (height, width, 3)."""

_FILTERS: dict[int, Literal["bilinear", "bicubic"]] = {2: "bilinear", 3: "bicubic"}
"""Pillow's numbers, as transformers' settings files have them."""


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes a model's input.

    Attributes:
        resize: ``squash`` to size × size whatever the shape, or ``shorter``: that side, then a centre crop.
        size: pixels a side of the input.
        shorter_side: for ``shorter``; None means ``size``.
        filter: of the resizing.
        mean, std: of each channel, subtracted and divided after scaling to [0, 1].
    """

    resize: Literal["squash", "shorter"]
    size: int
    shorter_side: int | None = None
    filter: Literal["bicubic", "bilinear"] = "bicubic"
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD

    def __call__(self, image: Image.Image) -> Pixels:
        """The input for one RGB picture: float32 (3, size, size)."""
        return self.scaled(self.fitted(image))

    def fitted(self, image: Image.Image) -> Values:
        """The picture as large as the input: uint8 (size, size, 3)."""
        resample = Image.Resampling.BICUBIC if self.filter == "bicubic" else Image.Resampling.BILINEAR
        rgb = image if image.mode == "RGB" else image.convert("RGB")
        if self.resize == "squash":
            fitted = rgb.resize((self.size, self.size), resample)
        else:
            fitted = _centre_crop(_shorter_side(rgb, self.shorter_side or self.size, resample), self.size)
        return np.asarray(fitted)

    def scaled(self, values: Values) -> Pixels:
        """The input for the values of a `fitted` picture: float32 (3, size, size)."""
        pixels = np.empty((3, *values.shape[:2]), dtype=np.float32)
        for channel, inputs in enumerate(_inputs_of_values(self.mean, self.std)):
            np.take(inputs, values[:, :, channel], out=pixels[channel], mode="clip")
        return pixels


@cache
def _inputs_of_values(mean: tuple[float, ...], std: tuple[float, ...]) -> npt.NDArray[np.float32]:
    """The model's input for each of the 256 values of each channel, float32 (3, 256): faster than for every pixel."""
    scaled = np.arange(256, dtype=np.float32) / np.float32(255)
    return (scaled - np.array(mean, np.float32)[:, None]) / np.array(std, np.float32)[:, None]


def on_white(image: Image.Image) -> Image.Image:
    """The picture as RGB, transparency laid on white; one without transparency keeps its colours exactly."""
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _shorter_side(image: Image.Image, target: int, resample: Image.Resampling) -> Image.Image:
    """Resize so that the shorter side is ``target``; the longer is cut to whole pixels, as torchvision does."""
    width, height = image.size
    size = (target, int(target * height / width)) if width <= height else (int(target * width / height), target)
    return image.resize(size, resample)


def _centre_crop(image: Image.Image, size: int) -> Image.Image:
    """The middle square, placed as torchvision places it: half pixels rounded to the even neighbour."""
    left, top = round((image.width - size) / 2), round((image.height - size) / 2)
    return image.crop((left, top, left + size, top + size))


def preprocessing_in(place: Path) -> Preprocessing | None:
    """The preprocessing of a folder, from the file that says it; None where there is no such file.

    Raises:
        EncoderError: the settings are not whole, or ask for what `Preprocessing` does not do.
    """
    alone, joint = place / "preprocessor_config.json", place / "processor_config.json"
    if alone.is_file():
        return preprocessing_of(alone, read_object(alone))
    settings = said_in(joint, "image_processor")
    return preprocessing_of(joint, settings) if isinstance(settings, dict) else None


def preprocessing_of(file: Path, settings: dict[str, Any]) -> Preprocessing:
    """The preprocessing that the settings of ``file`` ask for.

    Raises:
        EncoderError: they are not whole, or ask for what `Preprocessing` does not do.
    """
    for key in ("size", "resample"):
        if key not in settings:
            raise EncoderError(f"{file} does not say {key}; get the file anew from the model's authors")
    size, resample = settings["size"], settings["resample"]
    mean, std = (_channels(file, settings, key) for key in ("image_mean", "image_std"))
    crop = _square_side(settings.get("crop_size")) if settings.get("do_center_crop") else None
    shorter = _shortest_edge(size) if crop else None
    square = None if crop else _square_side(size)
    if resample not in _FILTERS or not _plain(settings):
        raise EncoderError(
            f"{file} asks for a preprocessing that is not offered; choose a model that resizes bilinearly or "
            f"bicubically, scales by 1/255 and normalises three channels"
        )
    if crop and shorter and shorter >= crop:
        return Preprocessing("shorter", crop, shorter, _FILTERS[resample], mean, std)
    if square:
        return Preprocessing("squash", square, None, _FILTERS[resample], mean, std)
    raise EncoderError(
        f"{file} asks for inputs of the size {size}; choose a model whose inputs are squares of one size, or the "
        f"middle squares of pictures whose shorter side has one size"
    )


def _channels(file: Path, settings: dict[str, Any], key: str) -> tuple[float, float, float]:
    try:
        red, green, blue = map(float, settings[key])
    except (KeyError, TypeError, ValueError) as error:
        raise EncoderError(
            f"{file} does not say {key} for three channels; get the file anew from the model's authors"
        ) from error
    return red, green, blue


def _plain(settings: dict[str, Any]) -> bool:
    """Whether every usual step is taken, as usual."""
    taken = all(settings.get(f"do_{step}", True) for step in ("resize", "rescale", "normalize"))
    return taken and not settings.get("do_pad") and abs(settings.get("rescale_factor", 1 / 255) * 255 - 1) < 1e-6


def _shortest_edge(size: Any) -> int | None:
    """What old files write as a number is the shorter side too, where a centre crop follows."""
    value = size.get("shortest_edge") if isinstance(size, dict) else size
    return value if isinstance(value, int) else None


def _square_side(size: Any) -> int | None:
    """The side of a square; None for anything else."""
    if isinstance(size, dict):
        return size["height"] if isinstance(size.get("height"), int) and size["height"] == size.get("width") else None
    return size if isinstance(size, int) else None
