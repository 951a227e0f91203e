import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vernissage.encoders.fitted.words import DOMAIN_WORDS, content_words
from vernissage.errors import EncoderError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Two ships in a STORM, at sea.", ["ship", "storm", "sea"]),
        ("the woman's hats; women’s hats", ["woman", "hat", "woman", "hat"]),
        ("Oil on canvas, 24 x 36 in., painted 1882–83", []),
        ("singing angels, autumn leaves", ["sing", "angel", "autumn", "leaf"]),
        ("bears playing at the opera", ["bear", "play", "opera"]),
        ("They weren't sailing; you can’t hear the waves", ["sail", "hear", "wave"]),
        ("still-life", ["life"]),
        ("", []),
        ("1904 – 17 ½ % ...", []),
    ],
)
def test_what_a_text_is_about(text: str, words: list[str]) -> None:
    assert content_words(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "a harbour<br><br>with <a href='https://example.org/boats'>horses</a>",
        "a harbour&nbsp;with&#32;horses",
        "a harbour &lt;em&gt;with&lt;/em&gt; horses",
        "<style>p { colour: red }</style>a harbour <!-- boats --> with horses",
        "a harbour with horses https://example.org/boats?page=3",
        "a harbour with horses, www.example.org/boats, boats@example.org",
    ],
)
def test_markup_and_addresses_say_nothing(text: str) -> None:
    assert content_words(text) == ["harbour", "horse"]


def test_comparisons_are_no_markup() -> None:
    assert content_words("height < width and trees > houses") == ["height", "width", "tree", "house"]


def test_accents_survive_and_their_two_spellings_are_one_word() -> None:
    composed, decomposed = "Étretat café Dürer", "E\u0301tretat cafe\u0301 Du\u0308rer"
    assert content_words(composed) == content_words(decomposed) == ["étretat", "café", "dürer"]


def test_other_scripts_stay_whole() -> None:
    assert content_words("山水 Ναυτικό तूफ़ान") == ["山水", "ναυτικό", "तूफ़ान"]


def test_words_of_every_museum_are_left_out_in_every_form() -> None:
    assert content_words("A painting on the left; paintings, painted pictures, dated works of artists depicting") == []
    assert {"painting", "picture", "paint", "left", "right", "date"} <= DOMAIN_WORDS


def test_lemmas_of_another_language() -> None:
    assert content_words("deux chevaux", "fr") == ["cheval"]


def test_a_language_without_dictionary_is_refused() -> None:
    with pytest.raises(EncoderError, match="no dictionary of lemmas for the language 'xx'"):
        content_words("ships", "xx")


@given(st.text(st.characters(max_codepoint=0xFFFF)))
def test_any_text_gives_words_of_letters(text: str) -> None:
    for word in content_words(text):
        assert word
        assert not any(sign.isspace() or sign.isdigit() or sign in "<>.,;'’" for sign in word)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", max_size=40))
def test_case_does_not_matter(text: str) -> None:
    assert content_words(text.upper()) == content_words(text)


def test_a_run_of_letters_without_end_is_no_word_and_costs_nothing() -> None:
    started = time.process_time()
    assert content_words(f"a ship {'x' * 1_000_000} at sea") == ["ship", "sea"]
    assert time.process_time() - started < 2
