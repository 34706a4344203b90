"""The network of stock Keras layers against numpy written out; its file without this package."""

import os
import subprocess
import sys
from importlib.util import find_spec

import keras
import numpy as np
import pytest
from numpy_network import answers
from random_networks import GRID, TEXTS, padded, random_network

from sentiment_lstm.bundle import read_bundle
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.stock_keras import stock_model, write_keras


def built(shape):
    config, weights = random_network(**shape)
    return config, weights, stock_model(config, weights)


@pytest.mark.parametrize("shape", GRID, ids=str)
def test_answers_are_those_of_reading_token_by_token(shape):
    config, weights, model = built(shape)
    got = keras.ops.convert_to_numpy(model(padded(TEXTS, 9)[0], training=False))
    scale = max(1.0, config.target_scale)
    np.testing.assert_allclose(got, answers(config, weights, TEXTS), rtol=0, atol=2e-6 * scale)


@pytest.mark.parametrize("directions", [1, 2])
def test_padding_does_not_change_an_answer(directions):
    pooling = ("last", "max", "mean")
    _, _, model = built({"directions": directions, "layers": 2, "pooling": pooling})
    short, long = (model(padded(TEXTS, time)[0], training=False) for time in (9, 20))
    np.testing.assert_allclose(short, long, rtol=0, atol=1e-6)


def test_every_part_is_one_of_keras():
    _, _, model = built({"layers": 2, "labels": ("a", "b", "c")})
    assert {type(part).__module__.split(".")[0] for part in model.operations} == {"keras"}
    assert "sentiment_lstm" not in model.to_json()


LOAD = """
import sys
sys.modules["sentiment_lstm"] = None
import keras, numpy as np
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
ids = np.array(eval(sys.argv[2]), "int32")
print(*model.predict_on_batch(ids).ravel(), sep=",")
print(*(type(layer).__name__ for layer in model.layers if layer.weights))
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_the_file_loads_in_a_process_without_this_package(make_bundle, tmp_path, backend):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    bundle = read_bundle(make_bundle(layers=2, pooling=("last", "max", "mean"), temperature=1.3))
    write_keras(bundle, tmp_path / "model.keras")
    ids = [[3, 4, 5, 1], [7, 2, 0, 0], [0, 0, 0, 0]]
    command = [sys.executable, "-c", LOAD, tmp_path / "model.keras", str(ids)]
    environment = os.environ | {"KERAS_BACKEND": backend}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    probabilities, layers = done.stdout.splitlines()
    texts = [np.array([i for i in row if i]) for row in ids]
    z = SentimentClassifier(bundle).logits_of_ids(texts).astype(float)
    expected = 1 / (1 + np.exp(-z / 1.3))
    got = [float(p) for p in probabilities.split(",")]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)
    assert layers == "Embedding Bidirectional Bidirectional Dense"
