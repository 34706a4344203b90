"""Networks of random, asymmetric weights, and texts for them."""

import numpy as np

from sentiment_lstm.bundle_config import BundleConfig

TOKENS = 13
THREE = ("bad", "fair", "good")


def random_network(
    *, layers=1, directions=2, pooling=("max",), labels=("negative", "positive"), seed=0, scale=0.8,
    units=3, **settings,
):  # fmt: skip
    """Return a configuration and its weights; no two gates, directions or units are alike."""
    task = "classification" if labels else "regression"
    config = BundleConfig(
        task=task, labels=labels, embedding=4, units=units, layers=layers, directions=directions,
        pooling=pooling, **settings,
    )  # fmt: skip
    generator = np.random.default_rng(seed)
    shapes = config.weight_shapes(TOKENS)
    return config, {
        n: generator.normal(0.1, scale, s).astype(np.float32) for n, s in shapes.items()
    }


def random_ids(length, seed=0):
    return np.random.default_rng(seed).integers(1, TOKENS, length)
