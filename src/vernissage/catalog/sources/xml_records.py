"""Works in the XML of museums and libraries: LIDO, MARCXML, EDM and Dublin Core, alone or within OAI-PMH.

Parsed strictly: what is not well-formed to its end gives an error and no record. Entities are refused, nothing is
fetched, and one record at a time is held.
"""

import io
import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring, iterparse

from vernissage.catalog.pictures import PICTURE_SUFFIXES
from vernissage.catalog.words import is_address

OAI = "{http://www.openarchives.org/OAI/2.0/}"

Fields = dict[str, Any]
"""Column → a text, several, or of each language some, as `nested.unfolded` takes them."""

_FIELDS: Mapping[str, Mapping[str, Any]] = tomllib.loads(Path(__file__).with_name("xml_fields.toml").read_text("utf-8"))
_DEEPEST = 200
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = re.compile(r"\{http://purl\.org/dc/(?:elements/1\.1|terms)/\}")
_EDM = re.compile(
    r"\{http://www\.europeana\.eu/schemas/edm/\}(?:dataProvider|isShown(?:At|By)|hasView|object|country|rights)$"
)
_NAMES = frozenset({"term", "prefLabel", "appellationValue"})
_IDS = frozenset({"conceptID", "actorID", "placeID", "eventID", "workID", "legalBodyID", "objectID"})
_PRODUCTION = re.compile(
    r"lido00007\b|lido00012\b|\b(?:production|creation|création|fabrication|produzione|realizzazione|vervaardiging|"
    r"producción|creación|produção|criação)\b|herstellung|entstehung|schöpfung|fertigung",
    re.IGNORECASE,
)
_ONE_OF = {"title": "further titles", "year": "further dates", "identifier": "alternative id"}
_PARTING = re.compile(r"(?:\s+[/:;=]|,)$")
_SMALLER = re.compile(r"thumb|preview|overview|small|icon", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{2,8})*")
_MEDIA_TYPE = re.compile(r"(?:image|text|application|video|audio)/[\w.+-]+")


@dataclass(frozen=True, slots=True)
class XmlRecord:
    """One record; ``identifier`` is what OAI-PMH calls it, and ``cells`` are None where it says that it was deleted."""

    identifier: str
    cells: Fields | None


class XmlError(ValueError):
    """Why a text is no XML that is read, in the words that follow its name."""


def parsed(raw: bytes) -> Element:
    """The root of a whole document. Raises XmlError."""
    try:
        root: Element = fromstring(raw)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise XmlError(_reason(raw, error)) from error
    return root


def xml_records(raw: bytes) -> Iterator[XmlRecord]:
    """The records of a document in their order. Raises XmlError: it is not well-formed, or holds no known record."""
    above: list[Element] = []
    outermost, known = 0, False
    try:
        for event, element in iterparse(io.BytesIO(raw), events=("start", "end")):
            if event == "start":
                above.append(element)
                outermost = outermost or (len(above) if _is_record(element.tag) else 0)
                if len(above) > _DEEPEST:
                    raise XmlError(f"is nested deeper than {_DEEPEST} elements; that is no record of a work")
                continue
            if len(above) == outermost:
                outermost = 0
                for record in _records(element):
                    known = True
                    yield record
            above.pop()
            if above and not outermost:
                above[-1].remove(element)  # else all records stay in memory
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise error if isinstance(error, XmlError) else XmlError(_reason(raw, error)) from error
    if not known and not is_empty_answer(raw):
        raise XmlError("holds no record of LIDO, MARC 21, EDM or Dublin Core")


def is_empty_answer(raw: bytes) -> bool:
    """Whether a document is an answer of OAI-PMH, which may hold no records."""
    return OAI[1:-1].encode() in raw[:2000]


def _reason(raw: bytes, error: Exception) -> str:
    start = raw[:1000].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "is a web page (HTML), not XML"
    if isinstance(error, DefusedXmlException):
        return "declares entities, with which a small file can fill the memory; write it without a DOCTYPE"
    return f"is not well-formed XML ({error})"


def _is_record(tag: str) -> bool:
    local = tag.rpartition("}")[2]
    return (local == "lido" and "lido" in tag) or local in ("record", "dc", "qualifieddc", "RDF")


def _records(element: Element) -> Iterable[XmlRecord]:
    """The works of one outermost record."""
    if element.tag != f"{OAI}record":
        return [XmlRecord("", cells) for cells in _cells(element)]
    header = element.find(f"{OAI}header")
    name = (header.findtext(f"{OAI}identifier") or "").strip() if header is not None else ""
    if header is None or not name:
        raise XmlError("has a record of OAI-PMH without an identifier")
    if header.get("status") == "deleted":
        return [XmlRecord(name, None)]
    inner = element.find(f"{OAI}metadata/*")
    found = next(iter(_cells(inner)), None) if inner is not None else None
    if found is None:
        what = "nothing" if inner is None else inner.tag.rpartition("}")[2]
        raise XmlError(
            f"has {what} as the metadata of {name}, which is not read; ask for the format oai_dc, lido, edm or marc21"
        )
    return [XmlRecord(name, {"id": name, "record id": found.pop("id", ""), **found})]


