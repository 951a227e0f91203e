"""Precision@10 of the parts of the `colour-texture` encoder, and of their joins, by leave-one-out neighbours.

    python benchmarks/colour_texture.py COLLECTION --label category --label artist

COLLECTION is a folder with `metadata.csv` and a column `file` of pictures below it. For every work whose label at
least one other work bears, the share of its ten nearest works (by cosine) that bear it too; of a label with fewer
than eleven works, of as many as it has others. Nothing but the pictures is used in fitting.
"""

import argparse
import csv
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.contract import unit_rows
from vernissage.encoders.fitted.colour_texture import (
    LONGER_SIDE,
    MOST_DIM,
    Parts,
    Pixels,
    centred,
    colour_histogram,
    fit_centring,
    fit_colour_texture,
    half_size,
    joined,
    lab,
    picture_parts,
    working_pixels,
)

Rows = npt.NDArray[np.float32]


def main() -> None:
    """Fit, measure, print."""
    arguments = _arguments()
    with (arguments.collection / "metadata.csv").open(newline="", encoding="utf-8") as table:
        works = [work for work in csv.DictReader(table) if work["file"]]
    paths = [arguments.collection / work["file"] for work in works]
    started = time.perf_counter()
    encoder = fit_colour_texture([partial(Image.open, path) for path in paths], seed=arguments.seed)
    print(f"{len(works)} pictures, fitted in {time.perf_counter() - started:.1f} s, {encoder.dim} dimensions")
    pictures = [working_pixels(Image.open(path), LONGER_SIDE) for path in paths]
    started = time.perf_counter()
    parts = [picture_parts(pixels, encoder.codebook) for pixels in pictures]
    print(f"parts of {len(works) / (time.perf_counter() - started):.0f} pictures per second on one thread")
    candidates = _candidates(pictures, parts, arguments.seed)
    candidates["the encoder"] = encoder.encode_images([Image.open(path) for path in paths])
    print(f"{'':34s}{'dim':>6s}" + "".join(f"{label:>12s}" for label in arguments.label))
    for name, rows in candidates.items():
        scores = [precision(rows, [work[label] for work in works]) for label in arguments.label]
        print(f"{name:34s}{rows.shape[1]:6d}" + "".join(f"{score:12.3f}" for score in scores))


def precision(rows: Rows, labels: Sequence[str], depth: int = 10) -> float:
    """Mean share of a work's ``depth`` nearest works that bear its label; see the module's docstring."""
    return float(np.nanmean(neighbour_shares(rows @ rows.T, labels, depth)))


def neighbour_shares(similarity: Rows, labels: Sequence[str], depth: int = 10) -> Rows:
    """The share of each work, (n,), by the similarity of all pairs, whose diagonal is overwritten; NaN without a label.

    The same for a label that no other work bears.
    """
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :depth]
    _, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    hits = codes[nearest] == codes[:, None]
    shares = np.full(len(labels), np.nan, dtype=np.float32)
    for work, code in enumerate(codes):
        if labels[work] and sizes[code] > 1:
            shares[work] = hits[work, : min(depth, sizes[code] - 1)].mean()
    return shares


def _candidates(pictures: Sequence[Pixels], parts: Sequence[Parts], seed: int) -> dict[str, Rows]:
    random = np.random.default_rng(seed).normal(size=(len(parts), 64))
    found = {"random": unit_rows(random)}
    for name in parts[0]:
        found[f"{name} alone"] = unit_rows(np.stack([each[name] for each in parts]))
    means = fit_centring(parts, most_dim=1).means
    baseline = [
        {"grid": _grid_histogram(pixels), **{name: each[name] for name in each if name in {"patterns", "patches"}}}
        for pixels, each in zip(pictures, parts, strict=True)
    ]
    found["2×2 colours + patterns + patches"] = unit_rows(np.stack([joined(each) for each in baseline]))
    found["all parts"] = unit_rows(np.stack([joined(each) for each in parts]))
    found["all parts, centred"] = unit_rows(np.stack([joined(centred(each, means)) for each in parts]))
    for left_out in parts[0]:
        others = [{name: part for name, part in each.items() if name != left_out} for each in parts]
        centring = fit_centring(others, most_dim=MOST_DIM)
        found[f"the encoder without {left_out}"] = unit_rows(np.stack([centring.apply(each) for each in others]))
    return found


def _grid_histogram(pixels: Pixels) -> Rows:
    colours = half_size(lab(pixels))
    middle, centre = colours.shape[0] // 2, colours.shape[1] // 2
    quarters = [
        colour_histogram(half[:, columns])
        for half in (colours[:middle], colours[middle:])
        for columns in (slice(None, centre), slice(centre, None))
    ]
    return (np.concatenate(quarters) / 2).astype(np.float32)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collection", type=Path, help="folder with metadata.csv and pictures")
    parser.add_argument("--label", action="append", required=True, help="column to compare by; may be repeated")
    parser.add_argument("--seed", type=int, default=0, help="of the sample and the codebook (default 0)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
