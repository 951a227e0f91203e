from dataclasses import replace
from pathlib import Path

from tests.galleries import toy_gallery

from vernissage_lab.datasets.captioned import one_caption_each
from vernissage_lab.datasets.kinds import open_dataset
from vernissage_lab.material import in_halves, material_of_set, other_captions
from vernissage_lab.set_encoders import fit_set_encoder


def test_a_set_becomes_pictures_each_with_one_drawn_caption(tmp_path: Path) -> None:
    toy_gallery(tmp_path / "gallery", count=40)
    found = open_dataset("gallery", tmp_path / "gallery", captions=("title", "description"))
    halves = in_halves(found)
    assert sorted(halves.splits.items()) == [("test", 20), ("train", 20)]
    assert in_halves(halves) is halves
    by = fit_set_encoder(halves, "lsa", tmp_path, part="train")
    part = halves.part("test")
    material = material_of_set(part, by, tmp_path, seed=1)
    assert material.modalities == ("text",)
    assert set(material.item_ids) <= {image.id for image in part.images}
    texts = {caption.image_id: caption.text for caption in one_caption_each(part, seed=1).captions}
    expected = by.encoder.encode_texts([texts[image_id] for image_id in material.item_ids])
    assert (material.vectors["text"] == expected).all()
    first, second = other_captions(part, by, tmp_path, seed=1)
    assert len(first) == len(second) <= 20
    assert (first != second).any(axis=1).all()


def test_classes_are_told_apart_by_index_where_two_have_one_name(tmp_path: Path) -> None:
    found = open_dataset("gallery", toy_gallery(tmp_path / "gallery", count=40))
    by = fit_set_encoder(found, "lsa", tmp_path)
    assert material_of_set(found, by, tmp_path).class_names == ("garden", "sea")
    cranes = {image_id: replace(label, label="crane") for image_id, label in found.labels.items()}
    assert material_of_set(replace(found, labels=cranes), by, tmp_path).class_names == ("0 crane", "1 crane")
