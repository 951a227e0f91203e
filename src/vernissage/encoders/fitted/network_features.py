"""Encoders made of one network's outputs: what a picture shows at every depth, and what the classifier reads.

`stages`: the means and deviations of the channels of every stage, standardised over the collection, of unit length,
centred, and whitened with power 0.25 along at most 512 principal axes. `pooled`: the features before the classifier, of
unit length and centred. Both are fitted on the collection and stay so, for works and uploads alike.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from threadpoolctl import threadpool_limits

from vernissage.encoders.contract import Encoder, EncoderState, Material, unit_rows
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.towers.efficientnet_lite import SUFFIX, EfficientNetLite, Outputs
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.values import Modality, Vectors

Floats = npt.NDArray[np.float32]

REVISION = 1
"""Part of the fingerprint: raised whenever the same outputs and arrays would give other vectors."""

POOLED_SUFFIX = "-pooled"

FEWEST_WHITENED = 50
"""With fewer pictures the axes would describe single pictures, and the pooled features are compared alone."""

FEWEST_CENTRED = 20
POWER = 0.25
"""Variances are raised to minus this: 0.5 would whiten fully, 0 would only rotate."""

MOST_DIM = 512
_MOST_FITTED = 20_000
_NOTHING = 1e-6
"""Axes with a smaller share of the largest variance are rounding alone."""

_BLOCK = 1024
_PRIOR = 100
"""Pictures that see every class alike count as so many, so that in a small collection one picture is no habit."""


class NetworkFeatures:
    """A part of a network's outputs, as it differs within a collection; two rows' inner product is a cosine."""

    modalities: frozenset[Modality] = frozenset({"image"})

    def __init__(self, state: EncoderState, network: EfficientNetLite) -> None:
        self.state, self.network = state, network

    @classmethod
    def from_state(cls, state: EncoderState, *bases: Encoder) -> "NetworkFeatures":
        """The encoder that was saved as ``state``.

        Raises:
            ProvenanceError: it is not whole, of another revision, or was fitted on another network's outputs.
        """
        network = _network(bases)
        known = {"revision": REVISION, "network": network.fingerprint}
        needed = {"centre", "usual"} if state.name.endswith(POOLED_SUFFIX) else {"centre", "mean", "deviation", "axes"}
        if (found := {key: state.settings.get(key) for key in known}) != known or needed - state.arrays.keys():
            raise ProvenanceError(
                f"the saved {state.name} was fitted as {found}, but this version has {known}; run `vernissage build` "
                f"again"
            )
        return cls(state, network)

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def fingerprint(self) -> str:
        return self.state.fingerprint

    @property
    def preprocessing(self) -> Preprocessing:
        """The network's."""
        return self.network.preprocessing

    @property
    def usual(self) -> Floats:
        """The mean probability of each class in the collection, float32 (1000,); of the pooled features alone."""
        usual: Floats = self.state.arrays["usual"]
        return usual

    @property
    def dim(self) -> int:
        arrays = self.state.arrays
        return int(arrays["axes"].shape[1] if "axes" in arrays else len(arrays["centre"]))

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Encode pictures: float32 (n, dim), unit rows; zeros where a picture is the very mean."""
        return self.of_outputs(self.network.encode_images(images))

    def of_outputs(self, rows: Vectors) -> Vectors:
        """The same from rows of the network's outputs."""
        arrays, found = self.state.arrays, np.zeros((len(rows), self.dim), np.float32)
        with threadpool_limits(1):
            for start in range(0, len(rows), _BLOCK):
                part = _prepared(self.name, rows[start : start + _BLOCK], arrays) - arrays["centre"]
                # Row by row: a product of matrices sums in an order that depends on how many rows there are.
                found[start : start + _BLOCK] = [row @ arrays["axes"] for row in part] if "axes" in arrays else part
        return unit_rows(found)


def derive(features: NetworkFeatures, _: Modality, vectors: Vectors) -> Vectors:
    """Vectors of the network's outputs, as the collection sees them."""
    return features.of_outputs(vectors)


