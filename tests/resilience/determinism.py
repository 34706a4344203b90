"""What is the same bit for bit in two processes, and what only to within rounding.

The same are, on one machine: token arrays and vocabulary, weights of either training under each
backend, figures, predictions, pictures and report of an evaluation, and the answers to a file.
That a training which was killed ends so too is for `killed`. Not bit for bit, but within 1e-5: the
answer to a text alone and in a batch, whose products round otherwise, and a SavedModel's. Never
promised: weights across backends, machines or versions, a SavedModel's files, whose graph numbers
its names anew, and seconds, wherever they are told.
"""

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from sentiment_lstm.classifier import SentimentClassifier
from tests.resilience.artifacts import contents, difference
from tests.resilience.commands import Ended, apart
from tests.resilience.tally import Tally
from tests.resilience.texts import compared, drawn, single, together
from tests.resilience.trainings import Training, trainings
from tests.resilience.workshop import Workshop
from tests.resilience.writers import options

IDEA = "determinism"
TOLERANCE = 1e-5
LABELLED = "labelled.csv"  # of the workshop

Command = Callable[..., Ended]


def same(name: str, *makes: Callable[[], dict[str, str]]) -> Tally:
    """Make something again and again, and count each time after the first: the bytes are its."""
    tally = Tally(IDEA, name)
    first = makes[0]()
    assert first, f"{name}: nothing was made"
    for number, make in enumerate(makes[1:], start=2):
        tally.count(f"time {number}", difference(make(), first))
    return tally


def made(command: Command, directory: Path, artifact: str, *arguments: object) -> dict[str, str]:
    """Run a command and return the digests of what it leaves in a directory."""
    ended = command(*arguments)
    assert ended.status == 0, ended.told
    return contents(directory / artifact)


def preprocessed(workshop: Workshop, command: Command) -> dict[str, str]:
    """Preprocess into a new run directory."""
    directory = workshop.fresh("again")
    asked = ("preprocess", workshop.recipe, "--run-dir", directory)
    return made(command, directory, "preprocess", *asked)


def trained(training: Training, command: Command, backend: str) -> dict[str, str]:
    """Train in a new run directory."""
    directory = training.fresh("again")
    ended = command(*training.arguments(directory), *options({"train.backend": backend}))
    assert ended.status == 0, ended.told
    return training.left(directory)


def evaluated(workshop: Workshop, command: Command) -> dict[str, str]:
    """Evaluate a trained model, a bag of words beside it."""
    directory = workshop.fresh("again")
    shutil.copytree(workshop.run, directory, dirs_exist_ok=True)
    asked = ("evaluate", workshop.recipe, "--run-dir", directory, "--set", "evaluate.baseline=true")
    return made(command, directory, "evaluate", *asked)


def answered(workshop: Workshop, command: Command) -> dict[str, str]:
    """Classify into a file."""
    directory = workshop.fresh("again")
    asked = ("classify", "--model", workshop.bundle, "--input", workshop.recipe.with_name(LABELLED))
    return made(command, directory, "a", *asked, "--format", "jsonl", "--output", directory / "a")


def probabilities(workshop: Workshop, model: Path) -> list[float]:
    """Return a model's answers to the workshop's texts, as the command line gives them."""
    asked = ("classify", "--model", model, "--input", workshop.recipe.with_name(LABELLED))
    ended = workshop.warm.run(*asked, "--format", "jsonl")
    assert ended.status == 0, ended.told
    return [json.loads(line)["probability"] for line in ended.shown.splitlines()]


def saved_model(workshop: Workshop) -> Tally:
    """Hold a SavedModel's answers against those of the model that it was made from."""
    tally = Tally(IDEA, f"SavedModel's answers: within {TOLERANCE:g} of the model's")
    models = (workshop.bundle, workshop.saved_model)
    pairs = zip(*(probabilities(workshop, model) for model in models), strict=True)
    for number, (ours, theirs) in enumerate(pairs):
        right = abs(ours - theirs) <= TOLERANCE
        tally.count(str(number), "" if right else f"{theirs} where the model has {ours}")
    return tally


def one_by_one(workshop: Workshop, count: int) -> Tally:
    """Hold the answer to a text alone against that in a batch."""
    tally = Tally(IDEA, f"classify one by one and in a batch: within {TOLERANCE:g}")
    classifier, asked = SentimentClassifier.load(workshop.bundle), drawn(count)
    compared(tally, asked, together(classifier)(asked), single(classifier))
    return tally


def run(
    workshop: Workshop, *, backends: Sequence[str], stages: Sequence[str], texts: int
) -> Iterator[Tally]:
    """Make everything in two processes, one of them a fork, which saves time.

    Args:
        workshop: where.
        backends: of Keras; those that are not installed are left out.
        stages: that train, under each of them.
        texts: that are answered alone and in a batch.
    """
    both = (workshop.warm.run, apart)
    for name, make in (
        ("preprocess: arrays, texts, vocabulary, figures", preprocessed),
        ("evaluate: figures, predictions, pictures, report", evaluated),
        ("classify: every byte of the answers", answered),
    ):
        yield same(name, *(partial(make, workshop, command) for command in both))
    for backend in filter(importlib.util.find_spec, backends):
        for training in trainings(workshop):
            if training.stage in stages:
                makes = [partial(trained, training, command, backend) for command in both]
                yield same(f"{training.stage} on {backend}: weights", *makes)
    yield one_by_one(workshop, texts)
    yield saved_model(workshop)
