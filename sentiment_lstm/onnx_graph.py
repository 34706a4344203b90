"""The network as an ONNX graph: embedding → LSTM layers → pooling over time → linear head → answer.

Written node by node from a bundle's arrays, with operators of the standard alone, so that every
runtime that knows ONNX's LSTM runs it. What ONNX has otherwise than we: time comes before the
batch; gates stand in the order i, o, f, c; the bias has two halves, whose sum is ours.
https://onnx.ai/onnx/operators/onnx__LSTM.html
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.errors import ExportError
from sentiment_lstm.int8_rows import Int8Rows

OPSET, IR_VERSION = 17, 8  # of 2022: readers older than the `onnx` that writes know them
MOST_BYTES = 2**31 - 2**20  # of a protobuf message
BELOW_ALL = -3e4  # far below any state, which lies in (-1, 1)

Floats = NDArray[np.float32]
Stored = Mapping[str, Int8Rows]
NOTHING: Stored = {}


def onnx_model(
    config: BundleConfig, weights: Mapping[str, Floats], stored: Stored = NOTHING
) -> bytes:
    """Return the network of a bundle as a serialised ONNX model.

    It takes `tokens` `(batch, time)`, time at least 1, with anything after each text's end, and
    `lengths` `(batch,)`, both int32. It gives, float32, `probability` `(batch,)` of the second of
    two labels, `probabilities` `(batch, labels)` of more, or a regression's `value` `(batch,)`.
    Labels, threshold and temperature are in the model's metadata too.

    Args:
        config: its shape and how its output becomes an answer.
        weights: as `config.weight_shapes` names and shapes them.
        stored: those of them that the file holds in 8 bits, as `int8_rows` gives them.

    Raises:
        ExportError: if a file of this format cannot hold as many weights.
    """
    graph = _Graph(config, weights, stored)
    answer, shape = _answer(graph, _logits(graph, _pooled(graph)))
    result = helper.make_tensor_value_info(answer, TensorProto.FLOAT, shape)
    size = sum(array.nbytes for array in graph.arrays.values())
    if size > MOST_BYTES:
        raise ExportError(
            f"the weights take {size:,} bytes and an ONNX file holds {MOST_BYTES:,}: store them "
            "with --weights int8, or export a SavedModel"
        )
    model = helper.make_model(
        helper.make_graph(graph.nodes, "sentiment", _inputs(), [result], graph.initializers()),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="sentiment_lstm",
        producer_version=config.version,
    )
    helper.set_model_props(model, _metadata(config))
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _inputs() -> list[Any]:
    return [
        helper.make_tensor_value_info("tokens", TensorProto.INT32, ["batch", "time"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]),
    ]


def _metadata(config: BundleConfig) -> dict[str, str]:
    names = ("task", "labels", "threshold", "temperature", "target_mean", "target_scale")
    told = {name: getattr(config, name) for name in names}
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in told.items()}


class _Graph:
    """Nodes and arrays as they come in; each node is known by the name of its one result."""

    def __init__(self, config: BundleConfig, weights: Mapping[str, Floats], stored: Stored) -> None:
        self.config, self.weights, self.stored = config, weights, stored
        self.nodes: list[Any] = []
        self.arrays: dict[str, NDArray[Any]] = {}

    def array(self, name: str, value: Any) -> str:
        self.arrays[name] = np.array(value, order="C")
        return name

    def whole(self, *numbers: int) -> str:
        """Return a vector of whole numbers: axes, shapes, a place."""
        return self.array("whole." + "_".join(map(str, numbers)), np.array(numbers, np.int64))

    def number(self, value: float) -> str:
        return self.array(f"number.{value!r}", np.float32(value))

    def node(self, operator: str, *given: str, name: str = "", **attributes: Any) -> str:
        name = name or f"{operator}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, given, [name], name=name, **attributes))
        return name

    def initializers(self) -> list[Any]:
        return [numpy_helper.from_array(array, name) for name, array in self.arrays.items()]


def _embedded(graph: _Graph) -> str:
    """Return the vector of each token, `(time, batch, embedding)`; 8-bit rows as they are read."""
    ids = graph.node("Transpose", "tokens", perm=[1, 0])
    rows = graph.stored.get("embedding")
    if rows is None:
        return graph.node("Gather", graph.array("embedding", graph.weights["embedding"]), ids)
    values = graph.node("Gather", graph.array("embedding.int8", rows.values), ids)
    scales = graph.node("Gather", graph.array("embedding.scales", rows.scales), ids)
    return graph.node("Mul", graph.node("Cast", values, to=TensorProto.FLOAT), scales)


def _lstm(graph: _Graph, index: int, x: str, steps: str, *, states: bool) -> tuple[str, str]:
    """Return a layer's h at each step `(time, batch, width)`, if wanted, and its last."""
    config = graph.config
    names = [f"lstm.{index}.{d}" for d in ("forward", "backward")[: config.directions]]
    biases = [_gates(graph.weights[f"{name}.bias"]) for name in names]
    given = [
        x,
        _matrix(graph, [f"{name}.kernel" for name in names]),
        _matrix(graph, [f"{name}.recurrent_kernel" for name in names]),
        graph.array(f"lstm.{index}.bias", [np.concatenate([b, np.zeros_like(b)]) for b in biases]),
        steps,
    ]
    all_h, last_h = f"lstm.{index}.states" if states else "", f"lstm.{index}.last"
    direction = "bidirectional" if config.directions == 2 else "forward"
    node = helper.make_node(
        "LSTM", given, [all_h, last_h], f"lstm.{index}",
        hidden_size=config.units, direction=direction,
    )  # fmt: skip
    graph.nodes.append(node)
    return (_side_by_side(graph, all_h, 2) if states else ""), _side_by_side(graph, last_h, 1)


