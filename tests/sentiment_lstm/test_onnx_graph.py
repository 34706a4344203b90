"""The ONNX graph in ONNX Runtime against numpy written out, for every shape of network."""

import json

import numpy as np
import pytest
from numpy_network import answers
from random_networks import GRID, TEXTS, THREE, padded, random_network

from sentiment_lstm.errors import ExportError
from sentiment_lstm.int8_rows import int8_rows, restored_weights

onnx = pytest.importorskip("onnx", reason="pip install '.[onnx]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="pip install '.[onnx]'")

from sentiment_lstm import onnx_graph  # noqa: E402 - it imports onnx
from sentiment_lstm.onnx_graph import onnx_model  # noqa: E402


def session(model):
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def run(model, texts, time=None, fill=0):
    tokens, lengths = padded(texts, time or max(1, *map(len, texts)), fill)
    (output,) = session(model).run(None, {"tokens": tokens, "lengths": lengths})
    return output.reshape(len(texts), -1)


@pytest.mark.parametrize("shape", GRID, ids=str)
def test_answers_are_those_of_reading_token_by_token(shape):
    config, weights = random_network(**shape)
    got = run(onnx_model(config, weights), TEXTS)
    scale = max(1.0, config.target_scale)
    np.testing.assert_allclose(got, answers(config, weights, TEXTS), rtol=0, atol=2e-6 * scale)


@pytest.mark.parametrize("shape", GRID[::3], ids=str)
def test_matrices_in_8_bits_answer_as_the_matrices_they_stand_for(shape):
    config, weights = random_network(**shape)
    stored = int8_rows(weights)
    model = onnx_model(config, weights, stored)
    scale = max(1.0, config.target_scale)
    rounded = answers(config, restored_weights(weights, stored), TEXTS)
    np.testing.assert_allclose(run(model, TEXTS), rounded, rtol=0, atol=2e-6 * scale)
    assert np.abs(rounded - answers(config, weights, TEXTS)).max() > 1e-5
    kinds = {
        array.name: array.data_type for array in onnx.load_from_string(model).graph.initializer
    }
    assert kinds["embedding.int8"] == kinds["lstm.0.kernel.int8"] == onnx.TensorProto.INT8
    assert not {"embedding", "lstm.0.kernel", "lstm.0.recurrent_kernel"} & kinds.keys()


def test_neither_padding_nor_neighbours_change_an_answer():
    config, weights = random_network(layers=2, pooling=("last", "max", "mean"))
    model = onnx_model(config, weights)
    alone = np.concatenate([run(model, [ids], max(1, len(ids))) for ids in TEXTS])
    np.testing.assert_allclose(run(model, TEXTS, 30, fill=7), alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "name", "dims"),
    [
        ({}, "probability", ["batch"]),
        ({"labels": THREE}, "probabilities", ["batch", 3]),
        ({"labels": ()}, "value", ["batch"]),
    ],
)
def test_inputs_and_the_output_have_names_types_and_shapes(shape, name, dims):
    ready = session(onnx_model(*random_network(**shape)))
    given = {i.name: (i.type, i.shape) for i in ready.get_inputs()}
    assert given == {
        "tokens": ("tensor(int32)", ["batch", "time"]),
        "lengths": ("tensor(int32)", ["batch"]),
    }
    (output,) = ready.get_outputs()
    assert (output.name, output.type, output.shape) == (name, "tensor(float)", dims)


def test_metadata_tells_how_to_read_the_answer():
    config, weights = random_network(labels=("no", "ça"), threshold=0.3, temperature=1.7)
    told = session(onnx_model(config, weights)).get_modelmeta().custom_metadata_map
    assert json.loads(told["labels"]) == ["no", "ça"]
    assert told["task"] == "classification"
    assert (float(told["threshold"]), float(told["temperature"])) == (0.3, 1.7)


def test_the_operators_are_those_of_the_standard():
    model = onnx.load_from_string(onnx_model(*random_network(layers=2)))
    assert {entry.domain for entry in model.opset_import} == {""}
    assert {node.domain for node in model.graph.node} == {""}
    assert [node.op_type for node in model.graph.node].count("LSTM") == 2


def test_more_weights_than_a_file_holds_are_refused(monkeypatch):
    monkeypatch.setattr(onnx_graph, "MOST_BYTES", 1000)
    with pytest.raises(ExportError, match="an ONNX file holds 1,000"):
        onnx_model(*random_network(units=8))
