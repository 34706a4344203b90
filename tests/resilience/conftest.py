"""One workshop for all tests of this directory."""

from contextlib import closing

import pytest

from tests.resilience.workshop import Workshop


@pytest.fixture(scope="session")
def workshop(tmp_path_factory):
    """Yield where the artifacts are made, each when it is first asked for."""
    with closing(Workshop(tmp_path_factory.mktemp("workshop"))) as made:
        yield made
