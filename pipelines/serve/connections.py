"""One connection: a client that sends its head, or reads its answer, too slowly is cut off.

A client that opens a connection and says nothing would otherwise hold it for ever; and so that many
of them do not take all the files that a process may open, there is a bound on connections.
"""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from pipelines.serve.limits import Limits
from pipelines.serve.refusals import UNAVAILABLE


class Connection(H11Protocol):
    """HTTP/1.1 with bounds; they are set in a subclass by `connection_class`."""

    seconds = 10.0
    most = 512
    _head: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a head, or refuse a connection too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.write(_refusal(self.most))
            transport.close()
        else:
            self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Take what comes; it ends the wait once a head is whole."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._head is None:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        self._go_on()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for a client that has stopped reading."""
        super().pause_writing()
        self._reader = self.loop.call_later(self.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on, as it reads again."""
        super().resume_writing()
        self._go_on()

    def _go_on(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
        self._reader = None

    def _stop_waiting(self) -> None:
        if self._head is not None:
            self._head.cancel()
        self._head = None

    def _expect_head(self) -> None:
        self._head = self.loop.call_later(self.seconds, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head = None
        if not self.transport.is_closing():
            self.transport.close()


def connection_class(limits: Limits) -> type[Connection]:
    """Return the class of connections with the bounds of a service."""
    bounds = {"seconds": limits.header_seconds, "most": limits.connections}
    return type("BoundedConnection", (Connection,), bounds)


def _refusal(most: int) -> bytes:
    """Return the answer to whoever connects where so many already are."""
    reason = f"{most} connections are open: try again soon"
    body = json.dumps({"error": reason}).encode()
    head = (
        f"HTTP/1.1 {UNAVAILABLE} Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
