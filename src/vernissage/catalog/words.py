"""What text encoders read of a work: its words without markup, and nothing that gives group, owner or rights away."""

import html
import json
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

_ADDRESS_START = re.compile(r"(?:https?:|ftp:|s3:|gs:|data:|iiif:)|//\w|www\.", re.IGNORECASE)
_WEB = re.compile(r"https?://[^/\s]", re.IGNORECASE)
_FURTHER_ADDRESS = re.compile(r"\s*[|;,\s]\s*(?=https?://|//\w|www\.)|\s*\|\s*|\s+", re.IGNORECASE)
_BETWEEN = re.compile(r"[|;,\s]")  # what every pair of addresses has between them, and most cells have not
_CREDENTIALS = re.compile(r"((?:https?:)?//)[^/?#\s]*@", re.IGNORECASE)
_ADDRESS = re.compile(r"\b(?:https?|ftp|file)://\S+|\bwww\.\S+|\S+@\S+\.\w+", re.IGNORECASE)
_BARE_ADDRESS = re.compile(
    r"\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|io|info|museum)(?:/\S*)?(?=\s|$|[;,)])", re.IGNORECASE
)
_FILE = re.compile(
    r"^(?:[A-Za-z]:)?[\w.~ -]*[/\\][^\n]*\.\w{2,5}$|^[\w.-]+\.(?:jpe?g|png|gif|tiff?|webp|pdf|svg|mp3|mp4|txt|html?)$"
)
_WORD = re.compile(r"(?<![\w])[^\W\d_]{3,}(?!\d)|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_KEY = re.compile(r"^\S*\d\S*$")
_FLAGS = frozenset(
    {"true", "false", "yes", "no", "y", "n", "ja", "nein", "oui", "non", "si", "sí", "none", "null", "nan", "n/a"}
)
_LONGEST_FLAG = max(map(len, _FLAGS))
_QUOTED = re.compile(r"""'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*\"""", re.DOTALL)
_QUOTED_LIST = re.compile(rf"\[\s*(?:{_QUOTED.pattern})(?:\s*,\s*(?:{_QUOTED.pattern}))*\s*,?\s*\]", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SIGNS = re.compile(r"[\W_]+")
_START = 300
_JOINED_BY_BLANK = (".", "!", "?", "…", ":", ";", ".”", '."', ".)")


def is_address(cell: str) -> bool:
    """Whether a cell names something on a network, or several such things, rather than a file."""
    return bool(_ADDRESS_START.match(cell))


def picture_link(cell: str) -> str:
    """The first web address of a cell, without a name and password in it; empty where there is none."""
    first = _FURTHER_ADDRESS.split(cell, maxsplit=1)[0] if _BETWEEN.search(cell) else cell
    if first.startswith("//") or first[:4].casefold() == "www.":
        first = f"https:{first}" if first.startswith("//") else f"https://{first}"
    if not _WEB.match(first):
        return ""
    return _CREDENTIALS.sub(r"\1", first) if "@" in first else first


def holds_credentials(cell: str) -> bool:
    """Whether a cell begins with a web address that holds a name or a password."""
    return bool(_CREDENTIALS.match(cell))


def holds_words(cell: str) -> bool:
    """Whether a cell says something in words: not an address, a number, a file, a key or a mere yes or no."""
    if (
        (len(cell) <= _LONGEST_FLAG and cell.casefold() in _FLAGS)
        or (("/" in cell or "\\" in cell or " " not in cell) and _FILE.match(cell))
        or (" " not in cell and _KEY.match(cell))
    ):
        return False
    start = cell[:_START]
    first = _WORD.search(start)
    if first is None or (" " in start and not ("/" in start or "@" in start or "www." in start)):
        return first is not None
    return bool(_WORD.search(_BARE_ADDRESS.sub(" ", _ADDRESS.sub(" ", start))))


def joined(parts: Sequence[str]) -> str:
    """Parts as one text: single blanks inside, a full stop between two parts unless one stands there already."""
    text = ""
    for part in filter(None, parts):
        # Most parts are single words and blanks already, which is cheaper to see than to make anew.
        plain = part.strip(" ") if "  " not in part and part.isprintable() else " ".join(part.split())
        if plain:
            text += (" " if text.endswith(_JOINED_BY_BLANK) else ". " if text else "") + plain
    return text


@lru_cache(maxsize=1 << 14)  # places, cultures, techniques: most cells stand in many rows
def attribute_words(cell: str) -> str:
    """The words of an attribute, without addresses, and lists with commas; empty when it holds none."""
    if not holds_words(cell):
        return ""
    if "://" in cell or "@" in cell or "www." in cell:
        cell = _ADDRESS.sub(" ", cell)
    return without_markup(cell).replace(" | ", ", ")


def split_keywords(cell: str, separator: str) -> tuple[str, ...]:
    """The keywords of a cell in their order, each once; a list as programs write it is read as one."""
    listed = _written_list(cell)
    parts = map(_plain_part, cell.split(separator) if listed is None else listed)
    return tuple(dict.fromkeys(filter(None, parts)))


@lru_cache(maxsize=1 << 14)
def _plain_part(part: str) -> str:
    return " ".join(without_markup(part).split())


def _written_list(cell: str) -> list[str] | None:
    """The values of a list that JSON or Python has written into a cell, as ["a", "b"] or ['a', 'b']; None of others."""
    if not (cell.startswith("[") and cell.endswith("]")):
        return None
    try:
        values = json.loads(cell)
    except (ValueError, RecursionError):
        quoted = [match[0] for match in _QUOTED.finditer(cell)] if _QUOTED_LIST.fullmatch(cell) else None
        return quoted and [_ESCAPED.sub(r"\1", value[1:-1]) for value in quoted]
    # Of nested lists, it is not known which values are keywords.
    plain = all(isinstance(value, str | int | float) or value is None for value in values)
    return [str(value) for value in values if value is not None] if plain else None


def keyword_separator(cells: Sequence[str]) -> str:
    """What separates the keywords of a column: ``|`` or ``;`` where cells have it, else the comma.

    One rule for the whole column, so that a single "Paris, France" is not cut where others are split at ``|``; a sign
    that fewer than one filled cell in fifty has is taken for a part of a word.
    """
    filled = [cell for cell in cells if cell and not (cell.startswith("[") and _written_list(cell) is not None)]
    for separator in ("|", ";"):
        if sum(separator in cell for cell in filled) * 50 >= max(len(filled), 1):
            return separator
    return ","


def repeats_group(values: Sequence[str], groups: Sequence[str]) -> bool:
    """Whether an attribute tells no more than the group: the same words in half of the rows, or one value per group.

    Such an attribute would give the group away to whoever reads the text. One value per group counts from two rows
    per group on, for in fewer it may be chance.
    """
    pairs = Counter((value, group) for value, group in zip(values, groups, strict=True) if value and group)
    count = pairs.total()
    if not count:
        return False
    if 2 * sum(times for (value, group), times in pairs.items() if _alike(value, group)) >= count:
        return True
    distinct = len({_plain_name(group) for group in {group for _, group in pairs}})
    plain: set[str] = set()
    for value in {value for value, _ in pairs}:
        plain.add(_plain(value))
        if len(plain) > distinct:
            return False
    one_to_one = len(plain) == distinct == len({(_plain(value), _plain_name(group)) for value, group in pairs})
    return one_to_one and distinct >= 2 and count >= 2 * distinct


def same_words(one: str, other: str) -> bool:
    """Whether two cells are the same but for case, blanks and signs."""
    return len(one) <= 2 * len(other) + 20 and _alike(one, other)


def _alike(cell: str, group: str) -> bool:
    first, other = cell[:1], group[:1]
    # Most cells begin with another letter than the group, which is cheaper to see than what both are without signs.
    if first.isalpha() and other.isalpha() and first.casefold()[0] != other.casefold()[0]:
        return False
    return _plain(cell) == _plain_name(group)


@lru_cache(maxsize=4096)
def _plain_name(group: str) -> str:
    return _plain(group)


def _plain(cell: str) -> str:
    # A group's name is short: the start of a long text is enough to tell it from one.
    return _SIGNS.sub("", cell[:_START].casefold())


_INLINE = (
    "a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark q s small span strike strong sub sup tt u"
)
_BLOCK = (
    "article blockquote body br dd div dl dt figure footer h1 h2 h3 h4 h5 h6 head header hr html img li ol p pre "
    "section table tbody td th thead tr ul"
)
_CODE = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_INLINE_TAG = re.compile(rf"</?(?:{_INLINE.replace(' ', '|')})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCK.replace(' ', '|')})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_SURROGATE = re.compile("[\ud800-\udfff]")
# FileMaker writes returns within a cell as vertical tabs and repeated values with group separators.
# Other control characters could steer a terminal; those that only part words become blanks.
_CONTROLS: dict[int, str | None] = dict.fromkeys([*range(9), *range(0x0E, 0x20), *range(0x7F, 0xA0), 0x202D, 0x202E])
_CONTROLS |= {0x0B: "\n", 0x0C: "\n", 0x0D: "\n", 0x1C: " ", 0x1D: "|", 0x1E: " ", 0x1F: " ", 0x85: "\n"}
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff]")


def without_markup(text: str) -> str:
    """The text without HTML tags and comments, entities as their characters.

    Only the names of real tags count, so that "x < y and z > w" stays. Blocks and line breaks become line breaks.
    """
    if "&" in text:
        # Twice, because an export of an export writes &amp;eacute;.
        for _ in range(2):
            text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    if "<" in text:
        text = _INLINE_TAG.sub("", _CODE.sub(" ", text))
        text = _BLOCK_TAG.sub("\n", text)
        text = "\n".join(line.strip() for line in text.split("\n"))
        text = re.sub(r"\n{3,}", "\n\n", text)
    return text.strip()


def clean_cell(cell: str) -> str:
    """A cell of a table without blanks around it, control characters, and characters that no file can hold."""
    if not cell.isprintable() and _ODD.search(cell):
        cell = _SURROGATE.sub("\ufffd", cell.replace("\r\n", "\n").translate(_CONTROLS))
    return cell.strip()
