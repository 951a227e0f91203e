"""The OpenAPI document of the service: what FastAPI makes of the routes, with schemas, keys and problems."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from vernissage.gallery.answer import answer_schema
from vernissage.sentences import LANGUAGES
from vernissage.web.api.bodies import VectorQuery, schema_of
from vernissage.web.api.feed import NewWork, WorkBatch, WorkContent
from vernissage.web.api.problems import MEDIA_TYPE

_PATH = {
    "key": ("The work's id, or its key; parts of an id are separated by slashes.", "v041"),
    "work": ("The work's id, or its key.", "v041"),
    "person": ("The person's name, as you choose it: 1 to 200 characters without slashes.", "ann"),
    "upload": ("The upload's id.", "5f2a9c01d3b47e68"),
    "job": ("The job's id.", "8c1f0a2b4d6e8f0a1b2c3d4e"),
    "purpose": ("keeping: that uploads, ratings and edits of areas are kept.", "keeping"),
    "number": ("The number of a key.", 3),
    "area": ("The area, as the list of areas names it.", "image:1"),
    "recommendation_id": ("Of an answer, as it stands there.", None),
    "name": ("The picture, as in the address in a work's thumbnail.", None),
    "width": ("Pixels; those of the addresses in a work's thumbnail.", 320),
    "kind": ("The format.", "webp"),
}
"""What parameters in addresses mean, and an example of each."""

_OF_PLACES = frozenset({"rank", "score", "reasons", "band", "modality", "also"})
"""Fields of a work that it has in a list alone."""

_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key, or a person's token."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same in another header."},
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document, made when it is first asked for."""
    if app.openapi_schema:
        return app.openapi_schema
    made = get_openapi(
        title=app.title, version=app.version, summary=app.summary, openapi_version="3.1.0", routes=app.routes
    )
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    answers = schema_of(answer_schema())
    schemas |= answers | _envelopes(answers["Work"]["properties"])
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    form = schemas["UploadForm"] = schemas.pop("Body_upload") | {"title": "UploadForm"}
    form["properties"]["pictures"]["items"]["format"] = "binary"  # as generators of clients expect it
    form["properties"]["texts"]["items"] = {"type": "string"}  # files too, but no generator reads either of two
    schemas |= {each.__name__: _body(each) for each in (VectorQuery, WorkContent, NewWork, WorkBatch)}
    components["securitySchemes"] = _KEYS
    failed = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for address, path in made["paths"].items():
        for operation in path.values():
            responses = operation["responses"]
            responses.pop("422", None)
            responses["default"] = {"description": "What went wrong"} | failed
            operation["security"] = [] if _is_public(address) else [{name: []} for name in _KEYS]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                if content["schema"] == _ref("Body_upload"):
                    content["schema"] = _ref("UploadForm")
            for parameter in operation.get("parameters", ()):
                # Generators of clients name what stands in a schema of its own, and no parameter can be null.
                parameter["schema"] = _ref("Language") if parameter["name"] == "lang" else _given(parameter["schema"])
                if parameter["in"] == "path":
                    said, example = _PATH[parameter["name"]]
                    parameter.update({"description": said} | ({} if example is None else {"example": example}))
    app.openapi_schema = made
    return made


