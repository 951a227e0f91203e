"""A collection as columns, in memory and in one Parquet file."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.catalog.collection import Collection, read_collection, save_collection
from vernissage.catalog.item import Item
from vernissage.errors import CollectionError, ProvenanceError, UnknownItemError
from vernissage.files import digest, seal_of

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
    language=st.sampled_from(["", "de"]),
    year_from=st.none() | st.integers(-5000, 2100),
    year_to=st.none() | st.integers(-5000, 2100),
    further_pictures=st.lists(st.tuples(words, words), max_size=2).map(tuple),
)


@settings(deadline=None, max_examples=25)
@given(st.lists(items, max_size=5, unique_by=lambda item: item.id))
def test_every_work_comes_back(tmp_path_factory: pytest.TempPathFactory, works: list[Item]) -> None:
    path = tmp_path_factory.getbasetemp() / "collection.parquet"
    collection = Collection(works, Path("folder"))
    save_collection(collection, path)
    again = read_collection(path, Path("folder"))
    for each in (collection, again):
        assert list(each) == works
        assert each.take(range(len(works))[::-1]) == works[::-1]
        assert [each[item.id] for item in works] == works
        assert each.ids == tuple(item.id for item in works)
        for name in ("title", "picture", "picture_digest", "text", "language"):
            assert each.texts(name) == [getattr(item, name) for item in works]
        assert each.attribute_names == tuple(sorted({name for item in works for name in item.attributes}))
        assert each.fingerprint == digest(*(item.record_digest.encode() for item in works))[:16]


def test_more_works_than_one_row_group_come_back(tmp_path: Path) -> None:
    works = [
        Item(id=f"w{n}", keywords=("sea",) * (n % 3), attributes={f"note {k}": str(n) for k in range(n % 4)})
        for n in range(10_050)
    ]
    save_collection(Collection(works, tmp_path), tmp_path / "c.parquet")
    read = read_collection(tmp_path / "c.parquet", tmp_path)
    assert list(read) == works
    assert read.items[2_000:10_050:4_000] == works[2_000:10_050:4_000]
    assert read.items[-1] == read["w10049"] == works[-1]
    (rows, _, words), (noted, codes, notes) = read.entries("keywords"), read.entries("note 2")
    assert rows.tolist() == [n for n in range(10_050) for _ in range(n % 3)]
    assert words == ["sea"]
    assert noted.tolist() == [int(notes[code]) for code in codes] == list(range(3, 10_050, 4))


def test_an_unknown_id_is_told_with_ids_that_look_alike() -> None:
    works = Collection((Item(id=f"museum-{n:06d}") for n in range(20_000)), Path())
    with pytest.raises(UnknownItemError, match="no work 'museum-01234'; ids look like museum-0"):
        works["museum-01234"]


def test_ids_must_be_unique() -> None:
    with pytest.raises(CollectionError, match="more than once: a, b"):
        Collection([Item(id=name) for name in "abcbaa"], Path())


def test_owners_are_told_for_any_ids() -> None:
    works = Collection([Item(id="a", owner="Ada"), Item(id="b"), Item(id="c", owner="Bo")], Path())
    assert works.owners(["c", "x", "a", "b"]) == ["Bo", "", "Ada", ""]
    assert works.owners(works.ids) == ["Ada", "", "Bo"]


@settings(deadline=None)
@given(items)
def test_a_records_digest_is_that_of_its_fields_as_json(item: Item) -> None:
    texts = [
        item.id, item.title, item.artist, item.year, item.medium, item.description, item.group, item.owner,
        item.licence, item.picture, item.picture_digest, item.text,
    ]  # fmt: skip
    row = [*texts, list(item.keywords), dict(sorted(item.attributes.items()))]
    parts = [json.dumps(row, ensure_ascii=False).encode()]
    newer = [item.language, item.year_from, item.year_to, [list(each) for each in item.further_pictures]]
    if newer != ["", None, None, []]:  # else the digest is that of earlier versions, which lacked these fields
        parts.append(json.dumps(newer).encode())
    assert item.record_digest == digest(*parts)


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
    whole, seal = list(read_collection(path, path.parent)), seal_of(path)
    raw[place % len(raw)] ^= flip
    path.write_bytes(raw)
    try:
        same = list(read_collection(path, path.parent, seal=seal)) == whole
    except ProvenanceError:
        same = True
    assert same


def test_damage_to_works_that_were_not_read_yet_is_told_when_they_are(tmp_path: Path) -> None:
    path = tmp_path / "collection.parquet"
    works = [Item(id=f"w{n}", description=digest(str(n).encode())) for n in range(5_000)]
    save_collection(Collection(works, tmp_path), path)
    raw = bytearray(path.read_bytes())
    group = pq.ParquetFile(path).metadata.row_group(2)
    columns = {group.column(place).path_in_schema: group.column(place) for place in range(group.num_columns)}
    for column in ("description", "record"):  # of which the one is read for all works, the other for a few
        raw[columns[column].data_page_offset + 200] ^= 0xFF
    path.write_bytes(raw)
    opened = read_collection(path, tmp_path)
    assert opened["w0"] == works[0]
    for read in (lambda: opened["w2500"], lambda: list(opened)):
        with pytest.raises(ProvenanceError, match="is damaged .*CRC"):
            read()


def test_a_file_without_records_is_read_by_its_columns(tmp_path: Path) -> None:
    """As earlier versions wrote it."""
    path = tmp_path / "collection.parquet"
    works = [Item(id=f"w{n}", title=f"Boat {n}", attributes={"room": str(n)}) for n in range(2_500)]
    save_collection(Collection(works, tmp_path), path)
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["record"]), path, row_group_size=1_024, write_page_checksum=True)
    read = read_collection(path, tmp_path)
    assert [read["w0"], read["w2400"]] == [works[0], works[2_400]]
    assert list(read) == works


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("{", "damaged"),
        ('{"id": "w0", "title": 7}', "title is of another kind"),
        ('{"title": "Boat"}', "lacks 'id'"),
        ('{"id": "w0", "further_pictures": [["a"]]}', "damaged"),
        ('{"id": "w0", "price": "7"}', "unknown key 'price'"),
    ],
)
def test_a_record_of_another_form_is_refused(tmp_path: Path, record: str, said: str) -> None:
    path = tmp_path / "collection.parquet"
    save_collection(Collection([Item(id="w0", title="Boat")], tmp_path), path)
    table = pq.read_table(path)
    place = table.column_names.index("record")
    pq.write_table(table.set_column(place, table.schema.field(place), pa.chunked_array([[record]])), path)
    with pytest.raises(ProvenanceError, match=said):
        read_collection(path, tmp_path)["w0"]


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "collection.parquet"
    saved(path)
    table = pq.read_table(path)
    pq.write_table(table.select(["id", "title", "order"]), path)
    with pytest.raises(ProvenanceError, match="does not have the columns"):
        read_collection(path, tmp_path)
    pq.write_table(table.replace_schema_metadata({"vernissage": '{"format": 9}'}), path)
    with pytest.raises(ProvenanceError, match=r"another version \(format 9\)"):
        read_collection(path, tmp_path)


def test_readers_in_many_threads_see_the_same_works(tmp_path: Path) -> None:
    works = [Item(id=f"w{n}", title=f"Work {n}") for n in range(40_000)]
    save_collection(Collection(works, tmp_path), tmp_path / "c.parquet")
    opened = read_collection(tmp_path / "c.parquet", tmp_path)
    wanted = np.random.default_rng(0).integers(0, 40_000, 400).tolist()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda row: opened[f"w{row}"].title, wanted)) == [f"Work {row}" for row in wanted]


def test_the_link_of_a_picture_comes_back_and_counts_for_the_fingerprint(tmp_path: Path) -> None:
    plain, linked = Item(id="a"), Item(id="a", picture_link="https://museum.example/a.jpg")
    save_collection(Collection([linked], tmp_path), tmp_path / "c.parquet")
    assert list(read_collection(tmp_path / "c.parquet", tmp_path)) == [linked]
    assert plain.record_digest != linked.record_digest


def test_works_that_were_made_lately_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vernissage.catalog.collection._ITEMS_KEPT", 3)
    works = [Item(f"w{number}") for number in range(2000)]
    collection = Collection(works, Path("folder"))
    [first] = collection.take([7])
    assert collection.take([8, 7, 8, 7])[1] is first
    for rows in ([7, 1, 1990], [4, 5, 1999, 7], range(2000)[::-1], [9]):
        assert collection.take(rows) == [works[row] for row in rows]
    assert collection.take([7])[0] is not first


def test_holders_of_a_value_are_found_by_its_folded_spelling_each_work_once() -> None:
    works = [
        Item("a", artist="Ann", keywords=("Sea", "sea", "boat"), attributes={"Place": "Oslo"}),
        Item("b", artist="ANN", keywords=("boat",)),
        Item("c", attributes={"place": "Oslo", "shelf": "sea"}),
    ]
    collection = Collection(works, Path("folder"))
    found = {
        field: {name: rows.tolist() for name, rows in collection.holders(field).items()}
        for field in ("artist", "keywords", "place", "medium")
    }
    assert found == {
        "artist": {"ann": [0, 1]},
        "keywords": {"sea": [0], "boat": [0, 1]},
        "place": {"oslo": [0, 2]},
        "medium": {},
    }


def test_spans_are_those_of_the_works() -> None:
    works = [Item("a", year="1850"), Item("b"), Item("c", year="1850-1860"), Item("d", year_from=-40, year_to=10)]
    first, last = Collection(works, Path("folder")).spans
    spans = [None if np.isnan(one) else (int(one), int(other)) for one, other in zip(first, last, strict=True)]
    assert spans == [None if each.span is None else (each.span.first, each.span.last) for each in works]
