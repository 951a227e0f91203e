"""What an operator sees of a server: whether it answers."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from vernissage.errors import VernissageError

_HEALTH_SECONDS = 3.0


def health_router(*checks: Callable[[], None]) -> APIRouter:
    """Whether the process answers, at /healthz, and its databases, at /readyz.

    ``checks`` raise where a database does not answer; a thread asks them that no other request waits for.
    """
    asking, router = ThreadPoolExecutor(1, "health"), APIRouter(tags=["operations"])

    def ask() -> None:
        for check in checks:
            check()

    @router.get("/healthz", summary="Whether the process answers", response_class=PlainTextResponse)
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @router.get("/readyz", summary="Whether the database answers", response_class=PlainTextResponse)
    async def readyz() -> Response:
        try:
            await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(asking, ask), _HEALTH_SECONDS)
        except (VernissageError, TimeoutError):
            return PlainTextResponse("the database does not answer\n", HTTPStatus.SERVICE_UNAVAILABLE)
        return PlainTextResponse("ok\n")

    return router
