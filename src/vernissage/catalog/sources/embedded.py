"""What a picture's file says of it: titles, captions, keywords, dates and makers in XMP, IPTC and EXIF."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageFile, IptcImagePlugin

from vernissage.catalog.host import quiet
from vernissage.catalog.pictures import MAX_BYTES, formats
from vernissage.catalog.words import clean_cell, without_markup
from vernissage.files import open_regular

_LARGEST_XMP = 2**20
_LONGEST = 10_000
_MOST_KEYWORDS = 200
_UTF8 = b"\x1b%G"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_DC = "{http://purl.org/dc/elements/1.1/}"
_XMP = {
    "title": (f"{_DC}title",),
    "description": (f"{_DC}description",),
    "keywords": (f"{_DC}subject",),
    "artist": (f"{_DC}creator",),
    "year": ("{http://ns.adobe.com/photoshop/1.0/}DateCreated", "{http://ns.adobe.com/exif/1.0/}DateTimeOriginal"),
}
_IPTC = {"title": (2, 5), "description": (2, 120), "keywords": (2, 25), "artist": (2, 80), "year": (2, 55)}
_EXIF = {"title": 0x9C9B, "description": 0x010E, "keywords": 0x9C9E, "artist": 0x013B}
_TAKEN = 0x9003
_BY_CAMERAS = frozenset(
    {"olympus digital camera", "sony dsc", "digital camera", "minolta dsc", "samsung camera pictures"}
)
_DATE = re.compile(r"(\d{4})[:-]?(\d\d)[:-]?(\d\d)(?!\d)")

_quietly = quiet("PIL")
_Found = dict[str, list[str]]


@dataclass(frozen=True)
class Embedded:
    """Words of a picture's file; what it does not say is empty. ``year`` is a date as YYYY-MM-DD, or a year."""

    title: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    artist: str = ""
    year: str = ""


def embedded_in(path: Path) -> Embedded:
    """What the file says of its picture: for each field XMP goes before IPTC, and IPTC before EXIF.

    Data that is damaged, or larger than any program writes, says nothing.
    """
    found: list[_Found] = []
    try:
        with _quietly, open_regular(path, MAX_BYTES) as file, Image.open(file, formats=formats()) as image:
            found = [each for read in (_xmp, _iptc, _exif) if (each := _unless_damaged(read, image))]
    except Exception:
        # Pillow raises errors of many kinds on arbitrary bytes; opening the picture tells this one in plain words.
        return Embedded()

    def first(name: str) -> list[str]:
        cells = ([_cleaned(cell) for cell in each.get(name, ())] for each in found)
        return next((filled for some in cells if (filled := [cell for cell in some if cell])), [])

    keywords = [word for cell in first("keywords") for word in re.split(r"[;|]", cell)]
    return Embedded(
        title=" ".join(first("title")[:1]),
        description=" ".join(first("description")[:1]),
        keywords=tuple(dict.fromkeys(filter(None, (" ".join(word.split()) for word in keywords))))[:_MOST_KEYWORDS],
        artist="; ".join(first("artist")),
        year=_date(" ".join(first("year")[:1])),
    )


def _unless_damaged(read: Callable[[Image.Image], _Found], image: Image.Image) -> _Found:
    try:
        return read(image)
    except Exception:
        # Of three blocks of data one may be damaged, by errors of many kinds, and the others say the same.
        return {}


def _xmp(image: Image.Image) -> _Found:
    from defusedxml.ElementTree import fromstring

    raw = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    if isinstance(raw, str):
        raw = raw.encode()
    raw = bytes(raw).strip(b"\0 \r\n\t")
    if not raw or len(raw) > _LARGEST_XMP:
        return {}
    found: _Found = {}
    for described in fromstring(raw, forbid_dtd=True).iter(f"{_RDF}Description"):
        for name, tags in _XMP.items():
            for tag in tags:
                child = described.find(tag)
                cells = [described.get(tag, "")] if child is None else list(_values(child))
                if any(cells) and not found.get(name):
                    found[name] = cells
    return found


def _values(element: Any) -> Iterator[str]:
    """The texts of a list; of one in several languages the usual one first. A plain element has one text."""
    items = list(element.iter(f"{_RDF}li"))
    if not items:
        yield element.text or ""
    for item in sorted(items, key=lambda item: item.get(_LANG, "x-default") != "x-default"):
        yield item.text or ""


def _iptc(image: Image.Image) -> _Found:
    told: Any = (isinstance(image, ImageFile.ImageFile) and IptcImagePlugin.getiptcinfo(image)) or {}
    codec = "utf-8" if told.get((1, 90)) == _UTF8 else ""
    found: _Found = {}
    for name, tag in _IPTC.items():
        values = told.get(tag, [])
        found[name] = [_decoded(value, codec) for value in (values if isinstance(values, list) else [values])]
    return found


def _decoded(value: bytes, codec: str = "") -> str:
    """Bytes in the named encoding, else in UTF-8 where they are that, else in Windows-1252."""
    try:
        return value.decode(codec or "utf-8", "replace" if codec else "strict")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def _exif(image: Image.Image) -> _Found:
    told = image.getexif()
    found = {name: [_exif_text(told.get(tag))] for name, tag in _EXIF.items()}
    if found["description"][0].strip().casefold() in _BY_CAMERAS:
        found["description"] = []
    found["year"] = [_exif_text(told.get_ifd(ExifTags.IFD.Exif).get(_TAKEN))]
    return found


def _exif_text(value: Any) -> str:
    """A text of EXIF: Windows' are UTF-16, others should be ASCII and are UTF-8 or Latin-1."""
    if isinstance(value, bytes | tuple):
        return bytes(value).decode("utf-16-le", "replace").rstrip("\0")
    return _decoded(value.encode("latin-1", "replace")).rstrip("\0") if isinstance(value, str) else ""


def _cleaned(cell: str) -> str:
    return " ".join(without_markup(clean_cell(cell[:_LONGEST])).split())


def _date(cell: str) -> str:
    """A date as YYYY-MM-DD; a year alone where month or day are unknown; empty where there is none."""
    match = _DATE.match(cell)
    if match is None or match[1] == "0000":
        return cell[:4] if re.match(r"[1-9]\d{3}\b", cell) else ""
    return match[1] if "00" in match.groups()[1:] else "-".join(match.groups())
