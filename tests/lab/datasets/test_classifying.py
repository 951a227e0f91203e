"""Classification: what is certain stays, by index; interrupted, it goes on; missing pictures are counted."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from tests.encoders.tiny_models import write_resnet_folder

from vernissage.encoders.towers.resnet import Classification, load_resnet
from vernissage.errors import EncoderError
from vernissage_lab.datasets.captioned import Caption, CaptionedSet, DatasetError, ImageEntry, Label
from vernissage_lab.datasets.classified import read_classified, write_classified
from vernissage_lab.datasets.classifying import classify


class ByColour:
    """Sees a bird in red, a machine in green, both called crane; the brighter, the surer."""

    def __init__(self, fingerprint: str = "c0") -> None:
        self.fingerprint = fingerprint
        self.seen = 0

    def classify(self, images: Sequence[Image.Image]) -> list[Classification]:
        self.seen += len(images)
        found = []
        for image in images:
            red, green, _ = image.getpixel((0, 0))  # type: ignore[misc]
            found.append(Classification(134 if red > green else 517, "crane", max(red, green) / 200))
        return found


COLOURS = {"bird": (200, 0, 0), "machine": (0, 180, 0), "dim": (178, 0, 0), "bird 2": (190, 10, 0)}


@pytest.fixture
def painted(tmp_path: Path) -> CaptionedSet:
    images = []
    for name, colour in COLOURS.items():
        path = tmp_path / f"{name}.png"
        Image.new("RGB", (4, 4), colour).save(path)
        images.append(ImageEntry(name, path.name, path, size=path.stat().st_size))
    images.append(ImageEntry("gone", "gone.png"))
    captions = tuple(Caption(f"{image.id}#0", image.id, f"A {image.id}.") for image in images)
    return CaptionedSet("cranes", "made here", tuple(images), captions)


def test_certain_classes_stay_and_are_told_apart_by_index(painted: CaptionedSet) -> None:
    found = classify(painted, ByColour())  # 1.0, .9, .89, .95: at the threshold is certain enough
    assert found.members == {134: ("bird", "bird 2"), 517: ("machine",)}
    assert found.labels["machine"] == Label(517, "crane", 0.9)
    assert [caption.image_id for caption in found.captions] == ["bird", "machine", "bird 2"]
    assert found.remarks == (
        "3 of 4 pictures have a class with a probability of 0.9 or more",
        "left out: 1 picture without a file",
    )


def test_the_classified_set_is_read_again_from_its_table(painted: CaptionedSet, tmp_path: Path) -> None:
    found = classify(painted, ByColour())
    write_classified(found, tmp_path / "classified.csv")
    again = read_classified(tmp_path / "classified.csv")
    assert again.fingerprint == found.fingerprint
    assert [image.path for image in again.images] == [image.path for image in found.images]


def test_finished_blocks_are_not_read_again_by_the_same_classifier(painted: CaptionedSet, tmp_path: Path) -> None:
    building = tmp_path / "building"
    first = classify(painted, ByColour(), building=building)
    same, other = ByColour(), ByColour("other weights")
    assert classify(painted, same, building=building) == first
    classify(painted, other, building=building)
    assert (same.seen, other.seen) == (0, 4)
    next(iter(sorted(building.iterdir()))).write_bytes(b"damaged")
    damaged = ByColour()
    assert classify(painted, damaged, building=building) == first


def test_what_cannot_be_classified_is_told(painted: CaptionedSet) -> None:
    with pytest.raises(
        DatasetError, match="no class of the 4 pictures of cranes has a probability of 1 or more .*--at-lea"
    ):
        classify(painted.keeping([*COLOURS, "gone"]), _Dull(), at_least=1)
    with pytest.raises(EncoderError, match=r"a probability lies from 0 to 1, but 1.5 was given"):
        classify(painted, ByColour(), at_least=1.5)
    nothing = replace(painted, images=tuple(replace(image, path=None, size=0) for image in painted.images))
    with pytest.raises(DatasetError, match="has none of its 5 pictures here, so they cannot be classified.*--pictures"):
        classify(nothing, ByColour())


class _Dull(ByColour):
    """Is never sure."""

    def classify(self, images: Sequence[Image.Image]) -> list[Classification]:
        return [Classification(0, "tench", 0.5) for _ in images]


def test_resnet_itself_gives_the_classes(painted: CaptionedSet, tmp_path: Path) -> None:
    pytest.importorskip("torch").set_num_threads(1)
    model = load_resnet(write_resnet_folder(tmp_path / "resnet"))
    found = classify(painted, model, at_least=0)
    there = [image for image in painted.images if image.path is not None]
    for image in there:
        with Image.open(str(image.path)) as picture:
            expected = model.classify([picture.convert("RGB")])[0]
        label = found.labels[image.id]
        assert (label.index, label.label) == (expected.index, expected.label)
        assert label.probability == pytest.approx(expected.probability, abs=1e-6)
