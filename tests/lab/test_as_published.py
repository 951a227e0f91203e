"""What the second paper's released code does otherwise: raw lengths, users that are dealt classes, its t-SNE."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.galleries import toy_gallery
from tests.lab.separable import QUERY, separable

from vernissage.encoders.contract import unit_rows
from vernissage.encoders.raw_lengths import RawLengths
from vernissage.errors import EncoderError
from vernissage.profiles.reduction import PrincipalComponents, StandardisedTSNE
from vernissage.progress import silent
from vernissage.values import Modality, Vectors
from vernissage_lab.cells import Cells
from vernissage_lab.datasets.kinds import open_dataset
from vernissage_lab.lists import index_of
from vernissage_lab.material import material_of_set
from vernissage_lab.recipes.ablation import AblationOptions, run_ablation
from vernissage_lab.set_encoders import SetEncoder, in_raw_lengths
from vernissage_lab.tables import where
from vernissage_lab.users import protocol_of, simulated_users


class Counting:
    """Texts as how often they hold each of three letters, and pictures as their red, green and blue."""

    name, dim, fingerprint = "counting", 3, "counting"
    modalities: frozenset[Modality] = frozenset({"image", "text"})

    def image_features(self, images: Sequence[Image.Image]) -> Vectors:
        return np.array([image.resize((1, 1)).getpixel((0, 0)) for image in images], dtype=np.float32)

    def text_features(self, texts: Sequence[str]) -> Vectors:
        return np.array([[text.count(letter) for letter in "aeo"] for text in texts], dtype=np.float32)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        return unit_rows(self.image_features(images))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return unit_rows(self.text_features(texts))


def test_raw_vectors_are_those_of_the_network_under_another_fingerprint() -> None:
    raw = RawLengths(Counting())
    assert raw.encode_texts(["banana", "a"]).tolist() == [[3, 0, 0], [1, 0, 0]]
    assert raw.encode_images([Image.new("RGB", (4, 4), (10, 20, 30))]).tolist() == [[10, 20, 30]]
    assert (raw.name, raw.dim, raw.modalities) == ("counting", 3, {"image", "text"})
    assert raw.fingerprint != Counting.fingerprint
    assert raw.variant == ""


def test_a_record_says_which_model_a_name_means(tmp_path: Path) -> None:
    class Named(Counting):
        variant = "ViT-B/32"

    toy_gallery(tmp_path / "gallery", count=20)
    found = open_dataset("gallery", tmp_path / "gallery")
    for by in (SetEncoder(Named(), ""), in_raw_lengths(SetEncoder(Named(), ""))):
        assert material_of_set(found, by, tmp_path).describe()["encoder_variant"] == "ViT-B/32"
    assert "encoder_variant" not in material_of_set(found, SetEncoder(Counting(), ""), tmp_path).describe()


def test_of_a_picture_with_several_queries_the_first_counts() -> None:
    class Queries(Counting):
        def image_features(self, images: Sequence[Image.Image]) -> Vectors:
            return np.stack([super().image_features(images)] * 2, axis=1) * np.array([[[2], [1]]], dtype=np.float32)

    raw = RawLengths(Queries())
    assert raw.encode_images([Image.new("RGB", (2, 2), (1, 2, 3))]).tolist() == [[2, 4, 6]]


def test_an_encoder_without_a_network_is_refused() -> None:
    with pytest.raises(EncoderError, match="counting has no vectors but those of length 1; take an encoder with a net"):
        in_raw_lengths(SetEncoder(object.__new__(_Plain), "nothing"))


def test_albef_keeps_the_length_that_the_released_code_gives_it() -> None:
    class Albef(Counting):
        name = "albef"

    by = SetEncoder(Albef(), "nothing")
    assert in_raw_lengths(by) is by


class _Plain:
    name = "counting"
    modalities: frozenset[Modality] = frozenset({"text"})


def test_areas_see_raw_vectors_and_searches_unit_ones(tmp_path: Path) -> None:
    rows = [f"{n},{'a' * (n % 5 + 1)}{'e' * (n % 3)},{n % 2},label{n % 2},," for n in range(15)]
    (tmp_path / "set.csv").write_text("id,caption,class_index,label,img_tags,txt_tags\n" + "\n".join(rows) + "\n")
    found = open_dataset("classified", tmp_path / "set.csv")

    class Texts(Counting):
        modalities: frozenset[Modality] = frozenset({"text"})

    by = in_raw_lengths(SetEncoder(Texts(), "nothing of this set"))
    material = material_of_set(found, by, tmp_path)
    lengths = np.linalg.norm(material.vectors["text"], axis=1)
    assert not material.unit
    assert lengths.max() == pytest.approx(np.hypot(5, 2))
    index = index_of(material, "text", material.vectors["text"], [f"w{row}" for row in range(len(material))])
    assert np.linalg.norm(index.search(unit_rows(np.ones((1, 3))), 12)[0].scores, ord=np.inf) <= 1


def test_users_are_dealt_the_classes_as_cards() -> None:
    protocol = protocol_of(separable().classes, query_classes=QUERY, pool=30)
    for interests in (1, 2, 3, 4):
        hands = QUERY // interests
        people = list(simulated_users(protocol, interests=interests, points=3, users=2 * hands, seed=5, dealt=True))
        for deal in (people[:hands], people[hands:]):
            dealt = [each for user in deal for each in dict.fromkeys(user.interests.tolist())]
            assert len(set(dealt)) == len(dealt) == hands * interests  # nobody else has it
        few = list(simulated_users(protocol, interests=interests, points=3, users=1, seed=5, dealt=True))
        assert few[0].pool.tolist() == people[0].pool.tolist()  # more people change nothing for the first
    orders = {
        tuple(
            user.interests[0] for user in simulated_users(protocol, interests=1, points=3, users=6, seed=s, dealt=True)
        )
        for s in range(5)
    }
    assert len(orders) > 1


def test_an_ablation_as_published_asks_for_every_class_once() -> None:
    options = AblationOptions(Path(), classes="1,2,4", points="5", query_classes=QUERY, pool=40, as_published=True)
    assert list(options.projections) == ["none", "pca", "tsne"]
    assert list(options.clusterings) == ["ward:5"]
    found = run_ablation([separable()], options, Cells())
    for classes, users in ((1, 6), (2, 3), (4, 1)):
        some = where(found.tables["values"], classes=classes, task="text-to-text", projection="none", seed="centroid")
        assert len(some) == users
    [dealt] = [note for note in found.notes if "dealt to users once" in note]
    assert "(6 with 1 class, 3 with 2 classes, 1 with 4 classes)" in dealt
    assert "clustered in length 1" in dealt
    assert any("tsne starts anywhere" in note for note in found.notes)
    assert any("HDBSCAN, which is not offered" in note for note in found.notes)
    own = replace(options, clustering=["ward:2"], projection=["none"], classes="1")
    assert not any(
        "starts anywhere" in note or "HDBSCAN" in note for note in run_ablation([separable()], own, Cells()).notes
    )
    assert options.record()["users"] == "dealt once"
    assert not any("users in each cell" in note for note in found.notes)


def test_own_rules_are_kept_as_published() -> None:
    options = AblationOptions(Path(), clustering=["coherence"], projection=["pca:3"], as_published=True)
    assert list(options.clusterings) == ["coherence"]
    assert options.projections == {"pca:3": PrincipalComponents(3)}


def test_tsne_of_standardised_vectors_ignores_scales_and_follows_the_seed() -> None:
    rows = np.random.default_rng(3).normal(size=(20, 4))
    stretched = rows * np.array([1.0, 64.0, 0.25, 8.0]) + 4.0  # powers of two leave no rounding
    stretched[:, 2] = stretched[0, 2]  # a dimension that tells nothing
    rows[:, 2] = 0.0
    planes = [StandardisedTSNE().apply(each, seed=1, progress=silent) for each in (rows, stretched)]
    assert planes[0].shape == (20, 2)
    assert np.isfinite(planes[1]).all()
    assert (planes[0] == StandardisedTSNE().apply(rows, seed=1, progress=silent)).all()
    assert (planes[0] != StandardisedTSNE().apply(rows, seed=2, progress=silent)).any()
    few = StandardisedTSNE().apply(np.array([[1.0, 5.0], [3.0, 5.0]]), seed=0, progress=silent)
    assert sorted(few[:, 0].tolist()) == pytest.approx([-1.0, 1.0])
    many = np.random.default_rng(4).normal(size=(70, 60))
    assert StandardisedTSNE().apply(many, seed=1, progress=silent).shape == (70, 2)
