"""ONNX Runtime with its native LSTM operator, the graph written by hand."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.parallel import cores
from sentiment_lstm.text import Encoder
from tests.benchmarks.models import Weights
from tests.benchmarks.sorted_batches import Floats, SortedBatches

OPSET = 17


def onnx_forms(weights: Weights, encode: Encoder) -> list[SortedBatches]:
    """Return two ways to use all cores: for each batch, or for as many batches at a time."""
    model = graph(weights)
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
        inputs = {"ids": np.ascontiguousarray(ids.T), "lengths": lengths.astype(np.int32)}
        return np.asarray(self._session.run(["probability"], inputs)[0])[:, 0]


def graph(weights: Weights) -> bytes:
    """Return embedding → LSTM → product → sigmoid as a serialised ONNX model.

    Takes `ids` (time, batch) and `lengths` (batch,), int32; gives `probability` (batch, 1).
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    units = len(weights["lstm.0.forward.recurrent_kernel"])
    node = helper.make_node
    nodes = [
        node("Gather", ["embedding", "ids"], ["x"]),
        node("LSTM", ["x", "W", "R", "B", "lengths"], ["", "h"], hidden_size=units),
        node("Squeeze", ["h", "first"], ["last"]),
        node("Gemm", ["last", "head", "bias"], ["logits"]),
        node("Sigmoid", ["logits"], ["probability"]),
    ]
    given = [
        helper.make_tensor_value_info("ids", TensorProto.INT32, ["time", "batch"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]),
    ]
    result = helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["batch", 1])
    arrays = [numpy_helper.from_array(a, name) for name, a in _initializers(weights).items()]
    whole = helper.make_graph(nodes, "sentiment", given, [result], arrays)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(whole, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _initializers(weights: Weights) -> dict[str, NDArray[Any]]:
    """Return the weights as ONNX names and lays them out: gates i, o, f, c; one direction."""
    lstm = {part: weights[f"lstm.0.forward.{part}"] for part in ("kernel", "recurrent_kernel")}
    bias = _gates(weights["lstm.0.forward.bias"])
    return {
        "embedding": weights["embedding"],
        "W": _gates(lstm["kernel"].T)[np.newaxis],
        "R": _gates(lstm["recurrent_kernel"].T)[np.newaxis],
        "B": np.concatenate([bias, np.zeros_like(bias)])[np.newaxis],
        "head": weights["head.kernel"],
        "bias": weights["head.bias"],
        "first": np.zeros(1, np.int64),
    }


def _gates(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn gates stacked along the first axis from the order i, f, g, o to i, o, f, c."""
    i, f, g, o = np.split(array, 4)
    return np.concatenate([i, o, f, g])
