"""TensorFlow Serving's form: what is taken, and that answers bear the exported model's names."""

import base64

import numpy as np
import pytest

pytest.importorskip("starlette", reason="the service wants pip install '.[serve]'")

from pipelines.serve.refusals import Refusal
from pipelines.serve.tensorflow_serving import answer, asked_texts, status
from sentiment_lstm.bundle import BundleConfig
from sentiment_lstm.predictions import Answers

CODED = base64.b64encode("é\0".encode()).decode()
KINDS = {
    "two": {"labels": ("negative", "positive"), "temperature": 1.7, "threshold": 0.4},
    "torn": {"labels": ("negative", "positive"), "threshold": 0.4, "abstain": 0.3},
    "three": {"labels": ("bad", "fair", "good"), "temperature": 0.6},
    "split": {"labels": ("bad", "fair", "good"), "abstain": 0.4},
    "value": {"labels": (), "task": "regression", "target_scale": 3.5, "target_mean": -2.25},
}


def config(kind):
    return BundleConfig(
        max_tokens=8, head_tokens=4, embedding=2, units=2, pooling=("max",), data={}, **KINDS[kind]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_answers_have_the_names_and_values_of_the_exported_graph(kind):
    export = pytest.importorskip("sentiment_lstm.export")
    of = config(kind)
    logits = np.random.default_rng(1).normal(scale=4, size=(40, of.outputs)).astype(np.float32)
    graph = {name: np.asarray(t) for name, t in export.answer_function(of)(logits).items()}
    found = [(prediction, of) for prediction in Answers(of)(logits)]
    columns = answer(found, rows=False)["outputs"]
    columns = {"value": columns} if kind == "value" else columns
    assert list(columns) == list(graph)
    for name, values in graph.items():
        if name == "label":
            assert columns[name] == [label.decode() for label in values]
            assert ("unsure" in columns[name]) == (kind in ("torn", "split"))
        else:
            np.testing.assert_allclose(columns[name], values, rtol=1e-5, atol=1e-6)


def test_rows_and_columns_hold_the_same():
    of = config("three")
    found = [(p, of) for p in Answers(of)(np.eye(3))]
    columns = answer(found, rows=False)["outputs"]
    rows = answer(found, rows=True)["predictions"]
    assert [*rows[0]] == ["label", "probability", "probabilities"]
    for name, values in columns.items():
        assert [row[name] for row in rows] == values


def test_one_output_alone_is_a_plain_value():
    of = config("value")
    found = [(p, of) for p in Answers(of)(np.array([[1.0], [2.0]]))]
    assert answer(found, rows=True) == {"predictions": [1.25, 4.75]}
    assert answer(found, rows=False) == {"outputs": [1.25, 4.75]}


@pytest.mark.parametrize(
    ("body", "texts", "rows"),
    [
        ({"instances": ["a", "b"]}, ["a", "b"], True),
        ({"instances": [{"text": "a"}, "b"]}, ["a", "b"], True),
        ({"instances": [{"b64": CODED}]}, ["é\0".encode()], True),
        ({"instances": [{"text": {"b64": CODED}}]}, ["é\0".encode()], True),
        ({"inputs": ["a", {"b64": CODED}]}, ["a", "é\0".encode()], False),
        ({"inputs": {"text": ["a"]}}, ["a"], False),
        ({"signature_name": "serving_default", "instances": ["a"]}, ["a"], True),
        ({"signature_name": "", "instances": ["a"]}, ["a"], True),
    ],
)
def test_texts_come_in_each_of_the_forms(body, texts, rows):
    asked = asked_texts(body)
    assert (asked.texts, asked.rows) == (texts, rows)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({}, "give instances, by rows, or inputs"),
        ({"instances": ["a"], "inputs": ["a"]}, "one of them"),
        ({"instances": "a"}, "instances is a string: give a list"),
        ({"instances": [1]}, r"instances\[0\] is a number"),
        ({"instances": ["a", None]}, r"instances\[1\] is null"),
        ({"instances": [{"text": True}]}, r"instances\[0\]\.text is a boolean"),
        ({"instances": [{"text": {"text": "a"}}]}, r"instances\[0\]\.text is an object"),
        ({"instances": [{"b64": "?"}]}, r"instances\[0\]\.b64 is not base64"),
        ({"instances": [{"b64": "é"}]}, "is not base64"),
        ({"instances": [{"b64": 3}]}, "b64 is a number"),
        ({"instances": [{"b64": "", "text": ""}]}, "is an object"),
        ({"inputs": [{"text": "a"}]}, r"inputs\[0\] is an object"),
        ({"inputs": {"texts": ["a"]}}, "inputs is an object"),
        ({"inputs": {"text": "a"}}, r"inputs\.text is a string"),
        ({"instances": ["a"], "signature_name": "other"}, "signature_name is 'other'"),
        ({"instances": ["a"], "signature_name": []}, "signature_name is a list"),
        ({"instances": ["a"], "x\ny": 1}, "unknown key 'x y'"),
    ],
)
def test_other_forms_are_refused_with_the_place(body, part):
    with pytest.raises(Refusal, match=part) as caught:
        asked_texts(body)
    assert caught.value.status == 422
    assert "\n" not in caught.value.reason


def test_the_status_is_one_version_that_is_available():
    (state,) = status(3)["model_version_status"]
    assert (state["version"], state["state"]) == ("3", "AVAILABLE")
    assert state["status"] == {"error_code": "OK", "error_message": ""}
