"""Reading texts and judging them, with either kind of recurrent layer."""

import numpy as np
import pytest

from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.length_accuracy import read_and_judge
from sentiment_lstm.trials import Net, Reading


def texts(count, seed):
    """Return texts whose last token is their label, and the labels."""
    random = np.random.default_rng(seed)
    labels = random.integers(2, size=count)
    ids = [np.append(random.integers(4, 9, size=random.integers(1, 12)), 2 + y) for y in labels]
    return TokenArrays.of(ids, labels.tolist())


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
def test_what_can_be_learnt_is_learnt_and_counted_by_length(kind):
    reading = Reading(Net(kind, 6), epochs=6, learning_rate=0.05, embedding=4, dropout=0, batch=16)
    found = read_and_judge(reading, texts(240, 0), texts(80, 1), vocabulary_size=9)
    assert found["accuracy"] > 0.95
    assert found["texts"] == sum(q["count"] for q in found["by_length"]) == 80
    right = sum(q["count"] * q["accuracy"] for q in found["by_length"] if q["count"])
    assert right / 80 == pytest.approx(found["accuracy"])
    assert found["parameters"] == Net(kind, 6).parameters(4)


def test_the_same_reading_has_the_same_figures():
    reading = Reading(Net("lstm", 3), epochs=1, embedding=4, batch=16)
    arrays = texts(64, 2)
    one, two = (read_and_judge(reading, arrays, arrays, 9) for _ in range(2))
    assert one == two
