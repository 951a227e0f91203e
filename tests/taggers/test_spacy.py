"""Words by spaCy, where it is installed: over a pipeline whose parts of speech are set by the test."""

from typing import Any

import pytest
import spacy

from vernissage.errors import EncoderError
from vernissage.taggers.words import LexiconTagger, SpacyTagger, installed_model, load_spacy, load_words


def test_words_are_spacys_where_a_model_is_installed_and_else_the_lexicons() -> None:
    tagger = load_words()
    if installed_model() is None:
        assert isinstance(tagger, LexiconTagger)
    else:
        assert isinstance(tagger, SpacyTagger)
        assert tagger.tag_texts(["A man is riding a horse."]) == [("man", "ride", "horse")]
    assert load_words(["verb"]).kinds == ("verb",)


@pytest.mark.skipif(installed_model() is not None, reason="an English spaCy model is installed")
def test_without_a_model_the_error_says_what_to_install() -> None:
    with pytest.raises(EncoderError, match="spacy download en_core_web_sm.*take the tagger lexicon"):
        load_spacy()


@pytest.fixture
def pipeline() -> Any:
    made = spacy.blank("en")
    made.meta["name"], made.meta["version"] = "tiny", "1.2.3"
    ruler = made.add_pipe("attribute_ruler")
    for word, part, lemma in (
        ("boats", "NOUN", "boat"),
        ("Sail", "VERB", "sail"),
        ("red", "ADJ", "red"),
        ("Rome", "PROPN", "Rome"),
    ):
        ruler.add([[{"ORTH": word}]], {"POS": part, "LEMMA": lemma})
    return made


def test_nouns_and_verbs_of_a_pipeline(pipeline: Any) -> None:
    tagger = SpacyTagger(pipeline)
    assert tagger.tag_texts(["Sail red boats to Rome", "", "<b>boats</b> boats"]) == [("sail", "boat"), (), ("boat",)]
    assert SpacyTagger(pipeline, ["verb"]).tag_texts(["Sail red boats"]) == [("sail",)]
    assert "its model en_tiny 1.2.3" in tagger.method
    assert tagger.fingerprint != SpacyTagger(pipeline, ["verb"]).fingerprint
