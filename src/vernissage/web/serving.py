"""A study beside the API: two applications at one address."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from vernissage.web.study.app import create_app
from vernissage.web.study.served import ServedStudy

_OF_THE_API = ("/api/", "/healthz", "/readyz", "/metrics", "/vernissage.js")


def beside(api: ASGIApp, study: ServedStudy, hosts: Sequence[str] | None) -> ASGIApp:
    """The API under its own addresses, and the pages of a study everywhere else."""
    pages = create_app(study, hosts)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        of_api = scope["type"] == "lifespan" or scope.get("path", "").startswith(_OF_THE_API)
        await (api if of_api else pages)(scope, receive, send)

    return app
