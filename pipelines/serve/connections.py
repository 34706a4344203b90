"""One connection: a client that sends its head, or reads its answer, too slowly is cut off.

A client that opens a connection and says nothing would otherwise hold it for ever.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection(H11Protocol):
    """HTTP/1.1 with bounds on time; `seconds` is set in a subclass by `connection_class`."""

    seconds = 10.0
    _head: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)
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


def connection_class(seconds: float) -> type[Connection]:
    """Return the class of connections that wait so long."""
    return type("TimedConnection", (Connection,), {"seconds": seconds})
