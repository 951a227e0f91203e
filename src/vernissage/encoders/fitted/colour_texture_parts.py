"""The parts of a picture's `colour-texture` vector, and how they are made comparable and joined."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import unit_rows
from vernissage.encoders.fitted.colour import Pixels, colour_histogram, half_size, is_monochrome_photograph, lab
from vernissage.encoders.fitted.gradients import dense_rootsift, edge_layout, orientation_cells
from vernissage.encoders.fitted.texture import pattern_histogram
from vernissage.encoders.fitted.vlad import Codebook
from vernissage.encoders.fitted.whitening import Whitening, fit_whitening
from vernissage.values import Vectors

Floats = npt.NDArray[np.float32]

Parts = Mapping[str, Floats]
"""The parts of one picture by name, each of unit length, or all zero where nothing of it can be seen."""


def picture_parts(pixels: Pixels, codebook: Codebook | None = None) -> Parts:
    """What is seen in a picture: "colours", "patterns", "edges" and, with a codebook, "patches".

    The colours of a black-and-white photograph are all zero, because they are not those of the work.
    """
    look = first_look(pixels)
    return look.parts if codebook is None else look.with_patches(codebook)


@dataclass(frozen=True)
class FirstLook:
    """What is seen in a picture before there is a codebook, and what its patches can be made of later.

    Attributes:
        parts: "colours", "patterns" and "edges".
        cells: float32 (rows, columns, 8), the picture's `orientation_cells`: 128 KB for 256 × 256 pixels.
    """

    parts: Parts
    cells: Floats

    def descriptors(self) -> Floats:
        """The RootSIFT descriptors that a codebook is fitted on and the "patches" are gathered from: (n, 128)."""
        return dense_rootsift(self.cells)

    def with_patches(self, codebook: Codebook) -> Parts:
        """All four parts."""
        return {**self.parts, "patches": _unit(codebook.vlad(self.descriptors()))}


def first_look(pixels: Pixels) -> FirstLook:
    """Look at a picture without a codebook; see `picture_parts`."""
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
    return FirstLook({name: _unit(part) for name, part in parts.items()}, cells)


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
        whitening: of the centred and joined parts.
    """

    means: Parts
    whitening: Whitening

    def apply(self, parts: Parts) -> Floats:
        """The picture's vector before it is scaled to unit length: float32 (dim,)."""
        return self.whitening.apply(_unit_joined(parts, self.means))


def fit_centring(pictures: Sequence[Parts], *, most_dim: int) -> Centring:
    """The means of the parts of ``pictures`` and the axes of what remains, at most ``most_dim`` of them."""
    means = {name: _mean_of_visible(parts[name] for parts in pictures) for name in pictures[0]}
    rows = np.stack([_unit_joined(parts, means) for parts in pictures])
    return Centring(means, fit_whitening(rows, most=most_dim))


def _unit_joined(parts: Parts, means: Parts) -> Floats:
    return _unit(joined(centred(parts, means)))


def _unit(vector: Floats) -> Floats:
    return unit_rows(vector[None]).reshape(-1)


def _mean_of_visible(rows: Iterable[Floats]) -> Floats:
    stacked = np.stack(list(rows))
    visible = stacked[stacked.any(axis=1)]
    return np.asarray((visible if len(visible) else stacked).mean(axis=0, dtype=np.float64), dtype=np.float32)
