"""Documents of IIIF, read: manifests of Presentation 2 and 3 as cells of works, collections and activities as what
they name.

https://iiif.io/api/presentation/3.0/ · https://iiif.io/api/presentation/2.1/ · https://iiif.io/api/discovery/1.0/

Strangers' documents: nothing of them is taken for granted but that they are JSON.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from vernissage.catalog.credits import CANVASES
from vernissage.catalog.words import clean_cell, without_markup

MOST_CANVASES = 50
"""Of a work, from the first on: the pages of a book would outweigh all other works in time and bytes."""
SIDE = 1024
"""Pixels of the longer side that is asked for: more than twice what the largest encoder reads."""

_DEEPEST = 8
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_IMAGE_API = re.compile(r"iiif\.io/api/image/|^ImageService[23]$")
_LEVEL = re.compile(r"level([012])")

Document = Mapping[str, Any]
Languages = Mapping[str, list[str]]
"""What is said, by language; ``none`` where none is named."""


@dataclass(frozen=True)
class Named:
    """A document that another names.

    Attributes:
        address: where it is.
        kind: "Manifest", "Collection", or "Page" of what a collection goes on in.
        inner: the document itself where it stands within the other.
    """

    address: str
    kind: str
    inner: Document | None = None


def parsed(body: bytes) -> Document:
    """The object of a JSON document. Raises ValueError: it is none, in words that follow "it"."""
    try:
        content = json.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        page = body.lstrip()[:1] == b"<"
        raise ValueError("is a web page or XML, not JSON" if page else "is not JSON, or nested too deeply") from None
    if not isinstance(content, dict):
        raise ValueError("is JSON, but no object")
    return content


def kind_of(document: Document) -> str:
    """ "Manifest", "Collection", "OrderedCollection" …, without the prefixes of Presentation 2."""
    kind = document.get("type") or document.get("@type") or ""
    return str(kind[0] if isinstance(kind, list) and kind else kind).rpartition(":")[2]


def address_of(value: Any) -> str:
    """The web address that is named by a text or an object; empty where there is none."""
    if isinstance(value, dict):
        value = value.get("id") or value.get("@id")
    found = value.strip().replace("|", "%7C").replace(" ", "%20") if isinstance(value, str) else ""
    return found if found.startswith(("http://", "https://")) else ""


def members(collection: Document) -> Iterator[Named]:
    """What a collection holds, in its order, and the pages that it goes on in."""
    for key, kind in (("collections", "Collection"), ("manifests", "Manifest"), ("members", ""), ("items", "")):
        for each in _list(collection.get(key)):
            told = kind_of(each) if isinstance(each, dict) else ""
            if (address := address_of(each)) and (told or kind or "Manifest") in ("Manifest", "Collection"):
                whole = isinstance(each, dict) and any(isinstance(each.get(part), list) for part in _PARTS)
                yield Named(address, told or kind or "Manifest", each if whole else None)
    for key in ("first", "next"):
        if address := address_of(collection.get(key)):
            yield Named(address, "Page")


_PARTS = ("items", "sequences", "manifests", "collections", "members")


def cells_of(manifest: Document, address: str) -> tuple[dict[str, str], int]:
    """A manifest as the cells of a table's row by the names of their columns, and how many canvases were left out.

    Of what is said in several languages, English goes before the first; the others stand in columns of their own,
    as ``title[de]``. What a manifest says of itself goes before its metadata of the same name.
    """
    cells: dict[str, str] = {"id": address_of(manifest) or address}
    _put(cells, "title", _languages(manifest.get("label")), " ")
    _put(cells, "description", _languages(manifest.get("summary") or manifest.get("description")), "\n")
    named = [each for each in _languages(manifest.get("label")) if each != "none"]
    cells["language"] = named[0] if len(named) == 1 else ""
    cells["rights"] = next(filter(None, map(address_of, _list(manifest.get("rights") or manifest.get("license")))), "")
    statement = manifest.get("requiredStatement")
    credit = statement.get("value") if isinstance(statement, dict) else manifest.get("attribution")
    _put(cells, "credit", _languages(credit), " · ")
    pages = _list(manifest.get("homepage")) or _list(manifest.get("related"))
    cells["link"] = next(filter(None, map(address_of, pages)), "")
    views, further = _views(manifest)
    cells["picture"] = "|".join(dict.fromkeys(picture for _, _, picture in views if picture))
    cells[CANVASES] = " | ".join(canvas for canvas, _, picture in views if picture)
    labels = (label for _, label, _ in views if not label.isdecimal())
    cells["contents"] = " | ".join(dict.fromkeys(filter(None, labels))) if len(views) > 1 else ""
    for pair in _list(manifest.get("metadata")):
        if isinstance(pair, dict) and (label := label_of(pair)):
            value = _languages(pair.get("value"))
            own = label.casefold() if label.casefold() in _OWN else ""
            if not (own and _one(value) == " ".join(cells.get(own, "").split())):
                _put(cells, f"{label} (metadata)" if own else label, value, " | ")
    return {name: cell for name, cell in cells.items() if cell}, further


_OWN = frozenset(
    ("id", "title", "description", "language", "rights", "credit", "link", "picture", "group", "contents", CANVASES)
)


def _put(cells: dict[str, str], name: str, said: Languages, between: str) -> None:
    """Add what is said to a column, the further languages to columns of their own."""
    for place, language in enumerate(sorted(said, key=lambda each: not each.casefold().startswith("en"))):
        column = f"{name}[{language}]" if place else name
        held = [cells[column]] if cells.get(column) else []
        cells[column] = between.join(dict.fromkeys([*held, *said[language]]))


def label_of(document: Document) -> str:
    """What a document is called."""
    return _one(_languages(document.get("label")))


def _one(said: Languages) -> str:
    cells: dict[str, str] = {}
    _put(cells, "it", said, " ")
    return " ".join(cells.get("it", "").split())


def _languages(value: Any) -> Languages:
    """A text as either version writes it: one, a list, by language, or objects of a value and a language."""
    found: dict[str, list[str]] = {}

    def add(language: Any, told: Any) -> None:
        if isinstance(told, int | float) and not isinstance(told, bool):
            told = str(told)
        if isinstance(told, str) and (words := without_markup(clean_cell(told))):
            known = isinstance(language, str) and _LANGUAGE.fullmatch(language) and language != "und"
            found.setdefault(language if known else "none", []).append(words)

    for each in _list(value):
        if not isinstance(each, dict):
            add("none", each)
        elif "@value" in each:
            add(each.get("@language"), each["@value"])
        else:
            for language, texts in each.items():
                for text in _list(texts):
                    add(language, text)
    return found


def _views(manifest: Document) -> tuple[list[tuple[str, str, str]], int]:
    """The id, the label and the picture's address of each canvas, and how many canvases were left out.

    Where no canvas has a picture, as of sound, the manifest's thumbnail stands for the work.
    """
    sequences = [each for each in _list(manifest.get("sequences")) if isinstance(each, dict)]
    canvases = [each for part in sequences for each in _list(part.get("canvases"))] or _list(manifest.get("items"))
    canvases = [each for each in canvases if isinstance(each, dict)]
    views = [(address_of(each), _one(_languages(each.get("label"))), _painted(each)) for each in canvases]
    further = max(0, len(views) - MOST_CANVASES)
    views = views[:MOST_CANVASES]
    if not any(picture for _, _, picture in views):
        shown = [picture for each in _list(manifest.get("thumbnail")) if (picture := _picture(each, {}, small=True))]
        views += [(views[0][0] if views else "", "", picture) for picture in shown[:1]]
    return views, further


def _painted(canvas: Document) -> str:
    """The address of the first picture that is painted on a canvas, or on the one that stands in its place."""
    stands_in = (canvas.get("placeholderCanvas"), canvas.get("accompanyingCanvas"))
    for each in (canvas, *(other for other in stands_in if isinstance(other, dict))):
        pages = [page for page in _list(each.get("items")) if isinstance(page, dict)]
        notes = [note for page in pages for note in _list(page.get("items"))] + _list(each.get("images"))
        for note in notes:
            motives = _list(note.get("motivation")) if isinstance(note, dict) else ["none"]
            paints = not motives or any(str(motive).endswith("painting") for motive in motives)
            if paints and (picture := _picture(note.get("body") or note.get("resource"), each, small=False)):
                return picture
    return next(filter(None, (_picture(each, {}, small=True) for each in _list(canvas.get("thumbnail")))), "")


def _picture(body: Any, canvas: Document, *, small: bool) -> str:
    """The address of the picture that a body is or holds: of a choice its first, of a part the whole."""
    for _ in range(_DEEPEST):
        body = body[0] if isinstance(body, list) and body else body
        if not isinstance(body, dict):
            return address_of(body) if small else ""
        kind = kind_of(body)
        if kind == "Choice":
            body = body.get("items") or body.get("default") or body.get("item")
        elif kind == "SpecificResource":
            body = body.get("source") or body.get("full")
        else:
            break
    else:
        return ""
    if kind not in ("Image", "") and not str(body.get("format", "")).startswith("image/"):
        return ""
    for service in _list(body.get("service")):
        if isinstance(service, dict) and (address := _sized(service, body, canvas)):
            return address
    return address_of(body)


def _sized(service: Document, body: Document, canvas: Document) -> str:
    """The address of a picture of `SIDE` pixels by the Image API; of its description where only that tells sizes."""
    said = [service.get(key) for key in ("@context", "type", "@type", "profile", "protocol")]
    told = [text for each in said for text in _list(each) if isinstance(text, str)]
    if not (base := address_of(service).rstrip("/")) or not any(map(_IMAGE_API.search, told)):
        return ""
    levels = [found[1] for text in told if (found := _LEVEL.search(text))]
    size = _size(body) or _size(canvas)
    if not size or not levels or levels[0] == "0":
        return f"{base}/info.json"
    width, height = size
    return f"{base}/full/{max(1, round(width * min(1.0, SIDE / max(width, height))))},/0/default.jpg"


def _size(resource: Document) -> tuple[int, int] | None:
    width, height = resource.get("width"), resource.get("height")
    if isinstance(width, int) and isinstance(height, int) and 0 < width < 10**6 and 0 < height < 10**6:
        return width, height
    return None


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


class Activity(NamedTuple):
    """One change: "Create", "Update", "Delete" … of a manifest, and when; a "Refresh" is of none."""

    kind: str
    address: str
    ended: str


def activities_of(page: Document) -> tuple[list[Activity], str]:
    """The activities on manifests of a page, or a stream, the newest first, and the address of the page of older ones.

    That is empty on the first page.
    """
    found: list[Activity] = []
    for each in reversed(_list(page.get("orderedItems"))):
        if not isinstance(each, dict):
            continue
        ended, thing, kind = str(each.get("endTime") or ""), each.get("object"), kind_of(each)
        if kind == "Move" and (to := address_of(each.get("target"))):
            found.append(Activity("Create", to, ended))
            kind = "Delete"
        of_manifest = not isinstance(thing, dict) or kind_of(thing) in ("Manifest", "")
        if kind == "Refresh" or (of_manifest and address_of(thing)):
            found.append(Activity(kind, address_of(thing), ended))
    return found, address_of(page.get("last" if kind_of(page) == "OrderedCollection" else "prev"))


def stream_of(document: Document) -> str:
    """The address of the stream of changes that a collection names; empty where it names none."""
    for key in ("service", "services", "seeAlso", "partOf"):
        for each in _list(document.get(key)):
            if isinstance(each, dict):
                told = f"{each.get('profile', '')} {each.get('@context', '')}"
                if kind_of(each) == "OrderedCollection" or "iiif.io/api/discovery" in told:
                    return address_of(each)
    return ""
