"""The `colour-texture` encoder: hand-engineered picture features, fitted without any download.

Of the class of features that came before deep networks. Four parts: colours (joint CIELAB histogram), local binary
patterns, layout of edges, and VLAD of RootSIFT patches. Each is centred on the collection and of unit length; joined,
they are rotated to at most 512 principal axes with the strong ones damped. How each choice fared: docs/evaluation.md.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import sparse
from threadpoolctl import threadpool_limits

from vernissage.encoders.contract import Encoder, EncoderState, FittedEncoder, Material, PictureOpener, unit_rows
from vernissage.encoders.fitted.k_means import k_means
from vernissage.encoders.runtime.pixels import on_white
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.progress import Progress, silent
from vernissage.values import Vectors

Pixels = npt.NDArray[np.uint8]
"""uint8 sRGB of shape (height, width, 3)."""

Floats = npt.NDArray[np.float32]

REVISION = 2
"""Part of the fingerprint: raised whenever the same picture and fitted arrays would give another vector."""

LONGER_SIDE = 256
FITTING_PICTURES = 20
"""With fewer pictures nothing is fitted: their means and axes would describe single pictures."""

CODEBOOK_PICTURES = 200
SAMPLED_PICTURES = 1000  # the codebook is fitted on so many, however large the collection
SAMPLED_PATCHES = 128  # of each picture, so that large pictures do not make the codebook by themselves
CENTRES = 32
REDUCED_DIM = 24
MOST_DIM = 512

SHORTEST_SIDE = 32
"""Pixels: a strip of 1 × 1,000 is stretched until a descriptor fits into it."""

LIGHTNESS_BINS = 6
OPPONENT_BINS = 9
COLOUR_DIM = LIGHTNESS_BINS * OPPONENT_BINS**2
OPPONENT_SCALE = 8.0  # arcsinh is about linear below it and logarithmic above: bins are finer near grey
OPPONENT_LIMIT = 110.0
"""Lab units: a* and b* are squeezed by asinh(x / 8), because painted colours crowd around grey."""

MONOCHROME_SPREAD = 4.0
MONOCHROME_CHROMA = 25.0
LINE_ART_SHARE = 0.3

ORIENTATIONS = 8
CELL = 4
"""Pixels along one side of a cell."""

BLOCK = 4
"""Cells along one side of a descriptor, as in SIFT."""

DESCRIPTOR_DIM = BLOCK * BLOCK * ORIENTATIONS
LAYOUT_GRID = 6
FLAT = 2.0
"""Gradient in L* units per pixel, summed over a patch's 16 cells, below which there is nothing to describe."""

# The eight neighbours (down, right), clockwise from the upper left: bit k of a code belongs to entry k.
NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))

POWER = 0.25
"""Variances are raised to minus this: 0.5 would whiten fully, 0 would only rotate."""

SHRINKAGE = 0.1
"""This share of the largest variance is added to every one, so that weak and noisy axes are not blown up."""

Parts = Mapping[str, Floats]
"""The parts of one picture by name, each of unit length, or all zero where nothing of it can be seen."""

_T = TypeVar("_T")


