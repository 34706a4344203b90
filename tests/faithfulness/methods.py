"""What ranks the words of a text: a score a token for one output of a model, larger is more for it.

All of them explain the same output of the same weights, and are told which.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sentiment_lstm.bundle import Bundle
from sentiment_lstm.dissection import Dissection, dissect
from sentiment_lstm.explained_output import ExplainedOutput
from sentiment_lstm.gate_trace import trace
from sentiment_lstm.inference import Network
from sentiment_lstm.text import UNKNOWN
from tests.faithfulness.deletion import Ids, Scores, without

Method = Callable[[Ids, ExplainedOutput], Scores]

PHRASES_AT_ONCE = 32  # which bounds the memory of contextual decomposition


def methods_of(bundle: Bundle, *, steps: int, seed: int) -> dict[str, Method]:
    """Return every method by its name, ours first."""
    return {
        "exact shares": ExactShares(bundle),
        "contextual decomposition": ContextualDecomposition(bundle),
        f"integrated gradients, {steps} steps": IntegratedGradients(bundle, steps),
        "occlusion": Occlusion(bundle),
        "random": Random(np.random.default_rng(seed)),
    }


@dataclass(frozen=True)
class ExactShares:
    """The package's own shares."""

    bundle: Bundle

    def __call__(self, ids: Ids, output: ExplainedOutput) -> Scores:
        return _dissected(self.bundle, ids, output).shares()


@dataclass(frozen=True)
class ContextualDecomposition:
    """Each word as a phrase of its own."""

    bundle: Bundle

    def __call__(self, ids: Ids, output: ExplainedOutput) -> Scores:
        found = _dissected(self.bundle, ids, output)
        words = np.eye(len(ids), dtype=np.bool_)
        starts = range(0, len(ids), PHRASES_AT_ONCE)
        return np.concatenate([found.relevant(words[n : n + PHRASES_AT_ONCE]) for n in starts])


def _dissected(bundle: Bundle, ids: Ids, output: ExplainedOutput) -> Dissection:
    return dissect(bundle.weights, trace(bundle.config, bundle.weights, ids), output)


class Occlusion:
    """How much the output falls when a word is unknown, one word after the other."""

    def __init__(self, bundle: Bundle) -> None:
        self._network = Network(bundle.config, bundle.weights)

    def __call__(self, ids: Ids, output: ExplainedOutput) -> Scores:
        words = np.eye(len(ids), dtype=np.bool_)
        values = output.of(self._network.logits([ids, *(without(ids, word) for word in words)]))
        return values[0] - values[1:]


class IntegratedGradients:
    """Gradients along the way from unknown words to the words (Sundararajan et al. 2017).

    Run by TensorFlow, whose gradient is the layer's own compiled one; all steps are one batch, each
    in the middle of its part of the way.
    """

    def __init__(self, bundle: Bundle, steps: int) -> None:
        from sentiment_lstm.adversarial import movable
        from sentiment_lstm.export import keras_model

        self._embedding = bundle.weights["embedding"]
        self._ways = (np.arange(steps, dtype=np.float32) + 0.5) / steps
        self._gradient = _gradient(movable(keras_model(bundle)))

    def __call__(self, ids: Ids, output: ExplainedOutput) -> Scores:
        way = self._embedding[ids] - self._embedding[UNKNOWN]  # (T, embedding)
        moves = (self._ways - 1)[:, np.newaxis, np.newaxis] * way
        tokens = np.broadcast_to(ids, (len(moves), len(ids)))
        gradients = self._gradient(tokens, moves, output.column).numpy().mean(axis=0)
        return output.factor * (gradients * way).sum(axis=1).astype(np.float64)


def _gradient(model: Any) -> Callable[..., Any]:
    """Return a compiled function: gradients of an output by the vectors, `(n, T, embedding)`."""
    import tensorflow as tf

    signature = [
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None, None, model.input[1].shape[-1]], tf.float32),
        tf.TensorSpec([], tf.int32),
    ]

    @tf.function(input_signature=signature)
    def gradient(tokens: Any, moves: Any, column: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(moves)
            total = tf.reduce_sum(tf.gather(model([tokens, moves]), column, axis=1))
        return tape.gradient(total, moves)

    return gradient


@dataclass(frozen=True)
class Random:
    """A ranking that knows nothing."""

    generator: np.random.Generator

    def __call__(self, ids: Ids, output: ExplainedOutput) -> Scores:
        return self.generator.random(len(ids))
