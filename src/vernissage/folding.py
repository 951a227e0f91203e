"""Words that people write differently and mean alike: case, accents, letters with strokes, width."""

import re
import unicodedata

_MARKS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")
"""Accents of Latin, Greek and Cyrillic letters, points of Hebrew and Arabic, the stretch of Arabic. Marks of other
scripts are not among them: the vowels of Hindi and Thai, and the sounds of Japanese, make other words."""

_LETTERS = str.maketrans({
    "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ı": "i", "ŧ": "t", "ĸ": "k",
    "ŋ": "n", "’": "'", "‘": "'", "ʼ": "'", "‐": "-", "‑": "-", "–": "-",
    "ى": "ي", "ة": "ه", "\u200b": "", "\u00ad": "",
})  # fmt: skip


def folded(text: str) -> str:
    """The text as it is compared: without case, accents, strokes and width, so that "CÉZANNE" is "cezanne".

    ß is ss, æ is ae, ł is l; the letters of other scripts stay. Folding twice changes nothing.
    """
    if text.isascii():
        return text.lower()
    letters = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", letters)))
