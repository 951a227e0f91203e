"""Who looks at pages of their own: a person of a platform, by their token, or a visitor whom this browser knows."""

import secrets
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from itsdangerous import BadData

from vernissage.web.api.access import COOKIE, Access

VISITOR_COOKIE = "vernissage_visitor"
KEPT_DAYS = 400
"""How long a browser knows its visitor after each visit: browsers keep no cookie for longer."""

_SECONDS = KEPT_DAYS * 86_400


@dataclass(frozen=True)
class Visitor:
    """Who a browser is.

    Attributes:
        name: the person's, under which things are kept; empty for nobody yet.
        anonymous: whether this browser's cookie alone says so, and no platform.
        lapsed: whether it brought something that was to say so and does not hold.
    """

    name: str = ""
    anonymous: bool = True
    lapsed: bool = False


class Visitors:
    """Reads and gives the cookies of visitors without an account: signed, and out of reach of scripts."""

    def __init__(self, access: Access) -> None:
        self._access, self._signer = access, access.signer("visitor")

    def of(self, request: Request) -> Visitor:
        """Who asks for a page."""
        if name := self._access.person_of(request):
            return Visitor(name, anonymous=False)
        given = request.cookies.get(VISITOR_COOKIE, "")
        try:
            return Visitor(str(self._signer.loads(given, max_age=_SECONDS)))
        except BadData:
            return Visitor(anonymous=COOKIE not in request.cookies, lapsed=bool(given) or COOKIE in request.cookies)

    def begin(self) -> Visitor:
        """Somebody new, whose name nobody can guess."""
        return Visitor(f"visitor-{secrets.token_hex(12)}")

    def keep(self, request: Request, answer: Response, visitor: Visitor) -> None:
        """Let the browser know its visitor for as long again."""
        if visitor.name and visitor.anonymous:
            signed = self._signer.dumps(visitor.name)
            answer.set_cookie(VISITOR_COOKIE, str(signed), max_age=_SECONDS, **self._how(request))

    def forget(self, request: Request, answer: Response) -> None:
        """Let the browser forget its visitor."""
        answer.delete_cookie(VISITOR_COOKIE, **self._how(request))

    def _how(self, request: Request) -> dict[str, Any]:
        place, secure = self._access.cookie_path(request), request.url.scheme == "https"
        return {"path": place, "secure": secure, "httponly": True, "samesite": "lax"}
