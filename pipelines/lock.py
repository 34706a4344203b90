"""One command at a time on a run directory.

The lock is the kernel's (`flock`): it ends with the last process that holds its descriptor, so a
command that was killed leaves nothing to clean up, and a process that a command starts keeps the
directory locked for as long as it works there. What is written in the file is for messages alone.
"""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from pipelines.rundir import RunError


@contextmanager
def locked(path: Path, option: str = "--run-dir") -> Iterator[int]:
    """Hold the lock at `path`; yield its descriptor, for a process that is to share it.

    Args:
        path: of the lock file, in the directory that is locked.
        option: by which a person may name another directory.

    Raises:
        RunError: if another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(descriptor, path, option)
        with suppress(OSError):  # a disk that is full: then a message lacks who holds the lock
            _write_owner(descriptor)
        yield descriptor
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, option: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunError(
            f"{path.parent} is in use by {_owner(path)}: wait for it, or give another {option}"
        ) from None


def _write_owner(descriptor: int) -> None:
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(owner).encode(), 0)


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text("utf-8"))
        return f"process {owner['pid']} on {owner['host']} since {owner['since']}"
    except (OSError, ValueError, LookupError, TypeError):  # taken, its owner not yet written
        return "another process"
