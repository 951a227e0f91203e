"""Works and their pictures as pages show them, under names that say nothing of works, files or engines."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

from fastapi import APIRouter, Request, Response

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import THUMBNAIL_MEDIA_TYPE, thumbnail
from vernissage.gallery.selecting import title_or_text
from vernissage.pages.templating import plain
from vernissage.pages.thumbnails import KEPT_BYTES, BytesCache
from vernissage.pages.works import AltText, alt_text
from vernissage.taggers.contract import Seen
from vernissage.web.compression import FOR_EVER
from vernissage.web.templating import Templates

SIDES: Mapping[str, int] = MappingProxyType({"thumbnail": 480, "large": 2000})
"""Most pixels of the longer side: for nine works on one page of a dense screen, and for one that is looked into."""

_EXCERPT = 220
PRIVATE = {"Cache-Control": "private, max-age=31536000, immutable"}
"""Of pictures, which are for the participant's browser alone."""


class Pictures:
    """Pictures of a collection by opaque names, which only whoever holds the secret can compute; thread-safe."""

    def __init__(
        self, collection: Collection, secret: bytes, kept_bytes: int = KEPT_BYTES, seen: Seen = lambda _: {}
    ) -> None:
        self._collection = collection
        self.seen = seen
        self._names = {item.id: _opaque(secret, item.id) for item in collection}
        self._items = {name: collection[item_id] for item_id, name in self._names.items()}
        self._cache = BytesCache(kept_bytes)

    def name(self, item_id: str) -> str:
        """The opaque name of a work."""
        return self._names[item_id]

    def item(self, name: str) -> Item | None:
        """The work of an opaque name, or None where there is none."""
        return self._items.get(name)

    def jpeg(self, name: str, size: str) -> bytes | None:
        """The picture as JPEG at one of `SIDES`, or None where there is no such work, size or picture.

        Raises:
            CollectionError: the picture cannot be opened.
        """
        item = self._items.get(name)
        path = self._collection.picture_path(item) if item is not None else None
        if path is None or size not in SIDES:
            return None
        return self._cache.get((name, size), lambda: thumbnail(path, SIDES[size]))


@dataclass(frozen=True)
class ShownWork:
    """One work on a page.

    Attributes:
        name: the opaque one, in addresses and in forms.
        label: title, artist and year in one line.
        alt: what those hear who do not see the picture.
        picture: whether it has one; a work without is shown by its words.
    """

    name: str
    title: str
    by: str
    label: str
    alt: AltText
    picture: bool
    text: str
    excerpt: str


def shown_work(item: Item, pictures: Pictures) -> ShownWork:
    """A work as pages show it."""
    title, text = title_or_text(item), plain(item.description or item.text)
    by = ", ".join(part for part in (plain(item.artist), plain(item.year)) if part)
    label = ", ".join(part for part in (title, by) if part)
    return ShownWork(
        name=pictures.name(item.id),
        title=title,
        by=by,
        label=label,
        alt=alt_text(item, pictures.seen([item.id]).get(item.id, ()), label),
        picture=bool(item.picture),
        text=text,
        excerpt=text if len(text) <= _EXCERPT else f"{text[:_EXCERPT].rpartition(' ')[0]} …",
    )


def media_router(
    pictures: Pictures,
    templates: Templates,
    count_page: Callable[[Request], object],
    count_picture: Callable[[Request], object],
) -> APIRouter:
    """The addresses of everything that pages load; each request for a page or a picture is counted first."""

    def picture(request: Request, name: str, size: str) -> Response:
        """A work's picture at one size."""
        count_picture(request)
        content = pictures.jpeg(name, size)
        if content is None:
            return templates.no_such_page()
        return Response(content, media_type=THUMBNAIL_MEDIA_TYPE, headers=PRIVATE)

    def work(request: Request, name: str) -> Response:
        """A page with one work alone, for browsers without scripts."""
        count_page(request)
        item = pictures.item(name)
        if item is None:
            return templates.no_such_page()
        return templates.page("work.html", work=shown_work(item, pictures))

    def icon() -> Response:
        """Browsers ask for one; there is none."""
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=FOR_EVER)

    router = APIRouter()
    router.add_api_route("/study/pictures/{name}/{size}.jpg", picture, methods=["GET"])
    router.add_api_route("/study/works/{name}", work, methods=["GET"])
    router.add_api_route("/study/static/{version}/{name}", templates.static, methods=["GET"])
    router.add_api_route("/favicon.ico", icon, methods=["GET"])
    return router


def _opaque(secret: bytes, item_id: str) -> str:
    code = hmac.new(secret, b"work\0" + item_id.encode(), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(code).decode().rstrip("=")
