"""Years, from dates as museums write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.catalog.dates import year_number


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
        ("Edo period (1615–1868)", 1615),
        ("late 1700s", 1700),
        ("1920/21", 1920),
        ("c. 950", 950),
        ("18th century", 1750),
        ("17th-century copy", 1650),
        ("16th–17th century", 1550),
        ("early 18th century", 1715),
        ("late 18th C", 1785),
        ("XVIIIe siècle", 1750),
        ("XVIII secolo", 1750),
        ("siglo XVIII", 1750),
        ("18. Jahrhundert", 1750),
        ("500 BCE", -500),
        ("ca. 300-250 BC", -300),
        ("300 v. Chr.", -300),
        ("100 B.C.–A.D. 100", -100),
        ("1st century BC", -50),
        ("2nd millennium BCE", -1500),
        ("-0500", -500),
        ("AD 79", 79),
        ("c. 25–37 CE", 25),
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
def test_the_first_year_that_a_date_names(date: str, year: int | None) -> None:
    assert year_number(date) == year


@settings(deadline=None)
@given(
    st.integers(min_value=1000, max_value=2100), st.sampled_from(["{}", "c. {}", "about {}", "{}, restored", "({})"])
)
def test_a_plain_year_is_found_in_any_setting(year: int, setting: str) -> None:
    assert year_number(setting.format(year)) == year


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_date_or_none(date: str) -> None:
    assert year_number(date) is None or isinstance(year_number(date), int)
