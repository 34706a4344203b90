"""A cluster that the tests share."""

from importlib.util import find_spec

import pytest


@pytest.fixture(scope="session")
def token():
    """Have this process and those that it starts bear the token of the tests' cluster."""
    if find_spec("ray") is None:  # not imported, which would read its environment now
        pytest.skip("a cluster wants pip install '.[distributed]'")
    from tests.distributed.clusters import bearing_a_token

    with bearing_a_token():
        yield


@pytest.fixture(scope="session")
def cluster(token):
    """Yield a cluster of two workers."""
    from tests.distributed.clusters import running_cluster

    with running_cluster() as running:
        yield running
