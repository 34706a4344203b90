"""The distinct words of a batch, against numpy's."""

import keras
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from keras import ops

from sentiment_lstm.distinct_words import DistinctWords, available


@given(arrays(np.int32, array_shapes(min_dims=2, max_dims=2), elements=st.integers(0, 9)))
def test_each_word_is_found_once_and_every_place_has_its_own(tokens):
    found, places = map(ops.convert_to_numpy, DistinctWords()(tokens))
    assert sorted(found) == (np.unique(tokens) if available() else np.sort(tokens.flat)).tolist()
    np.testing.assert_array_equal(found[places], tokens)
    assert found.dtype == places.dtype == np.int32


def test_a_network_knows_the_shapes_beforehand():
    found, places = DistinctWords()(keras.Input((None,), dtype="int32"))
    assert (found.shape, places.shape) == ((None,), (None, None))
