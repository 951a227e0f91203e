"""Works for ratings that are the visitor's own: in a form, in an address or in the browser, and kept nowhere here."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from vernissage.catalog.keys import id_of, key_of
from vernissage.errors import Kind, RequestError, VernissageError
from vernissage.gallery.engines import default_engine
from vernissage.gallery.likeness import InCommon
from vernissage.pages.visitor.for_you import ForYou, for_you_page, notes_of, why_of
from vernissage.pages.visitor.frame import Frame
from vernissage.sentences import Sentence
from vernissage.web.api.bodies import MOST_RATINGS, MOST_WORKS, RecommendationRequest
from vernissage.web.api.service import ROOT
from vernissage.web.visitor.site import Site
from vernissage.web.visitors import Trial

PATH = "/for-you"
_AT_ONCE = 9
"""Works to rate in one turn, and works of the list that are added at a time."""

_ALL_RIGHT = 3
"""Works like those that were all rated lower are not what anybody wants to see."""

_LONGEST_LINK = 4_000
_MOST_FIELDS = 2_000
_TOO_LONG = Sentence("This link is too long and may have been cut off. Ask for another one, with fewer ratings.")
_TOO_MANY = Sentence("These are too many ratings at once; clear some.")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Wishes:
    """What the form holds: ``r.KEY`` a rating, ``keep.KEY`` and ``hide.KEY``, ``ask`` a turn, ``n`` how many works.

    Of names that come twice the last counts, as buttons come after what they change; 0 takes a name out.

    Attributes:
        unknown: how many ratings are of no work here, or are no whole number from 1 to 5.
    """

    ratings: Mapping[str, float]
    kept: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    turn: int = 0
    count: int = _AT_ONCE
    unknown: int = 0

    @classmethod
    def read(cls, pairs: Iterable[tuple[str, str]], there: Any) -> "Wishes":
        """From names and values; ``there`` has the ids of works.

        Raises:
            RequestError: there are more ratings than a recommendation takes.
        """
        found: dict[str, dict[str, str]] = {"r": {}, "keep": {}, "hide": {}}
        given, unknown = dict(pairs), 0
        for name, value in given.items():
            kind, _, key = name.partition(".")
            if kind not in found or value in {"", "0"}:
                continue
            item_id = id_of(key)
            if item_id is None or item_id not in there or (kind == "r" and value not in {"1", "2", "3", "4", "5"}):
                unknown += kind == "r"
            else:
                found[kind][item_id] = value
        if len(found["r"]) > MOST_RATINGS:
            raise RequestError(_TOO_MANY)
        ratings = {item_id: float(value) for item_id, value in found["r"].items()}
        count = _whole(given.get("n", ""), _AT_ONCE, MOST_WORKS)
        return cls(ratings, tuple(found["keep"]), tuple(found["hide"]), _whole(given.get("ask", "")), count, unknown)

    def fields(self) -> list[tuple[str, str]]:
        """All but ratings and counts, by the names of the form."""
        return [
            *((f"keep.{key_of(each)}", "1") for each in self.kept),
            *((f"hide.{key_of(each)}", "1") for each in self.hidden),
        ]


def routes(site: Site) -> APIRouter:
    """The page by an address, and by what its script or its form sends."""
    router, made = APIRouter(), _Pages(site)

    @router.get(PATH)
    def shown(request: Request) -> Response:
        if len(request.url.query) > 2 * _LONGEST_LINK:
            raise RequestError(_TOO_LONG)
        return made.answer(request, request.query_params.multi_items())

    @router.post(PATH)
    async def changed(request: Request) -> Response:
        """As above with what is too much for an address, or is not to stand in logs of addresses."""
        text = (await request.body()).decode("utf-8", "replace")
        try:
            pairs = parse_qsl(text, max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise RequestError(_TOO_MANY) from None
        return await to_thread.run_sync(made.answer, request, pairs)

    return router


class _Pages:
    """Makes the page of one site."""

    def __init__(self, site: Site) -> None:
        self._site, self._service = site, site.service
        gallery = site.service.gallery
        self._turns = lru_cache(32)(lambda _, count: gallery.elicitation(count).ids)
        self._common = lru_cache(1)(lambda _: InCommon(gallery))

    def answer(self, request: Request, pairs: Iterable[tuple[str, str]]) -> Response:
        wishes = Wishes.read(pairs, self._service.gallery.collection)
        if wishes == Wishes({}):
            return self._site.cached(request, lambda frame: self._page(request, frame, wishes))
        frame = self._site.frame(request)
        headers = {"Cache-Control": "no-store", "Content-Language": frame.language}
        return HTMLResponse(self._page(request, frame, wishes), HTTPStatus.OK, headers)

    def _page(self, request: Request, frame: Frame, wishes: Wishes) -> str:
        snapshot, beside = self._service.gallery.snapshot, self._site.addressed(request)
        ids, turn, turns = self._to_rate(wishes)
        items = snapshot.items([*ids, *wishes.ratings, *wishes.kept, *wishes.hidden])
        records = {item_id: beside.record(item) for item_id, item in items.items()}

        def those(some: Iterable[str]) -> list[dict[str, Any]]:
            return [records[each] for each in some if each in records]

        found, notes = self._recommended(wishes, beside)
        common = self._common((self._service.gallery.fingerprint, snapshot.version))
        both = snapshot.items([work["id"] for work in found]) | items
        lang = [("lang", request.query_params["lang"])] if "lang" in request.query_params else []
        ratings = [(f"r.{key_of(each)}", f"{rating:g}") for each, rating in wishes.ratings.items()]
        link = f"{frame.address(PATH).partition('?')[0]}?{urlencode([*lang, *ratings])}"
        shown = ForYou(
            wishes.ratings,
            those(wishes.ratings),
            those(ids),
            turn,
            turns,
            found,
            {work["id"]: why_of(work, wishes.ratings, records, both, common) for work in found},
            more=min(MOST_WORKS, wishes.count + _AT_ONCE) if len(found) == wishes.count < MOST_WORKS else 0,
            kept=those(wishes.kept),
            hidden=those(wishes.hidden),
            fields=[*lang, ("ask", str(turn)), ("n", str(wishes.count)), *wishes.fields()],
            link=link if len(link) <= _LONGEST_LINK else "",
            notes=notes,
            counted=self._counted(request, wishes, found),
        )
        return for_you_page(frame, shown)

    def _counted(self, request: Request, wishes: Wishes, found: list[dict[str, Any]]) -> dict[str, Any]:
        """How the script tells of events, where the API takes them from this page's own site: empty elsewhere."""
        service, ids = self._service, [work["id"] for work in found]
        public = urlsplit(service.public_url or str(request.base_url))
        recommended = found and max(wishes.ratings.values()) >= _ALL_RIGHT
        if not recommended or not self._site.access.needs_no_key(f"{public.scheme}://{public.netloc}"):
            return {}
        asked = RecommendationRequest.model_validate({"ratings": wishes.ratings, "exclude": list(wishes.hidden)})
        engine = default_engine(service.gallery.snapshot.workspace)
        token = service.token(asked, len(ids), engine, ids, Trial(), time.time())
        return {"to": f"{self._site.root(request)}{ROOT}/events", "id": token, "works": ids} if token else {}

    def _to_rate(self, wishes: Wishes) -> tuple[tuple[str, ...], int, int]:
        """Nine works that together stand for the collection, those of one turn; which turn, and how many there are."""
        gallery = self._service.gallery
        state = (gallery.fingerprint, gallery.snapshot.version)
        turns = max(1, min(len(gallery), MOST_WORKS) // _AT_ONCE)
        turn = wishes.turn % turns
        # More works to rate begin with the fewer ones, so that no work comes in two turns.
        return self._turns(state, (turn + 1) * _AT_ONCE)[turn * _AT_ONCE :], turn, turns

    def _recommended(self, wishes: Wishes, beside: Any) -> tuple[list[dict[str, Any]], list[str]]:
        """The list as records, and what to say of it."""
        notes: list[str] = []
        if wishes.unknown:
            told = "{n} ratings were left out: they are of works not in this collection, or are not from 1 to 5."
            notes.append(Sentence(told, n=wishes.unknown))
        if not wishes.ratings:
            return [], notes
        if max(wishes.ratings.values()) < _ALL_RIGHT:
            out = [*wishes.ratings, *wishes.hidden]
            found = self._service.gallery.elicitation(wishes.count, exclude=out)
            told = Sentence("Nothing that you rated suits you; until something does, here is a varied choice.")
            return beside.answer(found, explain=False)["works"], [*notes, told]
        asked = RecommendationRequest.model_validate({"ratings": wishes.ratings, "exclude": list(wishes.hidden)})
        try:
            answer, _ = self._service.answered(asked, wishes.count)
        except VernissageError as error:
            if error.kind is not Kind.BAD_REQUEST:
                raise
            return [], [*notes, *notes_of(wishes.ratings, [])]
        works: list[dict[str, Any]] = beside.answer(answer)["works"]
        return works, [*notes, *notes_of(wishes.ratings, works)]


def _whole(text: str, least: int = 0, most: int = 1_000_000) -> int:
    return min(max(int(text), least), most) if text.isascii() and text.isdecimal() and len(text) < 8 else least
