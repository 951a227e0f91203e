"""What visitors should know of the collection and of this site."""

from fastapi import APIRouter, Request, Response

from vernissage.pages.visitor.about import about, about_page
from vernissage.web.visitor.site import Site


def routes(site: Site) -> APIRouter:
    """The page about the collection."""
    router = APIRouter()

    @router.get("/about")
    def about_the_collection(request: Request) -> Response:
        return site.cached(request, lambda frame: about_page(frame, **about(site.service.gallery), people=True))

    return router
