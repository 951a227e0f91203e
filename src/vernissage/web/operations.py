"""What an operator sees of a server: whether it answers, counts and times for Prometheus, the log."""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Literal

import numpy as np
import orjson
from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vernissage.errors import VernissageError
from vernissage.gallery.gallery import Gallery

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable of the environment that names the folder in which several processes count together."""

_HEALTH_SECONDS = 3.0
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_requests = logging.getLogger("vernissage.requests")


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


class Metrics:
    """Counts and times for Prometheus, of this process, or of all that share a folder of `SHARED`; one a process."""

    def __init__(self) -> None:
        own = CollectorRegistry()
        self.requests = Histogram(
            "http_server_request_duration_seconds",
            "Seconds that requests took",
            ["http_request_method", "http_route", "http_response_status_code"],
            registry=own,
        )
        self._recommend = Histogram(
            "vernissage_recommend_duration_seconds",
            "Seconds that recommendations took",
            ["engine", "stage"],
            registry=own,
        )
        self.limited = Counter("vernissage_rate_limited_total", "Requests refused as too many", registry=own)
        self._registry = own
        if SHARED in os.environ:
            self._registry = CollectorRegistry()
            MultiProcessCollector(self._registry)  # type: ignore[no-untyped-call]

    def recommended(self, engine: str, engines: Sequence[str], ranking: float, describing: float) -> None:
        """Note how many seconds it took to rank works and to describe them; what joins engines is one name."""
        name = engine if engine in engines else "fusion"
        for stage, seconds in (("rank", ranking), ("describe", describing)):
            self._recommend.labels(name, stage).observe(seconds)

    def text(self, gallery: Gallery) -> bytes:
        """Everything, and the present state of a gallery, in Prometheus's own format."""
        state = CollectorRegistry()
        state.register(_State(gallery))
        return generate_latest(self._registry) + generate_latest(state)


class _State(Collector):
    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    def collect(self) -> Iterator[Metric]:
        workspace = self._gallery.snapshot.workspace
        info = GaugeMetricFamily("vernissage_workspace_info", "The state that is served", labels=["fingerprint"])
        info.add_metric([self._gallery.fingerprint], 1)
        works = GaugeMetricFamily("vernissage_index_works", "Works in an index", labels=["encoder", "modality"])
        without = GaugeMetricFamily("vernissage_works_without_vectors", "Works without a vector", labels=["encoder"])
        for encoder in workspace.encoder_names:
            there = np.zeros(len(workspace.collection), dtype=bool)
            for modality in workspace.modalities(encoder):
                table = workspace.table(encoder, modality)
                works.add_metric([encoder, modality], len(table))
                there[workspace.collection.ids.rows(table.item_ids)] = True
            without.add_metric([encoder], int((~there).sum()))
        yield from (info, works, without)


class Measured:
    """Times requests by their route, so that ids do not become names of series, and writes a line of each into the log.

    Neither has anything of who asks: no address, id, query or key.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status, size, request_id = time.perf_counter(), 500, 0, secrets.token_hex(8)

        async def noted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            seconds = time.perf_counter() - start
            route = scope.get("root_path", "") + getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
            self._metrics.requests.labels(method, route, str(status)).observe(seconds)
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                self._metrics.limited.inc()
            if _requests.isEnabledFor(logging.INFO):
                told = {"method": method, "route": route, "status": status, "bytes": size, "request_id": request_id}
                _requests.info("%s", told | {"duration_ms": round(seconds * 1000, 3)})


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = record.args if isinstance(record.args, dict) else {"message": super().format(record)}
        return orjson.dumps({"time": moment, "level": record.levelname.lower(), **fields}).decode()


def set_up_logging(form: Literal["text", "json"]) -> None:
    """Write warnings to standard error, and with ``json`` a line for each request too, all as objects."""
    from vernissage.web.connections import FloodFilter  # which imports the server

    shape = _JsonLines() if form == "json" else logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    warnings, lines = logging.StreamHandler(), logging.StreamHandler()
    warnings.setLevel(logging.WARNING)  # libraries set lower levels of their own
    warnings.addFilter(FloodFilter())
    for handler in (warnings, lines):
        handler.setFormatter(shape)
    if not logging.getLogger().handlers:
        logging.getLogger().addHandler(warnings)
    if form == "json" and not _requests.handlers:
        _requests.addHandler(lines)
        _requests.setLevel(logging.INFO)
        _requests.propagate = False
