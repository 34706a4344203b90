"""How much padding changes answers: nothing of a sound network, much of one without a mask."""

import keras
import numpy as np
import pytest
from keras import ops

from sentiment_lstm.calibration import probabilities
from sentiment_lstm.lstm import LSTM
from sentiment_lstm.model import build_classifier, load_weights, weights_of
from sentiment_lstm.padding_invariance import (
    BATCH_TEXTS,
    MORE,
    largest_difference_by_padding,
)
from sentiment_lstm.settings import ModelSettings
from sentiment_lstm.steps import forward

VOCABULARY = 13


def texts(count=BATCH_TEXTS + 5, longest=9):
    """Return ids of texts of many lengths, the first without any."""
    rng = np.random.default_rng(3)
    lengths = [0, 1, *rng.integers(1, longest, count - 2)]
    return [rng.integers(1, VOCABULARY, n) for n in lengths]


def randomised(model, seed=1):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize(
    ("directions", "pooling", "outputs"), [(1, ("last",), 1), (2, ("last", "max", "mean"), 3)]
)
def test_a_sound_network_answers_alike_however_much_it_is_padded(directions, pooling, outputs):
    settings = ModelSettings(embedding=5, units=3, directions=directions, pooling=pooling)
    model = build_classifier(settings, VOCABULARY, outputs)
    rng = np.random.default_rng(0)
    load_weights(model, {k: rng.normal(size=v.shape) for k, v in weights_of(model).items()})
    assert largest_difference_by_padding(forward(model), texts(), probabilities) < 1e-6


@pytest.mark.parametrize("broken", ["lstm", "mean", "max"])
def test_a_network_whose_mask_is_broken_is_found_out(broken):
    """The network is that of the package's parts, one of which does not see the mask."""
    tokens = keras.Input((None,), dtype="int32")
    mask = ops.not_equal(tokens, 0)
    real = ops.cast(mask, "float32")[:, :, None]
    x = keras.layers.Embedding(VOCABULARY, 4)(tokens)
    h = LSTM(3, return_sequences=True)(x, mask=None if broken == "lstm" else mask)
    pooled = {
        "lstm": lambda: h[:, -1],
        "mean": lambda: ops.mean(h, axis=1),
        "max": lambda: ops.max(h * real, axis=1),
    }[broken]()
    model = randomised(keras.Model(tokens, keras.layers.Dense(1)(pooled)))
    assert largest_difference_by_padding(forward(model), texts(), probabilities) > 0.01


def test_the_difference_is_the_largest_over_texts_batches_and_padding():
    """Of networks that add up what surrounds a text, in numpy."""

    def by_width(ids):  # answers by how wide its batch is
        return np.full((len(ids), 1), ids.shape[1])

    def by_neighbours(ids):  # answers by who else is there
        return np.full((len(ids), 1), len(ids))

    sequences = texts()
    longest = max(map(len, sequences[:BATCH_TEXTS]))
    values = lambda logits: logits  # noqa: E731
    assert largest_difference_by_padding(by_width, sequences, values) == longest + MORE - 1
    assert largest_difference_by_padding(by_neighbours, sequences, values) == BATCH_TEXTS - 1


def test_ids_are_followed_by_padding_alone():
    seen = []

    def network(ids):
        seen.append(ids)
        return np.zeros((len(ids), 1))

    sequences = texts(count=4)
    largest_difference_by_padding(network, sequences, lambda logits: logits)
    assert [ids.shape for ids in seen[:4]] == [(1, max(1, len(s))) for s in sequences]
    assert [len(ids) for ids in seen[4:]] == [4, 4]
    for ids in seen[4:]:
        for row, sequence in zip(ids, sequences, strict=True):
            np.testing.assert_array_equal(row[: len(sequence)], sequence)
            assert not row[len(sequence) :].any()
