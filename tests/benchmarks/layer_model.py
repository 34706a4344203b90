"""What the layer benchmarks run, built for a case; on any Keras backend."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.both_directions import BothDirections
from sentiment_lstm.distinct_words import DistinctWords
from sentiment_lstm.lstm import LSTM
from sentiment_lstm.torch_weights import to_torch
from tests.benchmarks.layer_case import VOCABULARY, Case


def keras_model(case: Case, layer: Any) -> keras.Model:
    """Return embedding → LSTM → dense, the LSTM of the class `layer`."""
    recurrent = layer(case.units)
    model = keras.Sequential(
        [
            keras.layers.Embedding(VOCABULARY, case.features, mask_zero=case.ragged),
            keras.layers.Bidirectional(recurrent) if case.directions == 2 else recurrent,
            keras.layers.Dense(1),
        ]
    )
    model.build((None, case.time))
    return model


def model_that_reads_words_once(case: Case) -> keras.Model:
    """Return the same of our layer, told which words stand where, as `train` builds a network."""
    tokens = keras.Input((case.time,), dtype="int32")
    embedding = keras.layers.Embedding(VOCABULARY, case.features, mask_zero=case.ragged)
    distinct, words = DistinctWords()(tokens)
    how: dict[str, Any] = {"return_state": True}
    lstm: Any = LSTM(case.units, **how)
    if case.directions == 2:
        lstm = BothDirections(lstm, LSTM(case.units, go_backwards=True, **how))
    last = lstm(embedding(tokens), vectors=embedding(distinct), words=words)[0]
    return keras.Model(tokens, keras.layers.Dense(1)(last))


def torch_lstm(case: Case, kernels: Sequence[NDArray[np.float32]]) -> Any:
    """Return `torch.nn.LSTM` with the weights of the Keras layer of the same case."""
    import torch

    lstm = torch.nn.LSTM(
        case.features, case.units, batch_first=True, bidirectional=case.directions == 2
    )
    state = to_torch(kernels[:3])
    if case.directions == 2:
        state |= to_torch(kernels[3:], reverse=True)
    lstm.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    return lstm
