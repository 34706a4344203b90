"""Trainings by two workers: alike again and again, whatever is killed in between."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil

from sentiment_lstm.groups import fingerprint
from tests.distributed.clusters import Running, when
from tests.resilience.commands import COMMAND, apart, environment
from tests.resilience.tally import Tally

SETTINGS = (
    "data.size=400",
    "model.units=8",
    "model.embedding=8",
    "train.epochs=2",
    "train.batch_size=30",  # of 400 texts the last batch has 10
    "train.checkpoint_minutes=0",
)
EXITS_WITHIN = 120  # seconds, of what is left of a group


class Training:
    """One recipe, trained in run directories that share what was preprocessed once."""

    def __init__(self, root: Path, running: Running, more: tuple[str, ...] = ()) -> None:
        self._root, self._running = root, running
        settings = [word for s in (*SETTINGS, *more) for word in ("--set", s)]
        self._arguments = ["quickstart", *settings]
        self._count = 0

    def fresh(self) -> Path:
        """Return a run directory with its token arrays."""
        self._count += 1
        directory = self._root / f"training-{self._count}"
        ended = apart("preprocess", *self._arguments, "--run-dir", directory)
        assert ended.status == 0, ended.told
        return directory

    def command(self, directory: Path, *, local: bool = False) -> list[str]:
        """Return the command that trains."""
        options = () if local else self._running.options
        arguments = ["train", *self._arguments, "--run-dir", str(directory), *options]
        return [*COMMAND, *arguments]

    def start(self, directory: Path) -> "subprocess.Popen[bytes]":
        """Begin to train."""
        return subprocess.Popen(
            self.command(directory), env=environment(), stderr=subprocess.DEVNULL
        )


def saved(directory: Path) -> int:
    """Return how many steps the newest checkpoint holds."""
    names = (p.name for p in directory.glob("train/checkpoint/*/step-*"))
    return max((int(name.removeprefix("step-")) for name in names), default=-1)


def left(directory: Path) -> str:
    """Return the digest of a finished training's weights, or nothing."""
    path = directory / "bundle" / "weights.safetensors"
    if not path.exists():
        return ""
    return fingerprint([np.frombuffer(path.read_bytes(), np.uint8)])


def finished(training: Training, directory: Path) -> str:
    """Train to the end; return the digest of the weights."""
    with training.start(directory) as process:
        status = process.wait()
    return left(directory) if status == 0 else f"status {status}"


def alike(root: Path, running: Running, times: int) -> Iterator[Tally]:
    """Train again and again: the workers compare their weights, and we those of the runs."""
    training = Training(root, running)
    tally, first = Tally("training", "2 workers end with one set of weights, every time"), ""
    for n in range(times):
        found = finished(training, training.fresh())
        first = first or found
        tally.count(f"run {n}", "" if found == first else f"{found} in place of {first}")
    yield tally


def as_one(root: Path, running: Running, times: int) -> Iterator[Tally]:
    """Hold the losses of two workers against those of one process."""
    tally = Tally("training", "losses of 2 workers are within 1e-5 of those of one process")
    for seed in range(times):
        still = (f"train.seed={seed}", "model.dropout=0", "model.recurrent_dropout=0")
        training = Training(root / f"seed-{seed}", running, still)
        one, two = training.fresh(), training.fresh()
        subprocess.run(training.command(one, local=True), env=environment(), check=True)
        finished(training, two)
        apart_by = max(abs(a - b) for a, b in zip(_losses(one), _losses(two), strict=True))
        tally.count(f"seed {seed}", "" if apart_by <= 1e-5 else f"{apart_by:.2e} apart")
    yield tally


def _losses(directory: Path) -> list[float]:
    import json

    rows = map(json.loads, (directory / "train/history.jsonl").read_text().splitlines())
    return [row[key] for row in rows for key in ("loss", "validation_loss")]


def killed(root: Path, running: Running, times: int) -> Iterator[Tally]:
    """Kill workers, then commands, each at another moment; the weights are those of no kill."""
    training = Training(root, running)
    wanted = finished(training, training.fresh())
    for what, kill in (("worker", _kill_worker), ("command", _kill_command)):
        ends = Tally("training", f"a {what} killed: the same weights in the end")
        exits = Tally("training", f"a {what} killed: the rest of the group exits within 120 s")
        for n in range(times):
            directory = training.fresh()
            found, alive = kill(training, running, directory, after=2 + 2 * n)
            ends.count(f"kill {n}", "" if found == wanted else f"{found} in place of {wanted}")
            exits.count(f"kill {n}", f"{len(alive)} live on" if alive else "")
        yield from (ends, exits)


Left = tuple[str, list[psutil.Process]]
Kill = Callable[..., Left]


def _kill_worker(training: Training, running: Running, directory: Path, after: int) -> Left:
    with training.start(directory) as process:
        when(lambda: saved(directory) >= after or process.poll() is not None)
        workers = running.actors("Trainer")
        for worker in workers[:1]:
            worker.kill()
        _, alive = psutil.wait_procs(workers, timeout=EXITS_WITHIN)
        process.wait()
    return left(directory), alive


def _kill_command(training: Training, running: Running, directory: Path, after: int) -> Left:
    with training.start(directory) as process:
        when(lambda: saved(directory) >= after or process.poll() is not None)
        workers = running.actors("Trainer")
        process.kill()
    _, alive = psutil.wait_procs(workers, timeout=EXITS_WITHIN)
    return finished(training, directory), alive
