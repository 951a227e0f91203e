"""Reading what a form sends: small, plain, each field once."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from vernissage.errors import VernissageError

LARGEST_FORM = 64 * 1024
"""Bytes; the largest form of a study, twenty rated works with long ids, has under 4,000."""

_MOST_FIELDS = 200
_FORM_TYPE = "application/x-www-form-urlencoded"


class FormError(VernissageError):
    """A form that no page of this server sends; ``status`` is the HTTP status that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a submitted form.

    Raises:
        FormError: it is too large (413), not a form (415), unreadable (400), or comes from another site (403).
    """
    # Browsers say where a request was begun; forms are also signed, so silence is no proof of anything.
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise FormError(403, "This form was sent from another site, so nothing was stored.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise FormError(415, "What was sent is not a form of this study, so nothing was stored.")
    body = await _small_body(request)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise FormError(400, "The form that was sent cannot be read, so nothing was stored.") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise FormError(400, "The form that was sent answers a question twice, so nothing was stored.")
    return fields


Form = Annotated[Mapping[str, str], Depends(read_form)]


async def _small_body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "0")
    too_large = FormError(413, "What was sent is too large for a form of this study, so nothing was stored.")
    if announced.isdigit() and int(announced) > LARGEST_FORM:
        raise too_large
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            raise too_large
    return body
