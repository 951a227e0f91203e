"""What operators do over HTTP: review uploads, hide them, take them down; keys; what was done; the newest build."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from vernissage import storage
from vernissage.catalog.pictures import THUMBNAIL_MEDIA_TYPE
from vernissage.errors import UnknownItemError
from vernissage.values import Scope
from vernissage.web.api.access import Access
from vernissage.web.api.bodies import Body, Word
from vernissage.web.api.service import ROOT, Service
from vernissage.web.api.works import answered, base_address, described, known_parameters
from vernissage.workspace.editorial import EditorialPlace

_MOST = 1_000
_Limit = Annotated[int, Query(ge=1, le=_MOST, description="How many entries.")]


class UploadDecision(Body):
    """Whether others may be shown an upload."""

    visibility: Literal["shared", "hidden"]


class Placement(Body):
    """Where a work comes in lists: first, or nowhere."""

    place: EditorialPlace


KeyNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""As PostgreSQL keeps it; a larger one would be an error of the database."""


class KeyRequest(Body):
    """What a new key is for."""

    name: Word
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=10)]
    origins: Annotated[list[Word], Field(max_length=50)] = Field([])


def admin_router(service: Service, access: Access) -> APIRouter:
    """The addresses of operators, with the scope ``admin``; whatever changes something is noted with the key's name."""
    admin = _Admin(service)
    needed = [Depends(access.require("admin")), Depends(known_parameters)]
    router = APIRouter(prefix=f"{ROOT}/admin", tags=["admin"], dependencies=needed)
    of_picture: dict[int | str, dict[str, Any]] = {
        200: {"content": {THUMBNAIL_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
    }
    for path, method, call, name, summary, status, schema in (
        ("/uploads", "GET", admin.waiting, "listWaitingUploads", "Uploads that nobody has reviewed", 200, "Waiting"),
        ("/uploads/{upload}/picture", "GET", admin.picture, "getUploadPicture", "The picture of an upload", 200, ""),
        ("/uploads/{upload}", "PATCH", admin.decide, "decideUpload", "Show an upload to others, or hide it", 204, ""),
        ("/uploads/{upload}", "DELETE", admin.take_down, "takeUploadDown", "Delete an upload of anybody", 204, ""),
        ("/works", "GET", admin.placed, "listPlacedWorks", "Pinned and banned works", 200, "Placed"),
        ("/works/{work:path}", "PUT", admin.place, "placeWork", "Pin a work, or ban it", 204, ""),
        ("/works/{work:path}", "DELETE", admin.unplace, "unplaceWork", "Neither pin nor ban a work", 204, ""),
        ("/audit", "GET", admin.audit, "listAudit", "What operators did, the latest first", 200, "Audit"),
        ("/keys", "GET", admin.keys, "listKeys", "All keys", 200, "Keys"),
        ("/keys", "POST", admin.make_key, "makeKey", "Make a key", 201, "MadeKey"),
        ("/keys/{number}", "DELETE", admin.revoke_key, "revokeKey", "Refuse a key from now on", 204, ""),
        ("/workspace", "POST", admin.swap, "swapWorkspace", "Answer from the newest build at once", 200, "Swapped"),
    ):
        told = described(schema, status) if schema else of_picture if status == HTTPStatus.OK else None
        how: dict[str, Any] = {"name": name, "summary": summary, "status_code": status, "responses": told}
        router.add_api_route(path, call, methods=[method], response_class=Response, **how)
    return router


class _Admin:
    def __init__(self, service: Service) -> None:
        self._service, self._gallery = service, service.gallery

    def waiting(self, request: Request, limit: _Limit = 100) -> Response:
        """Pictures are at ``picture``, with the same key."""
        with self._gallery.repository.database.reading() as connection:
            ids = storage.moderation.waiting(connection)
            found = {each.id: each for each in storage.uploads.get_uploads(connection, ids[:limit])}
        base = base_address(request, self._service)
        rows = [
            {"id": each.id, "title": each.title, "text": each.text, "visibility": each.visibility}
            | {"picture": f"{base}{ROOT}/admin/uploads/{quote(each.id)}/picture" if each.picture else None}
            | {"time": each.time.isoformat()}
            for each in (found[name] for name in ids[:limit] if name in found)
        ]
        return answered({"uploads": rows, "total": len(ids)})

    def picture(self, upload: str) -> Response:
        item = self._gallery.snapshot.items([upload]).get(upload)
        path = self._gallery.snapshot.picture_path(item) if item and upload not in self._gallery.collection else None
        sizes = self._service.thumbnails.sizes(item.picture_digest, lambda: path) if item and path else ()
        if not item or not path or not sizes:
            raise UnknownItemError(f"there is no picture of an upload {upload[:60]!r}")
        content = self._service.thumbnails.get(path, item.picture_digest, sizes[0][0], "jpg")
        return Response(content, media_type=THUMBNAIL_MEDIA_TYPE, headers={"Cache-Control": "no-store"})

    def decide(self, request: Request, upload: str, body: UploadDecision) -> None:
        what: Any = "approve" if body.visibility == "shared" else "hide"
        self._gallery.repository.moderate([upload], what, request.state.asker.name)

    def take_down(self, request: Request, upload: str) -> None:
        self._gallery.repository.moderate([upload], "take-down", request.state.asker.name)

    def placed(self) -> Response:
        found = self._gallery.snapshot.editorial
        return answered({"pinned": list(found.pinned), "banned": sorted(found.banned)})

    def place(self, request: Request, work: str, body: Placement) -> None:
        self._gallery.repository.place([self._service.item(work).id], body.place, request.state.asker.name)

    def unplace(self, request: Request, work: str) -> None:
        self._gallery.repository.place([self._service.item(work).id], None, request.state.asker.name)

    def audit(self, limit: _Limit = 100) -> Response:
        with self._gallery.repository.database.reading() as connection:
            found = storage.moderation.audit(connection, limit)
        rows = [
            {"time": each.time.isoformat(), "who": each.who, "what": each.what, "about": each.about} for each in found
        ]
        return answered({"entries": rows, "kept_days": storage.moderation.AUDIT_DAYS})

    def keys(self) -> Response:
        with self._gallery.repository.database.reading() as connection:
            found = storage.keys.all_keys(connection)
        return answered({"keys": [each.to_dict() for each in found]})

    def make_key(self, request: Request, body: KeyRequest) -> Response:
        """The key is in this answer alone: it is not kept."""
        now = datetime.now(UTC)
        with self._gallery.repository.database.writing() as connection:
            number, made = storage.keys.create_key(connection, body.name, body.scopes, body.origins, now)
            storage.moderation.record(connection, request.state.asker.name, "make-key", [str(number)], now)
        return answered({"number": number, "key": made}, HTTPStatus.CREATED)

    def revoke_key(self, request: Request, number: KeyNumber) -> None:
        now = datetime.now(UTC)
        with self._gallery.repository.database.writing() as connection:
            storage.keys.revoke_key(connection, number, now)
            storage.moderation.record(connection, request.state.asker.name, "revoke-key", [str(number)], now)

    def swap(self) -> Response:
        """Other processes do so by themselves within a second; requests under way end with their state."""
        self._gallery.refresh()
        return answered({"fingerprint": self._gallery.fingerprint, "works": len(self._gallery)})
