"""The process that serves: where it listens, how it stops."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn

from pipelines.serve.app import create_app
from pipelines.serve.connections import connection_class
from pipelines.serve.service import Service
from sentiment_lstm.errors import SettingsError

BACKLOG = 1024
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes one that is free.

    Raises:
        SettingsError: for an address that cannot be listened at.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError(
            f"--host {host}: {reason}: give an address of this machine, such as 127.0.0.1"
        ) from error
    bound = socket.socket(family, kind)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise SettingsError(
            f"cannot listen at {host} port {port}: {os.strerror(error.errno or 0)}: "
            "give another --port (0 takes a free one) or --host"
        ) from error
    return bound


def address_of(bound: socket.socket) -> str:
    """Return the address at which a socket is reached."""
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def serve(bound: socket.socket, service: Service, announce: Callable[[], None]) -> None:
    """Answer requests until a signal comes, and those that are in flight then.

    Args:
        bound: the socket that listens.
        service: what answers; it is closed.
        announce: called when requests are answered.
    """
    limits = service.limits
    config = uvicorn.Config(
        create_app(service),
        http=connection_class(limits),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(limits.body_seconds + limits.answer_seconds) + 1,
    )
    _Server(config, announce).run(sockets=[bound])


class _Server(uvicorn.Server):
    """Stops at a signal, and leaves with status 0: to be stopped is how a service ends."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Have signals stop the server, and not repeat them when it has stopped."""
        before = {number: signal.signal(number, self._stop) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> Any:
        """Stop; a second Ctrl-C stops at once."""
        self.handle_exit(number, frame)
