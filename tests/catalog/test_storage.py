"""A collection as one Parquet file."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.catalog import Collection, Item, read_collection, save_collection
from vernissage.errors import ProvenanceError
from vernissage.files import digest

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
items = st.builds(
    Item,
    id=words.filter(bool),
    title=words,
    year=words,
    description=words,
    keywords=st.lists(words, max_size=3).map(tuple),
    group=words,
    picture=words,
    picture_digest=words,
    text=words,
    attributes=st.dictionaries(words, words, max_size=3),
)


@settings(deadline=None, max_examples=25)
@given(st.lists(items, max_size=5, unique_by=lambda item: item.id))
def test_every_work_comes_back(tmp_path_factory: pytest.TempPathFactory, works: list[Item]) -> None:
    path = tmp_path_factory.getbasetemp() / "collection.parquet"
    collection = Collection(works, Path("folder"))
    save_collection(collection, path)
    again = read_collection(path, Path("folder"))
    assert again.items == collection.items
    assert again.fingerprint == collection.fingerprint


def test_more_works_than_one_row_group_come_back(tmp_path: Path) -> None:
    works = [
        Item(id=f"w{n}", keywords=("sea",) * (n % 3), attributes={f"note {k}": str(n) for k in range(n % 4)})
        for n in range(10_050)
    ]
    save_collection(Collection(works, tmp_path), tmp_path / "c.parquet")
    assert read_collection(tmp_path / "c.parquet", tmp_path).items == tuple(works)


@settings(deadline=None)
@given(items)
def test_a_records_digest_is_that_of_its_fields_as_json(item: Item) -> None:
    texts = [
        item.id, item.title, item.artist, item.year, item.medium, item.description, item.group, item.owner,
        item.licence, item.picture, item.picture_digest, item.text,
    ]  # fmt: skip
    row = [*texts, list(item.keywords), dict(sorted(item.attributes.items()))]
    assert item.record_digest == digest(json.dumps(row, ensure_ascii=False).encode())


@pytest.mark.parametrize("odd", ['"', "\\", "\n", "\x1f", "\t", "\x00", "\x7f", "\u2028", '", "', "\\n"])
def test_signs_that_json_escapes_keep_records_apart(odd: str) -> None:
    row = ["a", f"x{odd}y", *[""] * 9, odd, [odd], {odd: odd}]
    item = Item(id="a", title=f"x{odd}y", text=odd, keywords=(odd,), attributes={odd: odd})
    assert item.record_digest == digest(json.dumps(row, ensure_ascii=False).encode())


def test_equal_collections_give_equal_bytes_wherever_they_lie(tmp_path: Path) -> None:
    one = Item(id="a", keywords=("x", "y"), attributes={"b": "1", "a": "2"})
    other = Item(id="a", keywords=("x", "y"), attributes={"a": "2", "b": "1"})
    assert one == other
    save_collection(Collection([one], Path("here")), tmp_path / "one")
    save_collection(Collection([other], Path("there")), tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def saved(path: Path) -> bytes:
    works = [Item(id=f"w{n}", title=f"Work {n}", text="some words", attributes={"place": "Ulm"}) for n in range(50)]
    save_collection(Collection(works, path.parent), path)
    return path.read_bytes()


def test_a_missing_file_and_a_foreign_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(ProvenanceError, match="is missing"):
        read_collection(tmp_path / "none", tmp_path)
    (tmp_path / "text").write_text("no parquet")
    with pytest.raises(ProvenanceError, match="is damaged"):
        read_collection(tmp_path / "text", tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_damaged(share: float, tmp_path: Path) -> None:
    path = tmp_path / "collection.parquet"
    raw = saved(path)
    path.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(ProvenanceError, match="is damaged"):
        read_collection(path, tmp_path)


@settings(deadline=None, max_examples=25)
@given(place=st.integers(min_value=0, max_value=10**6), flip=st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_found_or_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "flipped.parquet"
    raw = bytearray(saved(path))
    whole = read_collection(path, path.parent)
    raw[place % len(raw)] ^= flip
    path.write_bytes(raw)
    try:
        same = read_collection(path, path.parent).items == whole.items
    except ProvenanceError:
        same = True
    assert same


def test_a_table_of_other_works_under_the_same_card_is_refused(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    path = tmp_path / "collection.parquet"
    saved(path)
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    with pytest.raises(ProvenanceError, match="are not those that were written"):
        read_collection(path, tmp_path)
