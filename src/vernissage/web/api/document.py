"""The OpenAPI document of the service: what FastAPI makes of the routes, with schemas, keys and problems."""

import json
from collections.abc import Mapping
from importlib.resources import files
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
    """Schemas of what stands around answers, and of all that is no answer: those of the file, completed."""
    text = files("vernissage.web.api").joinpath("envelopes.schema.json").read_text(encoding="utf-8")
    schemas: dict[str, Any] = json.loads(text)
    schemas["Record"]["properties"] = {name: each for name, each in work_properties.items() if name not in _OF_PLACES}
    schemas["Language"]["enum"] = list(LANGUAGES)
    return schemas


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
