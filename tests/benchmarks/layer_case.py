"""One shape of the layer benchmark: its batch, its weights, and the work it takes."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

VOCABULARY = 20_000


@dataclass(frozen=True)
class Case:
    """A batch through embedding → LSTM → dense.

    Attributes:
        batch: texts.
        time: tokens of the longest.
        features: width of a word vector.
        units: of each direction.
        directions: 1 or 2.
        ragged: whether texts differ in length, 60 % of `time` on average.
    """

    batch: int
    time: int
    features: int
    units: int
    directions: int = 1
    ragged: bool = False

    def __str__(self) -> str:
        extra = ", ragged" if self.ragged else ", both directions" if self.directions == 2 else ""
        return f"({self.batch}, {self.time}, {self.features}, {self.units}{extra})"

    def tiny(self) -> "Case":
        """Return the same case, small."""
        return replace(self, batch=max(3, self.batch // 16), time=9, features=4, units=3)

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text, `(batch,)`."""
        if not self.ragged:
            return np.full(self.batch, self.time)
        drawn = np.random.default_rng(1).beta(1.5, 1, self.batch) * self.time  # of mean 0.6
        drawn[0] = self.time
        return np.maximum(1, np.rint(drawn).astype(np.int64))

    @cached_property
    def ids(self) -> NDArray[np.int32]:
        """Token ids `(batch, time)`, zeros after each text's end.

        They are drawn by Zipf's law, as words come: the k-th is so often read as 1/k is large. Of
        the places of a batch, 25 to 39 in a hundred hold a word for the first time; of reviews in
        order of length, 20.
        """
        words = np.arange(1, VOCABULARY)
        often = 1 / words / np.sum(1 / words)
        ids = np.random.default_rng(2).choice(words, (self.batch, self.time), p=often)
        there = np.arange(self.time) < self.lengths[:, np.newaxis]
        return np.where(there, ids, 0).astype(np.int32)

    @cached_property
    def targets(self) -> NDArray[np.float32]:
        """Zeros and ones, `(batch,)`."""
        return np.random.default_rng(3).integers(0, 2, self.batch).astype(np.float32)

    @property
    def flops(self) -> float:
        """Operations of the matrix products of a forward pass, real tokens alone; back is twice."""
        per_token = 2 * (self.features + self.units) * 4 * self.units * self.directions
        return float(self.lengths.sum()) * per_token


GRID = (
    Case(64, 200, 128, 128),
    Case(32, 400, 128, 256),
    Case(64, 400, 256, 512),
    Case(37, 150, 96, 100),
    Case(64, 400, 128, 128, ragged=True),
    Case(64, 200, 128, 128, directions=2),
)
