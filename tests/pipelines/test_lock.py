"""One command at a time, held against real processes."""

import os
import resource
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

import pipelines
from pipelines.lock import locked
from pipelines.rundir import RunError

ROOT = Path(pipelines.__file__).parents[1]
HOLD = """
import sys
from pathlib import Path
from pipelines.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process_holding(path, program=HOLD):
    command = [sys.executable, "-c", program, str(path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.stdin.close()
        process.wait()


def test_a_held_lock_names_its_owner(tmp_path):
    path = tmp_path / "lock"
    with another_process_holding(path) as other:
        with pytest.raises(RunError) as caught, locked(path):
            pass
        message = str(caught.value)
        assert f"process {other.pid} on {socket.gethostname()} since 2" in message
        assert str(tmp_path) in message


# Takes the lock and writes its name only after a moment, as a holder does that is held up there.
DAWDLE = """
import sys, time
from pathlib import Path
from pipelines import lock
write = lock._write_owner
def late(descriptor):
    print("held", flush=True)
    time.sleep(0.3)
    write(descriptor)
lock._write_owner = late
with lock.locked(Path(sys.argv[1])):
    sys.stdin.read()
"""


def test_an_owner_that_has_not_written_its_name_yet_is_waited_for(tmp_path):
    path = tmp_path / "lock"
    with another_process_holding(path, DAWDLE) as other, pytest.raises(RunError) as caught:
        locked(path).__enter__()
    assert f"in use by process {other.pid} on " in str(caught.value)


def test_an_owner_that_never_writes_its_name_is_another_process(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.lock.PATIENCE", 0.05)
    path = tmp_path / "lock"
    with another_process_holding(path), pytest.raises(RunError) as caught:
        path.write_text("")
        locked(path).__enter__()
    assert "in use by another process: wait for it" in str(caught.value)


def test_a_lock_given_back_can_be_taken(tmp_path):
    path = tmp_path / "lock"
    with another_process_holding(path):
        pass
    with locked(path):
        pass
    with locked(path):
        pass


def test_a_lock_outlives_no_killed_process(tmp_path):
    path = tmp_path / "lock"
    with another_process_holding(path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert str(other.pid) in path.read_text("utf-8")  # what it left behind
        with locked(path):
            pass


def test_a_lock_is_given_back_when_the_work_fails(tmp_path):
    path = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), locked(path):
        _ = 1 / 0
    with locked(path):
        pass


def test_a_process_that_shares_the_lock_keeps_it(tmp_path):
    path = tmp_path / "lock"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    share = "import sys; print(flush=True); sys.stdin.read()"
    with locked(path) as descriptor:
        child = subprocess.Popen([sys.executable, "-c", share], pass_fds=(descriptor,), **pipes)
        child.stdout.readline()
    with child:
        with pytest.raises(RunError), locked(path):
            pass
        child.stdin.close()
        child.wait()
    with locked(path):
        pass


@pytest.mark.parametrize("left", [b"", b"{", b"[1]", b"\xff"])
def test_an_owner_that_cannot_be_read_is_still_a_refusal(tmp_path, left):
    path = tmp_path / "lock"
    with another_process_holding(path):
        path.write_bytes(left)
        with pytest.raises(RunError, match="another process"), locked(path):
            pass


def test_a_disk_without_room_keeps_nobody_from_the_lock(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with locked(tmp_path / "lock"):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
