"""Which encoding a text that is not UTF-8 is in, told by how likely its words would be."""

import codecs
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from vernissage.files import read_word_lists

_KNOWN = read_word_lists(Path(__file__).with_name("encodings.txt"))
_NAMES = {codec: name.replace("_", " ") for codec, _, name in (each.partition("=") for each in _KNOWN["names"])}
_LATIN, _OTHER_SCRIPTS = (tuple(map(frozenset, _KNOWN[name])) for name in ("latin", "other scripts"))
# Standards put the 3,000 to 5,000 usual characters first: from and to which leading byte.
_FIRST_CHARACTERS: Mapping[str, tuple[str, int, int]] = {
    "cp932": ("shift_jis", 0x88, 0x97),
    "euc_jp": ("shift_jis", 0x88, 0x97),
    "gb18030": ("gb2312", 0xB0, 0xD7),
    "big5": ("big5", 0xA4, 0xC6),
}
_AT_END = frozenset("ìòùς")  # of Italian, French and Greek words
_WORD = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*|[^\x00-\x7f]")
_CONTROLS = re.compile("[\x80-\x9f]")
# Signs that any text may hold beside its letters; a candidate that needs others is less likely.
_SIGNS = frozenset("–—‘’“”„‚«»…°·×•©®™§£€½¼¾±²³\u00a0¿¡、。・「」（），：ー〜～《》")
_ENOUGH = 200_000  # bytes beyond ASCII tell an encoding; more only take time
_SURE = 0.8
"""A rival below this share of the best one's score leaves the choice sure."""
_LIKELY = 0.3
_FIRST = 1.15
"""What the encoding that most exports have counts more than others."""


class Decoded(NamedTuple):
    """A text, the codec that it was read by, and what else it could be, the likeliest first; empty where it is sure."""

    text: str
    codec: str
    rivals: tuple[str, ...]


def shown_name(codec: str) -> str:
    """What a codec is called in a report."""
    return _NAMES.get(codec, codec)


def decode_unknown(raw: bytes) -> Decoded:
    """Decode bytes that are not UTF-8 by the usual encoding in which their words are likeliest."""
    odd = b"\n".join(line for line in raw.splitlines() if not line.isascii())[:_ENOUGH]
    scores = {
        codec: score for codec in (*_KNOWN["single"], *_KNOWN["double"]) if (score := _score(odd, codec)) is not None
    }
    ranked = sorted(scores, key=lambda codec: -scores[codec])
    for place, codec in enumerate(ranked):
        if scores[codec] < _LIKELY:
            break
        try:
            text = raw.decode(codec)
        except UnicodeDecodeError:
            continue
        near = (rival for rival in ranked[place + 1 :] if scores[rival] > _SURE * scores[codec])
        rivals = (rival for rival in near if odd.decode(codec, "replace") != odd.decode(rival, "replace"))
        return Decoded(text, codec, tuple(rivals)[:3])
    return decode_western(raw)


def decode_western(raw: bytes) -> Decoded:
    """The bytes as Windows-1252, or as Latin-1, in which the five bytes have a letter that have none in it."""
    try:
        return Decoded(raw.decode("cp1252"), "cp1252", ())
    except UnicodeDecodeError:
        return Decoded(raw.decode("latin-1"), "latin-1", ())


def known_codec(name: str) -> str | None:
    """The codec of a name as people write it ("Windows-1250", "MacRoman", "Shift-JIS"); None where there is none."""
    for tried in (name, re.sub(r"(?i)^windows[-_ ]?", "cp", name), re.sub(r"(?i)^mac[-_ ]?", "mac_", name)):
        try:
            found = codecs.lookup(tried.strip())
        except (LookupError, ValueError):
            continue
        return found.name if found._is_text_encoding else None
    return None


def _score(raw: bytes, codec: str) -> float | None:
    """How likely the words beyond ASCII are in an encoding, 0 to 1.75; None where it cannot be this one."""
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError as error:
        if error.start < len(raw) - 4:  # the sample may end within a letter
            return None
        text = raw.decode(codec, "ignore")
    if codec.startswith("iso") and _CONTROLS.search(text):
        return None
    words = [word for word in _WORD.findall(text) if word not in _SIGNS]
    if not words:
        return 1.5 if codec == "cp1252" else 0.5
    if codec in _KNOWN["double"]:
        from charset_normalizer import from_bytes  # a tenth of what a command takes to start

        chaos = next((match.chaos for match in from_bytes(raw, cp_isolation=[codec])), 1.0)
        letters = "".join(words)
        common = sum(_is_common(letter, codec) for letter in letters)
        return 1.6 * (1 - chaos) * common / len(letters)
    return _likely(words) * (_FIRST if codec == "cp1252" else 1.0)


def _likely(words: Sequence[str]) -> float:
    """The share of words that the best single language could write, and half of that which any could."""
    counts = [0] * len(_LATIN + _OTHER_SCRIPTS)
    some = 0
    for word in words:
        if word != word.lower() and word != word.upper() and word[1:] != word[1:].lower():
            continue  # a capital within a word
        if any(letter in _AT_END for letter in word[:-1].lower()):
            continue
        if "þ" in word[1:] or word[0] in "ъьЪЬ":
            continue  # a Turkish ş, or another script
        letters = {letter for letter in word.lower() if letter > "\x7f"}
        mixed = any("a" <= letter <= "z" for letter in word.lower())
        could = _LATIN if mixed else _LATIN + _OTHER_SCRIPTS
        fitting = [place for place, alphabet in enumerate(could) if letters <= alphabet]
        some += bool(fitting)
        for place in fitting:
            counts[place] += 1
    return (max(counts) + some / 2) / len(words)


def _is_common(letter: str, codec: str) -> bool:
    """Whether a text in that encoding would often have the letter: of its script, or of the characters put first."""
    if codec == "cp949":
        return "\uac00" <= letter <= "\ud7a3" and len(letter.encode("euc_kr", "ignore")) == 2
    standard, first, last = _FIRST_CHARACTERS[codec]
    if standard == "shift_jis" and "\u3040" <= letter <= "\u30ff":
        return True
    try:
        return first <= letter.encode(standard)[0] <= last
    except UnicodeEncodeError:
        return False
