"""Answers that are kept compressed and sent so to whoever reads that.

Only for what holds no secret: where strangers can put words beside one, the compressed length tells it (BREACH).
"""

import gzip
from collections.abc import Mapping

from fastapi import Request, Response

from vernissage.pages.look import Look
from vernissage.pages.thumbnails import BytesCache
from vernissage.pages.visitor.frame import STATIC_TYPES, static_content, static_digest

FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
"""Of files whose addresses change with them."""


def packed(content: bytes) -> bytes:
    """The content compressed, to be kept; equal contents give equal bytes."""
    return gzip.compress(content, 6, mtime=0)


def packed_answer(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """An answer of what `packed` gave, as it is or, for the few who do not read gzip, unpacked."""
    told = {"Vary": "Accept-Encoding", **headers}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(content, media_type=media_type, headers=told | {"Content-Encoding": "gzip"})
    return Response(gzip.decompress(content), media_type=media_type, headers=told)


def static_answer(request: Request, look: Look, version: str, name: str, kept: BytesCache) -> Response | None:
    """A file that pages load, of the museum's own too; None where there is none of that name and version."""
    found = static_content(name, look)
    if found is None or version != static_digest(name, look):
        return None
    if name.rpartition(".")[2] not in STATIC_TYPES:  # pictures and fonts are compressed as they are
        return Response(found[0], media_type=found[1], headers=FOR_EVER)
    return packed_answer(request, kept.get(("static", version, name), lambda: packed(found[0])), found[1], FOR_EVER)
