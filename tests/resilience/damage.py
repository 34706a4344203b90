"""Artifacts that were cut off or had bits turned: refused before anything reads what they hold."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sentiment_lstm.checkpoints import load_checkpoint
from tests.resilience.commands import refusal_fault, within
from tests.resilience.tally import Tally
from tests.resilience.workshop import STEPS, Workshop

IDEA = "damage"

Reader = Callable[[Path], str]
"""Reads an artifact of which a file is damaged, and says what was wrong with how it went."""


def harms(data: bytes, cuts: int, flips: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield a file's content cut at some offsets, both ends among them, and with one bit turned."""
    random = np.random.default_rng(seed)
    some = random.choice(len(data), min(cuts, len(data)), replace=False).tolist()
    some[:2] = [0, len(data) - 1][: len(some)]
    for offset in some:
        yield f"cut at {offset}", data[:offset]
    for bit in random.choice(8 * len(data), min(flips, 8 * len(data)), replace=False).tolist():
        harmed = bytearray(data)
        harmed[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit} turned", bytes(harmed)


@contextmanager
def payloads_counted() -> Iterator[list[str]]:
    """Yield a list that gets the name of each function that parses arrays, when it is called."""
    import safetensors.numpy

    called: list[str] = []
    places = [(safetensors.numpy, "load"), (safetensors.numpy, "load_file"), (np, "load")]
    before = [getattr(module, name) for module, name in places]

    def counted(name, function):
        return lambda *a, **k: called.append(name) or function(*a, **k)

    for (module, name), function in zip(places, before, strict=True):
        setattr(module, name, counted(name, function))
    try:
        yield called
    finally:
        for (module, name), function in zip(places, before, strict=True):
            setattr(module, name, function)


def tried(tally: Tally, path: Path, read: Reader, cuts: int, flips: int) -> None:
    """Harm one file in each way, read, and put the file back."""
    data = path.read_bytes()
    try:
        for number, (case, harmed) in enumerate(harms(data, cuts, flips, seed=len(data))):
            path.write_bytes(harmed)
            heavy = "tensorflow" in sys.modules
            with payloads_counted() as called:
                fault = read(path)
            if not fault and called and read is not before_it:
                fault = f"{called[0]} read it first"
            if not heavy and "tensorflow" in sys.modules:
                fault = fault or "TensorFlow was loaded"
            tally.count(f"{path.name} {case} ({number})", fault)
    finally:
        path.write_bytes(data)


def refused(*arguments: object) -> Reader:
    """Return a reader by a command that has to refuse, and to name the file."""
    return lambda path: refusal_fault(within(*arguments), path.name, "holds no finished")


def before_it(path: Path) -> str:
    """Read checkpoints of which the newest is damaged: it is named, the one before it used."""
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    logger = logging.getLogger("sentiment_lstm.checkpoints")
    logger.addHandler(handler)
    try:
        found = load_checkpoint(path.parent.parent)
    finally:
        logger.removeHandler(handler)
    if found is None or found[1]["step"] != STEPS[0]:
        return f"went on from {found and found[1]}"
    return (
        "" if any(path.parent.name in line for line in records) else "the damaged one is not named"
    )


def run(workshop: Workshop, *, cuts: int, flips: int, only: str = "") -> Iterator[Tally]:
    """Harm every file of every artifact, or of one."""
    for artifact in (only,) if only else ARTIFACTS:
        for name, files, read in ARTIFACTS[artifact](workshop):
            tally = Tally(IDEA, name)
            for path in files:
                tried(tally, path, read, cuts, flips)
            yield tally


Parts = Iterator[tuple[str, list[Path], Reader]]


def _bundle(workshop: Workshop) -> Parts:
    model = workshop.bundle
    yield "bundle", files_of(model), refused("classify", "--model", model, "good")


def _checkpoint(workshop: Workshop) -> Parts:
    yield "checkpoint", files_of(workshop.checkpoints / f"step-{STEPS[1]:09d}"), before_it


def _language_model(workshop: Workshop) -> Parts:
    model = workshop.language_model
    yield "language model", files_of(model), refused("generate", "--model", model, "good")


def _run(workshop: Workshop) -> Parts:
    """What a stage left is refused by the one that reads it, before it does anything."""
    alone = (workshop.recipe, "--run-dir", workshop.run, "--force")
    for stage, reader in (("preprocess", "train"), ("teach", "train")):
        files = files_of(workshop.run / stage)
        yield f"{stage}, by {reader}", files, refused(reader, *alone)
    history = [workshop.run / "train" / name for name in ("history.jsonl", "stage.json")]
    yield "train, by evaluate", history, refused("evaluate", *alone)


def _saved_model(workshop: Workshop) -> Parts:
    model = workshop.saved_model
    yield "SavedModel", files_of(model), refused("classify", "--model", model, "good")


ARTIFACTS: dict[str, Callable[[Workshop], Parts]] = {
    "bundle": _bundle,
    "checkpoint": _checkpoint,
    "language model": _language_model,
    "run": _run,
    "SavedModel": _saved_model,
}


def files_of(directory: Path) -> list[Path]:
    """Return every file below a directory, sorted."""
    return sorted(path for path in directory.rglob("*") if path.is_file())
