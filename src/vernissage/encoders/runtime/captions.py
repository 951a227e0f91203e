"""Captions as the models were trained on them: without most punctuation, in lower case, cut to a number of words.

The rules were part of the training, so that leaving them out, or using one model's for the other, moves vectors far.
"""

import re

MOST_WORDS_ALBEF, MOST_WORDS_BLIP = 30, 50

_ALBEF_DELETES = str.maketrans("-/", "  ", ",.'!?\"()*#:;~")
_BLIP_BLANKS = str.maketrans(dict.fromkeys('.!"()*#:;~', " "))
_SEVERAL_SPACES = re.compile(r"\s{2,}")


def clean_caption_albef(caption: str, *, person_tag: bool = False) -> str:
    """A caption by ALBEF's rule: signs deleted, hyphens and slashes to spaces, at most 30 words.

    The signs are , . ' ! ? " ( ) * # : ; ~ so that "men's" becomes "mens". The training data's tag ``<person>``
    becomes the word; ``person_tag=True`` keeps the tag, as the code of ZCCR (doi 10.1016/j.eswa.2024.125108) does.
    """
    cleaned = caption.lower().translate(_ALBEF_DELETES)
    return _first_words(cleaned if person_tag else cleaned.replace("<person>", "person"), MOST_WORDS_ALBEF)


def clean_caption_blip(caption: str) -> str:
    """A caption by BLIP's rule: the signs . ! " ( ) * # : ; ~ become spaces, at most 50 words."""
    return _first_words(caption.lower().translate(_BLIP_BLANKS), MOST_WORDS_BLIP)


def _first_words(text: str, most: int) -> str:
    """The first words; as in the originals only runs of white space are joined, and only spaces part words."""
    joined = _SEVERAL_SPACES.sub(" ", text).rstrip("\n").strip(" ")
    return " ".join(joined.split(" ")[:most])
