"""The commands of most days with the network closed, and that a connection would be seen."""

import sys

import pytest

from tests.resilience import network

CONNECTS = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
STARTS = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CONNECTS!r}], check=True)"


@pytest.mark.parametrize("code", [CONNECTS, STARTS])
def test_a_connection_is_seen_in_whichever_process_it_is_tried(tmp_path, code):
    status, _, tried = network.attempt(tmp_path, [sys.executable, "-c", code])
    assert status != 0
    assert any("192.0.2.1" in line for line in tried)


def test_commands_work_with_the_network_closed_and_try_no_connection(workshop):
    tallies = list(network.run(workshop, heavy=False))
    assert [tally.tried for tally in tallies] == [1, 1, 1]
    assert [lost for tally in tallies for lost in tally.lost] == []
