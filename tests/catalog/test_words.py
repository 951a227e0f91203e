"""Which columns mean what, and what text encoders get to read."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.catalog.item import Item
from vernissage.catalog.loading import load_collection
from vernissage.catalog.sources.columns import NAMES, candidates, names_no_words, plain_name
from vernissage.catalog.words import (
    clean_cell,
    holds_words,
    joined,
    keyword_separator,
    repeats_group,
    split_keywords,
    without_markup,
)


def works(tmp_path: Path, text: str) -> list[Item]:
    (tmp_path / "metadata.csv").write_text(text, encoding="utf-8")
    return list(load_collection(tmp_path))


def test_no_column_name_means_two_things() -> None:
    names = [name for names in NAMES.values() for name in names]
    assert len(names) == len(set(names))
    assert names == [plain_name(name) for name in names]


@pytest.mark.parametrize(
    ("column", "meaning"),
    [
        ("ID", "id"),
        ("objectID", "id"),
        ("Accession Number", "id"),
        ("dc:title", "title"),
        ("dcterms.creator", "artist"),
        ("Künstler", "artist"),
        ("peintre", "artist"),
        ("Object Date", "year"),
        ("Datierung", "year"),
        ("Materials", "medium"),
        ("técnica", "medium"),
        ("label_text", "description"),
        ("Schlagwörter", "keywords"),
        ("mots-clés", "keywords"),
        ("Category", "group"),
        ("uploader", "owner"),
        ("rights", "licence"),
        ("file_name", "picture"),
    ],
)
def test_common_names_are_recognised(column: str, meaning: str) -> None:
    assert [name for name, places in candidates([column]).items() if places] == [meaning]


def test_the_likeliest_column_wins_and_the_others_stay_attributes(tmp_path: Path) -> None:
    (item,) = works(tmp_path, "notes,caption,description,genre,category,object_id,id\nn,c,d,g,k,7,x\n")
    assert (item.id, item.description, item.group) == ("x", "d", "k")
    assert item.attributes == {"notes": "n", "caption": "c", "genre": "g", "object_id": "7"}


def test_a_column_without_values_gives_way_to_the_next(tmp_path: Path) -> None:
    (item,) = works(tmp_path, "id,accession_number,description,notes\n,1915.534,,Words of a note\n")
    assert (item.id, item.description) == ("1915.534", "Words of a note")


def test_the_text_holds_words_in_their_order_and_nothing_that_gives_the_work_away(tmp_path: Path) -> None:
    header = (
        "id,title,artist,year,medium,description,tags,category,owner,licence,source,culture,url,height,wall_no,active"
    )
    row = "a1,The Sea,Ann,1800,oil,It is calm.,boat|wave,marine,user-7,CC0,museum,France,https://x.org/a,12.5,G12,yes"
    (item,) = works(tmp_path, f"{header}\n{row}\n")
    assert item.text == "The Sea. Ann. 1800. oil. It is calm. boat, wave. France"
    assert item.attributes["height"] == "12.5"


def test_attributes_that_repeat_the_group_stay_out_of_the_text(tmp_path: Path) -> None:
    rows = "\n".join(f"{n},T,{group},{group.upper()},{group[0]}x,{colour}" for n, group, colour in [
        (1, "nature", "red"), (2, "nature", "blue"), (3, "people", "red"), (4, "people", "blue"),
    ])  # fmt: skip
    items = works(tmp_path, f"id,title,category,department,section,colour\n{rows}\n")
    assert [item.text for item in items] == ["T. red", "T. blue", "T. red", "T. blue"]


def test_a_single_value_that_equals_the_group_stays_out_as_well(tmp_path: Path) -> None:
    items = works(tmp_path, "id,title,category,theme\n1,T,sea,harbour\n2,T,sea,Sea\n3,T,hill,harbour\n4,T,hill,storm\n")
    assert [item.text for item in items] == ["T. harbour", "T", "T. harbour", "T. storm"]


@pytest.mark.parametrize(
    ("values", "groups", "repeats"),
    [
        (["A", "B"], ["a", "b"], True),
        (["A", "B", "x"], ["a", "b", "c"], True),
        (["x", "x", "y", "y"], ["a", "a", "b", "b"], True),
        (["x", "y"], ["a", "b"], False),
        (["x", "x", "x", "y"], ["a", "a", "b", "b"], False),
        (["France"] * 4, ["a", "a", "b", "b"], False),
        (["", "x"], ["a", ""], False),
    ],
)
def test_repeating_the_group_means_its_words_or_one_value_for_each(
    values: list[str], groups: list[str], repeats: bool
) -> None:
    assert repeats_group(values, groups) is repeats


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("France, 19th century", True),
        ("Victorian/Genre", True),
        ("油画", True),
        ("see https://x.org for the whole story", True),
        ("https://x.org/a-long-story", False),
        ("www.museum.org/story", False),
        ("images/harbour.jpg", False),
        ("C:\\pictures\\harbour.tif", False),
        ("harbour.jpg", False),
        ("1915.534", False),
        ("12.5 × 30 cm", False),
        ("user-99db1a5b", False),
        ("true", False),
        ("", False),
    ],
)
def test_words_are_told_from_addresses_numbers_files_and_keys(cell: str, words: bool) -> None:
    assert holds_words(cell) is words


@pytest.mark.parametrize(
    "column",
    [
        *(
            "image_url",
            "objectURL",
            "Artist ID",
            "source",
            "credit line",
            "rights_holder",
            "legal_status",
            "acquisition",
        ),
        *("held_by", "Location", "Standort", "lieu de conservation", "color_code", "Inventory No.", "所蔵先", "Museum"),
    ],
)
def test_columns_of_addresses_ids_and_rights_hold_no_words(column: str) -> None:
    assert names_no_words(column)


@pytest.mark.parametrize(
    "column", ["culture", "image_caption", "did_you_know", "style", "place", "period", "support", "school"]
)
def test_columns_of_words_are_read(column: str) -> None:
    assert not names_no_words(column)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<em>Stag at Sharkey's, </em>1909", "Stag at Sharkey's, 1909"),
        ("Caf&eacute; &amp; Bar", "Café & Bar"),
        ("Caf&amp;eacute;", "Café"),
        ("one<br/>two<p class='x'>three</p>", "one\ntwo\nthree"),
        ("a<script>alert(1)</script>b<!-- no -->", "a b"),
        ("x < y and z > w, AT&T, R&D;", "x < y and z > w, AT&T, R&D;"),
        ("5 <10", "5 <10"),
    ],
)
def test_markup_is_taken_out_and_other_signs_stay(written: str, read: str) -> None:
    assert without_markup(written) == read


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="<&", exclude_categories=("Cs",))))
def test_text_without_markup_stays_as_it_is(text: str) -> None:
    assert without_markup(text) == text.strip()


@settings(deadline=None)
@given(st.text())
def test_a_clean_cell_can_be_written_to_any_file_and_is_clean(cell: str) -> None:
    cleaned = clean_cell(cell)
    assert cleaned.encode().decode() == cleaned == clean_cell(cleaned)


def test_texts_are_joined_by_one_stop() -> None:
    assert joined(["A  title", "", "What? ", "It\nis.", "end"]) == "A title. What? It is. end"


def test_one_separator_serves_a_whole_column_of_keywords() -> None:
    assert keyword_separator(["a|b", "Paris, France"]) == "|"
    assert keyword_separator(["a; b, c", ""]) == ";"
    assert keyword_separator(["a, b", ""]) == ","
    assert keyword_separator([]) == ","
    assert keyword_separator(["a|b", *["c, d"] * 60]) == ","


def test_keywords_are_trimmed_and_stand_once() -> None:
    assert split_keywords(" sea | boat|<b>sea</b>||new  york ", "|") == ("sea", "boat", "new york")


@pytest.mark.parametrize(
    ("cell", "keywords"),
    [
        ('["sea", "boat, small", "sea"]', ("sea", "boat, small")),
        ("['sea', 'boat']", ("sea", "boat")),
        ("""['Saint Mary', "painter's model", 'it\\'s',]""", ("Saint Mary", "painter's model", "it's")),
        ('["caf\\u00e9", null, 1889]', ("café", "1889")),
        ("[]", ()),
        ("['sea']", ("sea",)),
        ("[sea, boat]", ("[sea", "boat]")),
        ("['sea', boat]", ("['sea'", "boat]")),
        ('[["sea"], "boat"]', ('[["sea"]', '"boat"]')),
        ("[" * 5_000 + "]", ("[" * 5_000 + "]",)),
    ],
)
def test_lists_that_programs_write_into_cells_are_read_as_keywords(cell: str, keywords: tuple[str, ...]) -> None:
    assert split_keywords(cell, ",") == keywords


