"""What is compared: recurrent layers, and how each is trained, in plain values that JSON can hold.

A plain RNN is h_t = tanh(W·x_t + U·h_{t-1} + b) (Elman 1990). Nothing here needs Keras.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

GATES = "ifgo"
STOCK = "keras.layers.LSTM"  # timed beside ours, as XLA compiles it and the plain RNN alike
CURVE = 50  # steps that a point of a learning curve is the mean of


@dataclass(frozen=True)
class Net:
    """A recurrent layer.

    Attributes:
        kind: "lstm" or "rnn".
        units: width of its state.
        forget_bias: of an LSTM's forget gate at the start.
        input_bias: of its input gate at the start.
        opened: gates of it that are held at 1, letters of "ifo".
        truncated: whether its gradient is that of 1997; see `truncated_lstm`.
    """

    kind: str
    units: int
    forget_bias: float = 1.0
    input_bias: float = 0.0
    opened: str = ""
    truncated: bool = False

    def parameters(self, features: int) -> int:
        """Count the weights of the layer: a product and a bias a gate; a plain RNN has one."""
        return self._products() * self.units * (features + self.units + 1)

    def multiply_adds(self, features: int) -> int:
        """Count the multiplications and additions of a step for one sequence, a pair as one.

        Products of matrices and what the cell takes, f ⊙ c + i ⊙ g and o ⊙ tanh(c); the functions
        σ and tanh, which take more than a multiplication, are not among them.
        """
        cell = 0 if self.kind == "rnn" else 3 * self.units
        return self._products() * self.units * (features + self.units) + cell

    def _products(self) -> int:
        return 1 if self.kind == "rnn" else len(GATES)

    def of_equal_parameters(self, features: int) -> "Net":
        """Return the plain RNN whose number of weights comes nearest to this layer's."""
        wanted = self.parameters(features)
        # The positive root of V² + (features + 1)·V = wanted.
        half = (features + 1) / 2
        return Net("rnn", round(math.sqrt(half**2 + wanted) - half))

    def of_equal_units(self) -> "Net":
        """Return the plain RNN whose state is as wide."""
        return Net("rnn", self.units)

    def settings(self) -> dict[str, Any]:
        """Return the attributes, for JSON; `Net(**settings)` is equal."""
        return asdict(self)


@dataclass(frozen=True)
class Trial:
    """What is trained, on what, and for how long at most.

    Attributes:
        task: a name in `memory_tasks.TASKS`.
        lag: see `memory_tasks`.
        net: the recurrent layer; a linear head reads its last state.
        steps: the budget.
        learning_rate: at the first step; it falls to 0 along half a cosine over the budget.
        clip: bound of the gradient's norm; 0 is none.
        seeds: the trial is made with seeds 0, 1, …
        batch: sequences a step.
        stops: whether it ends when the task is learnt.
        flow: whether the gradient's norm is followed back in time, before and after.
    """

    task: str
    lag: int
    net: Net
    steps: int
    learning_rate: float
    clip: float = 1.0
    seeds: int = 1
    batch: int = 32
    stops: bool = True
    flow: bool = False

    def settings(self) -> dict[str, Any]:
        """Return the attributes, for JSON; see `of`."""
        return asdict(self)

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "Trial":
        """Return the trial that `settings` came from."""
        return cls(**(settings | {"net": Net(**settings["net"])}))


@dataclass(frozen=True)
class Reading:
    """The network that reads, and how it learns.

    Attributes:
        net: its recurrent layer.
        epochs: passes over train.
        learning_rate: at the first step; it falls to 0 along half a cosine.
        embedding: width of a word vector.
        dropout: share of its channels dropped in training.
        batch: texts a step.
        seed: of the initial weights, dropout and batches.
    """

    net: Net
    epochs: int
    learning_rate: float = 3e-3
    embedding: int = 64
    dropout: float = 0.3
    batch: int = 64
    seed: int = 0

    def settings(self) -> dict[str, Any]:
        """Return the attributes, for JSON; see `of`."""
        return asdict(self)

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "Reading":
        """Return the reading that `settings` came from."""
        return cls(**(settings | {"net": Net(**settings["net"])}))
