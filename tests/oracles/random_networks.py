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


# Every shape that a training can give: poolings alone and together, directions, layers, tasks.
GRID = [
    *(
        {"layers": layers, "directions": directions, "pooling": pooling}
        for layers in (1, 2)
        for directions in (1, 2)
        for pooling in (("last",), ("max",), ("mean",), ("mean", "last", "max"))
    ),
    {"labels": THREE, "temperature": 0.6},
    {"labels": THREE, "layers": 3, "pooling": ("max", "last"), "temperature": 2.5},
    {"labels": (), "target_scale": 3.5, "target_mean": -20.0},
    {"labels": (), "directions": 1, "pooling": ("last",), "target_scale": 0.01},
    {"temperature": 1.9, "threshold": 0.2, "pooling": ("max", "mean")},
]

# Of different lengths, with a text without tokens and one token alone among them.
TEXTS = [[3, 7, 1, 12, 5, 5, 2], [], [4], [2, 9, 11, 8], [12] * 9]


def padded(texts, time, fill=0):
    """Return ids `(batch, time)`, `fill` after each text's end, and lengths, both int32."""
    batch = np.full((len(texts), time), fill, np.int32)
    for row, ids in zip(batch, texts, strict=True):
        row[: len(ids)] = ids
    return batch, np.array([len(ids) for ids in texts], np.int32)
