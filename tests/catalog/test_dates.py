"""Years, from dates as museums write them."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.catalog.collection import Collection
from vernissage.catalog.conditions import parse_condition, values_of
from vernissage.catalog.dates import PARTS, DateSpan, date_span, year_number
from vernissage.catalog.item import Item

SPELLINGS = [
    tuple(line.split(" | "))
    for line in Path(__file__).with_name("date_spellings.txt").read_text("utf-8").splitlines()
    if " | " in line
]
DOCS = Path(__file__).parents[2] / "docs" / "dates.md"


@pytest.mark.parametrize(("date", "first", "last"), SPELLINGS)
def test_spellings_of_fourteen_languages(date: str, first: str, last: str) -> None:
    """An empty span is written as - with the reason why nothing is read."""
    expected = None if first == "-" else DateSpan(int(first), int(last))
    assert date_span(date) == expected
    assert date_span(f"  {date} ") == expected


def test_there_are_spellings_enough() -> None:
    assert len({date for date, _, _ in SPELLINGS}) >= 600


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("c. 1710", 1710),
        ("c.1851", 1851),
        ("?exhibited 1781", 1781),
        ("1882–83", 1882),
        ("1788–9", 1788),
        ("1829, exhibited 1831", 1829),
        ("12 March 1820", 1820),
        ("05.12.1650", 1650),
        ("1882-05-01", 1882),
        ("1905-", 1905),
        ("Edo period (1615–1868)", 1741),
        ("late 1700s", 1785),
        ("1920/21", 1920),
        ("c. 950", 950),
        ("18th century", 1750),
        ("17th-century copy", 1650),
        ("16th–17th century", 1550),
        ("late 19th–early 20th century", 1885),
        ("Ende 16. bis Mitte 17. Jh.", 1590),
        ("17世紀末〜18世紀初", 1690),
        ("3rd–2nd millennium BC", -2500),
        ("100s-0", 100),
        ("turn of the 19th and 20th centuries", 1900),
        ("1880s–1890s", 1890),
        ("early 18th century", 1715),
        ("late 18th C", 1785),
        ("XVIIIe siècle", 1750),
        ("XVIII secolo", 1750),
        ("siglo XVIII", 1750),
        ("18. Jahrhundert", 1750),
        ("beginning of the 18th century", 1710),
        ("end of the 18th century", 1790),
        ("first half of the 18th century", 1725),
        ("third quarter of the 19th century", 1863),
        ("mid 1880s", 1885),
        ("1880s", 1885),
        ("500 BCE", -500),
        ("ca. 300-250 BC", -275),
        ("300 v. Chr.", -300),
        ("100 B.C.–A.D. 100", 0),
        ("1st century BC", -50),
        ("2nd millennium BCE", -1500),
        ("-0500", -500),
        ("AD 79", 79),
        ("c. 25–37 CE", 31),
        ("AH 1251/AD 1835", 1835),
        ("17--", 1750),
        ("178-", 1785),
        ("192?", 1925),
        ("Date unknown", None),
        ("n.d.", None),
        ("", None),
        ("2 works", None),
        ("Sale 12,500", None),
    ],
)
def test_the_year_is_the_middle_of_the_span(date: str, year: int | None) -> None:
    assert year_number(date) == year


@pytest.mark.parametrize(
    ("first", "last", "middle"),
    [(1885, 1885, 1885), (1884, 1885, 1884), (1882, 1884, 1883), (1780, 1789, 1785), (1701, 1800, 1750), (1, 8, 5), (1, 6, 3), (-100, -1, -50), (-300, -250, -275), (-8, -1, -5), (-2, -1, -2)],
)  # fmt: skip
def test_a_half_is_rounded_to_a_multiple_of_five_or_down(first: int, last: int, middle: int) -> None:
    assert DateSpan(first, last).middle == middle


def test_a_span_is_printed_as_its_years() -> None:
    assert [str(DateSpan(1885, 1885)), str(DateSpan(-300, -250))] == ["1885", "-300 to -250"]


def test_the_documents_hold_the_table_of_parts() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in DOCS.read_text("utf-8").splitlines()]
    table = {row[0]: row for row in rows if len(row) == 4}
    for name in PARTS.keys() - {"turn"}:
        for column, unit in ((2, "19th century"), (3, "1880s")):
            assert table[name][column] == str(date_span(f"{name} {unit}")).replace(" to ", "–")


def test_works_take_their_years_from_the_source_else_from_the_date(tmp_path: Path) -> None:
    works = [
        Item("both", year="ca. 1850", year_from=1845, year_to=1855),
        Item("first", year="1850–60", year_from=1845),
        Item("first alone", year="undated", year_from=1845),
        Item("date", year="late 17th century"),
        Item("neither", year="n.d."),
        Item("last alone", year_to=-200),
    ]
    spans = [(1845, 1855), (1845, 1860), (1845, 1845), (1671, 1700), None, (-200, -200)]
    assert [span and (span.first, span.last) for span in (work.span for work in works)] == spans
    collection = Collection(works, tmp_path)
    for field, place in (("from", 0), ("to", 1)):
        expected = [(str(span[place]),) if span else () for span in spans]
        assert [values_of(work, field) for work in works] == expected
        rows, codes, distinct = collection.entries(field)
        assert rows.tolist() == [0, 1, 2, 3, 5]
        assert [(distinct[code],) for code in codes] == [each for each in expected if each]


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["year>=1660", "year<1700"], ["end", "late"]),
        (["from>=1670"], ["end", "late", "1885"]),
        (["to<=1700"], ["end", "late", "century"]),
        (["from>=1601", "to<1700"], ["late"]),
        (["to=1885"], ["1885"]),
        (["from!=1601"], ["end", "late", "1885", "none"]),
    ],
)
def test_conditions_on_from_and_to(conditions: list[str], found: list[str], tmp_path: Path) -> None:
    dates = {"end": "Ende 17. Jh.", "late": "late 1600s", "century": "17世紀", "1885": "1885", "none": "o. J."}
    collection = Collection([Item(name, year=date) for name, date in dates.items()], tmp_path)
    fits = collection.fulfilling([parse_condition(each) for each in conditions], collection.ids)
    assert [name for name, fit in zip(collection.ids, fits, strict=True) if fit] == found


@settings(deadline=None)
@given(
    st.integers(min_value=1000, max_value=2100), st.sampled_from(["{}", "c. {}", "about {}", "{}, restored", "({})"])
)
def test_a_plain_year_is_found_in_any_setting(year: int, setting: str) -> None:
    assert date_span(setting.format(year)) == DateSpan(year, year)


@settings(deadline=None)
@given(st.integers(min_value=1000, max_value=2000), st.integers(min_value=0, max_value=150), st.sampled_from("–-/~—"))
def test_ranges_with_any_dash_are_their_two_years(first: int, length: int, dash: str) -> None:
    assert date_span(f"{first}{dash}{first + length}") == DateSpan(first, first + length)
    assert date_span(f"c. {first} {dash} c. {first + length}, oil") == DateSpan(first, first + length)


def test_a_turn_between_one_century_and_itself_stays_in_order() -> None:
    assert date_span("turn of the 19th and 19th centuries") == DateSpan(1891, 1891)


PIECES = st.sampled_from(
    [*sorted({word for date, _, _ in SPELLINGS for word in date.split()}), "-", "–", "(", "12,000"]
)


@settings(deadline=None, max_examples=500)
@given(st.text() | st.lists(PIECES, max_size=9).map(" ".join) | st.lists(PIECES, max_size=9).map("".join))
def test_any_text_is_a_span_in_order_or_none(date: str) -> None:
    span = date_span(date)
    assert span is None or span.first <= span.middle <= span.last
    year = year_number(date)
    assert (year is None) == (span is None)
    assert span is None or year is None or span.first <= year <= span.last


@pytest.mark.parametrize(
    "piece",
    ["1", "1850 ", "a", "a ", "- ", "一", "\u0301\u0323", "12,000 ", "1-", "ال", "i ", "xvi", "18--", "1st half of ", "[", "1/1/", "b c "],
)  # fmt: skip
def test_long_cells_take_no_longer_than_short_ones(piece: str) -> None:
    start = time.process_time()
    date_span(piece * (100_000 // len(piece)))
    assert time.process_time() - start < 0.5


def test_a_hundred_thousand_dates_are_read_at_once() -> None:
    dates = [
        f"{words} {year}{end}"
        for year in range(1500, 2000)
        for words in ("", "c.", "after")
        for end in ("", "–50", "s")
    ]
    start = time.process_time()
    for _ in range(100_000 // len(dates) + 1):
        for date in dates:
            date_span(date)
    assert time.process_time() - start < 1.5
