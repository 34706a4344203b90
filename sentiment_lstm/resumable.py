"""A training that can be killed: it takes steps, saves where it stands, and goes on from there.

What is trained, and what an epoch ends with, is for the classes below to say; here are the loop,
the checkpoint and the clock that both kinds of training share.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import keras
import numpy as np

from sentiment_lstm.checkpoints import Arrays, load_checkpoint, save_checkpoint
from sentiment_lstm.errors import GroupError, Paused
from sentiment_lstm.groups import ALONE, Group, fingerprint
from sentiment_lstm.interrupts import held_back
from sentiment_lstm.progress import Progress

SEED_STATE = "seed_generator_state"  # as Keras names what a dropout draws by

History = list[dict[str, Any]]
OnEpoch = Callable[[dict[str, Any]], None]

Item = TypeVar("Item")
At = TypeVar("At", bound="Position")


@dataclass
class Position:
    """Where a training stands between two steps."""

    epoch: int = 0
    step: int = 0  # of this epoch
    total: int = 0  # of all epochs
    loss_sum: float = 0.0  # over this epoch's steps so far
    seconds: float = 0.0
    history: History = field(default_factory=list)


@dataclass(frozen=True)
class Keeping:
    """Where and how often a training saves, and how long it may go on.

    Attributes:
        checkpoints: directory of checkpoints, or None to keep none.
        every_minutes: between checkpoints inside an epoch.
        max_minutes: after which it saves and raises `Paused`, or None.
    """

    checkpoints: Path | None = None
    every_minutes: float = 2.0
    max_minutes: float | None = None


class Resumable(ABC, Generic[Item, At]):
    """One training: the network, what moves it, and where it stands.

    Args:
        network: the weights that are trained, and the seeds of its dropouts.
        optimizer: moves them; built.
        position: that of the start.
        steps: of an epoch.
        epochs: after which it ends.
        keeping: see the class.
        group: processes that train the network together; the first of them saves.
    """

    def __init__(
        self,
        network: keras.Model,
        optimizer: Any,
        position: At,
        *,
        steps: int,
        epochs: int,
        keeping: Keeping,
        group: Group = ALONE,
    ) -> None:
        self.group = group
        self.network, self.optimizer, self.position = network, optimizer, position
        self.steps, self.epochs, self.keeping = steps, epochs, keeping
        self._started = self._saved = time.monotonic()
        self._whole = True  # whether weights and position belong together

    @abstractmethod
    def remaining(self) -> Iterator[Item]:
        """Yield what the steps that are left of this epoch take."""

    @abstractmethod
    def take(self, item: Item) -> float:
        """Move the weights by one step; return its loss."""

    @abstractmethod
    def figures(self) -> dict[str, float]:
        """Measure the network at an epoch's end, its averaged weights where they are kept.

        It changes nothing: an interrupted training measures again.
        """

    def judge(self, figures: Mapping[str, float]) -> None:
        """Draw the consequences of what was measured, while the measured weights are in place."""

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Have the running average, where one is kept, in the place of the weights."""
        if not self.optimizer.use_ema:
            yield
            return
        variables = self.network.trainable_variables
        moving = [keras.ops.convert_to_numpy(v.value).copy() for v in variables]
        self._whole = False
        self.optimizer.finalize_variable_values(variables)
        try:
            yield
        finally:
            with held_back():
                for variable, value in zip(variables, moving, strict=True):
                    variable.assign(value)
                self._whole = True

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to do."""
        return self.position.epoch >= self.epochs

    def kept(self) -> Arrays:
        """Return what a checkpoint holds beside all that moves."""
        return {}

    def restore(self, arrays: Arrays) -> None:
        """Take back what `kept` gave."""

    def run(self, progress: Progress, on_epoch: OnEpoch) -> None:
        """Go on from the newest checkpoint until the training has ended; interrupted, save.

        Raises:
            Paused: if it has taken as long as it may.
            GroupError: if the processes of a group do not stand alike.
        """
        self._resume()
        self._draw_apart()
        self._check_alike()
        try:
            while not self.ended:
                self._run_steps(progress)
                self._end_epoch()
                on_epoch(self.position.history[-1])
        except KeyboardInterrupt:
            if self.keeping.checkpoints is None:
                raise
            raise KeyboardInterrupt(self._saved_at_once()) from None

    def _saved_at_once(self) -> str:
        """Save where the training stands, if it stands anywhere; say how to go on."""
        if not self._whole:
            return "stopped inside a step: the same command goes on from the last checkpoint"
        with held_back():
            self._save()
        p = self.position
        where = f"epoch {p.epoch + 1}, step {p.step} of {self.steps}"
        return f"stopped at {where} and saved: run the same command to go on"

    def _run_steps(self, progress: Progress) -> None:
        p = self.position
        label = f"epoch {p.epoch + 1}/{self.epochs}"
        for item in progress(self.remaining(), total=self.steps - p.step, label=label):
            self._pause_if_time_is_up()
            started = time.monotonic()
            with held_back():
                self._whole = False
                p.loss_sum += self.take(item)
                p.step += 1
                p.total += 1
                p.seconds += time.monotonic() - started
                self._whole = True
            self._save_now_and_then()

    def _end_epoch(self) -> None:
        with self.averaged():
            figures = self.figures()
            with held_back():
                self.judge(figures)
                self._advance(figures)
        self._check_alike()
        self._save()

    def _advance(self, figures: dict[str, float]) -> None:
        p = self.position
        p.history.append({"epoch": p.epoch + 1, "loss": p.loss_sum / self.steps, **figures})
        p.history[-1]["seconds"] = round(p.seconds, 3)
        p.epoch, p.step, p.loss_sum = p.epoch + 1, 0, 0.0

    def _pause_if_time_is_up(self) -> None:
        p, minutes = self.position, self.keeping.max_minutes
        if minutes is not None and time.monotonic() - self._started > 60 * minutes:
            self._save()
            raise Paused(
                f"stopped after {minutes:g} minutes at epoch {p.epoch + 1}, step {p.step} of "
                f"{self.steps}: run the same command to go on"
            )

    def _save_now_and_then(self) -> None:
        if time.monotonic() - self._saved > 60 * self.keeping.every_minutes:
            self._save()

    def _save(self) -> None:
        self._saved = time.monotonic()
        if self.keeping.checkpoints is not None and self.group.rank == 0:
            arrays = {**self._moving(), **self.kept()}
            position = asdict(self.position)
            save_checkpoint(self.keeping.checkpoints, self.position.total, arrays, position)

    def _resume(self) -> None:
        directory = self.keeping.checkpoints
        found = load_checkpoint(directory) if directory is not None else None
        if found is None:
            return
        arrays, position = found
        self.position = type(self.position)(**position)
        for name, variable in self._variables().items():
            variable.assign(arrays[name])
        self.restore(arrays)

    def _draw_apart(self) -> None:
        """Have each process of a group drop other things; what rank 0 drops is what it would alone.

        Rank 0 alone saves, so that a checkpoint's seeds are of no other rank.
        """
        for variable in self.network.non_trainable_variables if self.group.rank else ():
            if variable.path.endswith(SEED_STATE):
                seed, drawn = np.asarray(keras.ops.convert_to_numpy(variable.value))
                variable.assign(np.array([seed + self.group.rank, drawn], variable.dtype))

    def _check_alike(self) -> None:
        """See that all processes of a group have the same weights, bit for bit.

        Raises:
            GroupError: if not, as where their processors compute otherwise.
        """
        if self.group.size == 1:
            return
        moved = (*self.network.trainable_variables, *self.optimizer.variables)
        mine = fingerprint(keras.ops.convert_to_numpy(variable.value) for variable in moved)
        each = self.group.gathered([self.position.total, mine])
        others = [str(rank) for rank, found in enumerate(each) if found != each[0]]
        if others:
            raise GroupError(
                f"after step {self.position.total} the weights of process {', '.join(others)} are "
                "not those of process 0: train on processors of one kind, with one installation"
            )

    def _variables(self) -> dict[str, Any]:
        """Return everything that moves: `model.variables` holds the seeds of dropout too."""
        owners = {"model": self.network.variables, "optimizer": self.optimizer.variables}
        return {f"{owner}/{i}": v for owner, vs in owners.items() for i, v in enumerate(vs)}

    def _moving(self) -> Arrays:
        return {
            name: np.asarray(keras.ops.convert_to_numpy(v.value))
            for name, v in self._variables().items()
        }