def _cells(element: Element) -> list[Fields]:
    """The columns of each work in a record; of several titles and dates the first counts, the others stay beside."""
    works = _columns(element)
    for cells in works:
        for column, others in _ONE_OF.items():
            if isinstance(found := cells.get(column), list) and len(found) > 1:
                cells |= {column: found[0], others: found[1:]}
    return [{column: found for column, found in cells.items() if found} for cells in works]


def _columns(element: Element) -> list[Fields]:
    local = element.tag.rpartition("}")[2]
    if local == "lidoWrap":
        return [_lido(each) for each in element.findall("{*}lido")]
    if local == "lido":
        return [_lido(element)]
    if local == "record":
        return [_marc(element)] if element.find("{*}datafield") is not None else []
    if local == "RDF":
        return _edm(element)
    plain = _dublin_core([element], {})
    return [plain] if plain else []


def _lido(record: Element) -> Fields:
    for each in record.iter():
        each.tag = each.tag.rpartition("}")[2]  # versions differ in their namespaces
    _keep_production(record)
    cells = {name: _first(record, paths) for name, paths in _FIELDS["lido"].items()}
    cells["picture"] = list(filter(None, map(_link_of, record.iterfind(".//resourceSet"))))
    descriptive = record.find("descriptiveMetadata")
    cells["language"] = descriptive.get(_LANG, "") if descriptive is not None else ""
    if not cells["year"]:
        span = map(_as_text, (cells["date earliest"], cells["date latest"]))
        cells["year"] = "/".join(dict.fromkeys(filter(None, span)))
    return cells


def _keep_production(record: Element) -> None:
    """Take all events out but the production; where none is called so, but the first that names who took part."""
    held = [(parent, each) for parent in record.iterfind(".//eventWrap") for each in parent.findall("eventSet")]
    kinds = [" ".join(text for kind in each.iterfind(".//eventType") for text in kind.itertext()) for _, each in held]
    made = [_PRODUCTION.search(kind) is not None for kind in kinds]
    if not any(made):
        acted = [each.find(".//actorInRole") is not None for _, each in held]
        made = [place == (acted.index(True) if any(acted) else 0) for place in range(len(held))]
    for (parent, each), kept in zip(held, made, strict=True):
        if not kept:
            parent.remove(each)


def _link_of(resource: Element) -> str:
    """The address of the largest representation of a picture, by what they are called."""
    shown = resource.findall("resourceRepresentation")
    told = [(_SMALLER.search(_type_of(each)) is not None, _as_text(_first(each, ["linkResource"]))) for each in shown]
    return next((link for _, link in sorted(told, key=lambda pair: pair[0]) if link), "")


def _type_of(element: Element) -> str:
    return next((value for name, value in element.attrib.items() if name.rpartition("}")[2] == "type"), "")


def _first(record: Element, paths: Sequence[str]) -> Any:
    """What stands at the first of the paths that hold anything: texts, by language where it is said."""
    for path in paths:
        said = [pair for element in record.iterfind(path) for pair in _said(element)]
        if said:
            return _by_language(said)
    return ""


def _by_language(said: Iterable[tuple[str, str]]) -> Any:
    texts: dict[str, list[str]] = {}
    for language, text in dict.fromkeys(said):
        texts.setdefault(language.lower() if _LANGUAGE.fullmatch(language) else "none", []).append(text)
    return texts if len(texts) > 1 else next(iter(texts.values()), [])


def _said(element: Element) -> list[tuple[str, str]]:
    """The texts of an element with their languages: of names and terms the preferred ones, else all that it says."""
    outer = element.get(_LANG, "")
    named = [each for each in element.iter() if each.tag.rpartition("}")[2] in _NAMES]
    told = [(each.get(_LANG, outer), _text(each)) for each in named if _is_preferred(each)]
    told = told or [(each.get(_LANG, outer), _text(each)) for each in named]
    if not named:
        parts = (each for each in element.iter() if each is element or each.tag.rpartition("}")[2] not in _IDS)
        told = [(outer, " ".join(filter(None, (" ".join((each.text or "").split()) for each in parts))))]
    return [(language, text) for language, text in told if text]


def _is_preferred(element: Element) -> bool:
    told = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    return told.get("pref", "preferred") in ("preferred", "") and told.get("addedSearchTerm") != "yes"


