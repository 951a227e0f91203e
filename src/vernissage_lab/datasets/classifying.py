"""Any captioned set with the classes that a classifier sees in its pictures, as D'Asaro et al. made theirs.

The most probable ImageNet class where its probability is .90 or more (doi 10.1016/j.eswa.2024.125108), by ResNet-50 or
EfficientNet-Lite0 in its place; classes are told apart by their index, since two of them are labelled "crane".
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.catalog.ahead import picture_batches, read_ahead
from vernissage.catalog.pictures import open_picture
from vernissage.encoders.contract import Material
from vernissage.encoders.towers.efficientnet_lite import Outputs, class_names, load
from vernissage.encoders.towers.resnet import CONFIDENT, Classification
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import digest, read_arrays, write_arrays
from vernissage.progress import Progress, silent
from vernissage_lab.datasets.captioned import CaptionedSet, DatasetError, ImageEntry, Label
from vernissage_lab.tables import counted

_BLOCK = 256
_STEP = "Classifying pictures"

Arrays = dict[str, npt.NDArray[Any]]


class Classifier(Protocol):
    """What tells the most probable class of pictures, such as `ResNet50`."""

    @property
    def fingerprint(self) -> str: ...

    def classify(self, images: Sequence[Image.Image]) -> list[Classification]: ...


class LiteClassifier:
    """EfficientNet-Lite0 in place of ResNet-50: the same 1,000 classes, with weights that a package brings."""

    def __init__(self) -> None:
        """Load the network. Raises EncoderError: its package is not installed, or brings other files."""
        self._network = load("efficientnet-lite0-network", Material())
        self.fingerprint = self._network.fingerprint

    def classify(self, images: Sequence[Image.Image]) -> list[Classification]:
        """The most probable class of each RGB picture."""
        found = Outputs.of_rows(self._network.encode_images(images)).probabilities.astype(np.float64)
        best = found.argmax(axis=1).tolist()
        return [Classification(at, class_names()[at], float(row[at])) for at, row in zip(best, found, strict=True)]


def classify(
    found: CaptionedSet,
    classifier: Classifier,
    *,
    at_least: float = CONFIDENT,
    batch_size: int = 32,
    building: Path | None = None,
    progress: Progress = silent,
) -> CaptionedSet:
    """The pictures whose class is certain enough, with that class; all others are left out and counted in the remarks.

    Pictures are decoded whole, since probabilities close to the threshold hang on every pixel.

    Args:
        found: any set; classes that it has are replaced.
        at_least: the probability from which on a class is taken for true, in [0, 1].
        building: a folder that keeps finished blocks, so that an interrupted classification goes on where it stopped;
            the caller removes it.

    Raises:
        EncoderError: ``at_least`` is no probability.
        DatasetError: all pictures are missing, or no class is certain enough.
        CollectionError: a picture cannot be opened.
    """
    if not 0 <= at_least <= 1:
        raise EncoderError(f"a probability lies from 0 to 1, but {at_least} was given; 0.9 is usual")
    there = [image for image in found.images if image.path is not None]
    if not there:
        raise DatasetError(
            f"{found.name} has none of its {len(found.images)} pictures here, so they cannot be classified; name their "
            f"folder with --pictures"
        )
    seen = _classified(there, classifier, batch_size, building, progress)
    labels = {image.id: label for image, label in zip(there, seen, strict=True)}
    certain = {image_id: label for image_id, label in labels.items() if (label.probability or 0.0) >= at_least}
    if not certain:
        best = max(label.probability or 0.0 for label in labels.values())
        raise DatasetError(
            f"no class of the {len(there)} pictures of {found.name} has a probability of {at_least:g} or more (the "
            f"highest is {best:.3f}); ask for less with --at-least, or check the weights"
        )
    remarks = [f"{len(certain)} of {len(there)} pictures have a class with a probability of {at_least:g} or more"]
    if len(there) < len(found.images):
        remarks.append(f"left out: {counted(len(found.images) - len(there), 'picture')} without a file")
    whole = replace(found, labels=certain, remarks=(*found.remarks, *remarks))
    return whole.keeping(certain)


def _classified(
    images: Sequence[ImageEntry], classifier: Classifier, batch_size: int, building: Path | None, progress: Progress
) -> Iterator[Label]:
    progress(_STEP, 0, len(images))
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        arrays = _kept(block, classifier, building, partial(_arrays, block, classifier, batch_size))
        progress(_STEP, start + len(block), len(images))
        columns = (arrays["index"].tolist(), arrays["label"].tolist(), arrays["probability"].tolist())
        yield from (Label(*values) for values in zip(*columns, strict=True))


def _kept(
    block: Sequence[ImageEntry], classifier: Classifier, building: Path | None, make: Callable[[], Arrays]
) -> Arrays:
    """The block as an interrupted classification left it, or made and kept now."""
    if building is None:
        return make()
    key = digest(classifier.fingerprint.encode(), *(f"{image.path} {image.size}".encode() for image in block))[:16]
    path = building / f"{key}.npz"
    if path.exists():
        try:
            return read_arrays(path)
        except ProvenanceError:
            path.unlink()
    arrays = make()
    write_arrays(path, arrays)
    return arrays


def _arrays(block: Sequence[ImageEntry], classifier: Classifier, batch_size: int) -> Arrays:
    paths = [image.path for image in block if image.path is not None]
    results: list[Classification] = []
    files = iter(paths)
    openers = (
        [partial(open_picture, path) for path in islice(files, len(batch))]
        for batch in picture_batches(paths, batch_size)
    )
    with read_ahead(openers) as batches:
        for pictures in batches:
            results += classifier.classify(pictures)
    return {
        "index": np.array([result.index for result in results], dtype=np.int64),
        "label": np.array([result.label for result in results], dtype=np.str_),
        "probability": np.array([result.probability for result in results], dtype=np.float64),
    }
