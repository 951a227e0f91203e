"""Tools for assistants over the Model Context Protocol: they read a collection, and say why works are in an answer.

By standard input and output for one user, or at ``/mcp`` of the service for whoever has a key to read. Nothing is kept
between two calls, and no tool writes.
"""

import base64
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from http import HTTPStatus
from typing import Annotated, Any, Literal

import orjson
from fastapi import FastAPI, Request
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, ImageContent, TextContent, ToolAnnotations
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

import vernissage
from vernissage.catalog.item import Item
from vernissage.errors import RequestError, VernissageError
from vernissage.gallery.answer import Answer
from vernissage.gallery.likeness import KINDS_OF_LIKENESS
from vernissage.pages.addresses import Addressed
from vernissage.sentences import ENGLISH, Language, translated
from vernissage.values import Condition
from vernissage.web.api.access import Access
from vernissage.web.api.app import LARGEST_BODY
from vernissage.web.api.bodies import RecommendationRequest, Stars, Word, WorkId
from vernissage.web.api.problems import ProblemError, problem_of
from vernissage.web.api.service import Service

MOST_WORKS = 50
_MOST_PICTURES = 12
_SMALL, _LARGE = 160, 640
"""Pixels of the pictures' width in lists, and of one work's."""

_TOLD_REASONS = 3
_IN_LISTS = ("id", "title", "artist", "year", "medium", "rights", "url", "link", "rank", "score", "band")
_ADDRESSES = frozenset({"url", "manifest", "thumbnail", "pictures"})
_EXPLAINED = ("id", "title", "artist", "url", "link", "score", "band", "reasons")

_Limit = Annotated[int, Field(ge=1, le=MOST_WORKS, description="How many works.")]
_Where = Annotated[
    list[Word], Field(max_length=20, description="Conditions such as year>=1850 or medium~oil, all of which must hold.")
]
_Work = Annotated[WorkId, Field(description="The id of a work, as answers give it.")]
_Ratings = Annotated[dict[WorkId, Stars], Field(min_length=1, max_length=200, description="1 to 5 by work id.")]
_Pictures = Annotated[bool, Field(description="Whether small pictures come with the answer.")]
_Told = Annotated[Language, Field(description="The language of reasons and notes.")]
_Asked = Context[Any, Any]
_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


def make_tools(service: Service) -> MCPServer[Any]:
    """The tools over one served collection."""
    gallery = service.gallery
    told = (
        f"{gallery.name}: {len(gallery)} works of a collection. Begin with search, or with similar for a work whose id "
        f"is known; recommend takes ratings. Every work comes with reasons; link is the museum's own page about it."
    )
    server: MCPServer[Any] = MCPServer(
        "vernissage", version=vernissage.__version__, instructions=told, log_level="WARNING", subscriptions=False
    )
    tools = _Tools(service)
    for call in (tools.search, tools.similar, tools.recommend, tools.show, tools.explain):
        server.add_tool(call, annotations=_READS, structured_output=False)
    return server


def mount_tools(app: FastAPI, service: Service, access: Access) -> None:
    """Answer at ``/mcp`` of the service, for whoever may read; each request stands for itself, without a session."""
    server = make_tools(service)
    # Origins and hosts are checked by `Access` and `KnownHosts`, as for every other address.
    elsewhere = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    server.streamable_http_app(
        stateless_http=True, json_response=True, max_request_body_size=LARGEST_BODY, transport_security=elsewhere
    )
    require, inner = access.require("read"), app.router.lifespan_context

    def checked(request: Request) -> None:
        # The protocol demands it, whatever key a page of another site has got hold of.
        if (origin := request.headers.get("origin", "")) and not access.allows_origin(origin):
            raise ProblemError(HTTPStatus.FORBIDDEN, f"pages of {origin} may not ask; allow_origin lets a site")
        require(request)

    class Guarded:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await run_in_threadpool(checked, Request(scope))
            await server.session_manager.handle_request(scope, receive, send)

    @asynccontextmanager
    async def lifespan(served: FastAPI) -> AsyncIterator[Any]:
        async with inner(served) as state, server.session_manager.run():
            yield state

    app.router.lifespan_context = lifespan
    app.router.routes.append(Route("/mcp", Guarded(), methods=["POST"], include_in_schema=False))


