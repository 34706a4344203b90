"""Work shared out: answers to everything, in spite of processes that die, but not for ever."""

import os
import signal
import sys
from collections import deque
from dataclasses import replace

import pytest

from pipelines.distributed.cluster import cluster as joined
from pipelines.distributed.engine import Engine
from pipelines.rundir import RunError
from sentiment_lstm.errors import DataError


def dies(deaths, times):
    """Kill this process, so many times in all."""
    if len(list(deaths.iterdir())) < times:
        (deaths / str(os.getpid())).touch()
        os.kill(os.getpid(), signal.SIGKILL)


def squared(number, deaths=None, times=0):
    if deaths is not None and number == 5:
        dies(deaths, times)
    if number < 0:
        raise DataError(f"{number} is negative")
    return number**2


class Squares:
    """An actor; what it is made of is not needed."""

    def __init__(self, made_of):
        self._made_of = made_of

    def of(self, number, deaths=None, times=0):
        return squared(number, deaths, times)


@pytest.fixture
def running(cluster):
    with joined(cluster.engine) as found:
        yield found


def mapped(running, items):
    return list(running.mapped(squared, items))


def shared(running, items):
    return sorted(running.shared(Squares, ["x"], "of", deque(items), tries=4))


@pytest.fixture(params=[mapped, shared])
def share_out(request):
    return request.param


def test_every_item_is_answered(running, share_out):
    assert share_out(running, [(n,) for n in range(20)]) == [n**2 for n in range(20)]


def test_a_process_that_dies_is_replaced(running, share_out, tmp_path):
    found = share_out(running, [(n, tmp_path, 2) for n in range(10)])
    assert found == [n**2 for n in range(10)]
    assert len(list(tmp_path.iterdir())) == 2


def test_what_kills_every_process_ends_the_work(running, share_out, tmp_path):
    with pytest.raises(
        RunError, match=r"a process of the cluster ended, .*: run the command again"
    ):
        share_out(running, [(5, tmp_path, 99)])
    assert len(list(tmp_path.iterdir())) == 4


def test_an_error_comes_through_as_it_was(running, share_out):
    with pytest.raises(DataError, match=r"^-3 is negative$"):
        share_out(running, [(1,), (-3,), (2,)])


def test_more_workers_than_cores_are_told(cluster, caplog):
    with joined(replace(cluster.engine, workers=3)) as found:
        assert found.workers == 3
    assert "the cluster has 2 cores, and 3 workers wait for as many" in caplog.text


def test_an_address_without_a_cluster_is_one_line(token):
    for address, reason in (("127.0.0.1:1", "refused"), ("nowhere", "not HOST:PORT")):
        with (
            pytest.raises(RunError, match=rf"^no cluster to work on at {address}: .*{reason}"),
            joined(Engine("ray", address)),
        ):
            pass


def test_without_ray_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    with (
        pytest.raises(RunError, match=r"^Ray is not installed here: pip install "),
        joined(Engine("ray", "127.0.0.1:1")),
    ):
        pass
