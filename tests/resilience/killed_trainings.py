"""Trainings that are killed again and again, and end with the weights of one that was not."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.resilience.artifacts import difference, unfinished
from tests.resilience.tally import Tally
from tests.resilience.trainings import EPOCHS, Training
from tests.resilience.warm import KILLED

IN_A_ROW = 5  # kills of one training, at most, before it may end
SPARE = 2  # as many trainings, at most, as would do if none ended early
SOON = 0.1  # seconds within which a kill follows a step


@dataclass(frozen=True)
class Uninterrupted:
    """How a training goes that nobody kills."""

    left: dict[str, str]
    steps: int
    starting: float  # seconds before the first checkpoint
    ending: float  # seconds after the last one

    @classmethod
    def of(cls, training: Training) -> "Uninterrupted":
        """Train once, and look on."""
        directory, began = training.fresh("whole"), time.monotonic()
        started = training.workshop.warm.start(*training.arguments(directory))
        seen = [(0, began)]
        while started.running():
            steps = training.steps(directory)
            if steps > seen[-1][0]:
                seen.append((steps, time.monotonic()))
            time.sleep(0.001)
        ended = started.wait()
        assert ended.status == 0, ended.told
        first, last = seen[1][1] - began, time.monotonic() - seen[-1][1]
        return cls(training.left(directory), seen[-1][0], first, last)


@dataclass(frozen=True)
class Moment:
    """When to kill: so long after so many steps are safe, or in the next write of a checkpoint."""

    steps: int
    writing: bool
    seconds: float

    def __str__(self) -> str:
        then = "in a write" if self.writing else f"{self.seconds:.3f} s later"
        return f"after step {self.steps}, {then}"


def drawn(
    whole: Uninterrupted, random: np.random.Generator, count: int, writing: int
) -> list[Moment]:
    """Draw the moments of one training in their order, `writing` of them inside a checkpoint."""
    inside = set(random.choice(count, writing, replace=False).tolist())
    moments = []
    for n, steps in enumerate(sorted(random.integers(0, whole.steps + 1, count).tolist())):
        width = {0: whole.starting, whole.steps: whole.ending}.get(steps, SOON)
        later = Moment(steps, writing=False, seconds=random.uniform(0, width))
        moments.append(Moment(min(steps, whole.steps - 2), True, 0) if n in inside else later)
    return moments


def kill(training: Training, directory: Path, moment: Moment) -> bool | None:
    """Start a training and kill it; return whether it was in a write, or None if it had ended."""
    started = training.workshop.warm.start(*training.arguments(directory))
    while started.running() and training.steps(directory) < moment.steps:
        time.sleep(0.001)
    place = training.checkpoints(directory)
    while moment.writing and started.running() and not unfinished(place, started.pid):
        pass
    time.sleep(moment.seconds)
    started.kill()
    killed = started.wait().status == KILLED
    return bool(unfinished(place, started.pid)) if killed else None


def fault_of_end(training: Training, directory: Path, whole: Uninterrupted) -> str:
    """Let a killed training end; say what is wrong with how it went on, or with its weights."""
    expected = -(-training.steps(directory) * EPOCHS // whole.steps)  # or the one after it
    ended = training.workshop.warm.run(*training.arguments(directory))
    if ended.status:
        return f"status {ended.status}: {ended.last()}"
    epochs = [line for line in ended.told.splitlines() if line.startswith("epoch ")]
    if epochs and int(epochs[0].split()[1].rstrip(":")) < expected:
        return f"went on with {epochs[0]}, where epoch {expected} was due"
    left = unfinished(directory)
    return f"left {left}" if left else difference(training.left(directory), whole.left)


def killed_trainings(training: Training, kills: int, writing: int) -> Iterator[Tally]:
    """Kill a training so many times, `IN_A_ROW` before each end, some inside a checkpoint.

    One that had ended before it was killed does not count, and others are killed in its place.
    """
    idea, promise = "killed", "goes on to the same weights"
    anywhere = Tally(idea, f"{training.stage}, anywhere: {promise}")
    inside = Tally(idea, f"{training.stage}, in the write of a checkpoint: {promise}")
    whole, random = Uninterrupted.of(training), np.random.default_rng(kills)
    runs = -(-kills // IN_A_ROW)
    for number in range(SPARE * runs):
        in_a_row = min(IN_A_ROW, kills - anywhere.tried - inside.tried)
        if not in_a_row:
            break
        directory = training.fresh("killed")
        share = writing * (number + 1) // runs - writing * number // runs
        moments = drawn(whole, random, in_a_row, min(share, in_a_row))
        hits = [(moment, kill(training, directory, moment)) for moment in moments]
        fault = fault_of_end(training, directory, whole)
        for moment, hit in hits:
            if hit is not None:
                (inside if hit else anywhere).count(f"training {number}, {moment}", fault)
    yield from (anywhere, inside)
