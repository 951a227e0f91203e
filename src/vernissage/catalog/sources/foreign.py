"""Formats of museums and libraries that are recognised by name and not read."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_XML = (
    (r"lido-schema\.org|<(?:lido:)?lidoWrap|<lido:", "LIDO"),
    (r"<adlibXML|adlibsoft", "Adlib XML"),
    (r"loc\.gov/MARC21|<(?:marc:)?leader|marcxchange", "MARC XML"),
    (r"<(?:ead:)?ead[\s>]|urn:isbn:1-931666-22-9|archivists\.org/ns/ead|/ead3", "EAD"),
    (r"zetcom\.com", "MuseumPlus XML"),
    (r"loc\.gov/mods", "MODS"),
    (r"loc\.gov/METS", "METS"),
    (r"openarchives\.org/OAI", "an answer of OAI-PMH"),
    (r"europeana\.eu/schemas/edm", "EDM"),
    (r"tei-c\.org/ns", "TEI"),
    (r"purl\.org/dc/", "Dublin Core"),
    (r"<rdf:RDF", "RDF"),
)
_START = 20_000
READ = frozenset({"LIDO", "MARC XML", "an answer of OAI-PMH", "EDM", "Dublin Core"})
"""Kinds that `xml_records` reads."""
XML_SUFFIXES = (".xml", ".lido", ".rdf")
SUFFIXES = frozenset({*XML_SUFFIXES, ".ead", ".mrc", ".marc", ".mods"})


def format_of_bytes(raw: bytes) -> str:
    """What a file that is no table is called; empty where it is not known."""
    start = raw[:_START]
    if re.match(rb"\d{5}[acdnp][a-z][a-z ][ a].22\d{5}", start):
        return "MARC"
    text = start.decode("utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    if not text.lstrip("\ufeff \t\r\n").startswith("<"):
        return ""
    return next((name for pattern, name in _XML if re.search(pattern, text, re.IGNORECASE)), "XML")


def reads_xml(file: Path) -> bool:
    """Whether a file begins as XML of a format that `xml_records` reads."""
    with file.open("rb") as opened:
        return format_of_bytes(opened.read(_START)) in READ


def iiif_kind(content: Any) -> str:
    """What part of IIIF's Presentation API a JSON object is ("a IIIF manifest"); empty where it is none."""
    if not isinstance(content, Mapping):
        return ""
    told = f"{content.get('@context', '')}"
    kind = str(content.get("type") or content.get("@type") or "").removeprefix("sc:")
    if "iiif.io/api/presentation" in told or str(content.get("@type", "")).startswith("sc:"):
        return f"a IIIF {kind.lower() or 'document'}"
    return "a IIIF image description" if "iiif.io/api/image" in told else ""


def refusal(path: Path, kind: str) -> str:
    """What to say of a file of that kind."""
    return (
        f"{path} is {kind}, which is recognised but not read yet; export the works as a table (CSV, Excel, JSON with "
        f"one object for each work) from the system that holds them, or convert it to one"
    )


def foreign_file(folder: Path) -> tuple[Path, str] | None:
    """The first file of a folder that is of such a format, and the format."""
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in SUFFIXES and file.is_file():
            with file.open("rb") as opened:
                if kind := format_of_bytes(opened.read(_START)):
                    return file, kind
    return None
