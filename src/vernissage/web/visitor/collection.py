"""The collection as a grid: all works, or those that a search and filters leave."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from vernissage.pages.visitor.collection import collection_page
from vernissage.pages.visitor.frame import Frame
from vernissage.web.visitor.site import Site, with_values

_PER_PAGE = 60


def routes(site: Site) -> APIRouter:
    """The first page of a collection, and those that follow."""
    router = APIRouter()

    @router.get("/")
    def collection(
        request: Request,
        q: Annotated[str, Query(max_length=2_000)] = "",
        sort: Annotated[str, Query(max_length=20)] = "mixed",
        cursor: Annotated[str, Query(max_length=200)] = "",
    ) -> Response:
        def make(frame: Frame) -> str:
            listed = site.listing.page(q.strip(), (), sort, _PER_PAGE, cursor)
            beside = site.addressed(request)
            works = [beside.record(item) for item in site.service.gallery.snapshot.items(listed.ids).values()]
            more = f"{frame.address('/').partition('?')[0]}?{with_values(request.query_params, cursor=listed.next)}"
            return collection_page(frame, works, total=listed.total, more=more if listed.next else "", q=q, sort=sort)

        return site.cached(request, make)

    return router
