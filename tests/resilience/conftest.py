"""One workshop for all tests of this directory."""

import pytest

from tests.resilience.workshop import Workshop


@pytest.fixture(scope="session")
def workshop(tmp_path_factory):
    """Return where the artifacts are made, each when it is first asked for."""
    return Workshop(tmp_path_factory.mktemp("workshop"))
