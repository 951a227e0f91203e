"""Classified tables: the authors' form without a header, forms with one, and what we write ourselves."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vernissage_lab.datasets.captioned import Caption, CaptionedSet, DatasetError, ImageEntry, Label
from vernissage_lab.datasets.classified import read_classified, write_classified

AS_PUBLISHED = (
    '11,"Two cranes wade , slowly .",134,crane,"bird,water,bird","crane,wade"\n'
    '12,A crane lifts a beam .,517,crane,",rock,climbing","crane,lift,beam"\n'
    '13,A dog,208,"Labrador retriever, dog",,\n'
)


def _write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def test_the_published_form_has_no_header(tmp_path: Path) -> None:
    found = read_classified(_write(tmp_path / "flickr30k_classified_tags.csv", AS_PUBLISHED))
    assert [(caption.id, caption.text) for caption in found.captions] == [
        ("11#0", "Two cranes wade , slowly ."),
        ("12#0", "A crane lifts a beam ."),
        ("13#0", "A dog"),
    ]
    assert found.members == {134: ("11",), 208: ("13",), 517: ("12",)}
    assert found.labels["13"] == Label(208, "Labrador retriever, dog")
    assert found.image_tags == {"11": ("bird", "water", "bird"), "12": ("rock", "climbing")}
    assert found.text_tags == {"11#0": ("crane", "wade"), "12#0": ("crane", "lift", "beam")}
    assert found.missing == ("11", "12", "13")


def test_cells_may_be_long_and_the_limit_of_the_host_stays(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    found = read_classified(_write(tmp_path / "set.csv", f"1,{'x' * (limit + 1)},134,crane,,\n2,a crane,134,crane,,\n"))
    assert [len(caption.text) for caption in found.captions] == [limit + 1, 7]
    assert csv.field_size_limit() == limit


def test_the_form_of_four_columns_lacks_tags(tmp_path: Path) -> None:
    found = read_classified(_write(tmp_path / "coco_classified.csv", "42,A boat .,472,canoe\n42,A canoe .,472,canoe\n"))
    assert [caption.id for caption in found.captions] == ["42#0", "42#1"]
    assert (len(found.images), found.image_tags) == (1, {})


def test_pictures_are_found_by_id_or_by_the_name_that_mscoco_gives(tmp_path: Path) -> None:
    for name in ("11.jpg", "COCO_val2014_000000000012.jpg", "000000000013.jpg"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    assert read_classified(_write(tmp_path / "c.csv", AS_PUBLISHED)).missing == ()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_may_have_other_names(tmp_path: Path, separator: str) -> None:
    header = separator.join(["Image ID", "Text", "CLASS_INDEX", "Class name", "img tags", "Text-Tags"])
    row = separator.join(["7", "A boat", "472", "canoe", "boat", "boat"])
    found = read_classified(_write(tmp_path / "c.csv", f"{header}\n{row}\n"))
    assert found.labels == {"7": Label(472, "canoe")}
    assert (found.image_tags, found.text_tags) == ({"7": ("boat",)}, {"7#0": ("boat",)})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,label\n1,crane\n", r"has no column caption \(its text\); its columns are id, label: rename the right one"),
        ("id,caption\n1,crane\n", r"has no column class_index \(the number of its class\)"),
        (
            "id,caption,class_index\n1,a crane,bird\n",
            "line 2 has the class index 'bird' and probability ''; the first mu",
        ),
        (
            "id,caption,class_index\n1,one,1\n1,two,2\n",
            r"line 3 gives picture 1 another class \(2 class 2\) than a line",
        ),
        ("id,caption,class_index,group\n1,a,1,x\n1,b,1,y\n", r"another group \(y\) than a line before \(x\)"),
        ("id,caption,class_index\n,a crane,3\n", "line 2 has no id; write the picture's id there"),
        ("id,caption,class_index\n1,,3\n", "1 of 1 captions are empty, the first is caption 1#0 of picture 1"),
        ("id,caption,class_index,split\n1,a,3,dev\n", "line 2 has the split 'dev'; write train, val, test or nothing"),
        ("id,caption_id,caption,class_index\n1,c,a,3\n2,c,b,3\n", "the caption id c stands 2 times"),
        ("id,caption,class_index\n", "holds no picture with a caption"),
        ("", "is empty or begins with an empty line; write the columns"),
        (
            'id,caption,class_index\n1,"open,3\n' + "2,b,3\n" * 60,
            "line 2: a quotation mark opens a cell that spans 61 lin",
        ),
    ],
)
def test_wrong_tables_are_told_by_column_and_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_classified(_write(tmp_path / "c.csv", content))


def test_a_table_that_is_not_there_is_told_with_its_source(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Nothing is downloaded for you: get it from https://github.com/fedasaro62"):
        read_classified(tmp_path / "c.csv")


_WORD = st.text("abé,\"'x", min_size=1, max_size=6).filter(lambda text: not text.isspace())
_TAGS = st.lists(st.sampled_from(["bird", "water", "ice hockey", "-not"]), max_size=3).map(tuple)


@st.composite
def _sets(draw: st.DrawFn) -> CaptionedSet:
    ids = draw(st.lists(st.sampled_from(["1", "7", "b c", "d,e", 'f"g']), min_size=1, max_size=4, unique=True))
    owned = {each: draw(st.sampled_from(["ann", "bob"])) for each in ids if draw(st.booleans())}
    images = tuple(ImageEntry(each, f"{each}.png", split=draw(st.sampled_from(("train", "test", "")))) for each in ids)
    captions = [Caption(f"{each}/{n}", each, draw(_WORD)) for each in ids for n in range(draw(st.integers(1, 2)))]
    labels = {
        each: Label(draw(st.integers(0, 999)), draw(_WORD), draw(st.none() | st.floats(0, 1)))
        for each in ids
        if draw(st.booleans())
    }
    tags = {each: words for each in ids if (words := draw(_TAGS))}
    text_tags = {caption.id: words for caption in captions if (words := draw(_TAGS))}
    return CaptionedSet("c", "", images, tuple(captions), labels, tags, text_tags, owned, owned)


@settings(max_examples=50, deadline=None)
@given(_sets())
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, found: CaptionedSet) -> None:
    file = tmp_path_factory.mktemp("written") / "c.csv"
    write_classified(found, file)
    again = read_classified(file)
    assert again.fingerprint == found.fingerprint
    assert (again.images, again.captions, dict(again.labels)) == (found.images, found.captions, dict(found.labels))
