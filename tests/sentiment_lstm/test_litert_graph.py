"""The LiteRT file in LiteRT's interpreter against numpy written out, for every shape of network."""

import numpy as np
import pytest
from numpy_network import answers
from random_networks import GRID, TEXTS, THREE, padded, random_network

pytest.importorskip("tensorflow")
interpreter = pytest.importorskip(
    "ai_edge_litert.interpreter", reason="pip install '.[litert]'", exc_type=ImportError
)

from sentiment_lstm.litert_graph import litert_model  # noqa: E402 - it imports TensorFlow

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def run(model, texts, time=None, fill=0):
    runner = interpreter.Interpreter(model_content=model).get_signature_runner()
    tokens, lengths = padded(texts, time or max(1, *map(len, texts)), fill)
    (output,) = runner(tokens=tokens, lengths=lengths).values()
    return output.reshape(len(texts), -1)


@pytest.mark.parametrize("shape", GRID, ids=str)
def test_answers_are_those_of_reading_token_by_token(shape):
    config, weights = random_network(**shape)
    got = run(litert_model(config, weights), TEXTS)
    scale = max(1.0, config.target_scale)
    np.testing.assert_allclose(got, answers(config, weights, TEXTS), rtol=0, atol=2e-6 * scale)


def test_neither_padding_nor_neighbours_change_an_answer():
    config, weights = random_network(layers=2, pooling=("last", "max", "mean"))
    model = litert_model(config, weights)
    alone = np.concatenate([run(model, [ids], max(1, len(ids))) for ids in TEXTS])
    np.testing.assert_allclose(run(model, TEXTS, 30, fill=7), alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "name"),
    [({}, "probability"), ({"labels": THREE}, "probabilities"), ({"labels": ()}, "value")],
)
def test_inputs_and_the_output_have_names(shape, name):
    ready = interpreter.Interpreter(model_content=litert_model(*random_network(**shape)))
    inputs = {"inputs": ["lengths", "tokens"], "outputs": [name]}
    assert ready.get_signature_list() == {"serving_default": inputs}


def test_the_operators_are_built_in():
    ready = interpreter.Interpreter(model_content=litert_model(*random_network(layers=2)))
    operators = {details["op_name"] for details in ready._get_ops_details()}
    assert "WHILE" in operators
    assert not any(name.startswith(("Flex", "CUSTOM")) for name in operators)