def _side_by_side(graph: _Graph, states: str, before: int) -> str:
    """Turn `(…, directions, batch, units)` to `(…, batch, width)`, of `before` axes at last."""
    axes = [*range(before - 1), before, before - 1, before + 1]
    turned = graph.node("Transpose", states, perm=axes)
    width = graph.config.directions * graph.config.units
    return graph.node("Reshape", turned, graph.whole(*[0] * before, width))


def _matrix(graph: _Graph, names: Sequence[str]) -> str:
    """Return a matrix of all directions, `(directions, 4 * units, in)`."""
    place = names[0].replace(".forward", "")
    if names[0] not in graph.stored:
        return graph.array(place, [_gates(graph.weights[name].T) for name in names])
    rows = [graph.stored[name] for name in names]
    values = graph.array(f"{place}.int8", [_gates(r.values) for r in rows])
    scales = graph.array(f"{place}.scales", [_gates(r.scales) for r in rows])
    return graph.node("Mul", graph.node("Cast", values, to=TensorProto.FLOAT), scales)


def _gates(array: NDArray[Any]) -> NDArray[Any]:
    """Turn gates stacked along the first axis from the order i, f, g, o to i, o, f, c."""
    i, f, g, o = np.split(array, 4)
    return np.concatenate([i, o, f, g])


def _pooled(graph: _Graph) -> str:
    """Return the pooled states `(batch, pools * width)`; zeros for a text without tokens."""
    kinds, layers = graph.config.pooling, graph.config.layers
    # A runtime need not know what an LSTM gives after no steps: such a text reads its padding.
    steps = graph.node("Max", "lengths", graph.array("one", np.array([1], np.int32)))
    x = _embedded(graph)
    for index in range(layers):
        states = index < layers - 1 or set(kinds) != {"last"}
        x, last = _lstm(graph, index, x, steps, states=states)
    real = _real(graph, x) if x else ""
    pools = {
        "last": lambda: last,
        "max": lambda: _largest(graph, x, real),
        "mean": lambda: _mean(graph, x, real, steps),
    }
    every = graph.node("Concat", *[pools[kind]() for kind in kinds], axis=1)
    some = graph.node("Greater", "lengths", graph.array("none", np.array([0], np.int32)))
    some = graph.node("Unsqueeze", some, graph.whole(1))
    return graph.node("Where", some, every, graph.number(0.0))


def _real(graph: _Graph, states: str) -> str:
    """Return which of the states `(time, batch, width)` are a text's own, `(time, batch, 1)`."""
    shape = graph.node("Shape", states)
    time = graph.node("Gather", shape, graph.array("time", np.int64(0)), axis=0)
    first, one = graph.array("first", np.int64(0)), graph.array("step", np.int64(1))
    places = graph.node("Unsqueeze", graph.node("Range", first, time, one), graph.whole(1))
    lengths = graph.node("Cast", "lengths", to=TensorProto.INT64)
    return graph.node("Unsqueeze", graph.node("Less", places, lengths), graph.whole(2))


def _largest(graph: _Graph, states: str, real: str) -> str:
    seen = graph.node("Where", real, states, graph.number(BELOW_ALL))
    return graph.node("ReduceMax", seen, axes=[0], keepdims=0)


def _mean(graph: _Graph, states: str, real: str, steps: str) -> str:
    seen = graph.node("Where", real, states, graph.number(0.0))
    total = graph.node("ReduceSum", seen, graph.whole(0), keepdims=0)
    count = graph.node("Cast", steps, to=TensorProto.FLOAT)
    return graph.node("Div", total, graph.node("Unsqueeze", count, graph.whole(1)))


def _logits(graph: _Graph, pooled: str) -> str:
    kernel = graph.array("head.kernel", graph.weights["head.kernel"])
    bias = graph.array("head.bias", graph.weights["head.bias"])
    return graph.node("Gemm", pooled, kernel, bias)


def _answer(graph: _Graph, logits: str) -> tuple[str, list[Any]]:
    """Return the name and the shape of the answer that logits `(batch, outputs)` become."""
    config = graph.config
    if config.task == "classification":
        logits = graph.node("Div", logits, graph.number(config.temperature))
    if config.outputs > 1:
        labels = ["batch", config.outputs]
        return graph.node("Softmax", logits, axis=1, name="probabilities"), labels
    one = graph.node("Squeeze", logits, graph.whole(1))
    if config.task == "classification":
        return graph.node("Sigmoid", one, name="probability"), ["batch"]
    scaled = graph.node("Mul", one, graph.number(config.target_scale))
    return graph.node("Add", scaled, graph.number(config.target_mean), name="value"), ["batch"]
