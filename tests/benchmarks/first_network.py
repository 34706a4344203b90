"""A network that takes training steps on a batch of no meaning."""

from collections.abc import Callable

import keras
import numpy as np

from sentiment_lstm.losses import binary_cross_entropy
from sentiment_lstm.model import build_classifier
from sentiment_lstm.settings import ModelSettings
from sentiment_lstm.steps import train_step
from tests.benchmarks.timing import seconds_of


def step_of(units: int, precision: str) -> Callable[[], float]:
    """Return a function that takes a step and returns the seconds it took."""
    settings = ModelSettings(embedding=units, units=units, directions=1, pooling=("last",))
    model = build_classifier(settings, 1000, outputs=1, precision=precision, words_once=True)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    step = train_step(model, optimizer, binary_cross_entropy())
    tokens = np.random.default_rng(0).integers(1, 1000, (64, 64), dtype=np.int32)
    ones = np.ones(64, np.float32)
    return lambda: seconds_of(lambda: step(tokens, ones, ones))