def working_pixels(image: Image.Image, longer_side: int) -> Pixels:
    """The picture in sRGB on white, its longer side scaled to ``longer_side`` pixels, neither below 32."""
    if image.mode.startswith("I"):  # 16-bit grey is brought to 8 bits
        image = Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    rgb = on_white(image)
    scale = longer_side / max(rgb.size)
    size = (max(SHORTEST_SIDE, round(rgb.width * scale)), max(SHORTEST_SIDE, round(rgb.height * scale)))
    return np.asarray(rgb.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def lab(pixels: Pixels) -> Floats:
    """CIELAB (D65) of sRGB pixels: float32 (height, width, 3), L* in [0, 100], a* and b* within about ±110."""
    # From linear light: of sRGB, OpenCV interpolates in a table of 33³ colours, in seven times the time.
    return np.asarray(cv2.cvtColor(cv2.LUT(pixels, _linear_light()), cv2.COLOR_LRGB2Lab), dtype=np.float32)


@cache
def _linear_light() -> Floats:
    """Of the 256 values of sRGB (IEC 61966-2-1): float32 (256,), in [0, 1]."""
    values = np.arange(256) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


def half_size(plane: Floats) -> Floats:
    """The mean of every 2 × 2 pixels: float32 of half the height and width, neither below 1."""
    size = (max(plane.shape[1] // 2, 1), max(plane.shape[0] // 2, 1))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def colour_histogram(colours: Floats) -> Floats:
    """The joint L*a*b* histogram of all pixels, with linear votes, square-rooted: float32 (6 · 9 · 9,), unit length.

    Every pixel is shared out among the eight bins around it, so that a slightly different light moves votes only
    slightly. After the root, the inner product of two pictures is the Bhattacharyya coefficient of their colours.
    """
    low, above = _positions(colours.reshape(-1, 3))
    first = (low[0] * OPPONENT_BINS + low[1]) * OPPONENT_BINS + low[2]
    shares = (1 - above, above)
    counts = np.zeros(COLOUR_DIM)
    for light, red, yellow in np.ndindex(2, 2, 2):
        weights = shares[light][0] * shares[red][1] * shares[yellow][2]
        step = (light * OPPONENT_BINS + red) * OPPONENT_BINS + yellow
        counts += np.bincount(first + step, weights, minlength=COLOUR_DIM)
    rooted: Floats = np.sqrt(counts / first.size).astype(np.float32)
    return rooted


def is_monochrome_photograph(colours: Floats) -> bool:
    """Whether the picture is continuous in tone but of one muted hue: a black-and-white or sepia photograph.

    Such a picture does not show what colours the work has. Line art in black on white is no such picture: more than
    0.3 of its pixels are plain black or white; nor is a saturated monochrome, whose colour was meant.
    """
    lightness, *opponents = cv2.split(colours)
    tint = np.median(np.stack(opponents).reshape(2, -1), axis=1)
    spread = np.hypot(opponents[0] - tint[0], opponents[1] - tint[1])
    if np.count_nonzero(spread < MONOCHROME_SPREAD) < 0.95 * (spread.size - 1):  # most pictures, told without sorting
        return False
    plain = np.mean((lightness > 97) | (lightness < 3))
    return bool(
        np.percentile(spread, 95) < MONOCHROME_SPREAD and np.hypot(*tint) < MONOCHROME_CHROMA and plain < LINE_ART_SHARE
    )


def _positions(colours: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    """The lower bin on each axis and the share of the vote that goes to the bin above it: (3, pixels) each."""
    limit = np.float32(np.arcsinh(OPPONENT_LIMIT / OPPONENT_SCALE))
    position = colours.T.copy()
    position[0] = np.clip(position[0] / 100, 0, 1) * (LIGHTNESS_BINS - 1)
    squeezed = np.arcsinh(position[1:] / np.float32(OPPONENT_SCALE)) / limit
    position[1:] = (np.clip(squeezed, -1, 1) + 1) / 2 * (OPPONENT_BINS - 1)
    last = np.array([LIGHTNESS_BINS - 2, OPPONENT_BINS - 2, OPPONENT_BINS - 2])
    low = np.minimum(position.astype(np.intp), last[:, None])
    return low, position - low.astype(np.float32)


def orientation_cells(lightness: Floats) -> Floats:
    """Gradient histograms of 4 × 4 pixels each: float32 (rows, columns, 8), mean gradient in L* units per pixel.

    Every pixel votes with its gradient's size, linearly between the two nearest of 8 orientations (0° to 360°).
    """
    across = cv2.Sobel(lightness, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    down = cv2.Sobel(lightness, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    size, angle = cv2.cartToPolar(across, down)
    rows, columns = lightness.shape[0] // CELL, lightness.shape[1] // CELL
    size, position = _by_place(size), _by_place(angle) * np.float32(ORIENTATIONS / (2 * np.pi))
    first = position.astype(np.intp)
    share = position - first.astype(np.float32)
    votes = np.zeros(size.size * ORIENTATIONS, dtype=np.float32)
    pixel = np.arange(0, votes.size, ORIENTATIONS)
    last = ORIENTATIONS - 1  # a mask: & takes a tenth of the time of %
    votes[pixel + (first & last)] = size * (1 - share)
    votes[pixel + (first + 1 & last)] = size * share
    summed: Floats = votes.reshape(CELL * CELL, rows, columns, ORIENTATIONS).sum(axis=0)
    return summed / np.float32(CELL * CELL)


def _by_place(plane: npt.NDArray[Any]) -> Floats:
    """The pixels of all whole cells, first each cell's first pixel, then each one's second …, so that sums run fast."""
    rows, columns = plane.shape[0] // CELL, plane.shape[1] // CELL
    whole = plane[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL)
    return whole.transpose(1, 3, 0, 2).reshape(-1)


def edge_layout(cells: Floats) -> Floats:
    """How strong edges of each orientation are on a 6 × 6 grid, square-rooted: float32 (288,), unit length.

    All zero for a picture without edges. What `orientation_cells` returns is gathered by whole cells.
    Source: Dalal & Triggs, CVPR 2005, with one block, the picture itself.
    """
    rows = np.linspace(0, len(cells), LAYOUT_GRID + 1).astype(int)
    columns = np.linspace(0, cells.shape[1], LAYOUT_GRID + 1).astype(int)
    by_row = np.add.reduceat(cells, rows[:-1], axis=0, dtype=np.float64)
    sums = np.add.reduceat(by_row, columns[:-1], axis=1)
    areas = np.diff(rows)[:, None, None] * np.diff(columns)[None, :, None]
    strengths = (sums / areas).ravel()
    total = strengths.sum()
    layout: Floats = np.sqrt(strengths / total if total > 0 else strengths).astype(np.float32)
    return layout


def dense_rootsift(cells: Floats, pick: Callable[[int], Any] = slice) -> Floats:
    """RootSIFT of overlapping upright patches, one every 4 pixels: float32 (patches, 128), unit rows.

    A patch is 4 × 4 of the cells that `orientation_cells` returns. Patches without contrast are left out, so there
    may be none; of the others, told how many there are, ``pick`` gives the rows to take, or a slice. Source: Lowe,
    IJCV 60(2), 2004; the root: Arandjelović & Zisserman, CVPR 2012.
    """
    # Neighbouring cells of a row lie side by side, so that each row of a patch is one piece of memory.
    windows = np.lib.stride_tricks.sliding_window_view(cells.reshape(len(cells), -1), (BLOCK, BLOCK * ORIENTATIONS))
    patches = windows[:, ::ORIENTATIONS].reshape(-1, DESCRIPTOR_DIM)
    total = patches.sum(axis=1)
    textured = np.flatnonzero(total > FLAT)
    textured = textured[pick(len(textured))]
    rooted: Floats = patches[textured]
    rooted /= total[textured, None]
    return np.sqrt(rooted, out=rooted)


def binary_patterns(lightness: Floats) -> npt.NDArray[np.uint8]:
    """Local binary patterns of all pixels that have eight neighbours: uint8 (height - 2, width - 2).

    Bit k is set where neighbour k is at least as light as the centre.
    Source: Ojala, Pietikäinen & Mäenpää, IEEE TPAMI 24(7), 2002, doi 10.1109/TPAMI.2002.1017623.
    """
    height, width = lightness.shape
    codes = np.zeros((max(height - 2, 0), max(width - 2, 0)), dtype=np.uint8)
    centre = lightness[1:-1, 1:-1]
    for bit, (down, right) in enumerate(NEIGHBOURS):
        neighbour = lightness[1 + down : height - 1 + down, 1 + right : width - 1 + right]
        codes |= np.asarray(cv2.compare(neighbour, centre, cv2.CMP_GE), np.uint8) & np.uint8(1 << bit)
    return codes


def uniform_bins() -> npt.NDArray[np.uint8]:
    """The histogram bin of each of the 256 codes: uint8 (256,), values 0 to 58.

    The 58 uniform codes (at most two changes between 0 and 1 around the circle) have a bin each, in the order of
    the codes; all others share bin 58.
    """
    codes = np.arange(256, dtype=np.uint8)
    around = (codes << np.uint8(1)) | (codes >> np.uint8(7))
    changes = np.unpackbits((codes ^ around)[:, None], axis=1).sum(axis=1)
    bins = np.full(256, 58, dtype=np.uint8)
    bins[changes <= 2] = np.arange(58, dtype=np.uint8)
    return bins


_BINS = uniform_bins()


def pattern_histogram(lightness: Floats) -> Floats:
    """Histograms of uniform local binary patterns at full, half and quarter size, square-rooted: float32 (3 · 59,)."""
    parts = []
    for _ in range(3):
        codes = np.bincount(binary_patterns(lightness).ravel(), minlength=256)
        counts = np.bincount(_BINS, codes, minlength=59)
        parts.append(np.sqrt(counts / max(counts.sum(), 1)))
        lightness = half_size(lightness)
    return np.concatenate(parts).astype(np.float32)


@dataclass(frozen=True)
class Codebook:
    """A projection of descriptors and the centres that their residuals are taken from.

    Attributes:
        mean: float32 (descriptor_dim,), subtracted before the projection.
        axes: float32 (reduced, descriptor_dim), orthonormal rows.
        centres: float32 (n_centres, reduced).
    """

    mean: Floats
    axes: Floats
    centres: Floats

    def vlad(self, descriptors: Floats) -> Floats:
        """`vlad` of descriptors (n, descriptor_dim): float32 (n_centres · reduced,)."""
        return vlad(_product(descriptors - self.mean, self.axes), self.centres)


def vlad(points: Floats, centres: Floats) -> Floats:
    """Sums of residuals of ``points`` (n, dim) to the nearest of ``centres`` (m, dim), normalised: float32 (m · dim,).

    Every residual is scaled to unit length, so that no descriptor counts for more than another; of the sums, roots
    are taken with the signs kept; then the whole is scaled to unit length. Without points it is all zero.
    Source: Jégou et al., CVPR 2010, doi 10.1109/CVPR.2010.5540039; unit residuals: Delhumeau et al., ACM MM 2013.
    """
    distances = (centres**2).sum(axis=1) - 2 * _product(points, centres)
    nearest = distances.argmin(axis=1)
    residuals = points - np.take(centres.astype(np.float64), nearest, axis=0)
    lengths = np.sqrt(np.einsum("nd,nd->n", residuals, residuals))
    shares = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    sums = sparse.csc_array((shares, nearest, np.arange(len(points) + 1)), (len(centres), len(points))) @ residuals
    rooted = np.sign(sums) * np.sqrt(np.abs(sums))
    length = np.linalg.norm(rooted)
    gathered: Floats = (rooted / length if length > 0 else rooted).astype(np.float32).ravel()
    return gathered


def _product(first: Floats, second: Floats) -> Floats:
    """``first @ second.T`` on one thread: NumPy's would spread each small product over all cores of a thread pool."""
    if not len(first):
        return np.zeros((0, len(second)), dtype=np.float32)
    return np.asarray(cv2.gemm(first, second, 1, second, 0, flags=cv2.GEMM_2_T), dtype=np.float32)


def fit_codebook(descriptors: Floats, *, n_centres: int, reduced: int, seed: int) -> Codebook:
    """The ``reduced`` principal axes of ``descriptors`` (n, dim), and the centres of k-means on what they leave.

    n is at least ``n_centres``. On one thread, so that the bits repeat.
    """
    with threadpool_limits(1):
        mean = descriptors.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = descriptors - mean
        covariance = (centred.T @ centred).astype(np.float64)
        axes = np.ascontiguousarray(np.linalg.eigh(covariance)[1][:, ::-1][:, :reduced].T, dtype=np.float32)
        _, centres = k_means(centred @ axes.T, n_centres, seed=seed, most_rounds=50)
    return Codebook(mean, axes, centres.astype(np.float32))


def picture_parts(pixels: Pixels, codebook: Codebook | None = None) -> Parts:
    """What is seen in a picture: "colours", "patterns", "edges" and, with a codebook, "patches".

    The colours of a black-and-white photograph are all zero, because they are not those of the work.
    """
    parts, cells = _first_look(pixels)
    return parts if codebook is None else _with_patches(parts, cells, codebook)


def _first_look(pixels: Pixels) -> tuple[Parts, Floats]:
    """The parts that need no codebook, and the `orientation_cells` that patches can be made of later."""
    colours = lab(pixels)
    small = half_size(colours)
    seen = colour_histogram(small)
    lightness = np.ascontiguousarray(colours[:, :, 0])
    cells = orientation_cells(lightness)
    parts = {
        "colours": np.zeros_like(seen) if is_monochrome_photograph(small) else seen,
        "patterns": pattern_histogram(lightness),
        "edges": edge_layout(cells),
    }
    return {name: _unit(part) for name, part in parts.items()}, cells


def _with_patches(parts: Parts, cells: Floats, codebook: Codebook) -> Parts:
    return {**parts, "patches": _unit(codebook.vlad(dense_rootsift(cells)))}


def joined(parts: Parts) -> Vectors:
    """The parts one after another, as they are: float32 (dim,)."""
    return np.concatenate(list(parts.values()))


def centred(parts: Parts, means: Parts) -> Parts:
    """The parts less their means, each scaled to unit length again; a part that is all zero stays so.

    Centred, the parts of two works have inner products around 0, so that no part outweighs the others by its common
    ground, and one that is missing speaks neither for nor against.
    """
    return {name: _unit(part - means[name] if part.any() else part) for name, part in parts.items()}


@dataclass(frozen=True)
class Centring:
    """What the pictures of a collection have in common, taken away so that the rest tells them apart.

    Attributes:
        means: each part's mean over the pictures that show it, by the parts' names.
        mean, matrix: of the centred and joined parts, subtracted, and then multiplied.
    """

    means: Parts
    mean: Floats
    matrix: Floats

    def apply(self, parts: Parts) -> Floats:
        """The picture's vector before it is scaled to unit length: float32 (dim,)."""
        # Without BLAS, so that the bits repeat on any number of threads.
        mapped: Floats = np.einsum("d,dr->r", _unit(joined(centred(parts, self.means))) - self.mean, self.matrix)
        return mapped


def fit_centring(pictures: Sequence[Parts], *, most_dim: int) -> Centring:
    """The means of the parts of ``pictures`` and the axes of what remains, at most ``most_dim`` of them.

    Axes are scaled by (variance + 0.1 · largest)^-1/4. Those along which the rows do not differ are left out, so that
    there are fewer than pictures, and none when all are equal. On one thread, so that the bits repeat.
    """
    means = {name: _mean_of_visible(parts[name] for parts in pictures) for name in pictures[0]}
    rows = np.stack([_unit(joined(centred(parts, means))) for parts in pictures])
    with threadpool_limits(1):
        mean = rows.mean(axis=0, dtype=np.float64)
        spread, axes = np.linalg.svd(rows - mean, full_matrices=False)[1:]
    variances = spread**2 / len(rows)
    kept = variances[:most_dim] > 1e-9
    scales = (variances[:most_dim][kept] + SHRINKAGE * variances[0]) ** -POWER
    matrix = axes[:most_dim][kept].T * scales
    return Centring(means, mean.astype(np.float32), np.ascontiguousarray(matrix, dtype=np.float32))


def _unit(vector: Floats) -> Floats:
    return unit_rows(vector[None]).reshape(-1)


def _mean_of_visible(rows: Iterable[Floats]) -> Floats:
    stacked = np.stack(list(rows))
    visible = stacked[stacked.any(axis=1)]
    return np.asarray((visible if len(visible) else stacked).mean(axis=0, dtype=np.float64), dtype=np.float32)


class ColourTexture(FittedEncoder):
    """Colours, binary patterns, edge layout and patches of a picture, each part centred and of unit length, joined.

    Attributes:
        pictures: how many pictures the collection had that the encoder was fitted on.
        codebook: what the patches are gathered around; None in collections too small for one.
        centring: what the parts have in common in the collection, and its principal axes; None in tiny collections.
    """

    name = "colour-texture"
    modalities = frozenset({"image"})

    def __init__(self, state: EncoderState, *bases: Encoder) -> None:
        super().__init__(state)
        if (revision := state.settings["revision"]) != REVISION:
            raise ProvenanceError(
                f"expected revision {REVISION} of {self.name}, got {revision}; run `vernissage build` again "
                f"to make it anew"
            )
        arrays = state.arrays
        self.pictures = int(state.settings["pictures"])
        self.codebook: Codebook | None = None
        self.centring: Centring | None = None
        if "codebook_centres" in arrays:
            self.codebook = Codebook(arrays["codebook_mean"], arrays["codebook_axes"], arrays["codebook_centres"])
        if "joined_map" in arrays:
            means = {key.removeprefix("mean_"): arrays[key] for key in arrays if key.startswith("mean_")}
            self.centring = Centring(means, arrays["joined_mean"], arrays["joined_map"])

    @property
    def dim(self) -> int:
        return int(self._encode(np.zeros((32, 32, 3), dtype=np.uint8)).size)

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

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Encode pictures of any mode and size: float32 (n, dim), unit rows."""
        if not images:
            return np.zeros((0, self.dim), dtype=np.float32)
        return unit_rows(np.stack([self._encode(working_pixels(image, LONGER_SIDE)) for image in images]))

    def _encode(self, pixels: Pixels) -> Vectors:
        return self._of_parts(picture_parts(pixels, self.codebook))

    def _of_parts(self, parts: Parts) -> Vectors:
        return joined(parts) if self.centring is None else self.centring.apply(parts)


def fit(material: Material) -> ColourTexture:
    """Fit on the pictures of a collection."""
    pictures, contents = material.pictures(), material.picture_contents()
    return fit_colour_texture(pictures, contents, seed=material.seed, progress=material.progress)


def fit_colour_texture(
    pictures: Sequence[PictureOpener], contents: Sequence[str] = (), *, seed: int = 0, progress: Progress = silent
) -> ColourTexture:
    """Fit the encoder on a collection's pictures.

    Args:
        pictures: called from as many threads as there are cores. A seeded sample of at most 1,000 is opened, each
            once; its parts and gradient cells are kept.
        contents: of each picture, under which its vector is to be found in `FittedEncoder.encoded` afterwards.
        seed: of the sample, its patches and k-means; equal pictures and seed give equal bits on any number of cores.
        progress: told how many pictures were read, then how many were compared with the codebook.

    Raises:
        EncoderError: there are no pictures.
    """
    if not pictures:
        raise EncoderError(
            f"{ColourTexture.name} was given 0 pictures to fit on; add pictures to the collection, or encode texts"
        )
    count = len(pictures)
    settings = {"revision": REVISION, "pictures": count}
    if count < FITTING_PICTURES:
        return ColourTexture(EncoderState(ColourTexture.name, settings, {}))
    random = np.random.default_rng(seed)
    chosen = np.sort(random.permutation(count)[:SAMPLED_PICTURES])
    sample = [pictures[number] for number in chosen]
    arrays: dict[str, npt.NDArray[Any]] = {}
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        read = pool.map(lambda picture: _first_look(working_pixels(picture(), LONGER_SIDE)), sample)
        looks = _counted(read, "Learning the collection's colours and textures", sample, progress)
        parts: Sequence[Parts] = [parts for parts, _ in looks]
        book = _fitted_codebook([cells for _, cells in looks], random, seed) if count >= CODEBOOK_PICTURES else None
        if book is not None:
            arrays |= {"codebook_mean": book.mean, "codebook_axes": book.axes, "codebook_centres": book.centres}
            gathered = pool.map(lambda look: _with_patches(look[0], look[1], book), looks)
            parts = _counted(gathered, "Gathering the collection's brush and line patterns", sample, progress)
    centring = fit_centring(parts, most_dim=MOST_DIM)
    if centring.matrix.size:
        arrays |= {f"mean_{part}": mean for part, mean in centring.means.items()}
        arrays |= {"joined_mean": centring.mean, "joined_map": centring.matrix}
    fitted = ColourTexture(EncoderState(ColourTexture.name, settings, arrays))
    if contents:
        rows = unit_rows(np.stack([fitted._of_parts(each) for each in parts]))
        fitted.encoded = {contents[number]: row for number, row in zip(chosen, rows, strict=True) if row.any()}
    return fitted


def _counted(results: Iterable[_T], step: str, sample: Sequence[PictureOpener], progress: Progress) -> list[_T]:
    """The results in their order, each reported when it is there."""
    done = []
    for result in results:
        done.append(result)
        progress(step, len(done), len(sample))
    return done


def _fitted_codebook(sample: Sequence[Floats], random: np.random.Generator, seed: int) -> Codebook | None:
    """A codebook of at most 128 patches of each picture's cells; None where too few of them are textured."""
    chosen = [
        dense_rootsift(cells, lambda count: np.sort(random.permutation(count)[:SAMPLED_PATCHES])) for cells in sample
    ]
    if sum(map(len, chosen)) < CENTRES * SAMPLED_PATCHES:
        return None
    return fit_codebook(np.concatenate(chosen), n_centres=CENTRES, reduced=REDUCED_DIM, seed=seed)
