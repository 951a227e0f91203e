"""One work with those like it."""

from typing import Any

from fastapi import APIRouter, Request, Response

from vernissage.gallery.likeness import places_of
from vernissage.pages.visitor.frame import Frame
from vernissage.pages.visitor.work import facts_of, lists_like, work_page
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
            how |= {"pictures": beside.pictures(item), "lists": lists_like(site.service.gallery, beside, item, _ALIKE)}
            return work_page(frame, beside.record(item), **how)

        return site.cached(request, make)

    return router
