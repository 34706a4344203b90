"""How fast two workers answer beside one process on the same cores, and what memory they take."""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from math import ceil
from pathlib import Path
from statistics import median

from sentiment_lstm.demo import generate
from tests.distributed.clusters import Running
from tests.distributed.trainings import Training, finished
from tests.resilience.commands import COMMAND, environment
from tests.resilience.tally import Tally

DISTINCT = 20_000  # texts that are made; more are these again
LEAST = 0.9  # of the local engine's speed
GROWTH = 1.1  # of memory, from the first half of the work to the second
WATCH_SECONDS = 0.5
WIDTHS = (64, 256)  # units of the networks whose steps are timed
TEXTS, BATCH, EPOCHS = 2000, 64, 4


@dataclass
class Timed:
    """A command that ended.

    Attributes:
        seconds: it took.
        memory: bytes of the largest worker, now and then.
    """

    seconds: float
    memory: list[int] = field(default_factory=list)

    def grown(self) -> float:
        """Return how much more memory the second half took than the first."""
        half = len(self.memory) // 2
        return max(self.memory[half:], default=1) / max(self.memory[:half], default=1)


def classified(
    root: Path, running: Running, model: str, texts: int, rounds: int
) -> Iterator[Tally]:
    """Answer about many texts, by one process and by workers in turn."""
    source = root / "many.jsonl"
    made = [text for text, _ in generate("test", min(texts, DISTINCT), seed=1)]
    with source.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": t}) + "\n" for t in islice(cycle(made), texts))
    arguments = ["classify", "--model", model, "--input", str(source), "--format", "jsonl"]
    local, shared = [], []
    for n in range(rounds):
        one, two = (["--output", str(root / f"{kind}-{n}")] for kind in ("local", "ray"))
        local.append(_timed([*arguments, *one], running))
        shared.append(_timed([*arguments, *two, *running.options], running))
    rate, beside = (texts / median(t.seconds for t in some) for some in (local, shared))
    name = f"{texts:,} texts: local {rate:,.0f}/s, 2 workers {beside:,.0f}/s (x{beside / rate:.2f})"
    yield _tally(name, "" if beside >= LEAST * rate else f"less than {LEAST}")
    grown, most = max(t.grown() for t in shared), max(max(t.memory) for t in shared)
    name = f"memory of a worker: {most / 2**20:,.0f} MiB, second half x{grown:.2f} of the first"
    yield _tally(name, "" if grown <= GROWTH else f"more than {GROWTH}")


def trained(root: Path, one: Running, two: Running) -> Iterator[Tally]:
    """Tell the milliseconds of a step with one worker, on one core, and with two, on two."""
    for units in WIDTHS:
        each = {
            name: _step(root / f"{name}-{units}", running, units)
            for name, running in (("1 worker", one), ("2 workers", two))
        }
        told = ", ".join(f"{name} {1000 * seconds:.1f} ms" for name, seconds in each.items())
        ahead = each["1 worker"] / each["2 workers"]
        yield _tally(f"a step of {BATCH} texts, {units} units: {told} (x{ahead:.2f})", "")


def _step(root: Path, running: Running, units: int) -> float:
    """Return the seconds of a step in the epochs after the first, which compiles."""
    settings = {
        "data.size": TEXTS,
        "model.units": units,
        "model.embedding": 64,
        "train.batch_size": BATCH,
        "train.epochs": EPOCHS,
        "train.patience": EPOCHS,
        "train.checkpoint_minutes": 60,
    }
    training = Training(root, running, tuple(f"{key}={value}" for key, value in settings.items()))
    directory = training.fresh()
    finished(training, directory)
    rows = (directory / "train" / "history.jsonl").read_text().splitlines()
    ends = [float(json.loads(row)["seconds"]) for row in rows]
    return (ends[-1] - ends[0]) / (EPOCHS - 1) / ceil(TEXTS / BATCH)


def _tally(name: str, fault: str) -> Tally:
    tally = Tally("speed", name)
    tally.count("measured", fault)
    return tally


def _timed(arguments: list[str], running: Running) -> Timed:
    began, timed = time.monotonic(), Timed(0)
    with subprocess.Popen([*COMMAND, *arguments], env=environment()) as process:
        while process.poll() is None:
            workers = running.actors("Scorer")
            timed.memory += [max(w.memory_info().rss for w in workers)] if workers else []
            time.sleep(WATCH_SECONDS)
    assert process.returncode == 0
    timed.seconds = time.monotonic() - began
    return timed
