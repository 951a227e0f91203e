"""Reading: works, works like one, search, works to rate, recommendations for ratings; nothing is kept of who asks."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import orjson
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import UploadFile

from vernissage.catalog.item import Item
from vernissage.catalog.pictures import THUMBNAIL_MEDIA_TYPE, check_picture
from vernissage.errors import RequestError, UnknownItemError, VernissageError
from vernissage.files import digest
from vernissage.gallery.answer import Answer
from vernissage.gallery.gallery import Elicitation
from vernissage.gallery.likeness import KINDS_OF_LIKENESS
from vernissage.pages import iiif, linked_art
from vernissage.pages.thumbnails import ThumbnailKind
from vernissage.sentences import ENGLISH, Sentence, translated
from vernissage.web.api.access import Access
from vernissage.web.api.bodies import MOST_WORKS, Batch, RecommendationRequest, VectorQuery, checked_body
from vernissage.web.api.listing import Listing
from vernissage.web.api.problems import ProblemError, problem_of
from vernissage.web.api.received import files_of
from vernissage.web.api.service import ROOT, Service
from vernissage.web.languages import Spoken


def none() -> list[str]:
    """No words, what a parameter is by default: pydantic reads its signature each time, of ``list`` slowly."""
    return []


Limit = Annotated[int, Query(ge=1, le=MOST_WORKS, description="How many works.")]
Where = Annotated[
    list[str],
    Query(
        alias="where[]",
        default_factory=none,
        description="A condition such as year>=1850; repeat for several.",
        max_length=50,
    ),
]
Excluded = Annotated[
    list[str], Query(alias="exclude[]", default_factory=none, description="An id that must not come back; repeat.")
]
Per = Annotated[str, Query(description="At most so many works of one value, such as artist:1; several with commas.")]
Fields = Annotated[str, Query(description="Which fields of works come back, with commas; all by default.")]

_JSON = "application/json"
_VARY = "Accept, Accept-Language, Origin"
_PICTURE_COUNTS = 5
"""Requests as which a search by a picture counts, which costs more than one by words."""

_FOR_EVER = "public, max-age=31536000, immutable"
_KINDS = {"jpg": THUMBNAIL_MEDIA_TYPE, "webp": "image/webp"}


def reading_router(service: Service, access: Access) -> APIRouter:
    """The addresses that read the collection, with the scope ``read``; nothing is kept of who asks."""
    needed = [Depends(access.needs("read")), Depends(known_parameters)]
    reading, router = _Reading(service, access), APIRouter(tags=["works"], dependencies=needed)
    get, post = ["GET"], ["POST"]
    for path, methods, call, name, summary, schema in (
        ("/works", get, reading.works, "listWorks", "List works", "WorkList"),
        ("/works/{key:path}/similar", get, reading.similar, "similarWorks", "Works like one", "Answer"),
        ("/works/{key:path}/vectors", get, reading.vectors, "getVectors", "What encoders made of a work", "Vectors"),
        ("/works/{key:path}", get, reading.work, "getWork", "One work", "Record"),
        ("/search/picture", post, reading.search_picture, "searchByPicture", "Search by a picture", "Answer"),
        ("/search", get, reading.search, "searchWorks", "Search by words", "Answer"),
        ("/elicitation", get, reading.elicitation, "worksToRate", "Works to rate", "Answer"),
        ("/recommendations", post, reading.recommendations, "recommend", "Works for ratings", "Recommendation"),
        (
            "/recommendations/batch",
            post,
            reading.batch,
            "recommendBatch",
            "Several lists at once",
            "RecommendationBatch",
        ),
        (
            "/recommendations/{recommendation_id}/next",
            get,
            reading.following,
            "recommendMore",
            "More of a list",
            "Recommendation",
        ),
    ):
        how: dict[str, Any] = {"name": name, "summary": summary, "responses": described(schema)}
        how |= {"openapi_extra": described_body("VectorQuery", "PictureForm")} if call == reading.search_picture else {}
        if name == "getWork":
            how["responses"][200]["content"] |= _IIIF[200]["content"]
        router.add_api_route(ROOT + path, call, methods=methods, **how)
    return router


def public_router(service: Service) -> APIRouter:
    """Pictures and manifests, which browsers and viewers ask for without a key."""
    reading, router = _Reading(service), APIRouter(default_response_class=Response)
    for path, shown, name, summary in (
        ("/iiif/3/manifest/{key:path}", reading.manifest, "getManifest", "One work for IIIF viewers"),
        (
            "/iiif/3/collection/{recommendation_id}",
            reading.collection,
            "getManifests",
            "A recommendation for IIIF viewers",
        ),
    ):
        router.add_api_route(ROOT + path, shown, name=name, summary=summary, responses=_IIIF, tags=["iiif"])
    address = ROOT + "/thumbnails/{name}/{width}.{kind}"
    described_as: dict[str, Any] = {"name": "getPicture", "summary": "A picture", "responses": _PICTURE}
    router.add_api_route(address, reading.thumbnail, tags=["works"], **described_as)
    return router


class _Reading:
    """What the addresses answer; each is a function of one state of the collection and of the request."""

    def __init__(self, service: Service, access: Access | None = None) -> None:
        self._service, self._access = service, access
        self._decoding = CapacityLimiter(2)  # of pictures from strangers, so that threads are left for all else
        self._listing = Listing(service)

    def works(
        self,
        request: Request,
        language: Spoken,
        where: Where,
        q: Annotated[str, Query(max_length=2_000, description="Words; the best works come first.")] = "",
        sort: Annotated[
            str, Query(description="id, title, artist, year or mixed; with - before it from the last.")
        ] = "id",
        limit: Limit = 20,
        cursor: Annotated[str, Query(max_length=200, description="next of the page before.")] = "",
        fields: Fields = "",
    ) -> Response:
        service = self._service

        def make(base: str) -> dict[str, Any]:
            listed = self._listing.page(q, where, sort, limit, cursor)
            items = service.gallery.snapshot.items(listed.ids)
            records = [_only(service.addressed(base).record(item), fields) for item in items.values()]
            return {"works": records, "total": listed.total, "next": listed.next}

        return self._cached(request, language, make)

    def similar(
        self,
        request: Request,
        key: str,
        language: Spoken,
        where: Where,
        exclude: Excluded,
        limit: Limit = 9,
        by: Annotated[str, Query(description=f"Kinds of likeness, with commas: {', '.join(KINDS_OF_LIKENESS)}.")] = "",
        per: Per = "",
        engine: Annotated[
            str | None, Query(max_length=500, description="What judges; default: that of the collection.")
        ] = None,
        diversity: Annotated[float, Query(ge=0, le=1, description="0 by likeness alone, to 1: varied.")] = 0.0,
    ) -> Response:
        gallery, item_id = self._service.gallery, self._service.item_id(key)
        kinds = [each.strip() for each in by.split(",") if each.strip()]

        def make() -> Answer:
            asked: dict[str, Any] = {"where": where, "exclude": exclude, "per": read_caps(per)}
            return gallery.similar(item_id, limit, engine=engine, by=kinds, diversity=diversity, **asked)

        return self._answer(request, language, make)

    def work(self, request: Request, key: str, language: Spoken) -> Response:
        item, wanted = self._service.item(key), _form(request.headers.get("accept", ""))
        if wanted == "iiif":
            return self._manifest(request, item)
        if wanted == "linked-art":
            made, kind = partial(linked_art.human_made_object, item), linked_art.MEDIA_TYPE
            return self._cached(request, language, lambda base: made(self._service.addressed(base, data=True)), kind)
        return self._cached(request, language, lambda base: self._service.addressed(base).record(item))

    def vectors(
        self,
        request: Request,
        key: str,
        language: Spoken,
        encoder: Annotated[str, Query(max_length=500, description="Of one alone.")] = "",
    ) -> Response:
        """What can be compared elsewhere, as a Web Annotation of the work."""
        service, item_id = self._service, self._service.item(key).id

        def make(base: str) -> dict[str, Any]:
            workspace, bodies = service.gallery.snapshot.workspace, list[dict[str, Any]]()
            if encoder and encoder not in workspace.encoder_names:
                raise RequestError(f"there is no encoder {encoder!r} here; {ROOT}/encoders lists them")
            for name in [encoder] if encoder else workspace.encoder_names:
                told = {"type": "Dataset", "encoder": name, "fingerprint": workspace.manifest.fingerprints[name]}
                for modality in workspace.modalities(name):
                    index = workspace.index(name, modality)
                    if item_id in index:
                        vector = index.vectors_of([item_id])[0]
                        bodies.append(told | {"modality": modality, "value": vector.tolist()})
            about = service.addressed(base, data=True).record(service.item(key))["url"]
            return {"@context": _ANNOTATION, "id": f"{about}/vectors", "type": "Annotation", "target": about} | {
                "motivation": "describing", "body": bodies,
            }  # fmt: skip

        return self._cached(request, language, make)

    async def search_picture(
        self,
        request: Request,
        language: Spoken,
        where: Where,
        exclude: Excluded,
        limit: Limit = 9,
        per: Per = "",
        encoder: Annotated[str | None, Query(max_length=500, description="What compares, of a picture.")] = None,
    ) -> Response:
        """By a picture, of which nothing is kept, or by its vector."""
        asked: dict[str, Any] = {"where": where, "exclude": exclude, "per": read_caps(per), "within": "pictures"}
        base = base_address(request, self._service)
        if self._access is not None:
            self._access.count(request.state.asker.name, _PICTURE_COUNTS - 1)

        def found(query: UploadFile | VectorQuery) -> Response:
            search = self._service.gallery.search
            if isinstance(query, VectorQuery):
                answer = search(self._vector(query), limit, encoder=query.encoder, **asked)
            else:
                with files_of([query]) as [path]:
                    if fault := check_picture(path).fault:
                        raise RequestError(f"file 1 {fault}; send another one")
                    answer = search(path, limit, encoder=encoder, **asked)
            return answered(self._service.addressed(base).answer(answer), language=language)

        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            return await to_thread.run_sync(found, checked_body(VectorQuery, await request.body()))
        async with request.form(max_files=1) as form:
            picture = form.get("picture")
            if not isinstance(picture, UploadFile):
                raise RequestError("no picture was sent; send it as the file picture of a multipart/form-data body")
            return await to_thread.run_sync(found, picture, limiter=self._decoding)

    def _vector(self, query: VectorQuery) -> npt.NDArray[np.float32]:
        workspace = self._service.gallery.snapshot.workspace
        if query.encoder not in workspace.encoder_names:
            raise RequestError(f"there is no encoder {query.encoder!r} here; {ROOT}/encoders lists them")
        here, dim = workspace.manifest.fingerprints[query.encoder], workspace.index(query.encoder, "image").card.dim
        if query.fingerprint != here:
            told = f"that vector is by {query.encoder} {query.fingerprint}, and here is {here}; encode the picture anew"
            raise ProblemError(HTTPStatus.CONFLICT, told)
        if len(query.vector) != dim or not any(query.vector):
            told = f"{len(query.vector)} numbers were given; {query.encoder} makes {dim} that are not all 0"
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, told)
        return np.array(query.vector, dtype=np.float32)

    def search(
        self,
        request: Request,
        language: Spoken,
        where: Where,
        q: Annotated[str, Query(min_length=1, max_length=20_000, description="Words.", examples=["a storm at sea"])],
        within: Annotated[str, Query(alias="in", max_length=20, description="text, pictures or mixed.")] = "text",
        limit: Limit = 9,
    ) -> Response:
        search = self._service.gallery.search
        return self._answer(request, language, lambda: search(q, limit, within=within, where=where))

    def elicitation(
        self,
        request: Request,
        language: Spoken,
        where: Where,
        n: Annotated[int, Query(ge=1, le=MOST_WORKS, description="How many works.")] = 9,
        by: Annotated[Elicitation | None, Query(description="How they are chosen.")] = None,
        seed: Annotated[int, Query(ge=0, le=2**63 - 1, description="Of the draw; give each visitor another.")] = 0,
    ) -> Response:
        choose = self._service.gallery.elicitation
        return self._answer(request, language, lambda: choose(n, by=by, seed=seed, where=where))

    def recommendations(self, request: Request, body: RecommendationRequest, language: Spoken) -> Response:
        content = self._service.recommend_json(body, base_address(request, self._service), language)
        return answered(content, language=language)

    def batch(self, request: Request, body: Batch, language: Spoken) -> Response:
        if self._access is not None and len(body.requests) > 1:  # one was counted with the request itself
            self._access.count(request.state.asker.name, len(body.requests) - 1)
        base, results = base_address(request, self._service), list[dict[str, Any]]()
        for each in body.requests:
            try:
                results.append(self._service.recommend(each, base))
            except VernissageError as error:
                results.append({"problem": problem_of(error, self._service.gallery.path)})
        return answered({"results": results}, language=language)

    def following(self, request: Request, recommendation_id: str, language: Spoken, limit: Limit = 9) -> Response:
        before = self._service.read_token(recommendation_id)
        more = before.request.model_copy(update={"limit": limit})
        content = self._service.recommend(more, base_address(request, self._service), before)
        return answered(content, language=language)

    def thumbnail(self, name: str, width: int, kind: ThumbnailKind) -> Response:
        content = self._service.picture(name, width, kind)
        return Response(content, media_type=_KINDS[kind], headers={"Cache-Control": _FOR_EVER})

    def manifest(self, request: Request, key: str) -> Response:
        return self._manifest(request, self._service.item(key))

    def _manifest(self, request: Request, item: Item) -> Response:
        def make(base: str) -> dict[str, Any]:
            made = iiif.manifest(item, self._service.addressed(base))
            if made is None:
                raise UnknownItemError(f"{item.id} has no picture, so there is no manifest of it")
            return made

        return self._cached(request, ENGLISH, make, iiif.MEDIA_TYPE)

    def collection(self, request: Request, recommendation_id: str) -> Response:
        before = self._service.read_token(recommendation_id)
        base = base_address(request, self._service)
        answer = self._service.answered(before.request, before.shown)[0]
        items = [work.item for work in answer.works[: before.shown]]
        place = f"{base}{request.url.path.removeprefix(request.scope.get('root_path', ''))}"
        content = iiif.collection(place, Sentence("Recommended works"), items, self._service.addressed(base))
        return Response(orjson.dumps(content), media_type=iiif.MEDIA_TYPE)

    def _answer(self, request: Request, language: str, make: Callable[[], Answer]) -> Response:
        return self._cached(request, language, lambda base: self._service.addressed(base).answer(make()))

    def _cached(
        self, request: Request, language: str, make: Callable[[str], dict[str, Any]], media_type: str = _JSON
    ) -> Response:
        """What ``make`` gives for the beginning of addresses, kept for equal requests of one state."""
        service = self._service
        base, gallery, asked = base_address(request, service), service.gallery, (request.url.path, request.url.query)
        key = (gallery.fingerprint, gallery.snapshot.version, base, *asked, language, media_type)
        tag = f'W/"{digest(repr(key).encode())[:20]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": _VARY}
        headers |= {"Content-Language": language} if media_type == _JSON else {}
        wanted = request.headers.get("if-none-match", "")
        if tag in wanted or wanted.strip() == "*":
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        content = service.answers.get(key, lambda: orjson.dumps(translated(make(base), language)))
        return Response(content, media_type=media_type, headers=headers)


def _form(accepted: str) -> Literal["json", "iiif", "linked-art"]:
    """The form of a work that ``Accept`` names first: JSON, or JSON-LD by its profile, without one Linked Art."""
    for part in accepted.lower().split(","):
        kind, _, rest = part.strip().partition(";")
        if kind.strip() == "application/ld+json":
            return "iiif" if "iiif.io/api/presentation" in rest else "linked-art"
        if kind.strip() in {"application/json", "application/*", "*/*"}:
            break
    return "json"


async def known_parameters(request: Request) -> None:
    """A dependency of routes: refuses parameters that would be ignored, such as ``where`` for ``where[]``.

    Raises:
        RequestError: there is one.
    """
    asked = request.scope["route"].dependant
    known = sorted(each.alias for part in (asked, *asked.dependencies) for each in part.query_params)
    if unknown := sorted({*request.query_params} - {*known}):
        told = f"choose from {', '.join(known)}" if known else "this address takes none"
        raise RequestError(f"there is no parameter {unknown[0][:80]!r}; {told}")


def base_address(request: Request, service: Service) -> str:
    """How the addresses in an answer begin."""
    return service.public_url or str(request.base_url).rstrip("/")


def read_caps(words: str) -> dict[str, int]:
    """Caps from words such as ``artist:1,medium:3``. Raises RequestError: they are not understood."""
    caps = {}
    for each in filter(None, map(str.strip, words.split(","))):
        field, _, number = each.rpartition(":")
        if not field or not number.isdecimal() or len(number) > 6:
            raise RequestError(f"per was given {each!r}, and takes a column and a number, such as artist:1")
        caps[field.strip()] = int(number)
    return caps


def answered(content: dict[str, Any] | bytes, status: int = 200, language: str = ENGLISH) -> Response:
    """JSON, written already or not, that no browser or proxy keeps: it is of somebody, or made for one request."""
    headers = {"Cache-Control": "no-store", "Content-Language": language, "Vary": _VARY}
    written = content if isinstance(content, bytes) else orjson.dumps(translated(content, language))
    return Response(written, status, headers, _JSON)


def described(schema: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """An answer's schema, for the OpenAPI document."""
    return {status: {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}}


def described_body(schema: str, form: str) -> dict[str, Any]:
    """The body of a route that reads it itself, as JSON or as a form, for the OpenAPI document."""
    kinds = {"application/json": schema, "multipart/form-data": form}
    content = {kind: {"schema": {"$ref": f"#/components/schemas/{name}"}} for kind, name in kinds.items()}
    return {"requestBody": {"required": True, "content": content}}


_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS.values()}}
}


_ANNOTATION = "http://www.w3.org/ns/anno.jsonld"
_IIIF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/ld+json": {"schema": {"$ref": "#/components/schemas/JsonLd"}}}}
}


def _only(content: dict[str, Any], fields: str) -> dict[str, Any]:
    """Some fields of a work; its id always."""
    wanted = {each.strip() for each in fields.split(",") if each.strip()}
    if unknown := sorted(wanted - content.keys()):
        raise RequestError(f"works have no field {unknown[0]!r}; they have {', '.join(content)}")
    return {name: value for name, value in content.items() if name in wanted | {"id"}} if wanted else content