def fit_pooled(material: Material) -> NetworkFeatures:
    """Fit on the outputs of all works with a picture; with fewer than 20, whose mean says little, nothing is taken off.

    Raises:
        EncoderError: there are no pictures.
    """
    network, rows = _sampled(material)
    name = network.name.removesuffix(SUFFIX) + POOLED_SUFFIX
    centre = _prepared(name, rows, {}).mean(axis=0, dtype=np.float64)
    usual = usual_probabilities(Outputs.of_rows(rows).probabilities)
    return _fitted(name, network, {"centre": centre if len(rows) >= FEWEST_CENTRED else 0 * centre, "usual": usual})


def usual_probabilities(found: Vectors) -> Floats:
    """The mean of the probabilities (n, 1000) of classes, as if 100 pictures more saw all alike: float32 (1000,)."""
    sums = found.sum(axis=0, dtype=np.float64) + _PRIOR / found.shape[1]
    return np.asarray(sums / (len(found) + _PRIOR), np.float32)


def fit_stages(material: Material) -> NetworkFeatures:
    """Fit on the outputs of all works with a picture, or on a seeded sample of 20,000.

    Raises:
        EncoderError: there are fewer than 50 pictures, or all are equal.
    """
    network, rows = _sampled(material)
    name = network.name.removesuffix(SUFFIX)
    if len(rows) < FEWEST_WHITENED:
        raise EncoderError(
            f"{name} compares pictures by how they differ from {FEWEST_WHITENED} others or more, and there are "
            f"{len(rows)}; add pictures, or use {name}{POOLED_SUFFIX}"
        )
    stages = Outputs.of_rows(rows).stages
    arrays = {"mean": stages.mean(axis=0, dtype=np.float64), "deviation": stages.std(axis=0, dtype=np.float64)}
    arrays["deviation"] = np.maximum(arrays["deviation"], _NOTHING * max(arrays["deviation"].max(), _NOTHING))
    unit = _prepared(name, rows, {key: array.astype(np.float32) for key, array in arrays.items()})
    arrays["centre"] = unit.mean(axis=0, dtype=np.float64)
    with threadpool_limits(1):
        arrays["axes"] = _whitening(unit - arrays["centre"])
    if not arrays["axes"].size:
        raise EncoderError(f"all {len(rows)} pictures look equal to {name}; add pictures that differ")
    return _fitted(name, network, arrays)


def _whitening(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The principal axes of centred ``rows`` (n, columns) as columns, each times its variance to the power -0.25."""
    few = len(rows) < rows.shape[1]  # then the products of rows tell the same as those of columns
    squares, vectors = np.linalg.eigh(rows @ rows.T if few else rows.T @ rows)
    squares, vectors = squares[::-1][:MOST_DIM], vectors[:, ::-1][:, :MOST_DIM]
    kept = squares > _NOTHING * max(squares[0], _NOTHING)
    squares, vectors = squares[kept], vectors[:, kept]
    axes = rows.T @ vectors / np.sqrt(squares) if few else vectors
    whitened: npt.NDArray[np.float64] = axes * (squares / len(rows)) ** -POWER
    return whitened


def _prepared(name: str, rows: Vectors, arrays: Mapping[str, npt.NDArray[Any]]) -> Vectors:
    """The encoder's part of the outputs, standardised where it says how, of unit length."""
    outputs = Outputs.of_rows(rows)
    if name.endswith(POOLED_SUFFIX):
        return unit_rows(outputs.pooled)
    return unit_rows((outputs.stages - arrays["mean"]) / arrays["deviation"])


def _sampled(material: Material) -> tuple[EfficientNetLite, Vectors]:
    network, (rows,) = _network(material.bases), material.paired_vectors()
    if not len(rows):
        raise EncoderError(f"{network.name.removesuffix(SUFFIX)} was given 0 pictures; add pictures to the collection")
    if len(rows) > _MOST_FITTED:
        rows = rows[np.sort(np.random.default_rng(material.seed).choice(len(rows), _MOST_FITTED, replace=False))]
    return network, rows


def _fitted(name: str, network: EfficientNetLite, arrays: Mapping[str, npt.NDArray[Any]]) -> NetworkFeatures:
    settings = {"revision": REVISION, "network": network.fingerprint}
    state = EncoderState(name, settings, {key: array.astype(np.float32) for key, array in arrays.items()})
    return NetworkFeatures(state, network)


def _network(bases: Sequence[Encoder]) -> EfficientNetLite:
    (network,) = bases
    if not isinstance(network, EfficientNetLite):
        raise EncoderError(f"{network.name} is no EfficientNet-Lite; its features are made of no other outputs")
    return network
