"""The two commands that train, each with all that moves in it, and small."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.resilience.artifacts import contents
from tests.resilience.workshop import Workshop
from tests.resilience.writers import options

EPOCHS = 3
HISTORY = "history.jsonl"  # it tells seconds

SETTINGS = {
    "teach.ngrams": 0,
    "model.embedding_dropout": 0.1,
    "model.recurrent_dropout": 0.1,
    "train.epochs": EPOCHS,
    "train.batch_size": 8,
    "train.average": 0.9,
    "train.adversarial": 0.5,
    "train.token_dropout": 0.1,
    "train.checkpoint_minutes": 0,
}
PRETRAINING = {
    "pretrain.epochs": EPOCHS,
    "pretrain.batch_size": 8,
    "pretrain.negatives": 20,
    "pretrain.average": 0.9,
    "pretrain.dropout": 0.1,
    "pretrain.embedding_dropout": 0.1,
    "pretrain.checkpoint_minutes": 0,
}


@dataclass(frozen=True)
class Training:
    """A command that trains, over the workshop's recipe."""

    workshop: Workshop
    stage: str  # train or pretrain
    model: str  # the directory of what it leaves
    settings: dict[str, Any]

    def fresh(self, name: str) -> Path:
        """Return a run directory in which the texts are token ids and nothing is trained."""
        directory = self.workshop.fresh(f"{self.stage}-{name}")
        shutil.copytree(self.workshop.run / "preprocess", directory / "preprocess")
        return directory

    def arguments(self, directory: Path) -> list[Any]:
        """Return what starts it, or has it go on."""
        asked = [self.stage, self.workshop.recipe, "--run-dir", directory]
        return [*asked, *options(self.settings)]

    def left(self, directory: Path) -> dict[str, str]:
        """Return the digests of the model's files, and the losses of all epochs.

        The weights are those of the best epoch, which may lie before a kill; the losses do not.
        """
        lines = (directory / self.stage / HISTORY).read_text("utf-8").splitlines()
        rows = [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]
        return contents(directory / self.model) | {HISTORY: json.dumps(rows)}

    def checkpoints(self, directory: Path) -> Path:
        """Return where its checkpoints are."""
        return directory / self.stage / "checkpoint"

    def steps(self, directory: Path) -> int:
        """Return how many steps are safe on disk."""
        walked = os.walk(self.checkpoints(directory))  # which passes over what goes meanwhile
        names = (name for _, inner, _ in walked for name in inner if name.startswith("step-"))
        return max((int(name.removeprefix("step-")) for name in names), default=0)


def trainings(workshop: Workshop) -> tuple[Training, Training]:
    """Return both."""
    return (
        Training(workshop, "train", "bundle", SETTINGS),
        Training(workshop, "pretrain", "pretrain", SETTINGS | PRETRAINING),
    )
