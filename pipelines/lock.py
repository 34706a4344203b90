"""One command at a time on a run directory.

The lock is the kernel's (`flock`): it ends with the last process that holds its descriptor, so a
command that was killed leaves nothing to clean up, and a process that a command starts keeps the
directory locked for as long as it works there. What is written in the file is for messages alone.
"""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from pipelines.rundir import RunError

# A holder writes its name behind taking the lock: so long is it waited for, and so often looked.
PATIENCE, GLANCE = 1.0, 0.01  # seconds


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
    """Take the lock, or say whose it is."""
    until = time.monotonic() + PATIENCE
    while not _taken(descriptor):
        owner = _owner(path)
        if owner or time.monotonic() > until:
            raise RunError(
                f"{path.parent} is in use by {owner or 'another process'}: wait for it, or give "
                f"another {option}"
            )
        time.sleep(GLANCE)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_owner(descriptor: int) -> None:
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(owner).encode(), 0)


def _owner(path: Path) -> str | None:
    """Return who holds the lock, or None as long as that is not written."""
    try:
        owner = json.loads(path.read_text("utf-8"))
        return f"process {owner['pid']} on {owner['host']} since {owner['since']}"
    except (OSError, ValueError, LookupError, TypeError):
        return None
