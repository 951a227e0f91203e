"""Bounds of what strangers may hold of a server: connections, the time that a request may take, lines of the log."""

import asyncio
import logging
import resource
import socket
from itertools import count
from pathlib import Path
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from vernissage.errors import RequestError
from vernissage.web.security import RateLimit

ARRIVAL_SECONDS = 20.0
"""How long a whole request may take to arrive, headers and body, and how long a browser may wait between two."""

SLOWEST = 64 * 1024
"""Bytes a second of a large body, an upload, that may take longer."""

STALLED_SECONDS = 60.0
"""How long an answer may wait for a browser that reads nothing of it."""

MOST_CONNECTIONS = 512
_FEWEST = 8
_KEPT_FREE = 8
"""Files that are opened later: the database of people, the manifest that is looked at twice a second."""
_IN_ORDER = count()


def connection_limits() -> tuple[int, int]:
    """How many connections may be open, and how many are accepted at one go, below this process's descriptor limit.

    Raises:
        RequestError: the limit leaves no room.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors = Path("/dev/fd")
    free = soft - (sum(1 for _ in descriptors.iterdir()) if descriptors.is_dir() else 32)
    # Half for connections, a quarter for those that are accepted before they are counted, in two turns of the loop:
    # what is ended in one is closed in the next. The rest is for the database.
    most = MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, (free - _KEPT_FREE) // 2)
    if most < _FEWEST:
        raise RequestError(
            f"this process may open {soft} files, which leaves room for {max(most, 0)} connections; allow more with "
            f"`ulimit -n 1024`"
        )
    return most, most // 4


class BoundedConnection(H11Protocol):
    """A connection with time limits; ``most`` may be open.

    One more takes the place of the one that has waited longest without a whole request, so silent ones keep nobody out.
    """

    most = MOST_CONNECTIONS
    _timer: asyncio.TimerHandle | None = None
    _waiting: int | None = None
    """In which order connections began to wait for a request; None while one is answered."""
    _unsent = 0
    _arrived = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and make room for it."""
        if len(self.connections) >= self.most:
            idle = [each for each in self.connections if isinstance(each, BoundedConnection) and each.is_waiting]
            if not idle:
                transport.abort()
                return
            oldest = min(idle, key=lambda each: each._waiting or 0)
            self.connections.discard(oldest)
            oldest.transport.abort()
        # asyncio does this for sockets that name TCP as their protocol, which those of `socket.create_server` do not;
        # without it each answer of two parts waits 40 ms for the browser's acknowledgement of the first.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the time limit with the connection."""
        if self.transport is not None:
            self._limit(None)
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what arrived; the limit of arrival ends with a whole request."""
        super().data_received(data)
        self._arrived += len(data)
        whole = self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete
        if whole and self.is_waiting:
            self._waiting, self._unsent = None, 0
            self._limit(STALLED_SECONDS)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._wait()
        super().on_response_complete()

    @property
    def is_waiting(self) -> bool:
        """Whether no whole request is being answered."""
        return self._waiting is not None

    def _wait(self) -> None:
        self._waiting, self._arrived = next(_IN_ORDER), 0
        self._limit(ARRIVAL_SECONDS)

    def _limit(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._expired)

    def _expired(self) -> None:
        unsent, arrived = self.transport.get_write_buffer_size(), self._arrived
        self._arrived = 0
        if self.is_waiting and arrived >= SLOWEST * ARRIVAL_SECONDS:
            self._limit(ARRIVAL_SECONDS)
            return
        # An answer that is still computed, or that is read slowly, is none that stalls.
        if not self.is_waiting and (unsent == 0 or unsent != self._unsent):
            self._unsent = unsent
            self._limit(STALLED_SECONDS)
        else:
            self.transport.abort()


class FloodFilter(logging.Filter):
    """Lets through so many messages from one line of code, and counts the rest, which the next one tells."""

    def __init__(self, limit: RateLimit | None = None) -> None:
        super().__init__()
        self._limit = limit or RateLimit(at_once=5, each_second=0.05)
        self._left_out: dict[str, int] = {}

    def filter(self, record: Any) -> bool:
        """Whether a record is written."""
        line = f"{record.pathname}:{record.lineno}"
        if self._limit.wait(line):
            self._left_out[line] = self._left_out.get(line, 0) + 1
            return False
        if left_out := self._left_out.pop(line, 0):
            record.msg, record.args = f"{record.getMessage()} ({left_out:,} more like it left out)", ()
        return True
