"""Texture of a picture: local binary patterns of its lightness at several sizes."""

import numpy as np
import numpy.typing as npt

from vernissage.encoders.fitted.colour import half_size

Lightness = npt.NDArray[np.float32]
"""float32 of shape (height, width), 0 to 100."""

Floats = npt.NDArray[np.float32]

# The eight neighbours (down, right), clockwise from the upper left: bit k of a code belongs to entry k.
NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def binary_patterns(lightness: Lightness) -> npt.NDArray[np.uint8]:
    """Local binary patterns of all pixels that have eight neighbours: uint8 (height - 2, width - 2).

    Bit k is set where neighbour k is at least as light as the centre.
    Source: Ojala, Pietikäinen & Mäenpää, IEEE TPAMI 24(7), 2002, doi 10.1109/TPAMI.2002.1017623.
    """
    height, width = lightness.shape
    codes = np.zeros((max(height - 2, 0), max(width - 2, 0)), dtype=np.uint8)
    centre = lightness[1:-1, 1:-1]
    for bit, (down, right) in enumerate(NEIGHBOURS):
        neighbour = lightness[1 + down : height - 1 + down, 1 + right : width - 1 + right]
        codes |= (neighbour >= centre).astype(np.uint8) << np.uint8(bit)
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


def pattern_histogram(lightness: Lightness, octaves: int = 3) -> Floats:
    """Histograms of uniform local binary patterns at full, half, quarter … size, square-rooted: (octaves · 59,)."""
    parts = []
    for _ in range(octaves):
        codes = np.bincount(binary_patterns(lightness).ravel(), minlength=256)
        counts = np.bincount(_BINS, codes, minlength=59)
        parts.append(np.sqrt(counts / max(counts.sum(), 1)))
        lightness = half_size(lightness)
    return np.concatenate(parts).astype(np.float32)
