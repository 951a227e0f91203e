"""Collections as captioned sets: words as captions, groups as classes."""

from pathlib import Path

import pytest
from PIL import Image

from vernissage.errors import CollectionError
from vernissage_lab.datasets.captioned import DatasetError
from vernissage_lab.datasets.gallery import read_gallery
from vernissage_lab.datasets.kinds import KINDS, open_dataset

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared" / "data"

TABLE = (
    "id,file,title,keywords,description,category,owner,Country\n"
    "a,images/a.png,Frog,frog|pond,A frog in a pond.,animals,ann,France\n"
    "b,images/b.png,Boat,,,things,bob,Peru\n"
    "c,,Newt,newt,,animals,ann,\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "metadata.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "images").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "images" / "a.png")
    return tmp_path


def test_words_are_captions_and_groups_are_classes(folder: Path) -> None:
    found = read_gallery(folder)
    assert [(caption.id, caption.text) for caption in found.captions] == [
        ("a", "Frog. A frog in a pond. frog, pond"),
        ("b", "Boat"),
        ("c", "Newt. newt"),
    ]
    assert found.members == {0: ("a", "c"), 1: ("b",)}
    assert (dict(found.class_names), dict(found.owners)) == (
        {0: "animals", 1: "things"},
        {"a": "ann", "b": "bob", "c": "ann"},
    )
    assert found.image_tags == {"a": ("frog", "pond"), "c": ("newt",)}
    assert found.missing == ("b",)  # c is a text without a picture
    assert found.image_of["a"].path == folder / "images" / "a.png"


def test_captions_and_classes_can_be_chosen(folder: Path) -> None:
    found = read_gallery(folder, captions=("title", "keywords+description"), classes="country")
    assert [(caption.id, caption.text) for caption in found.captions] == [
        ("a#title", "Frog"),
        ("a#keywords+description", "frog, pond. A frog in a pond."),
        ("b#title", "Boat"),
        ("c#title", "Newt"),
        ("c#keywords+description", "newt"),
    ]
    assert dict(found.class_names) == {0: "France", 1: "Peru"}
    assert "c" not in found.labels
    with pytest.raises(
        DatasetError, match="has no column 'epoch'; its columns are id, file, title, keywords, descr.*Country"
    ):
        read_gallery(folder, classes="epoch")


def test_works_without_words_are_counted(folder: Path) -> None:
    with pytest.raises(DatasetError, match="2 of 3 pictures have no caption, the first is b"):
        read_gallery(folder, captions=("description",))
    assert len(read_gallery(folder, captions=("description",), skip_bad=True).images) == 1


def test_story_groups_may_be_needed(tmp_path: Path) -> None:
    table = tmp_path / "paintings.csv"
    table.write_text("painting_id,id,title,Story Group\n000-01,1,Venus,Love\n000-02,2,Mars,War\n", encoding="utf-8")
    found = open_dataset("national-gallery", table)
    assert (dict(found.groups), len(found.members)) == ({"1": "Love", "2": "War"}, 2)
    table.write_text("id,title\n1,Venus\n", encoding="utf-8")
    with pytest.raises(
        DatasetError, match=r"has no column of story groups \(columns: id, title\); add one called story_group"
    ):
        open_dataset("national-gallery", table)


def test_absolute_paths_of_pictures_are_no_part_of_a_set(tmp_path: Path) -> None:
    prints = set()
    for home in ("one", "another/place"):
        folder = tmp_path / home
        folder.mkdir(parents=True)
        Image.new("RGB", (8, 8), (200, 40, 40)).save(folder / "venus.png")
        rows = f"1,Venus,{folder / 'venus.png'},Love\n2,Mars,{folder / 'mars.png'},War\n"
        (folder / "paintings.csv").write_text(f"id,title,image,story_group\n{rows}")
        found = open_dataset("national-gallery", folder / "paintings.csv")
        assert [image.path for image in found.images] == [folder / "venus.png", None]
        assert [image.file for image in found.images] == ["venus.png", "mars.png"]
        prints.add(found.fingerprint)
    assert len(prints) == 1


def test_doubles_damaged_rows_and_nothing(tmp_path: Path) -> None:
    table = tmp_path / "metadata.csv"
    table.write_text("id,title\n1,Venus\n1,Mars\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="the work id 1 stands 2 times"):
        read_gallery(tmp_path)
    table.write_text("id,title\n1,Venus\n2,Mars,too,many\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="1 damaged row, the first: .*the row has 4 cells where the header has 2"):
        read_gallery(tmp_path)
    assert len(read_gallery(tmp_path, skip_bad=True).images) == 1
    table.unlink()
    with pytest.raises(CollectionError, match="holds neither a table named metadata nor pictures"):
        read_gallery(tmp_path)


def test_a_folder_of_pictures_alone(tmp_path: Path) -> None:
    for name in ("animals/red frog.png", "things/old boat.png"):
        (tmp_path / name).parent.mkdir()
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    found = read_gallery(tmp_path)
    assert ([caption.text for caption in found.captions], found.missing) == (["Red frog", "Old boat"], ())
    assert dict(found.class_names) == {0: "animals", 1: "things"}


def test_unknown_kinds_and_options(folder: Path) -> None:
    with pytest.raises(
        DatasetError, match="no kind of data set 'imagenet'; choose from coco-karpathy, coco, flickr30k"
    ):
        open_dataset("imagenet", folder)
    with pytest.raises(DatasetError, match="flickr8k takes no classes"):
        open_dataset("flickr8k", folder, classes="owner")
    assert all(kind.source for kind in KINDS.values())


@pytest.mark.parametrize(
    ("name", "works", "classes", "owners", "missing"),
    [("openclipart", 1976, 70, 363, 0), ("cma_text_open", 1154, 11, 0, 0), ("tate_text", 8000, 14, 0, 0)],
)
def test_real_collections(name: str, works: int, classes: int, owners: int, missing: int) -> None:
    if not (SHARED / name).is_dir():
        pytest.skip(f"{name} is not here")
    found = open_dataset("gallery", SHARED / name)
    assert (len(found.images), len(found.captions)) == (works, works)
    assert (len(found.members), len(set(found.owners.values())), len(found.missing)) == (classes, owners, missing)


def test_another_encoding_is_read_and_told(tmp_path: Path) -> None:
    (tmp_path / "works.csv").write_bytes("id,title\n1,Café\n".encode("latin-1"))
    found = read_gallery(tmp_path / "works.csv")
    assert found.captions[0].text == "Café"
    (remark,) = found.remarks
    assert remark.startswith("the table was read as Windows-1252, for it is not UTF-8")
