"""Works as Linked Art, the profile of CIDOC CRM that museums exchange: what the table says, and where the picture is.

https://linked.art/api/1.0/endpoint/physical_object/
"""

from typing import Any
from urllib.parse import quote

from vernissage.catalog.item import Item
from vernissage.pages.addresses import Addressed
from vernissage.pages.iiif import CONTEXT as PRESENTATION
from vernissage.pages.iiif import MEDIA_TYPE as MANIFEST
from vernissage.pages.templating import plain

CONTEXT = "https://linked.art/ns/v1/linked-art.json"
MEDIA_TYPE = f'application/ld+json;profile="{CONTEXT}"'
_AAT = "http://vocab.getty.edu/aat/"
_BRIEF = [{"id": f"{_AAT}300418049", "type": "Type", "_label": "Brief Text"}]
_STATEMENTS = {
    "description": (300435416, "Description"),
    "medium": (300435429, "Material Statement"),
    "credit": (300435418, "Credit Line"),
    "rights": (300435434, "Copyright/License Statement"),
}
"""Fields of a work that are texts about it, with terms of the Art & Architecture Thesaurus for their kinds."""


def human_made_object(item: Item, addressed: Addressed) -> dict[str, Any]:
    """One work; its artist is called a Person, since a table does not say who is a group."""
    record = addressed.record(item)
    title = plain(item.title) or item.id
    made: dict[str, Any] = {"@context": CONTEXT, "id": record["url"], "type": "HumanMadeObject", "_label": title}
    made["identified_by"] = [
        {"type": "Identifier", "content": item.id, "classified_as": [_type(300435704, "System-Assigned Number")]},
        {"type": "Name", "content": title, "classified_as": [_type(300404670, "Primary Name")]},
    ]
    if production := _production(item, record["url"]):
        made["produced_by"] = {"type": "Production"} | production
    texts = [
        {"type": "LinguisticObject", "content": text, "classified_as": [_type(*term) | {"classified_as": _BRIEF}]}
        for name, term in _STATEMENTS.items()
        if (text := plain(record[name]))
    ]
    shown = [_digital(address, 300215302, "Digital Image", "image/jpeg") for address in record["pictures"]]
    pages = [_digital(address, 300264578, "Web Page", "text/html") for address in [record["link"]] if address]
    about = [{"type": "LinguisticObject", "digitally_carried_by": [page]} for page in pages]
    if shown and record["manifest"]:
        told = {"type": "DigitalObject", "format": MANIFEST, "access_point": _access(record["manifest"])}
        told["conforms_to"] = [{"id": PRESENTATION, "type": "InformationObject"}]
        about.append({"type": "LinguisticObject", "digitally_carried_by": [told]})
    optional = {"referred_to_by": texts, "subject_of": about}
    optional["representation"] = [{"type": "VisualItem", "digitally_shown_by": shown}] if shown else []
    return made | {name: value for name, value in optional.items() if value}


def _production(item: Item, place: str) -> dict[str, Any]:
    """Who made a work and when, as far as it is known."""
    made: dict[str, Any] = {}
    if artist := plain(item.artist):
        works = f"{place.rpartition('/works/')[0]}/works?where%5B%5D=artist%3D{quote(artist)}#artist"
        made["carried_out_by"] = [{"id": works, "type": "Person", "_label": artist}]
    span = {"type": "TimeSpan", "identified_by": [{"type": "Name", "content": plain(item.year)}]} if item.year else {}
    if found := item.span:
        span |= {"type": "TimeSpan", "begin_of_the_begin": f"{_year(found.first)}-01-01T00:00:00Z"}
        span["end_of_the_end"] = f"{_year(found.last)}-12-31T23:59:59Z"
    return made | ({"timespan": span} if span else {})


def _year(year: int) -> str:
    """A year as in ISO 8601, where the year before 1 is 0."""
    return f"{year:04d}" if year > 0 else f"{year + 1:05d}" if year < -1 else "0000"


def _digital(address: str, number: int, label: str, media_type: str) -> dict[str, Any]:
    made = {"type": "DigitalObject", "classified_as": [_type(number, label)], "format": media_type}
    return made | {"access_point": _access(address)}


def _access(address: str) -> list[dict[str, str]]:
    return [{"id": address, "type": "DigitalObject"}]


def _type(number: int, label: str) -> dict[str, Any]:
    return {"id": f"{_AAT}{number}", "type": "Type", "_label": label}
