"""Works as IIIF Presentation 3: a manifest for one, a collection for a list, which any viewer opens.

https://iiif.io/api/presentation/3.0/
"""

import re
from collections.abc import Sequence
from typing import Any

from vernissage.catalog.item import Item
from vernissage.pages.addresses import Addressed
from vernissage.pages.templating import plain
from vernissage.sentences import LANGUAGES, Sentence, told

CONTEXT = "http://iiif.io/api/presentation/3/context.json"
MEDIA_TYPE = f'application/ld+json;profile="{CONTEXT}"'
_TYPES = {"jpg": "image/jpeg", "webp": "image/webp"}

_CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"
_LICENCE = re.compile(
    r"https?://(?:creativecommons\.org/(?:licenses|publicdomain)|rightsstatements\.org/vocab)/[\w./-]+", re.IGNORECASE
)
_BY = re.compile(r"\bCC[ -]?(BY(?:-(?:NC|SA|ND))*)[ -]?(\d\.\d)", re.IGNORECASE)


def manifest(item: Item, addressed: Addressed) -> dict[str, Any] | None:
    """The manifest of a work with a picture; None of one without, which no viewer could show."""
    sizes, record = addressed.sizes(item), addressed.record(item)
    if not sizes or record["manifest"] is None:
        return None
    width, height = sizes[-1]
    kind = _TYPES[addressed.addresses.kind]
    language, place = item.language or "none", record["manifest"]
    image = {"id": record["pictures"][0], "type": "Image", "format": kind, "width": width, "height": height}
    painting = {"id": f"{place}/canvas/1/painting", "type": "Annotation", "motivation": "painting", "body": image}
    page: dict[str, Any] = {"id": f"{place}/canvas/1/page", "type": "AnnotationPage"}
    page["items"] = [painting | {"target": f"{place}/canvas/1"}]
    canvas = {"id": f"{place}/canvas/1", "type": "Canvas", "width": width, "height": height, "items": [page]}
    made: dict[str, Any] = {"@context": CONTEXT, "id": place, "type": "Manifest"}
    made["label"] = {language: [plain(item.title) or item.id]}
    if summary := plain(item.description):
        made["summary"] = {language: [summary]}
    facts = {Sentence("Artist"): item.artist, Sentence("Date"): item.year, Sentence("Medium"): item.medium}
    facts[Sentence("Rights")] = item.licence
    if known := [_pair(name, value, language) for name, value in facts.items() if value.strip()]:
        made["metadata"] = known
    if rights := rights_address(item.licence):
        made["rights"] = rights
    if record["credit"]:
        made["requiredStatement"] = _pair(Sentence("Credit"), record["credit"], language)
    if record["link"]:
        about = {"id": record["link"], "type": "Text", "label": made["label"], "format": "text/html"}
        made["homepage"] = [about]
    small = record["thumbnail"]
    picture = {"id": small["src"], "type": "Image", "format": kind}
    made["thumbnail"] = [picture | {"width": small["width"], "height": small["height"]}]
    return made | {"items": [canvas]}


def collection(place: str, label: str, items: Sequence[Item], addressed: Addressed) -> dict[str, Any]:
    """Works in their order as a collection of manifests; those without a picture are left out."""
    parts = []
    for item in items:
        address = addressed.addresses.of_manifest(item.id)
        if address is not None and addressed.sizes(item):
            label_of = {item.language or "none": [plain(item.title) or item.id]}
            parts.append({"id": address, "type": "Manifest", "label": label_of})
    told_as = {each: [told(label, each)] for each in LANGUAGES}
    return {"@context": CONTEXT, "id": place, "type": "Collection", "label": told_as, "items": parts}


def rights_address(licence: str) -> str:
    """The address that stands for a licence: Creative Commons' or RightsStatements.org's; empty where it names none."""
    if found := _LICENCE.search(licence):
        return re.sub(r"^https", "http", found[0].rstrip(".,;)"))
    if found := _BY.search(licence):
        return f"http://creativecommons.org/licenses/{found[1].lower()}/{found[2]}/"
    return _CC0 if re.search(r"\bCC ?-?0\b|\bCC Zero\b", licence, re.IGNORECASE) else ""


def _pair(name: str, value: str, language: str) -> dict[str, Any]:
    return {"label": {each: [told(name, each)] for each in LANGUAGES}, "value": {language: [plain(value)]}}
