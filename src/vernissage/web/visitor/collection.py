"""The collection as a grid: all works, or those that a search and filters leave."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from vernissage.errors import RequestError
from vernissage.gallery.answer import Answer
from vernissage.gallery.facets import Facet
from vernissage.pages.visitor.collection import SORTS, Asked, Chosen, collection_page
from vernissage.pages.visitor.frame import Frame
from vernissage.sentences import Sentence
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
        gallery, place = site.service.gallery, f"{site.root(request)}/"
        known = site.facets
        without = f"{place}?{with_values(request.query_params, q=None, cursor=None)}"
        asked = Asked(q.strip(), _chosen(request, known, place), sort if sort in SORTS else "mixed", without)

        def make(frame: Frame) -> str:
            where = tuple(each for chosen in asked.chosen for each in chosen.value.conditions)
            listed = site.listing.page(asked.q, where, asked.sort, _PER_PAGE, cursor)
            beside = site.addressed(request)
            works = [beside.record(item) for item in gallery.snapshot.items(listed.ids).values()]
            more = f"{place}?{with_values(request.query_params, cursor=listed.next)}" if listed.next else ""
            how: dict[str, Any] = {"facets": known, "asked": asked}
            how |= {} if listed.found is None else _found(listed.found)
            return collection_page(frame, works, total=listed.total, more=more, **how)

        try:
            return site.cached(request, make)
        except RequestError:
            if not cursor:
                raise
            # Of a state that is gone: whoever has an old page goes on at the beginning.
            return RedirectResponse(f"{place}?{with_values(request.query_params, cursor=None)}", 303)

    return router


def _found(answer: Answer) -> dict[str, Any]:
    """What to say of what a search found: words around those that were met, where neither title nor artist has them."""
    why = {work.id: work.reasons[0] for work in answer.works}
    met = {
        each: reason.words.values["words"]
        for each, reason in why.items()
        if reason.id not in {"", "title", "artist", "year"} and isinstance(reason.words, Sentence)
    }
    related = next((each for each, reason in why.items() if not reason.id), "")
    notes = [note for note in answer.notes if isinstance(note, Sentence) and "near" in note.values]
    return {"met": met, "related": related, "notes": notes}


def _chosen(request: Request, facets: tuple[Facet, ...], place: str) -> tuple[Chosen, ...]:
    """The filters that an address sets; values that no work has are passed over."""
    params, found = request.query_params, []
    for facet in facets:
        value = facet.find(params.get(facet.name, ""))
        if value is not None:
            without = with_values(params, **{facet.name: None, "cursor": None})
            found.append(Chosen(facet, value, f"{place}?{without}"))
    return tuple(found)