class _Tools:
    """The tools; each is a method whose arguments and docstring assistants read."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def search(
        self,
        context: _Asked,
        query: Annotated[str, Field(min_length=1, max_length=2_000, description="Words, such as a storm at sea.")],
        limit: _Limit = 6,
        within: Annotated[
            Literal["text", "pictures", "mixed"], Field(description="What is searched: texts, pictures, or both.")
        ] = "text",
        where: _Where = [],  # noqa: B006  (read by pydantic, which copies it)
        pictures: _Pictures = True,
        language: _Told = ENGLISH,
    ) -> CallToolResult:
        """Search the collection by words; reasons say which words were met, and where."""
        return self._told(
            context, language, lambda: self._service.gallery.search(query, limit, within=within, where=where), pictures
        )

    def similar(
        self,
        context: _Asked,
        work: _Work,
        limit: _Limit = 6,
        by: Annotated[
            list[Word], Field(max_length=6, description=f"Kinds of likeness: {', '.join(KINDS_OF_LIKENESS)}.")
        ] = [],  # noqa: B006
        where: _Where = [],  # noqa: B006
        pictures: _Pictures = True,
        language: _Told = ENGLISH,
    ) -> CallToolResult:
        """The works that resemble one work most; with `by`, one list of each kind of likeness, and all pooled."""

        def make() -> Answer:
            return self._service.gallery.similar(self._service.item(work).id, limit, by=by, where=where)

        return self._told(context, language, make, pictures)

    def recommend(
        self,
        context: _Asked,
        ratings: _Ratings,
        limit: _Limit = 6,
        where: _Where = [],  # noqa: B006
        most_of_one_artist: Annotated[int | None, Field(ge=1, le=MOST_WORKS)] = None,
        pictures: _Pictures = True,
        language: _Told = ENGLISH,
    ) -> CallToolResult:
        """Works for somebody who rated others from 1 (dislikes it) to 5 (likes it); ratings are not kept."""
        per = {"artist": most_of_one_artist} if most_of_one_artist else {}
        asked = RecommendationRequest.model_validate({"ratings": ratings, "limit": limit, "where": where, "per": per})

        def make() -> tuple[Answer, list[dict[str, str]]]:
            return self._service.answered(asked, limit)

        return self._told(context, language, make, pictures)

    def show(
        self, context: _Asked, work: _Work, pictures: _Pictures = True, language: _Told = ENGLISH
    ) -> CallToolResult:
        """Everything that is known of one work, and its picture."""
        with _errors(self._service):
            item, addressed = self._service.item(work), self._addressed(context)
            record = _linked(addressed.record(item))
            return _result(translated(record, language), self._pictures(addressed, [item] * pictures, _LARGE))

    def explain(self, context: _Asked, work: _Work, ratings: _Ratings, language: _Told = ENGLISH) -> CallToolResult:
        """Why one work would be recommended for ratings, or not: what each, and each engine, adds to its score."""
        with _errors(self._service):
            item = self._service.item(work)
            there, unused = self._service.known(list(ratings))
            if item.id in there:
                raise RequestError(f"{item.id} is among the rated works, which never come back; leave its rating out")
            if not there:
                raise RequestError(f"none of the {len(ratings)} rated works is in this collection; search finds ids")
            given, only = {each: ratings[each] for each in there}, (Condition("id", "=", item.id),)
            answer = self._service.gallery.recommend(given, MOST_WORKS, where=only, show_copies=True)
            found = [each for each in self._addressed(context).answer(answer)["works"] if each["id"] == item.id]
            if not found:
                raise RequestError(f"nothing can be said of {item.id}: {'; '.join(answer.notes)}")
            kept = {name: value for name, value in _linked(found[0]).items() if name in _EXPLAINED}
            for each in kept["reasons"]:
                each.pop("rank", None)  # among this work alone
            return _result(translated({"engine": answer.engine, "unused": unused, "work": kept}, language))

    def _told(
        self,
        context: _Asked,
        language: str,
        make: Callable[[], Answer | tuple[Answer, list[dict[str, str]]]],
        pictures: bool,
    ) -> CallToolResult:
        with _errors(self._service):
            found, addressed = make(), self._addressed(context)
            answer, unused = found if isinstance(found, tuple) else (found, [])
            whole = addressed.answer(answer)
            content: dict[str, Any] = {"engine": answer.engine, "notes": whole["notes"]}
            content |= {"unused": unused} if unused else {}
            content["works"] = [_short(each) for each in whole["works"]]
            if answer.kinds:
                content["kinds"] = [{"by": each.name, "ids": [work.id for work in each.works]} for each in answer.kinds]
            shown = [work.item for work in answer.works[:_MOST_PICTURES]] if pictures else []
            return _result(translated(content, language), self._pictures(addressed, shown, _SMALL))

    def _addressed(self, context: _Asked) -> Addressed:
        request = context.request_context.request  # None by standard input
        return self._service.addressed(self._service.public_url or str(getattr(request, "base_url", "")).rstrip("/"))

    def _pictures(self, addressed: Addressed, items: Iterable[Item], width: int) -> list[tuple[str, bytes]]:
        """JPEGs of works by their ids; those without a picture, or whose picture cannot be read, have none."""
        found = []
        for item in items:
            sizes, path = addressed.sizes(item), addressed.snapshot.picture_path(item)
            if sizes and path is not None:
                chosen = next((each for each, _ in sizes if each >= width), sizes[-1][0])
                with suppress(VernissageError):
                    if content := self._service.thumbnails.get(path, item.picture_digest, chosen, "jpg"):
                        found.append((item.id, content))
        return found


@contextmanager
def _errors(service: Service) -> Iterator[None]:
    """Tells an assistant what was given, what was expected and what to do, as the REST API does."""
    try:
        yield
    except VernissageError as error:
        raise ToolError(problem_of(error, service.gallery.path)["detail"]) from error


def _linked(work: Mapping[str, Any]) -> dict[str, Any]:
    """A work without addresses that nobody could follow, where it is not known at which the collection is served."""
    if not str(work["url"]).startswith("/"):
        return dict(work)
    alt = work["thumbnail"]["alt"] if work["thumbnail"] else ""
    return {name: value for name, value in work.items() if name not in _ADDRESSES} | {"alt": alt}


def _short(work: Mapping[str, Any]) -> dict[str, Any]:
    """A work of a list, with the reasons that say most."""
    reasons = sorted(work["reasons"], key=lambda each: (each["kind"] == "engine", -each["contribution"]))
    told = [{"words": each["words"], "share": round(each["share"], 3)} for each in reasons[:_TOLD_REASONS]]
    kept = {name: value for name, value in _linked(work).items() if name in _IN_LISTS and value}
    return kept | {"score": round(work["score"], 4), "reasons": told}


def _result(content: dict[str, Any], pictures: Sequence[tuple[str, bytes]] = ()) -> CallToolResult:
    parts: list[Any] = [TextContent(type="text", text=orjson.dumps(content).decode())]
    for item_id, picture in pictures:
        # An assistant sees a list of pictures alone; the words before each say whose it is.
        parts.append(TextContent(type="text", text=f"The picture of {item_id}:"))
        data = base64.b64encode(picture).decode()
        parts.append(ImageContent(type="image", data=data, mime_type="image/jpeg"))
    return CallToolResult(content=parts)
