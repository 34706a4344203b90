"""A process that takes our first training steps, and writes down what compiling them took.

`python -m tests.benchmarks.first_steps UNITS PRECISION DIRECTORY`
"""

import sys
from pathlib import Path

import keras
import numpy as np

from sentiment_lstm.losses import binary_cross_entropy
from sentiment_lstm.model import build_classifier
from sentiment_lstm.settings import ModelSettings
from sentiment_lstm.steps import train_step
from tests.benchmarks.timing import seconds_of


def main(units: int, precision: str, directory: Path) -> None:
    """Write the file `seconds` into a directory."""
    settings = ModelSettings(embedding=units, units=units, directions=1, pooling=("last",))
    model = build_classifier(settings, 1000, outputs=1, precision=precision)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    step = train_step(model, optimizer, binary_cross_entropy())
    tokens = np.random.default_rng(0).integers(1, 1000, (64, 64), dtype=np.int32)
    ones = np.ones(64, np.float32)
    first, *later = [seconds_of(lambda: step(tokens, ones, ones)) for _ in range(4)]
    (directory / "seconds").write_text(str(first - min(later)), "utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
