"""Keras's own tests of its LSTM, run on ours.

They ship inside the Keras wheel. `keras.src.layers.LSTM` is replaced while they run, and each test
that makes an LSTM has to have gone through our constructor.
"""

import pytest
from keras.src import layers
from keras.src.layers.rnn import bidirectional_test, lstm_test

from sentiment_lstm.lstm import LSTM

# These build no LSTM at all.
WITHOUT_LSTM = {
    "test_basics_bidirectional",
    "test_correctness_bidirectional",
    "test_masking_bidirectional",
    "test_fused_gru_matches_unfused",
    "test_torch_cudnn_bidirectional_gru_dispatch_fires",
}

pytestmark = [
    # Keras's helper hands a generator to `fit`.
    pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning"),
]


@pytest.fixture(autouse=True)
def ours_in_place_of_the_stock_layer(monkeypatch, request):
    made = []

    # Not `__init__`: Keras reads that one's signature to remember the arguments.
    def counted(cls, *args, **kwargs):
        made.append(cls)
        return layers.Layer.__new__(cls, *args, **kwargs)

    monkeypatch.setattr(LSTM, "__new__", counted)
    monkeypatch.setattr(layers, "LSTM", LSTM)
    yield
    suite = "bidirectional" if "Bidirectional" in request.cls.__name__ else "lstm"
    name = request.node.name
    if not {name, f"{name}_{suite}"} & WITHOUT_LSTM:
        assert LSTM in made, f"{name} did not make our layer"


class TestKerasLSTM(lstm_test.LSTMTest):
    """`keras/src/layers/rnn/lstm_test.py`, all of it."""


class TestKerasBidirectional(bidirectional_test.SimpleRNNTest):
    """`keras/src/layers/rnn/bidirectional_test.py`, all but one test."""

    # Asks a private method of `Bidirectional` whether `isinstance(layer, keras.layers.LSTM)`, the
    # condition for Keras's fused cuDNN kernel, which ours does not use and must not inherit from.
    test_fused_lstm_eligibility = None
