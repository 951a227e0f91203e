"""What every family with weights promises beside its vectors, on tiny random weights."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.encoders import tiny_blip
from tests.encoders.tiny_albef import settle_published
from tests.encoders.tiny_models import (
    change,
    openai_clip,
    pictures,
    write_bert_folder,
    write_clip_folder,
    write_merges,
    write_resnet_folder,
    write_siglip,
)

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.loading import restore
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.towers.albef import ALBEF, load_albef
from vernissage.encoders.towers.blip import BLIP, load_blip
from vernissage.encoders.towers.blip2 import BLIP2, load_blip2
from vernissage.encoders.towers.clip import CLIP, load_clip, load_original
from vernissage.encoders.towers.dual import DualEncoder, load_dual
from vernissage.encoders.towers.resnet import ResNet50, load_resnet
from vernissage.encoders.towers.sentence import SentenceEncoder, load_sentence
from vernissage.errors import EncoderError, ProvenanceError

torch = pytest.importorskip("torch")
save_file = pytest.importorskip("safetensors.torch").save_file

TEXTS = ["a storm at sea", "", "the ship in the garden", "sea", "a rose"]


def clip_file(folder: Path, seed: int) -> Path:
    save_file(openai_clip(seed), folder / "clip.safetensors")
    write_merges(folder / "bpe_tiny.txt")
    return folder / "clip.safetensors"


def clip_folder(folder: Path, seed: int) -> Path:
    write_clip_folder(folder / "clip", load_original(clip_file(folder, seed), Runtime())[0])
    return folder / "clip"


def siglip_folder(folder: Path, seed: int) -> Path:
    write_siglip(folder, seed=seed)
    return folder


def bert_folder(folder: Path, seed: int) -> Path:
    write_bert_folder(folder, ["a", "storm", "at", "sea", "ship", "rose", "in", "the", "garden"], seed=seed)
    return folder


@dataclass(frozen=True)
class Family:
    """How one kind of weights is written, loaded and loaded again."""

    write: Callable[[Path, int], Path]
    load: Callable[..., Any]
    encoder: Any
    settings: str = "config.json"


FAMILIES = {
    "albef": Family(settle_published, load_albef, ALBEF, settings=""),
    "blip": Family(tiny_blip.save_folder, load_blip, BLIP),
    "blip, the authors' file": Family(tiny_blip.save_original, load_blip, BLIP, settings=""),
    "blip2": Family(tiny_blip.save_blip2_folder, load_blip2, BLIP2),
    "clip": Family(clip_folder, load_clip, CLIP),
    "clip, OpenAI's file": Family(clip_file, load_clip, CLIP, settings=""),
    "dual": Family(siglip_folder, load_dual, DualEncoder),
    "resnet50": Family(write_resnet_folder, load_resnet, ResNet50),
    "sentence": Family(bert_folder, load_sentence, SentenceEncoder),
}
OF_ONE_FILE = ["albef", "blip, the authors' file", "clip, OpenAI's file"]
TRANSFORMERS = [name for name, family in FAMILIES.items() if family.settings]


@dataclass(frozen=True)
class Loaded:
    """A family's weights and the encoder made from them; read them only."""

    family: Family
    place: Path
    encoder: Any


@pytest.fixture(scope="module", params=FAMILIES)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    family = FAMILIES[request.param]
    place = family.write(tmp_path_factory.mktemp("weights"), 1)
    return Loaded(family, place, family.load(place))


def vectors(encoder: Any) -> dict[str, Any]:
    """Of what the encoder reads."""
    found = {}
    if "image" in encoder.modalities:
        found["image"] = encoder.encode_images(pictures())
    if "text" in encoder.modalities:
        found["text"] = encoder.encode_texts(TEXTS)
    return found


def moved(place: Path, folder: Path) -> Path:
    """A copy of the weights, and of what lies beside them, in another folder."""
    if place.is_dir():
        return Path(shutil.copytree(place, folder / "moved"))
    return Path(shutil.copytree(place.parent, folder / "moved")) / place.name