keyword = st.text("ab ,;|'\"[]é\\", min_size=1).map(lambda word: " ".join(f"x{word}x".split()))


@given(words=st.lists(keyword, unique=True))
def test_a_python_list_of_keywords_comes_back(words: list[str]) -> None:
    assert split_keywords(repr(words), ",") == tuple(words)
    assert split_keywords(json.dumps(words), "|") == tuple(words)


def test_written_lists_do_not_decide_what_separates_the_others() -> None:
    assert keyword_separator(['["a; b"]', "c, d"]) == ","


@given(st.text("a  \t\n\u00a0\u3000b."))
def test_joined_parts_have_single_blanks_inside_and_none_around(part: str) -> None:
    assert joined([part]) == " ".join(part.split())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "Sea", "sea ", "(sea)", "ship", "1", "ß"]),
            st.sampled_from(["", "SEA", "ships", "_1", "ss"]),
        )
    )
)
def test_repeating_a_group_is_decided_by_words_without_signs_and_case(pairs: list[tuple[str, str]]) -> None:
    def plain(cell: str) -> str:
        return "".join(letter for letter in cell.casefold() if letter.isalnum())

    known = [(plain(value), plain(group)) for value, group in pairs if value and group]
    same = sum(value == group for value, group in known)
    sizes = {len({value for value, _ in known}), len({group for _, group in known}), len(set(known))}
    one_each = len(sizes) == 1 and min(sizes) >= 2 and len(known) >= 2 * min(sizes)
    expected = bool(known) and (2 * same >= len(known) or one_each)
    assert repeats_group([value for value, _ in pairs], [group for _, group in pairs]) is expected
