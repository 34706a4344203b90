"""Processes that look at what may crash or hang, some at once; what comes of them is a line.

Each is `pipelines.doctor.probe`, started by name. They begin at once, so that the quick checks are
made meanwhile.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from pipelines.doctor.finding import AGAIN, Finding, problem, subject_of, unseen
from sentiment_lstm.parallel import cores

BEGUN = '{"subject": '


class Probes:
    """Processes that look at one thing each; ends them when the block does.

    Args:
        asked: what each is told, see `probe.main`; the first word says what is looked at.
        seconds: that one may take.
    """

    def __init__(self, asked: Sequence[Sequence[str]], seconds: float) -> None:
        self._seconds, self._ended = seconds, False
        self._running: list[subprocess.Popen[str]] = []
        self._threads = ThreadPoolExecutor(cores())
        self._begun = [(words, self._threads.submit(self._ask, words)) for words in asked]

    def __enter__(self) -> "Probes":
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        for process in list(self._running):
            _end(process)
        self._threads.shutdown(cancel_futures=True)

    def findings(self) -> Iterator[Finding]:
        """Yield what they found, in the order they were asked for."""
        for words, begun in self._begun:
            try:
                yield from begun.result()
            except Exception as error:
                yield unseen(subject_of(words), error)

    def _ask(self, words: Sequence[str]) -> list[Finding]:
        if self._ended:
            return []
        # -P: files in the current directory must not pass for packages. A group of its own: it
        # is ended with all that it may have started.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pipelines.doctor.probe", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            process_group=0,
            text=True,
        )
        self._running.append(process)
        try:
            said, _ = process.communicate(timeout=self._seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            said, _ = process.communicate()
            return [*_findings(said), self._unfinished(words)]
        return [*_findings(said), *_cut_short(words, process.returncode)]

    def _unfinished(self, words: Sequence[str]) -> Finding:
        return problem(
            subject_of(words),
            f"not done after {self._seconds:g} s: give a busy machine more by --timeout; if that "
            f"does not help, {_way_out(words)}",
        )


def _way_out(words: Sequence[str]) -> str:
    """Return what to do where a probe ends without an answer."""
    from pipelines.doctor.packages import way_out_of

    kind, *rest = words
    if kind == "backend":
        return way_out_of(rest[0])
    return "; ".join(map(way_out_of, ("numba", "llvmlite"))) if kind == "compiler" else AGAIN


def _findings(said: str) -> list[Finding]:
    """Read the findings; what else may stand there, as what Python's start-up said, is none."""
    return [Finding(**json.loads(line)) for line in said.splitlines() if line.startswith(BEGUN)]


def _cut_short(words: Sequence[str], status: int) -> Iterator[Finding]:
    """Say that a process ended before it had finished, and by what."""
    if status == 0:
        return
    how = f"status {status}"
    with suppress(ValueError):
        how = signal.Signals(-status).name
    yield problem(subject_of(words), f"crashes when it is used ({how}): {_way_out(words)}")


def _end(process: "subprocess.Popen[str]") -> None:
    with suppress(OSError):  # it is gone
        os.killpg(process.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """Return this process's environment, with its module search path spelled out.

    The place of this package comes last, for where it is found by the current directory alone: an
    installed one stands among all others, and before them it would hide what hides them.
    """
    path = os.pathsep.join([*filter(None, sys.path), str(Path(__file__).resolve().parents[2])])
    return os.environ | {"PYTHONPATH": path}
