"""Settings and tokenizers of encoders' folders, damaged in every way: an encoder, or an error of our own."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("transformers")

from tests.encoders.test_families import FAMILIES, TRANSFORMERS
from tests.encoders.tiny_models import pictures
from tests.mutations import mutations

from vernissage.encoders.loading import load_pretrained
from vernissage.encoders.runtime.onnx import CARD_FILE, Fidelity, OnnxCard, read_card
from vernissage.encoders.runtime.onnx import ExportedTower as Exported
from vernissage.errors import VernissageError

COUNT = int(os.environ.get("VERNISSAGE_MUTATIONS", "4"))
LOADED = {
    "clip": "clip",
    "dual": "dual",
    "sentence": "sentence",
    "resnet50": "resnet50",
    "blip": "blip",
    "blip2": "blip2",
}


@pytest.fixture(scope="module", params=TRANSFORMERS)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return request.param, FAMILIES[request.param].write(tmp_path_factory.mktemp("weights"), 1)


def fault(name: str, place: Path) -> str:
    """What is wrong with how a folder is loaded and used; nothing where it is as it should be."""
    try:
        encoder = load_pretrained(LOADED[name], place)
        if "image" in encoder.modalities:
            encoder.encode_images(pictures()[:2])
        if "text" in encoder.modalities:
            encoder.encode_texts(["a storm at sea"])
    except VernissageError as error:
        return "" if "\n" not in str(error) and len(str(error)) < 2000 else str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def test_damaged_settings_are_refused_by_name(family: tuple[str, Path], tmp_path: Path) -> None:
    name, written = family
    place = Path(shutil.copytree(written, tmp_path / "place"))
    assert load_pretrained(LOADED[name], place)
    assert fault(name, place) == ""
    faults = []
    for number, file in enumerate(sorted(place.rglob("*.json"))):
        whole = file.read_bytes()
        for variant in mutations(whole.decode(), number, COUNT):
            file.write_bytes(variant)
            if wrong := fault(name, place):
                faults.append(f"{file.name} {variant[:200]!r}: {wrong[:300]}")
        file.write_bytes(whole)
    assert not faults, "\n".join(faults[:20])


def test_damaged_cards_of_exports_are_refused_by_name(tmp_path: Path) -> None:
    tower = Exported("text.onnx", "text", "float32", "0" * 64, Fidelity(0.99, 0.999, 12))
    inputs = {"text": {"length": 20}, "image": {"size": 32}}
    OnnxCard("clip", "0" * 16, "1" * 64, 24, 17, inputs, {"torch": "2"}, (tower,)).save(tmp_path)
    file = tmp_path / CARD_FILE
    assert read_card(tmp_path).towers == (tower,)
    for variant in mutations(file.read_text(), 1, 20 * COUNT):
        file.write_bytes(variant)
        with suppress(VernissageError):
            card = read_card(tmp_path)
            assert all(isinstance(each, Exported) for each in card.towers)
            assert np.isfinite(card.dim)
