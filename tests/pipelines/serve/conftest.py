"""What the tests of the service share: a server that runs, and clients of it."""

import socket
import time
from contextlib import contextmanager

import pytest

from tests.serving.running import running

NEEDED = ("fastapi", "uvicorn", "prometheus_client", "httpx")
EXTRA = "the service wants pip install '.[serve]' and httpx"


@pytest.fixture(scope="session")
def needed():
    """Skip where the extra is not installed."""
    for name in NEEDED:
        pytest.importorskip(name, reason=EXTRA)


@pytest.fixture
def start(needed):
    """Return a context manager that yields a server with options of its own."""
    return lambda model, *options: running(model, "--numpy", *options)


@pytest.fixture(scope="session")
def bundle(make_shared_bundle):
    """Return the bundle that the shared server serves."""
    return make_shared_bundle("films")


@pytest.fixture(scope="session")
def server(needed, bundle):
    """Yield a server that several tests ask."""
    with running(bundle, "--numpy") as started:
        yield started


@pytest.fixture
def connect():
    """Return a function that gives an httpx client of a server."""
    import httpx

    clients = []

    def opened(server, **options):
        clients.append(httpx.Client(base_url=server.address, timeout=60, **options))
        return clients[-1]

    yield opened
    for client in clients:
        client.close()


@pytest.fixture
def client(server, connect):
    """Return a client of the shared server."""
    return connect(server)


@pytest.fixture
def raw():
    """Return a context manager that yields a plain socket to a server."""

    @contextmanager
    def connected(server):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            yield connection

    return connected


@pytest.fixture
def until():
    """Return a function that waits for something to become true."""

    def waited(happened):
        for _ in range(3000):
            if found := happened():
                return found
            time.sleep(0.02)
        raise AssertionError("it never happened")

    return waited
