"""A Ray cluster: one that runs somewhere, or one on this machine for as long as the work lasts.

Whoever reaches a cluster's ports runs programs on it. So none is started or joined without a token
that every message carries, the cluster of this machine listens at loopback alone, there is no
dashboard, and nothing is reported to anyone.
"""

import logging
import os
import secrets
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.distributed.engine import Engine
from pipelines.rundir import RunError
from sentiment_lstm.errors import SentimentError
from sentiment_lstm.parallel import cores

STORE_BYTES = 2**29  # of shared memory, for what passes between processes of one machine
# Read when Ray is imported, and by every process that it starts.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # as Ray warns that it will be
}
log = logging.getLogger(__name__)

QUIET = {"log_to_driver": False, "logging_level": "ERROR"}
CONNECT_SECONDS = 10
STARTS = 3
# Of a cluster that starts here. The second is how Ray has it where it knows one machine alone: then
# every process listens at loopback.
LOOPBACK_ALONE = {"RAY_AUTH_MODE": "token", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
TRIES = 4  # of a task whose process ends: for want of memory, or with its machine


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process is a driver of.

    Attributes:
        workers: processes that are to share the work.
        machines: cores of each machine.
        asked: for so many processes, or None.
    """

    workers: int
    machines: Sequence[int]
    asked: int | None

    def group(self) -> tuple[int, int]:
        """Return how many processes train together, and the cores that each of them takes.

        On one machine they are as many as workers. On several, where nobody asks for a number,
        they are one for each machine, as what they exchange grows with their number.
        """
        size = self.asked or (self.workers if len(self.machines) == 1 else len(self.machines))
        return size, cores_each(self.machines, size)

    def mapped(
        self, function: Callable[..., Any], arguments: Iterable[Sequence[Any]], ahead: int = 4
    ) -> Iterator[Any]:
        """Yield what a function answers to each of its arguments, in order.

        Args:
            function: of a module that workers can import.
            arguments: a sequence for each call; a few are read ahead for each worker.
            ahead: how many.
        """
        import ray

        task = ray.remote(num_cpus=1, max_retries=TRIES - 1)(function)
        waiting = iter(arguments)
        begun = deque(task.remote(*some) for some in islice(waiting, ahead * self.workers))
        while begun:
            yield answer(begun.popleft())
            begun.extend(task.remote(*some) for some in islice(waiting, 1))

    def shared(
        self, kind: type, made_of: Sequence[Any], method: str, items: deque[Any], tries: int
    ) -> Iterator[Any]:
        """Yield what actors answer to each item, as answers come; each has one item at a time.

        An actor whose process ends begins anew, with the item that it had.

        Args:
            kind: class of the actors; its one argument is references to what it is made of.
            made_of: that, the same for all.
            method: that takes an item, which is a sequence of arguments.
            items: what to share out; none is left.
            tries: of an item before the work is given up.
        """
        import ray

        actor = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=tries - 1)(kind)
        given = [ray.put(argument) for argument in made_of]  # once, however many actors there are
        busy = {}
        for _ in range(min(self.workers, len(items))):
            one = actor.remote(given)
            busy[getattr(one, method).remote(*items.popleft())] = one
        while busy:
            (done,), _ = ray.wait(list(busy), num_returns=1)
            one = busy.pop(done)
            if items:
                busy[getattr(one, method).remote(*items.popleft())] = one
            yield answer(done)


@contextmanager
def cluster(engine: Engine) -> Iterator[Cluster]:
    """Join the cluster of an engine, or start one, until the block ends.

    Raises:
        RunError: if Ray is not installed, or no cluster answers at the address.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with _joined(engine) if engine.address else _started(engine) as ray:
        nodes = (node["Resources"] for node in ray.nodes() if node["Alive"])
        machines = [int(node["CPU"]) for node in nodes if node.get("CPU", 0) >= 1]
        workers = engine.workers or max(1, sum(machines))
        if workers > sum(machines):
            log.warning(
                "the cluster has %d cores, and %d workers wait for as many: give --workers, or "
                "let it grow", sum(machines), workers,
            )  # fmt: skip
        yield Cluster(workers, machines, engine.workers)


@contextmanager
def _started(engine: Engine) -> Iterator[Any]:
    """Have a cluster on this machine; its token is known to its processes alone."""
    os.environ |= LOOPBACK_ALONE
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    ray = _ray()
    with TemporaryDirectory(prefix="ray-") as directory:
        try:
            _start(ray, engine.workers or cores(), directory)
            yield ray
        finally:
            ray.shutdown()


def _start(ray: Any, workers: int, directory: str) -> None:
    """Start a cluster; Ray gives its processes 30 seconds, which a busy machine may not have.

    Raises:
        RunError: if it does not start.
    """
    for last in (False,) * (STARTS - 1) + (True,):
        try:
            ray.init(
                address="local",  # whatever RAY_ADDRESS says
                num_cpus=workers,
                num_gpus=0,
                include_dashboard=False,
                object_store_memory=STORE_BYTES,
                _temp_dir=directory,
                **QUIET,
            )
            return
        except Exception as error:  # Ray raises no narrower one
            ray.shutdown()
            if last:
                reason = " ".join(str(error).split())
                raise RunError(
                    f"no cluster starts on this machine, {STARTS} times in turn ({reason}): try "
                    "again when it is less busy, or leave --engine at local"
                ) from error


@contextmanager
def _joined(engine: Engine) -> Iterator[Any]:
    ray = _ray()
    try:
        _reach(str(engine.address))
        ray.init(address=engine.address, **QUIET)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        reason = " ".join(str(error).split())
        raise RunError(
            f"no cluster to work on at {engine.address}: {reason}: give HOST:PORT of a running "
            "one, and its token in RAY_AUTH_TOKEN"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Connect once: Ray itself would try for minutes.

    Raises:
        OSError: if nobody listens at an address.
        ValueError: if it is none.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        raise ValueError("not HOST:PORT")
    socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()


def cores_each(machines: Sequence[int], processes: int) -> int:
    """Return the most cores that each process can have, each process's on one machine.

    It is 1 where there are fewer cores than processes.
    """
    for count in range(max(machines, default=1), 1, -1):
        if sum(machine // count for machine in machines) >= processes:
            return count
    return 1


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise RunError(
            'Ray is not installed here: pip install "sentiment-lstm[distributed]", or leave '
            "--engine at local"
        ) from error
    return ray


def answer(reference: Any) -> Any:
    """Wait for what a reference stands for.

    Raises:
        SentimentError: what was raised there, as it was.
        RunError: if a process ended again and again.
    """
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, SentimentError | OSError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        raise RunError(f"{lost(error)}: run the command again, it goes on") from error


def lost(error: Exception) -> str:
    """Say in one line what Ray could not help."""
    first = str(error).strip().partition("\n")[0]
    return f"a process of the cluster ended, for want of memory perhaps ({first})"
