"""What a language model would write: its forward direction in numpy, one token after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.folding import Floats
from sentiment_lstm.inference import halved, lstm_step
from sentiment_lstm.language_models import read_language_model, resolve_language_model
from sentiment_lstm.text import PAD, UNKNOWN, Vocabulary, tokenise

END = "(end)"
"""What stands for the end of a text among suggestions."""


@dataclass(frozen=True)
class Choice:
    """How the next token is drawn.

    Attributes:
        temperature: above 1 flattens the chances, below 1 sharpens them; 0 takes the likeliest.
        top_k: draw from so many of the likeliest tokens; 0 is all.
    """

    temperature: float = 1.0
    top_k: int = 0

    def draw(self, logits: NDArray[np.float64], generator: np.random.Generator) -> int:
        """Return the id of a token; logits `(vocabulary,)`, of which -inf is never drawn."""
        if self.temperature == 0:
            return int(logits.argmax())
        kept = np.argsort(-logits, kind="stable")[: self.top_k or len(logits)]
        line = np.cumsum(softmax(logits[kept] / self.temperature))
        drawn = np.searchsorted(line, generator.random() * line[-1], "right")
        return int(kept[min(drawn, len(kept) - 1)])


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the chances, `(vocabulary,)`; -inf has none."""
    chances = np.exp(logits - logits.max())
    return np.asarray(chances / chances.sum())


@dataclass(frozen=True)
class State:
    """What a reader remembers: h and c, each `(units,)`."""

    h: Floats
    c: Floats


@dataclass(frozen=True)
class Writer:
    """The forward direction of a language model.

    Attributes:
        vocabulary: of the model.
        embedding: `(vocabulary, width)`, also the rows of the softmax.
        kernel: `(4, width, units)`, `halved` as `inference.lstm_step` takes it.
        recurrent_kernel: `(4, units, units)`, likewise.
        bias: `(4, units)`, likewise.
        projection: `(units, width)`.
        softmax_bias: `(vocabulary,)`.
    """

    vocabulary: Vocabulary
    embedding: Floats
    kernel: Floats
    recurrent_kernel: Floats
    bias: Floats
    projection: Floats
    softmax_bias: Floats

    @classmethod
    def load(cls, directory: str | Path) -> "Writer":
        """Read a language model that ships, by name, or that of a run or a directory of its own.

        Raises:
            BundleError: if it holds no language model, or one that is not whole.
        """
        model = read_language_model(resolve_language_model(directory))
        return cls.of(model.vocabulary, model.weights)

    @classmethod
    def of(cls, vocabulary: Vocabulary, weights: dict[str, NDArray[Any]]) -> "Writer":
        """Take the forward direction of a language model's weights."""
        kernel, recurrent_kernel, bias = (
            halved(np.atleast_2d(weights[f"lstm.0.forward.{part}"]))
            for part in ("kernel", "recurrent_kernel", "bias")
        )
        return cls(
            vocabulary,
            weights["embedding"],
            kernel,
            recurrent_kernel,
            bias[:, 0],
            weights["projection.forward"],
            weights["softmax.bias"],
        )

    def read(self, ids: Sequence[int], state: State | None = None) -> State:
        """Read tokens, on from a state or from nothing."""
        zeros = np.zeros(self.bias.shape[1], np.float32)
        h, c = (zeros, zeros) if state is None else (state.h, state.c)
        h, c = h.copy(), c.copy()
        for token in ids:
            z = self.embedding[token] @ self.kernel + h @ self.recurrent_kernel + self.bias
            lstm_step(z, c, h)
        return State(h, c)

    def logits(self, state: State) -> NDArray[np.float64]:
        """Return those of the next token, `(vocabulary,)`; the unknown token never comes."""
        logits = self.embedding @ (state.h @ self.projection) + self.softmax_bias
        logits[UNKNOWN] = -np.inf
        return np.asarray(logits, np.float64)

    def ids(self, prompt: str) -> list[int]:
        """Return the ids of a prompt."""
        return self.vocabulary.ids(tokenise(prompt))

    def continuation(self, prompt: str, tokens: int, choice: Choice, seed: int) -> Iterator[str]:
        """Yield the tokens that follow a prompt, so many or fewer where the text ends.

        Before the first token of an empty prompt h is 0, which leaves the shares of the tokens.
        """
        generator, state = np.random.default_rng(seed), self.read(self.ids(prompt))
        for _ in range(tokens):
            token = choice.draw(self.logits(state), generator)
            if token == PAD:
                return
            yield self.vocabulary.tokens[token]
            state = self.read([token], state)

    def suggestions(self, prompt: str, count: int) -> list[tuple[str, float]]:
        """Return the likeliest next tokens, `END` among them, and the chance of each."""
        chances = softmax(self.logits(self.read(self.ids(prompt))))
        best = np.argsort(-chances, kind="stable")[: min(count, len(chances) - 1)]
        names = [END if i == PAD else self.vocabulary.tokens[i] for i in best.tolist()]
        return list(zip(names, chances[best].tolist(), strict=True))
