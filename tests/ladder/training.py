"""One training of a rung by the command line, whole or from where it stopped, and what it is."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from tests.ladder.kept import Result
from tests.ladder.rungs import RECIPE, Rung
from tests.resilience.commands import COMMAND, environment


def trained(rung: Rung, seed: int, epochs: int, below: Path, more: Sequence[str] = ()) -> Result:
    """Train and evaluate, or go on, in a run directory of its own.

    Args:
        rung: what is trained.
        seed: of the training.
        epochs: passes over the training split.
        below: directory of the run directories.
        more: settings in place of the rung's.

    Raises:
        subprocess.CalledProcessError: when the command ends otherwise than well.
    """
    run = below / f"{rung.name}-{seed}"
    own = (f"train.seed={seed}", f"train.epochs={epochs}", f"train.patience={epochs}")
    settings = chain.from_iterable(("--set", s) for s in (*rung.settings, *own, *more))
    command = [*COMMAND, "run", RECIPE, "--run-dir", str(run), "--until", "evaluate", *settings]
    subprocess.run(command, check=True, env=environment(), stdout=sys.stderr)
    return result(run, rung.name, seed, epochs)


def result(run: Path, rung: str, seed: int, epochs: int) -> Result:
    """Return what a run directory holds of a training and its evaluation."""
    history = list(_rows(run / "train" / "history.jsonl"))
    best = min(history, key=lambda row: float(row["validation_loss"]))
    metrics = json.loads((run / "evaluate" / "metrics.json").read_text())
    told = _rows(run / "evaluate" / "predictions.jsonl")
    return Result(
        rung,
        seed,
        epochs,
        validation=float(best["validation_accuracy"]),
        ece=float(metrics["calibration"]["after"]["ece"]),
        right=np.array([row["label"] == row["target"] for row in told]),
    )


def _rows(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)
