"""Finding out how the bytes of a text file are to be read."""

import re
from pathlib import Path

from vernissage.errors import CollectionError

_FOREIGN = {
    b"PK\x03\x04": "an Excel file or a ZIP archive under another name",
    b"\xd0\xcf\x11\xe0": "an old Excel file under another name",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file under another name",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
_EXPORT = "export the table anew as CSV in UTF-8 or as .xlsx"

# Tabs, line and page ends and the separators of databases (1C to 1F) stand in texts; of random bytes, 9 % are others.
_STRANGE = re.compile("[\x00-\x08\x0e-\x1b\x7f]")
_SAMPLE = 100_000
_MOST_STRANGE = 0.03
_FEWEST_STRANGE = 4
_WEB_PAGE = re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE)


def decode(path: Path, raw: bytes) -> tuple[str, str]:
    """The text of a file and the name of its encoding: by its byte-order mark, else UTF-8, else Windows-1252.

    A few wrong bytes among many UTF-8 letters, as pasting between programs leaves them, are read as Windows-1252 each.

    Raises:
        CollectionError: the bytes are those of another kind of file, or of no text at all.
    """
    text, encoding = _decoded(path, raw)
    strange = len(_STRANGE.findall(text, 0, _SAMPLE))
    if strange >= _FEWEST_STRANGE and strange > _MOST_STRANGE * min(len(text), _SAMPLE):
        raise CollectionError(
            f"{path} is no text: {strange} of its first {min(len(text), _SAMPLE)} characters are control characters, "
            f"as in programs or packed files; {_EXPORT}"
        )
    return text, encoding


def _decoded(path: Path, raw: bytes) -> tuple[str, str]:
    kind = next((kind for mark, kind in _FOREIGN.items() if raw.startswith(mark)), None)
    kind = "a web page" if _WEB_PAGE.match(raw) else kind
    if kind:
        raise CollectionError(f"{path} is {kind}, not a text file; {_EXPORT}")
    if raw.startswith(b"\xef\xbb\xbf"):
        text, name = _utf8(raw[3:])
        return text, f"{name}, with a byte-order mark"
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if raw.startswith(mark):
            return raw[2:].decode(codec, "replace"), "UTF-16"
    unmarked = _utf16_without_mark(raw)
    if unmarked:
        return raw.decode(unmarked, "replace"), "UTF-16, without a byte-order mark"
    return _utf8(raw)


def _utf8(raw: bytes) -> tuple[str, str]:
    try:
        return raw.decode(), "UTF-8"
    except UnicodeDecodeError:
        text = raw.decode(errors="surrogateescape")
    wrong = sum("\udc80" <= letter <= "\udcff" for letter in text)
    right = sum(letter > "\x7f" for letter in text) - wrong
    if right <= wrong:
        return _western(raw)
    mended = re.sub("[\udc80-\udcff]+", lambda match: _western(match[0].encode(errors="surrogateescape"))[0], text)
    return mended, f"UTF-8, but for {wrong} {'byte' if wrong == 1 else 'bytes'} read as Windows-1252"


def _western(raw: bytes) -> tuple[str, str]:
    try:
        return raw.decode("cp1252"), "Windows-1252, for it is not UTF-8"
    except UnicodeDecodeError:
        # Five bytes have no letter in Windows-1252; in Latin-1 all have one.
        return raw.decode("latin-1"), "Latin-1, for it is not UTF-8"


def _utf16_without_mark(raw: bytes) -> str | None:
    """UTF-16 of a western language has a zero in every second byte."""
    start = raw[:2000]
    half = len(start) // 2
    if half >= 4 and start[1::2].count(0) > 0.7 * half and start[::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if half >= 4 and start[::2].count(0) > 0.7 * half and start[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None