def _body(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a body that its route reads itself; those within it stand beside it."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {name: each for name, each in schema.items() if name != "$defs"}


def _given(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that is there."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    rest = {name: each for name, each in schema.items() if name != "anyOf" or len(options) != 1}
    return rest | options[0] if len(options) == 1 else rest


def _is_public(address: str) -> bool:
    return address.rsplit("/", maxsplit=1)[-1] in {"healthz", "readyz", "version", "encoders"} or any(
        part in address for part in ("/iiif/", "/thumbnails/")
    )


def _envelopes(work_properties: Mapping[str, Any]) -> dict[str, Any]:
    """Schemas of what stands around answers, and of all that is no answer."""
    answer, work = _ref("Answer"), _ref("Record")
    text, flag, whole, number = ({"type": name} for name in ("string", "boolean", "integer", "number"))
    moment, maybe = {"type": "string", "format": "date-time"}, {"type": ["string", "null"]}
    area = {"area": text, "modality": text, "name": text, "named_by": text, "size": whole, "weight": number}
    area |= {"muted": flag, "medoid": text, "members": _list(text)}
    areas = {"owner": text, "encoder": text, "works": whole, "areas": _list(_ref("Area"))}
    areas |= {"unread": _list(text), "lapsed": _list(_ref("LapsedEdit")), "notes": _list(text)}
    more = {
        "recommendation_id": {"type": ["string", "null"], "description": "Names it, for more of the same list."},
        "unused": _list(_ref("UnusedRating")) | {"description": "Ratings that were left out, and why."},
    }
    recommendation = {
        "allOf": [answer, {"type": "object", "required": list(more), "properties": more}],
    }
    one = {"anyOf": [_ref("Recommendation"), _ref("RefusedRequest")]}
    problem_fields = {"type": text, "title": text, "status": {"type": "integer"}, "detail": text, "instance": text}
    return {
        "Record": {
            "type": "object",
            "required": ["id"],
            "description": "A work, without place, score and reasons.",
            "additionalProperties": False,
            "properties": {name: each for name, each in work_properties.items() if name not in _OF_PLACES},
        },
        "WorkList": {
            "type": "object",
            "required": ["works", "total", "next"],
            "properties": {
                "works": {"type": "array", "items": work},
                "total": {"type": ["integer", "null"], "description": "How many there are; null where nobody counted."},
                "next": {"type": ["string", "null"], "description": "The cursor of the next page."},
            },
        },
        "Language": {"type": "string", "enum": list(LANGUAGES), "description": "Of sentences in answers."},
        "JsonLd": {"type": "object", "description": "A IIIF manifest or collection, or Linked Art."},
        "Recommendation": recommendation,
        "RecommendationBatch": {
            "type": "object",
            "required": ["results"],
            "properties": {"results": {"type": "array", "items": one}},
        },
        "Problem": {
            "type": "object",
            "description": "RFC 9457.",
            "required": ["type", "title", "status", "detail"],
            "properties": problem_fields | {"errors": _list(_ref("Fault"))},
        },
        "PictureForm": _form(["picture"], picture=_FILE),
        "WorkForm": _form(["json"], json=text, pictures=_list(_FILE)),
    } | _objects(
        {
            "Version": {"software": text, "collection": text, "fingerprint": text, "works": whole},
            "Encoders": {
                "encoders": _list(_ref("Encoder")),
                "engines": _list(text),
            },
            "Ratings": {
                "ratings": {"type": "object", "additionalProperties": {"type": "number"}, "examples": [{"v041": 5.0}]}
            },
            "Job": {
                "id": text,
                "kind": text,
                "state": {"enum": ["waiting", "running", "done", "failed"]},
                "progress": _or_null(_ref("JobProgress")),
                "result": {"type": ["object", "null"], "description": "Of uploads from the beginning: their ids."},
                "problem": _or_null(_ref("Problem")),
                "created": moment,
                "finished": _or_null(moment),
            },
            "JobProgress": {"step": text, "done": whole, "total": whole},
            "Encoder": {"name": text, "modalities": _list(text), "fingerprint": text},
            "Uploads": {"uploads": _list(_ref("Upload"))},
            "Upload": {"id": text, "title": text, "text": text, "picture": flag, "time": moment, "visibility": text},
            "WaitingUpload": {
                "id": text,
                "title": text,
                "text": text,
                "visibility": text,
                "picture": maybe,
                "time": moment,
            },
            "Waiting": {"uploads": _list(_ref("WaitingUpload")), "total": whole},
            "Consents": {
                "consents": {
                    "type": "object",
                    "additionalProperties": moment,
                    "examples": [{"keeping": "2026-03-01T12:00:00Z"}],
                }
            },
            "Placed": {"pinned": _list(text), "banned": _list(text)},
            "AuditEntry": {"time": moment, "who": text, "what": text, "about": text},
            "Audit": {"entries": _list(_ref("AuditEntry")), "kept_days": whole},
            "Key": {
                "key": whole,
                "name": text,
                "scopes": _list(text),
                "origins": _list(text),
                "created": moment,
                "revoked": maybe,
            },
            "Keys": {"keys": _list(_ref("Key"))},
            "MadeKey": {"number": whole, "key": text},
            "Swapped": {"fingerprint": text, "works": whole},
            "EventsKept": {"kept": whole, "known": whole},
            "Token": {"token": text, "expires": moment},
            "Vectors": {"@context": text, "id": text, "type": text, "target": text, "motivation": text}
            | {"body": _list(_ref("Vector"))},
            "Vector": {"type": text, "encoder": text, "fingerprint": text, "modality": text, "value": _list(number)},
            "Areas": areas,
            "Area": area,
            "LapsedEdit": {"edit": text, "modality": text, "uploads": _list(text), "reason": text},
            "UnusedRating": {"id": text, "why": text},
            "RefusedRequest": {"problem": _ref("Problem")},
            "Fault": {"pointer": text, "detail": text},
            "Undone": {"undone": text} | areas,
        }
    )


_FILE = {"type": "string", "format": "binary"}


def _form(required: Sequence[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


def _objects(properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: _object(**each) for name, each in properties.items()}
