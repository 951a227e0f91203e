from pathlib import Path

import pytest
from PIL import Image

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item


@pytest.fixture
def gallery(tmp_path: Path) -> Collection:
    """Six works: four with pictures (one much wider than high), one of words alone, one with nothing but an id."""
    items = []
    for number, (size, colour) in enumerate(
        [((64, 48), "red"), ((300, 20), "blue"), ((40, 90), "green"), ((10, 10), "grey")]
    ):
        Image.new("RGB", size, colour).save(tmp_path / f"{number}.png")
        items.append(
            Item(
                id=f"p{number}",
                title=f"Picture {number}",
                artist=f"Painter {number}",
                year="c. 1710",
                group="ab"[number % 2],
                licence="CC0 1.0",
                picture=f"{number}.png",
            )
        )
    prose = "A long walk by the sea. " * 12
    items.append(Item(id="words", title="Of the Sea", artist="A Writer", description=prose, group="b"))
    items.append(Item(id="bare"))
    return Collection(items, tmp_path)
