"""Small models of random, asymmetric weights, shared by the tests of what reads a model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sentiment_lstm.bundle import BundleConfig, model_card, write_bundle
from sentiment_lstm.text import Vocabulary

WORDS = ("a", "film", "good", "bad", "not", "n't", "did", "it", "'s", "the", ".", "!", "ça", "😀")

MakeBundle = Callable[..., Path]


def random_weights(config: BundleConfig, tokens: int, seed: int) -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(seed)
    shapes = config.weight_shapes(tokens)
    return {n: generator.normal(0.05, 0.8, s).astype(np.float32) for n, s in shapes.items()}


@pytest.fixture(scope="session")
def write_random_bundle() -> Callable[..., Path]:
    """Return a function that writes a bundle of random weights to a directory."""

    def write(directory: Path, *, seed: int = 0, **settings: Any) -> Path:
        small: dict[str, Any] = {
            "version": "0.1.0",
            "labels": ("negative", "positive"),
            "max_tokens": 12,
            "head_tokens": 5,
            "embedding": 5,
            "units": 3,
            "pooling": ("max", "mean"),
        }
        config = BundleConfig(**{**small, **settings})
        vocabulary = Vocabulary.from_counts(dict.fromkeys(WORDS, 3), 1000, 1)
        weights = random_weights(config, len(vocabulary), seed)
        write_bundle(directory, config, weights, vocabulary, model_card(config, {}))
        return directory

    return write


@pytest.fixture
def make_bundle(tmp_path: Path, write_random_bundle: Callable[..., Path]) -> MakeBundle:
    """Return a function that writes a bundle of random weights and returns its directory."""
    return lambda name="model", **settings: write_random_bundle(tmp_path / name, **settings)
