"""The register of modalities."""

from pathlib import Path

import pytest

from vernissage.encoders.contract import reading
from vernissage.encoders.register import cards
from vernissage.errors import EncoderError
from vernissage.values import ENCODED, MODALITIES, MODALITY_CARDS, encoded_as, readable


class OfTexts:
    name = "words"

    def encode_texts(self, texts):
        return texts


def test_pictures_come_first_and_every_card_is_complete():
    assert MODALITIES[:2] == ("image", "text") == ENCODED
    for name, card in MODALITY_CARDS.items():
        assert card.name == name
        assert card.read_as in ENCODED
        assert card.one != card.many
        assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in card.suffixes)
    assert len({card.within for card in MODALITY_CARDS.values()}) == len(MODALITIES)


def test_no_file_name_belongs_to_two_modalities():
    suffixes = [suffix for card in MODALITY_CARDS.values() for suffix in card.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert Path("a.jpg").suffix in MODALITY_CARDS["image"].suffixes


def test_what_is_read_alike_is_readable_alike():
    for name, card in MODALITY_CARDS.items():
        assert name in readable([card.read_as])
        assert encoded_as([name]) == {card.read_as}
    assert readable([]) == ()
    assert all(set(card.modalities) <= set(ENCODED) for card in cards().values())


def test_an_encoder_that_does_not_read_a_modality_says_so():
    assert reading(OfTexts(), "text")(["a"]) == ["a"]
    with pytest.raises(EncoderError, match="words does not read pictures; choose an encoder that does"):
        reading(OfTexts(), "image")
