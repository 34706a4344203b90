"""A cluster that the tests share, in a network where nobody else is."""

from contextlib import ExitStack, nullcontext
from importlib.util import find_spec

import pytest

from tests.distributed.loopback import Loopback

ALONE = (
    "a cluster is tested in a network of its own, which this user cannot make ({}): run the tests "
    "as root, or by `unshare --map-root-user --net pytest …`"
)


@pytest.fixture(scope="session")
def network():
    """Return a network of loopback alone, or the reason why there is none."""
    try:
        return Loopback()
    except OSError as error:
        return str(error)


@pytest.fixture(scope="module", autouse=True)
def within(network):
    """Have a file's tests, and what they start, in that network, where there is one."""
    with nullcontext() if isinstance(network, str) else network.entered():
        yield


@pytest.fixture(scope="session")
def token(network):
    """Have this process and those that it starts bear the token of the tests' cluster."""
    if find_spec("ray") is None:  # not imported, which would read its environment now
        pytest.skip("a cluster wants pip install '.[distributed]'")
    if isinstance(network, str):
        pytest.skip(ALONE.format(network))
    from tests.distributed.clusters import bearing_a_token

    with bearing_a_token():
        yield


@pytest.fixture(scope="session")
def cluster(token, network):
    """Yield a cluster of two workers."""
    from tests.distributed.clusters import running_cluster

    with ExitStack() as until_the_end:
        with network.entered():
            running = until_the_end.enter_context(running_cluster())
        yield running
