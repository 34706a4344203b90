"""Commands that are killed before or while they write: never half an artifact, a rerun is whole."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.resilience.artifacts import unfinished
from tests.resilience.tally import Tally
from tests.resilience.warm import KILLED, Started, Warm
from tests.resilience.workshop import Workshop
from tests.resilience.writers import Found, Writer

SPARE = 3


@dataclass(frozen=True)
class Replacement:
    """How a command goes that nobody kills: the artifacts before and after, and its seconds."""

    before: Found
    after: Found
    starting: float  # before it writes
    writing: float

    @classmethod
    def of(cls, workshop: Workshop, writer: Writer) -> "Replacement":
        """Run it once, and look on."""
        directory = workshop.fresh("whole")
        writer.prepare(directory)
        before, began = writer.found(directory), time.monotonic()
        started = workshop.warm.start(*writer.arguments(directory))
        wrote = first_write(started, directory)
        ended = started.wait()
        assert ended.status == 0, ended.told
        seconds = time.monotonic() - wrote
        return cls(before, writer.found(directory), wrote - began, seconds)


def first_write(started: Started, directory: Path) -> float:
    """Wait until a command writes, or has ended; return when that was."""
    while started.running() and not unfinished(directory, started.pid):
        pass
    return time.monotonic()


def fault_of_rerun(warm: Warm, writer: Writer, directory: Path, whole: Replacement) -> str:
    """Run a command that was killed again; say what is wrong with how it went."""
    ended = warm.run(*writer.arguments(directory))
    if ended.status:
        return f"status {ended.status}: {ended.last()}"
    left = unfinished(directory) if writer.cleans else []
    return f"left {left}" if left else writer.half(directory, whole.after)


def killed_writer(workshop: Workshop, writer: Writer, kills: int) -> Tally:
    """Kill a command so often, every second time before it writes; look, and run it again.

    One that had ended before it was killed does not count; there are `SPARE` tries a kill.
    """
    tally = Tally("killed", f"{writer.name}: never half an artifact, and a rerun is whole")
    whole, random = Replacement.of(workshop, writer), np.random.default_rng(kills)
    for number in range(SPARE * kills):
        if tally.tried == kills:
            break
        directory = workshop.fresh("killed")
        writer.prepare(directory)
        started = workshop.warm.start(*writer.arguments(directory))
        if number % 2 == 0:
            first_write(started, directory)
        time.sleep(random.uniform(0, whole.starting if number % 2 else whole.writing))
        started.kill()
        if started.wait().status == KILLED:
            fault = writer.half(directory, writer.nothing, whole.before, whole.after)
            tally.count(
                str(number), fault or fault_of_rerun(workshop.warm, writer, directory, whole)
            )
    return tally
