"""Measuring in processes of their own, one a core, so that a comparison uses every core.

A small network's step keeps one core busy and cannot use another. Each process is this module,
started by name between two pipes (see `token_workers`): it is told a measurement as a line of JSON
and answers with its figures. It ends when its input does, however its parent went.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from pipelines.rundir import RunError
from sentiment_lstm.module_path import module_path
from sentiment_lstm.parallel import cores


@dataclass(frozen=True)
class Task:
    """What a process is asked for; see `measured`."""

    kind: str
    settings: dict[str, Any]
    directory: str = ""  # token arrays that a reading reads


class Measurers:
    """Processes that measure; ends them when the block does, whatever they are at.

    Args:
        log: file that gets what they say, such as TensorFlow's notes.
        workers: how many; one for each core by default.
    """

    def __init__(self, log: Path, workers: int | None = None) -> None:
        self._log, self._count = log, workers or cores()
        self._threads = ThreadPoolExecutor(self._count)
        self._own = threading.local()
        self._workers: list[_Worker] = []
        self._changing = threading.Lock()  # no worker may begin behind the back of the end
        self._ended = False

    def __enter__(self) -> "Measurers":
        return self

    def __exit__(self, *_: object) -> None:
        with self._changing:
            self._ended = True
        for worker in self._workers:
            worker.end()
        self._threads.shutdown(cancel_futures=True)

    def results(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Any]]:
        """Yield the number of each task and its figures, in the order they are done.

        Raises:
            RunError: if a measurement failed or its process ended before its time.
        """
        begun = {self._threads.submit(self._ask, task): n for n, task in enumerate(tasks)}
        for done in as_completed(begun):
            yield begun[done], done.result()

    def _ask(self, task: Task) -> Any:
        if not hasattr(self._own, "worker"):
            with self._changing:
                if self._ended:
                    raise RunError("the comparison has ended")
                self._own.worker = _Worker(self._log, len(self._workers) % max(cores(), 1))
                self._workers.append(self._own.worker)
        return self._own.worker(task)


class _Worker:
    """A process that makes one measurement after the other."""

    def __init__(self, log: Path, core: int) -> None:
        self._log = log
        with log.open("ab") as stream:
            # -P: files in the current directory must not pass for packages. A session of its own:
            # Ctrl-C is for the parent to answer.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(core)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                env=_environment(),
                start_new_session=True,
                text=True,
            )

    def __call__(self, task: Task) -> Any:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        line = ""
        with suppress(OSError, ValueError):
            print(json.dumps(task.__dict__), file=process.stdin, flush=True)
            line = process.stdout.readline()
        if not line.endswith("\n"):
            raise RunError(
                f"a process that measures ended with status {process.wait()}, for want of memory "
                f"perhaps: run the command again, which goes on from here, or see {self._log}"
            )
        return json.loads(line)

    def end(self) -> None:
        """Kill the process and wait until it is gone."""
        self._process.kill()
        with suppress(OSError), self._process:  # what it was not sent any more
            self._process.wait()


def _environment() -> dict[str, str]:
    """Return this process's environment, with its module search path and the backend spelled out.

    One thread of each library: a process has one core.
    """
    single = dict.fromkeys(
        ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
    )
    return os.environ | {"PYTHONPATH": module_path(), "KERAS_BACKEND": "tensorflow"} | single


def measured(task: Task) -> Any:
    """Make a measurement in this process.

    Args:
        task: its kind is "trial" (see `endless_training.run_trial`), "cost"
            (`step_cost.step_costs`) or "reading" (`length_accuracy.read_and_judge`).
    """
    return {"trial": _trial, "cost": _cost, "reading": _reading}[task.kind](task)


def _trial(task: Task) -> Any:
    from sentiment_lstm.endless_training import run_trial
    from sentiment_lstm.trials import Trial

    return run_trial(Trial.of(task.settings))


def _cost(task: Task) -> Any:
    from sentiment_lstm.step_cost import Shape, step_costs
    from sentiment_lstm.trials import Net

    nets = {name: Net(**settings) for name, settings in task.settings["nets"].items()}
    return step_costs(nets, Shape(**task.settings["shape"]))


def _reading(task: Task) -> Any:
    from sentiment_lstm.length_accuracy import read_and_judge
    from sentiment_lstm.trials import Reading

    own = {key: value for key, value in task.settings.items() if key != "corpus"}
    train, validation, size = _arrays(task.directory)
    return read_and_judge(Reading.of(own), train, validation, size)


@cache
def _arrays(directory: str) -> tuple[Any, Any, int]:
    """Return train and validation of a run's token arrays, and the size of its vocabulary."""
    from pipelines.rundir import RunDirectory
    from sentiment_lstm.batching import TokenArrays
    from sentiment_lstm.text import Vocabulary

    run = RunDirectory(Path(directory))
    splits = [TokenArrays.load(run.preprocess, split) for split in ("train", "validation")]
    return splits[0], splits[1], len(Vocabulary.load(run.vocabulary))


def main(core: str) -> None:
    """Be the process: answer each line of standard input until there are no more."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[int(core) % len(allowed)]})
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is not the answer
    asked: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_hear, args=(asked,), daemon=True).start()
    while True:
        figures = measured(Task(**json.loads(asked.get())))
        print(json.dumps(figures, allow_nan=False), file=answers, flush=True)


def _hear(asked: "SimpleQueue[str]") -> None:
    """Pass lines on until standard input ends, as it does with the parent, and then end at once."""
    with open(0, closefd=False) as stream:  # not sys.stdin, which the interpreter locks at its end
        for line in stream:
            asked.put(line)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1])
