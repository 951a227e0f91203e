"""What a workspace's encoders understand of its collection, where it is known by construction."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vernissage.gallery.diagnosis import Diagnosis, Recall
from vernissage.gallery.gallery import open_gallery
from vernissage.workspace.build import build_workspace

COLOURS = {"red": 0, "yellow": 40, "green": 85, "cyan": 128, "blue": 170, "violet": 210}


def _gallery(folder: Path, rows: list[dict[str, str]], hues: list[int] | None = None) -> Path:
    (folder / "images").mkdir(parents=True)
    for number, row in enumerate(rows):
        if hues is not None:
            row["file_name"] = f"images/{row['id']}.png"
            noise = np.random.default_rng(number).normal([hues[number], 200, 200], 12, (24, 32, 3))
            pixels = np.clip(noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels, "HSV").convert("RGB").save(folder / row["file_name"])
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def _diagnosed(folder: Path, **options: Any) -> Diagnosis:
    workspace = folder.with_name(f"{folder.name}-workspace")
    build_workspace(folder, workspace, **options)
    with open_gallery(workspace, people=False) as gallery:
        return gallery.diagnose()


def _coloured(words: list[str], hues: list[str], folder: Path) -> Diagnosis:
    things = ["boat", "chair", "house", "tree", "dog"]
    rows = [
        {"id": f"w{number}", "description": f"A {word} {things[number % 5]} on a {word} ground, painted {word}."}
        for number, word in enumerate(words)
    ]
    encoders = ["lsa", "colour-texture", "aligned"]
    return _diagnosed(_gallery(folder, rows, [COLOURS[hue] for hue in hues]), encoders=encoders)


def test_texts_that_name_what_is_shown_find_their_pictures(tmp_path: Path) -> None:
    colours = [list(COLOURS)[number * 7 % 6] for number in range(120)]
    shuffled = np.random.default_rng(1).permutation(colours).tolist()
    named, unrelated = _coloured(colours, colours, tmp_path / "a"), _coloured(colours, shuffled, tmp_path / "b")
    assert named.by_pictures == "aligned"
    assert named.languages[0].pictures is not None
    assert named.languages[0].pictures.verdict == "understood"
    # Measured on the works that it was fitted on, this would look understood as well.
    assert unrelated.languages[0].pictures is not None
    assert unrelated.languages[0].pictures.verdict == "not understood"
    assert any("pictures hardly more often than by chance" in line for line in unrelated.advice)


def test_languages_are_told_apart(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    english = ["harbour", "ship", "orchard", "bench", "lighthouse", "mountain", "bridge", "market", "church", "winter"]
    german = ["Hafen", "Schiff", "Garten", "Bank", "Leuchtturm", "Gebirge", "Brücke", "Markt", "Kirche", "Winter"]
    rows = []
    for number in range(60):
        one, two, three = random.permutation(english)[:3]
        half = f"This is the {one} with the {two} and there was the {three} which we have seen"
        rows.append({"id": f"e{number}", "description": f"{half}. {half} {number}."})
        first, second = random.permutation(german)[:3], random.permutation(german)[:3]
        halves = [f"Das ist der {a} mit dem {b} und daneben war auch noch der {c}" for a, b, c in (first, second)]
        rows.append({"id": f"g{number}", "description": f"{halves[0]}. {halves[1]}."})
    found = _diagnosed(_gallery(tmp_path / "a", rows), encoders=["lsa"], languages=["en", "de"])
    verdicts = {each.code: each.texts_found.verdict for each in found.languages if each.texts_found}
    assert verdicts == {"en": "understood", "de": "not understood"}
    assert [line for line in found.advice if "texts in 'de'" in line]
    assert not [line for line in found.advice if "texts in 'en'" in line]


def test_a_small_collection_is_not_judged(built: Path) -> None:
    with open_gallery(built, people=False) as gallery:
        found = gallery.diagnose()
    assert all(each.fair <= each.strong for kinds in found.bands.values() for each in kinds.values())
    assert found.bands.keys() >= {"lda", "lsa", "colour-texture"}
    assert found.works == 64
    assert found.to_dict()["languages"][0]["texts"] == 64


def test_too_few_are_not_judged() -> None:
    assert Recall(19, 400, 1.0).verdict == "too few to tell"
    assert Recall(400, 20, 1.0).verdict == "too few to tell"
    assert Recall(100, 1000, 0.5).verdict == "understood"
    assert Recall(100, 1000, 0.01).verdict == "not understood"
