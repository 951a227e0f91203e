import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.encoders.centring import without_mean
from vernissage.encoders.contract import EncoderState, unit_rows
from vernissage.errors import ProvenanceError, RequestError
from vernissage.search.modality_means import ModalityMeans, fit_modality_means, fitting_half
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.values import Modality

IDS = [f"w{number}" for number in range(40)]


def table(modality: Modality, vectors: np.ndarray, ids: list[str] = IDS, fingerprint: str = "f") -> VectorTable:
    return make_vector_table(
        unit_rows(vectors),
        ids,
        [""] * len(ids),
        encoder="toy",
        fingerprint=fingerprint,
        modality=modality,
        collection="c",
    )


@pytest.fixture
def tables() -> tuple[VectorTable, VectorTable]:
    random = np.random.default_rng(0)
    shift = np.array([2.0, 0, 0, 0])
    return table("image", random.standard_normal((40, 4)) + shift), table(
        "text", random.standard_normal((40, 4)) - shift
    )


def test_means_are_of_one_half_of_the_works(tables: tuple[VectorTable, VectorTable]) -> None:
    means = fit_modality_means(*tables, seed=3)
    half = fitting_half(IDS, 3)
    assert means.image == pytest.approx(tables[0].vectors[half].mean(axis=0, dtype=np.float64))
    assert means["text"] == pytest.approx(tables[1].vectors[half].mean(axis=0, dtype=np.float64))
    assert (means.image_rows, means.text_rows, means.seed) == (20, 20, 3)
    closed = [
        without_mean(side.vectors[~half], mean) for side, mean in zip(tables, (means.image, means.text), strict=True)
    ]
    assert np.linalg.norm(closed[0].mean(axis=0) - closed[1].mean(axis=0)) < 0.5
    assert np.linalg.norm(tables[0].vectors.mean(axis=0) - tables[1].vectors.mean(axis=0)) > 1


def test_means_come_back_as_they_were_saved(tables: tuple[VectorTable, VectorTable], tmp_path: Path) -> None:
    means = fit_modality_means(*tables)
    for name in ("one", "two"):
        means.save(tmp_path / name)
    again = ModalityMeans.load(tmp_path / "one")
    assert again.fingerprint == means.fingerprint
    assert again.image.tobytes() == means.image.tobytes()
    assert (again.encoder, again.text_rows) == ("toy", 20)
    for file in ("arrays.npz", "model.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_means_of_another_encoder_are_refused(tables: tuple[VectorTable, VectorTable]) -> None:
    means = fit_modality_means(*tables)
    assert means.require("f") is means
    with pytest.raises(ProvenanceError, match=r"fitted to vectors of f, but these are of g; run `vernissage build`"):
        means.require("g")
    with pytest.raises(ProvenanceError, match="share no space"):
        fit_modality_means(tables[0], table("text", np.ones((40, 4)), fingerprint="g"))
    with pytest.raises(ProvenanceError, match="were given text and image"):
        fit_modality_means(tables[1], tables[0])


def test_damaged_or_foreign_means_are_refused(tables: tuple[VectorTable, VectorTable], tmp_path: Path) -> None:
    means = fit_modality_means(*tables)
    means.save(tmp_path)
    card = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(card | {"settings": card["settings"] | {"seed": 9}}))
    with pytest.raises(ProvenanceError, match="does not match its card"):
        ModalityMeans.load(tmp_path)
    state = means.state
    wrong = [
        EncoderState("lsa", state.settings, state.arrays),
        EncoderState(state.name, {**state.settings, "version": 2}, state.arrays),
        EncoderState(state.name, state.settings, {"image": means.image}),
        EncoderState(state.name, state.settings, {"image": means.image, "text": means.text[:2]}),
        EncoderState(state.name, state.settings, {"image": means.image, "text": means.text + np.nan}),
        EncoderState(state.name, state.settings, {"image": means.image, "text": means.text + 9}),
    ]
    for number, each in enumerate(wrong):
        each.save(tmp_path / str(number))
        with pytest.raises(ProvenanceError, match="vernissage build"):
            ModalityMeans.load(tmp_path / str(number))


def test_a_half_without_one_modality_is_refused() -> None:
    with pytest.raises(RequestError, match="have 0 pictures and 20 texts"):
        fit_modality_means(table("image", np.ones((0, 3)), ids=[]), table("text", np.ones((40, 3))))


@settings(deadline=None)
@given(st.lists(st.text(max_size=5), unique=True, max_size=30), st.integers(0, 5))
def test_halves_do_not_depend_on_the_order_of_works(ids: list[str], seed: int) -> None:
    half = dict(zip(ids, fitting_half(ids, seed), strict=True))
    assert sum(half.values()) == (len(ids) + 1) // 2
    assert dict(zip(ids[::-1], fitting_half(ids[::-1], seed), strict=True)) == half


def test_another_seed_takes_another_half() -> None:
    assert fitting_half(IDS, 0).tolist() != fitting_half(IDS, 1).tolist()
