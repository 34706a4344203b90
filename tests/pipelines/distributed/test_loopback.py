"""In the network that clusters are tested in nobody else is, and no way leads out of it."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.distributed.loopback import PRESENT, Loopback

ASK = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2)"


@pytest.fixture(autouse=True)
def alone(network):
    if isinstance(network, str):
        pytest.skip(network)


def connects(port):
    asked = [sys.executable, "-c", ASK, str(port)]
    return subprocess.run(asked, stderr=subprocess.DEVNULL, check=False).returncode == 0


def present():
    return Path(PRESENT).readlink()


def test_no_way_leads_out():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with udp as out, pytest.raises(OSError, match="unreachable"):
        out.connect(("192.0.2.1", 9))  # an address of documentation: RFC 5737


def test_a_port_is_reached_by_what_was_started_inside_and_from_no_other_network():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert connects(port)
        with Loopback().entered():
            assert not connects(port)


def test_it_is_left_again_whatever_happens():
    before, other = present(), Loopback()
    with pytest.raises(KeyError), other.entered():
        assert present() != before
        raise KeyError
    assert present() == before
