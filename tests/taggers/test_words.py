"""Nouns and verbs of sentences whose right tags are plain to any reader."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.errors import EncoderError
from vernissage.taggers.contract import TextTagger, tagger_key
from vernissage.taggers.words import LexiconTagger, clauses, load_lexicon, read_clause

TAGGER = LexiconTagger()
VERBS = LexiconTagger(["verb"])


def tags(text: str) -> str:
    return " ".join(TAGGER.tag_texts([text])[0])


def verbs(text: str) -> str:
    return " ".join(VERBS.tag_texts([text])[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a man riding a horse on the beach", "man ride horse beach"),
        ("two women are sitting at a table", "woman sit table"),
        ("Men and women with their children", "man woman child"),
        ("mice, geese, wolves, leaves and ladies", "mouse goose wolf leaf lady"),
        ("stone bridge over a small river", "stone bridge river"),
        ("an old house with a red roof", "house roof"),
        ("The sky is orange.", "sky"),
        ("an orange, an apple and a pear", "orange apple pear"),
        ("They were crowned by the king", "crown king"),
        ("home, work, north, well, light", "home work north well light"),
    ],
)
def test_nouns_and_verbs_by_their_lemmas_in_order(text: str, expected: str) -> None:
    assert tags(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a painting of a building", "painting building"),
        ("she is painting a building", "paint building"),
        ("people building a house", "people build house"),
        ("an oil painting", "oil painting"),
        ("a burning house", "burn house"),
        ("He saw a saw", "see saw"),
        ("a rose in a vase", "rose vase"),
        ("Rising from the sea", "rise sea"),
        ("a battle known from books", "battle know book"),
    ],
)
def test_neighbours_tell_nouns_from_verbs_where_the_lemmas_differ(text: str, expected: str) -> None:
    assert tags(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a man rides a horse", "ride"),
        ("a boat sails on the sea", "sail"),
        ("boats sail on the sea", "sail"),
        ("to sail and to fish", "sail fish"),
        ("the sail of a fish", ""),
        ("waves, ships and sails", ""),
        ("a cat sitting on a chair", "sit"),
        ("she will walk", "walk"),
        ("a long walk", ""),
    ],
)
def test_verbs_alone(text: str, expected: str) -> None:
    assert verbs(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The portrait shows Brown and his wife.", "portrait show wife"),
        ("A portrait of a brown bear.", "portrait bear"),
        ("Woman With Cat", "woman cat"),
        ("Rembrandt Laughing", "laugh"),
        ("Rembrandt's wife and Rembrandt’s horses", "wife horse"),
        ("An album called Tuti-nama was painted.", "album call paint"),
    ],
)
def test_names_are_left_out_and_capitals_of_titles_are_no_sign_of_one(text: str, expected: str) -> None:
    assert tags(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("altarpieces, stickmen and roadsigns", "altarpiece stickman roadsign"),
        ("a bejeweled calligraphic handscroll", "handscroll"),
        ("svg, png, ab", ""),
        ("a blue-and-white vase, full-length portraits", "vase length portrait"),
        ("see https://example.org/boats or mail boats@example.org", "see mail"),
        ("<p>A <b>boat</b> &amp; the <i>sea</i></p>", "boat sea"),
        ("1882–83, 24 x 30 cm", ""),
        ("船と海", ""),
        ("", ""),
        ("the of and with his which", ""),
        ("boat Boat BOATS", "boat"),
    ],
)
def test_what_is_no_plain_english_word(text: str, expected: str) -> None:
    assert tags(text) == expected


def test_the_examples_of_the_documentation_are_true() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/tags.md").read_text(encoding="utf-8")
    _, _, table = page.partition("| text | tags |\n|---|---|\n")
    rows = [line.strip("| ").split(" | ") for line in table.partition("\n\n")[0].splitlines()]
    assert len(rows) == 5
    for text, expected in rows:
        assert ", ".join(TAGGER.tag_texts([text])[0]) == expected


@pytest.mark.parametrize("sign", [".", "@", "a", "-", "'", "a@", "| ", "<", "&", " ", ".a", "é1"])
def test_long_runs_of_one_sign_are_read_in_one_pass(sign: str) -> None:
    assert tags(f"a boat {sign * 100_000} a house").endswith("house")


def test_it_is_a_tagger_that_says_how_it_works() -> None:
    assert isinstance(TAGGER, TextTagger)
    assert re.fullmatch(
        r"English nouns and verbs, lemmatised, by the lexicon of lemminflect [\d.]+ and rules", TAGGER.method
    )
    assert "nouns" not in VERBS.method
    assert re.fullmatch(r"lexicon-[0-9a-f]{16}", tagger_key(TAGGER))
    assert LexiconTagger(["verb", "noun"]).fingerprint == TAGGER.fingerprint != VERBS.fingerprint


@pytest.mark.parametrize("kinds", [[], ["adjective"], ["noun", "name"]])
def test_other_kinds_of_words_are_refused(kinds: list[str]) -> None:
    with pytest.raises(EncoderError, match="ask for noun, verb"):
        LexiconTagger(kinds)  # type: ignore[arg-type]


TEXTS = st.lists(
    st.sampled_from(
        [
            "A",
            "the",
            "man",
            "men",
            "rides",
            "riding",
            "of",
            "with",
            "red",
            "is",
            "to",
            "saw",
            "painting,",
            "horse.",
            "Brown's",
            "blue-green",
            "|",
            "12",
            "(",
            ")",
            "to-day",
            "zzz",
        ]
    ),
    max_size=12,
).map(" ".join)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.one_of(TEXTS, st.text(max_size=40)), max_size=4))
def test_a_text_has_the_same_tags_alone_and_among_others_each_once(texts: list[str]) -> None:
    together = TAGGER.tag_texts(texts)
    assert together == [TAGGER.tag_texts([text])[0] for text in texts]
    for found in together:
        assert len(set(found)) == len(found)
        assert all(tag == tag.lower() and tag for tag in found)


@settings(deadline=None, max_examples=150)
@given(TEXTS)
def test_every_word_is_read_and_verbs_are_among_all_tags(text: str) -> None:
    for clause in clauses(text):
        assert len(read_clause(clause, load_lexicon())) == len(clause)
    assert set(verbs(text).split()) <= set(tags(text).split())
