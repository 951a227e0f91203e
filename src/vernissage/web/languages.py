"""The language of an answer's sentences: ``lang`` in the address, else what ``Accept-Language`` prefers."""

from functools import lru_cache
from typing import Annotated

from fastapi import Depends, Query, Request

from vernissage.sentences import LANGUAGES, Language

_LONGEST = 300
_Asked = Annotated[
    Language | None, Query(description="Of sentences in the answer; default: what Accept-Language prefers, or English.")
]


async def _language_of(request: Request, lang: _Asked = None) -> str:
    return lang or preferred(request.headers.get("accept-language", ""))


Spoken = Annotated[str, Depends(_language_of)]
"""A parameter of routes: one of `LANGUAGES`, as the request asks for it."""


@lru_cache(256)
def preferred(accepted: str, languages: tuple[str, ...] = LANGUAGES) -> str:
    """The language that ``Accept-Language`` likes best of those that there are, the first of equals; else the first."""
    best, most = languages[0], 0.0
    for part in accepted[:_LONGEST].replace(" ", "").lower().split(","):
        tag, _, weight = part.partition(";q=")
        code = tag.partition("-")[0]
        try:
            liked = float(weight or 1)
        except ValueError:
            continue
        if code in languages and liked > most:
            best, most = code, liked
    return best
