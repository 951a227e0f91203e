"""The `colour-texture` encoder: hand-engineered picture features, fitted without any download.

An honest floor, of the class of features that came before deep networks. Four parts (colours, local binary patterns,
edge layout, VLAD of RootSIFT patches), each centred on the collection and of unit length, joined, then rotated to at
most 512 principal axes with the strong ones damped. Precision@10 by leave-one-out neighbours, as
`benchmarks/colour_texture.py` prints it; columns: 267 paintings by period and artist, 1,976 clip arts by subject and
uploader, and the mean of the four:

                                       period  artist  subject  uploader    mean
    random                               .160    .014     .024      .056    .064
    2×2 colours + patterns + patches     .303    .240     .258      .362    .291
    all four parts as they are           .315    .253     .277      .390    .309
    centred, too                         .317    .277     .277      .410    .320
    damped, too: this encoder            .308    .275     .292      .421    .324
    ... without colours                  .280    .251     .269      .390    .298
    ... without patterns                 .296    .263     .294      .413    .317
    ... without edges                    .315    .251     .272      .405    .311
    ... without patches                  .305    .255     .271      .405    .309

Chosen on these two collections and on random halves of each, so the figures flatter a little: the working size, one
colour histogram rather than a grid, the edge layout, centring, damping. Tried and left out, because the joined vector
lost or gained less than .01: part weights, a second SIFT scale, 64 centres, Fisher vectors, intra-normalisation, a
fourth octave of patterns, colour moments, thumbnails, correlograms. Full whitening is worse on paintings.

Black-and-white photographs of works get no colours. With them, 86 % of the ten nearest of such a photograph were such
photographs, where 15 % of all pictures are; without, 31 %.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.contract import EncoderState, unit_rows
from vernissage.encoders.fitted.colour import Pixels, working_pixels
from vernissage.encoders.fitted.colour_texture_parts import (
    Centring,
    FirstLook,
    Parts,
    first_look,
    fit_centring,
    joined,
    picture_parts,
)
from vernissage.encoders.fitted.vlad import Codebook, fit_codebook
from vernissage.encoders.fitted.whitening import Whitening
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.progress import Progress, silent
from vernissage.values import Modality, Vectors

NAME = "colour-texture"
REVISION = 1
"""Part of the fingerprint: raised whenever the same picture and fitted arrays would give another vector."""

LONGER_SIDE = 256
FITTING_PICTURES = 20
"""With fewer pictures nothing is fitted: their means and axes would describe single pictures."""

CODEBOOK_PICTURES = 200
SAMPLED_PICTURES = 1000
SAMPLED_PATCHES = 128
CENTRES = 32
REDUCED_DIM = 24
MOST_DIM = 512

_T = TypeVar("_T")

PictureOpener = Callable[[], Image.Image]


@dataclass(frozen=True)
class ColourTexture:
    """Colours, binary patterns, edge layout and patches of a picture, each part centred and of unit length, joined.

    Attributes:
        pictures: how many pictures the collection had that the encoder was fitted on.
        codebook: what the patches are gathered around; None in collections too small for one.
        centring: what the parts have in common in the collection, and its principal axes; None in tiny collections.
    """

    pictures: int
    codebook: Codebook | None = None
    centring: Centring | None = None

    @property
    def name(self) -> str:
        return NAME

    @property
    def dim(self) -> int:
        return int(self._encode(np.zeros((32, 32, 3), dtype=np.uint8)).size)

    @property
    def modalities(self) -> frozenset[Modality]:
        return frozenset({"image"})

    @property
    def fingerprint(self) -> str:
        return self.state.fingerprint

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of these vectors, in whole sentences."""
        found = []
        if self.codebook is None:
            found.append(
                f"The codebook of brush and line patterns was skipped: the collection has {self.pictures} pictures, "
                f"and it takes {CODEBOOK_PICTURES} with some texture; colours, fine texture and edges are compared."
            )
        if self.centring is None:
            found.append(
                f"Nothing was learnt from the collection: it has {self.pictures} pictures, and it takes "
                f"{FITTING_PICTURES} that differ; expect coarse similarities."
            )
        return tuple(found)

    @property
    def state(self) -> EncoderState:
        """The fitted encoder as arrays and JSON values; `from_state` gives it back bit for bit."""
        settings: dict[str, Any] = {"revision": REVISION, "pictures": self.pictures}
        arrays: dict[str, npt.NDArray[Any]] = {}
        if self.codebook is not None:
            book = self.codebook
            arrays |= {"codebook_mean": book.mean, "codebook_axes": book.axes, "codebook_centres": book.centres}
        if self.centring is not None:
            arrays |= {f"mean_{part}": mean for part, mean in self.centring.means.items()}
            arrays |= {"joined_mean": self.centring.whitening.mean, "joined_map": self.centring.whitening.matrix}
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
        arrays = state.arrays
        book = centring = None
        if "codebook_centres" in arrays:
            book = Codebook(arrays["codebook_mean"], arrays["codebook_axes"], arrays["codebook_centres"])
        if "joined_map" in arrays:
            means = {key.removeprefix("mean_"): arrays[key] for key in arrays if key.startswith("mean_")}
            centring = Centring(means, Whitening(arrays["joined_mean"], arrays["joined_map"]))
        return cls(int(state.settings["pictures"]), book, centring)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Encode pictures of any mode and size: float32 (n, dim), unit rows."""
        if not images:
            return np.zeros((0, self.dim), dtype=np.float32)
        return unit_rows(np.stack([self._encode(working_pixels(image, LONGER_SIDE)) for image in images]))

    def _encode(self, pixels: Pixels) -> Vectors:
        parts = picture_parts(pixels, self.codebook)
        return joined(parts) if self.centring is None else self.centring.apply(parts)


def fit_colour_texture(
    pictures: Sequence[PictureOpener], *, seed: int = 0, progress: Progress = silent
) -> ColourTexture:
    """Fit the encoder on a collection's pictures.

    Args:
        pictures: functions that open one picture each, called from as many threads as there are cores. A seeded
            sample of at most 1,000 is opened, each once; of every picture its parts and gradient cells are kept, so
            that memory stays below 500 MB for collections of any size.
        seed: of the sample, its patches and k-means; equal pictures and seed give equal bits on any number of cores.
        progress: told how many of the sampled pictures have been read, then how many have been compared with the
            codebook.

    Raises:
        EncoderError: there are no pictures.
    """
    if not pictures:
        raise EncoderError(f"{NAME} was given 0 pictures to fit on; add pictures to the collection, or encode texts")
    count = len(pictures)
    if count < FITTING_PICTURES:
        return ColourTexture(count)
    random = np.random.default_rng(seed)
    sample = [pictures[number] for number in np.sort(random.permutation(count)[:SAMPLED_PICTURES])]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        looks = _counted(
            pool.map(_looked_at, sample), "Learning the collection's colours and textures", sample, progress
        )
        parts: Sequence[Parts] = [look.parts for look in looks]
        codebook = _fitted_codebook(looks, random, seed) if count >= CODEBOOK_PICTURES else None
        if codebook is not None:
            gathered = pool.map(lambda look: look.with_patches(codebook), looks)
            parts = _counted(gathered, "Gathering the collection's brush and line patterns", sample, progress)
    centring = fit_centring(parts, most_dim=MOST_DIM)
    return ColourTexture(count, codebook, centring if centring.whitening.matrix.size else None)


def _looked_at(picture: PictureOpener) -> FirstLook:
    return first_look(working_pixels(picture(), LONGER_SIDE))


def _counted(results: Iterable[_T], step: str, sample: Sequence[PictureOpener], progress: Progress) -> list[_T]:
    """The results in their order, each reported when it is there."""
    done = []
    for result in results:
        done.append(result)
        progress(step, len(done), len(sample))
    return done


def _fitted_codebook(sample: Sequence[FirstLook], random: np.random.Generator, seed: int) -> Codebook | None:
    """A codebook of at most 128 patches of each picture; None where the pictures have too few textured patches."""
    chosen = []
    for look in sample:
        rows = look.descriptors()
        chosen.append(rows[np.sort(random.permutation(len(rows))[:SAMPLED_PATCHES])])
    if sum(map(len, chosen)) < CENTRES * SAMPLED_PATCHES:
        return None
    return fit_codebook(np.concatenate(chosen), n_centres=CENTRES, reduced=REDUCED_DIM, seed=seed)
