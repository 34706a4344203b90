"""A cluster that commands can join one after the other, and its processes, which can be killed."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from pipelines.distributed.cluster import LOOPBACK_ALONE
from pipelines.distributed.engine import Engine
from tests.resilience.commands import environment

PROGRAM = Path(__file__).with_name("cluster_process.py")
PATIENCE = 600  # seconds, after which a wait is in vain


class Running:
    """A cluster on this machine."""

    def __init__(self, address: str, workers: int, process: "subprocess.Popen[str]") -> None:
        self.engine = Engine("ray", address, workers)
        self.options = ("--engine", "ray", "--address", address, "--workers", str(workers))
        self._process = process

    def actors(self, name: str) -> list[psutil.Process]:
        """Return the processes that are actors of a class, or run a task of a name."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        return [process for process in children if _is(process, f"ray::{name}")]


def _is(process: psutil.Process, name: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.name().startswith(name[:15])
    except psutil.NoSuchProcess:
        return False


@contextmanager
def bearing_a_token() -> Iterator[None]:
    """Have this process, and those that it starts, bear one token; before Ray is imported."""
    added = LOOPBACK_ALONE | {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
    before = {name: os.environ.get(name) for name in added}
    os.environ |= added
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def running_cluster(workers: int = 2) -> Iterator[Running]:
    """Have a cluster, until the block ends."""
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), str(workers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            assert address, "no cluster starts: see standard error"
            yield Running(address, workers, process)
        finally:
            process.stdin.close()


def when(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.005)
