"""Taking the marks of web pages and databases out of texts."""

import html
import re
from collections.abc import Iterable, Sequence

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
_CONTROLS = {0: None, 0x0B: "\n", 0x0D: "\n", 0x1D: "|"}
ODD_IN_TEXTS = ("\x00", "\x0b", "\x1d")
"""What `clean_cell` changes in a decoded text, but for returns, which every text may have and keep at its line ends."""

_ODD = re.compile("[\x00\x0b\r\x1d\ud800-\udfff]")


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


def clean_cells(cells: Iterable[str]) -> tuple[str, ...]:
    """Every cell as `clean_cell` leaves it."""
    return tuple(map(clean_cell, cells))


def trimmed_cells(cells: Sequence[str]) -> tuple[str, ...]:
    """The same, but faster, for cells of a decoded text that has none of `ODD_IN_TEXTS`, as nearly all."""
    return clean_cells(cells) if "\r" in "".join(cells) else tuple(map(str.strip, cells))


def clean_cell(cell: str) -> str:
    """A cell of a table without blanks around it, NUL bytes, and characters that no file can hold."""
    if _ODD.search(cell):
        cell = _SURROGATE.sub("\ufffd", cell.replace("\r\n", "\n").translate(_CONTROLS))
    return cell.strip()
