"""The batches of unlabelled texts: all come, each once before any again, by seed and step alone."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm.batching import BatchSizes, TokenArrays, steps_per_epoch
from sentiment_lstm.unlabelled import Unlabelled


def texts(lengths):
    """Texts of which each holds its own number, so that it is known again."""
    return TokenArrays.of([np.full(n, i + 1) for i, n in enumerate(lengths)], [0] * len(lengths))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(1, 9), st.integers(0, 9))
def test_each_text_comes_once_before_any_comes_again(lengths, batch_size, seed):
    drawn = Unlabelled(texts(lengths), batch_size, 3, seed)
    steps = steps_per_epoch(np.array(lengths), BatchSizes(batch_size))
    for epoch in range(2):
        batches = [drawn.batch(epoch * steps + step)[0] for step in range(steps)]
        seen = Counter(int(row[0]) for batch in batches for row in batch)
        assert seen == Counter(range(1, len(lengths) + 1))


def test_a_step_has_its_batch_whatever_was_drawn_before():
    lengths = np.random.default_rng(0).integers(1, 50, 30)
    one, other = (Unlabelled(texts(lengths), 4, 3, 7) for _ in range(2))
    for step in range(20):
        other.batch(step)
    for step in (0, 19, 5):
        for a, b in zip(one.batch(step), other.batch(step), strict=True):
            np.testing.assert_array_equal(a, b)


def test_noise_is_normal_fits_the_tokens_and_is_another_at_each_step_and_seed():
    lengths = np.full(64, 60)
    drawn = Unlabelled(texts(lengths), 32, 20, 0)
    tokens, noise = drawn.batch(0)
    assert noise.shape == (*tokens.shape, 20)
    assert noise.dtype == np.float32
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02
    elsewhere = [drawn.batch(1)[1], Unlabelled(texts(lengths), 32, 20, 1).batch(0)[1]]
    for other in elsewhere:
        assert abs(np.corrcoef(noise.ravel(), other.ravel())[0, 1]) < 0.05
