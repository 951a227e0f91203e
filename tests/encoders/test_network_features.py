"""Encoders made of a network's outputs: what is fitted, and that works and uploads are read alike."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from vernissage.encoders.contract import EncoderState, Material, unit_rows
from vernissage.encoders.fitted import network_features
from vernissage.encoders.fitted.network_features import NetworkFeatures, fit_pooled, fit_stages
from vernissage.encoders.towers.efficientnet_lite import CLASSES, POOLED, EfficientNetLite, Outputs
from vernissage.errors import EncoderError, ProvenanceError

NAME = "efficientnet-lite0-network"
NETWORK = EfficientNetLite(EncoderState(NAME, {"weights": "", "place": "", "revision": 1}, {}))


def outputs(count: int, seed: int = 0) -> Outputs:
    """Numbers as a network has them: features from 0 to 6, statistics on different scales, probabilities."""
    random = np.random.default_rng(seed)
    pooled = np.maximum(random.normal(size=(count, POOLED)), 0)
    stages = random.normal(size=(count, 40)) @ random.normal(size=(40, 1568)) * np.logspace(-2, 1, 1568) + 5
    probabilities = random.dirichlet(np.full(CLASSES, 0.05), count)
    return Outputs(*(part.astype(np.float32) for part in (pooled, stages, probabilities)))


def rows_of(given: Outputs) -> npt.NDArray[np.float32]:
    return unit_rows(np.concatenate([given.pooled, given.stages, given.probabilities], axis=1))


def material(given: Outputs) -> Material:
    return Material(bases=(NETWORK,), paired_vectors=lambda: (rows_of(given),))


def test_outputs_come_back_out_of_unit_rows() -> None:
    given = outputs(5)
    found = Outputs.of_rows(rows_of(given))
    for part in ("pooled", "stages", "probabilities"):
        assert getattr(found, part) == pytest.approx(getattr(given, part), rel=1e-4, abs=1e-6)


def test_pooled_features_are_of_unit_length_and_centred() -> None:
    given = outputs(30)
    unit = given.pooled / np.linalg.norm(given.pooled, axis=1, keepdims=True)
    expected = unit - unit.mean(axis=0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    encoder = fit_pooled(material(given))
    assert (encoder.name, encoder.dim) == ("efficientnet-lite0-pooled", POOLED)
    assert encoder.of_outputs(rows_of(given)) == pytest.approx(expected, abs=1e-5)
    few = Outputs(given.pooled[:19], given.stages[:19], given.probabilities[:19])
    assert fit_pooled(material(few)).of_outputs(rows_of(few)) == pytest.approx(unit[:19], abs=1e-5)


def test_stages_are_whitened_with_a_quarter_of_the_power() -> None:
    """By a singular value decomposition of the standardised rows, as the published measurement had it."""
    given = outputs(60)
    stages = given.stages.astype(np.float64)
    standard = (stages - stages.mean(axis=0)) / stages.std(axis=0)
    standard /= np.linalg.norm(standard, axis=1, keepdims=True)
    left, sizes, _ = np.linalg.svd(standard - standard.mean(axis=0), full_matrices=False)
    kept = sizes**2 > 1e-6 * sizes[0] ** 2
    expected = (left * sizes**0.5)[:, kept][:, :512]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    encoder = fit_stages(material(given))
    assert encoder.dim == expected.shape[1]
    found = encoder.of_outputs(rows_of(given))
    assert found @ found.T == pytest.approx(expected @ expected.T, abs=2e-3)  # axes have no sign


@pytest.mark.parametrize("shape", [(9, 4), (4, 9)])
def test_whitening_is_the_same_by_products_of_rows_and_of_columns(shape: tuple[int, int]) -> None:
    rows = np.random.default_rng(0).normal(size=shape)
    rows -= rows.mean(axis=0)
    left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
    kept = sizes > 1e-3 * sizes[0]
    expected = (left * sizes * (sizes**2 / len(rows)) ** -0.25)[:, kept]
    found = rows @ network_features._whitening(rows)
    assert found @ found.T == pytest.approx(expected @ expected.T)


def test_a_row_does_not_depend_on_the_others_and_a_saved_encoder_gives_the_same_bits() -> None:
    given = outputs(80)
    for fit in (fit_stages, fit_pooled):
        encoder = fit(material(given))
        whole = encoder.of_outputs(rows_of(given))
        apart = [encoder.of_outputs(rows_of(given)[row : row + 1])[0] for row in range(80)]
        assert np.stack(apart).tobytes() == whole.tobytes()
        again = NetworkFeatures.from_state(encoder.state, NETWORK)
        assert again.fingerprint == encoder.fingerprint == fit(material(given)).fingerprint
        assert again.of_outputs(rows_of(given)).tobytes() == whole.tobytes()


def test_large_collections_are_sampled_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_features, "_MOST_FITTED", 60)
    given = outputs(90)
    prints = {
        seed: fit_stages(Material(bases=(NETWORK,), paired_vectors=lambda: (rows_of(given),), seed=seed)).fingerprint
        for seed in (0, 1)
    }
    assert prints[0] != prints[1]


@pytest.mark.parametrize(
    ("fit", "given", "told"),
    [
        (fit_stages, outputs(49), "from 50 others or more, and there are 49; .* use efficientnet-lite0-pooled"),
        (fit_stages, outputs(0), "efficientnet-lite0 was given 0 pictures"),
        (fit_pooled, outputs(0), "efficientnet-lite0 was given 0 pictures"),
    ],
)
def test_too_few_pictures_are_told(fit: Any, given: Outputs, told: str) -> None:
    with pytest.raises(EncoderError, match=told):
        fit(material(given))


def test_equal_pictures_are_told() -> None:
    one = outputs(1)
    same = Outputs(*(np.repeat(part, 60, axis=0) for part in (one.pooled, one.stages, one.probabilities)))
    with pytest.raises(EncoderError, match="all 60 pictures look equal to efficientnet-lite0"):
        fit_stages(material(same))


def test_states_of_other_networks_or_revisions_are_refused() -> None:
    state = fit_pooled(material(outputs(30))).state
    for settings in ({**state.settings, "revision": 0}, {**state.settings, "network": "0" * 16}):
        with pytest.raises(ProvenanceError, match="again"):
            NetworkFeatures.from_state(EncoderState(state.name, settings, state.arrays), NETWORK)
    with pytest.raises(ProvenanceError, match="again"):
        NetworkFeatures.from_state(EncoderState(state.name, state.settings, {}), NETWORK)
