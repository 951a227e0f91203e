"""The sample gallery is what its table says, the same for the same seed, and never overwrites anything."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from vernissage.errors import RequestError
from vernissage_lab.sample import paint_gallery
from vernissage_lab.sample.gallery import LONG_SIDE, imagine_gallery, jpeg
from vernissage_lab.sample.palettes import PALETTES
from vernissage_lab.sample.plan import GROUPS, SUBJECTS, plan_gallery
from vernissage_lab.sample.techniques import TECHNIQUES


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "gallery"
    assert paint_gallery(out, count=8, seed=5) == 8
    return out


def test_every_row_of_the_table_has_its_picture(gallery: Path) -> None:
    table = rows(gallery / "metadata.csv")
    assert len(table) == 8
    for row in table:
        with Image.open(gallery / row["file_name"]) as picture:
            assert max(picture.size) == LONG_SIDE
            assert picture.mode == "RGB"
    assert {row["group"] for row in table} == set(GROUPS)
    assert all(all(row.values()) for row in table)


def test_factors_name_the_same_works_as_the_table(gallery: Path) -> None:
    factors = rows(gallery / "factors.csv")
    assert [row["id"] for row in factors] == [row["id"] for row in rows(gallery / "metadata.csv")]
    assert list(factors[0]) == ["id", "subject", "palette", "composition", "technique", "mood"]


@pytest.mark.long
def test_equal_seeds_give_equal_bytes(gallery: Path, tmp_path: Path) -> None:
    paint_gallery(tmp_path, count=8, seed=5)
    names = sorted(path.relative_to(gallery) for path in gallery.rglob("*.*"))
    assert len(names) == 11
    for name in names:
        assert (gallery / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.long
def test_another_seed_tells_and_paints_something_else(gallery: Path) -> None:
    ours, theirs = imagine_gallery(8, 5), imagine_gallery(8, 6)
    assert all(one.words != other.words for one, other in zip(ours, theirs, strict=True))
    assert jpeg(ours[7]) == (gallery / "images/v008.jpg").read_bytes() != jpeg(theirs[7])


def test_a_folder_with_files_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RequestError, match="not empty"):
        paint_gallery(tmp_path, count=8)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(RequestError, match="not a folder"):
        paint_gallery(tmp_path / "out", count=8)


@pytest.mark.parametrize("count", [-1, 0, 7, 1000])
def test_a_silly_count_is_refused_before_anything_is_written(tmp_path: Path, count: int) -> None:
    with pytest.raises(RequestError, match="from 8 to 999"):
        paint_gallery(tmp_path / "out", count=count)
    assert not (tmp_path / "out").exists()


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="seed -1"):
        paint_gallery(tmp_path / "out", count=8, seed=-1)


def test_an_interrupted_painting_leaves_no_table(tmp_path: Path) -> None:
    def interrupt(step: str, done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint_gallery(tmp_path / "out", count=8, progress=interrupt)
    assert not (tmp_path / "out/metadata.csv").exists()


def test_groups_are_even_and_every_palette_and_technique_meets_nearly_every_subject() -> None:
    plans = plan_gallery(240, 2023)
    assert set(Counter(plan.group for plan in plans).values()) == {30}
    for factor, levels in (("palette", PALETTES), ("technique", TECHNIQUES)):
        met = {(plan.subject, getattr(plan, factor)) for plan in plans}
        assert len(met) == len(SUBJECTS) * len(levels)


def test_a_longer_gallery_begins_like_a_shorter_one() -> None:
    assert plan_gallery(240, 3)[:24] == plan_gallery(24, 3)


def test_descriptions_are_all_different_and_two_sentences_long() -> None:
    descriptions = [work.words.description for work in imagine_gallery(240, 2023)]
    assert len(set(descriptions)) == 240
    assert all(text.count(".") == 2 and text.endswith(".") for text in descriptions)
    assert not any(mark in text for text in descriptions for mark in "[]{}|")


def test_what_is_counted_in_the_facts_is_said_in_the_words() -> None:
    numbers = {1: "a", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
    nouns = {
        "harbour": ("boats", "fishing boat"),
        "open sea": ("sails", "sailing boat"),
        "harvest": ("stacks", "haystack"),
    }
    works = [work for work in imagine_gallery(240, 2023) if work.plan.subject in nouns]
    assert len(works) == 45
    for work in works:
        fact, noun = nouns[work.plan.subject]
        assert f"{numbers[work.facts[fact]]} {noun}" in work.words.description.lower()