def _text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _as_text(value: Any) -> str:
    """One text of what `_first` gives."""
    while not isinstance(value, str):
        value = next(iter(value.values() if isinstance(value, dict) else value), "")
    return value


def _marc(record: Element) -> Fields:
    fields: dict[str, list[Element]] = {}
    for each in record:
        fields.setdefault(each.get("tag", ""), []).append(each)
    cells: Fields = {}
    for name, places in _FIELDS["marc"].items():
        found = ([_marc_text(each, place[3:]) for each in fields.get(place[:3], ())] for place in places)
        cells[name] = next(filter(any, found), [])
    if not cells["artist"]:
        cells["artist"] = cells["contributors"]
    links = [_marc_text(each, "u") for each in fields.get("856", ())]
    pictures = [link for each, link in zip(fields.get("856", ()), links, strict=True) if _shows(each, link)]
    coded = (fields["008"][0].text or "") if "008" in fields else ""
    language = coded[35:38] if coded[35:38].isalpha() else ""
    others = [link for link in links if link not in pictures]
    return cells | {"picture": pictures, "link": others, "language": language}


def _marc_text(field: Element, codes: str) -> str:
    """Its subfields, without the signs by which cataloguing rules part them."""
    parts = [_text(each) for each in field if each.get("code", "") in codes] if codes else [_text(field)]
    return _PARTING.sub("", " ".join(parts)) if codes else parts[0]


def _shows(field: Element, link: str) -> bool:
    kind = _marc_text(field, "q") + _marc_text(field, "3")
    return bool(link) and (_shows_picture(link) or "image" in kind.casefold())


def _edm(graph: Element) -> list[Fields]:
    """The works of a graph: each object with its proxies and its aggregation, what they refer to as its label."""
    labels: dict[str, list[tuple[str, str]]] = {}
    resources: dict[str, list[Element]] = {}
    for each in graph:
        about, kind = each.get(f"{_RDF}about", ""), each.tag.rpartition("}")[2]
        resources.setdefault(kind, []).append(each)
        if kind in ("Agent", "Concept", "Place", "TimeSpan"):
            labels[about] = [(label.get(_LANG, ""), _text(label)) for label in each.iterfind("{*}prefLabel")]
    works = []
    for work in resources.get("ProvidedCHO", []):
        about = work.get(f"{_RDF}about", "")
        proxies = [each for each in resources.get("Proxy", []) if _refers(each, "proxyFor", about)]
        parts = [each for each in resources.get("Aggregation", []) if _refers(each, "aggregatedCHO", about)]
        parts = parts or (resources.get("Aggregation", []) if len(resources["ProvidedCHO"]) == 1 else [])
        works.append({"id": about, **_dublin_core([work, *proxies, *parts], labels)})
    return works


def _refers(element: Element, name: str, about: str) -> bool:
    return any(each.get(f"{_RDF}resource", about) == about for each in element.iterfind(f"{{*}}{name}"))


def _dublin_core(elements: Sequence[Element], labels: Mapping[str, Sequence[tuple[str, str]]]) -> Fields:
    """The columns of elements of Dublin Core and EDM; the rights of an aggregation are those of the picture."""
    said: dict[str, list[tuple[str, str]]] = {}
    for each in (child for element in elements for child in element):
        local = each.tag.rpartition("}")[2]
        if _DC.match(each.tag) or _EDM.match(each.tag):
            column = "licence" if local == "rights" and _EDM.match(each.tag) else _FIELDS["dc"].get(local, local)
            address = each.get(f"{_RDF}resource", "")
            told = labels.get(address) or [("", address)] if address else _said(each)
            # An address says nothing of a maker or a subject.
            useful = not address or address in labels or column in ("licence", "link", "picture", "preview of picture")
            said.setdefault(column, []).extend(told if useful else ())
    cells = {column: _by_language(pair for pair in pairs if pair[1]) for column, pairs in said.items()}
    if isinstance(found := cells.get("medium"), list):
        cells["medium"] = [text for text in found if not _MEDIA_TYPE.fullmatch(text)]
    named = [text for _, text in said.get("identifier", ())]
    shown = [text for text in named if is_address(text) and _shows_picture(text)]
    links = [text for text in named if is_address(text) and text not in shown]
    cells |= {"identifier": [text for text in named if not is_address(text)]} if named else {}
    for column, found in (("picture", shown), ("link", links), ("picture", cells.get("preview of picture"))):
        if found and not cells.get(column):
            cells[column] = found
    return cells


def _shows_picture(link: str) -> bool:
    return posixpath.splitext(link.partition("?")[0])[1].lower() in PICTURE_SUFFIXES or "/full/" in link
