"""Pictures, the pages of single works, the style sheet and the script."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from vernissage.catalog.pictures import THUMBNAIL_MEDIA_TYPE
from vernissage.web.study_site import Site
from vernissage.web.templating import STATIC_TYPES, message_page, page, static_address, static_file
from vernissage.web.works import shown_work

_FOR_EVER = "max-age=31536000, immutable"
PRIVATE, PUBLIC = f"private, {_FOR_EVER}", f"public, {_FOR_EVER}"
"""How long browsers keep a file whose address changes with it; pictures are for the participant's browser alone."""


def media_router(site: Site) -> APIRouter:
    """The addresses of everything that pages load."""
    media, router = Media(site), APIRouter()
    router.add_api_route("/pictures/{name}/{size}.jpg", media.picture, methods=["GET"])
    router.add_api_route("/works/{name}", media.work, methods=["GET"])
    router.add_api_route("/static/{version}/{name}", media.static, methods=["GET"])
    router.add_api_route("/favicon.ico", media.icon, methods=["GET"])
    return router


class Media:
    """Serves files by names that say nothing of where they lie."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def picture(self, request: Request, name: str, size: str) -> Response:
        """A work's picture at one size."""
        self._site.count_picture(request)
        content = self._site.pictures.jpeg(name, size)
        if content is None:
            return no_such_page()
        return Response(content, media_type=THUMBNAIL_MEDIA_TYPE, headers={"Cache-Control": PRIVATE})

    def work(self, request: Request, name: str) -> Response:
        """A page with one work alone, for browsers without scripts."""
        self._site.visitor(request)
        item = self._site.pictures.item(name)
        if item is None:
            return no_such_page()
        return page("work.html", work=shown_work(item, self._site.pictures))

    def static(self, version: str, name: str) -> Response:
        """The style sheet or the script."""
        if name not in STATIC_TYPES or static_address(name) != f"/static/{version}/{name}":
            return no_such_page()
        return Response(static_file(name), media_type=STATIC_TYPES[name], headers={"Cache-Control": PUBLIC})

    def icon(self) -> Response:
        """Browsers ask for one; there is none."""
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Cache-Control": PUBLIC})


def no_such_page() -> Response:
    """The answer to an address that nothing stands at."""
    return message_page("There is no such page", ["The address leads nowhere."], HTTPStatus.NOT_FOUND)
