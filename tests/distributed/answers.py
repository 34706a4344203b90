"""Batch classification by two workers: no row lost or doubled, whatever is killed in between."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sentiment_lstm.demo import generate
from tests.distributed.clusters import Running, when
from tests.resilience.commands import COMMAND, environment
from tests.resilience.tally import Tally

ROWS, SHARD_BYTES, WORKERS = 20_000, 30_000, 2
# The command line, its shards smaller, so that there are many to be killed in.
PROGRAM = """
import sys
from pipelines.distributed import classifying
from pipelines.cli import main

classifying.Batch.__init__.__defaults__ = (int(sys.argv.pop(1)),)
main()
"""


@dataclass(frozen=True)
class Answering:
    """An input, and a model that answers about it."""

    root: Path
    running: Running
    model: str

    @property
    def source(self) -> Path:
        """The input: texts of the demo corpus, numbered, some rows without a text."""
        path = self.root / "reviews.jsonl"
        if not path.exists():
            texts = (text for text, _ in generate("test", ROWS, seed=1))
            rows = ({"id": n, "text": t} if n % 500 else {"id": n} for n, t in enumerate(texts))
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return path

    def start(self, output: Path) -> "subprocess.Popen[bytes]":
        """Begin to answer."""
        arguments = ["classify", "--model", self.model, "--input", str(self.source)]
        arguments += ["--format", "jsonl", "--output", str(output), *self.running.options]
        command = [*COMMAND[:2], "-c", PROGRAM, str(SHARD_BYTES), *arguments]
        return subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL)


def reports(output: Path) -> dict[str, int]:
    """Return when each finished shard was finished, by its report's name."""
    return {p.name: p.stat().st_mtime_ns for p in output.glob("part-?????.json")}


def content(output: Path) -> dict[str, bytes]:
    """Return every file of an output but its plan."""
    return {p.name: p.read_bytes() for p in output.iterdir() if p.name != "plan.json"}


def fault(output: Path, wanted: dict[str, bytes]) -> str:
    """Say what is wrong with the answers; nothing if they are all there, each once."""
    found = content(output)
    parts = sorted(name for name in found if name.endswith(".jsonl"))
    numbers = [
        json.loads(line)["id"]
        for name in parts
        if ".rejected." not in name
        for line in found[name].splitlines()
    ]
    if numbers != [n for n in range(ROWS) if n % 500]:
        return f"{len(numbers)} answers, or in another order"
    differing = [name for name in wanted if found.get(name) != wanted[name]]
    return f"{len(differing)} files differ, such as {differing[0]}" if differing else ""


def killed(root: Path, running: Running, model: str, times: int) -> Iterator[Tally]:
    """Kill workers, then commands, each at another moment, and count shards made twice."""
    answering = Answering(root, running, model)
    whole = root / "whole"
    with answering.start(whole) as process:
        process.wait()
    wanted = content(whole)
    yield from _workers(answering, wanted, times)
    yield from _commands(answering, wanted, times)


def _workers(answering: Answering, wanted: dict[str, bytes], times: int) -> Iterator[Tally]:
    tally = Tally("answers", "a worker killed: every row once, the same bytes")
    for n in range(times):
        output = answering.root / f"worker-{n}"
        with answering.start(output) as process:
            _after(output, 1 + 4 * n, process)
            for worker in answering.running.actors("Scorer")[:1]:
                worker.kill()
            status = process.wait()
        tally.count(f"kill {n}", fault(output, wanted) if status == 0 else f"status {status}")
    yield tally


def _commands(answering: Answering, wanted: dict[str, bytes], times: int) -> Iterator[Tally]:
    tally = Tally("answers", "a command killed, and run again: every row once, the same bytes")
    again = Tally("answers", "a command killed: no finished shard is made again")
    for n in range(times):
        output = answering.root / f"command-{n}"
        with answering.start(output) as process:
            _after(output, 1 + 4 * n, process)
            process.kill()
        before = reports(output)
        with answering.start(output) as process:
            status = process.wait()
        tally.count(f"kill {n}", fault(output, wanted) if status == 0 else f"status {status}")
        redone = [name for name, at in before.items() if reports(output)[name] != at]
        again.count(f"kill {n}", f"{len(redone)} made again" if redone else "")
    yield from (tally, again)


def _after(output: Path, count: int, process: "subprocess.Popen[bytes]") -> None:
    when(lambda: len(reports(output)) >= count or process.poll() is not None)
