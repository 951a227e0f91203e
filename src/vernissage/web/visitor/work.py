"""One work with those like it."""

from typing import Any

from fastapi import APIRouter, Request, Response

from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.gallery.likeness import KINDS_OF_LIKENESS, places_of
from vernissage.pages.addresses import Addressed
from vernissage.pages.visitor.frame import Frame
from vernissage.pages.visitor.work import facts_of, work_page
from vernissage.web.visitor.site import Site

_ALIKE = 12


def routes(site: Site) -> APIRouter:
    """The page of each work."""
    router = APIRouter()

    @router.get("/works/{key:path}")
    def work(request: Request, key: str) -> Response:
        item = site.service.item(key)

        def link(facet: str, value: str) -> str:
            return site.filtered(request, facet, value)

        def make(frame: Frame) -> str:
            beside, places = site.addressed(request), places_of(site.service.gallery.collection)
            how: dict[str, Any] = {"facts": facts_of(item, places, link), "artist_link": link("artist", item.artist)}
            how |= {"pictures": beside.pictures(item), "lists": _like(site, beside, item)}
            return work_page(frame, beside.record(item), **how)

        return site.cached(request, make)

    return router


def _like(site: Site, beside: Addressed, item: Item) -> dict[str, list[dict[str, Any]]]:
    """Works like one by each kind of likeness; where none is known, those that the usual engine finds."""
    gallery = site.service.gallery
    answer = beside.answer(gallery.similar(item.id, _ALIKE, by=KINDS_OF_LIKENESS))
    lists = {each["by"]: each["works"] for each in answer["kinds"] if each["works"]}
    if lists:
        return lists
    try:
        return {"": beside.answer(gallery.similar(item.id, _ALIKE))["works"]}
    except RequestError:  # without vectors nothing is like anything
        return {}