def test_weights_may_move(loaded: Loaded, tmp_path: Path) -> None:
    elsewhere = loaded.family.load(moved(loaded.place, tmp_path))
    assert elsewhere.state.settings["place"] != loaded.encoder.state.settings["place"]
    assert elsewhere.fingerprint == loaded.encoder.fingerprint
    for modality, rows in vectors(loaded.encoder).items():
        assert vectors(elsewhere)[modality].tobytes() == rows.tobytes()


@pytest.mark.parametrize("name", OF_ONE_FILE)
def test_a_file_may_be_called_otherwise(name: str, tmp_path: Path) -> None:
    family = FAMILIES[name]
    file = family.write(tmp_path, 1)
    before = family.load(file).fingerprint
    assert family.load(file.rename(file.with_stem("another-name"))).fingerprint == before


def test_other_weights_and_another_precision_have_another_fingerprint(loaded: Loaded, tmp_path: Path) -> None:
    other = loaded.family.load(loaded.family.write(tmp_path, 2))
    coarse = loaded.family.load(loaded.place, runtime=Runtime(precision="bfloat16"))
    assert len({loaded.encoder.fingerprint, other.fingerprint, coarse.fingerprint}) == 3


def test_a_saved_state_brings_back_the_same_bits(loaded: Loaded, tmp_path: Path) -> None:
    loaded.encoder.state.save(tmp_path)
    again = restore(loaded.encoder.name, EncoderState.load(tmp_path))
    assert (again.name, again.fingerprint) == (loaded.encoder.name, loaded.encoder.fingerprint)
    assert not again.state.arrays
    for modality, rows in vectors(loaded.encoder).items():
        assert vectors(again)[modality].tobytes() == rows.tobytes()


def test_a_row_depends_on_its_own_work_alone(loaded: Loaded) -> None:
    one_by_one = loaded.family.load(loaded.place, runtime=Runtime(batch_size=1))
    for modality, rows in vectors(loaded.encoder).items():
        np.testing.assert_allclose(vectors(one_by_one)[modality], rows, atol=1e-6, rtol=0)


def test_rows_are_units_or_zeros_where_there_is_nothing_to_read(loaded: Loaded) -> None:
    encoder = loaded.encoder
    for modality, rows in vectors(encoder).items():
        assert (rows.dtype, rows.shape) == (np.float32, (5, encoder.dim))
        blank = modality == "text" and encoder.name in {"clip", "dual", "sentence"}
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0 if blank else 1, 1, 1, 1], atol=1e-6)
        nothing = encoder.encode_images([]) if modality == "image" else encoder.encode_texts([])
        assert nothing.shape == (0, encoder.dim)


def test_other_weights_at_the_same_place_are_refused(loaded: Loaded, tmp_path: Path) -> None:
    state = loaded.family.load(loaded.family.write(tmp_path, 1)).state
    loaded.family.write(tmp_path, 2)
    with pytest.raises(ProvenanceError, match="are not those that the vectors were made with"):
        restore(loaded.encoder.name, state)


def test_another_encoder_s_state_is_refused(loaded: Loaded) -> None:
    other = EncoderState("lda", loaded.encoder.state.settings, {})
    with pytest.raises(ProvenanceError, match="but this one is of 'lda'"):
        restore(loaded.encoder.name, other)


def test_half_a_state_is_refused(loaded: Loaded) -> None:
    state = loaded.encoder.state
    for lacking in ("place", "weights", "precision"):
        rest = {key: value for key, value in state.settings.items() if key != lacking}
        with pytest.raises(ProvenanceError, match=f"not whole .no {lacking}"):
            restore(loaded.encoder.name, EncoderState(state.name, rest, {}))


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_settings_of_the_wrong_kind_are_told_in_one_line(name: str, tmp_path: Path) -> None:
    family = FAMILIES[name]
    place = family.write(tmp_path, 1)
    nested = {"vision_config": {"hidden_size": "big"}, "text_config": {"hidden_size": "big"}}
    flat = {"hidden_size": "big", "hidden_sizes": "big", "image_text_hidden_size": "big"}
    change(place / family.settings, **nested, **flat)
    with pytest.raises(EncoderError, match=r"config.json") as caught:
        family.load(place)
    assert "big" in str(caught.value)
    assert "\n" not in str(caught.value)
