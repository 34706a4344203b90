"""Two tasks that need a long memory, drawn anew for every batch, and when they count as learnt.

Hochreiter & Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997, experiments 4
(adding) and 6a (temporal order). What matters stands early in a sequence and is asked for at its
end; `lag` is the least number of steps between the two, from which the lengths follow.
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

Floats = NDArray[np.float32]

IN_A_ROW = 2000  # sequences that must all be answered rightly, one after the other
SHORTEST_LAG = 10
SYMBOLS = "abcdXYEB"  # of the temporal order: distractors, what counts, the start and the end


@dataclass(frozen=True)
class Sequences:
    """A batch of a task.

    Attributes:
        inputs: `(batch, time, features)`, zeros after each sequence's end.
        keep: true up to each sequence's end, `(batch, time)`.
        targets: a number or the index of a class, `(batch,)`.
    """

    inputs: Floats
    keep: NDArray[np.bool_]
    targets: Floats


class MemoryTask(Protocol):
    """Sequences without end, and the rule by which an answer to one is right."""

    @property
    def name(self) -> str:
        """Return its name, a key of `TASKS`."""
        ...  # pragma: no cover

    @property
    def kind(self) -> str:
        """Return "regression" or "classification", as `losses.loss_for` takes it."""
        ...  # pragma: no cover

    @property
    def features(self) -> int:
        """Return the width of an input."""
        ...  # pragma: no cover

    @property
    def outputs(self) -> int:
        """Return the width of an answer."""
        ...  # pragma: no cover

    @property
    def error_bound(self) -> float:
        """Return what the mean squared error over `IN_A_ROW` sequences must be below."""
        ...  # pragma: no cover

    def longest(self, lag: int) -> int:
        """Return the most steps that a sequence has."""
        ...  # pragma: no cover

    def draw(self, random: np.random.Generator, count: int, lag: int) -> Sequences:
        """Draw `count` sequences, padded to the longest there may be."""
        ...  # pragma: no cover

    def errors(self, outputs: Floats, targets: Floats) -> Floats:
        """Return the errors of the network's outputs, both `(batch, outputs)`."""
        ...  # pragma: no cover

    def right(self, errors: Floats) -> NDArray[np.bool_]:
        """Tell which sequences were answered rightly, `(batch,)`."""
        ...  # pragma: no cover


@dataclass(frozen=True)
class Adding:
    """Add two marked numbers of a sequence of random ones: target 0.5 + (X1 + X2) / 4.

    A step is a number from [-1, 1] and a marker: 1 at two steps, -1 at the first and the last, else
    0. One mark is among the first ten steps, the other in the first half; a number marked at the
    first step counts as 0. An answer is right within 0.04.
    """

    name: str = "adding"
    kind: str = "regression"
    features: int = 2
    outputs: int = 1
    error_bound: float = 0.01

    def longest(self, lag: int) -> int:
        """Return the most steps that a sequence has; the shortest has 2 · lag."""
        return 2 * lag + 2 * lag // 10

    def draw(self, random: np.random.Generator, count: int, lag: int) -> Sequences:
        """Draw sequences; see the class."""
        keep = _kept(random, count, 2 * lag, self.longest(lag))
        rows, last = np.arange(count), keep.sum(axis=1) - 1
        numbers = random.uniform(-1, 1, keep.shape)
        first = random.integers(min(10, lag), size=count)
        second = random.integers(lag - 1, size=count)
        second += second >= first  # among those that are still unmarked
        markers = np.zeros(keep.shape)
        markers[rows, 0] = markers[rows, last] = -1
        markers[rows, first] = markers[rows, second] = 1
        numbers[:, 0] = np.where(markers[:, 0] == 1, 0, numbers[:, 0])
        targets = 0.5 + (numbers[rows, first] + numbers[rows, second]) / 4
        inputs = np.stack([numbers, markers], axis=-1) * keep[..., None]
        return Sequences(inputs.astype(np.float32), keep, targets.astype(np.float32))

    def errors(self, outputs: Floats, targets: Floats) -> Floats:
        """Return output minus target."""
        return np.asarray(outputs - targets[:, None], np.float32)

    def right(self, errors: Floats) -> NDArray[np.bool_]:
        """Tell which are within 0.04."""
        return np.asarray(np.abs(errors[:, 0]) < 0.04)


