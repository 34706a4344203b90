"""Models of random weights: what they answer does not matter, how fast they do."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bundle import BundleConfig, write_bundle
from sentiment_lstm.text import Vocabulary
from tests.benchmarks.reviews import LABELS, MAX_TOKENS

Weights = dict[str, NDArray[np.float32]]


def random_bundle(directory: Path, units: int, vocabulary: Vocabulary) -> tuple[Path, Weights]:
    """Write a bundle of one direction that looks at the last state; return it and its weights."""
    config = BundleConfig(
        labels=LABELS,
        max_tokens=MAX_TOKENS,
        head_tokens=MAX_TOKENS // 2,
        embedding=units,
        units=units,
        directions=1,
        pooling=("last",),
    )
    random = np.random.default_rng(units)
    weights = {
        name: random.normal(scale=_scale(shape), size=shape).astype(np.float32)
        for name, shape in config.weight_shapes(len(vocabulary)).items()
    }
    path = directory / f"bundle-{units}"
    write_bundle(path, config, weights, vocabulary, "# Random weights\n")
    return path, weights


def _scale(shape: tuple[int, ...]) -> float:
    return float(shape[0] ** -0.5) if len(shape) == 2 else 0.1


def keras_weights(weights: Weights) -> list[NDArray[np.float32]]:
    """Return a bundle's weights in the order of a Keras model of embedding, LSTM and dense."""
    lstm = [weights[f"lstm.0.forward.{part}"] for part in ("kernel", "recurrent_kernel", "bias")]
    return [weights["embedding"], *lstm, weights["head.kernel"], weights["head.bias"]]
