"""The `colour-texture` encoder: hand-engineered picture features, fitted without any download."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from vernissage.encoders.colour import Pixels, colour_histogram, lab
from vernissage.encoders.contract import EncoderState, Modality, Vectors, unit_rows
from vernissage.encoders.texture import pattern_histogram
from vernissage.encoders.vlad import Codebook, dense_rootsift, fit_codebook
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.progress import Progress, silent

NAME = "colour-texture"
REVISION = 1
"""Part of the fingerprint: raised whenever the same picture and codebook would give another vector."""

LONGER_SIDE = 192
SHORTEST_SIDE = 32
CODEBOOK_PICTURES = 200
"""Collections with fewer pictures do without the codebook: its centres would describe single pictures."""

SAMPLED_PICTURES = 1000
SAMPLED_PATCHES = 128
CENTRES = 32
REDUCED_DIM = 48

PictureOpener = Callable[[], Image.Image]


@dataclass(frozen=True)
class ColourTexture:
    """Colour histograms, local binary patterns and, in larger collections, VLAD; each part of unit length, joined.

    Attributes:
        pictures: how many pictures the collection had that the encoder was fitted on.
        codebook: what VLAD is taken against; None in collections too small for one.
    """

    pictures: int
    codebook: Codebook | None = None

    @property
    def name(self) -> str:
        return NAME

    @property
    def dim(self) -> int:
        return int(self.encode_images([Image.new("RGB", (1, 1))]).shape[1])

    @property
    def modalities(self) -> frozenset[Modality]:
        return frozenset({"image"})

    @property
    def fingerprint(self) -> str:
        return self.state.fingerprint

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of these vectors, in whole sentences."""
        if self.codebook is not None:
            return ()
        skipped = (
            f"The codebook of brush and line patterns was skipped: the collection has {self.pictures} pictures, fewer "
            f"than the {CODEBOOK_PICTURES} it needs; colour and fine texture are compared all the same."
        )
        return (skipped,)

    @property
    def state(self) -> EncoderState:
        """The fitted encoder as arrays and JSON values; `from_state` gives it back bit for bit."""
        settings: dict[str, Any] = {"revision": REVISION, "pictures": self.pictures}
        book = self.codebook
        arrays = {} if book is None else {"mean": book.mean, "axes": book.axes, "centres": book.centres}
        return EncoderState(NAME, settings, arrays)

    @classmethod
    def from_state(cls, state: EncoderState) -> "ColourTexture":
        """The encoder that `state` was taken from.

        Raises:
            ProvenanceError: the state is another encoder's, or was written by another revision of this one.
        """
        if state.name != NAME or state.settings.get("revision") != REVISION:
            raise ProvenanceError(
                f"expected a model of {NAME} (revision {REVISION}), got {state.name} (revision "
                f"{state.settings.get('revision')}); run `vernissage build` again to make it anew"
            )
        book = Codebook(**state.arrays) if state.arrays else None
        return cls(int(state.settings["pictures"]), book)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Encode pictures of any mode and size: float32 (n, dim), unit rows."""
        if not images:
            return np.zeros((0, self.dim), dtype=np.float32)
        return unit_rows(np.stack([self._encode(working_pixels(image)) for image in images]))

    def _encode(self, pixels: Pixels) -> Vectors:
        colours = lab(pixels)
        lightness = np.ascontiguousarray(colours[:, :, 0])
        parts = [colour_histogram(colours), pattern_histogram(lightness)]
        if self.codebook is not None:
            parts.append(self.codebook.vlad(dense_rootsift(lightness)))
        return np.concatenate([unit_rows(part[None])[0] for part in parts])


def fit_colour_texture(
    pictures: Sequence[PictureOpener], *, seed: int = 0, progress: Progress = silent
) -> ColourTexture:
    """Fit the encoder on a collection's pictures.

    Args:
        pictures: functions that open one picture each; a seeded sample of at most 1,000 is opened, one at a time,
            so that memory stays below 200 MB for collections of any size.
        seed: of the sample, its patches and k-means; equal pictures and seed give equal bits.
        progress: told how many of the sampled pictures have been read.

    Raises:
        EncoderError: there are no pictures.
    """
    if not pictures:
        raise EncoderError(f"{NAME} was given 0 pictures to fit on; add pictures to the collection, or encode texts")
    if len(pictures) < CODEBOOK_PICTURES:
        return ColourTexture(len(pictures))
    descriptors = _sampled_descriptors(pictures, seed, progress)
    if len(descriptors) < CENTRES * 10:
        return ColourTexture(len(pictures))
    book = fit_codebook(descriptors, n_centres=CENTRES, reduced=REDUCED_DIM, seed=seed)
    return ColourTexture(len(pictures), book)


def _sampled_descriptors(pictures: Sequence[PictureOpener], seed: int, progress: Progress) -> Vectors:
    random = np.random.default_rng(seed)
    chosen = np.sort(random.permutation(len(pictures))[:SAMPLED_PICTURES])
    sampled = []
    for done, number in enumerate(chosen, start=1):
        colours = lab(working_pixels(pictures[number]()))
        descriptors = dense_rootsift(np.ascontiguousarray(colours[:, :, 0]))
        kept = np.sort(random.permutation(len(descriptors))[:SAMPLED_PATCHES])
        sampled.append(descriptors[kept])
        progress("Learning the collection's brush and line patterns", done, len(chosen))
    return np.concatenate(sampled)


def working_pixels(image: Image.Image) -> Pixels:
    """The picture as every part sees it: sRGB on white, its longer side 192 pixels, each side at least 32."""
    rgb = _flattened(image)
    scale = LONGER_SIDE / max(rgb.size)
    size = (max(SHORTEST_SIDE, round(rgb.width * scale)), max(SHORTEST_SIDE, round(rgb.height * scale)))
    return np.asarray(rgb.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def _flattened(image: Image.Image) -> Image.Image:
    """RGB, with transparent pixels over white; 16-bit grey is brought to 8 bits."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layered = image.convert("RGBA")
    white = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(white, layered).convert("RGB")