@dataclass(frozen=True)
class TemporalOrder:
    """Tell the order of two symbols, X or Y each, among random others: XX, XY, YX or YY.

    A step is one of eight symbols: E starts, B ends, a, b, c and d distract. The first that counts
    stands between one and two tenths of the shortest length, the other between five and six
    tenths. An answer is right if each class's probability is within 0.3 of 0 or 1, as it should be.
    """

    name: str = "temporal order"
    kind: str = "classification"
    features: int = len(SYMBOLS)
    outputs: int = 4
    error_bound: float = 0.1

    def longest(self, lag: int) -> int:
        """Return the most steps that a sequence has; the shortest has 2.5 · lag."""
        shortest = self._shortest(lag)
        return shortest + shortest // 10

    def draw(self, random: np.random.Generator, count: int, lag: int) -> Sequences:
        """Draw sequences; see the class."""
        shortest = self._shortest(lag)
        keep = _kept(random, count, shortest, self.longest(lag))
        rows, last = np.arange(count), keep.sum(axis=1) - 1
        symbols = random.integers(4, size=keep.shape)
        symbols[:, 0], symbols[rows, last] = SYMBOLS.index("E"), SYMBOLS.index("B")
        first, second = random.integers(2, size=(2, count))
        places = [(1, 2, first), (5, 6, second)]
        for low, high, which in places:  # steps are counted from 1 here
            step = random.integers(shortest * low // 10, shortest * high // 10 + 1, size=count)
            symbols[rows, step - 1] = SYMBOLS.index("X") + which
        inputs = np.eye(self.features, dtype=np.float32)[symbols] * keep[..., None]
        return Sequences(inputs, keep, (2 * first + second).astype(np.float32))

    def errors(self, outputs: Floats, targets: Floats) -> Floats:
        """Return probabilities minus what they should be; outputs are before the softmax."""
        truth = np.eye(self.outputs)[targets.astype(np.int64)]
        return np.asarray(softmax(outputs.astype(np.float64), axis=1) - truth, np.float32)

    def right(self, errors: Floats) -> NDArray[np.bool_]:
        """Tell in which every probability is within 0.3."""
        return np.asarray((np.abs(errors) < 0.3).all(axis=1))

    def _shortest(self, lag: int) -> int:
        return (5 * lag + 1) // 2


TASKS: dict[str, MemoryTask] = {task.name: task for task in (Adding(), TemporalOrder())}


def _kept(
    random: np.random.Generator, count: int, shortest: int, longest: int
) -> NDArray[np.bool_]:
    lengths = random.integers(shortest, longest + 1, size=count)
    return np.arange(longest) < lengths[:, None]


class Criterion:
    """The paper's rule for a task that is learnt, over the sequences in the order they come.

    The last `IN_A_ROW` of them were all answered rightly, each before it was learnt from, and their
    mean squared error is below the task's bound.
    """

    def __init__(self, task: MemoryTask, in_a_row: int = IN_A_ROW) -> None:
        self._task = task
        self._squares: deque[float] = deque(maxlen=in_a_row)

    def met(self, outputs: Floats, targets: Floats) -> bool:
        """Take the answers to one more batch; tell whether the task is learnt."""
        errors = self._task.errors(outputs, targets)
        squares = np.square(errors).sum(axis=1)
        for right, square in zip(self._task.right(errors), squares, strict=True):
            if not right:
                self._squares.clear()
                continue
            self._squares.append(float(square))
        full = len(self._squares) == self._squares.maxlen
        return full and sum(self._squares) / len(self._squares) < self._task.error_bound
