"""How a folder in transformers' layout says that pictures become inputs, read without transformers."""

from pathlib import Path
from typing import Any, Literal

from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.runtime.transformers_folder import read_object
from vernissage.errors import EncoderError

_FILTERS: dict[int, Literal["bilinear", "bicubic"]] = {2: "bilinear", 3: "bicubic"}
"""Pillow's numbers."""


def preprocessing_in(place: Path) -> Preprocessing | None:
    """The preprocessing of a folder, from the file that says it; None where there is no such file.

    Raises:
        EncoderError: the settings are not whole, or ask for what `Preprocessing` does not do.
    """
    alone, joint = place / "preprocessor_config.json", place / "processor_config.json"
    if alone.is_file():
        return _preprocessing(alone, read_object(alone))
    settings = read_object(joint).get("image_processor") if joint.is_file() else None
    return _preprocessing(joint, settings) if isinstance(settings, dict) else None


def _preprocessing(file: Path, settings: dict[str, Any]) -> Preprocessing:
    try:
        size, resample = settings["size"], settings["resample"]
        mean, std = (tuple(float(number) for number in settings[key]) for key in ("image_mean", "image_std"))
    except KeyError as error:
        raise EncoderError(
            f"{file} does not say {error.args[0]}; get the file anew from the model's authors"
        ) from error
    crop = _side(settings.get("crop_size")) if settings.get("do_center_crop") else None
    shorter = _shorter_side(size) if crop else None
    square = None if crop else _side(size)
    if resample not in _FILTERS or not _plain(settings) or not len(mean) == len(std) == 3:
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


def _plain(settings: dict[str, Any]) -> bool:
    """Whether every usual step is taken, as usual."""
    taken = all(settings.get(f"do_{step}", True) for step in ("resize", "rescale", "normalize"))
    return taken and abs(settings.get("rescale_factor", 1 / 255) * 255 - 1) < 1e-6


def _shorter_side(size: Any) -> int | None:
    """What old files write as a number is the shorter side too, where a centre crop follows."""
    value = size.get("shortest_edge") if isinstance(size, dict) else size
    return value if isinstance(value, int) else None


def _side(size: Any) -> int | None:
    """The side of a square; None for anything else."""
    if isinstance(size, dict):
        return size["height"] if isinstance(size.get("height"), int) and size["height"] == size.get("width") else None
    return size if isinstance(size, int) else None
