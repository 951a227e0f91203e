"""Maps for VIKUS Viewer and Embedding Atlas."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from vernissage.errors import RequestError
from vernissage.gallery.gallery import open_gallery
from vernissage.pages.map_exports import write_atlas, write_vikus

PARTS = (("position", "xy"), ("dimension", "wh"))


def test_vikus_and_atlas_have_every_work(workspace: Path, tmp_path: Path) -> None:
    with open_gallery(workspace) as gallery:
        found = gallery.map("colour-texture")
        old = replace(found.items[0], year_from=-39, year_to=-39, keywords=("red, dark", "sea"))
        found = replace(found, items=(old, *found.items[1:]))
        assert write_vikus(found, tmp_path / "data", "Toys", gallery.snapshot.picture_path) == len(found.items)
        write_atlas(found, tmp_path / "works.parquet")
        with pytest.raises(RequestError, match="holds files already"):
            write_vikus(found, tmp_path / "data", "Toys", gallery.snapshot.picture_path)
    ids = [item.id for item in found.items]
    with (tmp_path / "data" / "data.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ids
    assert {"keywords", "year", "_title", "_rights"} <= rows[0].keys()
    assert rows[0]["_title"] == found.items[0].title
    assert (rows[0]["year"], rows[0]["keywords"]) == ("-39", "red; dark,sea"), "read as numbers, and parted at commas"
    sprites = json.loads((tmp_path / "data" / "sprites" / "sprites.json").read_text())
    assert sprites["meta"] == {"type": "pixi-packer", "version": 1}
    placed = {each["name"]: (sheet, each) for sheet in sprites["spritesheets"] for each in sheet["sprites"]}
    assert sorted(placed) == sorted(ids)
    for name in ids[:3]:
        sheet, sprite = placed[name]
        (x, y), (w, h) = ([sprite[part][each] for each in axes] for part, axes in PARTS)
        with Image.open(tmp_path / "data" / "sprites" / sheet["image"]) as image:
            shown = np.asarray(image.crop((x, y, x + w, y + h)).convert("RGB"), dtype=float)
        with Image.open(tmp_path / "data" / "1024" / f"{name}.jpg") as image:
            assert abs(shown.mean() - np.asarray(image.convert("RGB"), dtype=float).mean()) < 3
    config = json.loads((tmp_path / "data" / "config.json").read_text())
    assert config["loader"]["textures"]["medium"]["url"].endswith("sprites/sprites.json")
    table = pq.read_table(tmp_path / "works.parquet")
    assert table.column("id").to_pylist() == ids
    assert np.allclose(table.column("x").to_numpy(), found.points[:, 0])
    assert table.column("text").to_pylist()[0] == found.items[0].text
