"""Answers that are kept compressed and sent so to whoever reads that.

Only for what holds no secret: where strangers can put words beside one, the compressed length tells it (BREACH).
"""

import gzip
from collections.abc import Mapping

from fastapi import Request, Response


def packed(content: bytes) -> bytes:
    """The content compressed, to be kept; equal contents give equal bytes."""
    return gzip.compress(content, 6, mtime=0)


def packed_answer(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """An answer of what `packed` gave, as it is or, for the few who do not read gzip, unpacked."""
    told = {"Vary": "Accept-Encoding", **headers}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(content, media_type=media_type, headers=told | {"Content-Encoding": "gzip"})
    return Response(gzip.decompress(content), media_type=media_type, headers=told)
