"""One work: what is known of it, and where its picture lies."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from types import MappingProxyType

from vernissage.catalog.dates import year_number
from vernissage.files import digest

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Item:
    """One work of a collection. A field without a value is an empty string.

    Attributes:
        id: unique in the collection.
        year: the date as the museum wrote it ("c. 1710", "1882–83", "Date unknown").
        picture: path of the picture below the collection's folder, with forward slashes; empty without one.
        picture_digest: SHA-256 of the picture file; empty without one.
        text: what text encoders read: title, artist, year, medium, description, keywords and further attributes
            that hold words, joined by full stops. The group, the owner, the licence and addresses stay out of it.
        attributes: every other column of the table, by its own name.
    """

    id: str
    title: str = ""
    artist: str = ""
    year: str = ""
    medium: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    group: str = ""
    owner: str = ""
    licence: str = ""
    picture: str = ""
    picture_digest: str = ""
    text: str = ""
    attributes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    @property
    def year_number(self) -> int | None:
        """The first year that ``year`` names, negative before Christ; None where it names none."""
        return year_number(self.year)

    @property
    def text_digest(self) -> str:
        """SHA-256 of the text that encoders read; empty without one."""
        return digest(self.text.encode()) if self.text else ""

    @property
    def record_digest(self) -> str:
        """SHA-256 of everything that is known of the work."""
        keywords = ", ".join(map(_quoted, self.keywords))
        attributes = ", ".join(f"{_quoted(name)}: {_quoted(cell)}" for name, cell in sorted(self.attributes.items()))
        # The JSON of one list, put together here: making an encoder for each work takes longer.
        return digest(b"[%b, %b]" % (_json_strings(_texts_of(self)), f"[{keywords}], {{{attributes}}}".encode()))


_quoted = json.encoder.encode_basestring
_texts_of = attrgetter(*(field.name for field in fields(Item) if field.name not in {"attributes", "keywords"}))
_BETWEEN = "\x1f"
_RARE_CONTROLS = bytes(code for code in range(32) if chr(code) not in "\n\x1f")


def _json_strings(texts: tuple[str, ...]) -> bytes:
    """The texts as JSON strings with commas between them.

    An encoder goes letter by letter, which takes three times as long; only texts with a control character other than
    the line feed need one.
    """
    raw = _BETWEEN.join(texts).encode()
    if len(raw.translate(None, _RARE_CONTROLS)) < len(raw) or raw.count(b"\x1f") >= len(texts):
        return json.dumps(texts, ensure_ascii=False)[1:-1].encode()
    escaped = raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"%b"' % escaped.replace(b"\x1f", b'", "')
