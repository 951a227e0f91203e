"""What a table says about where a work belongs: the credit to print, the museum's own page, its canvases of IIIF."""

from vernissage.catalog.item import Item
from vernissage.catalog.words import picture_link
from vernissage.folding import folded

CANVASES = "canvas ids"
"""The attribute of the ids of the canvases that show a work, with bars between them."""
_CREDITS = frozenset({"credit", "creditline", "credit line", "credits"})
_PAGES = frozenset({
    "link", "url", "uri", "page", "website", "webpage", "weblink", "permalink", "homepage", "weburl", "objecturl",
    "web url", "web page", "object url", "object page", "link resource", "landing page", "source url", "record url",
})  # fmt: skip


def credit_of(item: Item) -> str:
    """The credit lines of a work, on one line; empty without one."""
    return " · ".join(
        " ".join(value.split()) for name, value in item.attributes.items() if _name(name) in _CREDITS and value.strip()
    )


def link_of(item: Item) -> str:
    """The web address of the museum's own page about a work; empty where no column gives one."""
    found = (picture_link(value.strip()) for name, value in item.attributes.items() if _name(name) in _PAGES)
    return next(filter(None, found), "")


def canvases_of(item: Item) -> list[str]:
    """The ids of the canvases of IIIF that show a work, in the order of its pictures; of other sources none."""
    return item.attributes[CANVASES].split(" | ") if CANVASES in item.attributes else []


def _name(column: str) -> str:
    return " ".join(folded(column).replace("_", " ").replace("-", " ").split())
