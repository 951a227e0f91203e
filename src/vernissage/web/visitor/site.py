"""What pages for visitors have in common on a server: language, addresses, caching, static files."""

from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import QueryParams

from vernissage.files import digest
from vernissage.gallery.facets import Facet, facets_of
from vernissage.pages.addresses import Addressed, Addresses
from vernissage.pages.look import Look
from vernissage.pages.visitor.frame import NAV, Frame, rendered, static_digest
from vernissage.web.api.access import Access
from vernissage.web.api.listing import Listing
from vernissage.web.api.service import ROOT, Service
from vernissage.web.compression import packed, packed_answer
from vernissage.web.languages import preferred

POLICY = (
    "default-src 'none'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_VARY = "Accept-Language, Accept-Encoding"


class Site:
    """One collection's pages, for the routes of each."""

    def __init__(self, service: Service, access: Access, look: Look) -> None:
        self.service, self.access, self.look = service, access, look
        self.listing = Listing(service)
        self._facets = lru_cache(2)(lambda _: facets_of(service.gallery.collection))

    def language(self, request: Request) -> str:
        """``?lang=``, else what the browser prefers of the museum's languages, else the first of these."""
        asked = request.query_params.get("lang", "")
        if asked in self.look.languages:
            return asked
        return preferred(request.headers.get("accept-language", ""), self.look.languages)

    def root(self, request: Request) -> str:
        """What the addresses of all pages begin with; empty at the top of a host."""
        public = self.service.public_url
        return (urlsplit(public).path if public else str(request.scope.get("root_path", ""))).rstrip("/")

    def frame(self, request: Request) -> Frame:
        """What stands around the page that is asked for. Links keep a language that was asked for."""
        root, language = self.root(request), self.language(request)
        path = request.scope["path"].removeprefix(request.scope.get("root_path", "")) or "/"
        kept = f"?lang={language}" if "lang" in request.query_params else ""
        again = f"{root}/{quote(path.lstrip('/'))}"  # two slashes at its beginning would lead to another host
        return Frame(
            self.look,
            self.service.gallery.name,
            address=lambda page: f"{root}{page}{kept}",
            static=lambda name: f"{root}/static/{static_digest(name, self.look)}/{name}",
            language=language,
            here=path,
            pages=tuple(NAV),
            languages={each: f"{again}?{with_values(request.query_params, lang=each)}" for each in self.look.languages},
        )

    @property
    def facets(self) -> tuple[Facet, ...]:
        """By what the collection can be filtered."""
        return self._facets(self.service.gallery.collection.fingerprint)

    def filtered(self, request: Request, facet: str, value: str) -> str:
        """Where the works of one value of a facet are; empty where it is none that can be filtered by."""
        found = next((each.find(value) for each in self.facets if each.name == facet), None)
        kept = {"lang": self.language(request)} if "lang" in request.query_params else {}
        return f"{self.root(request)}/?{urlencode({facet: value, **kept})}" if value and found else ""

    def addressed(self, request: Request) -> Addressed:
        """Records of works with addresses of pages; pictures and manifests are those of the API."""
        root = self.root(request).replace("{", "{{").replace("}", "}}")
        kept = f"?lang={self.language(request)}" if "lang" in request.query_params else ""
        places = Addresses(
            f"{root}/works/{{key}}{kept}",
            f"{root}{ROOT}/thumbnails/{{picture}}/{{width}}.{{kind}}",
            f"{root}{ROOT}/iiif/3/manifest/{{key}}",
            "webp",
        )
        return Addressed(self.service.gallery.snapshot, self.service.thumbnails, places)

    def cached(self, request: Request, make: Callable[[Frame], str], *also: object) -> Response:
        """A page that is the same for all who ask for it, made once in each state of the collection.

        ``make`` gives its HTML, which hangs on ``also``; whoever has it already is told so (304).
        """
        gallery, frame = self.service.gallery, self.frame(request)
        asked = (self.root(request), request.url.path, request.url.query, frame.language)
        key = ("page", gallery.fingerprint, gallery.snapshot.version, self.look.digest, *asked, *also)
        tag = f'W/"{digest(repr(key).encode())[:20]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": _VARY, "Content-Language": frame.language}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        content = self.service.answers.get(key, lambda: packed(make(frame).encode()))
        return packed_answer(request, content, "text/html", headers)

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """A page from a template that is made for one request and kept nowhere."""
        return self.private(request, lambda frame: rendered(template, frame, **values), status)

    def private(self, request: Request, make: Callable[[Frame], str], status: int = 200) -> Response:
        """A page that ``make`` makes for one request, and that is kept nowhere."""
        frame = self.frame(request)
        headers = {"Cache-Control": "no-store", "Content-Language": frame.language}
        return HTMLResponse(make(frame), status, headers)


def with_values(params: QueryParams, **values: str | None) -> str:
    """The query of an address with some values set, or taken out by None."""
    kept = [(name, value) for name, value in params.multi_items() if name not in values]
    return urlencode([*kept, *((name, value) for name, value in values.items() if value is not None)])
