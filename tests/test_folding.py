import pytest
from hypothesis import given
from hypothesis import strategies as st

from vernissage.folding import folded


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("CÉZANNE", "cezanne"),
        ("Paul Ce\u0301zanne", "paul cezanne"),
        ("Łódź", "lodz"),
        ("Købke", "kobke"),
        ("Đorđe", "dorde"),
        ("Ærø", "aero"),
        ("Straße", "strasse"),
        ("Dürer", "durer"),
        ("Ｏｓａｋａ", "osaka"),
        ("ﾊﾞﾗ", "バラ"),
        ("İstanbul", "istanbul"),
        ("Ёлка", "елка"),
        ("Ὀδυσσεύς", "οδυσσευσ"),
        ("مُحَمَّد", "محمد"),
        ("أحمد", "احمد"),
        ("O’Keeffe", "o'keeffe"),
        ("かぎ", "かぎ"),
        ("한국", "한국"),
        ("तूफ़ान", "तूफ़ान"),
    ],
)
def test_words_are_compared_without_case_accents_strokes_and_width(written: str, compared: str) -> None:
    assert folded(written) == compared


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)
