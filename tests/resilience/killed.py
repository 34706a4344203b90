"""SIGKILL at any moment: trainings go on to the same weights, artifacts are whole or not there."""

from collections.abc import Iterator, Sequence

from tests.resilience.killed_trainings import killed_trainings
from tests.resilience.killed_writers import killed_writer
from tests.resilience.tally import Tally
from tests.resilience.trainings import trainings
from tests.resilience.workshop import Workshop
from tests.resilience.writers import writers

WRITERS = ("preprocess", "evaluate", "export", "classify")


def run(
    workshop: Workshop, *, trained: int, writing: int, others: int, names: Sequence[str] = WRITERS
) -> Iterator[Tally]:
    """Kill each of the two trainings and each of the other commands so many times.

    Args:
        workshop: where.
        trained: kills of each training.
        writing: how many of those are meant to be inside the write of a checkpoint.
        others: kills of each other command.
        names: of the other commands.
    """
    for training in trainings(workshop):
        yield from killed_trainings(training, trained, writing)
    for name in names:
        yield killed_writer(workshop, writers(workshop)[name], others)
