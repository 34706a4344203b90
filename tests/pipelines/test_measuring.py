"""Processes that measure: their figures, their failures, and that none is left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import pipelines
from pipelines import measuring
from pipelines.measuring import Measurers, Task
from pipelines.rundir import RunError
from sentiment_lstm.endless_training import run_trial
from sentiment_lstm.trials import Net, Trial

TRIAL = Trial("adding", 10, Net("rnn", 3), steps=2, learning_rate=0.01)


def gone(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def wait_until(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it never came true")


def test_a_process_measures_what_this_one_would(tmp_path):
    with Measurers(tmp_path / "log.txt", workers=1) as measurers:
        ((number, figures),) = measurers.results([Task("trial", TRIAL.settings())])
    expected = run_trial(TRIAL)
    assert number == 0
    assert figures["parameters"] == expected["parameters"]
    # Another number of threads may sum in another order.
    assert figures["runs"][0]["loss"] == pytest.approx(expected["runs"][0]["loss"], rel=1e-4)


def test_a_process_that_ends_before_its_time_is_one_line(tmp_path):
    failed = pytest.raises(RunError, match="a process that measures ended with status 1")
    with Measurers(tmp_path / "log.txt", workers=1) as measurers, failed:
        list(measurers.results([Task("nothing of the kind", {})]))
    assert "KeyError" in (tmp_path / "log.txt").read_text()


def test_a_process_ends_with_its_parent(tmp_path):
    """At once, whatever it is at, and though its parent was killed."""
    code = """
import sys
from pathlib import Path
from pipelines.measuring import Measurers, Task
from sentiment_lstm.trials import Net, Trial
trial = Trial("adding", 50, Net("rnn", 9), steps=10**6, learning_rate=0.01)
with Measurers(Path(sys.argv[1]), workers=1) as measurers:
    list(measurers.results([Task("trial", trial.settings())]))
"""
    root = str(Path(pipelines.__file__).parents[1])
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "log.txt")],
        env=os.environ | {"PYTHONPATH": root},
    )
    wait_until(lambda: own_children(parent.pid))
    (child,) = own_children(parent.pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: gone(child))


def own_children(parent):
    """Return the processes that any thread of a process has started."""
    threads = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(child) for thread in threads for child in thread.read_text().split()]


def test_a_process_that_is_about_to_begin_at_the_end_is_ended_too(monkeypatch, tmp_path):
    begun, ended = threading.Event(), threading.Event()

    class Slow:
        def __init__(self, *_):
            begun.set()
            time.sleep(0.5)

        def __call__(self, task):
            return ended.wait(10)

        end = staticmethod(ended.set)

    monkeypatch.setattr(measuring, "_Worker", Slow)
    log = tmp_path / "log.txt"
    with ThreadPoolExecutor(1) as thread, Measurers(log, workers=1) as measurers:
        thread.submit(list, measurers.results([Task("trial", TRIAL.settings())]))
        assert begun.wait(10)
    assert ended.is_set()
