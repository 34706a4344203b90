"""The number that an explanation is about, held against the predictions of the same model."""

import math

import numpy as np
import pytest
from random_networks import THREE, random_network

from sentiment_lstm.errors import SettingsError
from sentiment_lstm.explained_output import explained_output
from sentiment_lstm.predictions import Answers

LOGITS = np.array([[0.7], [-2.0], [0.0]])
MANY = np.array([[0.5, 2.0, -1.0], [1.0, 1.0, 4.0]])


def test_of_two_labels_the_second_is_explained_and_the_first_is_its_opposite():
    config, _ = random_network(temperature=1.7)
    second, first = explained_output(config), explained_output(config, "negative")
    assert (second.label, first.label) == ("positive", "negative")
    np.testing.assert_allclose(second.of(LOGITS), LOGITS[:, 0])
    np.testing.assert_allclose(first.of(LOGITS), -LOGITS[:, 0])
    expected = [answer.probabilities for answer in Answers(config)(LOGITS)]
    np.testing.assert_allclose(first.probabilities(LOGITS), np.array(expected)[:, 0])
    np.testing.assert_allclose(second.probabilities(LOGITS), np.array(expected)[:, 1])


def test_of_more_labels_the_predicted_one_is_explained_or_the_one_asked_for():
    config, _ = random_network(labels=THREE, temperature=0.6)
    assert explained_output(config, predicted="fair").label == "fair"
    output = explained_output(config, "good", "fair")
    np.testing.assert_allclose(output.of(MANY), [-1, 4])
    expected = [answer.probabilities[2] for answer in Answers(config)(MANY)]
    np.testing.assert_allclose(output.probabilities(MANY), expected)


def test_of_a_regression_the_value_is_explained_in_its_own_unit():
    config, _ = random_network(labels=(), target_scale=3.0, target_mean=10.0)
    output = explained_output(config)
    assert output.label == ""
    expected = [answer.value for answer in Answers(config)(LOGITS)]
    np.testing.assert_allclose(output.of(LOGITS), expected)
    assert all(map(math.isnan, output.probabilities(LOGITS)))


@pytest.mark.parametrize("label", [None, "negative"])
def test_weights_and_bias_are_those_of_the_number(label):
    config, weights = random_network()
    output = explained_output(config, label)
    kernel, bias = weights["head.kernel"], weights["head.bias"]
    states = np.linspace(-1, 1, len(kernel))
    direct = output.of((states @ kernel + bias)[np.newaxis])[0]
    assert states @ output.weights(kernel) + output.bias(bias) == pytest.approx(direct, abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "label", "part"),
    [
        (("negative", "positive"), "positiv", "no label 'positiv': did you mean 'positive'?"),
        (THREE, "", "no label '': known: bad, fair, good"),
        ((), "good", "label is 'good', but the model gives a number: leave it out"),
    ],
)
def test_a_label_that_the_model_lacks_is_an_error(labels, label, part):
    config, _ = random_network(labels=labels)
    with pytest.raises(SettingsError, match=part.replace("?", r"\?")):
        explained_output(config, label)
