"""ONNX Runtime on the graph that the package exports, with its native LSTM operator."""

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bundle import Bundle
from sentiment_lstm.onnx_graph import onnx_model
from sentiment_lstm.parallel import cores
from sentiment_lstm.text import Encoder
from tests.benchmarks.sorted_batches import Floats, SortedBatches


def onnx_forms(bundle: Bundle, encode: Encoder) -> list[SortedBatches]:
    """Return two ways to use all cores: for each batch, or for as many batches at a time."""
    model = onnx_model(bundle.config, bundle.weights)
    many, one = Session(model, cores()), Session(model, 1)
    return [
        SortedBatches(encode, many, form="threads inside,"),
        SortedBatches(encode, one, workers=cores(), form="batches side by side,"),
    ]


class Session:
    """A model in ONNX Runtime.

    Args:
        model: serialised.
        threads: that one call uses.
    """

    def __init__(self, model: bytes, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, ids: NDArray[np.int32], lengths: NDArray[np.int64]) -> Floats:
        inputs = {"tokens": ids, "lengths": lengths.astype(np.int32)}
        return np.asarray(self._session.run(["probability"], inputs)[0])
